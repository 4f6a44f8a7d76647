//! `skillspan schema` says what the files have; the messages of the journal are those of `proto/`.

use std::{env, fs};

use serde_json::Value;
use skillspan::table::schema;

use crate::support::{outcome, skillspan};

#[test]
fn the_schema_that_is_printed_is_the_files() {
    let (code, out, _) = outcome(skillspan().args(["schema", "--json"]));
    assert_eq!(code, 0);
    let columns: Vec<Value> = serde_json::from_str(&out).unwrap();
    let schema = schema();
    assert_eq!(columns.len(), schema.fields().len());
    for (column, field) in columns.iter().zip(schema.fields()) {
        assert_eq!(column["name"], field.name().as_str());
        assert_eq!(column["nullable"], field.is_nullable());
        let known = ["utf8", "int64", "float64", "boolean", "timestamp(us, UTC)"];
        assert!(known.contains(&column["type"].as_str().unwrap()), "{column}");
        assert!(!column["description"].as_str().unwrap().is_empty());
    }
    let (code, table, _) = outcome(skillspan().arg("schema"));
    assert_eq!((code, table.lines().count()), (0, columns.len()));
    assert!(table.contains("float64            null  a score from outside"), "{table}");
}

#[test]
fn the_messages_are_what_the_definition_becomes() {
    const MESSAGES: &str = "src/event/generated.rs";
    let descriptors = protox::compile(["skillspan/v1/session.proto"], ["proto"]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    prost_build::Config::new().out_dir(folder.path()).compile_fds(descriptors).unwrap();
    let made = fs::read_to_string(folder.path().join("skillspan.v1.rs")).unwrap();
    if env::var_os("UPDATE_MESSAGES").is_some() {
        fs::write(MESSAGES, &made).unwrap();
    }
    let kept = fs::read_to_string(MESSAGES).unwrap();
    assert!(
        kept == made,
        "proto/ has changed: UPDATE_MESSAGES=1 cargo test --test cli schema, and commit {MESSAGES}"
    );
}

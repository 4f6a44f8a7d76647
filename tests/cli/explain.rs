//! `explain` says of a recorded body what each record became and where every column comes from.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use crate::support::{fixtures, outcome, skillspan};

fn explain(arguments: &[&str]) -> (i32, String, String) {
    outcome(skillspan().arg("explain").args(arguments))
}

fn capture(path: &str) -> String {
    fixtures().join("captures").join(path).display().to_string()
}

#[test]
fn every_column_names_the_attribute_that_it_comes_from() {
    let (code, said, _) = explain(&[&capture("codex/s05-denied-readonly-httpjson/0005-logs.json")]);
    assert_eq!(code, 0);
    let line = |name: &str| said.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_default();
    assert!(line("session_id").ends_with("<- conversation.id"), "{said}");
    assert!(line("input").contains("rm -rf build") && line("input").ends_with("<- arguments"), "{said}");
    assert!(line("decision   ").ends_with("<- the dialect"), "{said}");
    assert!(line("read besides").contains("success"), "{said}");
    assert!(line("kept as attributes").contains("terminal.type"), "{said}");
    assert!(said.contains("2 of 20 records became events"), "{said}");
    assert!(said.contains("noise (codex): log codex.sse_event"), "{said}");
}

#[test]
fn what_no_dialect_knows_names_its_scope() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("body");
    let body = r#"{"resourceSpans":[{"scopeSpans":[{"scope":{"name":"acme"},"spans":[{"name":"work"}]}]}]}"#;
    fs::write(&file, body).unwrap();
    let (code, said, _) = explain(&[file.to_str().unwrap(), "--all"]);
    assert_eq!(code, 0);
    assert!(said.contains("1 span work (scope acme)"), "{said}");
    assert!(said.contains("no dialect knows scope `acme`"), "{said}");
}

#[test]
fn json_and_protobuf_compressed_or_not_are_read() {
    let plain = capture("claude-code/s01-dbup-agent-grpc/0003-traces.pb");
    let (code, said, _) = explain(&[&plain]);
    assert_eq!(code, 0);
    assert!(said.contains("span claude_code.tool"), "{said}");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("body.gz");
    let mut encoder = GzEncoder::new(fs::File::create(&file).unwrap(), Compression::default());
    encoder.write_all(&fs::read(&plain).unwrap()).unwrap();
    encoder.finish().unwrap();
    let (_, compressed, _) = explain(&[file.to_str().unwrap()]);
    assert_eq!(compressed, said);
}

#[test]
fn a_body_is_read_as_the_receiver_reads_it() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("body");
    // A byte-order mark, a list that is null, an id in upper case, half a character, and a record that is
    // no span.
    let body = "\u{feff}{\"resourceSpans\":[{\"scopeSpans\":[{\"scope\":{\"name\":\"acme\",\"attributes\":null},\
        \"spans\":[{\"traceId\":\"5B8EFFF798038103D269B633813FC60C\",\"name\":\"wor\\ud83d\"},{\"name\":{}}]}]}]}";
    fs::write(&file, body).unwrap();
    let (code, said, _) = explain(&[file.to_str().unwrap(), "--all"]);
    assert_eq!(code, 0);
    assert!(said.contains("1 span wor\u{fffd} (scope acme)"), "{said}");
    assert!(said.contains("1 more cannot be read: span cannot be read: name: "), "{said}");
}

#[test]
fn what_is_no_body_is_an_error() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("body");
    for body in ["{}", "{\"resourceSpans\":7}", "{", "plain text"] {
        fs::write(&file, body).unwrap();
        let (code, said, error) = explain(&[file.to_str().unwrap()]);
        assert_eq!((code, said.as_str()), (1, ""), "{body}");
        assert!(error.contains("body"), "{error}");
    }
}

#[test]
fn what_a_hook_gave_is_explained_as_well() {
    let file = fixtures().join("captures/hermes-hooks/006-post_tool_call.json");
    let (code, said, _) = outcome(skillspan().args(["explain", "--hook", "hermes"]).arg(&file));
    assert_eq!(code, 0);
    assert!(
        said.contains("tool_result by hermes-hooks") && said.contains("1 of 1 records became events"),
        "{said}"
    );
    let file = fixtures().join("captures/pi-extension/events.jsonl");
    let (_, said, _) = outcome(skillspan().args(["explain", "--hook", "pi"]).arg(&file));
    assert!(said.contains("of 53 records became events") && said.contains("duplicate (pi-hooks)"), "{said}");
    let (code, _, error) = outcome(skillspan().args(["explain", "--hook", "emacs"]).arg(&file));
    assert!(code == 1 && error.contains("it knows those of claude"), "{error}");
}

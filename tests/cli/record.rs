//! The record of a run: what was found and why, kept beside the digests.

use std::fs;

use serde_json::Value;

use crate::captures::{claude_code, post};
use crate::support::Site;

/// The records in the folder of digests.
fn records(site: &Site) -> Vec<Value> {
    let entries = fs::read_dir(site.path("digests")).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    let ours =
        paths.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("run-")));
    ours.map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
}

#[test]
fn a_run_keeps_what_it_found_and_why_until_a_session_is_erased() {
    let site = Site::new("shop");
    let digests = site.path("digests");
    site.add_to_config(&format!(
        "connectors:\n  skillify: {{ min_interval: 1h, digests: {} }}\n",
        digests.display()
    ));
    let running = site.start();
    claude_code().iter().for_each(|body| post(&site, body));
    site.run(&["sessions", "list"]);
    assert_eq!(running.terminate(), Some(0));
    site.run(&["skillify", "--dry-run"]);
    assert!(
        records(&site).iter().all(|record| record["candidates"].as_array().is_none()),
        "a dry run keeps nothing"
    );

    site.run(&["skillify"]);
    let [record] = records(&site).try_into().unwrap();
    assert_eq!((&record["version"], &record["workspace"]), (&Value::from(1), &Value::from("shop")));
    let candidates = record["candidates"].as_array().unwrap();
    let skill = candidates.iter().find(|one| one["name"] == "run-the-integration-tests").unwrap();
    assert_eq!(skill["published"], true);
    let claim = &skill["claims"][0];
    assert_eq!(claim["claim"]["repair"]["repair"], "make db-up", "{claim}");
    assert_eq!(claim["treated"]["with"].as_u64(), Some(claim["sessions"].as_array().unwrap().len() as u64));

    let cases = claim["cases"]["for"].as_array().unwrap();
    assert!(
        (1..=3).contains(&cases.len()) && claim["cases"]["against"].as_array().unwrap().is_empty(),
        "{claim}"
    );
    let known = claim["sessions"].as_array().unwrap();
    assert!(cases.iter().all(|case| known.contains(&case["session"])), "{claim}");
    assert!(cases.iter().all(|case| !case["events"].as_array().unwrap().is_empty()), "{claim}");

    let session = claim["sessions"][0].as_str().unwrap();
    site.run(&["erase", "--session", session]);
    assert!(records(&site).is_empty(), "an erasure removes the record");
}

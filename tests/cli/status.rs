//! `skillspan status` says what fails now, and not what failed when something was tried last.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;

use super::support::Site;

/// A site whose accepted requests wait in the journal.
fn site() -> Site {
    let site = Site::new("shop");
    site.edit_config(&[("exporters:\n", "exporters:\n  parquet: { flush: { age: 1h } }\n")]);
    site
}

fn body(session: &str) -> Vec<u8> {
    serde_json::json!({ "hook_event_name": "UserPromptSubmit", "session_id": session, "prompt": "hello" })
        .to_string()
        .into_bytes()
}

#[test]
fn what_was_lost_a_moment_ago_is_told() {
    let site = site();
    let _running = site.start();
    for number in 1..=5 {
        assert_eq!(site.post("/v1/hooks/claude", "application/json", body(&format!("s-{number}"))), 200);
        let segments = fs::read_dir(site.path("journal")).unwrap().map(|entry| entry.unwrap().path());
        let segments: Vec<_> =
            segments.filter(|path| path.extension().is_some_and(|ending| ending == "segment")).collect();
        assert!(!segments.is_empty(), "what was accepted is in a segment");
        segments.iter().for_each(|path| fs::remove_file(path).unwrap());
        let report: Value = serde_json::from_str(&site.run(&["status", "--json"])).unwrap();
        let journal = &report["pipelines"][0]["journal"];
        // The exporter may have read some of them.
        let gone = ["lost", "taken_away"].map(|name| journal[name].as_u64().unwrap());
        assert_eq!(gone.iter().sum::<u64>(), number, "{report}");
        let text = site.run(&["status"]);
        assert!(text.contains("files of its journal were removed, replaced or cut"), "{text}");
        assert!(!text.contains("nothing fails"), "{text}");
    }
}

#[test]
fn what_stands_in_the_way_of_skills_is_told_before_there_are_any_and_as_long_as_it_stands_there() {
    let site = site();
    let running = site.start();
    let (folder, elsewhere) = (site.path("skills"), site.path("elsewhere"));
    fs::create_dir_all(&folder).unwrap();
    fs::create_dir(&elsewhere).unwrap();
    assert!(site.run(&["status"]).ends_with("nothing fails\n"));

    let stands_in_the_way = |is_there: bool| {
        let text = site.run(&["status"]);
        assert_eq!(
            text.contains("skills is a link") && text.contains("failing (blocked)"),
            is_there,
            "{text}"
        );
        assert_eq!(text.ends_with("nothing fails\n"), !is_there, "{text}");
    };
    symlink(&elsewhere, folder.join("skills")).unwrap();
    stands_in_the_way(true);
    fs::remove_file(folder.join("skills")).unwrap();
    stands_in_the_way(false);

    // It stood there before the process began.
    running.kill();
    symlink(&elsewhere, folder.join("skills")).unwrap();
    let _running = site.start();
    stands_in_the_way(true);
    fs::remove_file(folder.join("skills")).unwrap();
    stands_in_the_way(false);
}

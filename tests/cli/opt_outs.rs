//! What `connect` says leaves a session out was tried with the real client, and so was what it says does not.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::{outcome, skillspan};

/// By assistant, the ways and what became of each: `tests/live/opt-outs.txt`, as `opt_out.py` wrote it.
fn tried() -> BTreeMap<String, Vec<(String, String)>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/opt-outs.txt");
    let mut found: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut assistant = String::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        if !line.starts_with(' ') {
            line.clone_into(&mut assistant);
        } else if let Some((said, way)) = line.trim().split_once("  ") {
            found.entry(assistant.clone()).or_default().push((way.trim().to_owned(), said.to_owned()));
        }
    }
    found
}

/// The lines below a heading, without their indent.
fn below<'t>(shown: &'t str, heading: &str) -> Vec<&'t str> {
    let lines = shown.lines().skip_while(|line| *line != heading).skip(1);
    lines.map_while(|line| line.strip_prefix("  ")).collect()
}

#[test]
fn every_way_to_leave_a_session_out_was_tried() {
    let tried = tried();
    let (_, listed, _) = outcome(skillspan().arg("connect"));
    for name in listed.lines().map_while(|line| line.split_whitespace().next()) {
        let (_, shown, _) = outcome(skillspan().args(["connect", name]));
        let leave_out = below(&shown, "To leave a session out:");
        assert!(!leave_out.is_empty(), "{shown}");
        let known = tried.get(name).cloned().unwrap_or_default();
        let became = |way: &str| known.iter().find(|(tried, _)| tried == way).map(|(_, said)| said.as_str());
        if shown.contains("\nNot tried: ") {
            assert_eq!(known, [], "{name} was tried");
            continue;
        }
        assert!(shown.contains("\nTried with "), "{shown}");
        assert_eq!(became("(nothing said)"), Some("stored"), "{name}: else nothing would be shown");
        for way in leave_out {
            assert_eq!(became(way), Some("left out"), "{name}: {way}");
        }
        for way in below(&shown, "This does not leave it out:") {
            assert_eq!(became(way), Some("stored, as told"), "{name}: {way}");
        }
    }
}

/// Pages that name one of these would promise what does not hold.
#[test]
fn no_page_names_what_leaves_nothing_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = crate::documented::pages();
    pages.push(root.join("SECURITY.md"));
    for page in &pages {
        let text = fs::read_to_string(page).unwrap();
        for vain in [
            "CLAUDE_CODE_ENABLE_TELEMETRY=0",
            "GEMINI_TELEMETRY_ENABLED=false",
            "COPILOT_OTEL_ENABLED=false",
            "HERMES_OTEL_ENABLED=false",
        ] {
            let mentions = text.lines().filter(|line| line.contains(vain));
            let promises: Vec<_> = mentions.filter(|line| !line.contains("does not")).collect();
            assert!(promises.is_empty(), "{}: {promises:?}", page.display());
        }
    }
}

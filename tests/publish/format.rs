//! What is written is what assistants and validators read.

use std::collections::BTreeMap;

use super::life::Target;
use super::repository::needs;
use super::sessions::{mined, one_offs};

fn target() -> Target {
    let mut sessions = needs("make db-up", "make test-integration");
    sessions.extend(one_offs("make db-up", "make test-integration"));
    let target = Target::new();
    target.publish(&mined(&sessions));
    target
}

/// Front matter as the validators read it: top-level keys and the metadata map.
fn front_matter(skill: &str) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let (matter, _) = skill.strip_prefix("---\n").unwrap().split_once("\n---\n").unwrap();
    let (mut keys, mut metadata) = (BTreeMap::new(), BTreeMap::new());
    for line in matter.lines() {
        let (key, value) = line.split_once(':').unwrap();
        let value: String = match value.trim() {
            quoted if quoted.starts_with('"') => serde_json::from_str(quoted).unwrap(),
            plain => plain.to_owned(),
        };
        match key.strip_prefix("  ") {
            Some(key) => metadata.insert(key.to_owned(), value),
            None => keys.insert(key.to_owned(), value),
        };
    }
    (keys, metadata)
}

#[test]
fn the_skill_reads_as_a_person_would_have_written_it() {
    let target = target();
    let skill = target.read("skills/run-the-integration-tests/SKILL.md");
    let id = front_matter(&skill).1["skillspan-id"].clone();
    assert_eq!(
        skill.replace(&id, "ID"),
        r#"---
name: run-the-integration-tests
description: "If `make test-integration` fails with \"connection refused\", run `make db-up`. Use before running integration tests and when `make test-integration` fails with \"connection refused\"."
license: "Proprietary unless the repository that holds this skill says otherwise"
metadata:
  skillspan-id: "ID"
  skillspan-scope: "workspace"
  skillspan-workspace: "shop"
  skillspan-version: "1"
  skillspan-sessions: "3"
  skillspan-people: "3"
  skillspan-evidence: "references/evidence.md"
---

# Run the integration tests

## When to use
- Before running integration tests.
- When `make test-integration` fails with "connection refused".

## Lessons
1. If `make test-integration` fails with "connection refused", run `make db-up`.

## Evidence
Seen in 3 sessions of 3 people: [references/evidence.md](references/evidence.md).
"#
    );
    assert!(id.len() == 8 && id.chars().all(|char| char.is_ascii_hexdigit()), "{id}");
}

#[test]
fn every_skill_keeps_the_rules_of_the_format() {
    for (fix, test) in [
        ("make db-up", "make test-integration"),
        ("docker compose up -d db", "npm run test:e2e"),
        (
            "./scripts/a-very-long-script-name-that-goes-on/and-on.sh --with flags",
            "cargo test --test an_even_longer_test_name_than_that",
        ),
        ("psql app -c 'select 1: \"x\"'", "make it"),
    ] {
        let target = Target::new();
        target.publish(&mined(&needs(fix, test)));
        let skills: Vec<String> =
            target.files().into_iter().filter(|path| path.ends_with("SKILL.md")).collect();
        assert_eq!(skills.len(), 1, "{fix}");
        let (keys, metadata) = front_matter(&target.read(&skills[0]));
        assert_eq!(keys.keys().collect::<Vec<_>>(), ["description", "license", "metadata", "name"]);
        let (name, description) = (&keys["name"], &keys["description"]);
        assert_eq!(skills[0], format!("skills/{name}/SKILL.md"));
        assert!((1..=64).contains(&name.len()), "{name}");
        assert!(
            name.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-'),
            "{name}"
        );
        assert!(!name.starts_with('-') && !name.ends_with('-') && !name.contains("--"), "{name}");
        assert!((1..=1024).contains(&description.chars().count()) && !description.contains(['<', '>']));
        assert!(metadata.values().all(|value| !value.is_empty()));
    }
}

#[test]
fn the_evidence_names_sessions_by_hash_alone() {
    let target = target();
    let evidence = target.read("skills/run-the-integration-tests/references/evidence.md");
    // The first 12 hex digits of `printf acme/s01 | sha256sum`.
    assert!(evidence.contains("| 7e77f92840b1 | 2026-11-18 | claude-code | accepted |"), "{evidence}");
    assert_eq!(evidence.matches("| accepted |").count(), 3);
    assert!(
        evidence.contains(
            "## If `make test-integration` fails, run `make db-up`\n\nFailed, ran it, then passed: 3 sessions; failed, ran it, then failed again: 0 sessions.\n\n| session"
        ),
        "{evidence}"
    );
    for path in target.files() {
        let content = target.read(&path);
        for private in ["s01", "alice", "orders module", "greeting"] {
            assert!(!content.contains(private), "{private} in {path}");
        }
    }
}

#[test]
fn the_tree_is_a_plugin_of_every_assistant() {
    let target = target();
    let json = |path: &str| serde_json::from_str::<serde_json::Value>(&target.read(path)).unwrap();
    assert_eq!(json("package.json")["pi"]["skills"][0], "skills");
    for path in [".claude-plugin/plugin.json", "gemini-extension.json", "package.json"] {
        assert_eq!(json(path)["version"], "0.1.1", "{path}");
    }
    assert_eq!(json(".claude-plugin/marketplace.json")["plugins"][0]["source"], "./");
    let readme = target.read("README.md");
    assert!(
        readme.contains("(skills/run-the-integration-tests/SKILL.md)")
            && readme.contains("3 sessions of 3 people")
    );
    assert!(!target.files().iter().any(|path| path == "RETIRED.md"));
}

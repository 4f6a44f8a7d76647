//! The table of the documentation against what the clients of the stories tell.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use skillspan::dialects::Dialects;

use crate::clients::{self, Matter};

/// What stands over the table in `docs/guide/clients.md`.
const HEADING: &str = "### Way by way";

/// Dialects whose sessions nobody makes up here: recordings and tests of their own hold them.
const WITHOUT_STORIES: &[&str] =
    &["copilot-chat-transcript", "generic", "google-adk", "langsmith", "openclaw"];

/// The table as it has to be.
fn table() -> String {
    let mut table = "| client and way |".to_owned();
    for matter in Matter::ALL {
        let _ = write!(table, " {} |", matter.heading());
    }
    let _ = write!(table, "\n|{}", "---|".repeat(Matter::ALL.len() + 1));
    for client in clients::all() {
        let _ = write!(table, "\n| {} |", client.name);
        for matter in Matter::ALL {
            match client.tells(matter).cell() {
                "" => table.push_str(" |"),
                cell => {
                    let _ = write!(table, " {cell} |");
                }
            }
        }
    }
    table
}

#[test]
fn the_documentation_has_what_each_way_tells() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/clients.md");
    let documentation = fs::read_to_string(path).unwrap();
    let section = documentation.split_once(HEADING).map(|(_, rest)| rest).unwrap_or_default();
    let lines: Vec<&str> = section
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .collect();
    let expected = table();
    assert_eq!(
        lines.join("\n"),
        expected,
        "docs/guide/clients.md, {HEADING}: the table has to be\n\n{expected}\n"
    );
}

#[test]
fn every_dialect_has_stories_or_is_named() {
    let told: BTreeSet<&str> =
        clients::all().iter().flat_map(|client| client.dialects).chain(WITHOUT_STORIES).copied().collect();
    let known: BTreeSet<&str> = Dialects::built_in().names().collect();
    assert_eq!(told, known);
}

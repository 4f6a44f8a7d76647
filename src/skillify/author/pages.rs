//! The skills that people wrote, as a writer is shown them: cleaned, cut, the most telling first.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::clean::Cleaner;
use super::stood::Stood;

/// So many pages are shown …
const MOST_PAGES: usize = 6;
/// … of so many lines each …
const MOST_LINES: usize = 40;
/// … cut to so many characters …
const LONGEST_LINE: usize = 160;
/// … and to so many of all.
const MOST_CHARACTERS: usize = 8_000;

/// The pages of a repository by the names of their folders, as they may leave the machine.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Pages(Vec<(String, Value)>);

impl Pages {
    /// Those that speak of what stood come first.
    pub(super) fn of(pages: &BTreeMap<String, String>, stood: &[Stood], clean: &Cleaner) -> Self {
        let mut ranked: Vec<(Reverse<usize>, &String, &String)> =
            pages.iter().map(|(name, text)| (Reverse(spoken_of(text, stood)), name, text)).collect();
        ranked.sort();
        let mut left = MOST_CHARACTERS;
        let mut shown = Vec::new();
        for (_, name, text) in ranked.into_iter().take(MOST_PAGES) {
            let mut lines: Vec<String> = Vec::new();
            let cleaned = text.lines().filter_map(|line| clean.line(line, LONGEST_LINE));
            for line in cleaned.filter(|line| !line.is_empty()).take(MOST_LINES) {
                let length = line.chars().count();
                if length > left {
                    break;
                }
                left -= length;
                lines.push(line);
            }
            if !lines.is_empty() {
                let page = json!({ "id": id(shown.len()), "lines": lines });
                shown.push((name.clone(), page));
            }
        }
        Self(shown)
    }

    pub(super) fn shown(&self) -> Vec<Value> {
        self.0.iter().map(|(_, page)| page.clone()).collect()
    }

    /// The name of the page with this id.
    pub(super) fn name(&self, wanted: &str) -> Option<String> {
        let at = (0..self.0.len()).find(|at| id(*at) == wanted)?;
        self.0.get(at).map(|(name, _)| name.clone())
    }
}

fn id(at: usize) -> String {
    format!("P{}", at + 1)
}

/// How many of the commands, paths and texts of what stood a page has.
fn spoken_of(text: &str, stood: &[Stood]) -> usize {
    let text = text.to_lowercase();
    let has = |named: &str| text.contains(&named.to_lowercase());
    stood
        .iter()
        .map(|one| {
            one.when.named().iter().filter(|named| has(named)).count()
                + one.when.said().into_iter().filter(|said| has(said)).count()
        })
        .sum()
}

//! One pass over a text for the marks of all rules.
//!
//! A vector search (Teddy) looks for up to 64 texts at once at several GB/s; with more it falls back to
//! something slower, so marks are searched in groups. Where the processor has no such search, an
//! automaton takes its place.

use std::collections::BTreeMap;
use std::sync::Arc;

use aho_corasick::packed;
use aho_corasick::{AhoCorasick, MatchKind};

/// The marks that one search takes.
const GROUP: usize = 64;

/// In names that are given secrets, in the three ways that they are written. Case is not folded:
/// that would cost the vector search.
const ASSIGNMENT_MARKS: &[&str] = &[
    "assw",
    "ASSW",
    "assphrase",
    "ASSPHRASE",
    "asscode",
    "_pass",
    "_PASS",
    "pwd",
    "PWD",
    "ecret",
    "ECRET",
    "oken",
    "OKEN",
    "apikey",
    "APIKEY",
    "_key",
    "_KEY",
    "-key",
    "-Key",
    "Key",
    "redential",
    "REDENTIAL",
    "ookie",
    "uthorization",
];

/// The marks of all rules.
#[derive(Debug, Clone)]
pub(super) struct Marks(Vec<Arc<Group>>);

#[derive(Debug)]
struct Group {
    search: Search,
    /// The rules of each mark, in order of precedence.
    rules: Vec<Vec<usize>>,
}

#[derive(Debug)]
enum Search {
    Packed(packed::Searcher),
    Automaton(AhoCorasick),
    Nothing,
}

impl Marks {
    /// `rules` have their marks in order; the rule behind the last of them is that of assignments.
    pub(super) fn new<'r>(rules: impl ExactSizeIterator<Item = &'r [String]>) -> Self {
        let assignments = rules.len();
        let mut by_mark: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (rule, marks) in rules.enumerate() {
            marks.iter().for_each(|mark| by_mark.entry(mark).or_default().push(rule));
        }
        let credentials: Vec<(&str, Vec<usize>)> = by_mark.into_iter().collect();
        let names: Vec<(&str, Vec<usize>)> =
            ASSIGNMENT_MARKS.iter().map(|mark| (*mark, vec![assignments])).collect();
        Self(
            credentials
                .chunks(GROUP)
                .chain([names.as_slice()])
                .map(|group| Arc::new(Group::new(group)))
                .collect(),
        )
    }

    /// Calls `hit` with every rule and place where one of its marks stands. A mark that begins inside
    /// another one of its group is not seen.
    pub(super) fn for_each_hit(&self, text: &str, mut hit: impl FnMut(usize, usize)) {
        for group in &self.0 {
            group.search.for_each(text, |mark, at| {
                group.rules.get(mark).into_iter().flatten().for_each(|rule| hit(*rule, at));
            });
        }
    }
}

impl Group {
    fn new(marks: &[(&str, Vec<usize>)]) -> Self {
        let texts = marks.iter().map(|(mark, _)| *mark);
        let packed = packed::Config::new().builder().extend(texts.clone()).build();
        let automaton = || AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(texts);
        let search = match packed {
            Some(packed) => Search::Packed(packed),
            None => automaton().map_or(Search::Nothing, Search::Automaton),
        };
        Self { search, rules: marks.iter().map(|(_, rules)| rules.clone()).collect() }
    }
}

impl Search {
    fn for_each(&self, text: &str, mut hit: impl FnMut(usize, usize)) {
        match self {
            Self::Packed(search) => {
                search.find_iter(text).for_each(|found| hit(found.pattern().as_usize(), found.start()))
            }
            Self::Automaton(search) => {
                search.find_iter(text).for_each(|found| hit(found.pattern().as_usize(), found.start()))
            }
            Self::Nothing => {}
        }
    }
}

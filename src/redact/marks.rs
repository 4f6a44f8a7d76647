//! One pass over a text for the marks of all rules.
//!
//! A vector search (Teddy) looks for up to 64 texts at once at several GB/s; with more it falls back to
//! something slower, so marks are searched in groups. Where the processor has no such search, an
//! automaton takes its place. Making either takes longer than reading a few kilobytes without, so it is
//! made when that many were read: a process that redacts one text never gets there. All three ways find
//! the same.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use aho_corasick::packed;
use aho_corasick::{AhoCorasick, MatchKind};

/// The marks that one search takes.
const GROUP: usize = 64;
/// Bytes that are read without a vector search before one is made.
const WARM_UP: usize = 8 << 10;

/// In names that are given secrets, in the three ways that they are written. Case is not folded:
/// that would cost the vector search.
#[rustfmt::skip] // Words, many a line.
const ASSIGNMENT_MARKS: &[&str] = &[
    "assw", "ASSW", "assphrase", "ASSPHRASE", "asscode", "_pass", "_PASS", "-pass", "epass", "ypass", "rpass", "bpass",
    "-pw", "_pw", "_PW", "pw=", "PW=", "pw\"", "pw:", "dpw ", "tpw ", "-pin", "pwd", "PWD", "Pwd", "ecret", "ECRET", "oken",
    "OKEN", "apikey", "APIKEY", "_key", "_KEY", "-key", "-Key", "Key", "redential", "REDENTIAL", "pass=", "pass:",
    "pass\"", "pass'", "PASS=", "PASS:", "pass>", "_auth", "_AUTH", "rauth", "\"auth", "SALT", "_salt", "nemonic",
    "NEMONIC", "psk", "earer", "PI key", "pi key", "PIN ", "pin is", "ass phr", "mot de passe", "contrase", "ennwort", "senha",
    "<<<", "<(echo ", "<(printf ", "-----END", "pw is", "pass =",
];

/// The marks of rules.
#[derive(Debug)]
pub(super) struct Marks(Vec<Group>);

#[derive(Debug, Clone)]
struct Mark {
    bytes: Box<[u8]>,
    /// The numbers of the rules that have it, ascending.
    rules: Vec<usize>,
}

#[derive(Debug)]
struct Group {
    /// By their bytes.
    marks: Vec<Mark>,
    /// Where the marks begin that begin with a byte or a greater one; behind the last of them, their number.
    first: [u8; 257],
    read: AtomicUsize,
    search: OnceLock<Search>,
}

#[derive(Debug)]
enum Search {
    Packed(packed::Searcher),
    Automaton(AhoCorasick),
    Nothing,
}

impl Marks {
    /// The marks of rules, each with its rule's number; an empty mark stands nowhere.
    pub(super) fn new<'m>(marks: impl IntoIterator<Item = (&'m str, usize)>) -> Self {
        let mut marks: Vec<(&[u8], usize)> =
            marks.into_iter().map(|(mark, rule)| (mark.as_bytes(), rule)).collect();
        marks.sort_unstable();
        let marks: Vec<Mark> =
            marks.chunk_by(|(mark, _), (next, _)| mark == next).filter_map(Mark::of_equals).collect();
        Self(marks.chunks(GROUP).map(|marks| Group::new(marks.to_vec())).collect())
    }

    /// The marks of names that are given secrets, all of them of one rule, and these.
    pub(super) fn with_assignments<'m>(
        marks: impl IntoIterator<Item = (&'m str, usize)>,
        rule: usize,
    ) -> Self {
        Self::new(marks.into_iter().chain(ASSIGNMENT_MARKS.iter().map(|mark| (*mark, rule))))
    }

    /// How often a text is read for them.
    pub(super) const fn searches(&self) -> usize {
        self.0.len()
    }

    /// Calls `hit` with every rule and place where one of its marks stands. A mark that begins inside
    /// another one of its group is not seen.
    pub(super) fn for_each_hit(&self, text: &str, mut hit: impl FnMut(usize, usize)) {
        for group in &self.0 {
            group.for_each_hit(text.as_bytes(), &mut hit);
        }
    }
}

impl Mark {
    fn of_equals(equals: &[(&[u8], usize)]) -> Option<Self> {
        let (bytes, _) = equals.first().filter(|(bytes, _)| !bytes.is_empty())?;
        Some(Self { bytes: Box::from(*bytes), rules: equals.iter().map(|(_, rule)| *rule).collect() })
    }
}

impl Group {
    /// `marks` in order.
    fn new(marks: Vec<Mark>) -> Self {
        let mut first = [0_u8; 257];
        for byte in marks.iter().filter_map(|mark| mark.bytes.first()) {
            if let Some(behind) = first.get_mut(usize::from(*byte) + 1) {
                *behind += 1;
            }
        }
        let mut before = 0;
        for place in &mut first {
            before += *place;
            *place = before;
        }
        Self { marks, first, read: AtomicUsize::new(0), search: OnceLock::new() }
    }

    fn for_each_hit(&self, text: &[u8], hit: &mut impl FnMut(usize, usize)) {
        let found = |mark, at| {
            let rules = self.marks.get(mark).into_iter().flat_map(|mark: &Mark| &mark.rules);
            rules.for_each(|rule| hit(*rule, at));
        };
        match self.search.get() {
            Some(search) => search.for_each(text, found),
            None if self.read.fetch_add(text.len(), Ordering::Relaxed) < WARM_UP => {
                self.for_each_one_by_one(text, found);
            }
            None => self.search.get_or_init(|| Search::of(&self.marks)).for_each(text, found),
        }
    }

    /// What [`Search`] finds, with nothing made for it.
    fn for_each_one_by_one(&self, text: &[u8], mut found: impl FnMut(usize, usize)) {
        let mut at = 0;
        while let Some(byte) = text.get(at) {
            let place = |behind| self.first.get(usize::from(*byte) + behind).copied().map_or(0, usize::from);
            let rest = text.get(at..).unwrap_or_default();
            let mut marks = (place(0)..).zip(self.marks.get(place(0)..place(1)).unwrap_or_default());
            match marks.find(|(_, mark)| rest.starts_with(&mark.bytes)) {
                Some((number, mark)) => {
                    found(number, at);
                    at += mark.bytes.len();
                }
                None => at += 1,
            }
        }
    }
}

impl Search {
    fn of(marks: &[Mark]) -> Self {
        let marks = marks.iter().map(|mark| &mark.bytes);
        let packed = packed::Config::new().builder().extend(marks.clone()).build();
        let automaton = || AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(marks);
        match packed {
            Some(packed) => Self::Packed(packed),
            None => automaton().map_or(Self::Nothing, Self::Automaton),
        }
    }

    fn for_each(&self, text: &[u8], mut found: impl FnMut(usize, usize)) {
        match self {
            Self::Packed(search) => {
                search.find_iter(text).for_each(|mark| found(mark.pattern().as_usize(), mark.start()));
            }
            Self::Automaton(search) => {
                search.find_iter(text).for_each(|mark| found(mark.pattern().as_usize(), mark.start()));
            }
            Self::Nothing => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn hits(search: impl FnOnce(&mut dyn FnMut(usize, usize))) -> Vec<(usize, usize)> {
        let mut hits = Vec::new();
        search(&mut |mark, at| hits.push((mark, at)));
        hits
    }

    proptest! {
        #[test]
        fn every_search_finds_the_same(
            marks in prop::collection::vec("[ab_]{1,3}|sk-|\u{e9}a", 1..64),
            text in "[ab_sk\\-\u{e9}]{0,200}",
        ) {
            let marks: BTreeSet<&str> = marks.iter().map(String::as_str).collect();
            let group = &Marks::new(marks.into_iter().zip(0..)).0[0];
            let text = text.as_bytes();
            let plain = hits(|found| group.for_each_one_by_one(text, found));
            let packed = Search::of(&group.marks);
            prop_assert_eq!(&plain, &hits(|found| packed.for_each(text, found)));
            let texts = group.marks.iter().map(|mark| &mark.bytes);
            let automaton =
                AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(texts).unwrap();
            prop_assert_eq!(&plain, &hits(|found| Search::Automaton(automaton).for_each(text, found)));
        }
    }

    #[test]
    fn a_mark_of_several_rules_is_seen_for_each() {
        let marks = Marks::new([("sk-", 7), ("x", 1), ("sk-", 3), ("", 9)]);
        // Without a vector search, and with one.
        for _ in 0..2 {
            let mut hits = Vec::new();
            marks.for_each_hit("a sk-x", |rule, at| hits.push((rule, at)));
            assert_eq!(hits, [(3, 2), (7, 2), (1, 5)]);
            marks.for_each_hit(&" ".repeat(2 * WARM_UP), |_, _| {});
        }
    }
}

//! One pass over a text for the marks of all rules.
//!
//! A filter looks at every three bytes (`filter.rs`), and what it lets through is compared. Marks that are too short
//! for it, which only an installation's own rules have, are searched by an automaton. Both see all marks, one
//! inside of another too. Vector searches look for a few texts faster than that. This many take several searches,
//! which cost a short text ten times as much, and most texts of a session are short.
//!
//! Making an automaton takes a millisecond, and a filter a tenth of one. So either is made when tens of
//! kilobytes were read without it: a process that redacts one text seldom gets there. All ways find the same.

use std::cmp::Reverse;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::filter::Filter;

/// Bytes that are read without a search before it is made.
const WARM_UP: usize = 32 << 10;

/// In names that are given secrets, in the three ways that they are written.
#[rustfmt::skip] // Words, many a line.
const ASSIGNMENT_MARKS: &[&str] = &[
    "assw", "ASSW", "assphrase", "ASSPHRASE", "asscode", "_pass", "_PASS", "-pass", "epass", "ypass", "rpass", "bpass",
    "-pw", "_pw", "_PW", "pw=", "PW=", "pw\"", "pw:", "dpw ", "tpw ", "-pin", "pwd", "PWD", "Pwd", "ecret", "ECRET", "oken",
    "OKEN", "apikey", "APIKEY", "_key", "_KEY", "-key", "-Key", "Key", "redential", "REDENTIAL", "pass=", "pass:",
    "pass\"", "pass'", "PASS=", "PASS:", "pass>", "_auth", "_AUTH", "rauth", "\"auth", "SALT", "_salt", "nemonic",
    "NEMONIC", "psk", "earer", "ass_phr", "ASS_PHR", "ass-phr", "assPhr", "ass_word", "ASS_WORD", "ass-word", "PI key", "pi key", "PIN ", "pin is", "ass phr", "mot de passe", "contrase", "ennwort", "senha",
    "<<<", "<(echo ", "<(printf ", "-----END", "pw is", "pass =", "ppass", "lpass", "tpass", "dpass", "npass", ".pass ", "reds: ", "reds are", "reds for", "reds on", "REDS",
    "pw for", "PW:", "Pw:", "Pw=", "pw**", "PW**", "Pw**", "PW =", "Pw =", "PW is", "Pw is", "PW for", "Pass:", "Pass=",
    "Pass =", "PASS =", "pass**", "Pass**", "PASS**", "pass is ", "Pass is ",
];

/// The marks of rules.
#[derive(Debug)]
pub(super) struct Marks {
    /// By their last bytes, of two that end alike the longer one first.
    marks: Vec<Mark>,
    /// Where the marks begin that end with a byte or a greater one; behind the last of them, their number.
    ending_with: [usize; 257],
    read: AtomicUsize,
    search: OnceLock<Option<Search>>,
}

/// How many texts are read.
#[derive(Debug)]
enum Search {
    Filter(Filter),
    Automaton(AhoCorasick),
}

#[derive(Debug)]
struct Mark {
    bytes: Box<[u8]>,
    /// The numbers of the rules that have it, ascending.
    rules: Vec<usize>,
}

impl Marks {
    /// The marks of rules, each with its rule's number; an empty mark stands nowhere.
    pub(super) fn new<'m>(marks: impl IntoIterator<Item = (&'m str, usize)>) -> Self {
        let mut marks: Vec<(&[u8], usize)> =
            marks.into_iter().map(|(mark, rule)| (mark.as_bytes(), rule)).collect();
        marks.sort_unstable();
        let mut marks: Vec<Mark> =
            marks.chunk_by(|(mark, _), (next, _)| mark == next).filter_map(Mark::of_equals).collect();
        marks.sort_by_key(|mark| (mark.last_byte(), Reverse(mark.bytes.len())));
        let mut ending_with = [0; 257];
        for (byte, begin) in (0..).zip(&mut ending_with) {
            *begin = marks.partition_point(|mark| usize::from(mark.last_byte()) < byte);
        }
        Self { marks, ending_with, read: AtomicUsize::new(0), search: OnceLock::new() }
    }

    /// The marks of names that are given secrets, all of them of one rule, and these.
    pub(super) fn with_assignments<'m>(
        marks: impl IntoIterator<Item = (&'m str, usize)>,
        rule: usize,
    ) -> Self {
        Self::new(marks.into_iter().chain(ASSIGNMENT_MARKS.iter().map(|mark| (*mark, rule))))
    }

    /// Calls `hit` with every rule and place where one of its marks stands, in the order in which they end.
    pub(super) fn for_each_hit(&self, text: &str, mut hit: impl FnMut(usize, usize)) {
        if self.marks.is_empty() {
            return;
        }
        let found = |mark: usize, at| {
            let rules = self.marks.get(mark).into_iter().flat_map(|mark| &mark.rules);
            rules.for_each(|rule| hit(*rule, at));
        };
        let is_warm = self.search.get().is_some()
            || self.read.fetch_add(text.len(), Ordering::Relaxed) + text.len() > WARM_UP;
        match is_warm.then(|| self.search.get_or_init(|| self.search())) {
            Some(Some(Search::Filter(filter))) => self.for_each_filtered(filter, text.as_bytes(), found),
            Some(Some(Search::Automaton(automaton))) => for_each_at_once(automaton, text.as_bytes(), found),
            _ => self.for_each_one_by_one(text.as_bytes(), found),
        }
    }

    fn search(&self) -> Option<Search> {
        let filter = Filter::of(self.marks.iter().map(|mark| &*mark.bytes));
        filter.map(Search::Filter).or_else(|| self.automaton().map(Search::Automaton))
    }

    /// What the filter lets through and is one, in the order of the ends.
    fn for_each_filtered(&self, filter: &Filter, text: &[u8], mut found: impl FnMut(usize, usize)) {
        let mut hits: Vec<(usize, usize, usize)> = Vec::new();
        filter.for_each(text, |number, start| {
            let bytes = self.marks.get(number).map_or(&[][..], |mark| &mark.bytes);
            if text.get(start..).is_some_and(|rest| rest.starts_with(bytes)) {
                hits.push((start + bytes.len(), number, start));
            }
        });
        hits.sort_unstable();
        hits.into_iter().for_each(|(_, number, start)| found(number, start));
    }

    fn automaton(&self) -> Option<AhoCorasick> {
        let marks = self.marks.iter().map(|mark| &mark.bytes);
        AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(marks).ok()
    }

    /// What the automaton finds, with nothing made for it.
    fn for_each_one_by_one(&self, text: &[u8], mut found: impl FnMut(usize, usize)) {
        for (at, byte) in text.iter().enumerate() {
            let place =
                |behind| self.ending_with.get(usize::from(*byte) + behind).copied().unwrap_or_default();
            let read = text.get(..=at).unwrap_or_default();
            for (number, mark) in (place(0)..).zip(self.marks.get(place(0)..place(1)).unwrap_or_default()) {
                if read.ends_with(&mark.bytes) {
                    found(number, read.len() - mark.bytes.len());
                }
            }
        }
    }
}

impl Mark {
    fn of_equals(equals: &[(&[u8], usize)]) -> Option<Self> {
        let (bytes, _) = equals.first().filter(|(bytes, _)| !bytes.is_empty())?;
        Some(Self { bytes: Box::from(*bytes), rules: equals.iter().map(|(_, rule)| *rule).collect() })
    }

    fn last_byte(&self) -> u8 {
        self.bytes.last().copied().unwrap_or_default()
    }
}

fn for_each_at_once(automaton: &AhoCorasick, text: &[u8], mut found: impl FnMut(usize, usize)) {
    automaton.find_overlapping_iter(text).for_each(|mark| found(mark.pattern().as_usize(), mark.start()));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::filter;
    use super::*;

    fn hits(search: impl FnOnce(&mut dyn FnMut(usize, usize))) -> Vec<(usize, usize)> {
        let mut hits = Vec::new();
        search(&mut |mark, at| hits.push((mark, at)));
        hits
    }

    proptest! {
        #[test]
        fn every_search_finds_the_same(
            marks in prop_oneof![
                prop::collection::vec("[ab_]{1,3}|sk-|\u{e9}a", 1..64),
                prop::collection::vec("[ab_]{3,7}|sk-|\u{e9}a", 1..64),
            ],
            text in "[ab_sk\\-\u{e9}]{0,200}",
        ) {
            let marks: BTreeSet<&str> = marks.iter().map(String::as_str).collect();
            let all = Marks::new(marks.iter().copied().zip(0..));
            let text = text.as_bytes();
            let plain = hits(|found| all.for_each_one_by_one(text, found));
            prop_assert_eq!(&plain, &hits(|found| for_each_at_once(&all.automaton().unwrap(), text, found)));
            if marks.iter().all(|mark| mark.len() >= filter::WINDOW) {
                let filter = Filter::of(all.marks.iter().map(|mark| &*mark.bytes)).unwrap();
                prop_assert_eq!(&plain, &hits(|found| all.for_each_filtered(&filter, text, found)));
            }
            let stand = |mark: &&str| text.windows(mark.len()).filter(|part| *part == mark.as_bytes()).count();
            prop_assert_eq!(plain.len(), marks.iter().map(stand).sum::<usize>());
        }
    }

    /// What is found without the automaton, and with it.
    fn both_ways(marks: &Marks, text: &str) -> [Vec<(usize, usize)>; 2] {
        [(); 2].map(|()| {
            let mut hits = Vec::new();
            marks.for_each_hit(text, |rule, at| hits.push((rule, at)));
            marks.for_each_hit(&" ".repeat(2 * WARM_UP), |_, _| {});
            hits
        })
    }

    #[test]
    fn a_mark_of_several_rules_is_seen_for_each() {
        let marks = Marks::new([("sk-", 7), ("x", 1), ("sk-", 3), ("", 9)]);
        for hits in both_ways(&marks, "a sk-x") {
            assert_eq!(hits, [(3, 2), (7, 2), (1, 5)]);
        }
    }

    #[test]
    fn a_mark_inside_of_another_one_is_seen_too() {
        let marks =
            Marks::new([("mysql", 1), ("mysqladmin ", 2), ("mysqldump", 3), ("admin ", 4), ("net ", 5)]);
        for hits in both_ways(&marks, "mysqladmin net mysql") {
            assert_eq!(hits, [(1, 0), (2, 0), (4, 5), (5, 11), (1, 15)]);
        }
    }
}

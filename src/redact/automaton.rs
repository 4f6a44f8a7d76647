//! A pattern as an automaton that counts every byte it examines, and stops when its budget is spent.
//!
//! Finding all matches takes quadratic time in any regular-expression engine, because each match may first examine
//! the whole rest of the text. So searches here have a budget, [`Fuel`]: the caller decides how much a text gets, and
//! learns when it was not enough.

use std::fmt;

use regex_automata::hybrid::dfa::{self, DFA};
use regex_automata::nfa::thompson::backtrack::{self, BoundedBacktracker};
use regex_automata::nfa::thompson::{self, NFA, pikevm};
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::hir::Hir;

use super::spares::Spares;

/// The group of a pattern that is the secret.
const SECRET: &str = "secret";
/// A pattern that would need more memory than this is refused.
const SIZE_LIMIT: usize = 8 << 20;

/// Bytes that may still be looked at.
#[derive(Debug)]
pub(super) struct Fuel {
    left: usize,
    used: usize,
}

/// There was not enough fuel to tell whether there is a match.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spent;

impl Fuel {
    pub(super) const fn new(left: usize) -> Self {
        Self { left, used: 0 }
    }

    /// Bytes looked at so far.
    pub(super) const fn used(&self) -> usize {
        self.used
    }

    /// Pays for `bytes`.
    pub(super) fn burn(&mut self, bytes: usize) -> Result<(), Spent> {
        self.used += bytes;
        self.left = self.left.checked_sub(bytes).ok_or(Spent)?;
        Ok(())
    }
}

/// What an automaton learns of itself on the way: forward, and backward.
type Learned = (dfa::Cache, Option<dfa::Cache>);

/// How many bytes of it are kept. States beyond that are computed again, a thousand times as slowly as a lookup.
const LEARNED: usize = 1 << 20;

/// A compiled pattern.
pub(super) struct Automaton {
    forward: DFA,
    /// For patterns that are searched everywhere: from the end of a match to its beginning.
    backward: Option<DFA>,
    /// For patterns with a group that is the secret.
    groups: Option<Groups>,
    /// What a byte costs: each may touch as many places of the pattern as it has.
    weight: usize,
    learned: Spares<Learned>,
    for_groups: Spares<ForGroups>,
}

/// Where in a match its groups are: nearly all matches are short, which the first tells in half the time; it
/// remembers, in this many bytes, where it has been. Both give the same result.
struct Groups {
    short: BoundedBacktracker,
    long: pikevm::PikeVM,
}

type ForGroups = (backtrack::Cache, Option<pikevm::Cache>);

const VISITED: usize = 64 << 10;

impl Groups {
    fn of(nfa: &NFA) -> Result<Self, Box<thompson::BuildError>> {
        let config = BoundedBacktracker::config().visited_capacity(VISITED);
        let short = BoundedBacktracker::builder().configure(config).build_from_nfa(nfa.clone())?;
        Ok(Self { short, long: pikevm::Builder::new().build_from_nfa(nfa.clone())? })
    }
}

impl fmt::Debug for Automaton {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Automaton").field("weight", &self.weight).finish_non_exhaustive()
    }
}

impl Automaton {
    /// The automaton of `pattern`; `anywhere` if it is searched without marks. A byte costs `weight`.
    pub(super) fn new(pattern: &Hir, anywhere: bool, weight: usize) -> Result<Self, String> {
        let forward = lazy(compiled(pattern, false)?, MatchKind::LeftmostFirst)?;
        let backward = match anywhere {
            true => Some(lazy(compiled(pattern, true)?, MatchKind::All)?),
            false => None,
        };
        let nfa = forward.get_nfa();
        let has_secret = nfa.patterns().any(|pattern| nfa.group_info().to_index(pattern, SECRET).is_some());
        let groups = match has_secret {
            true => Some(Groups::of(nfa).map_err(|error| error.to_string())?),
            false => None,
        };
        let (learned, for_groups) = (Spares::default(), Spares::default());
        Ok(Self { forward, backward, groups, weight, learned, for_groups })
    }

    fn learning<R>(&self, work: impl FnOnce(&mut Learned) -> R) -> R {
        let create = || (self.forward.create_cache(), self.backward.as_ref().map(DFA::create_cache));
        self.learned.with(create, work)
    }

    /// The match that begins at `start` and the secret in it.
    pub(super) fn at(&self, text: &str, start: usize, fuel: &mut Fuel) -> Result<Option<Found>, Spent> {
        let input = Input::new(text).range(start..).anchored(Anchored::Yes);
        let end = self.learning(|(forward, _)| self.end(forward, &input, fuel))?;
        end.map(|end| self.secret(text, start, end, fuel)).transpose()
    }

    /// The first match at or behind `from`.
    pub(super) fn behind(&self, text: &str, from: usize, fuel: &mut Fuel) -> Result<Option<Found>, Spent> {
        let found = self.learning(|(forward, backward)| {
            let input = Input::new(text).range(from..);
            let Some(end) = self.end(forward, &input, fuel)? else { return Ok(None) };
            let input = Input::new(text).range(from..end).anchored(Anchored::Yes);
            let start = match (&self.backward, backward) {
                (Some(dfa), Some(cache)) => self.start(dfa, cache, &input, fuel)?,
                _ => from,
            };
            Ok(Some((start, end)))
        })?;
        found.map(|(start, end)| self.secret(text, start, end, fuel)).transpose()
    }

    /// Where the match of `input` ends.
    fn end(
        &self,
        cache: &mut dfa::Cache,
        input: &Input<'_>,
        fuel: &mut Fuel,
    ) -> Result<Option<usize>, Spent> {
        // An automaton without bytes that it cannot read, and with as much room as it needs, does not fail.
        let Ok(mut state) = self.forward.start_state_forward(cache, input) else { return Ok(None) };
        let (start, mut at, mut end) = (input.start(), input.start(), None);
        let affordable = start.saturating_add(fuel.left / self.weight);
        while let Some(byte) = input.haystack().get(at) {
            if at >= affordable {
                fuel.burn(fuel.left)?;
                return Err(Spent);
            }
            let Ok(next) = self.forward.next_state(cache, state, *byte) else { break };
            state = next;
            if state.is_tagged() {
                if state.is_match() {
                    end = Some(at);
                } else if state.is_dead() {
                    fuel.burn((at + 1 - start) * self.weight)?;
                    return Ok(end);
                }
            }
            at += 1;
        }
        fuel.burn((at - start) * self.weight)?;
        match self.forward.next_eoi_state(cache, state) {
            Ok(state) if state.is_match() => Ok(Some(at)),
            _ => Ok(end),
        }
    }

    /// Where the match that ends with `input` begins.
    fn start(
        &self,
        dfa: &DFA,
        cache: &mut dfa::Cache,
        input: &Input<'_>,
        fuel: &mut Fuel,
    ) -> Result<usize, Spent> {
        fuel.burn(input.get_span().len() * self.weight)?;
        let Ok(mut state) = dfa.start_state_reverse(cache, input) else { return Ok(input.start()) };
        let (mut at, mut start) = (input.end(), input.start());
        let bytes = input.haystack();
        while at > input.start() {
            at -= 1;
            let Some(Ok(next)) = bytes.get(at).map(|byte| dfa.next_state(cache, state, *byte)) else { break };
            state = next;
            if state.is_match() {
                start = at + 1;
            } else if state.is_dead() {
                return Ok(start);
            }
        }
        let last = match input.start().checked_sub(1).and_then(|before| bytes.get(before)) {
            Some(byte) => dfa.next_state(cache, state, *byte),
            None => dfa.next_eoi_state(cache, state),
        };
        Ok(if last.is_ok_and(|state| state.is_match()) { input.start() } else { start })
    }

    /// What of a match is the secret.
    fn secret(&self, text: &str, start: usize, end: usize, fuel: &mut Fuel) -> Result<Found, Spent> {
        let whole = Found { start, end };
        let Some(groups) = &self.groups else { return Ok(whole) };
        fuel.burn((end - start) * self.weight)?;
        let mut captures = groups.long.create_captures();
        let input = Input::new(text).range(start..end).anchored(Anchored::Yes);
        let create = || (groups.short.create_cache(), None);
        self.for_groups.with(create, |(short, long)| {
            if groups.short.try_captures(short, input.clone(), &mut captures).is_err() {
                let long = long.get_or_insert_with(|| groups.long.create_cache());
                groups.long.search(long, &input, &mut captures);
            }
        });
        let secret = captures.get_group_by_name(SECRET);
        Ok(secret.map_or(whole, |span| Found { start: span.start, end: span.end }))
    }
}

/// A secret in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
}

fn compiled(pattern: &Hir, backward: bool) -> Result<NFA, String> {
    let captures = if backward { thompson::WhichCaptures::None } else { thompson::WhichCaptures::All };
    let config =
        thompson::Config::new().nfa_size_limit(Some(SIZE_LIMIT)).reverse(backward).which_captures(captures);
    let built = thompson::Compiler::new().configure(config).build_from_hir(pattern);
    built.map_err(|error| match error.size_limit() {
        Some(_) => "it is too large: make the numbers in `{…}` smaller, or write `+` or `*`".to_owned(),
        None => error.to_string(),
    })
}

fn lazy(nfa: NFA, kind: MatchKind) -> Result<DFA, String> {
    // A pattern always gets the memory that it needs at least.
    let config = DFA::config().match_kind(kind).cache_capacity(LEARNED).skip_cache_capacity_check(true);
    dfa::Builder::new().configure(config).build_from_nfa(nfa).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex_automata::meta::Regex;

    use super::super::pattern;
    use super::*;

    fn automaton(text: &str) -> Automaton {
        Automaton::new(&pattern::parsed(text).unwrap(), true, 1).unwrap()
    }

    proptest! {
        /// With enough fuel, the automaton finds what the engine of the same crate finds.
        #[test]
        fn finds_what_a_regex_finds(
            pattern in prop::sample::select(vec![
                "ab*?c|a", "(?:a|b)+(?P<secret>c{1,3})b?", "a(?P<secret>[^c]{0,4}?)c", r"\bab\b", "a.*c|b", "(?m)^b+$",
                "a{2,3}b|a(?P<secret>.)c", "é+b", r"c\z",
            ]),
            text in "[abcé \n]{0,40}",
        ) {
            let (regex, automaton) = (Regex::new(pattern).unwrap(), automaton(pattern));
            let expected = |input: Input<'_>| {
                let mut captures = regex.create_captures();
                regex.search_captures(&input, &mut captures);
                let whole = captures.get_match()?;
                let span = captures.get_group_by_name(SECRET).unwrap_or(whole.span());
                Some(Found { start: span.start, end: span.end })
            };
            for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
                // What is rewritten: word boundaries are those of ASCII.
                if pattern.contains(r"\b") && !text.is_ascii() {
                    continue;
                }
                let fuel = &mut Fuel::new(1_000);
                let input = Input::new(&text).range(at..);
                prop_assert_eq!(automaton.at(&text, at, fuel), Ok(expected(input.clone().anchored(Anchored::Yes))));
                prop_assert_eq!(automaton.behind(&text, at, fuel), Ok(expected(input)));
            }
        }

        #[test]
        fn never_looks_at_more_than_it_may(text in "[abc]{0,60}", left in 0_usize..100) {
            let automaton = automaton("a[ab]*c|a(?P<secret>b)");
            for at in 0..=text.len() {
                let mut fuel = Fuel::new(left);
                let mut enough = Fuel::new(1_000);
                let found = automaton.behind(&text, at, &mut fuel);
                let expected = automaton.behind(&text, at, &mut enough);
                prop_assert_eq!(found.is_err(), enough.used() > left, "{} of {}", enough.used(), left);
                prop_assert!(found.is_err() || found == expected);
            }
        }
    }
}

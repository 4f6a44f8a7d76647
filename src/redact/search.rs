//! One text: every secret in it, and what finding them took.
//!
//! However a text is made, a rule looks at a bounded number of bytes for each of the text's: inside of what
//! it has found it does not begin again, and what goes beyond [`STEPS_PER_BYTE`] is not looked at. Such a
//! text is hostile, or the rule is careless; since nobody knows what stands in the rest, all of the rest
//! becomes a placeholder, [`super::UNEXAMINED`].

use std::ops::Range;

use super::automaton::{Found, Fuel, Spent};
use super::finding::{Finding, Told};
use super::{ALWAYS, PLACEHOLDER, Redactor, SHORT, assignment, judgement, words};

/// How often one rule may look at each byte of a text, on average.
const STEPS_PER_BYTE: usize = 32;
/// Bytes that one rule may look at besides: a short text is no matter.
const STEPS_BESIDES: usize = 16 << 10;
/// How many steps to take between two looks at the clock: a tenth of a millisecond.
const UNWATCHED: usize = 64 << 10;
/// `PGP PUBLIC KEY BLOCK` and the like.
const LONGEST_LABEL: usize = 40;
/// Keys that stand in texts to be read are shorter.
const LONGEST_BLOCK: usize = 8 << 10;
/// Names have up to 40 letters, and hashes a few.
const LONGEST_PLACEHOLDER: usize = 64;

/// How far a rule has come.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    /// What it found last: a mark in there belongs to that.
    start: usize,
    end: usize,
    /// Bytes that it has looked at.
    steps: usize,
}

/// The search of one text.
pub(super) struct Search<'r, 't> {
    redactor: &'r Redactor,
    text: &'t str,
    /// By the numbers of rules, those that have marks in the text: a few of many.
    progress: Vec<(usize, Progress)>,
    findings: Vec<Finding>,
    /// Bytes that no rule in particular has looked at.
    steps: usize,
    /// Steps since the clock was last asked.
    unwatched: usize,
    late: bool,
}

impl<'r, 't> Search<'r, 't> {
    pub(super) const fn new(redactor: &'r Redactor, text: &'t str) -> Self {
        Self {
            redactor,
            text,
            progress: Vec::new(),
            findings: Vec::new(),
            steps: 0,
            unwatched: 0,
            late: false,
        }
    }

    /// Looks for everything.
    pub(super) fn run(&mut self, random_words: bool) {
        let Self { redactor, text, .. } = *self;
        self.watch(UNWATCHED);
        if self.late {
            return;
        }
        redactor.optional.for_each_hit(text, |rule, at| self.look(rule, at));
        ALWAYS.for_each_hit(text, |rule, at| self.look(redactor.own.len() + rule, at));
        for rule in &redactor.everywhere {
            self.look_everywhere(*rule);
        }
        let mut public: Option<Vec<Range<usize>>> = None;
        words::secret_words(text, random_words, |word| {
            if word.name.is_none() {
                let blocks = public.get_or_insert_with(|| public_blocks(text));
                let at = blocks.partition_point(|block| block.end <= word.start);
                if blocks.get(at).is_some_and(|block| block.contains(&word.start)) {
                    return;
                }
            }
            let (start, end, rule) = (word.start, word.end, redactor.high_entropy());
            self.findings.push(Finding { start, end, rule, name: word.name });
        });
        // For marks, for long words, and for what is public.
        self.steps += text.len() * 3;
    }

    /// Every secret; they may overlap.
    pub(super) fn findings(mut self) -> Vec<Finding> {
        let (text, unexamined) = (self.text, self.redactor.unexamined());
        self.findings.retain(|found| {
            let secret = text.get(found.start..found.end).unwrap_or_default();
            let redacted = found.rule != unexamined && holds_placeholder(secret);
            !redacted && !judgement::is_placeholder(secret) && !is_in_placeholder(text, found.start)
        });
        self.findings
    }

    /// Bytes looked at, each as often as it was, but for a constant number for each mark and each secret.
    pub(super) fn steps(&self) -> usize {
        self.progress.iter().map(|(_, progress)| progress.steps).fold(self.steps, usize::saturating_add)
    }

    /// Whether time was up before everything was looked at.
    pub(super) const fn is_late(&self) -> bool {
        self.late
    }

    fn watch(&mut self, steps: usize) {
        self.unwatched += steps;
        if self.unwatched >= UNWATCHED && self.text.len() > SHORT {
            self.unwatched = 0;
            self.late |= self.redactor.hurry.as_ref().is_some_and(super::Hurry::is_late);
        }
    }

    /// Looks around a mark.
    fn look(&mut self, rule: usize, at: usize) {
        let Progress { start, end, steps } = self.progress_of(rule);
        if self.late || (start..end).contains(&at) {
            return;
        }
        let mut fuel = self.fuel(steps);
        let found = match self.redactor.rule(rule) {
            Some(rule) => {
                rule.around(self.text, at, &mut fuel).map(|found| Vec::from_iter(found.map(Told::of_rule)))
            }
            None => assignment::assigned(self.text, at, &mut fuel),
        };
        self.note(rule, at, found, &fuel);
    }

    fn look_everywhere(&mut self, number: usize) {
        let redactor = self.redactor;
        let Some(rule) = redactor.rule(number) else { return };
        let mut from = 0;
        while from < self.text.len() && !self.late {
            let steps = self.progress_of(number).steps;
            let mut fuel = self.fuel(steps);
            let found = rule.anywhere(self.text, from, &mut fuel);
            let next = match found {
                Ok(Some((found, _))) => self.text.ceil_char_boundary(found.end.max(from + 1)),
                Ok(None) | Err(Spent) => self.text.len(),
            };
            let secret = found.map(|found| {
                let secret = found.and_then(|(found, passes)| passes.then_some(found));
                Vec::from_iter(secret.map(Told::of_rule))
            });
            self.note(number, from, secret, &fuel);
            from = next;
        }
    }

    fn progress_of(&self, rule: usize) -> Progress {
        let place = self.progress.binary_search_by_key(&rule, |(rule, _)| *rule);
        let known = place.ok().and_then(|place| self.progress.get(place));
        known.map(|(_, progress)| *progress).unwrap_or_default()
    }

    fn progress_of_mut(&mut self, rule: usize) -> Option<&mut Progress> {
        let place = self.progress.binary_search_by_key(&rule, |(rule, _)| *rule).unwrap_or_else(|place| {
            self.progress.insert(place, (rule, Progress::default()));
            place
        });
        self.progress.get_mut(place).map(|(_, progress)| progress)
    }

    /// How much a rule may still examine after this many steps.
    fn fuel(&self, steps: usize) -> Fuel {
        let all = self.text.len().saturating_mul(STEPS_PER_BYTE).saturating_add(STEPS_BESIDES);
        Fuel::new(all.saturating_sub(steps))
    }

    fn note(&mut self, rule: usize, at: usize, found: Result<Vec<Told>, Spent>, fuel: &Fuel) {
        self.watch(fuel.used());
        let unexamined = self.redactor.unexamined();
        let rest = Told::of_rule(Found { start: at, end: self.text.len() });
        let Some(progress) = self.progress_of_mut(rule) else { return };
        progress.steps += fuel.used();
        let (all, number) = match found {
            Ok(found) => (found, rule),
            Err(Spent) => (vec![rest], unexamined),
        };
        // Between the cells of a column others stand.
        if let [Told { found: Found { start, end }, .. }] = all.as_slice() {
            (progress.start, progress.end) = (at.min(*start), *end);
        }
        self.findings.extend(all.into_iter().map(|Told { found: Found { start, end }, name }| Finding {
            start,
            end,
            rule: number,
            name,
        }));
    }
}

/// Where public keys and certificates stand: `-----BEGIN PUBLIC KEY-----`.
fn public_blocks(text: &str) -> Vec<Range<usize>> {
    const BEGIN: &str = "-----BEGIN ";
    let begins: Vec<usize> = text.match_indices(BEGIN).map(|(start, _)| start).collect();
    let ends = begins.iter().skip(1).copied().chain([text.len()]);
    let block = |(start, next): (usize, usize)| {
        let rest = text.get(start..next.min(text.floor_char_boundary(start + LONGEST_BLOCK)))?;
        let (label, _) = rest.get(BEGIN.len()..)?.split_once("-----")?;
        let is_public =
            !label.contains("PRIVATE") && (label.contains("PUBLIC") || label.contains("CERTIFICATE"));
        let end = rest.find("-----END ").filter(|_| is_public && label.len() <= LONGEST_LABEL)?;
        Some(start..start + end)
    };
    begins.iter().copied().zip(ends).filter_map(block).collect()
}

/// Whether redaction has been here: what it left of a secret's quotation marks is none.
fn holds_placeholder(secret: &str) -> bool {
    secret.find(PLACEHOLDER).is_some_and(|start| {
        let rest =
            secret.get(start..secret.floor_char_boundary(start + LONGEST_PLACEHOLDER)).unwrap_or_default();
        rest.contains(']')
    })
}

/// Whether `at` is inside of what redaction put in a secret's place: some rules' names are names that
/// are given secrets.
fn is_in_placeholder(text: &str, at: usize) -> bool {
    let from = text.floor_char_boundary(at.saturating_sub(LONGEST_PLACEHOLDER));
    let before = text.get(from..at).unwrap_or_default();
    before.rfind(PLACEHOLDER).is_some_and(|start| before.get(start..).is_some_and(|name| !name.contains(']')))
}

/// What overlaps becomes one finding, under the name of the rule that comes first: a known beginning before
/// all others, and before that what nobody knows.
pub(super) fn merge(mut findings: Vec<Finding>, unexamined: usize) -> Vec<Finding> {
    let rank = |found: &Finding| (found.rule != unexamined, found.name.is_none(), found.rule);
    findings.sort_unstable_by_key(|found| (found.start, rank(found)));
    let mut merged: Vec<Finding> = Vec::with_capacity(findings.len());
    for found in findings {
        match merged.last_mut().filter(|last| found.start < last.end) {
            Some(last) => {
                last.end = last.end.max(found.end);
                if rank(&found) < rank(last) {
                    (last.rule, last.name) = (found.rule, found.name);
                }
            }
            None => merged.push(found),
        }
    }
    merged
}

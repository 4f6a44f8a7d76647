//! What older sessions showed, if mining sees only a window of the newest.
//!
//! Sessions older than the window are mined in blocks, each by itself ([`Older::of`]); [`Older::followed_by`] joins blocks.
//! A block keeps what its sessions prove, not what they did: claims with their counts and some of the sessions behind them,
//! procedures and rules, how many people there are, what was fetched from elsewhere. When mining reads the window
//! ([`super::super::Config::older`]):
//!
//! - A claim of both has the counts of both. The newest sessions decide whether it stands; if they are too few to decide,
//!   those before them do.
//! - A claim that only older sessions show stays as they proved it. It can contradict other claims like any other.
//! - A procedure stays if the window shows none of its steps, and a rule if nobody mentions it in the window.
//! - People and fetched files of older sessions stay known.
//!
//! The result depends on the sessions alone, not on the order in which they came. A claim that neither the window nor a block
//! proves by itself is not found.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::claim::guard::Known;
use super::super::claim::shortfall::Shortfall;
use super::super::claim::{Claim, Evidence, SupportedClaim};
use super::super::significance::Counts;
use super::draft::{Held, Unworded};

/// So many of the sessions for a claim, against it and without its action are named: half of them the oldest, half
/// the newest.
const MOST_NAMED: usize = 256;

/// What sessions showed that are not mined any more.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Older {
    /// How many there are.
    pub(super) sessions: usize,
    pub(super) people: BTreeSet<String>,
    pub(super) fetched: BTreeSet<String>,
    pub(super) tools: BTreeSet<String>,
    /// The last date that a session loaded each skill.
    pub(super) uses: BTreeMap<String, String>,
    pub(super) claims: Vec<Remembered>,
    /// Procedures and rules.
    pub(super) skills: Vec<Unworded>,
}

/// A claim, and what it lacks even if enough people had shown it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Remembered {
    pub(super) claim: SupportedClaim,
    pub(super) lacks: Vec<Shortfall>,
}

impl Older {
    /// The same with what newer ones showed.
    #[must_use]
    pub fn followed_by(self, newer: Self) -> Self {
        let mut uses = self.uses;
        newer.uses.iter().for_each(|(skill, date)| last(&mut uses, skill, date));
        let skills = still_told(&self.skills, &newer.skills).into_iter().cloned().collect::<Vec<_>>();
        Self {
            sessions: self.sessions + newer.sessions,
            people: self.people.into_iter().chain(newer.people).collect(),
            fetched: self.fetched.into_iter().chain(newer.fetched).collect(),
            tools: self.tools.into_iter().chain(newer.tools).collect(),
            uses,
            claims: joined(newer.claims, &self.claims).into_iter().map(Remembered::with_few_named).collect(),
            skills: newer.skills.into_iter().chain(skills).collect(),
        }
    }

    /// How many sessions they were.
    pub const fn sessions(&self) -> usize {
        self.sessions
    }

    /// The last date that one of them loaded each skill, by the skill's name.
    pub const fn uses(&self) -> &BTreeMap<String, String> {
        &self.uses
    }

    /// The known people, by what people are counted by.
    pub(in crate::skillify) fn people(&self) -> impl Iterator<Item = &str> {
        self.people.iter().map(String::as_str)
    }

    /// Tells the guard what it must know.
    pub(in crate::skillify) fn tell(&self, known: &mut Known) {
        known.fetched.extend(&self.fetched);
        known.tools.extend(self.tools.iter().cloned());
    }
}

pub(super) fn last(uses: &mut BTreeMap<String, String>, skill: &str, date: &str) {
    let known = uses.entry(skill.to_owned()).or_default();
    if *date > **known {
        date.clone_into(known);
    }
}

impl Remembered {
    /// A claim with its shortfalls. Its authors and its need for agreement are judged again.
    pub(super) fn of((claim, mut lacks): Held) -> Self {
        lacks.retain(|lack| {
            !matches!(lack, Shortfall::People { .. } | Shortfall::Review(_) | Shortfall::Guarded(_))
        });
        Self { claim, lacks }
    }

    pub(super) fn with_few_named(mut self) -> Self {
        name_few(&mut self.claim);
        self
    }

    /// Whether so few show it that those before them decide.
    pub(super) fn is_few(&self) -> bool {
        let few = |lack: &Shortfall| matches!(lack, Shortfall::Sessions { .. } | Shortfall::Chance);
        !self.lacks.is_empty() && self.lacks.iter().all(few)
    }

    /// The same with the counts of older sessions added.
    pub(super) fn after(self, older: &Self) -> Self {
        let older_decide = self.is_few() && older.lacks.is_empty();
        let (lacks, p_value) =
            if older_decide { (Vec::new(), older.claim.p_value) } else { (self.lacks, self.claim.p_value) };
        let SupportedClaim { claim, mut failures, counts, support, against, place, untreated, .. } =
            self.claim;
        let more = older.claim.failures.iter().filter(|failure| !failures.contains(failure));
        let more: Vec<String> = more.cloned().collect();
        failures.extend(more);
        let claim = SupportedClaim {
            claim,
            failures,
            counts: sum(&older.claim.counts, &counts),
            p_value,
            support: of_both(&older.claim.support, support),
            against: of_both(&older.claim.against, against),
            place,
            untreated: of_both(&older.claim.untreated, untreated),
        };
        Self { claim, lacks }
    }
}

/// The newer claims in their order with the counts of older sessions, then claims that only older sessions show.
pub(super) fn joined(newer: Vec<Remembered>, older: &[Remembered]) -> Vec<Remembered> {
    let mut left: BTreeMap<&Claim, &Remembered> = older.iter().map(|one| (&one.claim.claim, one)).collect();
    let mut claims: Vec<Remembered> = Vec::with_capacity(newer.len());
    for one in newer {
        claims.push(match left.remove(&one.claim.claim) {
            Some(older) => one.after(older),
            None => one,
        });
    }
    claims.extend(left.into_values().cloned());
    claims
}

/// The older procedures and rules of which the newer ones say nothing.
pub(super) fn still_told<'o>(older: &'o [Unworded], newer: &[Unworded]) -> Vec<&'o Unworded> {
    let said: BTreeSet<&Claim> =
        newer.iter().flat_map(|skill| &skill.material.claims).map(|claim| &claim.claim).collect();
    let is_new = |skill: &&Unworded| skill.material.claims.iter().all(|claim| !said.contains(&claim.claim));
    older.iter().filter(is_new).collect()
}

fn sum(one: &Counts, other: &Counts) -> Counts {
    Counts {
        treated_with: one.treated_with.saturating_add(other.treated_with),
        treated_without: one.treated_without.saturating_add(other.treated_without),
        untreated_with: one.untreated_with.saturating_add(other.untreated_with),
        untreated_without: one.untreated_without.saturating_add(other.untreated_without),
    }
}

/// Evidence of both, oldest first.
fn of_both(older: &[Evidence], newer: Vec<Evidence>) -> Vec<Evidence> {
    let mut both: Vec<Evidence> = older.iter().cloned().chain(newer).collect();
    both.sort();
    both.dedup();
    both
}

pub(super) fn name_few(claim: &mut SupportedClaim) {
    for evidence in [&mut claim.support, &mut claim.against, &mut claim.untreated] {
        if evidence.len() > MOST_NAMED {
            evidence.sort();
            evidence.drain(MOST_NAMED / 2..evidence.len() - MOST_NAMED / 2);
        }
    }
}

pub(super) fn people<'e>(evidence: impl Iterator<Item = &'e Evidence>) -> usize {
    let people = evidence.map(|evidence| evidence.person.as_str()).filter(|person| !person.is_empty());
    people.collect::<BTreeSet<_>>().len()
}

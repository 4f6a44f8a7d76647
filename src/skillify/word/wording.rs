//! Skills as mined: their texts, and everything that a candidate is judged by.

use std::collections::BTreeSet;

use super::super::adherence::Recently;
use super::super::claim::scope::Scope;
use super::super::claim::shortfall::Shortfall;
use super::super::claim::{Claim, Evidence, SupportedClaim};

/// One sentence of a skill with the claims that it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The sentence.
    pub text: String,
    /// Indices into [`Candidate::claims`], at least one.
    pub claims: Vec<usize>,
}

/// The text of a skill.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wording {
    /// 1 to 64 of `a-z`, `0-9`, `-`.
    pub name: String,
    /// The heading.
    pub title: String,
    /// What it does and when to use it; at most 1024 characters.
    pub description: String,
    /// Situations to use it in.
    pub when_to_use: Vec<String>,
    /// What to know and do, in any order.
    pub lessons: Vec<Line>,
    /// What to do, in order.
    pub steps: Vec<Line>,
    /// What to do when a step fails.
    pub if_it_fails: Vec<Line>,
    /// What not to do.
    pub avoid: Vec<Line>,
}

impl Wording {
    /// Every line, in the order of reading.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lessons.iter().chain(&self.steps).chain(&self.if_it_fails).chain(&self.avoid)
    }
}

/// A skill as mined, published or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The workspace it was mined from.
    pub workspace: String,
    /// For whom it is.
    pub scope: Scope,
    /// Its text.
    pub wording: Wording,
    /// What it says, with the evidence; the main claim first.
    pub claims: Vec<SupportedClaim>,
    /// Claims that were proposed and left out, each with the reason.
    pub dropped: Vec<String>,
    /// The counts of each claim in the newer half of the sessions, where it has any.
    pub recently: Vec<(Claim, Recently)>,
    /// What it is expected to save: thousandths of a call for each session.
    pub rank: u32,
    /// The skill that people wrote and that it belongs to, by its folder's name; `None`: that is not known.
    pub page: Option<String>,
    /// Why it is not published; empty if it is.
    pub shortfalls: Vec<Shortfall>,
}

impl Candidate {
    /// Whether it may be published.
    pub fn is_published(&self) -> bool {
        self.shortfalls.is_empty()
    }

    /// Whether it may be published once a person agrees to what it may do.
    pub fn is_proposed(&self) -> bool {
        !self.shortfalls.is_empty() && self.shortfalls.iter().all(Shortfall::asks_a_person)
    }

    /// For a target of the person whose it is: that no second one shows it is no lack there. Steps that one person
    /// takes are a habit, and rules that one person states are a matter of their own.
    #[must_use]
    pub fn for_its_person(mut self) -> Self {
        let is_counted =
            |claim: &Claim| !claim.is_step() && !matches!(claim, Claim::Rule { .. } | Claim::Lesson { .. });
        if matches!(self.scope, Scope::Person(_)) && self.claims.iter().all(|own| is_counted(&own.claim)) {
            self.shortfalls.retain(|shortfall| !matches!(shortfall, Shortfall::People { .. }));
        }
        self
    }

    /// The supporting segments of all claims, each once, oldest first.
    pub fn evidence(&self) -> Vec<&Evidence> {
        let mut seen = BTreeSet::new();
        let mut all: Vec<&Evidence> = self.claims.iter().flat_map(|claim| &claim.support).collect();
        all.sort();
        all.retain(|evidence| seen.insert(&evidence.segment));
        all
    }

    /// The accepted sessions behind it.
    pub fn sessions(&self) -> BTreeSet<(&str, &str)> {
        self.claims.iter().flat_map(SupportedClaim::sessions).collect()
    }

    /// The known people behind it.
    pub fn people(&self) -> BTreeSet<&str> {
        let support = self.claims.iter().flat_map(|claim| &claim.support);
        support.map(|evidence| evidence.person.as_str()).filter(|person| !person.is_empty()).collect()
    }

    /// Why it is published or not, a line each.
    pub fn explain(&self) -> Vec<String> {
        let verdict = match () {
            () if self.is_published() => "published",
            () if self.is_proposed() => "waits for a person",
            () => "not published",
        };
        let mut lines = vec![format!("{}: {verdict}, worth {}", self.wording.name, self.rank)];
        lines.extend(self.shortfalls.iter().map(|shortfall| format!("  because {shortfall}")));
        for claim in &self.claims {
            lines.push(format!("  claim: {} ({})", claim.claim, claim.counted()));
            for evidence in claim.support.iter().chain(&claim.against) {
                let Evidence { session, assistant, outcome, .. } = evidence;
                let (date, events) = (evidence.started_at.date(), evidence.events.join(" "));
                lines.push(format!("    {date} {session} {assistant} {} events {events}", outcome.as_str()));
            }
        }
        lines.extend(self.dropped.iter().map(|reason| format!("  left out: {reason}")));
        lines
    }
}

/// Whether every line cites claims, and every command in the text belongs to a claim.
pub(in crate::skillify) fn says_only_its_claims(wording: &Wording, claims: &[SupportedClaim]) -> bool {
    let codes: Vec<String> = claims.iter().flat_map(|claim| claim.claim.codes()).collect();
    let lines = || wording.lines();
    let cites =
        |line: &Line| !line.claims.is_empty() && line.claims.iter().all(|claim| *claim < claims.len());
    lines().all(cites)
        && texts(wording).all(|text| {
            text.matches('`').count() % 2 == 0
                && text.split('`').skip(1).step_by(2).all(|code| codes.iter().any(|known| known == code))
        })
}

/// Every text of a wording.
pub(in crate::skillify) fn texts(wording: &Wording) -> impl Iterator<Item = &str> {
    let lines = wording.lines();
    [&wording.name, &wording.title, &wording.description]
        .into_iter()
        .chain(&wording.when_to_use)
        .chain(lines.map(|line| &line.text))
        .map(String::as_str)
}

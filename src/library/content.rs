//! What a skill says, as it is remembered: claims with their evidence, and the sentences made of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::digest::sha256;
use crate::event::person::{self, Told};
use crate::skillify::{
    Candidate, Claim, Counts, Evidence, Line, Recently, Scope, SupportedClaim, short_hash,
};

/// What a skill says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Content {
    pub(super) description: String,
    /// `workspace`, `project` or `person`.
    #[serde(default = "workspace_scope")]
    pub(super) scope: String,
    /// The repository, where the scope is `project`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) project: String,
    /// The main claim first.
    pub(super) claims: Vec<ClaimRecord>,
    /// Absent where format 1 wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Body>,
}

/// The sections of a SKILL.md.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Body {
    pub(super) title: String,
    pub(super) when_to_use: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) lessons: Vec<Sentence>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) steps: Vec<Sentence>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) if_it_fails: Vec<Sentence>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) avoid: Vec<Sentence>,
}

/// A sentence with the claims that it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sentence {
    pub(super) text: String,
    pub(super) claims: BTreeSet<Claim>,
}

/// A published claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ClaimRecord {
    pub(super) claim: Claim,
    /// How the failures that it speaks of look, the most frequent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) failures: Vec<String>,
    /// What was counted when the skill was last written; nothing where format 4 or older wrote it.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub(super) counts: Counts,
    /// What the newer half of the sessions showed when the skill was last written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) recently: Option<Recently>,
    pub(super) evidence: BTreeSet<EvidenceRecord>,
}

/// A segment behind a claim, outliving the segment's events.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct EvidenceRecord {
    pub(super) date: String,
    /// First 12 hex digits of SHA-256 over `<tenant>/<session id>`.
    pub(super) session: String,
    pub(super) segment: String,
    /// Hash of the person, `""` if unknown.
    pub(super) person: String,
    /// What identifies the person; absent in state of older versions, and where nobody is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) told: Option<ToldBy>,
    pub(super) assistant: String,
    pub(super) outcome: String,
}

/// What tells a person from others, as the state keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ToldBy {
    Credential,
    Email,
    Name,
    Account,
}

impl ToldBy {
    fn of(person: &str, by_credential: bool) -> Option<Self> {
        if by_credential {
            return Some(Self::Credential);
        }
        (!person.is_empty()).then(|| match person::told_by(person) {
            Told::Email => Self::Email,
            Told::Name => Self::Name,
            Told::Account => Self::Account,
        })
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Email => "e-mail address",
            Self::Name => "login or asserted name",
            Self::Account => "account id",
        }
    }
}

fn is_nothing(counts: &Counts) -> bool {
    *counts == Counts::default()
}

fn workspace_scope() -> String {
    "workspace".to_owned()
}

impl Content {
    /// What the candidate says, with the evidence that `known` remembers of the same claims.
    pub(super) fn of(candidate: &Candidate, known: Option<&Self>) -> Self {
        let remembered = |claim: &Claim| known.and_then(|known| known.claim(claim));
        let recently = |claim: &Claim| {
            let mut known = candidate.recently.iter().filter(|(own, _)| own == claim);
            known.next().map(|(_, recently)| recently.clone())
        };
        let record =
            |claim: &SupportedClaim| ClaimRecord::of(claim, recently(&claim.claim), remembered(&claim.claim));
        let records = candidate.claims.iter().map(record);
        Self {
            description: candidate.wording.description.clone(),
            scope: candidate.scope.as_str().to_owned(),
            project: match &candidate.scope {
                Scope::Project(project) => project.clone(),
                _ => String::new(),
            },
            claims: records.collect(),
            body: Some(Body::of(candidate)),
        }
    }

    /// This content with more claims: title, description and present sentences stay, what says one of
    /// the new claims and none that is unwanted is added behind them.
    pub(super) fn extended(&self, candidate: &Candidate, wanted: &BTreeSet<Claim>) -> Self {
        let mut next = self.clone();
        let theirs = Self::of(candidate, Some(self));
        for record in theirs.claims {
            match next.claims.iter_mut().find(|known| known.claim == record.claim) {
                Some(known) => *known = record,
                None if wanted.contains(&record.claim) => next.claims.push(record),
                None => {}
            }
        }
        let said: BTreeSet<Claim> = next.claims.iter().map(|record| record.claim.clone()).collect();
        if let (Some(body), Some(their_body)) = (&mut next.body, theirs.body) {
            for (own, theirs) in [
                (&mut body.lessons, their_body.lessons),
                (&mut body.steps, their_body.steps),
                (&mut body.if_it_fails, their_body.if_it_fails),
                (&mut body.avoid, their_body.avoid),
            ] {
                let is_new = |sentence: &Sentence| {
                    sentence.claims.is_subset(&said) && !sentence.claims.is_disjoint(wanted)
                };
                let known: BTreeSet<String> = own.iter().map(|sentence| sentence.text.clone()).collect();
                own.extend(
                    theirs.into_iter().filter(is_new).filter(|sentence| !known.contains(&sentence.text)),
                );
            }
        }
        next
    }

    /// This content without some claims and the sentences that say nothing else.
    pub(super) fn without(&self, claims: &BTreeSet<Claim>) -> Self {
        let mut next = self.clone();
        next.claims.retain(|record| !claims.contains(&record.claim));
        if let Some(body) = &mut next.body {
            for sentences in [&mut body.lessons, &mut body.steps, &mut body.if_it_fails, &mut body.avoid] {
                sentences.retain(|sentence| sentence.claims.is_empty() || !sentence.claims.is_subset(claims));
            }
        }
        next
    }

    pub(super) fn claim(&self, claim: &Claim) -> Option<&ClaimRecord> {
        self.claims.iter().find(|record| record.claim == *claim)
    }

    pub(super) fn says(&self, claim: &Claim) -> bool {
        self.claim(claim).is_some()
    }

    pub(super) fn claim_set(&self) -> BTreeSet<Claim> {
        self.claims.iter().map(|record| record.claim.clone()).collect()
    }

    /// Its claims as they print.
    pub(super) fn claim_lines(&self) -> BTreeSet<String> {
        self.claims.iter().map(|record| record.claim.to_string()).collect()
    }

    /// The sessions behind it, as hashes.
    pub(super) fn sessions(&self) -> usize {
        self.evidence().map(|record| record.session.as_str()).collect::<BTreeSet<_>>().len()
    }

    /// The known people behind it.
    pub(super) fn people(&self) -> usize {
        let people = self.evidence().map(|record| record.person.as_str()).filter(|person| !person.is_empty());
        people.collect::<BTreeSet<_>>().len()
    }

    /// How many people are identified by what; `None` stands for state of an older version.
    pub(super) fn people_by(&self) -> BTreeMap<Option<ToldBy>, usize> {
        let known = self.evidence().filter(|record| !record.person.is_empty());
        // Of a person that an older version stored as well, the record that says more counts.
        let by_person: BTreeMap<&str, Option<ToldBy>> = known.fold(BTreeMap::new(), |mut people, record| {
            let told = people.entry(record.person.as_str()).or_insert(record.told);
            // A credential before what a client says.
            *told = (*told).into_iter().chain(record.told).min();
            people
        });
        by_person.into_values().fold(BTreeMap::new(), |mut counts, told| {
            *counts.entry(told).or_default() += 1;
            counts
        })
    }

    pub(super) fn segments(&self) -> BTreeSet<&str> {
        self.evidence().map(|record| record.segment.as_str()).collect()
    }

    /// The date of its oldest evidence.
    pub(super) fn oldest(&self) -> &str {
        self.evidence().map(|record| record.date.as_str()).min().unwrap_or_default()
    }

    /// Whether the session of that hash is evidence for it.
    pub(super) fn rests_on(&self, session: &str) -> bool {
        self.evidence().any(|evidence| evidence.session == session)
    }

    /// Its sentences, in the order of reading.
    pub(super) fn sentences(&self) -> impl Iterator<Item = &Sentence> {
        let sections =
            self.body.iter().flat_map(|body| [&body.lessons, &body.steps, &body.if_it_fails, &body.avoid]);
        sections.flatten()
    }

    pub(super) fn evidence(&self) -> impl Iterator<Item = &EvidenceRecord> {
        self.claims.iter().flat_map(|record| &record.evidence)
    }
}

impl Body {
    fn of(candidate: &Candidate) -> Self {
        let wording = &candidate.wording;
        let claim = |index: &usize| candidate.claims.get(*index).map(|claim| claim.claim.clone());
        let sentences = |lines: &[Line]| -> Vec<Sentence> {
            lines
                .iter()
                .map(|line| Sentence {
                    text: line.text.clone(),
                    claims: line.claims.iter().filter_map(claim).collect(),
                })
                .collect()
        };
        Self {
            title: wording.title.clone(),
            when_to_use: wording.when_to_use.clone(),
            lessons: sentences(&wording.lessons),
            steps: sentences(&wording.steps),
            if_it_fails: sentences(&wording.if_it_fails),
            avoid: sentences(&wording.avoid),
        }
    }
}

impl ClaimRecord {
    /// The claim with its evidence and its remembered evidence.
    pub(super) fn of(claim: &SupportedClaim, recently: Option<Recently>, remembered: Option<&Self>) -> Self {
        let mut evidence: BTreeSet<EvidenceRecord> = claim.support.iter().map(EvidenceRecord::of).collect();
        let known: BTreeSet<String> = evidence.iter().map(|record| record.segment.clone()).collect();
        let old = remembered.into_iter().flat_map(|record| &record.evidence);
        evidence.extend(old.filter(|record| !known.contains(&record.segment)).cloned());
        let counts = if is_nothing(&claim.counts) {
            remembered.map(|record| record.counts).unwrap_or_default()
        } else {
            claim.counts
        };
        let recently = recently.or_else(|| remembered.and_then(|record| record.recently.clone()));
        Self { claim: claim.claim.clone(), failures: claim.failures.clone(), counts, recently, evidence }
    }

    /// The claim without the events behind it: what a text can be made of.
    pub(super) fn recalled(&self) -> SupportedClaim {
        SupportedClaim {
            claim: self.claim.clone(),
            failures: self.failures.clone(),
            counts: self.counts,
            p_value: 0.0,
            support: Vec::new(),
            against: Vec::new(),
            place: 0,
            untreated: Vec::new(),
        }
    }

    /// Whether it was counted; a library of format 4 or older did not.
    pub(super) fn is_counted(&self) -> bool {
        !is_nothing(&self.counts)
    }

    /// The date of its newest evidence.
    pub(super) fn newest(&self) -> &str {
        self.evidence.iter().map(|record| record.date.as_str()).max().unwrap_or_default()
    }
}

impl EvidenceRecord {
    fn of(evidence: &Evidence) -> Self {
        let person = &evidence.person;
        Self {
            date: evidence.started_at.date(),
            session: session_hash(&evidence.tenant, &evidence.session),
            segment: evidence.segment.clone(),
            person: if person.is_empty() {
                String::new()
            } else {
                short_hash(&[&evidence.tenant, person], 6)
            },
            told: ToldBy::of(person, evidence.by_credential),
            assistant: evidence.assistant.clone(),
            outcome: evidence.outcome.as_str().to_owned(),
        }
    }
}

impl EvidenceRecord {
    /// The session, as [`session_number`] says it.
    pub(super) fn session_number(&self) -> u64 {
        u64::from_str_radix(&self.session, 16).unwrap_or_default()
    }
}

/// How published files name a session: the first 12 hex digits of SHA-256 over `<tenant>/<session id>`.
pub fn session_hash(tenant: &str, session: &str) -> String {
    sha256(format!("{tenant}/{session}").as_bytes()).chars().take(12).collect()
}

/// [`session_hash`] as a number.
pub fn session_number(tenant: &str, session: &str) -> u64 {
    u64::from_str_radix(&session_hash(tenant, session), 16).unwrap_or_default()
}

/// The [`session_hash`] that a number stands for.
pub(super) fn hash_of_number(number: u64) -> String {
    format!("{number:012x}")
}

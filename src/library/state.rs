//! State: what is remembered beside the tree. One JSON document with a format number.
//!
//! Sessions and people stand in it as short hashes only: it may end up in history that cannot be
//! erased.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::skillify::{Evidence, SupportedClaim, short_hash};

/// The format that this version writes; it reads this one and all before it.
pub const FORMAT: u32 = 1;

/// The state could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A later version wrote it.
    #[error(
        "the library's state has format {found}, this version reads up to {FORMAT}: use a newer skillspan"
    )]
    Newer {
        /// Its format.
        found: u32,
    },
    /// It is no state.
    #[error("the library's state cannot be read: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// The state's documents as an exporter found them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// The state that was reached.
    pub current: Option<String>,
    /// The state that an apply was on its way to; left behind only by an interrupt.
    pub next: Option<String>,
}

/// What is remembered of a library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) format: u32,
    /// How often the library was published.
    pub(super) release: u64,
    /// SHA-256 of each generated file, line ends normalised.
    pub(super) files: BTreeMap<String, String>,
    /// By `skillspan-id`.
    pub(super) skills: BTreeMap<String, Skill>,
}

/// What is remembered of a skill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Skill {
    pub(super) name: String,
    pub(super) workspace: String,
    pub(super) version: u64,
    pub(super) description: String,
    /// A person deleted it: it never comes back.
    pub(super) refused: bool,
    pub(super) claims: Vec<ClaimRecord>,
    /// What would have changed, had a person not edited the skill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) proposal: Option<Proposal>,
}

/// A published claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ClaimRecord {
    pub(super) claim: String,
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
    pub(super) assistant: String,
    pub(super) outcome: String,
}

/// A change that was not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Proposal {
    pub(super) claims: Vec<String>,
    pub(super) text: String,
}

impl Default for State {
    fn default() -> Self {
        Self { format: FORMAT, release: 0, files: BTreeMap::new(), skills: BTreeMap::new() }
    }
}

impl State {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        // The number is read first: a newer format need not have the fields of this one.
        let Format { format: found } = serde_json::from_str(text)?;
        if found > FORMAT {
            return Err(Error::Newer { found });
        }
        Ok(serde_json::from_str(text)?)
    }

    pub(super) fn render(&self) -> String {
        // Strings, numbers and maps by strings: nothing that serde_json could refuse.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

impl Skill {
    /// The sessions behind it, as hashes.
    pub(super) fn sessions(&self) -> usize {
        self.evidence().map(|record| record.session.as_str()).collect::<BTreeSet<_>>().len()
    }

    /// The known people behind it.
    pub(super) fn people(&self) -> usize {
        let people = self.evidence().map(|record| record.person.as_str()).filter(|person| !person.is_empty());
        people.collect::<BTreeSet<_>>().len()
    }

    pub(super) fn segments(&self) -> BTreeSet<&str> {
        self.evidence().map(|record| record.segment.as_str()).collect()
    }

    pub(super) fn says(&self, claim: &str) -> bool {
        self.claims.iter().any(|record| record.claim == claim)
    }

    fn evidence(&self) -> impl Iterator<Item = &EvidenceRecord> {
        self.claims.iter().flat_map(|record| &record.evidence)
    }
}

impl ClaimRecord {
    /// The claim with its evidence and what was remembered of it.
    pub(super) fn of(claim: &SupportedClaim, remembered: Option<&Self>) -> Self {
        let mut evidence: BTreeSet<EvidenceRecord> = claim.support.iter().map(EvidenceRecord::of).collect();
        let known: BTreeSet<String> = evidence.iter().map(|record| record.segment.clone()).collect();
        let old = remembered.into_iter().flat_map(|record| &record.evidence);
        evidence.extend(old.filter(|record| !known.contains(&record.segment)).cloned());
        Self { claim: claim.claim.to_string(), evidence }
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
            assistant: evidence.assistant.clone(),
            outcome: evidence.outcome.as_str().to_owned(),
        }
    }
}

/// How published files name a session.
pub(super) fn session_hash(tenant: &str, session: &str) -> String {
    hex(format!("{tenant}/{session}").as_bytes()).chars().take(12).collect()
}

/// SHA-256 of a file's content, whatever its line ends.
pub(super) fn digest(content: &str) -> String {
    hex(content.replace("\r\n", "\n").as_bytes())
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

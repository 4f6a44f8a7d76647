//! State: what is remembered beside the tree. One JSON document with a format number.
//!
//! It names sessions and people only by short hashes, because it may end up in a history that cannot be erased.
//!
//! | format | adds |
//! |---|---|
//! | 1 | skills, their claims and evidence, digests of generated files |
//! | 2 | earlier versions, withdrawn claims, retirement, history, proposals for hand-written skills |
//! | 3 | a model's answers, what they cost today, skills that it takes for one |
//! | 4 | claims withdrawn because their command fails, when a skill was last seen |
//! | 5 | claims as such, not as lines; what was counted of each; see [`super::migration`] |
//! | 6 | whose the library is; see [`super::tenants`] |

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize};

use super::content::Content;
use super::effect::Effect;
use super::history::{Deed, Event};
use super::migration;
use crate::library::guide::remembered::Guide;
use crate::skillify::Claim;
use crate::skillify::llm::Spent;

/// The format that this version writes; it reads this one and all before it.
pub const FORMAT: u32 = 6;

/// How many earlier versions of a file or a skill are remembered.
const REMEMBERED_VERSIONS: usize = 5;

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
    /// A hash of the tenant, `""` where format 5 or an older one wrote it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) tenant: String,
    /// How often the library was published.
    pub(super) release: u64,
    /// Digests of each generated file.
    pub(super) files: BTreeMap<String, Digests>,
    /// By `skillspan-id`.
    pub(super) skills: BTreeMap<String, Skill>,
    /// Proposals for skills that people wrote, by folder name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) hand_written: BTreeMap<String, Deepening>,
    /// Skills that wait for a person, by the `skillspan-id` that they would have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) waiting: BTreeMap<String, Waiting>,
    /// A model's answers by workspace and question, see [`super::Learned`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) answers: BTreeMap<String, BTreeMap<String, String>>,
    /// What the model cost on the last day that it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) spent: Option<Spending>,
    /// The block of facts in a repository's AGENTS.md.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) guide: Option<Guide>,
    /// The last turns of several workers, see [`super::turns`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) turns: BTreeMap<String, u64>,
}

/// SHA-256 of the latest generated contents of a file, line ends normalised, newest last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Digests(Vec<String>);

/// What is remembered of a skill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Skill {
    pub(super) name: String,
    pub(super) workspace: String,
    pub(super) version: u64,
    /// A person deleted it: it never comes back.
    pub(super) refused: bool,
    #[serde(flatten)]
    pub(super) content: Content,
    /// Claims that it no longer makes, or was not allowed to make.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) withdrawn: Vec<Withdrawal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) retirement: Option<Retirement>,
    /// A person undid its retirement.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) kept: bool,
    /// A person agreed to what it may do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) agreed: bool,
    /// Why it waited for a person, who refused it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) review: Vec<String>,
    /// When sessions did its work or loaded it; not every run notes that, and the sessions of the
    /// evidence may be newer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) last_seen: String,
    /// As it was when the skill was last written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) effect: Option<Effect>,
    /// What would have changed, had a person not edited the skill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) proposal: Option<Proposal>,
    /// Another skill that a model takes it for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) same_as: Option<SameAs>,
    /// Earlier versions, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) past: Vec<Past>,
    /// What persons made of proposals, oldest first, as far as a diff takes it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) decided: Vec<Decided>,
    /// Its history, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) history: Vec<Event>,
}

/// A proposal that a person refused or edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Decided {
    pub(super) as_of: String,
    /// The version that stood, or was written.
    pub(super) version: u64,
    /// What the skill would have said, if that was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<Content>,
    /// The person's SKILL.md, if it was edited.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) edited: String,
}

/// Why a claim is not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Withdrawal {
    pub(super) claim: Claim,
    pub(super) reason: Reason,
    /// What date the evidence had then.
    pub(super) as_of: String,
}

/// See [`Withdrawal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Reason {
    /// Newer sessions speak against it.
    Contradicted,
    /// The command that it asks for fails in newer sessions.
    Failing,
    /// A person rejected it.
    Rejected,
    /// Another skill makes it.
    Moved,
    /// Sessions that met its situation do not show it: an older version made it, or it was made before all records of
    /// its sessions had arrived.
    Unproven,
}

impl Reason {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Contradicted => "newer sessions speak against it",
            Self::Failing => "its command fails in newer sessions",
            Self::Rejected => "rejected by a person",
            Self::Moved => "said by another skill",
            Self::Unproven => "sessions that met its situation do not show it",
        }
    }
}

/// A skill on its way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Retirement {
    /// A clause: "newer sessions speak against it".
    pub(super) reason: String,
    /// When it was announced.
    pub(super) as_of: String,
    /// The folder is gone.
    pub(super) gone: bool,
}

/// An earlier version of a skill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Past {
    pub(super) version: u64,
    /// Of its SKILL.md.
    pub(super) digest: String,
    pub(super) content: Content,
}

/// A change that was not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Proposal {
    pub(super) claims: Vec<Claim>,
    pub(super) text: String,
    /// What the skill would say; absent where format 1 wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<Content>,
}

/// What sessions could add to a skill that a person wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Deepening {
    /// Of the person's text that it was made for.
    pub(super) base: String,
    pub(super) claims: BTreeSet<Claim>,
    /// The whole text as it would be.
    pub(super) text: String,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) rejected: BTreeSet<Claim>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            format: FORMAT,
            tenant: String::new(),
            release: 0,
            files: BTreeMap::new(),
            skills: BTreeMap::new(),
            hand_written: BTreeMap::new(),
            waiting: BTreeMap::new(),
            answers: BTreeMap::new(),
            spent: None,
            guide: None,
            turns: BTreeMap::new(),
        }
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
        if found <= migration::LINES {
            return Ok(serde_json::from_value(migration::with_claims(serde_json::from_str(text)?))?);
        }
        Ok(serde_json::from_str(text)?)
    }

    pub(super) fn render(&self) -> String {
        let state = Self { format: FORMAT, ..self.clone() };
        // Strings, numbers and maps by strings: nothing that serde_json could refuse.
        let mut text = serde_json::to_string_pretty(&state).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Whether this text of the file was generated, now or before.
    pub(super) fn generated(&self, path: &str, digest: &str) -> bool {
        self.files.get(path).is_some_and(|known| known.0.iter().any(|known| known == digest))
    }

    /// Remembers a generated text as the file's newest.
    pub(super) fn remember(&mut self, path: &str, digest: String) {
        let Digests(known) = self.files.entry(path.to_owned()).or_default();
        known.retain(|known| *known != digest);
        known.push(digest);
        known.drain(..known.len().saturating_sub(REMEMBERED_VERSIONS));
    }
}

impl<'de> Deserialize<'de> for Digests {
    /// Format 1 has a single digest.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            One(String),
            Several(Vec<String>),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::One(digest) => Self(vec![digest]),
            Written::Several(digests) => Self(digests),
        })
    }
}

impl Skill {
    /// When it was first published.
    pub(super) fn published(&self) -> Option<&str> {
        let first = self.history.iter().find(|event| event.version == 1);
        first.map(|event| event.as_of.as_str())
    }

    /// A skill that was never written.
    pub(super) fn new(name: String, workspace: &str, content: Content) -> Self {
        Self {
            name,
            workspace: workspace.to_owned(),
            version: 1,
            refused: false,
            content,
            withdrawn: Vec::new(),
            retirement: None,
            kept: false,
            agreed: false,
            review: Vec::new(),
            last_seen: String::new(),
            effect: None,
            proposal: None,
            same_as: None,
            past: Vec::new(),
            decided: Vec::new(),
            history: Vec::new(),
        }
    }

    /// Whether assistants are meant to use it.
    pub(super) const fn stands(&self) -> bool {
        !self.refused && self.retirement.is_none()
    }

    /// Whether a person refused it before it stood anywhere.
    pub(super) fn never_stood(&self) -> bool {
        let was_rejected = self.history.last().is_some_and(|event| event.deed() == Some(Deed::Rejected));
        self.refused && self.past.is_empty() && was_rejected
    }

    /// Whether a person agreed to what it may do: by a command, or by bringing it back.
    pub(super) fn is_agreed(&self) -> bool {
        // Before there was a mark for it, the history alone told.
        let told = self.history.iter().any(|event| event.deed().is_some_and(Deed::is_agreement));
        self.agreed || self.kept || told
    }

    /// Whether its folder is gone because it was retired.
    pub(super) fn is_gone(&self) -> bool {
        self.retirement.as_ref().is_some_and(|retirement| retirement.gone)
    }

    /// Whether it makes the claim, or has decided not to.
    pub(super) fn knows(&self, claim: &Claim) -> bool {
        self.content.says(claim) || self.withdrawn.iter().any(|withdrawn| withdrawn.claim == *claim)
    }

    /// When it dropped the claim because sessions did not show it. Such a claim may come back, unlike others.
    pub(super) fn unproven_since(&self, claim: &Claim) -> Option<&str> {
        let dropped = self.withdrawn.iter().find(|withdrawn| withdrawn.claim == *claim);
        dropped.filter(|withdrawn| withdrawn.reason == Reason::Unproven).map(|one| one.as_of.as_str())
    }

    /// Whether it makes a claim that was never counted: an older version published it.
    pub(super) fn is_of_an_older_kind(&self) -> bool {
        self.content.claims.iter().any(|record| !record.is_counted())
    }

    /// All its contents: the present, the former, the proposed and the rejected ones.
    pub(super) fn remembered(&self) -> impl Iterator<Item = &Content> {
        let past = self.past.iter().map(|past| &past.content);
        let proposed = self.proposal.iter().filter_map(|proposal| proposal.content.as_ref());
        let refused = self.decided.iter().filter_map(|decided| decided.refused.as_ref());
        std::iter::once(&self.content).chain(past).chain(proposed).chain(refused)
    }

    pub(super) fn withdraw(&mut self, claim: &Claim, reason: Reason, as_of: &str) {
        self.withdrawn.retain(|withdrawn| withdrawn.claim != *claim);
        self.withdrawn.push(Withdrawal { claim: claim.clone(), reason, as_of: as_of.to_owned() });
        self.withdrawn.sort_by(|a, b| a.claim.cmp(&b.claim));
    }

    /// Takes a proposal over: what it no longer says, newer sessions contradicted.
    pub(super) fn adopt(&mut self, content: Content, as_of: &str) {
        let fallen: Vec<Claim> = self.content.claim_set().difference(&content.claim_set()).cloned().collect();
        for claim in fallen {
            self.withdraw(&claim, Reason::Contradicted, as_of);
        }
        self.content = content;
        self.version += 1;
    }

    pub(super) fn note(&mut self, as_of: &str, what: impl Into<String>) {
        self.history.push(Event::new(as_of, self.version, what));
    }

    /// Notes a person's deed as a value, so that the reason's words cannot be mistaken for another deed.
    pub(super) fn note_deed(&mut self, as_of: &str, deed: Deed) {
        self.history.push(Event::new(as_of, self.version, deed.as_str()).with(deed));
    }

    /// The text that a person wrote in place of the generated one, if it stood until the skill's files went.
    pub(super) fn own_text(&self) -> Option<&str> {
        let deed = self.history.last().and_then(Event::deed);
        let is_of_a_person = deed == Some(Deed::WithdrewOwn);
        // A withdrawn skill was as generated; a deleted one is compared with what was last written.
        let is_generated = deed == Some(Deed::Withdrew);
        let is_last = |last: &&Decided| is_of_a_person || (!is_generated && last.version == self.version);
        let last = self.decided.last().filter(is_last)?;
        Some(last.edited.as_str()).filter(|text| !text.is_empty())
    }

    /// Remembers what a person made of a proposal.
    pub(super) fn decide(&mut self, as_of: &str, refused: Option<Content>, edited: String) {
        let decided = Decided { as_of: as_of.to_owned(), version: self.version, refused, edited };
        self.decided.push(decided);
        self.decided.drain(..self.decided.len().saturating_sub(REMEMBERED_VERSIONS));
    }

    /// Remembers the version that is being written.
    pub(super) fn remember(&mut self, digest: String) {
        self.past.retain(|past| past.digest != digest);
        self.past.push(Past { version: self.version, digest, content: self.content.clone() });
        self.past.drain(..self.past.len().saturating_sub(REMEMBERED_VERSIONS));
    }
}

/// What was spent on one UTC day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Spending {
    pub(super) date: String,
    #[serde(flatten)]
    pub(super) spent: Spent,
}

/// A model takes a skill for another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SameAs {
    /// The id of the other one.
    pub(super) skill: String,
    /// A person said that they are two.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) rejected: bool,
}

/// A skill that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiting {
    /// What it may do that a person has to agree to, a line each: `send: it names another machine`.
    pub(super) review: Vec<String>,
    pub(super) skill: Skill,
}

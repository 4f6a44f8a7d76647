//! Skillify: mining of the sessions table. Pure but for the LLM calls.
//!
//! [`mine`] makes candidates of a snapshot of one workspace. It is a pure function: sessions in any
//! order give the same bytes. Only command lines, error signatures from a closed list and single
//! words that several prompts share reach a candidate's text; a tool's output never does.
//!
//! | room | what it decides |
//! |---|---|
//! | `session` | what one session shows: segments, actions, how they ended; the digest that mining keeps of it |
//! | `prompt`, `speech` | what a prompt starts, corrects or continues; what people say that they want from then on |
//! | `template` | command lines with parameters, and what matches them |
//! | `evidence` | what sessions prove: timelines, statuses, counts, their tests and nulls |
//! | `cluster` | which segments do the same work, and the steps that they have in common |
//! | `claim`, `kind` | one thing that a skill can say; a file for each kind, with its proof and its null |
//! | `compose` | which claims become one skill, which of them stand, and what they lack |
//! | `word` | the sentences of a skill, its name and trigger; the guard: what may not be published |
//! | `adherence` | whether a later session met a claim's situation, and did what it says |
//! | `predicate`, `author`, `llm` | the language of lessons; a model that proposes them; how a model is asked |
//!
//! Data flows down this table: `session` knows nothing of claims, `evidence` nothing of skills. `hash_index` finds items of
//! a list by their hashes, for all of them.

mod adherence;
pub mod author;
mod claim;
mod claim_line;
mod cluster;
mod compose;
mod digested;
mod evidence;
mod hash_index;
mod kind;
pub mod llm;
pub mod predicate;
mod prompt;
mod session;
mod speech;
mod template;
mod word;

use self::compose::draft;
use self::compose::workspace;
use std::borrow::Borrow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use crate::shell::command::program_of;
pub use crate::shell::{Class, Classes, command_line};
pub use adherence::{Later, Seen, Watched};
pub use claim::{Claim, Evidence, SupportedClaim};
pub use cluster::group::{Group, Member};
pub use cluster::vectors::{MOST_DIMENSIONS, VectorError, Vectors, VectorsError};
pub use compose::expected::Recently;
pub use compose::older::Older;
pub use compose::score::{PublishRule, Rules};
pub use compose::shortfall::Shortfall;
pub use compose::topic::Topic;
pub use evidence::Counts;
pub use evidence::null::{Null, Row, null};
pub(crate) use prompt::imperative::is_imperative;
pub use session::account;
pub use session::arrow::{segments_as_rows, segments_schema};
pub use session::digest::{Digest, VERSION as DIGEST_VERSION};
pub use session::exposure::{SERVER as MCP_SERVER, TOOLS as MCP_TOOLS};
pub use session::outcome::Outcome;
pub use session::sharing::{SharedCommands, sharing_commands};
pub(crate) use session::short_hash::short_hash;
pub use speech::Want;
pub use speech::quotation::{Quotation, quotations};
pub use template::Template;
pub(crate) use word::guard::objection;
pub use word::offline::Offline;
pub use word::propose::{Material, Proposer};
pub use word::wording::{Candidate, Line, Scope, Wording};

use crate::event::{Timestamp, counted};
use crate::table::Session;
use cluster::{commonness, terms};
use compose::expected;
use evidence::index;
use evidence::segment_ref::SegmentRef;
use session::digest;
use word::guard;

/// The sessions of one workspace, in any order.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot<'a> {
    /// The workspace.
    pub workspace: &'a str,
    /// Its sessions.
    pub sessions: &'a [Session],
}

/// The people whom credentials name: tenants, and what people are counted by.
pub type Verified = BTreeSet<(String, String)>;

/// How to mine.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Config<'v> {
    /// How much evidence a skill needs.
    pub publish: PublishRule,
    /// The people whom credentials name; `None`: nobody.
    pub verified: Option<&'v Verified>,
    /// How near words of prompts are in meaning; `None`: words are alike that are the same.
    pub vectors: Option<&'v Vectors>,
    /// What sessions showed that are older than those that are mined; `None`: there are none.
    pub older: Option<&'v Older>,
}

/// What mining found, before anybody worded it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lessons {
    workspace: String,
    #[serde(with = "digest::micros")]
    as_of: Timestamp,
    segments: usize,
    #[serde(default)]
    older: usize,
    candidates: Vec<draft::Unworded>,
    clusters: Vec<Group>,
}

impl Lessons {
    /// The skills in the words of a proposer.
    pub fn worded(&self, proposer: &dyn Proposer) -> Mined {
        Mined {
            workspace: self.workspace.clone(),
            as_of: self.as_of,
            segments: self.segments,
            older: self.older,
            candidates: self.candidates.iter().map(|candidate| candidate.worded(proposer)).collect(),
            clusters: self.clusters.clone(),
        }
    }
}

/// What mining found.
#[derive(Debug, Clone, PartialEq)]
pub struct Mined {
    /// The workspace.
    pub workspace: String,
    /// The newest event time of the snapshot: what the result is true of.
    pub as_of: Timestamp,
    /// How many segments were read.
    pub segments: usize,
    /// How many older sessions there are, of which it is remembered what they showed.
    pub older: usize,
    /// Published ones first, then by worth.
    pub candidates: Vec<Candidate>,
    /// The clusters of segments, and what became of each.
    pub clusters: Vec<Group>,
}

impl Mined {
    /// Why each candidate is published or not, a line each.
    pub fn explain(&self) -> Vec<String> {
        let mut lines = vec![format!("{}: {} segments as of {}", self.workspace, self.segments, self.as_of)];
        if self.older > 0 {
            let older = counted(self.older, "older session", "older sessions");
            lines.push(format!("  what {older} showed is remembered: they are beyond the window"));
        }
        lines.extend(self.clusters.iter().map(ToString::to_string));
        lines.extend(self.candidates.iter().flat_map(Candidate::explain));
        lines
    }
}

/// Mines one workspace.
pub fn mine(snapshot: &Snapshot<'_>, config: &Config<'_>, proposer: &dyn Proposer) -> Mined {
    let digests: Vec<Digest> = snapshot.sessions.iter().map(Digest::of).collect();
    mine_digests(snapshot.workspace, &digests, config).worded(proposer)
}

/// Mines one workspace from the digests of its sessions, in any order.
pub fn mine_digests<D: Borrow<Digest>>(workspace: &str, digests: &[D], config: &Config<'_>) -> Lessons {
    let as_of = digests.iter().map(|digest| digest.borrow().last_event_at).max().unwrap_or_default();
    with_workspace(workspace, digests, config, |mining, segments| {
        let (candidates, clusters) = mining.candidates();
        let older = config.older.map_or(0, Older::sessions);
        Lessons { workspace: workspace.to_owned(), as_of, segments, older, candidates, clusters }
    })
}

/// How many claims of each kind stand; with `shuffle`, by chance.
fn published<D: Borrow<Digest>>(
    digests: &[D],
    config: &Config<'_>,
    shuffle: Option<&mut kind::Shuffle>,
) -> kind::Published {
    with_workspace("", digests, config, |mining, _| mining.published(shuffle))
}

/// Reads the digests of a workspace for mining, with the number of its segments.
fn with_workspace<D: Borrow<Digest>, T>(
    workspace: &str,
    digests: &[D],
    config: &Config<'_>,
    work: impl FnOnce(&workspace::Workspace<'_>, usize) -> T,
) -> T {
    let sessions = || digests.iter().map(Borrow::borrow);
    let mut works: Vec<SegmentRef<'_>> = Vec::new();
    for session in sessions() {
        let (person, by_credential) = person_of(session, config);
        let work = |segment| SegmentRef { session, person, by_credential, segment };
        works.extend(session.segments.iter().map(work));
    }
    let segments = works.len();
    works.sort_by(|a, b| (a.segment.started_at, &a.segment.id).cmp(&(b.segment.started_at, &b.segment.id)));
    let spoken = works.clone();
    works.retain(|work| !work.segment.loaded_a_skill);
    let known_people: BTreeSet<&str> = sessions()
        .map(|session| person_of(session, config).0)
        .filter(|person| !person.is_empty())
        .chain(config.older.into_iter().flat_map(Older::people))
        .collect();
    let as_of = sessions().map(|session| session.last_event_at).max().unwrap_or_default();
    let terms = terms::Terms::of(&works);
    let background = commonness::Background::of(&works, &terms);
    let mining = workspace::Workspace {
        name: workspace,
        works: &works,
        spoken: &spoken,
        started_at: works.iter().map(|work| work.segment.started_at).collect(),
        known_people: known_people.len(),
        vectors: config.vectors,
        rule: config.publish,
        background: &background,
        index: index::Index::of(&works, &terms),
        recent: expected::Recent::of(&works),
        terms: &terms,
        as_of,
        known: known(sessions(), config.older),
        older: config.older,
    };
    work(&mining, segments)
}

/// Who did a session, as people are counted, and whether a credential says so. Where only those count,
/// everybody else is nobody.
fn person_of<'d>(session: &'d Digest, config: &Config<'_>) -> (&'d str, bool) {
    let person = session.person.as_str();
    let key = || (session.tenant.clone(), person.to_owned());
    let by_credential = !person.is_empty()
        && config.verified.is_some_and(|people| !people.is_empty() && people.contains(&key()));
    if config.publish.verified && !by_credential { ("", false) } else { (person, by_credential) }
}

/// What the sessions tell of what they run.
fn known<'d>(sessions: impl Iterator<Item = &'d Digest>, older: Option<&Older>) -> guard::Known {
    let mut known = guard::Known::default();
    if let Some(older) = older {
        older.tell(&mut known);
    }
    for session in sessions {
        known.fetched.extend(session.fetched());
        known.tools.extend(session.tools());
        known.skills.extend(session.skills());
    }
    known
}

//! Skillify: mining of the sessions table. Pure but for the LLM calls.
//!
//! [`mine`] makes candidates of a snapshot of one workspace. It is a pure function: sessions in any
//! order give the same bytes. Only command lines, error signatures from a closed list and single
//! words that several prompts share reach a candidate's text; a tool's output never does.
//!
//! | room | what it decides |
//! |---|---|
//! | `prompt` | whether a prompt starts, corrects or continues a task; its keywords |
//! | `session` | what one session shows: segments, turns, actions, how each ended, whether people were content |
//! | `template` | command lines with placeholders, and what matches them |
//! | `speech` | what people say that they want from then on |
//! | `digest` | the little of a session that mining keeps |
//! | `predicate` | the language of lessons: a situation and what sessions do in it |
//! | `claim` | one thing that a skill can say, with its counts; what a claim or a skill lacks; the guard: what may be published |
//! | `evidence` | sessions as timelines; what failed and ran again; where a claim can be looked for |
//! | `cluster` | which segments do the same work, and the steps that they have in common |
//! | `kind` | the kinds of claims, a file for each: how it is found, proved and shuffled |
//! | `adherence` | whether a later session met a claim's situation, and did what it says |
//! | `word` | the sentences of a skill, its name and description |
//! | `compose` | which claims become one skill, which of them stand, what they are worth |
//! | `llm`, `author` | how a model is asked; a model that proposes lessons |
//!
//! Data flows down this table: a room imports only rooms above it. `session` knows nothing of claims, `evidence` nothing of skills
//! (`tests/cli/architecture.rs` holds it). Files beside the rooms serve all of them: `hash_index`, `significance` (counts and
//! their tests), `withheld_text` (texts that are never published); `null` mines shuffled sessions with all of them,
//! which measures what chance would publish and decides nothing.

mod adherence;
pub mod author;
mod claim;
mod cluster;
mod compose;
mod digest;
mod evidence;
mod hash_index;
mod kind;
pub mod llm;
mod null;
pub mod predicate;
mod prompt;
mod session;
mod significance;
mod speech;
mod template;
mod withheld_text;
mod word;

use std::borrow::Borrow;

use serde::{Deserialize, Serialize};

pub use crate::shell::command::program_of;
pub use crate::shell::{Class, Classes, command_line};
pub use adherence::{Later, Recently, Seen, Watched};
pub use claim::as_predicate;
pub use claim::publish_rule::{PublishRule, Rules};
pub use claim::scope::Scope;
pub use claim::shortfall::{Shortfall, UNFIT};
pub use claim::topic::Topic;
pub use claim::{Claim, Evidence, SupportedClaim};
pub use cluster::group::{Group, Member};
pub use cluster::vectors::{MOST_DIMENSIONS, VectorError, Vectors, VectorsError};
pub use compose::older::Older;
pub use compose::workspace::{Config, Verified};
pub use digest::arrow::{segments_as_rows, segments_schema};
pub use digest::{Digest, VERSION as DIGEST_VERSION};
pub use kind::rule::quotations;
pub use null::{Null, Row, null};
pub(crate) use prompt::imperative::is_imperative;
pub use session::account;
pub use session::exposure::{SERVER as MCP_SERVER, TOOLS as MCP_TOOLS};
pub use session::outcome::Outcome;
pub use session::sharing::{SharedCommands, sharing_commands};
pub(crate) use session::short_hash::short_hash;
pub use significance::Counts;
pub use speech::Want;
pub use speech::quotation::Quotation;
pub use template::Template;
pub(crate) use withheld_text::objection;
pub use word::offline::Offline;
pub use word::propose::{Material, Proposer};
pub use word::wording::{Candidate, Line, Wording};

use crate::event::{Timestamp, counted};
use crate::table::Session;
use compose::draft;
use compose::workspace::with_workspace;

/// The sessions of one workspace, in any order.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot<'a> {
    /// The workspace.
    pub workspace: &'a str,
    /// Its sessions.
    pub sessions: &'a [Session],
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
    /// The number of older sessions whose lessons are remembered.
    pub older: usize,
    /// Published ones first, then by worth.
    pub candidates: Vec<Candidate>,
    /// The clusters of segments, and the outcome of each.
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

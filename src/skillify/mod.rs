//! Skillify: mining of the sessions table. Pure but for the LLM calls.
//!
//! [`mine`] makes candidates of a snapshot of one workspace. It is a pure function: sessions in any
//! order give the same bytes. Only command lines, error signatures from a closed list and single
//! words that several prompts share reach a candidate's text; a tool's output never does.
//!
//! | file | stage |
//! |---|---|
//! | `segment.rs` | a session becomes task segments of turns |
//! | `prompt.rs`, `complaint.rs` | what a prompt starts, corrects or continues |
//! | `telling.rs` | the words of a prompt that tell its work |
//! | `action.rs`, `edits.rs` | facts become actions, the same for every assistant; what its own tools edit |
//! | `echo.rs` | which scripts a check or a commit prints |
//! | `code.rs` | which names the scripts call that a session wrote and ran |
//! | `look.rs`, `option.rs` | where a session found things, and where it did not; flags that programs know |
//! | `tree.rs` | which files a session saw changed |
//! | `exposure.rs` | what showed a session lessons, beside skills that it loads |
//! | `asked.rs` | whether a prompt names a command |
//! | `shared.rs` | one command in memory for all actions that ran it |
//! | `lines.rs`, `outputs.rs` | command lines and what they print, each read once |
//! | `event_ids.rs` | the events that show an action, in few bytes |
//! | `outcome.rs` | whether people were content with a turn |
//! | `checkout.rs` | where the paths of edited files begin |
//! | `digest.rs`, `status_name.rs` | what mining needs of a session, and nothing more |
//! | `author/` | a model that proposes lessons; evidence decides |
//! | `arrow.rs` | segments as rows for other engines |
//! | `terms.rs` | what segments did and were asked for, as numbers |
//! | `vectors.rs`, `meaning.rs` | word vectors, and what prompts mean by them: optional |
//! | `places.rs` | items of a list by their hashes |
//! | `cluster.rs`, `group.rs` | segments that do the same work; what they are called and cost |
//! | `prefer.rs` | which of two commands a person wants |
//! | `split.rs` | clusters of several works that differ in an argument |
//! | `steps.rs` | what the sessions of a cluster have in common, in order |
//! | `chance.rs` | what is shared by more than accident |
//! | `evidence/` | what sessions prove: timelines, reruns, counts and their tests |
//! | `kind/` | claims that counts prove, a file a kind |
//! | `null.rs` | what would be published by chance |
//! | `compose.rs` | claims that share a situation become one skill |
//! | `predicate/` | the language of what a lesson says, and what sessions show of it |
//! | `propose.rs` | claims that people's words suggest; who words claims |
//! | `offline.rs`, `name.rs` | the sentences of a skill, and its head |
//! | `rule_meaning.rs` | what well-known rules of linters ask for |
//! | `irreversible.rs` | commands that a skill says to ask about first |
//! | `speech/` | what people say that they want from then on |
//! | `unwanted.rs` | how a text names a command that it is against |
//! | `llm/` | the LLM step: words claims through a cache of answers |
//! | `template.rs`, `pattern.rs`, `joint.rs`, `hole.rs`, `version.rs` | command templates with typed holes |
//! | `cells.rs` | what is counted of each kind, in words |
//! | `claim.rs`, `wording.rs`, `reading.rs` | claims and evidence; skills as mined; claims read from text |
//! | `index.rs`, `matcher.rs` | where a claim can be looked for; which commands a template matches |
//! | `verify.rs`, `guard.rs` | claims that the events show; text that may be published |
//! | `score.rs` | the publish rule |
//! | `said.rs` | what other claims say already |
//! | `failing.rs` | commands that have only failed of late |
//! | `procedure.rs` | the steps of a cluster become a procedure |
//! | `trigger.rs` | which words say when to use a skill |
//! | `candidate.rs`, `ones_own.rs` | from segments to candidates, and each of them worded; what one person proves |
//! | `older.rs` | what older sessions showed, where those that are mined are a window of the newest |
//! | `account.rs` | what a session cost, and why |
//! | `later/` | whether a session met a claim's situation, and did what it says |
//! | `expected.rs` | what a claim is expected to save |

pub mod account;
mod action;
mod arrow;
mod asked;
pub mod author;
mod candidate;
mod cells;
mod chance;
mod checkout;
mod claim;
mod claim_line;
mod cluster;
mod code;
mod complaint;
mod compose;
mod digest;
mod digested;
mod echo;
mod edits;
mod event_ids;
mod evidence;
mod expected;
mod exposure;
mod failing;
mod group;
mod guard;
mod hole;
mod index;
mod irreversible;
mod joint;
mod kind;
mod later;
mod left_over;
mod lines;
pub mod llm;
mod look;
mod matcher;
mod meaning;
mod name;
mod null;
mod offline;
mod older;
mod ones_own;
mod option;
mod outcome;
mod outputs;
mod pattern;
mod places;
pub mod predicate;
mod prefer;
mod procedure;
mod prompt;
mod propose;
mod reading;
mod rule_meaning;
mod said;
mod score;
mod segment;
mod shared;
mod speech;
mod split;
mod status_name;
mod steps;
mod telling;
mod template;
mod terms;
mod tree;
mod trigger;
mod unwanted;
mod vectors;
mod verify;
mod version;
mod wording;

use std::borrow::Borrow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use crate::shell::command::program_of;
pub use crate::shell::{Class, Classes, command_line};
pub use arrow::{segments_as_rows, segments_schema};
pub use claim::{Candidate, Claim, Evidence, Line, Scope, SupportedClaim, Wording};
pub use compose::Topic;
pub use digest::{Digest, VERSION as DIGEST_VERSION};
pub use evidence::Counts;
pub use expected::Recently;
pub use exposure::{SERVER as MCP_SERVER, TOOLS as MCP_TOOLS};
pub use group::{Group, Member};
pub(crate) use guard::objection;
pub use later::{Later, Seen, Watched};
pub use null::{Null, Row, null};
pub use offline::Offline;
pub use older::Older;
pub use outcome::Outcome;
pub use propose::{Material, Proposer};
pub use score::{PublishRule, Rules, Shortfall};
pub(crate) use segment::short_hash;
pub use shared::{SharedCommands, sharing_commands};
pub use speech::{Quotation, Want, quotations};
pub use template::Template;
pub(crate) use trigger::is_imperative;
pub use vectors::{MOST_DIMENSIONS, VectorError, Vectors, VectorsError};

use crate::event::{Timestamp, counted};
use crate::table::Session;
use verify::Work;

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
    /// An idea to do without, so that what it earns can be measured; `None` outside of measurements.
    pub without: Option<Idea>,
}

/// An idea that mining can do without, for the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idea {
    /// Rare actions weigh more than common ones when segments are compared.
    Rarity,
    /// The words of prompts count when segments are compared.
    Words,
    /// Of a cluster only what its members have in common counts.
    Commonness,
    /// What is shared by accident is no skill.
    Chance,
    /// A correction speaks of what was done last, not of all that was done.
    Blame,
    /// Steps stand in the order that most sessions do them in, not the alphabet's.
    Order,
    /// Edited files are steps.
    Edits,
    /// What people prefer is a skill.
    Preferences,
    /// What one person does again and again is not a team's skill.
    People,
    /// Descriptions say what people ask for, not only what is run.
    Triggers,
    /// A step is compared with other work of its size.
    Sizes,
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
    candidates: Vec<candidate::Unworded>,
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
    work: impl FnOnce(&candidate::Workspace<'_>, usize) -> T,
) -> T {
    let without = config.without;
    let blames = without != Some(Idea::Blame);
    let sessions = || digests.iter().map(Borrow::borrow);
    let mut works: Vec<Work<'_>> = Vec::new();
    for session in sessions() {
        let (person, by_credential) = person_of(session, config);
        let work = |segment| Work { session, person, by_credential, segment, blames };
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
    let background = chance::Background::of(&works, &terms);
    let mining = candidate::Workspace {
        name: workspace,
        works: &works,
        spoken: &spoken,
        started_at: works.iter().map(|work| work.segment.started_at).collect(),
        known_people: if without == Some(Idea::People) { 0 } else { known_people.len() },
        without,
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

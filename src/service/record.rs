//! The record of a run: what mining found and why, for people who look at it later.
//!
//! A workspace has one record, of its last run: JSON beside the digests, in a folder that is closed to others, named `run-`
//! and 16 hex digits of tenant and workspace. It names sessions and counts people. It holds no text of a session except what
//! a claim says, and for a cluster the programs and single words that many of its segments share. `skillspan erase` removes
//! it with the digests.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::disk::{Disk, FileSystem, create_folders, write_durably};
use crate::event::Timestamp;
use crate::skillify::{
    Candidate, Claim, Counts, Evidence, Group, Member, Mined, Scope, Shortfall, SupportedClaim, short_hash,
};

use super::workspace_key::WorkspaceKey;

/// How the names of records begin.
pub(super) const PREFIX: &str = "run-";
/// What the members of a record are and mean.
const VERSION: u32 = 1;
/// Records that are larger would be read by nobody.
const MOST_HELD_BACK: usize = 500;

#[derive(Serialize)]
struct Record<'a> {
    version: u32,
    tenant: &'a str,
    workspace: &'a str,
    /// When it was mined, RFC 3339.
    mined_at: String,
    /// The newest event that it is true of, RFC 3339.
    as_of: String,
    segments: usize,
    /// The outcome of each cluster of segments, a line each.
    clusters: Vec<String>,
    /// The name, cost and claims of each cluster, in the same order.
    groups: Vec<Value>,
    /// Published ones first; of the others the first [`MOST_HELD_BACK`].
    candidates: Vec<Value>,
    /// How many more there were.
    left_out: usize,
}

/// So many of the sessions that a claim rests on are kept with their events.
const MOST_FOR: usize = 3;
/// The most counterexamples kept for a published or proposed claim: all, unless there are absurdly many.
const MOST_AGAINST: usize = 1_000;
/// The most counterexamples kept for a claim that was dropped.
const FEW_AGAINST: usize = 20;
/// So many sessions of a cluster are named.
const MOST_MEMBERS: usize = 200;

/// A record, as it is read.
#[derive(Debug, Clone, Deserialize)]
pub struct Kept {
    /// Whose sessions were mined.
    pub tenant: String,
    /// Of which workspace.
    pub workspace: String,
    /// When, RFC 3339.
    pub mined_at: String,
    /// Segments of sessions.
    pub segments: usize,
    /// The outcome of each cluster of segments, a line each.
    pub clusters: Vec<String>,
    /// What they are called and cost; none where an older version wrote the record.
    #[serde(default)]
    pub groups: Vec<KeptGroup>,
    /// Published ones first.
    pub candidates: Vec<KeptCandidate>,
}

/// A cluster of a record.
#[derive(Debug, Clone, Deserialize)]
pub struct KeptGroup {
    /// 16 hex digits, in its workspace.
    pub id: String,
    /// What many of its segments ran.
    pub commands: Vec<String>,
    /// Words that many of its prompts have.
    pub words: Vec<String>,
    /// How many segments it has.
    pub segments: u64,
    /// Of how many sessions.
    pub sessions: u64,
    /// Of how many known people.
    pub people: u64,
    /// Tokens that were read and written for it, as far as clients say.
    pub tokens: u64,
    /// How long it took, pauses left out.
    pub seconds: u64,
    /// Its outcome.
    pub became: String,
    /// Its claims.
    pub claims: Vec<Claim>,
    /// Its newest sessions, up to the bound.
    pub members: Vec<KeptMember>,
}

/// A session of a cluster.
#[derive(Debug, Clone, Deserialize)]
pub struct KeptMember {
    /// The session.
    pub session: String,
    /// When its first segment of the cluster began, RFC 3339.
    pub began_at: String,
    /// How many segments of it are of the cluster.
    pub segments: u64,
    /// The tokens of these.
    pub tokens: u64,
    /// How long these took.
    pub seconds: u64,
}

/// A candidate of a record.
#[derive(Debug, Clone, Deserialize)]
pub struct KeptCandidate {
    /// The name that its skill has or would have.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Whether it became a skill.
    pub published: bool,
    /// Why it did not, a line each.
    pub because: Vec<String>,
    /// The same as values; empty where an older version wrote the record.
    #[serde(default)]
    pub lacks: Vec<Shortfall>,
    /// What it says.
    pub claims: Vec<KeptClaim>,
    /// How many known people its sessions are of; `None` where an older version wrote the record.
    #[serde(default)]
    pub people: Option<usize>,
    /// The repository that it is for, `""` for all of the workspace; `None` where an older version wrote the record.
    #[serde(default)]
    pub project: Option<String>,
    /// Its lines as a skill would say them.
    #[serde(default)]
    pub lines: Vec<KeptLine>,
}

/// A line of a candidate.
#[derive(Debug, Clone, Deserialize)]
pub struct KeptLine {
    /// What it says.
    pub text: String,
}

/// A claim of a candidate.
#[derive(Debug, Clone, Deserialize)]
pub struct KeptClaim {
    /// The claim.
    pub claim: Claim,
    /// The sessions that it rests on.
    pub sessions: Vec<String>,
    /// How many known people these are of.
    pub people: usize,
    /// The events of some of them; empty in a record of an older version.
    #[serde(default)]
    pub cases: KeptCases,
}

/// Sessions for a claim and against it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct KeptCases {
    /// Some of those that it rests on.
    #[serde(rename = "for")]
    pub supporting: Vec<KeptCase>,
    /// Those against it, the first of many.
    pub against: Vec<KeptCase>,
    /// How many there are against it; `None` where an older version wrote the record.
    #[serde(default)]
    pub all_against: Option<usize>,
}

/// A session, and the events in it that tell.
#[derive(Debug, Clone, Deserialize)]
pub struct KeptCase {
    /// The session.
    pub session: String,
    /// The UTC date on which it began.
    pub date: String,
    /// How it ended.
    pub outcome: String,
    /// The ids of its observations that tell.
    pub events: Vec<String>,
}

/// The records in a folder of digests. One that cannot be read is left out: the next run writes it anew.
pub fn read(folder: &Path) -> Vec<Kept> {
    let kept = paths(folder).filter_map(|path| serde_json::from_slice(&std::fs::read(path).ok()?).ok());
    let mut kept: Vec<Kept> = kept.collect();
    kept.sort_by(|a, b| (&a.tenant, &a.workspace).cmp(&(&b.tenant, &b.workspace)));
    kept
}

/// The files that hold the records in a folder of digests.
pub fn paths(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_record = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        name.starts_with(PREFIX) && name.ends_with(".json")
    };
    entries.map(|entry| entry.path()).filter(is_record)
}

/// The first, the middle ones and the last of many.
fn cases(evidence: &[Evidence], most: usize) -> Vec<Value> {
    let step = evidence.len().saturating_sub(1).max(1);
    let mut places: Vec<usize> =
        (0..most.min(evidence.len())).map(|at| at * step / (most - 1).max(1)).collect();
    if evidence.len() <= most {
        places = (0..evidence.len()).collect();
    }
    let chosen = places.into_iter().filter_map(|at| evidence.get(at));
    let case = |one: &Evidence| {
        json!({
            "session": one.session,
            "date": one.started_at.date(),
            "outcome": one.outcome.as_str(),
            "events": one.events,
        })
    };
    chosen.map(case).collect()
}

/// Writes what was found in a workspace. Blocks.
pub fn keep(folder: &Path, place: &WorkspaceKey, mined: &Mined, now: Timestamp) -> io::Result<()> {
    let (tenant, workspace) = place;
    let published = mined.candidates.iter().filter(|candidate| candidate.is_published()).count();
    let shown = published + MOST_HELD_BACK;
    let record = Record {
        version: VERSION,
        tenant,
        workspace,
        mined_at: now.to_string(),
        as_of: mined.as_of.to_string(),
        segments: mined.segments,
        clusters: mined.clusters.iter().map(ToString::to_string).collect(),
        groups: mined.clusters.iter().map(group).collect(),
        candidates: mined.candidates.iter().take(shown).map(candidate).collect(),
        left_out: mined.candidates.len().saturating_sub(shown),
    };
    create_folders(&FileSystem, folder, None)?;
    let name = format!("{PREFIX}{}", short_hash(&[tenant, workspace], 8));
    // Two processes may keep records in one folder: neither writes into what the other has begun.
    let temporary = folder.join(format!("{name}.{}.new", std::process::id()));
    write_durably(&FileSystem, &temporary, &serde_json::to_vec(&record)?)?;
    FileSystem.rename(&temporary, &folder.join(format!("{name}.json")))?;
    FileSystem.sync_folder(folder)
}

/// A cluster, called by its oldest segment.
fn group(group: &Group) -> Value {
    let mut members: BTreeMap<&str, (Timestamp, u64, u64, u64)> = BTreeMap::new();
    for member in &group.members {
        let sums = members.entry(&member.session).or_insert((member.started_at, 0, 0, 0));
        sums.0 = sums.0.min(member.started_at);
        sums.1 += 1;
        sums.2 = sums.2.saturating_add(member.tokens);
        sums.3 = sums.3.saturating_add(member.seconds);
    }
    let mut sessions: Vec<_> = members.into_iter().collect();
    sessions.sort_by_key(|(session, (began, ..))| (Reverse(*began), *session));
    let sum = |of: fn(&Member) -> u64| group.members.iter().map(of).fold(0, u64::saturating_add);
    let shown = sessions.iter().take(MOST_MEMBERS).map(|(session, (began, segments, tokens, seconds))| {
        json!({
            "session": session,
            "began_at": began.to_string(),
            "segments": segments,
            "tokens": tokens,
            "seconds": seconds,
        })
    });
    json!({
        "id": group.members.first().map(|member| member.segment.as_str()).unwrap_or_default(),
        "commands": group.commands,
        "words": group.words,
        "segments": group.members.len(),
        "sessions": sessions.len(),
        "people": group.people,
        "tokens": sum(|member| member.tokens),
        "seconds": sum(|member| member.seconds),
        "became": group.became,
        "claims": group.claims,
        "members": shown.collect::<Vec<_>>(),
    })
}

fn candidate(candidate: &Candidate) -> Value {
    let is_told = candidate.is_published() || candidate.is_proposed();
    let against = if is_told { MOST_AGAINST } else { FEW_AGAINST };
    let lines = candidate.wording.lines().map(|line| json!({ "text": line.text, "claims": line.claims }));
    json!({
        "name": candidate.wording.name,
        "title": candidate.wording.title,
        "scope": candidate.scope.as_str(),
        "published": candidate.is_published(),
        "worth": candidate.rank,
        "because": candidate.shortfalls.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "lacks": candidate.shortfalls,
        "lines": lines.collect::<Vec<_>>(),
        "claims": candidate.claims.iter().map(|one| claim(one, against)).collect::<Vec<_>>(),
        "people": people(&candidate.claims),
        "project": match &candidate.scope {
            Scope::Project(project) => project.as_str(),
            _ => "",
        },
        "left_out": candidate.dropped,
    })
}

/// How many known people claims rest on, each counted once.
fn people(claims: &[SupportedClaim]) -> usize {
    let people: BTreeSet<&str> =
        claims.iter().flat_map(|claim| &claim.support).map(|evidence| evidence.person.as_str()).collect();
    people.iter().filter(|person| !person.is_empty()).count()
}

fn claim(claim: &SupportedClaim, against: usize) -> Value {
    let Counts { treated_with, treated_without, untreated_with, untreated_without } = claim.counts;
    json!({
        "claim": claim.claim,
        "failures": claim.failures,
        "treated": { "with": treated_with, "without": treated_without },
        "untreated": { "with": untreated_with, "without": untreated_without },
        "chance": claim.p_value,
        "sessions": claim.sessions().iter().map(|(_, session)| *session).collect::<Vec<_>>(),
        "cases": {
            "for": cases(&claim.support, MOST_FOR),
            "against": cases(&claim.against, against),
            "all_against": claim.against.len(),
        },
        "people": people(std::slice::from_ref(claim)),
    })
}

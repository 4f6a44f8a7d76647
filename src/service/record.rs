//! What a run of mining found and why, kept so that a person can look at it later.
//!
//! A workspace has one record: that of its last run. It stands beside the digests, in a folder that is closed to
//! others, as `run-` and 16 hex digits of tenant and workspace, JSON. It names sessions and counts people; it
//! holds no text of a session but what a claim says. `skillspan erase` removes it with the digests.

use std::io;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use crate::disk::{Disk, FileSystem, create_folders, write_durably};
use crate::event::Timestamp;
use crate::skillify::{Candidate, Counts, Mined, SupportedClaim, short_hash};

use super::mining::Place;

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
    /// What became of each cluster of segments, a line each.
    clusters: &'a [String],
    /// Published ones first; of the others the first [`MOST_HELD_BACK`].
    candidates: Vec<Value>,
    /// How many more there were.
    left_out: usize,
}

/// Writes what was found in a workspace. Blocks.
pub fn keep(folder: &Path, place: &Place, mined: &Mined, now: Timestamp) -> io::Result<()> {
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
        clusters: &mined.clusters,
        candidates: mined.candidates.iter().take(shown).map(candidate).collect(),
        left_out: mined.candidates.len().saturating_sub(shown),
    };
    create_folders(&FileSystem, folder, None)?;
    let name = format!("{PREFIX}{}", short_hash(&[tenant, workspace], 8));
    let temporary = folder.join(format!("{name}.new"));
    write_durably(&FileSystem, &temporary, &serde_json::to_vec(&record)?)?;
    FileSystem.rename(&temporary, &folder.join(format!("{name}.json")))?;
    FileSystem.sync_folder(folder)
}

fn candidate(candidate: &Candidate) -> Value {
    let lines = candidate.wording.lines().map(|line| json!({ "text": line.text, "claims": line.claims }));
    json!({
        "name": candidate.wording.name,
        "title": candidate.wording.title,
        "scope": candidate.scope.as_str(),
        "published": candidate.is_published(),
        "worth": candidate.rank,
        "because": candidate.shortfalls.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "lines": lines.collect::<Vec<_>>(),
        "claims": candidate.claims.iter().map(claim).collect::<Vec<_>>(),
        "left_out": candidate.dropped,
    })
}

fn claim(claim: &SupportedClaim) -> Value {
    let Counts { treated_with, treated_without, untreated_with, untreated_without } = claim.counts;
    let mut people: Vec<&str> = claim.support.iter().map(|evidence| evidence.person.as_str()).collect();
    people.sort_unstable();
    people.dedup();
    json!({
        "claim": claim.claim,
        "failures": claim.failures,
        "treated": { "with": treated_with, "without": treated_without },
        "untreated": { "with": untreated_with, "without": untreated_without },
        "chance": claim.chance,
        "sessions": claim.sessions().iter().map(|(_, session)| *session).collect::<Vec<_>>(),
        "people": people.iter().filter(|person| !person.is_empty()).count(),
    })
}

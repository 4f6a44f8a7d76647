//! What candidates of one workspace are made from.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use super::super::claim::guard;
use super::super::claim::publish_rule::PublishRule;
use super::super::cluster::commonness::Background;
use super::super::cluster::vectors::Vectors;
use super::super::digest::Digest;
use super::super::evidence::index::Index;
use super::super::evidence::segment_ref::SegmentRef;
use super::super::evidence::terms::Terms;
use super::expected::Recent;
use super::older::Older;
use crate::event::Timestamp;

/// Everything that candidates of one workspace are made from.
pub(in crate::skillify) struct Workspace<'a> {
    pub(in crate::skillify) name: &'a str,
    /// Oldest first.
    pub(in crate::skillify) works: &'a [SegmentRef<'a>],
    /// The same, with the segments that loaded a skill: people speak for themselves in them too.
    pub(in crate::skillify) spoken: &'a [SegmentRef<'a>],
    /// When each of them started.
    pub(in crate::skillify) started_at: Vec<Timestamp>,
    pub(in crate::skillify) known_people: usize,
    pub(in crate::skillify) rule: PublishRule,
    /// How near words are in meaning, where that is known.
    pub(in crate::skillify) vectors: Option<&'a Vectors>,
    pub(in crate::skillify) background: &'a Background,
    pub(in crate::skillify) terms: &'a Terms,
    pub(in crate::skillify) index: Index<'a>,
    /// The newer halves of the sessions.
    pub(in crate::skillify) recent: Recent<'a>,
    pub(in crate::skillify) as_of: Timestamp,
    /// What the sessions tell about the commands that they run.
    pub(in crate::skillify) known: guard::Known,
    /// What sessions showed that are older than these.
    pub(in crate::skillify) older: Option<&'a Older>,
}

/// The people whom credentials name: tenant and identity.
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

/// Reads the digests of a workspace for mining, with the number of its segments.
pub(in crate::skillify) fn with_workspace<D: Borrow<Digest>, T>(
    workspace: &str,
    digests: &[D],
    config: &Config<'_>,
    work: impl FnOnce(&Workspace<'_>, usize) -> T,
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
    let terms = Terms::of(&works);
    let background = Background::of(&works, &terms);
    let mining = Workspace {
        name: workspace,
        works: &works,
        spoken: &spoken,
        started_at: works.iter().map(|work| work.segment.started_at).collect(),
        known_people: known_people.len(),
        vectors: config.vectors,
        rule: config.publish,
        background: &background,
        index: Index::of(&works, &terms),
        recent: Recent::of(&works),
        terms: &terms,
        as_of,
        known: known(sessions(), config.older),
        older: config.older,
    };
    work(&mining, segments)
}

/// Who did a session, as people are counted, and whether a credential says so. Where only those count,
/// everybody else is nobody.
pub(in crate::skillify) fn person_of<'d>(session: &'d Digest, config: &Config<'_>) -> (&'d str, bool) {
    let person = session.person.as_str();
    let key = || (session.tenant.clone(), person.to_owned());
    let by_credential = !person.is_empty()
        && config.verified.is_some_and(|people| !people.is_empty() && people.contains(&key()));
    if config.publish.verified && !by_credential { ("", false) } else { (person, by_credential) }
}

/// What the sessions tell about the commands that they run.
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

//! Groups: what a cluster of segments is called, what its segments cost, and what became of it.
//!
//! A group is told whether or not anything could be said of it. It is called by what many of its segments did, program
//! and subcommand alone, and by single words that many of their prompts share: no line of anybody's is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::claim::Claim;
use super::super::digest::micros;
use super::super::evidence::segment_ref::SegmentRef;
use super::super::evidence::segment_ref::session_of;
use crate::event::{Timestamp, counted};

/// The most commands and words in a group's name.
const MOST_COMMANDS: usize = 2;
const MOST_WORDS: usize = 4;

/// Segments that are alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Commands of many of its segments, program and subcommand; those of this work alone come first.
    pub commands: Vec<String>,
    /// Words that many of its prompts have, the commonest first.
    pub words: Vec<String>,
    /// Its segments, in order.
    pub members: Vec<Member>,
    /// How many known people these are of.
    pub people: usize,
    /// Its outcome.
    pub became: String,
    /// Its claims, by anybody; empty if too few sessions support any.
    pub claims: Vec<Claim>,
}

/// A segment of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The segment: 16 hex digits.
    pub segment: String,
    /// The session that it is a part of.
    pub session: String,
    /// When its prompt was given.
    #[serde(with = "micros")]
    pub started_at: Timestamp,
    /// Tokens that were read and written for it, as far as clients say.
    pub tokens: u64,
    /// How long it took, pauses of more than ten minutes left out.
    pub seconds: u64,
}

impl Group {
    pub(in crate::skillify) fn of(works: &[&SegmentRef<'_>], became: &str, claims: Vec<Claim>) -> Self {
        let people: BTreeSet<&str> =
            works.iter().map(|work| work.person).filter(|person| !person.is_empty()).collect();
        let member = |work: &&SegmentRef<'_>| Member {
            segment: work.segment.id.clone(),
            session: work.session.session.clone(),
            started_at: work.segment.started_at,
            tokens: work.segment.tokens,
            seconds: work.segment.seconds,
        };
        Self {
            commands: commands(works),
            words: words(works),
            members: works.iter().map(member).collect(),
            people: people.len(),
            became: became.to_owned(),
            claims,
        }
    }

    /// How many sessions its segments are of.
    pub fn sessions(&self) -> usize {
        self.members.iter().map(|member| member.session.as_str()).collect::<BTreeSet<_>>().len()
    }
}

/// `cluster of 12 segments, 9 sessions, 4 people: why (ids of the segments)`.
impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (segments, sessions, people) = (self.members.len(), self.sessions(), self.people);
        let ids: Vec<&str> = self.members.iter().map(|member| member.segment.as_str()).collect();
        let ids = ids.join(" ");
        write!(
            f,
            "cluster of {}, {}, {}: {} ({ids})",
            counted(segments, "segment", "segments"),
            counted(sessions, "session", "sessions"),
            counted(people, "person", "people"),
            self.became
        )
    }
}

/// Commands of many segments: those of this work alone, then checks, then everyday ones; the commonest of each.
fn commands(works: &[&SegmentRef<'_>]) -> Vec<String> {
    let mut counts: BTreeMap<&str, (u8, usize)> = BTreeMap::new();
    for work in works {
        let commands = work.segment.actions().filter_map(|(_, action)| action.command());
        let ran: BTreeMap<&str, u8> = commands
            .filter(|command| !command.is_trivial() && !command.token().is_empty())
            .map(|command| {
                let kind = match () {
                    () if command.is_everyday() => 2,
                    () if command.is_check() => 1,
                    () => 0,
                };
                (command.token(), kind)
            })
            .collect();
        for (token, kind) in ran {
            let count = counts.entry(token).or_insert((kind, 0));
            count.0 = count.0.min(kind);
            count.1 += 1;
        }
    }
    let mut most: Vec<(&str, (u8, usize))> =
        counts.into_iter().filter(|(_, (_, count))| is_of_many(*count, works.len())).collect();
    most.sort_by_key(|(token, (kind, count))| (*kind, std::cmp::Reverse(*count), *token));
    most.into_iter().take(MOST_COMMANDS).map(|(token, _)| token.to_owned()).collect()
}

/// Sessions, each with its tenant.
type Sessions<'w> = BTreeSet<(&'w str, &'w str)>;

/// Words that many prompts have, of several sessions.
fn words(works: &[&SegmentRef<'_>]) -> Vec<String> {
    let mut counts: BTreeMap<&str, (usize, Sessions<'_>)> = BTreeMap::new();
    for work in works {
        for word in work.segment.words().collect::<BTreeSet<_>>() {
            let count = counts.entry(word).or_default();
            count.0 += 1;
            count.1.insert(session_of(work));
        }
    }
    let most = counts
        .into_iter()
        .filter(|(_, (count, sessions))| is_of_many(*count, works.len()) && sessions.len() >= 2);
    let mut most: Vec<(&str, usize)> = most.map(|(word, (count, _))| (word, count)).collect();
    most.sort_by_key(|(word, count)| (std::cmp::Reverse(*count), *word));
    most.into_iter().take(MOST_WORDS).map(|(word, _)| word.to_owned()).collect()
}

/// Whether a group is known by it: at least two, and a third, of its segments have it.
fn is_of_many(count: usize, all: usize) -> bool {
    count >= 2 && count * 3 >= all
}

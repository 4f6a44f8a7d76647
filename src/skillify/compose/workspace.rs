//! What candidates of one workspace are made from.

use super::super::cluster::commonness::Background;
use super::super::cluster::terms::Terms;
use super::super::cluster::vectors::Vectors;
use super::super::evidence::index::Index;
use super::super::evidence::segment_ref::SegmentRef;
use super::super::word::guard;
use super::expected::Recent;
use super::older::Older;
use super::score::PublishRule;
use crate::event::Timestamp;

/// Everything that candidates of one workspace are made from.
pub(in crate::skillify) struct Workspace<'a> {
    pub(in crate::skillify) name: &'a str,
    /// Oldest first.
    pub(in crate::skillify) works: &'a [SegmentRef<'a>],
    /// The same with the segments that loaded a skill: what people say in them is no less their own.
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
    /// What sessions tell of what they run.
    pub(in crate::skillify) known: guard::Known,
    /// What sessions showed that are older than these.
    pub(in crate::skillify) older: Option<&'a Older>,
}

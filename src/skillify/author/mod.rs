//! The author: a model that proposes lessons, and evidence that decides.
//!
//! ```text
//! tracks ─► excerpts of those worth reading ─► observe (a model) ─► quotes checked ─► merge, in any order
//!        └────────────────────► every predicate counted on all sessions ◄─────────────┘
//!                                     │ those that stand
//!                                     ▼
//!                               write (a model) ─► each line checked ─► candidates that wait for a person
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `clean.rs` | what of a text may leave the machine |
//! | `excerpt.rs` | what of a session is shown, and whether it is worth it |
//! | `shown.rs` | how commands and prompts are shown |
//! | `recurring.rs` | what happens in one session after another, with its count |
//! | `told.rs` | what of an output and of an edit tells most |
//! | `observe.rs` | the question about excerpts; what of an answer stands |
//! | `merge.rs` | observations of many sessions become few |
//! | `judge.rs` | which of them stand |
//! | `stood.rs` | an observation that stands, with its counts |
//! | `chance.rs` | how probable their counts are by chance |
//! | `widen.rs` | the same wish in the words of others |
//! | `mends.rs` | what mends a finding, and what only silences it |
//! | `uses.rs` | what shows how a thing is done |
//! | `instead.rs` | what is there, or works, in the place of what does not |
//! | `spoken.rs` | which prompts say what a lesson does |
//! | `stems.rs` | the words of a text that say something |
//! | `wishes.rs` | whether a sentence is a wish, a correction or an objection |
//! | `repeats.rs` | which lessons say what others do, or what mining says |
//! | `pages.rs` | the skills that people wrote, as a writer is shown them |
//! | `line.rs` | what a line may say |
//! | `faithful.rs` | whether it says what its claims count |
//! | `headings.rs` | the heads of skills that nobody wrote |
//! | `write.rs` | the question for skills; candidates made of its answer, or without one |
//!
//! Invariants: a model's word is never support; what it says of a predicate is counted in sessions and falls where they do
//! not show it. Text of a tool is shown as what it is, and neither quoted nor written. The same sessions with the same answers
//! give the same bytes, in any order. Nothing is published before a person agrees to it.

mod chance;
mod clean;
mod excerpt;
mod faithful;
mod headings;
mod instead;
mod judge;
mod line;
mod mends;
mod merge;
mod observe;
mod pages;
mod recurring;
mod repeats;
mod shown;
mod spoken;
mod stems;
pub(super) mod stood;
mod told;
mod uses;
mod widen;
mod wishes;
mod write;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::predicate::{Predicate, Track};
use super::{Candidate, Mined, Verified};
use crate::table::Session;

pub use excerpt::Excerpt;
pub use judge::Judged;
pub use observe::{Answered, Pack};
pub use stood::Stood;

use super::llm::Question;

/// What a model noticed in one session: kept beside the digests, erased with the session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Observation {
    /// What sessions are asked.
    pub when: Predicate,
    /// What it is about, in one of the words of the schema.
    pub kind: String,
    /// The model's sentence.
    pub says: String,
    /// Event ids, and what stands there word for word.
    pub quotes: Vec<(Vec<String>, String)>,
}

/// The sessions of a workspace, read for the author.
pub struct Reading<'a> {
    tracks: Vec<Track<'a>>,
    sessions: &'a [Session],
    excerpts: Vec<Excerpt>,
    clean: clean::Cleaner,
}

impl<'a> Reading<'a> {
    /// Reads the sessions of one workspace, in any order.
    pub fn of(sessions: &'a [Session]) -> Self {
        let mut tracks: Vec<Track<'_>> = sessions.iter().map(Track::of).collect();
        tracks.sort_by(|a, b| (a.started_at, a.tenant, a.session).cmp(&(b.started_at, b.tenant, b.session)));
        let clean = clean::Cleaner::of(sessions);
        let excerpts = excerpt::chosen(&tracks, &clean);
        Self { tracks, sessions, excerpts, clean }
    }

    /// The excerpts of the sessions that are worth reading, oldest first.
    pub fn excerpts(&self) -> &[Excerpt] {
        &self.excerpts
    }

    /// Questions about those excerpts that `is_known` knows nothing of, the oldest first.
    pub fn questions(&self, model: &str, is_known: impl Fn(&Excerpt) -> bool) -> Vec<Pack> {
        let unread: Vec<&Excerpt> = self.excerpts.iter().filter(|excerpt| !is_known(excerpt)).collect();
        observe::packs(model, &unread)
    }

    /// What of the observations all sessions prove and mining does not say already, the best proved first; and why the
    /// others do not stand.
    pub fn judged(&self, observations: &[Observation], mined: &Mined) -> Judged {
        judge::judged(merge::merged(observations), &self.tracks, mined)
    }

    /// The question for the skills that say what stood; `None` if nothing did. `pages` are the skills that people wrote,
    /// by the names of their folders.
    pub fn to_write(
        &self,
        model: &str,
        stood: &[Stood],
        pages: &BTreeMap<String, String>,
    ) -> Option<Question> {
        write::question(model, stood, &pages::Pages::of(pages, stood, &self.clean))
    }

    /// What of an answer may be kept: finished lines, and nothing else.
    pub fn sift(&self, answer: &str, stood: &[Stood], pages: &BTreeMap<String, String>) -> String {
        let pages = pages::Pages::of(pages, stood, &self.clean);
        write::sift(answer, stood, &pages, &self.literals(), &self.printed())
    }

    /// The skills, each waiting for a person; `answer` is what [`Reading::sift`] left, `None` without one.
    pub fn candidates(
        &self,
        answer: Option<&str>,
        stood: &[Stood],
        workspace: &str,
        verified: &Verified,
    ) -> Vec<Candidate> {
        let literals = self.literals();
        let printed = self.printed();
        let made = write::Making {
            workspace,
            verified,
            sessions: self.sessions,
            literals: &literals,
            printed: &printed,
        };
        made.candidates(answer, stood)
    }

    fn literals(&self) -> line::Literals<'_> {
        line::Literals::of(&self.tracks)
    }

    fn printed(&self) -> line::Printed {
        line::Printed::of(self.excerpts.iter().flat_map(Excerpt::printed))
    }
}

//! Predicates: a small language for what a lesson says of sessions, and what they show of it.
//!
//! ```text
//! after edit "src/**/*.rs" run "make test" expect pass
//! after fail "make itest" saying "connection refused" run "make db-up" expect clean pass "make itest"
//! before run "git commit ..." prompt saying "commit"
//! after look "src/commands" expect missing
//! ```
//!
//! A predicate names a **situation**, an **action** and an **expected result**; `docs/reference/predicates.md` has the grammar. A line
//! is read ([`Predicate::parse`]), prints as it is read, and is held against sessions ([`evaluate`]): for each
//! situation that a session meets, whether it was followed, violated or nobody can tell, and what came of it.
//!
//! | file | holds |
//! |---|---|
//! | `ast.rs` | the tree, and its text |
//! | `lexer.rs`, `parse.rs` | a line becomes a tree, or an error with its column and what may be meant |
//! | `lesson.rs` | the predicates of a file: a skill's page, or a line each |
//! | `track.rs` | a session as predicates read it |
//! | `matching.rs` | whether what happened is what an event names |
//! | `eval.rs` | what sessions show |
//! | `refute.rs` | what it says against what people wrote |
//! | `base.rs` | how often what is expected comes anyway |
//! | `in_words.rs` | a predicate as a sentence |
//! | `texts.rs` | the texts, commands and paths of a predicate |
//!
//! Invariants: the language is closed; it names no program of its own, runs nothing and reads nothing but sessions.
//! What prints parses to the same tree. [`VERSION`] rises when a line means something else than before.

mod ast;
mod base;
mod eval;
mod in_words;
mod lesson;
mod lexer;
mod matching;
mod parse;
mod refute;
mod texts;
mod track;

use std::fmt;

pub use ast::Predicate;
pub use eval::{Case, Followed, Shown, Side, Verdict, cases, evaluate};
pub use lesson::{LessonError, LessonLine, read_lesson};
pub use lexer::ParseError;
pub use track::Track;

pub(super) use ast::{Action, Class, Ending, Event, Expected, Look, Pattern, Relation, Saying, Scope};
pub(super) use base::base;
pub(super) use in_words::in_words;
pub(super) use matching::{Compiled, says};
pub(super) use track::{Beat, Happened};

/// The version of the language that this program reads.
pub const VERSION: u32 = 2;

impl Predicate {
    /// Reads one line.
    pub fn parse(line: &str) -> Result<Self, ParseError> {
        parse::predicate(line)
    }
}

impl std::str::FromStr for Predicate {
    type Err = ParseError;

    fn from_str(line: &str) -> Result<Self, ParseError> {
        Self::parse(line)
    }
}

impl serde::Serialize for Predicate {
    /// As it prints.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Predicate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let line = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        Self::parse(&line).map_err(serde::de::Error::custom)
    }
}

/// A list of words as a sentence has it: `a, b or c`.
struct Listed<'w>(&'w [&'w str]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, word) in self.0.iter().enumerate() {
            let joint = if at == 0 {
                ""
            } else if at + 1 == self.0.len() {
                " or "
            } else {
                ", "
            };
            write!(f, "{joint}{word}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

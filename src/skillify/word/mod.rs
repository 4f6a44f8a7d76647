//! From claims to sentences: the words of a skill, its name and trigger, and what may not be published.
//!
//! | file | |
//! |---|---|
//! | `wording.rs` | claims and evidence; skills as mined; claims read from text |
//! | `propose.rs` | claims that people's words suggest; who words claims |
//! | `sentences.rs` | the sentences of a skill, and its head |
//! | `name.rs` | the sentences of a skill, and its head |
//! | `trigger.rs` | which words say when to use a skill |
//! | `guard.rs` | claims that the events show; text that may be published |
//! | `unwanted.rs` | how a text names a command that it is against |
//! | `rule_meaning.rs` | what well-known rules of linters ask for |
//! | `irreversible.rs` | commands that a skill says to ask about first |

pub(super) mod guard;
pub(super) mod irreversible;
pub(super) mod name;
pub(super) mod offline;
pub(super) mod propose;
pub(super) mod rule_meaning;
pub(super) mod sentences;
pub(super) mod trigger;
pub(super) mod unwanted;
pub(super) mod wording;

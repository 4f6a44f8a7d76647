//! From claims to sentences: the text of a skill.
//!
//! | file | what it decides |
//! |---|---|
//! | `sentences.rs` | the sentence of each claim, and which claims one sentence says |
//! | `name.rs` | the name, the title and the description of a skill |
//! | `wording.rs` | the parts of a text, and a skill as mined ([`wording::Candidate`]) |
//! | `propose.rs`, `offline.rs` | who words claims: a proposer, or the program itself |
//! | `irreversible.rs` | which commands a skill asks about first |

pub(super) mod irreversible;
pub(super) mod name;
pub(super) mod offline;
pub(super) mod propose;
pub(super) mod sentences;
pub(super) mod wording;

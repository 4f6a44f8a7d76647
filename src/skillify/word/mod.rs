//! From claims to sentences: the text of a skill.
//!
//! | file | what it decides |
//! |---|---|
//! | `sentences.rs` | the sentence of each claim, and which claims one sentence says |
//! | `name.rs` | the name, the title and the description of a skill |
//! | `wording.rs` | the parts of a text, and a skill as mined ([`wording::Candidate`]) |
//! | `propose.rs` | who may word claims: the trait of a proposer, and what it gets |
//! | `offline.rs` | the text of a skill without a model |
//! | `irreversible.rs` | which commands a skill asks about first |

pub(super) mod irreversible;
pub(super) mod name;
pub(super) mod offline;
pub(super) mod propose;
pub(super) mod sentences;
pub(super) mod wording;

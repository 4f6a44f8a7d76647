//! Sessions: a session becomes segments of turns, turns hold actions, and the digest is what mining keeps of them.
//!
//! A session's events are read in order ([`segment`]): its calls become actions ([`action`]) with the commands of their
//! lines ([`lines`]), and what each printed says how it ended ([`endings`], [`outputs`]). [`acceptance`] says whether people
//! were content. Nothing here knows what a claim is.
//!
//! | file | |
//! |---|---|
//! | `segment.rs` | a session becomes task segments of turns |
//! | `action.rs` | facts become actions, the same for every assistant; what its own tools edit |
//! | `edits.rs` | facts become actions, the same for every assistant; what its own tools edit |
//! | `printed_scripts.rs` | which scripts a check or a commit prints |
//! | `code.rs` | which names the scripts call that a session wrote and ran |
//! | `search.rs` | where a session found things, and where it did not; flags that programs know |
//! | `option.rs` | where a session found things, and where it did not; flags that programs know |
//! | `tree.rs` | which files a session saw changed |
//! | `exposure.rs` | what showed a session lessons, beside skills that it loads |
//! | `acceptance.rs` | whether people were content with a turn |
//! | `checkout.rs` | where the paths of edited files begin |
//! | `digest.rs` | what mining needs of a session, and nothing more |
//! | `status_name.rs` | what mining needs of a session, and nothing more |
//! | `interner.rs` | one command in memory for all actions that ran it |
//! | `lines.rs` | command lines and what they print, each read once |
//! | `outputs.rs` | command lines and what they print, each read once |
//! | `event_ids.rs` | the events that show an action, in few bytes |
//! | `account.rs` | what a session cost, and why |
//! | `arrow.rs` | segments as rows for other engines |
//! | `outcome.rs` | accepted, rejected or unknown |
//! | `short_hash.rs` | short names |
//! | `search_result.rs` | what a session found, and where |
//! | `claimable.rs` | which commands may stand in a claim |
//! | `choice.rs` | which of two commands a person wanted |
//! | `sharing.rs` | what sessions have in common, each once in memory |
//! | `endings.rs` | how each command of a call ended |
//! | `removal.rs` |  |

pub(super) mod acceptance;
pub mod account;
pub(super) mod action;
pub(super) mod arrow;
pub(super) mod checkout;
pub(super) mod choice;
pub(super) mod claimable;
pub(super) mod code;
pub(super) mod digest;
pub(super) mod edits;
pub(super) mod endings;
pub(super) mod event_ids;
pub(super) mod exposure;
pub(super) mod interner;
pub(super) mod lines;
pub(super) mod option;
pub(super) mod outcome;
pub(super) mod outputs;
pub(super) mod printed_scripts;
pub(super) mod removal;
pub(super) mod search;
pub(super) mod search_result;
pub(super) mod segment;
pub(super) mod sharing;
pub(super) mod short_hash;
pub(super) mod status_name;
pub(super) mod tree;

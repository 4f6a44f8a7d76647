//! Sessions: a session becomes segments of turns, and turns hold actions with their outcomes.
//!
//! A session's events are read in order ([`segment`]). Its calls become actions ([`action`]) with the commands of their
//! lines ([`lines`]). What each call printed says how it ended ([`endings`], [`outputs`]), and [`acceptance`] says whether
//! people were content. Nothing here knows what a claim is.
//!
//! | file | what it decides |
//! |---|---|
//! | `segment.rs` | where a task begins and ends: a session becomes segments of turns |
//! | `action.rs`, `edits.rs` | which action a call is, the same for every assistant; which files it edits |
//! | `lines.rs`, `outputs.rs` | what command lines hold and print, each read once |
//! | `endings.rs`, `status_name.rs` | whether each command of a call passed, failed or ended unknown |
//! | `outcome.rs`, `acceptance.rs` | whether people accepted or rejected a turn |
//! | `checkout.rs` | where the repository begins: paths become relative to it |
//! | `tree.rs` | which files a session saw changed |
//! | `work_tree.rs` | which paths belong to the repository, and which actions may change its files |
//! | `claimable.rs` | which commands a claim may name |
//! | `choice.rs` | which of two commands a person wanted |
//! | `search.rs`, `search_result.rs` | what a session looked for, and where it found it or did not |
//! | `option.rs` | which flags a program does not know |
//! | `printed_scripts.rs` | which scripts a check or a commit prints |
//! | `code.rs` | which names the scripts call that a session wrote and ran |
//! | `removal.rs` | what a session removed because a check failed in it |
//! | `exposure.rs` | which lessons an assistant was shown, beside the skills that it loads |
//! | `account.rs` | what a session cost, and why |
//! | `interner.rs`, `sharing.rs`, `event_ids.rs`, `short_hash.rs` | commands, outputs and ids in little memory |

pub(super) mod acceptance;
pub mod account;
pub(super) mod action;
pub(super) mod checkout;
pub(super) mod choice;
pub(super) mod claimable;
pub(super) mod code;
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
pub(super) mod work_tree;

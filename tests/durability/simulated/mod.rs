//! A simulated disk, and what it takes to run the journal and the table on it.
//!
//! | file | holds |
//! |---|---|
//! | `disk.rs` | the disk: power losses, torn writes, syncs that fail or are left out, no space |
//! | `content.rs` | files and folders: what is seen, what is durable, what is between |
//! | `store.rs` | reading the table's files from it |
//! | `call_site.rs` | which lines of the product asked for a sync |
//! | `random.rs` | numbers that a seed decides |
//! | `directed.rs` | short lives that end where one sync decides |
//! | `history.rs` | a random life of a journal and its table, held against what was acknowledged |

mod call_site;
mod content;
mod directed;
mod disk;
mod history;
mod random;
mod store;

pub(crate) use directed::{KINDS, run_directed};
pub(crate) use disk::SimulatedDisk;
pub(crate) use history::run;

//! What is acknowledged stays, whatever happens to the process, the disk and the files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod damage;
mod disk;
mod exporter;
mod failures;
mod group_commit;
mod histories;
mod limits;
mod power;
mod rotation;
mod simulated;
mod support;
mod taken_away;

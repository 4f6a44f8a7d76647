//! What waits of an assistant's hooks, when `skillspan connect` writes them or takes them out.

use std::fmt::Write;
use std::time::{Duration, Instant};

use super::sent;
use crate::cli::columns::counted;
use crate::cli::folders;
use crate::receivers::hooks::{Spool, SpoolError, folder, leave_behind};

/// A person waits for it, and is told.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends what waits for `endpoint` with `token` (`""`: none). What the assistant left there with `earlier`, its token
/// until now, or with one that the collector does not know, is sent with this one. Returns what was done, a line each;
/// `""` if nothing waits.
pub(in crate::cli) fn catch_up(assistant: &str, endpoint: &str, token: &str, earlier: &str) -> String {
    let Some(root) = folders::data().map(|data| folder(&data)) else { return String::new() };
    let spool = Spool::of(&root, endpoint, token);
    let mut said = String::new();
    // Who gives no token says nothing about the one before.
    if !token.is_empty() {
        match spool.take_over(&root, endpoint, assistant, &Spool::of(&root, endpoint, earlier)) {
            Ok(0) => {}
            Ok(taken) => {
                let _ = write!(said, "\n{} that waited with another token go with this one", events(taken));
            }
            Err(error) => {
                let _ = write!(said, "\nwhat waits with another token stays there: {error}");
            }
        }
    }
    // A collector on this machine takes it by itself.
    if !spool.may_have_entries() || spool.is_attended() {
        return said;
    }
    let _ = match sent(&spool, endpoint, token, Instant::now() + PATIENCE) {
        Ok(0) => Ok(()),
        Ok(count) => write!(said, "\nsent {} that waited", events(count)),
        Err(error) => write!(said, "\nevents of hooks wait: {error:#}; the next hook tries again"),
    };
    said
}

/// What was not sent of an assistant whose hooks are taken out: how much, where it is and what to do, a line for each
/// collector; `""` if nothing waits.
pub(in crate::cli) fn left_behind(assistant: &str, name: &str) -> Result<String, SpoolError> {
    let Some(root) = folders::data().map(|data| folder(&data)) else { return Ok(String::new()) };
    let mut said = String::new();
    for left in leave_behind(&root, assistant)? {
        let _ = write!(
            said,
            "\n{} of its hooks for {} not sent and stay in {}; `skillspan connect {name} --write` with the address and \
             the token sends {them}, removing that folder forgets {them}",
            counted(left.entries, "event"),
            if left.entries == 1 {
                format!("{} was", left.endpoint)
            } else {
                format!("{} were", left.endpoint)
            },
            left.folder.display(),
            them = if left.entries == 1 { "it" } else { "them" },
        );
    }
    Ok(said)
}

fn events(count: usize) -> String {
    format!("{} of hooks", counted(count, "event"))
}

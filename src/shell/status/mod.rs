//! How each command of a line ended: passed, failed or unknown.
//!
//! Three things tell, in this order:
//! 1. what a runner itself sums up (`forms/`): "0 fail" is a pass under any logged `error:`, and
//!    "12 issues:" a failure under exit status 0;
//! 2. the call's exit status, as far as the line lets it through (`exit.rs`), or what the line prints of
//!    it itself (`witness.rs`);
//! 3. for a chain that failed, which of its commands the output names (`verdict.rs`).
//!
//! What is not shown proves nothing. An output that a filter limits or that was cut can prove a failure.
//! It proves a pass by totals of the whole run alone ("3 passed, 3 total"), or by the line that ends
//! such a run where the end of the output is shown: a run that failed says so behind it. An output is
//! whole again where fewer lines stand there than `head` or `tail` lets through.
//!
//! | file | holds |
//! |---|---|
//! | `reading.rs` | what is read of an output, and what is missing from it |
//! | `code.rs` | exit codes that clients state within an output |
//! | `exit.rs` | what the exit status proves |
//! | `witness.rs` | what the line prints of it |
//! | `forms/` | how public tools say how they ended |
//! | `verdict.rs` | whose a form is, and what it says |
//! | `running.rs` | commands that outlive their call |
//! | `fixtures.rs` | for tests: what real runners print, and what is read from it |

pub(crate) mod code;
mod exit;
mod forms;
mod reading;
mod running;
mod verdict;
mod witness;

pub(crate) use running::{
    background_id, ending, is_in_background, is_poll, is_still_running, joined, named_by, printed,
    runs_commands,
};

use super::command::{Listed, commands};
use super::refusal;
use super::tool::command_line;
use crate::event::Status;
use exit::Proof;
use reading::Reading;
use verdict::{Verdict, Verdicts};

/// A status with the code that a client writes above an output.
pub(crate) fn as_written(reported: Status, output: &str) -> Status {
    reading::reported(reported, output)
}

/// Whether a client or a store says that it left out a part of an output.
pub(crate) fn is_cut(output: &str) -> bool {
    Reading::new(output).lines.is_none()
}

/// How a call ended, as its client and the code that stands around its output say. A command that goes on,
/// or that was not run, has no status.
pub(crate) fn of_call(tool: &str, input: &str, reported: Status, output: &str) -> Status {
    if !runs_commands(tool, input) {
        return reported;
    }
    if refusal::was_not_run(output) || is_still_running(output) {
        return Status::Unknown;
    }
    let status = reading::reported(reported, output);
    // What its client calls a success is that it was started.
    let is_started = status == Status::Ok && is_in_background(input) && ending(output).is_none();
    if is_started { Status::Unknown } else { status }
}

/// How the command line of a call ended: its exit status, and what its output says of the commands. It
/// failed if one of them did, also where the line hides that. Of a call without a command line, its status.
pub(crate) fn of_line(tool: &str, input: &str, reported: Status, output: &str) -> Status {
    let Some(line) = command_line(tool, input) else { return reported };
    let listed = commands(&line);
    of_listed(&listed, &statuses(&listed, reported, output), reported, output)
}

/// [`of_line`], for a caller that knows which commands ran and how each ended.
pub(crate) fn of_listed(listed: &[Listed], ended: &[Status], reported: Status, output: &str) -> Status {
    let telling: Vec<Status> = listed
        .iter()
        .zip(ended)
        .filter_map(|(listed, status)| (!listed.command.is_trivial()).then_some(*status))
        .collect();
    match reading::reported(reported, output) {
        _ if refusal::was_not_run(output) || is_still_running(output) => Status::Unknown,
        _ if telling.contains(&Status::Error) => Status::Error,
        Status::Unknown if !telling.is_empty() && telling.iter().all(|status| *status == Status::Ok) => {
            Status::Ok
        }
        status => status,
    }
}

/// How each command of a line ended, as far as the call's status and output tell.
pub(crate) fn statuses(listed: &[Listed], reported: Status, output: &str) -> Vec<Status> {
    if refusal::was_not_run(output) || is_still_running(output) {
        return vec![Status::Unknown; listed.len()];
    }
    let reported = reading::reported(reported, output);
    let mut proofs = exit::proofs(listed, reported);
    if listed.iter().all(|listed| listed.command.is_trivial()) {
        return proofs.iter().map(|proof| settled(*proof)).collect();
    }
    let reading = Reading::new(output);
    let stopped = exit::stopped_at(listed, &reading.text).filter(|_| reported == Status::Error);
    if let Some(proof) = stopped.and_then(|at| proofs.get_mut(at)) {
        *proof = Proof::Failed;
    }
    let verdicts = Verdicts::new(listed, &proofs, &reading);
    let blamed = proofs.contains(&Proof::Suspect).then(|| blame(&proofs, &verdicts)).flatten();
    let mut statuses: Vec<Status> = proofs
        .iter()
        .enumerate()
        .map(|(index, proof)| match proof {
            _ if listed.get(index).is_some_and(|listed| listed.command.is_trivial()) => settled(*proof),
            Proof::Passed if verdicts.contradicts(index) => Status::Error,
            Proof::Passed => Status::Ok,
            Proof::Failed => Status::Error,
            Proof::Suspect => match blamed {
                Some(Blame { passed, .. }) if index < passed => Status::Ok,
                Some(Blame { failed, .. }) if failed == Some(index) => Status::Error,
                _ => Status::Unknown,
            },
            Proof::Silent | Proof::Untold => untold(listed, index, &reading, &verdicts),
        })
        .collect();
    let by_exit = proofs.iter().position(|proof| *proof == Proof::Failed);
    let failed = stopped.or(by_exit).or(blamed.and_then(|blame| blame.failed));
    for index in failed.map_or(0..0, |failed| exit::not_run(listed, failed)) {
        if let Some(status) = statuses.get_mut(index) {
            *status = Status::Unknown;
        }
    }
    statuses
}

fn settled(proof: Proof) -> Status {
    match proof {
        Proof::Passed => Status::Ok,
        Proof::Failed => Status::Error,
        Proof::Suspect | Proof::Silent | Proof::Untold => Status::Unknown,
    }
}

/// A command whose status is not told: the line's own words, then the output.
fn untold(listed: &[Listed], index: usize, reading: &Reading<'_>, verdicts: &Verdicts<'_>) -> Status {
    let told = witness::told(listed, index, reading);
    if told != Status::Unknown && !(told == Status::Ok && verdicts.contradicts(index)) {
        return told;
    }
    // What another call runs behind `&` may not have begun to print.
    match verdicts.of_untold(index) {
        Some(Verdict::Passed) => Status::Ok,
        Some(Verdict::Failed) => Status::Error,
        None => Status::Unknown,
    }
}

/// Where a chain failed.
#[derive(Clone, Copy)]
struct Blame {
    /// The suspects before it passed.
    passed: usize,
    /// It, if it is known.
    failed: Option<usize>,
}

/// Which of the suspects of a chain failed: the one that the output names. Those before it passed, those
/// behind it did not run.
fn blame(proofs: &[Proof], verdicts: &Verdicts<'_>) -> Option<Blame> {
    let suspects = || (0..proofs.len()).filter(|index| proofs.get(*index) == Some(&Proof::Suspect));
    let said: Vec<(usize, Verdict)> =
        suspects().filter_map(|index| Some((index, verdicts.of_suspect(index)?))).collect();
    let mut failed = said.iter().filter(|(_, verdict)| *verdict == Verdict::Failed).map(|(index, _)| *index);
    match (failed.next(), failed.next()) {
        (Some(index), None) => return Some(Blame { passed: index, failed: Some(index) }),
        (Some(_), Some(_)) => return None,
        _ => {}
    }
    // All that passed stand before the one that failed.
    let passed = said.iter().map(|(index, _)| index + 1).max()?;
    let mut rest = suspects().filter(|index| *index >= passed);
    let only = rest.next().filter(|_| rest.next().is_none() && !proofs.contains(&Proof::Silent));
    Some(Blame { passed, failed: only })
}

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

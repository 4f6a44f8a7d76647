//! `skillspan hook`: what an assistant gives to its hooks, to the collector.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | the command |
//! | `arguments.rs` | its command line |
//! | `check.rs` | the same as a question, for `connect --check` |
//! | `catch_up.rs` | what waits, when `connect` writes or removes hooks |
//! | `event.rs` | standard input → one redacted object |
//! | `send.rs` | what waits → the collector |
//!
//! The assistant waits for this process, so it does little and has a deadline: redact (what takes too long is left
//! out, and the spool's `refused` says so), add to the spool (`receivers::hooks::spool`), and, unless a collector
//! takes it from there or another process sends already, send what waits: to a collector on this machine itself, to
//! one that is further away by a process that outlives it. What the spool cannot keep is sent at once, and lost only
//! if that fails too. Hooks come in bursts, so there is one thread, and only a process that sends to a listening
//! collector pays for a runtime and a client. Whatever happens, it prints what the assistant expects and exits with
//! 0; `--verbose` says on standard error what happened. It reads no configuration: its environment, its arguments and
//! marker files are all it needs.
//!
//! | variable | means |
//! |---|---|
//! | `SKILLSPAN_ENDPOINT` | the collector, where `--endpoint` does not say |
//! | `SKILLSPAN_TOKEN` | sent as `Authorization: Bearer`, before what `--token-file` holds; never written |
//! | `SKILLSPAN_HOOK=off`, `SKILLSPAN_CAPTURE=false` | nothing is read, kept or sent |
//! | `SKILLSPAN_WORKSPACE`, `SKILLSPAN_USER` | whose the event is |
//! | `OTEL_RESOURCE_ATTRIBUTES` | `workspace`, `user.name` and their like become fields; `skillspan.capture=false` as above. Not every assistant hands it to its hooks |
//! | `TRACEPARENT` | the trace, where the hook does not name it |

mod arguments;
mod catch_up;
mod check;
mod event;
mod send;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::probe::is_here;
use crate::cli::folders;
use crate::dialects::{HOOKS, Hooks};
use crate::receivers::hooks::{Spool, folder};

pub(super) use arguments::Arguments;
pub(super) use catch_up::{catch_up, left_behind};
pub(super) use check::{CHECK, Outcome};
pub(super) use event::{pairs, percent_decoded};

/// Where a collector listens by default.
pub(super) const ENDPOINT: &str = "http://127.0.0.1:4318";

/// What waits for a collector on this machine is left to the next call by then.
const SENDING: Duration = Duration::from_millis(120);
/// The same for one that is further away, and for which no assistant waits.
const SENDING_FAR: Duration = Duration::from_secs(20);
/// A hook's input is there when its process begins, and a lock is held for a write. On a machine that is
/// overloaded the event is worth more than the time.
const PATIENCE: Duration = Duration::from_secs(2);
/// What is not redacted by then is left out. Ordinary texts take a millisecond for each megabyte.
const REDACTING: Duration = Duration::from_millis(300);

/// Runs the hook that this process's command line is.
pub(super) fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(2).collect();
    match Arguments::parse(words.into_iter()) {
        Ok(arguments) => run(&arguments),
        Err(error) => {
            // Nobody is left to be told that the terminal is gone.
            let _ = error.print();
            // An assistant is not to be stopped by how its hook is written; who asks for help is a person.
            if error.use_stderr() {
                answer("");
            }
            ExitCode::SUCCESS
        }
    }
}

/// Never fails: an assistant would stop, or show it to the person.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let began = Instant::now();
    if check::is_asked() {
        return check::run(arguments, began);
    }
    if send::is_asked() {
        // Nobody reads this output; `status` shows the spool's errors.
        let _ = send_what_waits(arguments, began);
        return ExitCode::SUCCESS;
    }
    answer(&arguments.assistant);
    let said = deliver(arguments, began).unwrap_or_else(|error| format!("{error:#}"));
    if arguments.verbose {
        let _ =
            writeln!(std::io::stderr(), "skillspan hook: {}", crate::event::visible_line(&said.to_string()));
    }
    ExitCode::SUCCESS
}

/// Whether the command line begins as a hook's does, however it goes on.
pub(super) fn is_called() -> bool {
    std::env::args_os().nth(1).is_some_and(|command| command == "hook")
}

/// Prints the answer by which a hook tells its assistant to go on.
fn answer(assistant: &str) {
    let answer = if assistant == "cline" { "{\"cancel\":false}\n" } else { "{}\n" };
    let mut out = std::io::stdout().lock();
    // An assistant that does not listen expects nothing.
    let _ = out.write_all(answer.as_bytes()).and_then(|()| out.flush());
}

fn deliver(arguments: &Arguments, began: Instant) -> anyhow::Result<String> {
    if event::is_off() {
        return Ok("switched off".to_owned());
    }
    let known = || HOOKS.iter().map(|hooks| hooks.assistant).collect::<Vec<_>>().join(", ");
    let Some(hooks) = Hooks::of(&arguments.assistant) else {
        anyhow::bail!("skillspan knows no hooks of `{}`; it knows those of {}", arguments.assistant, known());
    };
    let endpoint = arguments.endpoint.trim_end_matches('/');
    let token = token(arguments);
    let root = folders::data().map(|data| folder(&data));
    let of_token = token.as_deref().unwrap_or_default();
    let spool = root.as_deref().map(|root| Spool::of(root, endpoint, of_token));
    let refused = |reason: &str| {
        if let Some(spool) = &spool {
            // Kept without a word of what was read. Where nothing can be kept, this cannot be either.
            let _ = spool.create(endpoint).is_ok() && spool.note_refusal(reason).is_ok();
        }
    };
    let token = token.inspect_err(|error| refused(&format!("{error:#}")))?;
    let read = event::read(std::io::stdin(), began + PATIENCE);
    let fields = read.and_then(|bytes| event::object(&bytes));
    let fields = fields.inspect_err(|error| refused(&error.to_string()))?;
    let mut marks = event::marks(&fields).inspect_err(|error| refused(&error.to_string()))?;
    if let Some(path) = marks.off.take() {
        return Ok(format!("left out by {}", path.display()));
    }
    let deadline = Instant::now() + REDACTING;
    let entry = event::entry(hooks.assistant, root.as_deref(), fields, arguments, marks, deadline);
    let (entry, left_out) = entry.inspect_err(|error| refused(&error.to_string()))?;
    if left_out > 0 {
        refused(&format!("{left_out} texts of an event could not be redacted in time and were left out"));
    }
    let Some(spool) = &spool else {
        return send::directly(&entry, endpoint, &token, began + SENDING).context("nowhere to keep it");
    };
    let kept = spool.create(endpoint).and_then(|()| spool.add(&entry, Instant::now() + PATIENCE));
    if let Err(error) = kept {
        let sent = send::directly(&entry, endpoint, &token, began + SENDING);
        return sent.inspect_err(|_| refused(&error.to_string())).context(error);
    }
    if spool.is_attended() {
        return Ok("kept for the collector on this machine, which takes it".to_owned());
    }
    let is_far = !is_here(endpoint);
    // With `--verbose`, the person waits for the result.
    if is_far && !arguments.verbose && send::on_its_own(arguments, endpoint).is_ok() {
        return Ok(format!("kept, and sent to {endpoint} by a process of its own"));
    }
    let sent = sent(spool, endpoint, &token, began + if is_far { SENDING_FAR } else { SENDING })?;
    Ok(format!("{sent} sent to {endpoint}"))
}

/// Sends the waiting entries, and keeps errors for `status`. Returns how many entries were acknowledged.
fn sent(spool: &Spool, endpoint: &str, token: &str, deadline: Instant) -> anyhow::Result<usize> {
    let sent = send::what_waits(spool, endpoint, token, deadline);
    let trouble = sent.as_ref().err().map(|error| format!("{error:#}"));
    let is_news = !sent.as_ref().is_err_and(|error| error.is::<send::NoTime>());
    if is_news {
        // What waits is safe whether or not this can be kept.
        let _ = spool.note_trouble(trouble.as_deref());
    }
    sent
}

/// What the process does that a hook starts for a collector that is further away.
fn send_what_waits(arguments: &Arguments, began: Instant) -> anyhow::Result<usize> {
    let endpoint = arguments.endpoint.trim_end_matches('/');
    let token = token(arguments)?;
    let root = folders::data().map(|data| folder(&data)).context("nothing is kept without a data folder")?;
    sent(&Spool::of(&root, endpoint, &token), endpoint, &token, began + SENDING_FAR)
}

/// The collector's credential, `""` if it asks for none.
fn token(arguments: &Arguments) -> anyhow::Result<String> {
    let said = std::env::var("SKILLSPAN_TOKEN").unwrap_or_default();
    match &arguments.token_file {
        Some(path) if said.is_empty() => {
            let text = std::fs::read_to_string(path);
            Ok(text
                .with_context(|| format!("the token cannot be read: {}", path.display()))?
                .trim()
                .to_owned())
        }
        _ => Ok(said),
    }
}

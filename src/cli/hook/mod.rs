//! `skillspan hook`: what an assistant gives to its hooks, to the collector.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | the command |
//! | `event.rs` | standard input → one redacted object |
//! | `send.rs` | what waits → the collector |
//!
//! The assistant waits for this process, so it does little and has a deadline: redact, add to the
//! spool (`receivers::hooks::spool`), and, unless another process does so already, send what waits. What
//! cannot be kept is sent at once, and lost only if that fails too.
//! Whatever happens, it prints what the assistant expects and exits with 0; `--verbose` says on standard
//! error what happened. It reads no configuration: its environment and its arguments are all it needs.
//!
//! | variable | means |
//! |---|---|
//! | `SKILLSPAN_ENDPOINT` | the collector, where `--endpoint` does not say |
//! | `SKILLSPAN_TOKEN` | sent as `Authorization: Bearer`; never written |
//! | `SKILLSPAN_HOOK=off` | nothing is read, kept or sent |
//! | `OTEL_RESOURCE_ATTRIBUTES` | `workspace`, `user.name` and their like become fields; `skillspan.capture=false` as above |
//! | `TRACEPARENT` | the trace, where the hook does not name it |

mod event;
mod send;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;

use crate::dialects::{HOOKS, Hooks};
use crate::receivers::hooks::{Spool, folder};

/// Where a collector listens by default.
pub(super) const ENDPOINT: &str = "http://127.0.0.1:4318";

/// What waits is left to the next call by then.
const SENDING: Duration = Duration::from_millis(120);
/// The process ends by then, whatever it waits for.
const END: Duration = Duration::from_millis(180);
/// A hook's input is there when its process begins. What follows, until the event is in the spool, waits
/// for nobody but the processor: on a machine that is overloaded the event is worth more than the time.
const INPUT: Duration = Duration::from_secs(2);
const KEEPING: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Whose hook calls: claude, cline, copilot, cursor, hermes or pi
    #[arg(value_name = "ASSISTANT")]
    assistant: String,
    /// The base of the collector's HTTP addresses
    #[arg(long, value_name = "URL", env = "SKILLSPAN_ENDPOINT", default_value = ENDPOINT)]
    endpoint: String,
    /// Say on standard error what happened
    #[arg(long, short)]
    verbose: bool,
}

/// Runs until the deadline at most. Never fails: an assistant would stop, or show it to the person.
#[expect(clippy::disallowed_methods, reason = "the thread may wait for input that never ends")]
pub(super) fn run(arguments: Arguments) -> ExitCode {
    let began = Instant::now();
    answer(&arguments.assistant);
    let (says, progress) = mpsc::channel();
    let verbose = arguments.verbose;
    std::thread::spawn(move || {
        let outcome = deliver(&arguments, began, &says);
        // Nobody listens any more: the process is about to end.
        let _ = says.send(Progress::Done(outcome));
    });
    let said = follow(&progress, began);
    if verbose {
        let _ = writeln!(std::io::stderr(), "skillspan hook: {said}");
    }
    std::process::exit(0)
}

/// How far an event has come.
enum Progress {
    /// It has been read.
    Read,
    /// It is in the spool.
    Kept,
    /// There is nothing more to do.
    Done(anyhow::Result<String>),
}

/// Waits for the end, and for each step no longer than it may take. Returns what happened.
fn follow(progress: &mpsc::Receiver<Progress>, began: Instant) -> String {
    let mut patience = INPUT;
    loop {
        match progress.recv_timeout(patience) {
            Ok(Progress::Read) => patience = KEEPING,
            Ok(Progress::Kept) => patience = END.saturating_sub(began.elapsed()),
            Ok(Progress::Done(Ok(said))) => return said,
            Ok(Progress::Done(Err(error))) => return format!("{error:#}"),
            Err(_) => return format!("not done after {} ms", began.elapsed().as_millis()),
        }
    }
}

/// Whether the command line begins as a hook's does, however it goes on.
pub(super) fn is_called() -> bool {
    std::env::args_os().nth(1).is_some_and(|command| command == "hook")
}

/// The answer to whoever cannot be told from the command line.
pub(super) fn answer_for_nobody() -> ExitCode {
    answer("");
    ExitCode::SUCCESS
}

/// What the assistant expects of a hook that has nothing against what it does.
fn answer(assistant: &str) {
    let answer = if assistant == "cline" { "{\"cancel\":false}\n" } else { "{}\n" };
    let mut out = std::io::stdout().lock();
    // An assistant that does not listen expects nothing.
    let _ = out.write_all(answer.as_bytes()).and_then(|()| out.flush());
}

fn deliver(arguments: &Arguments, began: Instant, says: &mpsc::Sender<Progress>) -> anyhow::Result<String> {
    if event::is_off() {
        return Ok("switched off".to_owned());
    }
    let known = || HOOKS.iter().map(|hooks| hooks.assistant).collect::<Vec<_>>().join(", ");
    let Some(hooks) = Hooks::of(&arguments.assistant) else {
        anyhow::bail!("no hooks of `{}` are known; known are {}", arguments.assistant, known());
    };
    let endpoint = arguments.endpoint.trim_end_matches('/');
    let token = std::env::var("SKILLSPAN_TOKEN").unwrap_or_default();
    let root = data_folder().map(|data| folder(&data));
    let spool = root.as_deref().map(|root| Spool::of(root, endpoint, &token));
    let refused = |reason: &str| {
        if let Some(spool) = &spool {
            // Kept without a word of what was read. Where nothing can be kept, this cannot be either.
            let _ = spool.create(endpoint).is_ok() && spool.note_refusal(reason).is_ok();
        }
    };
    let read = event::read(std::io::stdin().lock()).inspect(|_| drop(says.send(Progress::Read)));
    let entry = read.and_then(|bytes| event::entry(hooks.assistant, root.as_deref(), &bytes));
    let entry = entry.inspect_err(|error| refused(&error.to_string()))?;
    let Some(spool) = &spool else {
        return send::directly(&entry, endpoint, &token, began + SENDING).context("nowhere to keep it");
    };
    let kept = spool.create(endpoint).and_then(|()| spool.add(&entry, Instant::now() + INPUT));
    says.send(Progress::Kept)?;
    if let Err(error) = kept {
        let sent = send::directly(&entry, endpoint, &token, began + SENDING);
        return sent.inspect_err(|_| refused(&error.to_string())).context(error);
    }
    let sent = send::what_waits(spool, endpoint, &token, began + SENDING)?;
    Ok(format!("{sent} sent to {endpoint}"))
}

/// As the configuration finds it.
fn data_folder() -> Option<PathBuf> {
    let folder = |name| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local/share")))
}

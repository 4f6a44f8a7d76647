//! `skillspan mcp`: an assistant asks over standard input and output, the console answers.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | the command: messages in, answers out |
//! | `console.rs` | the console that is asked |
//! | `line.rs` | messages of standard input, bounded |
//!
//! This process reads no session and no skill: what takes data is asked of the console, which decides what may be
//! seen (`console::mcp`). What takes none is answered here, so an assistant starts whether or not a console runs, and
//! is told what to do when it asks.
//!
//! Invariants: standard output holds nothing but answers, a line each; a message longer than [`line::LONGEST`] is
//! refused and takes no memory; the number of questions under way is limited, and reading waits beyond it.

mod console;
mod line;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

pub(in crate::cli) use self::console::check_console;
use self::console::{There, Trouble};
use self::line::Line;
use super::{ConfigFile, Failure, block_on, print_json};
use crate::console::mcp::{self, Asked, Call, Incoming, Request, asked, failed, finished, read, told};

/// So many questions are under way at once.
const MOST_AT_ONCE: usize = 8;
/// What is under way when the assistant closes its end has so long to be answered.
const LEAVING: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
#[command(
    after_help = "Assistants start it: `skillspan connect NAME --mcp --write` tells them how. It asks the\n\
                        console that `skillspan run` serves, with a key from a file that only you can read."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
    /// The console to ask, such as https://skillspan.example.com:4320; without, this machine's
    #[arg(long, value_name = "URL")]
    console: Option<String>,
    /// A file that holds a token with the role `read`, which a console of a team asks for
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let there = Arc::new(There::of(
        &arguments.config,
        arguments.console.as_deref(),
        arguments.token_file.as_deref(),
    )?);
    let (sender, lines) = mpsc::channel(1);
    // Reading cannot be given up; the process ends without it.
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        while let Ok(Some(line)) = line::next(&mut input) {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    block_on(serve(there, lines))
}

/// What is under way, by the id of its question as JSON.
#[derive(Default)]
struct UnderWay {
    tasks: JoinSet<(String, Value)>,
    handles: BTreeMap<String, AbortHandle>,
}

async fn serve(there: Arc<There>, mut lines: mpsc::Receiver<Line>) -> Result<(), Failure> {
    let mut under_way = UnderWay::default();
    loop {
        let has_room = under_way.tasks.len() < MOST_AT_ONCE;
        tokio::select! {
            line = lines.recv(), if has_room => match line {
                Some(line) => take(&there, &line, &mut under_way)?,
                None => break,
            },
            Some(done) = under_way.tasks.join_next() => say(&mut under_way.handles, done)?,
        }
    }
    let left = async {
        while let Some(done) = under_way.tasks.join_next().await {
            say(&mut under_way.handles, done)?;
        }
        Ok(())
    };
    tokio::time::timeout(LEAVING, left).await.unwrap_or(Ok(()))
}

/// Prints the answer; a cancelled call gets none.
fn say(
    handles: &mut BTreeMap<String, AbortHandle>,
    done: Result<(String, Value), tokio::task::JoinError>,
) -> Result<(), Failure> {
    let Ok((id, answer)) = done else { return Ok(()) };
    handles.remove(&id);
    put(&answer)
}

fn put(answer: &Value) -> Result<(), Failure> {
    print_json(&format!("{answer}\n"))
}

fn take(there: &Arc<There>, line: &Line, under_way: &mut UnderWay) -> Result<(), Failure> {
    let bytes = match line {
        Line::Text(bytes) if bytes.trim_ascii().is_empty() => return Ok(()),
        Line::Text(bytes) => bytes,
        Line::TooLong => {
            let says = format!("a message has at most {} bytes", line::LONGEST);
            return put(&failed(&Value::Null, &mcp::Failure::invalid(says)));
        }
    };
    let request = match read(bytes) {
        Incoming::Request(request) => request,
        Incoming::Notification { method, params } => {
            if method == "notifications/cancelled"
                && let Some(handle) =
                    params.get("requestId").and_then(|id| under_way.handles.remove(&id.to_string()))
            {
                handle.abort();
            }
            return Ok(());
        }
        Incoming::Nothing => return Ok(()),
        Incoming::Wrong { id, failure } => return put(&failed(&id, &failure)),
    };
    let what = match asked(&request) {
        Ok(Asked::Answer(result)) => return put(&finished(&request, result)),
        Ok(Asked::Tools) => None,
        Ok(Asked::Call(call)) => Some(call),
        Err(failure) => return put(&failed(&request.id, &failure)),
    };
    let id = request.id.to_string();
    let there = Arc::clone(there);
    let handle = under_way.tasks.spawn(async move {
        let answer = answer(&there, &request, what.as_ref()).await;
        (request.id.to_string(), answer)
    });
    under_way.handles.insert(id, handle);
    Ok(())
}

async fn answer(there: &There, request: &Request, call: Option<&Call>) -> Value {
    match (there.ask(call).await, call) {
        (Ok(result), _) => finished(request, result),
        (Err(Trouble::Refused(failure)), _) => failed(&request.id, &failure),
        // The model reads why, and can tell the person.
        (Err(Trouble::Unanswered(says)), Some(_)) => finished(request, told(Err(says))),
        // The usual tools; calling one says what is wrong.
        (Err(Trouble::Unanswered(_)), None) => finished(request, mcp::listed(mcp::tools(false))),
    }
}

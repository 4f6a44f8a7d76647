//! `skillspan import langfuse`: pages of Langfuse's API, to the table or to a collector.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use clap::Args;
use serde_json::json;

use super::ask::agreed;
use super::common::{Common, Ready};
use super::progress::{Progress, Stop};
use super::sink::Way;
use crate::cli::columns::{counted, folded, room};
use crate::cli::{Failure, OrFail, block_on, local_client, print, print_json, reader};
use crate::event::{Timestamp, visible_line};
use crate::processors::Redact;
use crate::receivers::transcripts::langfuse::{Access, AccessError, Failure as Trouble, Walk, WalkError};
use crate::receivers::transcripts::{Left, Owner};

/// How far back it goes where nobody says it.
const SINCE: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// Rows that are named.
const MOST_NAMED: usize = 20;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Langfuse's address
    #[arg(
        long,
        value_name = "URL",
        env = "LANGFUSE_BASE_URL",
        default_value = "https://cloud.langfuse.com",
        hide_env_values = true
    )]
    host: String,
    /// The public key of a project
    #[arg(long, value_name = "KEY", env = "LANGFUSE_PUBLIC_KEY", hide_env_values = true)]
    public_key: Option<String>,
    /// A file with the secret key, if LANGFUSE_SECRET_KEY is not set
    #[arg(long, value_name = "FILE")]
    secret_key_file: Option<PathBuf>,
}

/// What was read and handed on.
#[derive(Default)]
struct Pulled {
    rows: u64,
    pages: u64,
    records: u64,
    left: Vec<Left>,
    left_count: u64,
    rejected: u64,
    why: String,
    took: Duration,
    stopped: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let common = &arguments.common;
    let ready = common.prepare()?;
    let access = access(arguments)?;
    let address = access.address().to_owned();
    let folder = ready.memories().join(ready.to.folder());
    let since = Timestamp::now().saturating_sub(common.since.unwrap_or(SINCE));
    let mut walk = Walk::open(access, &folder, since).or_fail()?;
    if !common.json {
        print(&shown(&walk, &ready, &address))?;
    }
    if !common.yes && !common.dry_run {
        agreed(common.json)?;
    }
    let token = common.token()?;
    let owner = Owner {
        workspace: common.said_workspace().unwrap_or_default(),
        redact: common.redactor(&ready)?.map(|redactor| Redact::new(redactor, [])),
        ..Owner::default()
    };
    let pulled = block_on(async {
        let stop = Stop::listen().or_fail()?;
        let way = match common.dry_run {
            true => Way::Nowhere,
            false => Way::open(&ready.settings, common.endpoint.as_deref(), token).await?,
        };
        let pulled = pull(&mut walk, &way, &owner, &stop, &address).await;
        way.finish().await?;
        Ok::<_, Failure>(pulled)
    })?;
    if common.json {
        print_json(&as_json(&pulled, &ready, common.dry_run, &address))?;
    } else {
        print(&as_text(&pulled, common.dry_run, &address))?;
    }
    if let Some(reason) = pulled.stopped {
        return Err(Failure::Failed(anyhow!(
            "{reason}; what was taken is stored and remembered, and the same command goes on from there"
        )));
    }
    common.mine(&ready)
}

fn access(arguments: &Arguments) -> Result<Access, Failure> {
    let usage = |message: String| Failure::Usage(anyhow!(message));
    let public_key = arguments.public_key.clone().filter(|key| !key.trim().is_empty());
    let public_key = public_key
        .ok_or_else(|| usage("no public key: set LANGFUSE_PUBLIC_KEY, or say --public-key".to_owned()))?;
    let secret_key = match &arguments.secret_key_file {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| usage(format!("the secret key cannot be read: {}: {error}", path.display())))?,
        None => std::env::var("LANGFUSE_SECRET_KEY").unwrap_or_default(),
    };
    let secret_key = secret_key.trim().to_owned();
    if secret_key.is_empty() {
        let message = "no secret key: set LANGFUSE_SECRET_KEY, or put it into a file and name it with --secret-key-file";
        return Err(usage(message.to_owned()));
    }
    let (host, is_secure) = (arguments.host.trim(), arguments.host.trim().starts_with("https://"));
    let builder = if is_secure { reqwest::Client::builder() } else { local_client() };
    let access = Access::new(builder, host, public_key.trim().to_owned(), secret_key);
    let access = access.map_err(|error| match error {
        AccessError::Client(_) => Failure::Failed(error.into()),
        AccessError::NoAddress(_) | AccessError::Credentials => usage(format!("--host {error}")),
    })?;
    if !is_secure && !is_local(host) {
        reader::warn("--host: without https, the keys cross the network in clear text");
    }
    Ok(access)
}

fn is_local(host: &str) -> bool {
    let url = reqwest::Url::parse(host).ok();
    url.and_then(|url| url.host_str().map(|host| ["127.0.0.1", "localhost", "[::1]"].contains(&host)))
        .unwrap_or(false)
}

/// The requests that the import will make, and where the data will go.
fn shown(walk: &Walk, ready: &Ready, address: &str) -> String {
    let since = walk.span().map(|(from, _)| from.date()).unwrap_or_default();
    let begin = match walk.resumed() {
        Some(rows) => {
            format!("Goes on with the traces of {address} since {since}, of which {rows} rows were read.")
        }
        None => format!("Reads the traces of {address} since {since}, the newest first."),
    };
    let last = if ready.to.leaves { "." } else { ". Nothing is sent but the questions." };
    let text = format!(
        "{begin}\nWhat is new {}: prompts, answers, calls of tools and what came of them, without credentials{last}\n",
        ready.to.text
    );
    folded(&text, room())
}

async fn pull(walk: &mut Walk, way: &Way, owner: &Owner, stop: &Stop, address: &str) -> Pulled {
    let began = Instant::now();
    let mut pulled = Pulled::default();
    let mut progress = Progress::new(0);
    let ended = tokio::select! {
        biased;
        signal = stop.stopped() => Some(format!("{signal} stopped it")),
        ended = pages(walk, way, owner, &mut pulled, &mut progress) => ended.err(),
    };
    progress.end();
    pulled.stopped = ended.map(|reason| match pulled.rows {
        0 => format!("{address}: {reason}"),
        rows => format!("{address}: after {}: {reason}", counted(rows, "row")),
    });
    pulled.took = began.elapsed();
    pulled
}

/// Page after page, each handed on before the next one is asked for. The error says why it ended early.
async fn pages(
    walk: &mut Walk,
    way: &Way,
    owner: &Owner,
    pulled: &mut Pulled,
    progress: &mut Progress,
) -> Result<(), String> {
    let mut tell = |message: &str| reader::warn(message);
    while let Some(mut step) = walk.next(owner, &mut tell).await.map_err(|error| reason(&error))? {
        for batch in std::mem::take(&mut step.batches) {
            let answer = way.send(&batch).await.map_err(|error| format!("{error:#}"))?;
            pulled.records += batch.records;
            pulled.rejected += answer.rejected;
            if pulled.why.is_empty() {
                pulled.why = answer.why;
            }
        }
        pulled.rows += step.rows;
        pulled.pages += 1;
        pulled.left_count += step.left.len() as u64;
        let room = MOST_NAMED.saturating_sub(pulled.left.len());
        pulled.left.extend(std::mem::take(&mut step.left).into_iter().take(room));
        if matches!(way, Way::Nowhere) {
            // One page shows whether there is data. More would use up the server's limit.
            return Ok(());
        }
        walk.done(step).map_err(|error| reason(&error))?;
        let (rows, percent) = (pulled.rows, walk.percent());
        let back = walk.span().map(|(_, back)| back.date()).unwrap_or_default();
        progress.say(|took| line(rows, percent, &back, took));
    }
    Ok(())
}

fn line(rows: u64, percent: u64, back: &str, took: Duration) -> String {
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = rows.saturating_mul(1_000) / milliseconds;
    let left = (took.as_secs().saturating_mul(100 - percent.min(100))).checked_div(percent);
    let left = left.filter(|_| percent < 100).map(|left| format!(", {left} s left")).unwrap_or_default();
    format!("{percent:>3} %  {rows} rows, back to {back}, {rate} a second{left}")
}

/// Why it ended, and what a person can do.
fn reason(error: &WalkError) -> String {
    let remedy = match error {
        WalkError::Failure(Trouble::Keys { .. }) => {
            ": check LANGFUSE_PUBLIC_KEY, the secret key and --host; keys belong to one project of one region"
        }
        WalkError::Failure(Trouble::Elsewhere(_)) => " with --host",
        WalkError::Failure(Trouble::Absent { .. }) => ": is it a Langfuse that --host names?",
        _ => "",
    };
    format!("{error}{remedy}")
}

fn as_text(pulled: &Pulled, is_dry: bool, address: &str) -> String {
    let mut text = String::new();
    let rows = counted(pulled.rows, "row");
    let _ = if is_dry {
        writeln!(
            text,
            "{address}: the newest page has {rows}, which would be imported, and so would those that follow"
        )
    } else {
        writeln!(text, "{address}: {rows} of {} imported", counted(pulled.pages, "page"))
    };
    for left in &pulled.left {
        let _ = writeln!(text, "left out   row {}: {}", left.line, left.why);
    }
    let more = pulled.left_count.saturating_sub(pulled.left.len() as u64);
    if more > 0 {
        let _ = writeln!(text, "           and {more} more");
    }
    if pulled.rejected > 0 {
        let _ = writeln!(text, "refused    {} records: {}", pulled.rejected, visible_line(&pulled.why));
    }
    folded(&text, room())
}

fn as_json(pulled: &Pulled, ready: &Ready, is_dry: bool, address: &str) -> String {
    let left = pulled.left.iter().map(|left| json!({ "row": left.line, "why": left.why }));
    let milliseconds = u64::try_from(pulled.took.as_millis()).unwrap_or(u64::MAX);
    let mut object = BTreeMap::from([
        ("dry_run", json!(is_dry)),
        ("from", json!(address)),
        ("to", json!(ready.to.name)),
        ("pages", json!(pulled.pages)),
        ("rows", json!(pulled.rows)),
        ("records", json!(pulled.records)),
        ("left", left.collect()),
        ("rejected", json!(pulled.rejected)),
        ("milliseconds", json!(milliseconds)),
        ("stopped", json!(pulled.stopped)),
    ]);
    object.retain(|_, value| !value.is_null());
    format!("{}\n", json!(object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_says_how_far_back_it_is() {
        let of = |percent| line(5_000, percent, "2026-10-01", Duration::from_secs(10));
        assert_eq!(of(25), " 25 %  5000 rows, back to 2026-10-01, 500 a second, 30 s left");
        assert_eq!(of(100), "100 %  5000 rows, back to 2026-10-01, 500 a second");
        assert_eq!(of(0), "  0 %  5000 rows, back to 2026-10-01, 500 a second");
    }

    #[test]
    fn only_this_machine_is_local() {
        for (host, local) in
            [("http://127.0.0.1:3000", true), ("http://localhost", true), ("http://l.example", false)]
        {
            assert_eq!(is_local(host), local, "{host}");
        }
    }
}

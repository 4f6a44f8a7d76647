//! `skillspan status`: what is listening, what lags, what fails and what to do.

use std::fmt::Write;
use std::time::Duration;

use clap::Args;

use crate::config::Settings;
use crate::event::visible_line;
use crate::journal::{Journal, OpenError};
use crate::receivers::hooks;
use crate::service::{Loss, PipelineReport, Report, unowned_journals};

use super::{ConfigFile, Failure, OrFail, block_on, local_client, print, print_json};

/// A process that does not answer by then does not do well.
const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let settings = arguments.config.load()?;
    let mut report = block_on(async { Ok(ask(&settings).await.unwrap_or_else(|| from_disk(&settings))) })?;
    add_hooks(&settings, &mut report);
    if arguments.json {
        return print_json(&format!("{}\n", serde_json::to_string_pretty(&report).or_fail()?));
    }
    print(&render(&report))
}

async fn ask(settings: &Settings) -> Option<Report> {
    let client = local_client().timeout(TIMEOUT).build().ok()?;
    let answer = client.get(format!("http://{}/status", settings.health?)).send().await.ok()?;
    answer.json().await.ok()
}

/// What the folders say while no process answers.
fn from_disk(settings: &Settings) -> Report {
    let mut report = Report::new(false);
    for pipeline in settings.sessions.iter().filter(|pipeline| Journal::is_in(&pipeline.journal.path)) {
        let path = &pipeline.journal.path;
        match Journal::open(pipeline.journal.clone()) {
            Ok(journal) => {
                let status = journal.status();
                report.add_pipeline(&pipeline.name, path, &status);
                if status.behind > 0 {
                    report.problem(
                        format!(
                            "{} accepted requests of {} are not in the table yet",
                            status.behind, pipeline.name
                        ),
                        "`skillspan run` writes them",
                    );
                }
            }
            Err(OpenError::Locked { .. }) => report.problem(
                "a process has the journal open and does not answer",
                "see its log, and whether extensions.health.endpoint is the one it was started with",
            ),
            Err(error) => report.problem(error.to_string(), "see the message"),
        }
    }
    report.problems.extend(unowned_journals(settings).into_iter().map(|(_, problem)| problem));
    report
}

/// What this user's hooks left for a collector, and what found no room.
fn add_hooks(settings: &Settings, report: &mut Report) {
    let Some(root) = &settings.hook_spools else { return };
    let spools = match hooks::waiting(root) {
        Ok(spools) => spools,
        Err(error) => return report.problem(error.to_string(), "see the message"),
    };
    for spool in spools {
        let endpoint = &spool.endpoint;
        if spool.entries > 0 {
            report.problem(
                format!("{} events of hooks wait for {endpoint}", spool.entries),
                "they are sent by the next hook, or by the start of a collector there that asks for no credentials",
            );
        }
        if spool.refused > 0 {
            report.problem(
                format!(
                    "{} events of hooks for {endpoint} were given up, the last at {}",
                    spool.refused, spool.last_refusal
                ),
                "see the reason; to forget it, remove `refused` in that folder below the data folder's hooks",
            );
        }
    }
}

fn render(report: &Report) -> String {
    let mut text = match (report.running, report.ready) {
        (false, _) => "not running\n".to_owned(),
        (true, true) => format!("skillspan {} takes requests\n", report.version),
        (true, false) => format!("skillspan {} takes no requests now\n", report.version),
    };
    for listening in &report.listening {
        let _ = writeln!(text, "  OTLP/{:<5} {}", listening.protocol, listening.address);
    }
    for PipelineReport { name, journal, table } in &report.pipelines {
        if report.pipelines.len() > 1 {
            let _ = writeln!(text, "{name}:");
        }
        let _ = writeln!(
            text,
            "  journal    {} of {} bytes in {}",
            journal.bytes,
            journal.max_bytes,
            journal.path.display()
        );
        if let Some(table) = table {
            let _ = writeln!(
                text,
                "  table      {} requests behind, the oldest {:.1} s old; {} events in {} files since the start, in {}",
                table.lag_requests, table.lag_seconds, table.rows, table.files, table.path
            );
            if table.retired_files > 0 {
                let _ = writeln!(text, "  retention  {} files removed since the start", table.retired_files);
            }
        }
    }
    for Loss { dialect, reason, count } in &report.lost {
        let of = if dialect.is_empty() { String::new() } else { format!(" of {dialect}") };
        let _ = writeln!(text, "  lost       {count} × {reason}{of} since the start");
    }
    for follower in &report.followers {
        let _ = writeln!(
            text,
            "  {:<10} {}: {} rows since the start, {} waiting, {} sessions open, in {}",
            follower.exporter,
            follower.state,
            follower.rows,
            follower.waiting_rows,
            follower.open_sessions,
            follower.place
        );
    }
    for target in &report.targets {
        let state = match (&target.failing, &target.published_at) {
            (Some(kind), _) => format!("failing ({kind})"),
            (None, Some(at)) => format!("published {at}"),
            (None, None) => "nothing published since the start".to_owned(),
        };
        let _ = writeln!(text, "  skills     {}: {state}", visible_line(&target.target));
        for note in &target.notes {
            let _ = writeln!(text, "             {}", visible_line(note));
        }
        if let Some(at) = &target.retry_at {
            let _ = writeln!(text, "             tried again at {at}");
        }
    }
    for problem in &report.problems {
        let _ = writeln!(text, "! {}\n  to do: {}", visible_line(&problem.what), visible_line(&problem.todo));
    }
    if report.problems.is_empty() {
        text.push_str("nothing fails\n");
    }
    text
}

//! `skillspan status`: what is listening, what lags, what fails and what to do.

use std::fmt::Write;
use std::time::Duration;

use clap::Args;

use crate::config::{ForwardSettings, Settings};
use crate::event::visible_line;
use crate::forward::{Queue, QueueStorage};
use crate::journal::{Journal, OpenError};
use crate::receivers::hooks;
use crate::service::{ForwardReport, Loss, PipelineReport, Report, TargetReport, unowned_journals};

use super::columns::counted;
use super::{ConfigFile, Failure, OrFail, block_on, local_client, print, print_json};

/// A process that does not answer by then does not do well.
const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
    /// Print JSON
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

pub(super) async fn ask(settings: &Settings) -> Option<Report> {
    let client = local_client().timeout(TIMEOUT).build().ok()?;
    let answer = client.get(format!("http://{}/status", settings.health?)).send().await.ok()?;
    answer.json().await.ok()
}

/// What the folders say while no process answers.
pub(super) fn from_disk(settings: &Settings) -> Report {
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
    for forward in &settings.forwards {
        add_queue(forward, &mut report);
    }
    report.problems.extend(unowned_journals(settings).into_iter().map(|(_, problem)| problem));
    report
}

/// What waits for another backend until a process runs.
fn add_queue(forward: &ForwardSettings, report: &mut Report) {
    let QueueStorage::Folder { path, .. } = &forward.queue.place else { return };
    let name = &forward.otlp.name;
    if !Journal::is_in(path) {
        return;
    }
    match Queue::open(forward.queue.clone()).map(|queue| queue.status().waiting) {
        Ok(0) | Err(OpenError::Locked { .. }) => {}
        Ok(waiting) => {
            let wait = if waiting == 1 { "waits" } else { "wait" };
            report.problem(
                format!("{} {wait} for {name}", counted(waiting, "request")),
                "`skillspan run` sends what waits",
            );
        }
        Err(error) => report.problem(format!("the queue of {name}: {error}"), "see the message"),
    }
}

/// The events that this user's hooks left for a collector, and those that found no room.
pub(super) fn add_hooks(settings: &Settings, report: &mut Report) {
    let Some(root) = &settings.hook_spools else { return };
    let spools = match hooks::waiting(root) {
        Ok(spools) => spools,
        Err(error) => return report.problem(error.to_string(), "see the message"),
    };
    for spool in spools {
        let endpoint = &spool.endpoint;
        if spool.entries > 0 {
            let trouble = match spool.trouble.as_str() {
                "" => String::new(),
                trouble if spool.is_left_behind() => format!("; {trouble}"),
                trouble => format!("; the last try: {trouble}"),
            };
            report.problem(
                format!(
                    "{} of hooks {} for {endpoint}{trouble}",
                    counted(spool.entries, "event"),
                    if spool.entries == 1 { "waits" } else { "wait" }
                ),
                remedy(&spool),
            );
        }
        if spool.refused > 0 {
            report.problem(
                format!(
                    "{} of hooks for {endpoint} {} given up, the last at {}",
                    counted(spool.refused, "event"),
                    if spool.refused == 1 { "was" } else { "were" },
                    spool.last_refusal
                ),
                format!("see the reason; to forget it, remove {}", spool.folder.join("refused").display()),
            );
        }
    }
}

/// The remedy for waiting events, by the result of the last try to send them.
fn remedy(spool: &hooks::Waiting) -> &'static str {
    let trouble = &spool.trouble;
    match () {
        () if spool.is_of_unknown_credential() => {
            "the collector does not know the token: write the right one with `skillspan connect … --write --token-file \
             FILE`, which sends what waits as well; or make this one known there, and the next hook sends it"
        }
        () if spool.is_left_behind() => {
            "`skillspan connect … --write` with that address sends what waits; removing its folder forgets it"
        }
        () if trouble.contains("is no address") => {
            "write the hooks again: `skillspan connect … --write --endpoint URL`; what waits for this address is sent to \
             no other, and removing its folder below the data folder's skillspan/hooks forgets it"
        }
        () if trouble.contains("certificate") => {
            "make this machine trust the authority of the collector's certificate, or use the name that it is for; the \
             next hook sends them then"
        }
        () if trouble.contains("does not answer") => {
            "start the collector there, or check the address; the next hook sends them then"
        }
        () => {
            "they are sent by the next hook, or by the start of a collector there that asks for no credentials"
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
    for line in &report.turned_away {
        let _ = writeln!(text, "  refused    {line}");
    }
    for pipeline in &report.pipelines {
        text.push_str(&pipeline_lines(pipeline, report.pipelines.len() > 1));
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
    for forward in &report.forwards {
        text.push_str(&forward_lines(forward));
    }
    for target in &report.targets {
        text.push_str(&target_lines(target));
    }
    for problem in &report.problems {
        let _ = writeln!(text, "! {}\n  to do: {}", visible_line(&problem.what), visible_line(&problem.todo));
    }
    if report.problems.is_empty() {
        text.push_str(if has_begun(report) { "nothing fails\n" } else { NOTHING });
    }
    text
}

fn pipeline_lines(pipeline: &PipelineReport, is_one_of_several: bool) -> String {
    let PipelineReport { name, journal, table } = pipeline;
    let mut text = String::new();
    if is_one_of_several {
        let _ = writeln!(text, "{name}:");
    }
    let _ = writeln!(
        text,
        "  journal    {} of {} in {}",
        size(journal.bytes),
        size(journal.max_bytes),
        journal.path.display()
    );
    if let Some(table) = table {
        let _ = writeln!(
            text,
            "  table      {} behind, the oldest {:.1} s old, in {}\n             {} in {} since the start",
            counted(table.lag_requests, "request"),
            table.lag_seconds,
            table.path,
            counted(table.rows, "event"),
            counted(table.files, "file")
        );
        if table.retired_files > 0 {
            let _ = writeln!(
                text,
                "  retention  {} removed since the start",
                counted(table.retired_files, "file")
            );
        }
    }
    text
}

fn target_lines(target: &TargetReport) -> String {
    let mut text = String::new();
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
    text
}

/// A backend that has bodies as they came.
fn forward_lines(forward: &ForwardReport) -> String {
    let kept = if forward.in_memory { "in memory" } else { "on disk" };
    format!(
        "  forward    {}: {}, to {}\n             {} since the start, {} waiting ({} of {} {kept})\n",
        forward.exporter,
        forward.state,
        visible_line(&forward.place),
        counted(forward.bodies, "request"),
        forward.waiting,
        size(forward.queue_bytes),
        size(forward.queue_max_bytes)
    )
}

/// Whether a process runs here or has run.
fn has_begun(report: &Report) -> bool {
    report.running || !report.pipelines.is_empty()
}

/// What a person does first.
const NOTHING: &str = "nothing recorded yet: `skillspan run` starts a collector, and `skillspan connect` lists what \
     can be pointed at it\n";

/// Bytes as people read them: a number below 1024 and its unit.
#[expect(clippy::cast_precision_loss, reason = "it is shown with two digits")]
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut shown = (bytes as f64, "B");
    for unit in UNITS {
        if shown.0 < 1024.0 {
            break;
        }
        shown = (shown.0 / 1024.0, unit);
    }
    match shown {
        (number, unit) if unit == "B" || number >= 10.0 || number.fract() == 0.0 => {
            format!("{number:.0} {unit}")
        }
        (number, unit) => format!("{number:.1} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_goes_by_what_went_wrong() {
        for (trouble, says) in [
            ("https://a answered 401 Unauthorized; what waits is kept", "right one"),
            (
                "https://a does not answer; what waits is kept: invalid peer certificate: UnknownIssuer",
                "authority",
            ),
            ("http://a does not answer; what waits is kept: Connection refused", "start the collector"),
            ("", "by the next hook"),
        ] {
            let spool = hooks::Waiting {
                folder: "/x".into(),
                endpoint: "https://a".to_owned(),
                entries: 1,
                of: [("pi".to_owned(), 1)].into(),
                refused: 0,
                last_refusal: String::new(),
                trouble: trouble.to_owned(),
            };
            assert!(remedy(&spool).contains(says), "{trouble}: {}", remedy(&spool));
        }
    }

    #[test]
    fn sizes_have_units() {
        for (bytes, shown) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (7254, "7.1 KiB"),
            (64 << 20, "64 MiB"),
            ((3 << 20) + 100, "3.0 MiB"),
            (4 << 30, "4 GiB"),
            (5 << 50, "5120 TiB"),
        ] {
            assert_eq!(size(bytes), shown);
        }
    }

    #[test]
    fn a_machine_on_which_nothing_has_run_is_told_what_to_do() {
        let said = render(&Report::new(false));
        assert!(said.contains("nothing recorded yet") && !said.contains("nothing fails"), "{said}");
        assert!(render(&Report::new(true)).ends_with("nothing fails\n"));
    }
}

//! How a running process does, and what a person can do about what fails: `/status`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use crate::event::Timestamp;
use crate::exporters::{parquet, with_causes};
use crate::journal;
use crate::receivers::Turned;
use crate::table::{Location, clock};

use super::targets::Targets;
use super::upkeep::UpkeepCounts;

/// What `GET /status` answers and `skillspan status --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The version of the process.
    pub version: String,
    /// A process answered; otherwise this was read from the disk.
    pub running: bool,
    /// It takes requests.
    pub ready: bool,
    /// What it listens on.
    pub listening: Vec<Listening>,
    /// The sessions pipelines.
    pub pipelines: Vec<PipelineReport>,
    /// What was received since the start, said something and became nothing.
    #[serde(default)]
    pub lost: Vec<Loss>,
    /// What follows tables.
    #[serde(default)]
    pub followers: Vec<FollowerReport>,
    /// The backends that have bodies as they came.
    #[serde(default)]
    pub forwards: Vec<ForwardReport>,
    /// Where skills are published.
    #[serde(default)]
    pub targets: Vec<TargetReport>,
    /// Who was turned away at the doors, a line each kind.
    #[serde(default)]
    pub turned_away: Vec<String>,
    /// Faults, each with its remedy.
    pub problems: Vec<Problem>,
}

/// Records, or parts of them, that became nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// The dialect that could not use them, `""` if none was asked.
    pub dialect: String,
    /// Why, in the word of the metrics.
    pub reason: String,
    /// How many.
    pub count: u64,
}

/// An open port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listening {
    /// `grpc` or `http`.
    pub protocol: String,
    /// Where.
    pub address: SocketAddr,
}

/// A sessions pipeline's state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PipelineReport {
    /// Its name, such as `sessions`.
    pub name: String,
    /// Its journal.
    pub journal: JournalReport,
    /// The way from the journal to the table; only a running process knows it.
    pub table: Option<TableReport>,
}

/// A journal's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalReport {
    /// Its folder.
    pub path: PathBuf,
    /// Bytes of its segments.
    pub bytes: u64,
    /// The limit of them.
    pub max_bytes: u64,
    /// Its disk takes writes.
    pub writable: bool,
    /// Damaged places found since the start.
    pub quarantined: u64,
    /// Accepted requests that were lost with its files since the start.
    #[serde(default)]
    pub lost: u64,
    /// Accepted requests whose files were taken away, and which may have been read before.
    #[serde(default)]
    pub taken_away: u64,
    /// Bytes cut from its end at the start.
    pub torn_bytes: u64,
    /// Records among the dead letters.
    pub dead_letters: u64,
}

/// An exporter's state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableReport {
    /// The table's folder or bucket.
    pub path: String,
    /// Accepted requests that are not in the table yet.
    pub lag_requests: u64,
    /// Events in those of them that have been read.
    pub lag_events: u64,
    /// Age of the oldest of them.
    pub lag_seconds: f64,
    /// Events written since the start.
    pub rows: u64,
    /// Files written since the start.
    pub files: u64,
    /// Files that retention removed since the start.
    #[serde(default)]
    pub retired_files: u64,
}

/// A target of skills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetReport {
    /// The folder, or the remote and its branch.
    pub target: String,
    /// When it last took what mining or the console gave it, a change or none, RFC 3339; absent before the first time since the start.
    pub published_at: Option<String>,
    /// What people should know of that time: where a proposal waits.
    pub notes: Vec<String>,
    /// The kind of failure, if it cannot be written now.
    pub failing: Option<String>,
    /// When it is tried again, RFC 3339.
    pub retry_at: Option<String>,
}

/// What to do about a disk that takes nothing.
pub(super) fn to_write_again(error: &str) -> &'static str {
    if error.contains(journal::RESTART) {
        "find out what deleted or replaced it, and restart skillspan; clients are asked to try again until then"
    } else {
        "free space or repair the disk; clients are asked to try again until then, and it goes on by itself"
    }
}

/// Something that fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What.
    pub what: String,
    /// What to do about it.
    pub todo: String,
}

impl Report {
    /// A report of nothing yet.
    pub fn new(running: bool) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            running,
            ready: false,
            listening: Vec::new(),
            pipelines: Vec::new(),
            lost: Vec::new(),
            followers: Vec::new(),
            forwards: Vec::new(),
            targets: Vec::new(),
            turned_away: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Adds who was turned away, if anybody was.
    pub fn add_turned_away(&mut self, turned: &Turned) {
        let mut add = |count: u64, [one, many]: [&str; 2], last: &Option<(Timestamp, String)>| {
            if let Some((at, reason)) = last.as_ref().filter(|_| count > 0) {
                let what = if count == 1 { one } else { many };
                self.turned_away.push(format!("{count} {what} since the start, the last {at}: {reason}"));
            }
        };
        let unauthenticated = ["request answered with 401", "requests answered with 401"];
        add(turned.unauthenticated, unauthenticated, &turned.last_unauthenticated);
        let handshakes = ["connection without TLS", "connections without TLS"];
        add(turned.handshakes, handshakes, &turned.last_handshake);
    }

    /// Adds a problem.
    pub fn problem(&mut self, what: impl Into<String>, todo: impl Into<String>) {
        self.problems.push(Problem { what: what.into(), todo: todo.into() });
    }

    /// Adds a pipeline with its journal's state and what follows from it.
    pub fn add_pipeline(&mut self, name: &str, path: &Path, status: &journal::Status) {
        let dead_letters = journal::dead_letters(path).map_or(0, |letters| letters.len() as u64);
        let folder = path.display();
        if let Some(error) = &status.disk_error {
            self.problem(format!("the journal of {name} cannot be written: {error}"), to_write_again(error));
        }
        if status.bytes >= status.max_bytes / 10 * 9 {
            self.problem(
                format!(
                    "the journal of {name} is nearly full: {} of {} bytes",
                    status.bytes, status.max_bytes
                ),
                "see what keeps the table from being written, or raise service.journal.max_size",
            );
        }
        if status.lost > 0 {
            self.problem(
                format!(
                    "{} accepted requests of {name} are lost: files of its journal were removed, replaced or cut",
                    status.lost
                ),
                format!("find out what else writes to {folder}, and keep it from that; what clients still have can be sent again"),
            );
        }
        if status.taken_away > 0 {
            self.problem(
                format!(
                    "{} accepted requests of {name} are in no file any more: files of its journal were removed, replaced or cut",
                    status.taken_away
                ),
                format!("those that were read before come to the table, the others will count as lost; find out what else writes to {folder}"),
            );
        }
        if status.quarantined > 0 {
            self.problem(
                format!("{} damaged places in the journal of {name} were set aside", status.quarantined),
                format!("check the disk; the bytes are in {folder}/quarantine"),
            );
        }
        if dead_letters > 0 {
            self.problem(
                format!("{dead_letters} records of {name} could not become rows of the table"),
                "`skillspan deadletters list` says why; after an upgrade, `skillspan deadletters replay` tries again",
            );
        }
        let journal = JournalReport {
            path: path.to_owned(),
            bytes: status.bytes,
            max_bytes: status.max_bytes,
            writable: status.writable,
            quarantined: status.quarantined,
            lost: status.lost,
            taken_away: status.taken_away,
            torn_bytes: status.torn_bytes,
            dead_letters,
        };
        self.pipelines.push(PipelineReport { name: name.to_owned(), journal, table: None });
    }

    /// Adds the state of a pipeline's exporter and what follows from it.
    pub fn add_table(&mut self, pipeline: &str, table: &Location, status: &parquet::Status) {
        if let Some(failing) = &status.failing {
            self.problem(
                format!(
                    "the table of {pipeline} cannot be written for {} s: {}",
                    failing.since.elapsed().as_secs(),
                    failing.error
                ),
                "repair the store; the journal keeps what was accepted and it is tried again",
            );
        }
        let table = TableReport {
            path: table.to_string(),
            lag_requests: status.behind,
            lag_events: status.pending_events,
            lag_seconds: status.lag_seconds(),
            rows: status.rows,
            files: status.files,
            retired_files: 0,
        };
        if let Some(found) = self.pipelines.iter_mut().find(|found| found.name == pipeline) {
            found.table = Some(table);
        }
    }

    /// Adds what upkeep did with a pipeline's table.
    pub(super) fn add_upkeep(&mut self, pipeline: &str, counts: &UpkeepCounts) {
        let found = self.pipelines.iter_mut().find(|found| found.name == pipeline);
        if let Some(table) = found.and_then(|found| found.table.as_mut()) {
            table.retired_files = counts.retired_files.load(Ordering::Relaxed);
        }
        let doubt = clock::jump().map(|jump| jump.to_string()).or_else(|| counts.doubt());
        if let Some(doubt) = doubt {
            self.problem(
                format!("retention removes nothing from the table of {pipeline}: {doubt}"),
                "set the clock right; if it is right, nothing: a clock that runs steadily for a day is believed",
            );
        }
    }

    /// Adds the targets of skills and what follows from their states. Reads those that are folders; blocks.
    pub(super) fn add_targets(&mut self, targets: &Targets) {
        for (target, state) in targets.states() {
            let mut failing = state.failing.as_ref().map(|(_, failure)| failure.kind);
            if let Some((since, failure)) = &state.failing {
                let what = format!("skills cannot be published since {since}: {}", failure.error);
                self.problem(what, failure.remedy);
            } else if let Some(error) = targets.look_at(&target) {
                failing = Some(error.kind());
                self.problem(format!("skills cannot be published: {}", with_causes(&error)), error.remedy());
            }
            self.targets.push(TargetReport {
                target,
                published_at: state.published_at.map(|at| at.to_string()),
                notes: state.notes,
                retry_at: state.failing.as_ref().map(|(_, failure)| failure.retry_at.to_string()),
                failing: failing.map(str::to_owned),
            });
        }
    }
}

/// The state of an exporter that follows a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowerReport {
    /// The component's id.
    pub exporter: String,
    /// The organisation and the workspace.
    pub place: String,
    /// `exporting`, or the kind of what stands in the way: `out_of_credit`, `credentials`, `unreachable`, …
    pub state: String,
    /// Rows written since the start.
    pub rows: u64,
    /// Rows that are about to be written.
    pub waiting_rows: u64,
    /// Sessions of which more is expected.
    pub open_sessions: u64,
    /// Rows that the service refuses for good.
    pub refused_rows: u64,
}

/// The state of a backend's sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardReport {
    /// The component's id.
    pub exporter: String,
    /// The backend, and how it is spoken to.
    pub place: String,
    /// `forwarding`, or the kind of what stands in the way: `unreachable`, `credentials`, …
    pub state: String,
    /// When it is tried again, RFC 3339, if something stands in the way.
    #[serde(default)]
    pub retry_at: Option<String>,
    /// Requests of clients that the backend took since the start.
    pub bodies: u64,
    /// Requests that were sent again since the start.
    pub retries: u64,
    /// Records that the backend did not take.
    pub rejected_records: u64,
    /// Requests of clients that wait.
    pub waiting: u64,
    /// Bytes of the queue.
    pub queue_bytes: u64,
    /// The bound of them.
    pub queue_max_bytes: u64,
    /// What waits goes with the process.
    pub in_memory: bool,
    /// Requests of clients that were dropped since the start, by reason.
    pub dropped: BTreeMap<String, u64>,
}

//! A sessions table, an exporter of it, and conversations to fill it with.

#![allow(dead_code, reason = "tests and the benchmark use their parts")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use skillspan::event::{Kind, Owner, SessionEvent, Timestamp};
use skillspan::exporters::deeplake::{Config, Deeplake, Handle, Pauses, Service};
use skillspan::secret::Secret;
use skillspan::table::{FileIdentity, Location, Table};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::standin::{ORG, Row, StandIn, TOKEN, WORKSPACE};

/// Nothing takes so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A table with an exporter's state beside it.
pub(crate) struct Site {
    pub(crate) folder: TempDir,
    pub(crate) table: Table,
    files: AtomicU64,
}

pub(crate) fn service(standin: &StandIn) -> Service {
    Service {
        endpoint: standin.url.clone(),
        org: ORG.to_owned(),
        workspace: WORKSPACE.to_owned(),
        token: Secret::new(TOKEN),
        timeout: Duration::from_secs(5),
        read_lag: Duration::from_millis(200),
        pauses: Pauses {
            first: Duration::from_millis(5),
            longest: Duration::from_millis(50),
            person: Duration::from_millis(50),
        },
    }
}

impl Site {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let table = Table::open(&folder.path().join("table")).unwrap();
        Self { folder, table, files: AtomicU64::new(0) }
    }

    /// Another process's table.
    pub(crate) fn at(table: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, table: Table::open(table).unwrap(), files: AtomicU64::new(0) }
    }

    pub(crate) fn location(&self) -> PathBuf {
        self.folder.path().join("table")
    }

    pub(crate) fn config(&self, standin: &StandIn) -> Config {
        Config {
            name: "deeplake".to_owned(),
            service: service(standin),
            sessions: "sessions".to_owned(),
            org_name: "acme".to_owned(),
            from: None,
            default_workspace: "default".to_owned(),
            rows: 50,
            bytes: 256 << 10,
            concurrency: 4,
            settle: Duration::ZERO,
            idle: Duration::from_secs(1800),
            interval: Duration::from_millis(20),
            state: self.folder.path().join("state"),
        }
    }

    /// Adds a file to the table.
    pub(crate) async fn write(&self, events: Vec<SessionEvent>) {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        let date = events.iter().map(|event| event.ingested_at).min().unwrap_or_default().date();
        let identity = FileIdentity {
            owner: Owner::default(),
            ingest_date: date,
            journal_id: "0b5f".to_owned(),
            batch_id: format!("b{number}"),
            first: number,
            last: number,
            part: 0,
        };
        let _ = self.table.write(&identity, events).await.unwrap();
    }

    pub(crate) fn exporter(&self, config: Config) -> Deeplake {
        Deeplake::new(config, Location::Folder(self.location()), None).unwrap()
    }

    /// Runs an exporter.
    pub(crate) fn start(&self, config: Config) -> Running {
        let exporter = self.exporter(config);
        let (handle, stop) = (exporter.handle(), CancellationToken::new());
        let task = tokio::spawn(exporter.run(stop.clone()));
        Running { handle, stop, task }
    }
}

impl Site {
    /// Waits until the exporter has nothing more to remember.
    pub(crate) async fn settled(&self) {
        eventually("nothing is left to do", || {
            let text =
                std::fs::read_to_string(self.folder.path().join("state/cursor.json")).unwrap_or_default();
            text.contains("\"sending\":false") && text.contains("\"sessions\":[]")
        })
        .await;
    }
}

/// A running exporter.
pub(crate) struct Running {
    pub(crate) handle: Handle,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    /// Ends it wherever it is.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// Waits for something that must happen.
pub(crate) async fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !happened() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// An hour ago: whatever came then is complete by now.
pub(crate) fn an_hour_ago() -> i64 {
    Timestamp::now().as_micros() / 1_000_000 * 1_000_000 - 3_600_000_000
}

/// An event of Claude Code, the `number`-th of its session, a second after the one before.
pub(crate) fn event(session: &str, number: u64, kind: Kind) -> SessionEvent {
    let time = Timestamp::from_micros(an_hour_ago() + i64::try_from(number).unwrap() * 1_000_000);
    SessionEvent {
        event_id: format!("{session}-{number:05}"),
        fact_key: format!("{session}-{number:05}"),
        session_id: session.to_owned(),
        kind,
        timestamp: time,
        ingested_at: time,
        tenant: "default".to_owned(),
        user_id: "ada".to_owned(),
        assistant: "claude-code".to_owned(),
        cwd: "/home/ada/shop".to_owned(),
        ..SessionEvent::default()
    }
}

/// Turns of a prompt, three tool calls and a response: eight events each.
pub(crate) fn conversation(session: &str, turns: u64) -> Vec<SessionEvent> {
    let mut events = Vec::new();
    for turn in 0..turns {
        let first = turn * 8;
        let text = |what: &str| format!("{what} {turn} of {session}: it's `\\d+` \"quoted\"");
        events.push(SessionEvent { text: text("prompt"), ..event(session, first, Kind::Prompt) });
        for call in 0..3 {
            let id = format!("call-{turn}-{call}");
            let number = first + 1 + call * 2;
            let tool = |kind, at| SessionEvent {
                fact_key: id.clone(),
                tool_call_id: id.clone(),
                tool: "Bash".to_owned(),
                ..event(session, at, kind)
            };
            let input = format!("{{\"command\":\"make {turn}-{call}\"}}");
            events.push(SessionEvent { input, ..tool(Kind::ToolCall, number) });
            events.push(SessionEvent { output: text("output"), ..tool(Kind::ToolResult, number + 1) });
        }
        events.push(SessionEvent { text: text("response"), ..event(session, first + 7, Kind::Response) });
    }
    events
}

/// What a row says, for comparison: (session, type, content).
pub(crate) fn said(row: &Row) -> (String, String, String) {
    let message = &row["message"];
    let text = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
    let content = match message["type"].as_str() {
        Some("tool_call") => format!("{} -> {}", text("tool_input"), text("tool_response")),
        _ => text("content"),
    };
    (text("session_id"), text("type"), content)
}

/// What the rows of [`conversation`] say.
pub(crate) fn expected(session: &str, turns: u64) -> Vec<(String, String, String)> {
    let row = |kind: &str, content: String| (session.to_owned(), kind.to_owned(), content);
    let events = conversation(session, turns);
    let mut rows = Vec::new();
    for (at, event) in events.iter().enumerate() {
        match event.kind {
            Kind::Prompt => rows.push(row("user_message", event.text.clone())),
            Kind::Response => rows.push(row("assistant_message", event.text.clone())),
            Kind::ToolCall => {
                let output = Value::from(events[at + 1].output.as_str());
                rows.push(row("tool_call", format!("{} -> {output}", event.input)));
            }
            _ => {}
        }
    }
    rows
}

/// No id is there twice, and what is there is what is expected.
pub(crate) fn assert_rows(rows: &[Row], mut expected: Vec<(String, String, String)>) {
    let mut ids: Vec<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "{} ids are there twice", count - ids.len());
    let mut found: Vec<_> = rows.iter().map(said).collect();
    found.sort();
    expected.sort();
    assert_eq!(found.len(), expected.len(), "rows");
    assert!(found == expected, "the rows differ");
}

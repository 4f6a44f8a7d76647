//! A file's values → records, in batches of the size of a request.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use super::lines::Found;
use super::memory::{Memory, Seen};
use super::open;
use super::places::TranscriptFile;
use super::source::Source;
use crate::dialects::transcripts::{Form, Told, to_log};
use crate::event::{Kind, SessionEvent, Timestamp};
use crate::processors::{Processor, Redact, Sent};

/// A request is sent when it has this many bytes of texts, or this many records.
const BATCH_BYTES: usize = 1 << 20;
const BATCH_RECORDS: usize = 2_000;
/// What could not be read of one file is named so often.
const MOST_NAMED: usize = 20;

/// Whose sessions they are, where nothing nearer says it, and what leaves this machine.
#[derive(Default)]
pub struct Owner {
    /// The repository's URL.
    pub repository: String,
    /// The workspace.
    pub workspace: String,
    /// The person.
    pub user: String,
    /// Redacts before anything is handed on.
    pub redact: Option<Redact>,
}

/// Records on their way: the body of a request.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The path of the door that takes it.
    pub path: &'static str,
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
    /// Its records.
    pub records: u64,
}

impl Default for Batch {
    /// An OTLP request of log records, as protobuf.
    fn default() -> Self {
        Self { path: "/v1/logs", content_type: "application/x-protobuf", body: Vec::new(), records: 0 }
    }
}

/// A part of a file that was left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Left {
    /// The table of a database, or the file of a tree; `""` in a file of lines.
    pub table: String,
    /// The line, from 1, or the row; 0 of a file of a tree.
    pub line: u64,
    /// Why.
    pub why: String,
}

/// What was read of a file.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Facts by their kind.
    pub facts: BTreeMap<Kind, u64>,
    /// Facts that another session has, from which this one was forked.
    pub copies: u64,
    /// The sessions.
    pub sessions: BTreeSet<String>,
    /// The first of its facts.
    pub first: Timestamp,
    /// The last.
    pub last: Timestamp,
    /// Rows of an export.
    pub rows: u64,
    /// Lines that could not be read; the first of them.
    pub left: Vec<Left>,
    /// How many there were.
    pub left_count: u64,
    /// Bytes that were read, decompressed.
    pub bytes: u64,
    /// What to remember.
    pub seen: Seen,
}

/// Reads what is new in a file and hands it on. An error of `hand_on` ends the reading.
pub fn read(
    file: &TranscriptFile,
    owner: &Owner,
    memory: &mut Memory,
    hand_on: &mut dyn FnMut(Batch) -> io::Result<()>,
) -> io::Result<Summary> {
    let known = memory.seen(&file.key()).and_then(|seen| open::known_up_to(file, seen));
    let mut values = Source::open(file)?;
    let mut reader = file.assistant.reader(file.place());
    let mut pending = Pending { file, owner, memory, logs: Vec::new(), bytes: 0 };
    let mut summary = Summary::default();
    let mut told = Vec::new();
    let mut end = 0;
    while let Some(piece) = values.next_piece()? {
        summary.bytes = piece.end;
        let is_new = values.is_new(piece.end, known);
        match piece.found {
            Found::Value(value, _) => {
                end = piece.end.max(end);
                reader.read(value, &mut told);
            }
            Found::Broken(why) => {
                end = piece.end.max(end);
                if is_new {
                    summary.leave_in(piece.table, piece.line, why);
                }
            }
            Found::Unfinished if is_new => summary.leave(piece.line, "it is not finished"),
            Found::Unfinished => {}
        }
        // Faults of a line that was read before were reported before.
        told.drain(..).filter(|_| is_new).for_each(|told| pending.take(told, &mut summary));
        pending.hand_on_if(BATCH_BYTES, BATCH_RECORDS, hand_on)?;
    }
    reader.end(&mut told);
    if values.is_new(end, known) {
        told.into_iter().for_each(|told| pending.take(told, &mut summary));
    }
    pending.hand_on_if(0, 0, hand_on)?;
    if matches!(file.form, Form::Rows | Form::Tree) {
        summary.bytes = file.size;
    }
    summary.seen = open::seen(file, end)?;
    Ok(summary)
}

struct Pending<'p> {
    file: &'p TranscriptFile,
    owner: &'p Owner,
    memory: &'p mut Memory,
    logs: Vec<LogRecord>,
    bytes: usize,
}

impl Pending<'_> {
    fn take(&mut self, mut told: Told, summary: &mut Summary) {
        let Some(first) = told.events.first() else { return };
        // Another assistant may have the same id.
        let origin = match told.origin.as_str() {
            "" => String::new(),
            origin => format!("{}/{origin}", self.file.assistant.assistant),
        };
        if self.memory.is_copy(&origin, &first.session_id) {
            summary.copies += 1;
            return;
        }
        if let Some(redact) = &self.owner.redact {
            redact.process(&mut told.events, &Sent::NOTHING);
        }
        told.events.iter().for_each(|event| summary.add(event));
        self.bytes += told.events.iter().map(SessionEvent::size_in_memory).sum::<usize>();
        self.logs.push(to_log(told));
    }

    fn hand_on_if(
        &mut self,
        bytes: usize,
        records: usize,
        hand_on: &mut dyn FnMut(Batch) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.logs.is_empty() || self.bytes < bytes && self.logs.len() < records {
            return Ok(());
        }
        self.bytes = 0;
        let logs = std::mem::take(&mut self.logs);
        let records = logs.len() as u64;
        let request = ExportLogsServiceRequest { resource_logs: vec![self.with_surroundings(logs)] };
        hand_on(Batch { body: request.encode_to_vec(), records, ..Batch::default() })
    }

    fn with_surroundings(&self, log_records: Vec<LogRecord>) -> ResourceLogs {
        let attribute = |key: &str, value: &str| {
            let value = Some(any_value::Value::StringValue(value.to_owned()));
            KeyValue { key: key.to_owned(), value: Some(AnyValue { value }), ..KeyValue::default() }
        };
        let attributes = [
            ("service.name", self.file.assistant.service),
            ("vcs.repository.url.full", &self.owner.repository),
            ("skillspan.workspace", &self.owner.workspace),
            ("enduser.id", &self.owner.user),
        ];
        let attributes = attributes.into_iter().filter(|(_, value)| !value.is_empty());
        let attributes = attributes.map(|(key, value)| attribute(key, value)).collect();
        let scope = self.file.assistant.scope();
        ResourceLogs {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_logs: vec![ScopeLogs {
                scope: Some(InstrumentationScope { name: scope, ..InstrumentationScope::default() }),
                log_records,
                ..ScopeLogs::default()
            }],
            ..ResourceLogs::default()
        }
    }
}

impl Summary {
    fn add(&mut self, event: &SessionEvent) {
        *self.facts.entry(event.kind).or_default() += 1;
        if !event.session_id.is_empty() && !self.sessions.contains(&event.session_id) {
            self.sessions.insert(event.session_id.clone());
        }
        if !event.timestamp.is_unset() {
            self.first =
                if self.first.is_unset() { event.timestamp } else { self.first.min(event.timestamp) };
            self.last = self.last.max(event.timestamp);
        }
    }

    pub(super) fn leave(&mut self, line: u64, why: &str) {
        self.leave_in(String::new(), line, why);
    }

    fn leave_in(&mut self, table: String, line: u64, why: &str) {
        self.left_count += 1;
        if self.left.len() < MOST_NAMED {
            self.left.push(Left { table, line, why: why.to_owned() });
        }
    }
}

//! Recorded request bodies (`tests/fixtures/captures`), and their replay through the dialects.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde::de::DeserializeOwned;
use skillspan::dialects::{Dialects, Outcome, Reason, Record};
use skillspan::event::{Owner, SessionEvent, Timestamp};
use skillspan::receivers::langfuse::{Batch, Form};
use skillspan::receivers::otlp::Coding;
use skillspan::receivers::{MemoryLimit, Source};

/// When all replayed records count as accepted: after they happened.
pub(crate) const ACCEPTED_AT: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

/// One recorded body.
pub(crate) enum Body {
    Logs(ExportLogsServiceRequest),
    Traces(ExportTraceServiceRequest),
    Langfuse(Form, Bytes),
}

impl Body {
    /// Calls `visit` with every record of the body, in order.
    pub(crate) fn for_each_record(&self, mut visit: impl FnMut(&Record<'_>)) {
        match self {
            Self::Logs(request) => {
                for resource in &request.resource_logs {
                    for scope in &resource.scope_logs {
                        let (its_resource, its_scope) = (resource.resource.clone(), scope.scope.clone());
                        let (of, by) = (its_resource.unwrap_or_default(), its_scope.unwrap_or_default());
                        scope.log_records.iter().for_each(|log| visit(&Record::log(&of, &by, log)));
                    }
                }
            }
            Self::Traces(request) => {
                for resource in &request.resource_spans {
                    for scope in &resource.scope_spans {
                        let (its_resource, its_scope) = (resource.resource.clone(), scope.scope.clone());
                        let (of, by) = (its_resource.unwrap_or_default(), its_scope.unwrap_or_default());
                        scope.spans.iter().for_each(|span| visit(&Record::span(&of, &by, span)));
                    }
                }
            }
            Self::Langfuse(form, body) => {
                let (report, _reported) = tokio::sync::oneshot::channel();
                let (form, coding, body) = (*form, Coding::Identity, body.clone());
                let batch = Batch { form, coding, body, limit: usize::MAX, report };
                let tally = batch.read(&mut MemoryLimit::new(0).lease(), &mut visit).unwrap();
                assert_eq!(tally.rejected, 0, "{}", tally.message);
            }
        }
    }
}

/// What became of a folder's records.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    pub(crate) events: Vec<SessionEvent>,
    pub(crate) dropped: Vec<Reason>,
    pub(crate) unrecognised: usize,
}

/// The path of a folder or file of the captures.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/captures").join(name)
}

/// A JSON file of the captures.
pub(crate) fn json(name: &str) -> serde_json::Value {
    serde_json::from_slice(&read(&path(name))).unwrap()
}

/// The log and trace bodies of a folder, in the order in which they were sent.
pub(crate) fn bodies(folder: &str) -> Vec<Body> {
    let listing = fs::read_dir(path(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut files: Vec<PathBuf> = listing.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let bodies: Vec<Body> = files.iter().filter_map(|file| body(file)).collect();
    assert!(!bodies.is_empty(), "{folder} has no bodies");
    bodies
}

/// Maps every record of a folder.
pub(crate) fn replay(folder: &str) -> Replay {
    let dialects = Dialects::built_in();
    let mut replay = Replay::default();
    for body in bodies(folder) {
        body.for_each_record(|record| match dialects.map(record, &Owner::default(), ACCEPTED_AT) {
            Outcome::Mapped(events) => replay.events.extend(events),
            Outcome::Dropped { reason, .. } => replay.dropped.push(reason),
            Outcome::Unrecognised => replay.unrecognised += 1,
        });
    }
    replay
}

fn body(file: &Path) -> Option<Body> {
    let name = file.file_name()?.to_str()?;
    let (stem, encoding) = name.rsplit_once('.')?;
    match stem.rsplit_once('-')?.1 {
        "logs" => Some(Body::Logs(decode(file, encoding))),
        "traces" => Some(Body::Traces(decode(file, encoding))),
        "ingestion" => Some(Body::Langfuse(Form::Ingestion, read(file).into())),
        "scores" => Some(Body::Langfuse(Form::Scores, read(file).into())),
        _ => None,
    }
}

fn decode<T: Message + Default + DeserializeOwned>(file: &Path, encoding: &str) -> T {
    let bytes = read(file);
    match encoding {
        "json" => {
            serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
        }
        _ => T::decode(bytes.as_slice()).unwrap_or_else(|error| panic!("{}: {error}", file.display())),
    }
}

fn read(file: &Path) -> Vec<u8> {
    fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

//! Converts a body to the encoding that a backend wants, also bodies that only our own reader understands.
//!
//! A body that changes its encoding loses members that this version does not know.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use prost::Message;
use serde::Serialize;
use tokio::sync::oneshot;

use crate::dialects::Record;
use crate::event::Signal;
use crate::forward::{Body, Form};
use crate::receivers::langfuse::{self, Batch};
use crate::receivers::otlp::{Coding, Encoding, Export};
use crate::receivers::{Lease, Refusal, Source, Tally};

/// The body in this encoding; `None` if it has nothing that can be written so.
pub(super) fn to(form: Option<Form>, signal: Signal, body: Body, lease: &mut Lease) -> Option<Body> {
    match (body.form, form) {
        (_, None) => Some(body),
        (is, Some(wanted)) if is == wanted => Some(body),
        (_, Some(Form::Protobuf)) => leniently(signal, &body, lease),
        // What is Langfuse's own has no other form.
        (_, Some(Form::Ingestion | Form::Scores)) => None,
        (_, Some(Form::Json)) => {
            let bytes = match signal {
                Signal::Traces => json::<ExportTraceServiceRequest>(&body.bytes),
                Signal::Logs => json::<ExportLogsServiceRequest>(&body.bytes),
                Signal::Metrics => json::<ExportMetricsServiceRequest>(&body.bytes),
            };
            bytes.map(|bytes| Body { form: Form::Json, bytes })
        }
    }
}

fn json<M: Message + Default + Serialize>(protobuf: &Bytes) -> Option<Bytes> {
    serde_json::to_vec(&M::decode(protobuf.clone()).ok()?).ok().map(Bytes::from)
}

/// The records that our own reader finds, in protobuf. It reads what clients write beside the specification.
pub(super) fn leniently(signal: Signal, body: &Body, lease: &mut Lease) -> Option<Body> {
    if body.form.is_of_langfuse() {
        return None;
    }
    let bytes = match signal {
        Signal::Metrics => {
            let request: ExportMetricsServiceRequest = serde_json::from_slice(&body.bytes).ok()?;
            request.encode_to_vec()
        }
        Signal::Traces => {
            let mut request = ExportTraceServiceRequest::default();
            read(signal, body, lease, &mut |record| add_span(&mut request, record))?;
            request.encode_to_vec()
        }
        Signal::Logs => {
            let mut request = ExportLogsServiceRequest::default();
            read(signal, body, lease, &mut |record| add_log(&mut request, record))?;
            request.encode_to_vec()
        }
    };
    (!bytes.is_empty()).then_some(Body { form: Form::Protobuf, bytes: bytes.into() })
}

fn read(signal: Signal, body: &Body, lease: &mut Lease, visit: &mut dyn FnMut(&Record<'_>)) -> Option<()> {
    read_again(signal, body, lease, visit).ok().map(drop)
}

/// Reads the body as a request of its own.
pub(super) fn read_again(
    signal: Signal,
    body: &Body,
    lease: &mut Lease,
    visit: &mut dyn FnMut(&Record<'_>),
) -> Result<Tally, Refusal> {
    let (coding, limit, bytes) = (Coding::Identity, usize::MAX, body.bytes.clone());
    let export = |encoding| Export { signal, encoding, coding, body: bytes.clone(), limit };
    // Nobody waits for what became of single events.
    let batch = |form| Batch { form, coding, body: bytes.clone(), limit, report: oneshot::channel().0 };
    match body.form {
        Form::Protobuf => export(Encoding::Protobuf).read(lease, visit),
        Form::Json => export(Encoding::Json).read(lease, visit),
        Form::Ingestion => batch(langfuse::Form::Ingestion).read(lease, visit),
        Form::Scores => batch(langfuse::Form::Scores).read(lease, visit),
    }
}

fn add_span(request: &mut ExportTraceServiceRequest, record: &Record<'_>) {
    let Some(span) = record.as_span() else { return };
    let (resource, scope) = record.surroundings();
    let is_same = |group: &ResourceSpans| group.resource.as_ref() == Some(resource);
    if !request.resource_spans.last().is_some_and(is_same) {
        let resource = Some(resource.clone());
        request.resource_spans.push(ResourceSpans { resource, ..ResourceSpans::default() });
    }
    let Some(group) = request.resource_spans.last_mut() else { return };
    if group.scope_spans.last().is_none_or(|group| group.scope.as_ref() != Some(scope)) {
        group.scope_spans.push(ScopeSpans { scope: Some(scope.clone()), ..ScopeSpans::default() });
    }
    if let Some(group) = group.scope_spans.last_mut() {
        group.spans.push(span.clone());
    }
}

fn add_log(request: &mut ExportLogsServiceRequest, record: &Record<'_>) {
    let Some(log) = record.as_log() else { return };
    let (resource, scope) = record.surroundings();
    let is_same = |group: &ResourceLogs| group.resource.as_ref() == Some(resource);
    if !request.resource_logs.last().is_some_and(is_same) {
        let resource = Some(resource.clone());
        request.resource_logs.push(ResourceLogs { resource, ..ResourceLogs::default() });
    }
    let Some(group) = request.resource_logs.last_mut() else { return };
    if group.scope_logs.last().is_none_or(|group| group.scope.as_ref() != Some(scope)) {
        group.scope_logs.push(ScopeLogs { scope: Some(scope.clone()), ..ScopeLogs::default() });
    }
    if let Some(group) = group.scope_logs.last_mut() {
        group.log_records.push(log.clone());
    }
}

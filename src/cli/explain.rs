//! `skillspan explain`: a recorded request body, record by record.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::Value;

use super::{ConfigFile, Failure, OrFail, print};
use crate::dialects::{Column, Dialects, Explanation, Outcome, Record, Source};

/// How much of a compressed body is read.
const MAX_BODY: u64 = 256 << 20;
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// How much of a value is shown.
const SHOWN: usize = 120;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The body of an OTLP request, as JSON or as protobuf, gzip or not
    file: PathBuf,
    /// Show every record in its place, also those that became nothing
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let body = read(&arguments.file).or_fail()?;
    let dialects = dialects(&arguments.config)?;
    let explanations =
        explain(&dialects, &body).with_context(|| arguments.file.display().to_string()).or_fail()?;
    print(&render(&explanations, arguments.all))
}

/// With the mappings of a configuration, if one is named; without, nothing but the body is needed.
fn dialects(config: &ConfigFile) -> Result<Dialects, Failure> {
    if config.config.is_none() {
        return Ok(Dialects::built_in());
    }
    let sessions = config.load()?.sessions;
    Ok(Dialects::with_mappings(sessions.map(|pipeline| pipeline.mappings).unwrap_or_default()))
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let name = || file.display().to_string();
    let bytes = fs::read(file).with_context(name)?;
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes);
    }
    let mut body = Vec::new();
    GzDecoder::new(bytes.as_slice()).take(MAX_BODY).read_to_end(&mut body).with_context(name)?;
    Ok(body)
}

/// The records of a body, explained. Which signal it is, the body itself says: JSON by its first
/// key, protobuf because the one does not decode as the other.
fn explain(dialects: &Dialects, body: &[u8]) -> anyhow::Result<Vec<Explanation>> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'{') {
        let json: Value = serde_json::from_slice(body).context("not JSON")?;
        return match (json.get("resourceLogs"), json.get("resourceSpans")) {
            (Some(_), _) => {
                Ok(explain_logs(dialects, serde_json::from_value(json).context("not OTLP logs")?))
            }
            (_, Some(_)) => {
                Ok(explain_spans(dialects, serde_json::from_value(json).context("not OTLP traces")?))
            }
            _ => Err(anyhow!("neither `resourceLogs` nor `resourceSpans`; metrics say nothing of a session")),
        };
    }
    if let Ok(request) = ExportTraceServiceRequest::decode(body) {
        return Ok(explain_spans(dialects, request));
    }
    ExportLogsServiceRequest::decode(body)
        .map(|request| explain_logs(dialects, request))
        .map_err(|_| anyhow!("neither OTLP traces nor OTLP logs, neither JSON nor protobuf"))
}

fn explain_logs(dialects: &Dialects, request: ExportLogsServiceRequest) -> Vec<Explanation> {
    let mut explanations = Vec::new();
    for of in request.resource_logs {
        let resource = of.resource.unwrap_or_default();
        for by in of.scope_logs {
            let scope = by.scope.unwrap_or_default();
            let records = by.log_records.iter();
            explanations.extend(records.map(|log| dialects.explain(&Record::log(&resource, &scope, log))));
        }
    }
    explanations
}

fn explain_spans(dialects: &Dialects, request: ExportTraceServiceRequest) -> Vec<Explanation> {
    let mut explanations = Vec::new();
    for of in request.resource_spans {
        let resource = of.resource.unwrap_or_default();
        for by in of.scope_spans {
            let scope = by.scope.unwrap_or_default();
            let records = by.spans.iter();
            explanations.extend(records.map(|span| dialects.explain(&Record::span(&resource, &scope, span))));
        }
    }
    explanations
}

fn render(explanations: &[Explanation], all: bool) -> String {
    let mut text = String::new();
    let mut nothing: BTreeMap<String, usize> = BTreeMap::new();
    for (index, explanation) in explanations.iter().enumerate() {
        let became_nothing = !matches!(explanation.outcome, Outcome::Mapped(_));
        if became_nothing {
            let line =
                format!("{}: {} {}", verdict(explanation), explanation.signal, shorten(&explanation.name));
            *nothing.entry(line).or_default() += 1;
        }
        if all || !became_nothing {
            render_record(&mut text, index + 1, explanation);
        }
    }
    let understood = explanations.len() - nothing.values().sum::<usize>();
    let _ = writeln!(text, "{understood} of {} records became events", explanations.len());
    for (line, count) in nothing {
        let _ = writeln!(text, "  {count:>5} × {line}");
    }
    text
}

fn verdict(explanation: &Explanation) -> String {
    match &explanation.outcome {
        Outcome::Mapped(_) => "understood".to_owned(),
        Outcome::Dropped { dialect, reason } => format!("{} ({dialect})", reason.as_str()),
        Outcome::Unrecognised => format!("no dialect knows scope `{}`", explanation.scope),
    }
}

fn render_record(text: &mut String, number: usize, explanation: &Explanation) {
    let Explanation { signal, name, scope, .. } = explanation;
    let _ = writeln!(text, "{number} {signal} {} (scope {scope})", shorten(name));
    let Outcome::Mapped(events) = &explanation.outcome else {
        let _ = writeln!(text, "  nothing: {}\n", verdict(explanation));
        return;
    };
    for (event, columns) in events.iter().zip(&explanation.columns) {
        let _ = writeln!(text, "  {} by {}, rank {}", event.kind, event.dialect, event.rank);
        for Column { name, value, source } in columns {
            let _ = writeln!(text, "    {name:<18} {}  <- {}", shorten(value), describe(source));
        }
    }
    for (title, names) in [
        ("read besides", &explanation.read_besides),
        ("kept as attributes", &explanation.kept),
        ("passed over", &explanation.passed_over),
    ] {
        if !names.is_empty() {
            let _ = writeln!(text, "  {title}: {}", names.join(", "));
        }
    }
    text.push('\n');
}

fn describe(source: &Source) -> String {
    match source {
        Source::Attribute(name) => name.clone(),
        Source::Within(name) => format!("within {name}"),
        Source::Record => "the record itself".to_owned(),
        Source::Dialect => "the dialect".to_owned(),
    }
}

/// One line of at most [`SHOWN`] characters; control characters would reach the terminal.
fn shorten(text: &str) -> String {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let mut line: String = text.chars().take(SHOWN).map(printable).collect();
    if text.chars().nth(SHOWN).is_some() {
        line.push('…');
    }
    line
}

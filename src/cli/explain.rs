//! `skillspan explain`: a recorded request body, record by record.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use bytes::Bytes;
use clap::Args;

use super::columns::one_line;
use super::{ConfigFile, Failure, OrFail, print};
use crate::dialects::{Column, Dialects, Explanation, HOOKS, Hooks, Outcome, Source};
use crate::event::visible_line;
use crate::receivers::hooks::{Form, HookBody};
use crate::receivers::otlp::{Coding, Encoding, Export};
use crate::receivers::{MemoryLimit, Refusal, Signal, Source as _};

/// How much of a compressed body is read.
const MAX_BODY: usize = 256 << 20;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];
/// How much of a value is shown.
const SHOWN: usize = 120;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The body of an OTLP request: JSON or protobuf, gzip or not
    file: PathBuf,
    /// Read the file as input of this assistant's hooks
    #[arg(long, value_name = "ASSISTANT")]
    hook: Option<String>,
    /// Show every record, also those that became nothing
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let name = || arguments.file.display().to_string();
    let body: Bytes = fs::read(&arguments.file).with_context(name).or_fail()?.into();
    let dialects = dialects(&arguments.config)?;
    let explained = match &arguments.hook {
        Some(assistant) => explain_hooks(&dialects, assistant, body),
        None => explain(&dialects, body),
    };
    print(&render(&explained.with_context(name).or_fail()?, arguments.all))
}

/// With the mappings of a configuration, if one is named; without, nothing but the body is needed.
fn dialects(config: &ConfigFile) -> Result<Dialects, Failure> {
    if config.given().is_empty() {
        return Ok(Dialects::built_in());
    }
    let mut mappings = Vec::new();
    for mapping in config.load()?.sessions.into_iter().flat_map(|pipeline| pipeline.mappings) {
        if !mappings.contains(&mapping) {
            mappings.push(mapping);
        }
    }
    Ok(Dialects::with_mappings(mappings))
}

/// The records of a body.
struct Explained {
    records: Vec<Explanation>,
    /// Records that cannot be read.
    unreadable: u64,
    /// Why the first of them cannot, `""` if there are none.
    reason: String,
}

/// Reads a body as the receiver does. Which signal it is nobody says, so it is read as either: as what it
/// is not it has fewer records.
fn explain(dialects: &Dialects, body: Bytes) -> anyhow::Result<Explained> {
    let (traces, logs) = (read(dialects, Signal::Traces, &body), read(dialects, Signal::Logs, &body));
    let explained = match (traces, logs) {
        (Ok(traces), Ok(logs)) if traces.records.len() >= logs.records.len() => traces,
        (_, Ok(logs)) if !logs.records.is_empty() => logs,
        (Ok(traces), _) => traces,
        (Err(error), _) => return Err(anyhow!("no OTLP request: {error}")),
    };
    if explained.records.is_empty() {
        let Explained { reason, .. } = explained;
        return Err(match reason.as_str() {
            "" => anyhow!("no spans and no log records; metrics say nothing about a session"),
            reason => anyhow!("none of its records can be read: {reason}"),
        });
    }
    Ok(explained)
}

fn read(dialects: &Dialects, signal: Signal, body: &Bytes) -> Result<Explained, Refusal> {
    let mut lease = MemoryLimit::new(usize::MAX).lease();
    let coding = if body.starts_with(&GZIP) { Coding::Gzip } else { Coding::Identity };
    let body = coding.decompress(body.clone(), MAX_BODY, &mut lease)?;
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace() && !BYTE_ORDER_MARK.contains(byte));
    let encoding = if first == Some(&b'{') { Encoding::Json } else { Encoding::Protobuf };
    let export = Export { signal, encoding, coding: Coding::Identity, body, limit: usize::MAX };
    let mut records = Vec::new();
    let tally = export.read(&mut lease, &mut |record| records.push(dialects.explain(record)))?;
    let reason = if tally.rejected > 0 { tally.message } else { String::new() };
    Ok(Explained { records, unreadable: tally.rejected, reason })
}

/// What hooks gave, as the door reads it.
fn explain_hooks(dialects: &Dialects, assistant: &str, body: Bytes) -> anyhow::Result<Explained> {
    let known = || HOOKS.iter().map(|hooks| hooks.assistant).collect::<Vec<_>>().join(", ");
    let hooks = Hooks::of(assistant)
        .ok_or_else(|| anyhow!("skillspan knows no hooks of `{assistant}`; it knows those of {}", known()))?;
    let is_one = serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok();
    let form = if is_one { Form::Object } else { Form::Lines };
    let body = HookBody { hooks, form, coding: Coding::Identity, body, limit: usize::MAX };
    let mut records = Vec::new();
    let mut lease = MemoryLimit::new(usize::MAX).lease();
    body.read(&mut lease, &mut |record| records.push(dialects.explain(record)))?;
    Ok(Explained { records, unreadable: 0, reason: String::new() })
}

fn render(explained: &Explained, all: bool) -> String {
    let explanations = &explained.records;
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
    if explained.unreadable > 0 {
        let _ = writeln!(
            text,
            "{} more cannot be read: {}",
            explained.unreadable,
            visible_line(&explained.reason)
        );
    }
    text
}

fn verdict(explanation: &Explanation) -> String {
    match &explanation.outcome {
        Outcome::Mapped(_) => "understood".to_owned(),
        Outcome::Dropped { dialect, reason } => format!("{} ({dialect})", reason.as_str()),
        Outcome::Unrecognised => format!("no dialect knows scope `{}`", shorten(&explanation.scope)),
    }
}

fn render_record(text: &mut String, number: usize, explanation: &Explanation) {
    let Explanation { signal, name, scope, .. } = explanation;
    let _ = writeln!(text, "{number} {signal} {} (scope {})", shorten(name), shorten(scope));
    let Outcome::Mapped(events) = &explanation.outcome else {
        let _ = writeln!(text, "  nothing: {}\n", verdict(explanation));
        return;
    };
    for (event, columns) in events.iter().zip(&explanation.columns) {
        let _ = writeln!(text, "  {} by {}, rank {}", event.kind, event.dialect, event.rank);
        for Column { name, value, source } in columns {
            let _ =
                writeln!(text, "    {name:<18} {}  <- {}", shorten(value), visible_line(&describe(source)));
        }
    }
    for (title, names) in [
        ("read besides", &explanation.read_besides),
        ("kept as attributes", &explanation.kept),
        ("passed over", &explanation.passed_over),
    ] {
        if !names.is_empty() {
            let _ = writeln!(text, "  {title}: {}", visible_line(&names.join(", ")));
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

fn shorten(text: &str) -> String {
    one_line(text, SHOWN)
}

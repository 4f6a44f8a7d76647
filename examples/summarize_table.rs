//! Prints what `tests/interop` asks every reader of a table for.
//!
//! ```text
//! cargo run --example summarize_table -- FOLDER
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};
use skillspan::event::SessionEvent;
use skillspan::table::{Filter, Table};

/// A text column's name and its value.
type Column = (&'static str, fn(&SessionEvent) -> &str);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = std::env::args().nth(1).context("usage: summarize_table FOLDER")?;
    let scan = Table::open_read_only(folder.as_ref())?.scan(&Filter::default()).await?;
    if let Some(damaged) = scan.damaged.first() {
        bail!("{damaged}");
    }
    let events = scan.events;
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for event in &events {
        *kinds.entry(event.kind.as_str()).or_default() += 1;
    }
    let mut out = std::io::stdout().lock();
    let sessions: BTreeSet<&str> = events.iter().map(|event| event.session_id.as_str()).collect();
    writeln!(out, "rows {}\nsessions {}", events.len(), sessions.len())?;
    for (kind, count) in kinds {
        writeln!(out, "kind {kind} {count}")?;
    }
    let times = || events.iter().map(|event| event.timestamp.as_micros());
    let (least, greatest) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
    let sum: i128 = times().map(i128::from).sum();
    writeln!(out, "timestamps {least} {greatest} {sum}")?;
    let columns: [Column; 4] = [
        ("event_id", |event| &event.event_id),
        ("text", |event| &event.text),
        ("input", |event| &event.input),
        ("output", |event| &event.output),
    ];
    for (name, column) in columns {
        let mut digest = Sha256::new();
        for event in &events {
            digest.update(column(event));
            digest.update("\n");
        }
        let hex: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(out, "sha256 {name} {hex}")?;
    }
    let scores: Vec<f64> = events.iter().filter_map(|event| event.score).collect();
    writeln!(out, "scores {} {:.3}", scores.len(), scores.iter().sum::<f64>())?;
    writeln!(out, "truncated {}", events.iter().filter(|event| event.truncated).count())?;
    Ok(())
}

//! Fills a sessions table with generated sessions, to measure readers and upkeep with.
//!
//! ```text
//! cargo run --release --example generate_table -- FOLDER EVENTS DAYS FILES_A_DAY
//! ```
//!
//! Sessions have 64 events, as agents' have them: a prompt, then calls with their results and a response
//! now and then, a trace each eight events. 40 people in 6 workspaces. Ids are UUID-like and random, words
//! come from a list of 2,000; a result has 40 to 400 of them. The last day is today. The same arguments
//! give the same rows (but for the dates), so a measurement can be repeated.
#![allow(clippy::indexing_slicing, reason = "a tool for measurements, its indices are in range")]

use std::time::Duration;

use anyhow::{Context, bail};
use skillspan::event::{Kind, Owner, SessionEvent, Status, Timestamp};
use skillspan::table::{FileIdentity, Table};

const EVENTS_OF_A_SESSION: u64 = 64;
const EVENTS_OF_A_TRACE: u64 = 8;
const DAY: u64 = 86_400;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, events, days, files] = arguments.as_slice() else {
        bail!("usage: generate_table FOLDER EVENTS DAYS FILES_A_DAY");
    };
    let (events, days, files): (u64, u64, u64) = (events.parse()?, days.parse()?, files.parse()?);
    let table = Table::open(folder.as_ref())?;
    let today = Timestamp::now();
    let a_file = (events / days / files).max(1);
    for day in 0..days {
        let midnight = today.saturating_sub(Duration::from_secs((days - 1 - day) * DAY));
        let date = midnight.date();
        let start = Timestamp::parse_rfc3339(&format!("{date}T00:00:00Z")).context("no date")?;
        for file in 0..files {
            let first = (day * files + file) * a_file;
            let rows = (first..first + a_file).map(|number| row(number, start, a_file * files)).collect();
            let identity = FileIdentity {
                owner: Owner::default(),
                ingest_date: date.clone(),
                journal_id: "generated".to_owned(),
                batch_id: format!("{day}-{file}"),
                first,
                last: first + a_file - 1,
                part: 0,
            };
            let _ = table.write(&identity, rows).await?;
        }
    }
    Ok(())
}

/// The row `number` of all, on a day that has `of_day` of them.
fn row(number: u64, midnight: Timestamp, of_day: u64) -> SessionEvent {
    // Sixteen sessions run at once: their rows alternate, as they do in a collector.
    let block = number / (EVENTS_OF_A_SESSION * 16);
    let session = block * 16 + number % 16;
    let index = number % (EVENTS_OF_A_SESSION * 16) / 16;
    let second = (number % of_day) * (DAY - 60) / of_day;
    let time = midnight.saturating_add(Duration::from_secs(second));
    let kind = match index {
        0 => Kind::Prompt,
        n if n % 8 == 7 => Kind::Response,
        n if n % 2 == 1 => Kind::ToolCall,
        _ => Kind::ToolResult,
    };
    let call = format!("call_{:016x}", mixed(session ^ 0xca11) ^ index.div_ceil(2));
    let of_call = matches!(kind, Kind::ToolCall | Kind::ToolResult);
    let mut event = SessionEvent {
        event_id: format!("{:016x}{:016x}", mixed(number), mixed(number ^ 0xe0e0)),
        fact_key: if of_call { call.clone() } else { String::new() },
        session_id: session_id(session),
        kind,
        timestamp: time,
        ingested_at: time.saturating_add(Duration::from_secs(2)),
        duration_us: if kind == Kind::ToolResult {
            i64::try_from(mixed(number) % 9_000_000).unwrap_or(0)
        } else {
            0
        },
        tenant: "default".to_owned(),
        workspace: format!("team-{}", session % 6),
        project: format!("github.com/acme/service-{}", session % 23),
        user_id: format!("person-{}@acme.example", session % 40),
        service: "claude-code".to_owned(),
        assistant: "claude-code".to_owned(),
        assistant_version: "2.1.0".to_owned(),
        model: "claude-sonnet".to_owned(),
        tool: if of_call {
            ["Bash", "Read", "Edit", "Grep"][(mixed(number / 2) % 4) as usize].to_owned()
        } else {
            String::new()
        },
        tool_call_id: if of_call { call } else { String::new() },
        trace_id: format!(
            "{:032x}",
            u128::from(mixed(session)) << 32 | u128::from(index / EVENTS_OF_A_TRACE)
        ),
        span_id: format!("{:016x}", mixed(number ^ 0x5fa4)),
        dialect: "claude-code".to_owned(),
        ..SessionEvent::default()
    };
    match kind {
        Kind::Prompt | Kind::Response => event.text = words(number, 20, 80),
        Kind::ToolCall => event.input = format!("{{\"command\":\"{}\"}}", words(number, 3, 20)),
        _ => {
            event.output = words(number, 40, 400);
            event.status = if mixed(number).is_multiple_of(11) { Status::Error } else { Status::Ok };
        }
    }
    event
}

/// The id of a session, so that a measurement can ask for one: the first one of all is `session_id(0)`.
fn session_id(session: u64) -> String {
    let (a, b) = (mixed(session ^ 0x1d), mixed(session ^ 0x1d1d));
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        a >> 32,
        a >> 16 & 0xffff,
        a & 0xfff,
        b >> 48 & 0xfff,
        b & 0xffff_ffff_ffff
    )
}

fn words(seed: u64, least: u64, most: u64) -> String {
    let count = least + mixed(seed ^ 0xb0b0) % (most - least);
    let word = |index| format!("w{:03x}", mixed(seed.wrapping_mul(1_000) + index) % 2_000);
    (0..count).map(word).collect::<Vec<_>>().join(" ")
}

/// SplitMix64.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

//! What was acknowledged survives `kill -9`.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use prost::Message;
use skillspan::table::{Filter, Table};

use crate::support::{Running, Site, eventually};

/// How often the process is killed; `SKILLSPAN_CRASH_ROUNDS` asks for more.
const ROUNDS: u64 = 10;
/// The longest life after the first of it, in milliseconds: long enough for several files of the table.
const LONGEST_LIFE: u64 = 1_200;
/// What a life has to come to before it may end, however slow the machine is.
const ACKNOWLEDGED: usize = 25;
const CLIENTS: u64 = 6;

fn attribute(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

/// A prompt that is found again by its number and checked by its text.
fn request(number: u64) -> (String, Vec<u8>) {
    let text = format!("prompt {number}: {}", "x".repeat(usize::try_from(number % 97).unwrap()));
    let record = LogRecord {
        time_unix_nano: 1_795_340_125_502_000_000 + number,
        attributes: vec![
            attribute("event.name", "user_prompt"),
            attribute("session.id", &format!("session-{}", number % 13)),
            attribute("prompt.id", &format!("prompt-{number}")),
            attribute("prompt", &text),
        ],
        ..LogRecord::default()
    };
    let scope = InstrumentationScope {
        name: "com.anthropic.claude_code.events".to_owned(),
        ..InstrumentationScope::default()
    };
    let logs = ScopeLogs { scope: Some(scope), log_records: vec![record], ..ScopeLogs::default() };
    let request = ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs { scope_logs: vec![logs], ..ResourceLogs::default() }],
    };
    (text, request.encode_to_vec())
}

/// Sends until told to stop; remembers what was acknowledged, outside of the process under test.
fn send_until(
    stop: &AtomicBool,
    site: &Site,
    next: &AtomicU64,
    acknowledged: &Mutex<BTreeMap<String, String>>,
) {
    let client = crate::support::client();
    let url = format!("http://127.0.0.1:{}/v1/logs", site.http);
    while !stop.load(Ordering::Relaxed) {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let (text, body) = request(number);
        let sent = client.post(&url).header("content-type", "application/x-protobuf").body(body).send();
        if sent.is_ok_and(|answer| answer.status().is_success()) {
            acknowledged.lock().unwrap().insert(format!("prompt-{number}"), text);
        }
    }
}

/// Ends what senders do, also when a test fails.
struct Stop<'s>(&'s AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How many files each table has.
fn files(site: &Site) -> Vec<usize> {
    let config = std::fs::read_to_string(site.config()).unwrap();
    let tables = ["sessions", "eu"].map(|table| site.path(table));
    let configured = tables.iter().filter(|table| config.contains(&table.display().to_string()));
    configured.map(|table| files_below(table)).collect()
}

fn files_below(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries
        .map(|path| match path.is_dir() {
            true => files_below(&path),
            false => usize::from(path.extension().is_some_and(|end| end == "parquet")),
        })
        .sum()
}

fn rounds() -> u64 {
    std::env::var("SKILLSPAN_CRASH_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap())
}

/// Files are written often, so that some kills hit the way from the journal to the table. Small segments
/// are filled, exported and recycled between two kills.
fn site() -> Site {
    let site = Site::new("crash");
    site.edit_config(&[
        ("segment: 4MiB", "segment: 64KiB"),
        ("exporters:\n", "exporters:\n  parquet: { flush: { age: 50ms } }\n"),
    ]);
    site
}

/// Kills the process again and again while clients send; what was acknowledged, by its prompt's id.
fn send_through_kills(site: &Site, rounds: u64) -> BTreeMap<String, String> {
    let next = AtomicU64::new(0);
    let acknowledged = Mutex::new(BTreeMap::new());
    let moments = RandomState::new();
    for round in 0..rounds {
        let life = moments.hash_one(round) % LONGEST_LIFE;
        let files_before = files(site);
        let running = site.start();
        let stop = AtomicBool::new(false);
        std::thread::scope(|threads| {
            for _ in 0..CLIENTS {
                threads.spawn(|| send_until(&stop, site, &next, &acknowledged));
            }
            let _stop = Stop(&stop);
            let before = acknowledged.lock().unwrap().len();
            let enough = || acknowledged.lock().unwrap().len() >= before + ACKNOWLEDGED;
            eventually("some requests are acknowledged", enough);
            eventually("each table has a file more", || {
                files(site).iter().zip(&files_before).all(|(now, before)| now > before)
            });
            std::thread::sleep(Duration::from_millis(life));
            running.kill();
        });
    }
    let running: Running = site.start();
    site.sessions();
    assert_eq!(running.terminate(), Some(0));
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() > 100, "only {} requests were acknowledged", acknowledged.len());
    acknowledged
}

/// Each acknowledged request is in the table as it was sent, in one row. Answers the number of files.
fn assert_is_in(table: &Path, acknowledged: &BTreeMap<String, String>) -> usize {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let table = Table::open_read_only(table).unwrap();
    let scan = runtime.block_on(table.scan(&Filter::default())).unwrap();
    assert!(scan.damaged.is_empty(), "{:?}", scan.damaged);
    let stored: BTreeMap<String, String> =
        scan.events.iter().map(|event| (event.turn_id.clone(), event.text.clone())).collect();
    let lost: Vec<_> = acknowledged.keys().filter(|id| !stored.contains_key(*id)).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged are lost: {lost:?}", lost.len(), acknowledged.len());
    let altered: Vec<_> = acknowledged.iter().filter(|(id, text)| stored.get(*id) != Some(*text)).collect();
    assert!(altered.is_empty(), "altered: {altered:?}");
    let listing = runtime.block_on(table.files(&Filter::default())).unwrap();
    let rows: u64 = listing.files.iter().map(|file| file.rows).sum();
    assert_eq!(rows, scan.events.len() as u64, "no event stands in two files");
    assert!(listing.files.len() > 3, "kills fell between files: {}", listing.files.len());
    listing.files.len()
}

#[test]
fn nothing_acknowledged_is_lost_altered_or_doubled_by_kill_9() {
    let (site, rounds) = (site(), rounds());
    let acknowledged = send_through_kills(&site, rounds);
    let files = assert_is_in(&site.path("sessions"), &acknowledged);
    let acknowledged = acknowledged.len();
    println!(
        "{rounds} kills: {acknowledged} acknowledged, lost 0, altered 0, stored twice 0, in {files} files"
    );
}

/// A kill between two appends leaves a request in one of them, unanswered.
#[test]
fn what_two_pipelines_acknowledged_is_in_both_their_tables_after_kill_9() {
    let (site, rounds) = (site(), rounds().div_ceil(2));
    let root = site.folder.path().display();
    site.edit_config(&[
        ("receivers:\n", &format!("  sessions_table/eu: {{ path: {root}/eu }}\nreceivers:\n")),
        ("exporters:\n", "exporters:\n  parquet/eu: { table: sessions_table/eu, flush: { age: 70ms } }\n"),
    ]);
    site.add_to_config(
        "  pipelines:
    sessions: { receivers: [otlp], processors: [redact, workspace], exporters: [parquet] }
    sessions/eu: { receivers: [otlp], processors: [workspace], exporters: [parquet/eu] }
",
    );
    let acknowledged = send_through_kills(&site, rounds);
    let files = ["sessions", "eu"].map(|table| assert_is_in(&site.path(table), &acknowledged));
    let acknowledged = acknowledged.len();
    println!(
        "{rounds} kills: {acknowledged} acknowledged, lost 0, altered 0, stored twice 0 in either of two tables, in {files:?} files"
    );
}

//! The parts of the way from a request's bytes to the table, on one core: `cargo bench --bench parts`.
//!
//! Bodies are those of `examples/load`, 20 records each. Times depend on what else the machine does;
//! instructions do not, and are counted by callgrind, a part at a time:
//!
//! ```text
//! cargo bench --bench parts -- count map chat       # the part once, over 20 requests
//! benches/counts.sh                                 # every part and shape under callgrind: docs/operate/performance.md
//! cargo bench --bench parts -- rows                 # a hash of the rows that recorded and made bodies become
//! ```
//!
//! | part | from | to |
//! |---|---|---|
//! | `decode` | a request's bytes | records |
//! | `map` | records | events, by their dialect |
//! | `redact` | events | events without secrets (`redact`, `workspace`, `limits`) |
//! | `encode` | events | a record of the journal |
//! | `export` | records of the journal | a Parquet file |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::panic,
    missing_docs,
    reason = "a benchmark of bodies that it makes may fail, and says what it measured"
)]

#[allow(dead_code, reason = "`examples/load` uses all of it")]
#[path = "../examples/load/body.rs"]
mod body;
#[path = "../examples/load/shapes.rs"]
mod shapes;

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use sha2::{Digest, Sha256};
use skillspan::dialects::{Dialects, Outcome};
use skillspan::event::{EventBatch, Owner, SessionEvent, Timestamp, encode_batch};
use skillspan::exporters::parquet::{Config, ParquetExporter};
use skillspan::journal::{self, Durability, Journal};
use skillspan::processors::{Limits, Processor, Redact, Sent, Workspace};
use skillspan::receivers::otlp::{Coding, Encoding, Export};
use skillspan::receivers::{MemoryLimit, Signal, Source};
use skillspan::redact::{Key, Options, Redactor};
use skillspan::table::Table;
use tokio_util::sync::CancellationToken;

use body::{Body, Ids};
use shapes::Shape;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What `shapes.rs` is told in `examples/load`.
struct Arguments {
    shape: Shape,
    protocol: Protocol,
    batch: usize,
    bodies: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Grpc,
    Json,
}

const RECORDS: usize = 20;
const BODIES: usize = 20;
const SHAPES: [(&str, Shape, Protocol); 5] = [
    ("chat", Shape::Chat, Protocol::Grpc),
    ("tool", Shape::Tool, Protocol::Grpc),
    ("claude", Shape::Claude, Protocol::Grpc),
    ("claude-json", Shape::Claude, Protocol::Json),
    ("history", Shape::History, Protocol::Grpc),
];
const PARTS: [&str; 5] = ["decode", "map", "redact", "encode", "export"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["count", part, shape] => count(part, shape),
        ["rows"] => println!("{}", rows()),
        _ => divan::main(),
    }
}

/// The way of a request, part by part.
struct Way {
    dialects: Dialects,
    processors: Vec<Box<dyn Processor>>,
    owner: Owner,
    ingested_at: Timestamp,
}

impl Way {
    fn new() -> Self {
        let key = Key::new(b"0123456789abcdef").unwrap();
        let redact = Redact::new(Redactor::new(&Options::default(), key).unwrap(), []).cutting_at(1 << 20);
        let workspace = Workspace::new(vec!["skillspan.workspace".to_owned()]);
        Self {
            dialects: Dialects::built_in(),
            processors: vec![Box::new(redact), Box::new(workspace), Box::new(Limits::new(1 << 20))],
            owner: Owner::default(),
            ingested_at: Timestamp::from_micros(1_790_000_000_000_000),
        }
    }

    /// The events of a request, each record's apart.
    fn map(&self, export: Export) -> Vec<Vec<SessionEvent>> {
        let mut all = Vec::new();
        read(export, &mut |record| {
            if let Outcome::Mapped(events) = self.dialects.map(record, &self.owner, self.ingested_at) {
                all.push(events);
            }
        });
        all
    }

    fn redact(&self, records: &mut [Vec<SessionEvent>]) {
        for events in records {
            self.processors.iter().for_each(|processor| processor.process(events, &Sent::NOTHING));
        }
    }

    fn encode(&self, records: Vec<Vec<SessionEvent>>) -> Vec<u8> {
        encode_batch(EventBatch {
            owner: self.owner.clone(),
            ingested_at: self.ingested_at,
            events: records.into_iter().flatten().collect(),
            ..EventBatch::default()
        })
    }

    fn through(&self, export: Export) -> Vec<u8> {
        let mut records = self.map(export);
        self.redact(&mut records);
        self.encode(records)
    }
}

fn read(export: Export, visit: &mut dyn FnMut(&skillspan::dialects::Record<'_>)) {
    let mut lease = MemoryLimit::new(usize::MAX).lease();
    export.read(&mut lease, visit).unwrap();
}

fn look_at_all(export: Export) {
    read(export, &mut |record| {
        black_box(record.as_span());
    });
}

fn exports(name: &str) -> Vec<Export> {
    let (_, shape, protocol) = *SHAPES.iter().find(|(known, ..)| *known == name).expect("a shape");
    let arguments = Arguments { shape, protocol, batch: RECORDS, bodies: BODIES };
    let is_json = protocol == Protocol::Json;
    let bodies = shapes::bodies(&arguments);
    (0..)
        .zip(&bodies)
        .map(|(number, body): (u64, &Body)| {
            let signal = if shape.path(false) == "/v1/logs" { Signal::Logs } else { Signal::Traces };
            export(signal, is_json, body.with_ids(&mut Ids::of_process(number, 1)))
        })
        .collect()
}

fn export(signal: Signal, is_json: bool, body: Vec<u8>) -> Export {
    let encoding = if is_json { Encoding::Json } else { Encoding::Protobuf };
    Export { signal, encoding, coding: Coding::Identity, body: Bytes::from(body), limit: usize::MAX }
}

/// What callgrind counts: `measured` and what it calls.
fn count(part: &str, shape: &str) {
    let way = Way::new();
    let exports = exports(shape);
    // What is made once is made before: patterns, automata, pools.
    exports.iter().for_each(|export| drop(black_box(way.through(export.clone()))));
    for export in exports.clone() {
        match part {
            "decode" => measured(|| look_at_all(export)),
            "map" => drop(measured(|| way.map(export))),
            "redact" => {
                let mut records = way.map(export);
                measured(|| way.redact(&mut records));
            }
            "encode" => {
                let mut records = way.map(export);
                way.redact(&mut records);
                drop(measured(|| way.encode(records)));
            }
            "export" => {}
            _ => panic!("a part is one of {PARTS:?}"),
        }
    }
    if part == "export" {
        let records: Vec<Vec<u8>> = exports.into_iter().map(|export| way.through(export)).collect();
        measured(|| to_table(&records));
    }
    println!("{} records", RECORDS * BODIES);
}

#[inline(never)]
fn measured<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

/// Through the journal, without syncs, to a table.
fn to_table(records: &[Vec<u8>]) {
    let folder = tempfile::tempdir().unwrap();
    let config = journal::Config {
        path: folder.path().join("journal"),
        max_size: 1 << 30,
        segment_size: 64 << 20,
        durability: Durability::Os,
    };
    let journal = Journal::open(config).unwrap();
    let table = Table::open(&folder.path().join("sessions")).unwrap();
    let config = Config {
        rows: 50_000,
        bytes: 64 << 20,
        age: std::time::Duration::from_secs(30),
        on_session_end: false,
        drain_timeout: std::time::Duration::from_secs(60),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let exporter = ParquetExporter::new(journal.clone(), table, config);
        for record in records {
            journal.append(record.clone()).await.unwrap();
        }
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        assert_eq!(exporter.run(shutdown).await, 0);
    });
}

/// A hash of what every recorded and every made body becomes: the same before and after a change that is to
/// change nothing.
fn rows() -> String {
    let way = Way::new();
    let mut hasher = Sha256::new();
    let mut bytes = 0;
    for export in recorded().into_iter().chain(SHAPES.iter().flat_map(|(name, ..)| exports(name))) {
        let rows = way.through(export);
        bytes += rows.len();
        hasher.update((rows.len() as u64).to_le_bytes());
        hasher.update(&rows);
    }
    let hash: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{bytes} B {hash}")
}

/// The bodies that real clients sent, from the fixtures.
fn recorded() -> Vec<Export> {
    let mut files = Vec::new();
    find(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/captures"), &mut files);
    files.sort();
    let exports = files.into_iter().filter_map(|file| {
        let name = file.file_name()?.to_str()?.to_owned();
        let signal = match () {
            () if name.contains("-traces.") => Signal::Traces,
            () if name.contains("-logs.") => Signal::Logs,
            () => return None,
        };
        let is_json = name.ends_with(".json");
        let wanted = !name.ends_with(".meta.json") && (is_json || name.ends_with(".pb"));
        wanted.then(|| export(signal, is_json, fs::read(&file).unwrap()))
    });
    let exports: Vec<Export> = exports.collect();
    assert!(exports.len() > 50, "the recorded bodies are there");
    exports
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_dir() { find(&path, files) } else { files.push(path) }
    }
}

#[divan::bench(args = SHAPES.map(|(name, ..)| name))]
fn decode(bencher: Bencher<'_, '_>, shape: &str) {
    let exports = exports(shape);
    bencher.counter(ItemsCount::new(RECORDS * BODIES)).with_inputs(|| exports.clone()).bench_local_values(
        |exports| {
            exports.into_iter().for_each(look_at_all);
        },
    );
}

#[divan::bench(args = SHAPES.map(|(name, ..)| name))]
fn map(bencher: Bencher<'_, '_>, shape: &str) {
    let (way, exports) = (Way::new(), exports(shape));
    bencher.counter(ItemsCount::new(RECORDS * BODIES)).with_inputs(|| exports.clone()).bench_local_values(
        |exports| exports.into_iter().for_each(|export| drop(black_box(way.map(export)))),
    );
}

#[divan::bench(args = SHAPES.map(|(name, ..)| name))]
fn redact(bencher: Bencher<'_, '_>, shape: &str) {
    let (way, exports) = (Way::new(), exports(shape));
    let mapped: Vec<_> = exports.into_iter().map(|export| way.map(export)).collect();
    bencher.counter(ItemsCount::new(RECORDS * BODIES)).with_inputs(|| mapped.clone()).bench_local_values(
        |mut mapped| {
            mapped.iter_mut().for_each(|records| way.redact(records));
            mapped
        },
    );
}

#[divan::bench(args = SHAPES.map(|(name, ..)| name))]
fn encode(bencher: Bencher<'_, '_>, shape: &str) {
    let (way, exports) = (Way::new(), exports(shape));
    let mapped: Vec<_> = exports.into_iter().map(|export| way.map(export)).collect();
    bencher.counter(ItemsCount::new(RECORDS * BODIES)).with_inputs(|| mapped.clone()).bench_local_values(
        |mapped| mapped.into_iter().map(|records| way.encode(records)).collect::<Vec<_>>(),
    );
}

#[divan::bench(args = SHAPES.map(|(name, ..)| name), sample_count = 10)]
fn export_all(bencher: Bencher<'_, '_>, shape: &str) {
    let (way, exports) = (Way::new(), exports(shape));
    let records: Vec<Vec<u8>> = exports.into_iter().map(|export| way.through(export)).collect();
    bencher.counter(ItemsCount::new(RECORDS * BODIES)).bench_local(|| to_table(&records));
}

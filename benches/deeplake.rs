//! Rows a second and bytes a row to a Deeplake service that is 50 ms away: the exporter, and one INSERT
//! per event as hooks send it, to the same stand-in.
//!
//! `cargo bench --bench deeplake -- [--latency MS] [--sessions N]`. The network's latency bounds both, so
//! the figures of an unoptimised build (`--profile dev`) are about those of an optimised one.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "figures are its output"
)]

#[path = "../tests/deeplake/harness.rs"]
mod harness;
#[path = "../tests/deeplake/standin/mod.rs"]
mod standin;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::Semaphore;

use harness::{Site, conversation, eventually};
use standin::{Faults, ORG, StandIn, TOKEN, WORKSPACE};

/// Rows that are sent one by one.
const ONE_BY_ONE: usize = 300;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (mut latency, mut sessions) = (50, 100);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--latency" => latency = arguments.next().unwrap().parse().unwrap(),
            "--sessions" => sessions = arguments.next().unwrap().parse().unwrap(),
            _ => {}
        }
    }
    let faults = Faults { latency: Duration::from_millis(latency), ..Faults::default() };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(compare(faults, sessions));
}

async fn compare(faults: Faults, sessions: u64) {
    println!("latency {:?}; requests' bodies are counted, headers are not", faults.latency);
    println!("how                                  rows  seconds  rows/s  requests  bytes/row");
    let whole = StandIn::start(faults.clone()).await;
    let site = Site::new();
    site.write((0..sessions).flat_map(|number| conversation(&format!("s{number}"), 20)).collect()).await;
    let config = skillspan::exporters::deeplake::Config { rows: 200, bytes: 1 << 20, ..site.config(&whole) };
    let rows = usize::try_from(sessions).unwrap() * 100;
    let started = Instant::now();
    let running = site.start(config);
    eventually("all rows", || running.handle.status().rows >= rows as u64).await;
    let exported = Line { how: "exporter (200 rows, 4 at once)", rows, took: started.elapsed() };
    running.stop().await;
    let exported = exported.print(&whole);
    for at_once in [1, 5] {
        let single = StandIn::start(faults.clone()).await;
        create_table(&single, &whole);
        let statements = one_by_one(&whole);
        let started = Instant::now();
        send_all(&single, statements, at_once).await;
        let how = if at_once == 1 { "one INSERT per event" } else { "one INSERT per event, 5 at once" };
        let line = Line { how, rows: ONE_BY_ONE, took: started.elapsed() };
        let rate = line.print(&single);
        println!("{:36} the exporter is {:.0} times as fast", "", exported / rate);
    }
}

struct Line {
    how: &'static str,
    rows: usize,
    took: Duration,
}

impl Line {
    /// Prints the line; the rows a second.
    fn print(&self, standin: &StandIn) -> f64 {
        let (requests, bytes, _) = standin.traffic();
        let (rows, seconds) = (self.rows as f64, self.took.as_secs_f64());
        let per_row = bytes as f64 / rows;
        println!(
            "{:34} {:6} {seconds:8.2} {:7.0} {requests:9} {per_row:10.0}",
            self.how,
            self.rows,
            rows / seconds
        );
        rows / seconds
    }
}

/// The same table, empty.
fn create_table(target: &StandIn, source: &StandIn) {
    let columns: Vec<String> = source
        .columns("sessions")
        .into_iter()
        .map(|name| match name.as_str() {
            "message" => "message JSONB".to_owned(),
            "message_embedding" => "message_embedding FLOAT4[]".to_owned(),
            "size_bytes" => "size_bytes BIGINT".to_owned(),
            name => format!("{name} TEXT"),
        })
        .collect();
    target
        .execute(&format!("CREATE TABLE IF NOT EXISTS \"sessions\" ({}) USING deeplake", columns.join(", ")));
}

/// The first rows, each in a statement as hooks send it.
fn one_by_one(source: &StandIn) -> Vec<String> {
    const COLUMNS: [&str; 13] = [
        "id",
        "path",
        "filename",
        "message",
        "message_embedding",
        "author",
        "size_bytes",
        "project",
        "description",
        "agent",
        "plugin_version",
        "creation_date",
        "last_update_date",
    ];
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let rows = source.rows("sessions").into_iter().take(ONE_BY_ONE);
    rows.map(|row| {
        let values: Vec<String> = COLUMNS
            .iter()
            .map(|column| match *column {
                "message" => format!("{}::jsonb", quoted(&row["message"].to_string())),
                "message_embedding" => "NULL".to_owned(),
                "size_bytes" => row["size_bytes"].to_string(),
                column => quoted(row[column].as_str().unwrap()),
            })
            .collect();
        format!(
            "INSERT INTO \"sessions\" ({}) SELECT {} WHERE NOT EXISTS (SELECT 1 FROM \"sessions\" WHERE id = {})",
            COLUMNS.join(", "),
            values.join(", "),
            values[0]
        )
    })
    .collect()
}

async fn send_all(standin: &StandIn, statements: Vec<String>, at_once: usize) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/workspaces/{WORKSPACE}/tables/query", standin.url);
    let room = Arc::new(Semaphore::new(at_once));
    let mut sending = tokio::task::JoinSet::new();
    for statement in statements {
        let permit = Arc::clone(&room).acquire_owned().await.unwrap();
        let request = client
            .post(&url)
            .bearer_auth(TOKEN)
            .header("x-activeloop-org-id", ORG)
            .json(&json!({ "query": statement }));
        sending.spawn(async move {
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 200);
            drop(permit);
        });
    }
    while let Some(sent) = sending.join_next().await {
        sent.unwrap();
    }
}

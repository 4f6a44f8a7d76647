//! The whole path as a process: killed in the middle, asked how it does.
//!
//! `SKILLSPAN_DEEPLAKE_EVENTS=100000 SKILLSPAN_DEEPLAKE_STALENESS=5` make the first test as large and the
//! service as slow to show its writes as in earnest; without them it is a matter of seconds.

use std::time::{Duration, Instant};

use skillspan::table::Table;
use tokio::runtime::Runtime;

use crate::cli;
use crate::exporter::every_fault;
use crate::harness::{assert_rows, conversation, expected};
use crate::standin::{Faults, ORG, StandIn, TOKEN, WORKSPACE};

/// The stand-in serves on a runtime of its own while the test blocks.
fn served(faults: Faults) -> (Runtime, StandIn) {
    let runtime = Runtime::new().unwrap();
    let standin = runtime.block_on(StandIn::start(faults));
    (runtime, standin)
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// A site whose process only follows its table.
fn site(standin: &StandIn, token: &str, read_lag: Duration) -> cli::Site {
    let site = cli::Site::new("shop");
    let root = site.folder.path().display();
    let config = format!(
        "extensions:
  health: {{ endpoint: 127.0.0.1:{health} }}
  sessions_table: {{ path: {root}/sessions }}
exporters:
  deeplake:
    endpoint: {url}
    org: {ORG}
    org_name: acme
    workspace: {WORKSPACE}
    token: {token}
    interval: 100ms
    read_lag: {lag}ms
    batch: {{ rows: 100 }}
    state: {root}/deeplake
service:
  pipelines:
    sessions: {{ receivers: [], exporters: [deeplake] }}
",
        health = site.health,
        url = standin.url,
        lag = read_lag.as_millis(),
    );
    std::fs::write(site.config(), config).unwrap();
    site
}

fn wait_for(what: &str, mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(3600);
    while !happened() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn rows_are_exactly_the_turns_after_kill_9_with_every_fault_and_stale_reads() {
    let events = number("SKILLSPAN_DEEPLAKE_EVENTS", 3_200);
    let staleness =
        Duration::from_secs(number("SKILLSPAN_DEEPLAKE_STALENESS", 0)).max(Duration::from_millis(200));
    let faults = Faults { slow: Duration::from_secs(1), ..every_fault(staleness) };
    let (runtime, standin) = served(faults);
    let site = site(&standin, TOKEN, staleness + Duration::from_secs(1));
    let sessions: Vec<String> = (0..events / 160).map(|number| format!("s{number:04}")).collect();
    let files = crate::harness::Site::at(&site.path("sessions"));
    for some in sessions.chunks(sessions.len().div_ceil(7)) {
        runtime.block_on(files.write(some.iter().flat_map(|session| conversation(session, 20)).collect()));
    }
    drop(files);
    let wanted: Vec<_> = sessions.iter().flat_map(|session| expected(session, 20)).collect();
    let started = Instant::now();
    for kill in 1..=5 {
        let running = site.start();
        let some = wanted.len() * kill / 6;
        wait_for("some rows", || standin.rows_count("sessions") >= some);
        running.kill();
    }
    let running = site.start();
    wait_for("all rows", || standin.rows_count("sessions") >= wanted.len());
    wait_for("nothing is left to do", || {
        let text = std::fs::read_to_string(site.path("deeplake/cursor.json")).unwrap_or_default();
        text.contains("\"sending\":false") && text.contains("\"sessions\":[]")
    });
    assert_eq!(running.terminate(), Some(0));
    let (requests, bytes, largest) = standin.traffic();
    println!(
        "{events} events, {} rows, {requests} requests of {bytes} bytes, the largest {largest}, in {:?}; faults {:?}",
        wanted.len(),
        started.elapsed(),
        standin.injected()
    );
    assert_rows(&standin.rows("sessions"), wanted);
}

#[test]
fn status_says_what_stands_in_the_way_and_metrics_count_it_and_neither_shows_the_token() {
    let balance = r#"{"balance_cents":0,"error":"insufficient balance, please top up"}"#;
    let (runtime, standin) = served(Faults { always: Some((402, balance)), ..Faults::default() });
    let site = site(&standin, TOKEN, Duration::from_millis(100));
    let files = crate::harness::Site::at(&site.path("sessions"));
    runtime.block_on(files.write(conversation("s", 2)));
    let running = site.start();
    wait_for("out of credit", || site.run(&["status"]).contains("out_of_credit"));
    let status = site.run(&["status"]);
    assert!(status.contains(&format!("in {ORG}/{WORKSPACE}")), "{status}");
    assert!(
        status.contains("the organisation is out of credit: insufficient balance, please top up"),
        "{status}"
    );
    assert!(status.contains("to do: top up the organisation's balance"), "{status}");
    let metrics = cli::client().get(format!("http://127.0.0.1:{}/metrics", site.health)).send().unwrap();
    let metrics = metrics.text().unwrap();
    assert!(metrics.contains("skillspan_deeplake_failing{exporter=\"deeplake\"} 1"), "{metrics}");
    assert!(
        metrics.contains("skillspan_deeplake_failures_total{exporter=\"deeplake\",kind=\"out_of_credit\"}"),
        "{metrics}"
    );
    assert_eq!(running.terminate(), Some(0));
    standin.set(|faults| faults.always = None);
    let running = site.start();
    wait_for("the rows", || standin.rows_count("sessions") == 10);
    wait_for("it says so", || site.run(&["status"]).contains("deeplake   exporting: 10 rows"));
    assert_eq!(running.terminate(), Some(0));
    let everything = [site.log(), status, metrics].concat();
    assert!(
        !everything.contains(TOKEN) && site.log().contains("Sessions leave this machine"),
        "{everything}"
    );
    assert!(Table::open_read_only(&site.path("sessions")).is_ok());
}

#[test]
fn one_pipeline_follows_the_table_of_another_beside_those_that_fill_tables() {
    let (runtime, standin) = served(Faults::default());
    let site = site(&standin, TOKEN, Duration::from_millis(100));
    let root = site.folder.path().display();
    site.edit_config(&[
        ("exporters:\n", &format!("  sessions_table/eu: {{ path: {root}/eu }}\nexporters:\n  parquet/eu: {{ table: sessions_table/eu }}\n")),
        ("  deeplake:\n", "  deeplake:\n    table: sessions_table/eu\n"),
        (
            "    sessions: { receivers: [], exporters: [deeplake] }\n",
            "    sessions: { receivers: [otlp], processors: [redact], exporters: [parquet] }
    sessions/eu: { receivers: [otlp], processors: [redact], exporters: [parquet/eu] }
    sessions/hivemind: { receivers: [], exporters: [deeplake] }
",
        ),
        ("service:\n", &format!(
            "receivers:
  otlp: {{ protocols: {{ grpc: {{ endpoint: 127.0.0.1:{} }}, http: {{ endpoint: 127.0.0.1:{} }} }} }}
service:
  journal: {{ path: {root}/journal }}
",
            site.grpc, site.http,
        )),
    ]);
    for (folder, session) in [("sessions", "here"), ("eu", "there")] {
        let files = crate::harness::Site::at(&site.path(folder));
        runtime.block_on(files.write(conversation(session, 2)));
    }
    let running = site.start();
    wait_for("the rows", || site.run(&["status"]).contains("deeplake   exporting: 10 rows"));
    let report: serde_json::Value = serde_json::from_str(&site.run(&["status", "--json"])).unwrap();
    let pipelines: Vec<&str> =
        report["pipelines"].as_array().unwrap().iter().map(|found| found["name"].as_str().unwrap()).collect();
    assert_eq!(pipelines, ["sessions", "sessions/eu"]);
    assert_eq!(report["followers"][0]["exporter"], "deeplake");
    // It waits for the exporter.
    assert!(site.run(&["erase", "--session", "there"]).contains("summaries and skills that others made"));
    assert_eq!(standin.rows_count("sessions"), 0);
    assert_eq!(running.terminate(), Some(0));
    assert!(!standin.statements().iter().any(|sql| sql.starts_with("INSERT") && sql.contains("here_")));
}

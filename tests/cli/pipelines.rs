//! Several sessions pipelines: one answer when all have a request, each its journal and its table.

use serde_json::Value;

use crate::support::{Running, Site, eventually, outcome, skillspan};

const SECRET: &str = "ghp_Q7Q7Q7Q7Q7Q7Q7Q7Q7Q7Q7Q7Q7Q7Q7Q7Q7Q7";

fn body() -> Vec<u8> {
    let capture = "captures/claude-code/s03-dbup-widgets-httpjson/0002-logs.json";
    let text = std::fs::read_to_string(crate::support::fixtures().join(capture)).unwrap();
    text.replace("make db-up", &format!("TOKEN={SECRET} make db-up")).into_bytes()
}

/// A pipeline that redacts and one that does not, each with a table; `flush` is when they are written.
fn site(flush: &str) -> Site {
    let site = Site::new("default");
    let root = site.folder.path().display();
    site.edit_config(&[
        ("receivers:\n", &format!("  sessions_table/eu: {{ path: {root}/eu }}\nreceivers:\n")),
        (
            "exporters:\n",
            &format!(
                "exporters:\n  parquet: {{ flush: {flush} }}\n  parquet/eu: {{ table: sessions_table/eu, flush: {flush} }}\n"
            ),
        ),
    ]);
    site.add_to_config(
        "  pipelines:
    sessions: { receivers: [otlp], processors: [redact, workspace], exporters: [parquet] }
    sessions/eu: { receivers: [otlp], processors: [workspace], exporters: [parquet/eu] }
    skills: { receivers: [skillify], exporters: [filesystem] }
",
    );
    site
}

/// The JSON of a session of that table.
fn session(site: &Site, table: &str) -> Value {
    serde_json::from_str(&site.run(&["sessions", "show", "ecf0032b", "--json", "--table", table])).unwrap()
}

fn tool_calls(site: &Site, table: &str) -> Value {
    let listed = site.run(&["sessions", "list", "--json", "--table", table]);
    let Some(line) = listed.lines().next() else { return Value::Null };
    serde_json::from_str::<Value>(line).unwrap()["events"]["tool_call"].clone()
}

fn post(site: &Site) -> u16 {
    site.post("/v1/logs", "application/json", body())
}

fn get(site: &Site, path: &str) -> (u16, String) {
    let client = crate::support::client();
    let answer = client.get(format!("http://127.0.0.1:{}{path}", site.health)).send().unwrap();
    (answer.status().as_u16(), answer.text().unwrap())
}

fn stop(running: Running) {
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn each_pipeline_has_the_request_as_its_own_processors_leave_it() {
    let site = site("{ age: 1h, on_session_end: false }");
    let running = site.start();
    assert_eq!(post(&site), 200);
    let shown = session(&site, "sessions_table").to_string();
    assert!(shown.contains("TOKEN=[redacted:github-token:") && !shown.contains(SECRET), "{shown}");
    assert!(session(&site, "sessions_table/eu").to_string().contains(SECRET), "this one does not redact");
    assert_eq!(site.sessions()[0]["events"]["tool_call"], 5, "without --table it is the first");
    for journal in ["journal/cursor", "journal/sessions/eu/cursor"] {
        assert!(site.path(journal).is_file(), "{journal}");
    }
    let metrics = get(&site, "/metrics").1;
    for pipeline in ["sessions", "sessions/eu"] {
        for line in [
            format!("skillspan_journal_writable{{pipeline=\"{pipeline}\"}} 1"),
            format!("skillspan_journal_syncs_total{{pipeline=\"{pipeline}\"}} 1"),
            format!("skillspan_table_lag_records{{pipeline=\"{pipeline}\"}} 0"),
            format!("skillspan_journal_sync_duration_seconds_count{{pipeline=\"{pipeline}\"}} 1"),
            format!(
                "skillspan_journal_sync_duration_seconds_bucket{{le=\"+Inf\",pipeline=\"{pipeline}\"}} 1"
            ),
        ] {
            assert!(metrics.lines().any(|found| found == line), "{line} is missing in {metrics}");
        }
    }
    let help = metrics.lines().filter(|line| line.starts_with("# HELP skillspan_journal_bytes "));
    assert_eq!(help.count(), 1, "a metric is described once: {metrics}");
    let (code, _, stderr) = outcome(
        skillspan().args(["sessions", "list", "--table", "sessions_table/us", "--config"]).arg(site.config()),
    );
    assert_eq!(code, 64);
    assert!(stderr.contains("there are: sessions_table, sessions_table/eu"), "{stderr}");
    stop(running);
}

#[test]
fn a_receiver_feeds_the_pipelines_that_name_it_and_no_other() {
    let site = site("{ age: 50ms }");
    let second = site.free_port();
    site.edit_config(&[
        (
            "processors:\n",
            &format!(
                "  otlp/eu: {{ protocols: {{ http: {{ endpoint: 127.0.0.1:{second} }} }} }}\nprocessors:\n"
            ),
        ),
        ("sessions/eu: { receivers: [otlp]", "sessions/eu: { receivers: [otlp, otlp/eu]"),
    ]);
    let running = site.start();
    let only_eu = Site { http: second, ..site };
    assert_eq!(post(&only_eu), 200);
    let site = only_eu;
    assert_eq!(tool_calls(&site, "sessions_table/eu"), 5);
    assert_eq!(tool_calls(&site, "sessions_table"), Value::Null);
    stop(running);
}

#[test]
fn what_one_journal_lost_to_kill_9_between_the_two_comes_with_the_retry_and_counts_once() {
    let site = site("{ age: 1h, on_session_end: false }");
    let running = site.start();
    // One of two journals is gone: the other one stores the request, and that is not enough.
    std::fs::remove_dir_all(site.path("journal/sessions/eu")).unwrap();
    assert_eq!(post(&site), 503);
    let (status, why) = get(&site, "/ready");
    assert!(status == 503 && why.contains("pipeline sessions/eu: "), "{why}");
    running.kill();
    let text = site.run(&["status"]);
    assert!(text.contains("! 1 accepted requests of sessions are not in the table yet"), "{text}");

    let running = site.start();
    assert_eq!(post(&site), 200, "the client's retry");
    running.kill();
    let running = site.start();
    for table in ["sessions_table", "sessions_table/eu"] {
        assert_eq!(tool_calls(&site, table), 5, "{table}");
    }
    stop(running);
}

#[test]
fn one_full_journal_is_back_pressure_until_its_table_gets_on_and_nothing_is_lost() {
    let site = site("{ age: 50ms }");
    site.edit_config(&[("max_size: 64MiB, segment: 4MiB", "max_size: 256KiB, segment: 64KiB")]);
    let obstacle = site.path("eu/v1");
    std::fs::create_dir_all(site.path("eu")).unwrap();
    std::fs::write(&obstacle, "").unwrap();
    let running = site.start();
    let mut accepted = 0;
    eventually("the journal of the failing table is full", || {
        let status = post(&site);
        accepted += u32::from(status == 200);
        status == 503
    });
    assert!(accepted > 3, "{accepted}");
    eventually("it is said", || {
        let text = site.run(&["status"]);
        text.contains("! the journal of sessions/eu is nearly full")
            && text.contains("! the table of sessions/eu cannot be written")
    });
    std::fs::remove_file(&obstacle).unwrap();
    eventually("it is accepted again", || post(&site) == 200);
    for table in ["sessions_table", "sessions_table/eu"] {
        assert_eq!(tool_calls(&site, table), 5, "{table}: what is stored often counts once");
    }
    assert!(site.run(&["status"]).ends_with("nothing fails\n"));
    stop(running);
}

#[test]
fn the_journal_of_a_pipeline_that_is_gone_is_not_forgotten() {
    let site = site("{ age: 1h, on_session_end: false }");
    let running = site.start();
    assert_eq!(post(&site), 200);
    running.kill();
    site.edit_config(&[("    sessions/eu: {", "    sessions/us: {")]);
    let gone = site.path("journal/sessions/eu");
    let said = format!("1 accepted requests are in {}, the journal of no pipeline", gone.display());
    let running = site.start();
    eventually("the start says so", || site.log().contains(&said));
    assert!(site.run(&["status"]).contains(&format!("! {said}\n")));
    let arguments = ["drain", "--journal", gone.to_str().unwrap()];
    let (code, _, stderr) = outcome(skillspan().args(arguments).arg("--config").arg(site.config()));
    assert_eq!(code, 64);
    assert!(stderr.contains("say where its records go, --table sessions_table or"), "{stderr}");
    site.run(&[&arguments[..], &["--table", "sessions_table/eu"]].concat());
    std::fs::remove_dir_all(&gone).unwrap();
    assert!(site.run(&["status"]).ends_with("nothing fails\n"));
    assert_eq!(tool_calls(&site, "sessions_table/eu"), 5);
    stop(running);
}

#[test]
fn dead_letters_are_replayed_into_the_journal_they_came_from() {
    let site = site("{ age: 50ms }");
    stop(site.start());
    let letters = site.path("journal/sessions/eu/dead-letters");
    std::fs::create_dir(&letters).unwrap();
    std::fs::write(letters.join("00000000000000000001.record"), b"").unwrap();
    std::fs::write(letters.join("00000000000000000001.reason.txt"), "too new").unwrap();
    assert!(site.run(&["deadletters", "list"]).contains("journal/sessions/eu/dead-letters/"));
    let replayed = site.run(&["deadletters", "replay"]);
    assert!(replayed.contains("sessions/eu  00000000000000000001  replayed as record 1"), "{replayed}");
    assert_eq!(site.run(&["deadletters", "list"]), "no dead letters\n");
}

#[test]
fn what_the_example_shows_of_a_second_pipeline_is_valid() {
    let site = Site::new("default");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/config.example.yaml");
    let example = std::fs::read_to_string(example).unwrap();
    let shown = ["sessions_table/eu:", "parquet/eu:", "sessions/eu:", "metrics: { otlp:"];
    let mut found = 0;
    let lines = example.lines().map(|line| {
        let shows = shown.iter().any(|key| line.trim_start().starts_with(&format!("# {key}")));
        found += usize::from(shows);
        if shows { line.replacen("# ", "", 1) } else { line.to_owned() }
    });
    std::fs::write(site.config(), lines.collect::<Vec<_>>().join("\n")).unwrap();
    assert_eq!(found, shown.len());
    let (code, stdout, stderr) = outcome(
        skillspan().env("HOME", site.folder.path()).args(["validate", "--config"]).arg(site.config()),
    );
    assert_eq!((code, stderr.as_str()), (0, ""));
    let warnings: Vec<&str> = stdout.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn one_request_to_one_table_by_two_pipelines_is_warned_of() {
    let site = site("{ age: 30s }");
    site.edit_config(&[("parquet/eu: { table: sessions_table/eu", "parquet/eu: { table: sessions_table")]);
    let said = site.run(&["validate"]);
    let expected = "warning: service.pipelines.sessions/eu: otlp feeds sessions as well, which writes the same table: every event is stored twice there, and counted once\n";
    assert!(said.contains(expected), "{said}");
    assert!(said.contains("warning: extensions.sessions_table/eu: no pipeline uses it\n"), "{said}");
}

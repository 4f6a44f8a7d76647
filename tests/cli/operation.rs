//! Start, health, metrics, drain, demo.

use serde_json::Value;

use crate::support::{Site, eventually, outcome, skillspan};

fn get(site: &Site, path: &str) -> (u16, String) {
    let client = crate::support::client();
    let answer = client.get(format!("http://127.0.0.1:{}{path}", site.health)).send().unwrap();
    (answer.status().as_u16(), answer.text().unwrap())
}

/// A log record of a scope that no dialect knows, and one that Claude Code's dialect drops.
fn strangers() -> Vec<u8> {
    let log = |event: &str| serde_json::json!({ "attributes": [{ "key": "event.name", "value": { "stringValue": event } }] });
    let scope = |name: &str, event: &str| serde_json::json!({ "scope": { "name": name }, "logRecords": [log(event)] });
    let scopes = [scope("my.app", "x"), scope("com.anthropic.claude_code.events", "plugin_loaded")];
    serde_json::json!({ "resourceLogs": [{ "scopeLogs": scopes }] }).to_string().into_bytes()
}

#[test]
fn it_says_what_it_does_and_counts_what_it_drops() {
    let site = Site::new("default");
    let running = site.start();
    for said in [
        format!("127.0.0.1:{}", site.grpc),
        format!("127.0.0.1:{}", site.http),
        site.path("sessions").display().to_string(),
        site.path("skills").display().to_string(),
        "Nothing leaves this machine.".to_owned(),
        format!("skillspan connect claude-code --endpoint http://127.0.0.1:{} --write", site.http),
        "Pipelines (built in; `service.pipelines` changes them):".to_owned(),
        "  sessions: otlp, langfuse, hooks → redact, workspace, limits → parquet".to_owned(),
    ] {
        eventually(&said, || site.log().contains(&said));
    }
    assert_eq!(get(&site, "/health").0, 200);
    let (status, ready) = get(&site, "/ready");
    assert_eq!((status, serde_json::from_str::<Value>(&ready).unwrap()["ready"].clone()), (200, true.into()));
    assert_eq!(site.post("/v1/logs", "application/json", strangers()), 200);
    let metrics = get(&site, "/metrics").1;
    for line in [
        "skillspan_receiver_records_total{signal=\"logs\"} 2",
        "skillspan_records_unrecognised_total{signal=\"logs\",scope=\"my.app\"} 1",
        "skillspan_records_dropped_total{dialect=\"claude-code\",reason=\"noise\"} 1",
        "skillspan_table_lag_records{pipeline=\"sessions\"} 0",
        "skillspan_journal_writable{pipeline=\"sessions\"} 1",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is missing in {metrics}");
    }
    assert_eq!(running.terminate(), Some(0));
    assert!(site.log().contains("stopped"), "{}", site.log());
}

#[test]
fn what_was_acknowledged_is_in_the_table_after_sigterm() {
    let site = Site::new("default");
    let running = site.start();
    let body = std::fs::read(
        crate::support::fixtures().join("captures/claude-code/s03-dbup-widgets-httpjson/0002-logs.json"),
    )
    .unwrap();
    assert_eq!(site.post("/v1/logs", "application/json", body), 200);
    assert_eq!(running.terminate(), Some(0));
    let listed = site.sessions();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["events"]["tool_call"], 5);
    assert_eq!(listed[0]["workspace"], "default");
}

#[test]
fn without_a_running_process_it_says_what_is_not_visible() {
    let site = Site::new("default");
    let config = std::fs::read_to_string(site.config()).unwrap();
    let slow = config.replace("exporters:\n", "exporters:\n  parquet: { flush: { age: 1h } }\n");
    std::fs::write(site.config(), slow).unwrap();
    let running = site.start();
    let body = std::fs::read(
        crate::support::fixtures().join("captures/claude-code/s03-dbup-widgets-httpjson/0002-logs.json"),
    )
    .unwrap();
    assert_eq!(site.post("/v1/logs", "application/json", body), 200);
    running.kill();
    let (code, stdout, stderr) =
        outcome(skillspan().args(["sessions", "list", "--config"]).arg(site.config()));
    assert_eq!((code, stdout.as_str()), (0, "no sessions\n"));
    assert!(stderr.contains("1 accepted requests are in the journal"), "{stderr}");
}

#[test]
fn a_session_is_found_by_the_beginning_of_its_id() {
    let site = Site::new("default");
    let _running = site.start();
    let (code, _, stderr) =
        outcome(skillspan().args(["sessions", "show", "nope", "--config"]).arg(site.config()));
    assert_eq!(code, 1);
    assert!(stderr.contains("no session \"nope\""), "{stderr}");
    let body = std::fs::read(
        crate::support::fixtures().join("captures/claude-code/s03-dbup-widgets-httpjson/0002-logs.json"),
    )
    .unwrap();
    assert_eq!(site.post("/v1/logs", "application/json", body), 200);
    let shown = site.run(&["sessions", "show", "ecf0032b"]);
    for line in [
        "session    ecf0032b-cc57-4cf8-9c95-05dec2413dd5",
        "turn 1 ",
        "  > Fix the greeting in src/app.py to say \"Hi\" and check the integration suite",
        "  failed  Bash make test-integration",
        "  < Greeting changed to \"Hi\" and the integration suite passes (needed `make db-up` first).",
    ] {
        assert!(shown.lines().any(|found| found.starts_with(line)), "{line:?} is missing in {shown}");
    }
    let first = shown.lines().skip_while(|line| !line.starts_with("turn 1 ")).nth(1);
    assert!(
        first.is_some_and(|line| line.starts_with("  > ")),
        "the first turn is the first prompt's: {shown}"
    );
}

#[test]
fn no_credential_reaches_the_disk() {
    let site = Site::new("default");
    let running = site.start();
    let secret = format!("ghp_{}", "Q7".repeat(18));
    let text = String::from_utf8(
        std::fs::read(
            crate::support::fixtures().join("captures/claude-code/s03-dbup-widgets-httpjson/0002-logs.json"),
        )
        .unwrap(),
    )
    .unwrap();
    let body = text.replace("make db-up", &format!("TOKEN={secret} make db-up"));
    assert_eq!(site.post("/v1/logs", "application/json", body.into_bytes()), 200);
    let shown: Value = site.session("ecf0032b");
    let shown = shown.to_string();
    assert!(shown.contains("TOKEN=[redacted:github-token:") && shown.contains("] make db-up"), "{shown}");
    running.kill();
    let found =
        std::process::Command::new("grep").args(["-rl", &secret]).arg(site.folder.path()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
}

#[test]
fn the_demo_shows_a_skill_and_its_evidence_on_a_machine_without_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut demo = skillspan();
    demo.env("SSL_CERT_FILE", "/nowhere").env("SSL_CERT_DIR", "/nowhere");
    let data = folder.path().join("data");
    demo.env("XDG_DATA_HOME", &data);
    let (code, stdout, stderr) = outcome(demo.arg("demo").arg("--out").arg(&out));
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("5 sessions over OTLP: over gRPC to 127.0.0.1:"), "{stdout}");
    assert!(stdout.contains("name: run-the-e2e-tests\n"), "{stdout}");
    assert_eq!(stdout.matches("| claude-code | accepted |").count(), 3, "{stdout}");
    assert_eq!(std::fs::read_dir(out.join("skills/skills")).unwrap().count(), 1);
    assert!(!data.exists(), "nothing of it is in the person's own data");
    let skill = out.join("skills/skills/run-the-e2e-tests/SKILL.md");
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    assert!(
        readme.contains(&std::fs::read_to_string(skill).unwrap()),
        "the README shows what the demo makes"
    );
    // What it says to type next is true, and so is what the README says of it.
    let configuration = out.join("skillspan.yaml").display().to_string();
    assert!(stdout.contains(&format!("  skillspan sessions list --config {configuration}\n")), "{stdout}");
    assert!(stdout.ends_with("  skillspan connect --all --write\n"), "{stdout}");
    let run = |arguments: &[&str]| outcome(skillspan().args(arguments).args(["--config", &configuration]));
    let (code, listed, stderr) = run(&["sessions", "list"]);
    assert_eq!((code, listed.lines().count()), (0, 6), "{listed}{stderr}");
    let id = readme.split("skillspan sessions show ").nth(1).unwrap().split_whitespace().next().unwrap();
    let (code, shown, stderr) = run(&["sessions", "show", id]);
    assert_eq!(code, 0, "the README's session is one of the demo: {stderr}");
    assert!(shown.contains("npm run stack:up"), "{shown}");
    let (code, _, stderr) = outcome(skillspan().arg("demo").arg("--out").arg(&out));
    assert_eq!(code, 64, "a folder that holds something is not overwritten");
    assert!(stderr.contains("is not empty"), "{stderr}");
}

//! Texts of sessions that a terminal would obey or that nobody would see: whatever reads them shows them.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use skillspan::event::is_hidden;

use super::support::{Site, eventually, output, skillspan};

/// Sets the title, clears the screen, turns red by one character, turns the order of reading, hides, tags,
/// begins a line of its own.
const HOSTILE: &str =
    "\u{1b}]0;x\u{7}\u{1b}[2J\u{9b}31m\u{202e}\u{2066}\u{200b}\u{3164}\u{e0041}\u{8}\r\n! evil";
const ID: &str = "s-hostile";

fn record(name: &str, session: &str, person: &str, number: usize, attributes: Value) -> Value {
    let mut all = json!({
        "event.name": name,
        "session.id": format!("{session}{HOSTILE}"),
        "event.sequence": number,
        "user.id": format!("{person}{HOSTILE}"),
        "prompt.id": format!("{session}-p"),
        "terminal.type": HOSTILE,
        format!("x.{HOSTILE}"): HOSTILE,
    });
    all.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    let attributes: Vec<Value> = all
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, value)| match value {
            Value::Number(number) => json!({ "key": key, "value": { "intValue": number.to_string() } }),
            value => json!({ "key": key, "value": { "stringValue": value.as_str().unwrap() } }),
        })
        .collect();
    let time = (1_795_300_000 + 2 * number as u64) * 1_000_000_000;
    json!({
        "timeUnixNano": time.to_string(),
        "body": { "stringValue": format!("claude_code.{name}") },
        "attributes": attributes,
    })
}

/// A session in which a check fails until something is run; what is said and printed is hostile.
fn session(id: &str, person: &str) -> Value {
    let mut records = Vec::new();
    let mut add = |name: &str, attributes: Value| {
        let number = records.len() + 1;
        records.push(record(name, id, person, number, attributes));
    };
    add(
        "user_prompt",
        json!({ "prompt": format!("run the integration tests {HOSTILE}"), "prompt_length": 30 }),
    );
    let run = |call: usize, tool: &str, command: &str, success: &str, error: &str| {
        json!({
            "tool_name": tool,
            "tool_use_id": format!("toolu_{id}_{call}"),
            "success": success,
            "duration_ms": 50,
            "tool_input": json!({ "command": command }).to_string(),
            "error": error,
        })
    };
    add("tool_result", run(1, "Bash", "make itest", "false", &format!("connection refused {HOSTILE}")));
    add("tool_result", run(2, "Bash", &format!("echo '{HOSTILE}'"), "true", ""));
    add("tool_result", run(3, &format!("mcp__{HOSTILE}"), "x", "false", HOSTILE));
    add("tool_result", run(4, "Bash", "make db-up", "true", ""));
    add("tool_result", run(5, "Bash", "make itest", "true", ""));
    add("assistant_response", json!({ "response": HOSTILE }));
    add("api_error", json!({ "error": HOSTILE, "model": HOSTILE }));
    let resource = json!([
        { "key": "service.name", "value": { "stringValue": "claude-code" } },
        { "key": "service.version", "value": { "stringValue": format!("2.1{HOSTILE}") } },
        { "key": "skillspan.workspace", "value": { "stringValue": format!("shop{HOSTILE}") } },
        { "key": "vcs.repository.url.full", "value": { "stringValue": format!("https://git.example.com/a/{HOSTILE}") } },
    ]);
    json!({ "resourceLogs": [{
        "resource": { "attributes": resource },
        "scopeLogs": [{ "scope": { "name": "com.anthropic.claude_code.events", "version": "2.1" }, "logRecords": records }],
    }] })
}

/// Asserts that nothing of what a command printed would be obeyed, or not be seen.
fn assert_seen(context: &str, bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap_or_else(|error| panic!("{context}: {error}"));
    let hidden: Vec<char> =
        text.chars().filter(|char| is_hidden(*char) && !matches!(char, '\n' | '\t')).collect();
    assert!(hidden.is_empty(), "{context}: {hidden:?} in {text:?}");
    let forged = text.lines().find(|line| line.trim_start().starts_with("! evil"));
    assert_eq!(forged, None, "{context}: a text begins a line of its own");
}

fn published(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { published(&entry, files) } else { files.push(entry) }
    }
}

#[test]
fn whatever_reads_a_session_shows_what_it_hides() {
    let site = Site::new("shop");
    site.edit_config(&[(
        "workspace: { from: [], default: shop }",
        "workspace: { from: [skillspan.workspace] }",
    )]);
    site.add_to_config("  telemetry: { logs: { level: debug } }\n");
    let running = site.start();
    for (number, person) in ["ada", "bob", "eve"].iter().enumerate() {
        let body = session(&format!("{ID}-{number}"), person).to_string().into_bytes();
        fs::write(site.path("body.json"), &body).unwrap();
        assert_eq!(site.post("/v1/logs", "application/json", body), 200);
    }
    // Answers repeat what was sent, and the log tells of it.
    let path = format!("/v1/{}", "x%1b%5B2J");
    assert_eq!(site.post(&path, "application/json", b"{}".to_vec()), 404);
    assert_eq!(site.post("/v1/logs", "application/json", format!("{{\"{HOSTILE}\"").into_bytes()), 400);
    eventually("three sessions are in the table", || site.sessions().len() == 3);

    let body = site.path("body.json");
    let body = body.to_str().unwrap();
    let first = format!("{ID}-0");
    let commands: Vec<Vec<&str>> = vec![
        vec!["sessions", "list"],
        vec!["sessions", "list", "--json"],
        vec!["sessions", "show", &first],
        vec!["sessions", "show", &first, "--json"],
        vec!["sessions", "show", "s-host"],
        vec!["sessions", "show", HOSTILE],
        vec!["skillify", "--dry-run", "--explain"],
        vec!["skillify", "--explain", "--cases"],
        vec!["skillify", "--null", "1"],
        vec!["skillify"],
        vec!["skillify", "--explain"],
        vec!["skills", "list"],
        vec!["skills", "list", "--json"],
        vec!["skills", "show", "run-the-tests"],
        vec!["skills", "show", "run-the-tests", "--json"],
        vec!["skills", "evidence", "run-the-tests"],
        vec!["skills", "evidence", "run-the-tests", "--json"],
        vec!["skills", "history", "run-the-tests"],
        vec!["skills", "show", HOSTILE],
        vec!["skills", "lint"],
        vec!["status"],
        vec!["status", "--json"],
        vec!["deadletters", "list"],
        vec!["explain", body],
        vec!["explain", body, "--all"],
        vec!["compact"],
    ];
    let run = |arguments: &[&str]| {
        let output = output(skillspan().args(arguments).arg("--config").arg(site.config()));
        let context = format!("{arguments:?}");
        assert_seen(&context, &output.stdout);
        assert_seen(&context, &output.stderr);
        output
    };
    let mut skill = String::new();
    for arguments in &commands {
        let arguments: Vec<&str> = arguments
            .iter()
            .map(|word| if *word == "run-the-tests" { skill.as_str() } else { word })
            .collect();
        let output = run(&arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        let is_json = arguments.contains(&"--json");
        if is_json && output.status.success() {
            let whole = serde_json::from_str::<Value>(&text);
            let lines = || text.lines().map(serde_json::from_str::<Value>).collect::<Result<Vec<_>, _>>();
            assert!(whole.is_ok() || lines().is_ok(), "{arguments:?}: {text}");
        }
        match arguments.as_slice() {
            // What was sent is what JSON says.
            ["sessions", "show", _, "--json"] => assert!(
                serde_json::from_str::<Value>(&text).unwrap()["id"].as_str().unwrap().ends_with("! evil")
            ),
            ["sessions", "show", id] if *id == first => assert!(text.contains("\\u{1b}[2J"), "{text}"),
            ["skillify", "--explain", "--cases"] => assert!(text.contains("\\u{202e}"), "{text}"),
            ["skillify"] => {
                let folders = site.skills();
                let name = folders.first().expect("a skill is published").file_name().unwrap();
                skill = name.to_str().unwrap().to_owned();
            }
            _ => {}
        }
    }
    let mut files = Vec::new();
    published(&site.path("skills"), &mut files);
    files.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    assert!(files.len() > 2, "{files:?}");
    for path in files {
        assert_seen(&path.display().to_string(), &fs::read(&path).unwrap());
    }
    let erased = run(&["erase", "--session", &format!("{ID}-0{HOSTILE}")]);
    assert!(erased.status.success(), "{}", String::from_utf8_lossy(&erased.stderr));
    assert_eq!(running.terminate(), Some(0));
    assert_seen("the log", site.log().as_bytes());
}

#[test]
fn the_prompt_of_a_model_is_shown_as_what_it_says() {
    let site = Site::new("shop");
    site.edit_config(&[(
        "workspace: { from: [], default: shop }",
        "workspace: { from: [skillspan.workspace] }",
    )]);
    let proposer = "connectors:\n  skillify:\n    proposer:\n      openai: { endpoint: \"http://127.0.0.1:9/v1\", model: m }\n";
    site.edit_config(&[("service:\n", &format!("{proposer}service:\n"))]);
    let running = site.start();
    for (number, person) in ["ada", "bob", "eve"].iter().enumerate() {
        let body = session(&format!("{ID}-{number}"), person).to_string().into_bytes();
        assert_eq!(site.post("/v1/logs", "application/json", body), 200);
    }
    let shown =
        output(skillspan().args(["skillify", "--dry-run", "--show-prompt", "--config"]).arg(site.config()));
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    assert!(String::from_utf8_lossy(&shown.stdout).contains("POST http://127.0.0.1:9"), "{shown:?}");
    assert_seen("stdout", &shown.stdout);
    assert_seen("stderr", &shown.stderr);
    drop(running);
}

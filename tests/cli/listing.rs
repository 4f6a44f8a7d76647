//! `sessions list`: the newest first, as wide as the terminal, everything as JSON.

use serde_json::{Value, json};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::support::{Site, eventually, outcome, skillspan, texts};

/// A session of so many prompts; one more call failed than the number of them.
fn session(number: usize, user: &str, workspace: &str) -> Vec<u8> {
    let id = format!("{number:08x}-0000-4000-8000-000000000000");
    let at = 1_795_340_000_000_000_000_u64 + number as u64 * 60_000_000_000;
    let record = |sequence: usize, name: &str, own: &[(&str, &str)]| {
        let own =
            [&[("event.name", name), ("session.id", &*id), ("user.email", user), ("prompt.id", "p1")], own]
                .concat();
        json!({
            "timeUnixNano": (at + sequence as u64 * 1_000_000_000).to_string(),
            "body": { "stringValue": format!("claude_code.{name}") },
            "attributes": texts(&own),
        })
    };
    let mut records = vec![record(0, "user_prompt", &[("prompt", "fix the build")])];
    for call in 0..=number % 3 {
        let call_id = format!("toolu_{number}_{call}");
        records.push(record(
            call + 1,
            "tool_result",
            &[
                ("tool_name", "Bash"),
                ("tool_use_id", &call_id),
                ("success", "false"),
                ("tool_parameters", r#"{"bash_command":"make"}"#),
                ("tool_input", r#"{"command":"make"}"#),
                ("error", "make: *** [all] Error 2"),
            ],
        ));
    }
    records.push(record(
        9,
        "api_request",
        &[
            ("request_id", "req_1"),
            ("model", "claude-haiku-4-5"),
            ("input_tokens", "1200"),
            ("output_tokens", "34"),
        ],
    ));
    records.push(record(
        10,
        "assistant_response",
        &[("request_id", "req_1"), ("model", "claude-haiku-4-5"), ("response", "It builds.")],
    ));
    let resource = [
        ("service.name", "claude-code"),
        ("service.version", "2.1.330"),
        ("skillspan.workspace", workspace),
        ("vcs.repository.url.full", "https://git.example.com/acme/shop"),
    ];
    let scope = json!({ "name": "com.anthropic.claude_code.events", "version": "2.1.330" });
    let request = json!({ "resourceLogs": [{
        "resource": { "attributes": texts(&resource) },
        "scopeLogs": [{ "scope": scope, "logRecords": records }],
    }] });
    request.to_string().into_bytes()
}

/// A site that takes the workspace from the payload.
fn site() -> Site {
    let site = Site::new("default");
    site.edit_config(&[("workspace: { from: [], default: default }", "workspace: { default: default }")]);
    site
}

fn send(site: &Site, body: Vec<u8>) {
    assert_eq!(site.post("/v1/logs", "application/json", body), 200);
}

fn list(site: &Site, arguments: &[&str], columns: Option<usize>) -> String {
    let mut command = skillspan();
    command.args(["sessions", "list", "--config"]).arg(site.config()).args(arguments);
    if let Some(columns) = columns {
        command.env("COLUMNS", columns.to_string());
    }
    let (code, shown, stderr) = outcome(&mut command);
    assert_eq!(code, 0, "{stderr}");
    shown
}

fn first_words(listed: &str) -> Vec<&str> {
    listed.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect()
}

#[test]
fn the_newest_come_first_and_as_many_as_were_asked_for() {
    let site = site();
    let _running = site.start();
    // They arrive in another order.
    for number in [3, 0, 4, 1, 2] {
        send(&site, session(number, "ana@example.com", if number == 4 { "web" } else { "shop" }));
    }
    let all = list(&site, &[], None);
    let ids = |numbers: &[usize]| -> Vec<String> {
        numbers.iter().map(|number| format!("{number:08x}-0000-4000-8000-000000000000")).collect()
    };
    assert_eq!(first_words(&all), ids(&[4, 3, 2, 1, 0]), "whole ids, since no terminal reads them");
    assert_eq!(first_words(&list(&site, &["--limit", "2"], None)), ids(&[4, 3]));
    assert_eq!(first_words(&list(&site, &["-n", "0"], None)).len(), 5);
    assert_eq!(
        first_words(&list(&site, &[], Some(80))),
        ["00000004", "00000003", "00000002", "00000001", "00000000"]
    );
    assert_eq!(first_words(&list(&site, &["--workspace", "web"], None)), ids(&[4]));
    assert_eq!(first_words(&list(&site, &["--user", "Ana@Example.com", "-n", "1"], None)), ids(&[4]));
    for project in ["git@git.example.com:acme/shop.git", "git.example.com/acme/shop"] {
        assert_eq!(first_words(&list(&site, &["--project", project, "-n", "1"], None)), ids(&[4]));
    }
    assert_eq!(list(&site, &["--project", "git.example.com/acme/other"], None), "no sessions\n");
    let (code, _, stderr) =
        outcome(skillspan().args(["sessions", "list", "--limit", "2", "--config"]).arg(site.config()));
    assert_eq!(code, 0);
    assert!(stderr.contains("the newest 2 of 5 sessions; --limit 0 shows all"), "{stderr}");
}

/// Letters of East Asia and emoji take two cells of a terminal.
#[test]
fn columns_line_up_and_fit_with_wide_letters() {
    let site = site();
    let _running = site.start();
    let people = ["田中さくら@example.jp", "ana@example.com", "🙂🙂🙂🙂", "김서연", "e\u{301}va@example.com"];
    let workspaces = [
        "とても長い名前の作業場所と倉庫",
        "shop",
        "店🛒",
        "a-workspace-with-a-long-name-of-words",
        "ｗｉｄｅ",
    ];
    for (number, (person, workspace)) in people.iter().zip(workspaces).enumerate() {
        send(&site, session(number, person, workspace));
    }
    for columns in [80, 100, 120] {
        let listed = list(&site, &[], Some(columns));
        assert!(listed.lines().all(|line| line.width() <= columns), "{columns}:\n{listed}");
        let lines: Vec<&str> = listed.lines().collect();
        assert_eq!(lines.len(), 6, "{listed}");
        // The title of a column of numbers ends where its numbers do, in every line.
        let failed = lines[0].find("FAILED").unwrap() + "FAILED".len();
        for line in &lines[1..] {
            let mut cells = 0;
            let end = line.char_indices().find(|(_, char)| {
                cells += char.width().unwrap_or(0);
                cells >= failed
            });
            let (end, digit) = end.unwrap();
            assert!(digit.is_ascii_digit(), "{columns}: {line:?}");
            let next = line[end + 1..].chars().next();
            assert!(next.is_none_or(char::is_whitespace), "{columns}: {line:?}");
        }
        for word in ["田中", "김서연", "🙂", "とても"] {
            assert!(listed.contains(word), "{columns}: {word}\n{listed}");
        }
    }
    let id = "00000000-0000-4000-8000-000000000000";
    let mut show = skillspan();
    show.args(["sessions", "show", id, "--config"]).arg(site.config()).env("COLUMNS", "80");
    let (code, shown, stderr) = outcome(&mut show);
    assert_eq!(code, 0, "{stderr}");
    assert!(shown.contains("田中") && shown.lines().all(|line| line.width() <= 80), "{shown}");
}

#[test]
fn failed_calls_are_counted_as_the_session_shows_them() {
    let site = site();
    let _running = site.start();
    (0..3).for_each(|number| send(&site, session(number, "ana@example.com", "shop")));
    let listed = list(&site, &[], None);
    let place = |title: &str| {
        let header = listed.lines().next().unwrap().split_whitespace();
        // STARTED is a date and a time.
        header.into_iter().position(|name| name == title).unwrap() + 1
    };
    for line in listed.lines().skip(1) {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let shown = site.run(&["sessions", "show", cells[0]]);
        let (calls, failed) = (cells[place("CALLS")], cells[place("FAILED")]);
        assert!(shown.contains(&format!("({failed} failed)")), "{line}\n{shown}");
        assert_eq!(calls, failed, "{line}");
        assert_eq!(shown.lines().filter(|line| line.starts_with("  failed ")).count().to_string(), failed);
    }
}

#[test]
fn a_table_of_more_sessions_is_read_once_and_says_the_same() {
    let site = site();
    let _running = site.start();
    (0..70).for_each(|number| send(&site, session(number, "ana@example.com", "shop")));
    let many: Vec<Value> = site.sessions();
    assert_eq!(many.len(), 70);
    let few = list(&site, &["--json", "--limit", "10"], None);
    let few: Vec<Value> = few.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(few[..], many[..10]);
}

/// Whether a value is as a schema says: the part of JSON Schema that ours use.
fn check(value: &Value, schema: &Value, path: &str) {
    let kind = match value {
        Value::String(_) => "string",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::Bool(_) => "boolean",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::Null => "null",
    };
    assert_eq!(schema["type"], kind, "{path}");
    if let Some(allowed) = schema["enum"].as_array() {
        assert!(allowed.contains(value), "{path}: {value}");
    }
    if let Value::Array(items) = value {
        items.iter().for_each(|item| check(item, &schema["items"], path));
    }
    let Value::Object(fields) = value else { return };
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(fields.contains_key(name.as_str().unwrap()), "{path}: {name} is missing");
    }
    for (name, field) in fields {
        let path = format!("{path}.{name}");
        match schema["properties"].get(name) {
            Some(schema) => check(field, schema, &path),
            None => check(field, &schema["additionalProperties"], &path),
        }
    }
}

#[test]
fn json_says_everything_and_is_as_its_schema_says() {
    let schema = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/session.json"));
    let schema: Value = serde_json::from_str(&schema.unwrap()).unwrap();
    let site = site();
    let _running = site.start();
    send(&site, session(2, "ana@example.com", "shop"));
    let sessions = site.sessions();
    let [listed] = sessions.as_slice() else { panic!("{sessions:?}") };
    check(listed, &schema, "session");
    let required = schema["required"].as_array().unwrap();
    for name in schema["properties"].as_object().unwrap().keys().filter(|name| *name != "facts") {
        assert!(required.contains(&Value::from(name.as_str())), "{name} is always there");
    }
    for (name, expected) in [
        ("assistant_version", json!("2.1.330")),
        ("models", json!(["claude-haiku-4-5"])),
        (
            "tokens",
            json!({ "input": 1200, "output": 34, "models": { "claude-haiku-4-5": { "input": 1200, "output": 34 } } }),
        ),
        ("failed", json!(3)),
        ("calls", json!(3)),
        ("turns", json!(1)),
        ("project", json!("git.example.com/acme/shop")),
    ] {
        assert_eq!(listed[name], expected, "{name}");
    }
    check(&site.session("00000002"), &schema, "session");
}

#[test]
fn list_and_show_say_the_same_tokens_by_model() {
    let site = site();
    let _running = site.start();
    let recorded = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/captures/copilot/002-traces.json"
    ));
    assert_eq!(site.post("/v1/traces", "application/json", recorded.unwrap()), 200);
    // A reply of another model that shows no words.
    let mut request: Value = serde_json::from_slice(&session(2, "ana@example.com", "shop")).unwrap();
    let records = request["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array_mut().unwrap();
    let is_request = |record: &&Value| record["body"]["stringValue"] == "claude_code.api_request";
    let mut other = records.iter().find(is_request).unwrap().clone();
    for (key, value) in [
        ("request_id", "req_2"),
        ("model", "claude-opus-5"),
        ("input_tokens", "10"),
        ("cache_read_tokens", "500"),
        ("cache_creation_tokens", "40"),
    ] {
        let attributes = other["attributes"].as_array_mut().unwrap();
        attributes.retain(|attribute| attribute["key"] != key);
        attributes.push(json!({ "key": key, "value": { "stringValue": value } }));
    }
    records.push(other);
    send(&site, request.to_string().into_bytes());
    let listed = site.sessions();
    assert_eq!(listed.len(), 2, "{listed:?}");
    for session in &listed {
        let expected = match session["assistant"].as_str().unwrap() {
            // What its agent's span and its own metrics say.
            "copilot" => json!({ "input": 486, "output": 68, "cache_read": 40,
                "models": { "mock-model": { "input": 486, "output": 68, "cache_read": 40 } } }),
            _ => json!({ "input": 1750, "output": 68, "cache_read": 500, "cache_write": 40, "models": {
                "claude-haiku-4-5": { "input": 1200, "output": 34 },
                "claude-opus-5": { "input": 550, "output": 34, "cache_read": 500, "cache_write": 40 } } }),
        };
        assert_eq!(session["tokens"], expected);
        let shown = site.session(session["id"].as_str().unwrap());
        assert_eq!(shown["tokens"], expected);
        let of_facts = |name: &str| -> i64 {
            shown["facts"].as_array().unwrap().iter().filter_map(|fact| fact[name].as_i64()).sum()
        };
        assert_eq!(json!(of_facts("input_tokens")), expected["input"]);
        assert_eq!(json!(of_facts("output_tokens")), expected["output"]);
    }
}

#[test]
fn a_new_session_is_logged_once_and_not_when_that_is_not_wanted() {
    let site = site();
    let running = site.start();
    for _ in 0..2 {
        send(&site, session(1, "ana@example.com", "shop"));
        send(&site, session(2, "ana@example.com", "shop"));
    }
    let lines = |site: &Site| -> Vec<String> {
        site.log().lines().filter(|line| line.contains(" new session ")).map(str::to_owned).collect()
    };
    eventually("both lines", || lines(&site).len() >= 2);
    send(&site, session(1, "ana@example.com", "shop"));
    assert_eq!(running.terminate(), Some(0));
    let said = lines(&site);
    assert_eq!(said.len(), 2, "{said:?}");
    for (number, line) in [1, 2].into_iter().zip({
        let mut said = said.clone();
        said.sort_by_key(|line| line.contains("00000002"));
        said
    }) {
        for part in [&*format!("session={number:08x}-"), "assistant=claude-code", "workspace=shop"] {
            assert!(line.contains(part), "{part}: {line}");
        }
        assert!(!line.contains("ana@example.com"), "{line}");
    }
    let quiet = crate::listing::site();
    let log = quiet.path("quiet.log");
    let mut command = skillspan();
    command.args(["run", "--quiet", "--config"]).arg(quiet.config());
    let mut child = command.stderr(std::fs::File::create(&log).unwrap()).spawn().unwrap();
    let ready = format!("http://127.0.0.1:{}/ready", quiet.health);
    let client = crate::support::client();
    eventually("ready", || client.get(&ready).send().is_ok_and(|answer| answer.status().is_success()));
    send(&quiet, session(1, "ana@example.com", "shop"));
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(child.wait().unwrap().success());
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(!said.contains("new session") && !said.contains("Pipelines"), "{said}");
    assert!(said.contains("stopped"), "what is logged else is logged: {said}");
}

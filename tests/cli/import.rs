//! Sessions that assistants keep in files, imported: once, with their own times, and not what was erased or left out.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::{Site, eventually, outcome, skillspan};

/// A machine with a home of its own.
pub(crate) struct Machine {
    pub(crate) site: Site,
}

/// Lines of a session of Claude Code that fails, mends and succeeds.
pub(crate) fn session(id: &str, cwd: &str, number: u64) -> Vec<Value> {
    let at = |second: u64| format!("2026-09-{:02}T10:00:{second:02}.000Z", 1 + number % 28);
    let line = |uuid: &str, second: u64, kind: &str, message: Value| {
        json!({
            "type": kind, "uuid": format!("{id}-{uuid}"), "sessionId": id, "timestamp": at(second), "cwd": cwd,
            "version": "2.1.300", "isSidechain": false, "message": message,
        })
    };
    let mut lines = vec![with(
        line("p", 1, "user", json!({ "role": "user", "content": "Run the integration tests." })),
        &[("promptId", json!(format!("{id}-prompt")))],
    )];
    let steps = [("make test-integration", true), ("make db-up", false), ("make test-integration", false)];
    for (step, (command, fails)) in (2..).zip(steps) {
        let call = format!("{id}-call{step}");
        let block =
            json!({ "type": "tool_use", "id": call, "name": "Bash", "input": { "command": command } });
        let answer =
            json!({ "id": format!("m{step}"), "role": "assistant", "model": "claude-x", "content": [block] });
        lines.push(line(&format!("a{step}"), step * 2, "assistant", answer));
        let output = if fails { "Exit code 2\nconnection refused on 127.0.0.1:5433" } else { "5 passed" };
        let block =
            json!({ "type": "tool_result", "tool_use_id": call, "content": output, "is_error": fails });
        lines.push(line(
            &format!("r{step}"),
            step * 2 + 1,
            "user",
            json!({ "role": "user", "content": [block] }),
        ));
    }
    let said = json!({ "id": "m9", "role": "assistant", "model": "claude-x", "content": [{ "type": "text", "text": "They pass." }] });
    lines.push(line("end", 20, "assistant", said));
    lines
}

fn with(mut line: Value, members: &[(&str, Value)]) -> Value {
    for (name, value) in members {
        line[*name] = value.clone();
    }
    line
}

pub(crate) fn text_of(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

impl Machine {
    pub(crate) fn new() -> Self {
        let site = Site::new("default");
        fs::create_dir_all(site.path("home/work")).unwrap();
        Self { site }
    }

    pub(crate) fn cwd(&self) -> String {
        self.site.path("home/work").display().to_string()
    }

    pub(crate) fn claude(&self, name: &str) -> PathBuf {
        let folder = self.site.path("home/.claude/projects/-home-work");
        fs::create_dir_all(&folder).unwrap();
        folder.join(name)
    }

    pub(crate) fn keep(&self, id: &str, lines: &[Value]) -> PathBuf {
        let path = self.claude(&format!("{id}.jsonl"));
        fs::write(&path, text_of(lines)).unwrap();
        path
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = skillspan();
        command
            .env("HOME", self.site.path("home"))
            .env("XDG_DATA_HOME", self.site.path("data"))
            .env("PATH", "/usr/bin:/bin")
            .args(arguments)
            .arg("--config")
            .arg(self.site.config());
        command
    }

    pub(crate) fn import(&self, arguments: &[&str]) -> Value {
        let all =
            [&["import", "--yes", "--json", "--user", "ana@example.com", "--no-mining"], arguments].concat();
        let (code, stdout, stderr) = outcome(&mut self.command(&all));
        assert_eq!(code, 0, "{stdout}{stderr}");
        serde_json::from_str(&stdout).unwrap()
    }

    pub(crate) fn forget_imports(&self) {
        fs::remove_dir_all(self.site.path("data/skillspan/imports")).unwrap();
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> =
            self.site.sessions().iter().map(|session| session["id"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    }

    pub(crate) fn facts(&self, id: &str, kind: &str) -> Vec<Value> {
        let session = self.site.session(id);
        session["facts"].as_array().unwrap().iter().filter(|fact| fact["kind"] == kind).cloned().collect()
    }
}

#[test]
fn what_is_there_comes_once_with_its_own_times() {
    let machine = Machine::new();
    let (a, b) = (session("a", &machine.cwd(), 1), session("b", &machine.cwd(), 2));
    machine.keep("a", &a);
    let path = machine.keep("b", &b[..5]);
    let first = machine.import(&[]);
    assert_eq!((&first["sessions"], &first["left"]), (&json!(2), &json!([])), "{first}");
    assert_eq!(machine.ids(), ["a", "b"]);
    let session = &machine.site.sessions()[0];
    assert_eq!(session["user_id"], "ana@example.com", "{session}");
    let prompts = machine.facts("a", "prompt");
    assert_eq!(prompts.len(), 1);
    assert_eq!(prompts[0]["timestamp"], "2026-09-02T10:00:01Z");
    let results = machine.facts("a", "tool_result");
    let statuses: Vec<&Value> = results.iter().map(|result| &result["status"]).collect();
    assert_eq!(statuses, ["error", "ok", "ok"]);
    assert_eq!(machine.facts("a", "response").len(), 1);
    assert_eq!(machine.facts("b", "tool_call").len(), 2);

    let again = machine.import(&[]);
    assert_eq!((&again["facts"], &again["sessions"]), (&json!(0), &json!(0)), "{again}");
    fs::write(&path, text_of(&b)).unwrap();
    let more = machine.import(&[]);
    assert_eq!(more["sessions"], 1, "{more}");
    assert_eq!(
        more["imported"][0]["facts"]["prompt"],
        Value::Null,
        "what was there is not read again: {more}"
    );
    assert_eq!(machine.facts("b", "tool_call").len(), 3);
    assert_eq!(machine.facts("b", "response").len(), 1);
    // Without a memory everything comes again, and counts once.
    machine.forget_imports();
    machine.import(&[]);
    assert_eq!((machine.facts("a", "tool_call").len(), machine.facts("b", "tool_result").len()), (3, 3));
}

#[test]
fn what_was_erased_does_not_come_back() {
    let machine = Machine::new();
    for (number, id) in (1..).zip(["a", "b", "c"]) {
        machine.keep(id, &session(id, &machine.cwd(), number));
    }
    machine.import(&[]);
    machine.site.run(&["erase", "--session", "b"]);
    assert_eq!(machine.ids(), ["a", "c"]);
    machine.forget_imports();
    machine.import(&[]);
    assert_eq!(machine.ids(), ["a", "c"]);
    machine.site.run(&["erase", "--user", "ana@example.com"]);
    assert_eq!(machine.ids(), Vec::<String>::new());
    // Of a person what was never imported is not either.
    machine.keep("d", &session("d", &machine.cwd(), 4));
    machine.forget_imports();
    machine.import(&[]);
    assert_eq!(machine.ids(), Vec::<String>::new());
}

#[test]
fn a_folder_that_wants_no_capture_is_left_out() {
    let machine = Machine::new();
    let private = machine.site.path("home/private");
    fs::create_dir_all(&private).unwrap();
    fs::write(private.join(".skillspan.yaml"), "capture: false\n").unwrap();
    machine.keep("a", &session("a", &machine.cwd(), 1));
    machine.keep("b", &session("b", &private.join("src").display().to_string(), 2));
    let told = machine.import(&[]);
    assert_eq!(machine.ids(), ["a"]);
    let refused: Vec<&String> = told["refused_by"].as_object().unwrap().keys().collect();
    assert!(refused.len() == 1 && refused[0].ends_with("private/.skillspan.yaml"), "{told}");
    let (code, _, stderr) = outcome(machine.command(&["import", "--yes"]).env("SKILLSPAN_CAPTURE", "false"));
    assert_eq!(code, 64, "{stderr}");
    assert!(stderr.contains("SKILLSPAN_CAPTURE says"), "{stderr}");
}

#[test]
fn a_fork_is_no_second_evidence() {
    let machine = Machine::new();
    let original = session("a", &machine.cwd(), 1);
    let mut fork: Vec<Value> =
        original.iter().map(|line| with(line.clone(), &[("sessionId", json!("z"))])).collect();
    fork.insert(0, json!({ "type": "queue-operation", "operation": "enqueue", "sessionId": "z", "timestamp": "2026-09-05T00:00:00.000Z" }));
    let prompt = json!({ "role": "user", "content": "And now the other way." });
    fork.push(with(
        original[0].clone(),
        &[
            ("uuid", json!("z-p")),
            ("sessionId", json!("z")),
            ("message", prompt),
            ("promptId", json!("z-prompt")),
            ("timestamp", json!("2026-09-05T00:00:01.000Z")),
        ],
    ));
    // Whichever comes first in the order of names, the original has what both share.
    machine.keep("0-fork", &fork);
    machine.keep("a", &original);
    let told = machine.import(&[]);
    assert!(told["imported"][0]["copies"].as_u64().unwrap() > 0, "{told}");
    assert_eq!(machine.facts("a", "tool_call").len(), 3);
    assert_eq!(machine.facts("z", "tool_call").len(), 0);
    assert_eq!(machine.facts("z", "prompt").len(), 1);
}

#[test]
fn what_is_broken_is_named_and_the_rest_is_there() {
    let machine = Machine::new();
    let lines = session("a", &machine.cwd(), 1);
    let mut text = format!("{}\nnonsense\n", lines[0]);
    text.push_str(&format!("{}{}\n", lines[1], lines[2]));
    text.push_str("{\"type\":\"assist\0\0\0\0");
    lines[3..7].iter().for_each(|line| text.push_str(&format!("{line}\n")));
    let image = "QUJD".repeat(1 << 20);
    let said = json!([{ "type": "text", "text": "See the \u{2028} picture." }, { "type": "image", "source": { "data": image } }]);
    let picture = with(
        lines[0].clone(),
        &[
            ("uuid", json!("a-pic")),
            ("promptId", json!("a-pic")),
            ("message", json!({ "role": "user", "content": said })),
            ("timestamp", json!("2026-09-02T11:00:00.000Z")),
        ],
    );
    text.push_str(&format!("{picture}\n{{\"type\":\"user\",\"mess"));
    let path = machine.claude("a.jsonl");
    fs::write(&path, text).unwrap();
    let outside = machine.site.path("elsewhere.jsonl");
    fs::write(&outside, text_of(&session("x", &machine.cwd(), 2))).unwrap();
    symlink(&outside, machine.claude("x.jsonl")).unwrap();
    let told = machine.import(&[]);
    let left: Vec<(String, Value)> = told["left"]
        .as_array()
        .unwrap()
        .iter()
        .map(|left| {
            (
                Path::new(left["file"].as_str().unwrap()).file_name().unwrap().to_str().unwrap().to_owned(),
                left["line"].clone(),
            )
        })
        .collect();
    let of = |name: &str, line: Value| (name.to_owned(), line);
    assert_eq!(
        left,
        [
            of("a.jsonl", json!(2)),
            of("a.jsonl", json!(4)),
            of("a.jsonl", json!(9)),
            of("x.jsonl", Value::Null)
        ],
        "{told}"
    );
    assert_eq!(machine.ids(), ["a"]);
    assert_eq!((machine.facts("a", "prompt").len(), machine.facts("a", "tool_result").len()), (2, 3));
    // What was being written is read when it is whole.
    let (code, shown, stderr) = outcome(&mut machine.command(&["import", "--yes", "--no-mining"]));
    assert_eq!(code, 0, "{stderr}");
    assert!(shown.contains("x.jsonl is left out: it is a link that leads out of the folder"), "{shown}");
}

#[test]
fn a_file_that_holds_no_session_is_named_with_what_cannot_be_read() {
    let machine = Machine::new();
    machine.keep("a", &session("a", &machine.cwd(), 1));
    let text = text_of(&session("b", &machine.cwd(), 2));
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(machine.claude("wide.jsonl"), wide).unwrap();
    fs::write(machine.claude("empty.jsonl"), "\0\0\0").unwrap();
    let told = machine.import(&[]);
    assert_eq!(machine.ids(), ["a"]);
    let left = told["left"].as_array().unwrap();
    assert_eq!((left.len(), &left[0]["file"]), (1, &json!(machine.claude("wide.jsonl"))), "{told}");
    assert_eq!(left[0]["why"], "it holds no session, and of its line 1: it ends within a value", "{told}");
}

#[test]
fn a_running_process_takes_it_and_so_does_one_elsewhere() {
    let machine = Machine::new();
    machine.keep("a", &session("a", &machine.cwd(), 1));
    let running = machine.site.start();
    assert_eq!(machine.import(&[])["sessions"], 1);
    assert_eq!(machine.ids(), ["a"]);
    assert_eq!(machine.import(&[])["facts"], 0);
    drop(running);

    let other = Site::new("default");
    other.edit_config(&[(
        "extensions:\n",
        "extensions:\n  auth: { tokens: [{ id: ana, secret: a-token-of-enough-length, tenant: acme, workspace: shop }] }\n",
    )]);
    let _there = other.start();
    let endpoint = format!("http://127.0.0.1:{}", other.http);
    let to = ["import", "--yes", "--no-mining", "--endpoint", &endpoint];
    let (code, _, stderr) = outcome(&mut machine.command(&to));
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("asks for a token (401)") && stderr.contains("--token-file"), "{stderr}");
    let token = machine.site.path("token");
    fs::write(&token, "a-token-of-enough-length\n").unwrap();
    let (code, shown, stderr) =
        outcome(&mut machine.command(&[&to[..], &["--token-file", token.to_str().unwrap()]].concat()));
    assert_eq!(code, 0, "{stderr}");
    assert!(shown.contains(&format!("is sent to {endpoint}")), "{shown}");
    assert_eq!(other.sessions()[0]["id"], "a");
    assert_eq!(other.sessions()[0]["workspace"], "shop");
}

/// What the client's telemetry says of the same session: the prompt under its trace, two of the calls, the answer.
fn telemetry(id: &str) -> Vec<u8> {
    let record = |name: &str, second: u64, more: &[(&str, &str)]| {
        let at = format!("2026-09-02T10:00:{second:02}.100Z");
        let nanos = (1_788_343_200 + second) * 1_000_000_000 + 100_000_000;
        let common = [("event.name", name), ("event.timestamp", at.as_str()), ("session.id", id)];
        let prompt = format!("{id}-prompt");
        let common =
            [&common[..], &[("prompt.id", &prompt), ("user.email", "ana@example.com")], more].concat();
        json!({
            "timeUnixNano": nanos.to_string(), "traceId": "5b8efff798038103d269b633813fc60c",
            "attributes": crate::support::texts(&common),
        })
    };
    let input = r#"{"command":"make test-integration"}"#;
    let call = |number: u64, success: &'static str| {
        let id = format!("{id}-call{number}");
        record(
            "tool_result",
            number * 2 + 1,
            &[
                ("tool_name", "Bash"),
                ("tool_use_id", &id),
                ("success", success),
                ("duration_ms", "900"),
                ("tool_input", input),
            ],
        )
    };
    let records = json!([
        record("user_prompt", 1, &[("prompt", "Run the integration tests.")]),
        call(2, "false"),
        call(4, "true"),
        record("assistant_response", 20, &[("response", "They pass."), ("request_id", "req_1")]),
    ]);
    let scope = json!({ "name": "com.anthropic.claude_code.events" });
    let resource = json!({ "attributes": crate::support::texts(&[("service.name", "claude-code")]) });
    let body = json!({ "resourceLogs": [{ "resource": resource, "scopeLogs": [{ "scope": scope, "logRecords": records }] }] });
    body.to_string().into_bytes()
}

#[test]
fn what_came_by_telemetry_as_well_is_one_session_whichever_was_first() {
    let mut shown: Vec<Vec<Value>> = Vec::new();
    for file_first in [true, false] {
        let machine = Machine::new();
        machine.keep("a", &session("a", &machine.cwd(), 1));
        let _running = machine.site.start();
        let send = || assert_eq!(machine.site.post("/v1/logs", "application/json", telemetry("a")), 200);
        if !file_first {
            send();
        }
        machine.import(&[]);
        if file_first {
            send();
        }
        assert_eq!(machine.ids(), ["a"]);
        let mut facts = machine.site.session("a")["facts"].as_array().unwrap().clone();
        for fact in &mut facts {
            let fact = fact.as_object_mut().unwrap();
            fact.remove("event_ids");
            // The folder's path is that of this run.
            fact.remove("cwd");
        }
        // Facts of one time are in no order.
        facts.sort_by_key(Value::to_string);
        let of = |kind: &str| facts.iter().filter(|fact| fact["kind"] == kind).count();
        assert_eq!(
            (of("prompt"), of("tool_call"), of("tool_result"), of("response")),
            (1, 3, 3, 1),
            "{facts:?}"
        );
        let failed = facts.iter().find(|fact| fact["status"] == "error").unwrap();
        assert!(
            failed["output"].as_str().unwrap().contains("connection refused"),
            "the file knows the output: {failed}"
        );
        shown.push(facts);
    }
    assert_eq!(shown[0], shown[1]);
}

#[test]
fn what_comes_both_ways_at_the_same_time_is_one_session_with_each_fact_once() {
    let machine = Machine::new();
    let ids: Vec<String> = (0..12).map(|number| format!("s{number}")).collect();
    for id in &ids {
        machine.keep(id, &session(id, &machine.cwd(), 1));
    }
    let _running = machine.site.start();
    // Record by record, so that each session is under way both ways.
    let mut records: Vec<Value> = Vec::new();
    for id in &ids {
        let whole: Value = serde_json::from_slice(&telemetry(id)).unwrap();
        let of = "/resourceLogs/0/scopeLogs/0/logRecords";
        for record in whole.pointer(of).unwrap().as_array().unwrap() {
            let mut one = whole.clone();
            *one.pointer_mut(of).unwrap() = json!([record]);
            records.push(one);
        }
    }
    let start = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            start.wait();
            // From the last session back: the import comes the other way.
            for record in records.iter().rev() {
                let body = record.to_string().into_bytes();
                assert_eq!(machine.site.post("/v1/logs", "application/json", body), 200);
            }
        });
        start.wait();
        assert_eq!(machine.import(&[])["sessions"], 12);
    });
    let mut expected = ids.clone();
    expected.sort();
    assert_eq!(machine.ids(), expected);
    for id in &ids {
        let facts = machine.site.session(id)["facts"].as_array().unwrap().clone();
        let of = |kind: &str| facts.iter().filter(|fact| fact["kind"] == kind).count();
        let counts = (of("prompt"), of("tool_call"), of("tool_result"), of("response"));
        assert_eq!(counts, (1, 3, 3, 1), "{id}: {facts:?}");
    }
}

#[test]
fn who_stops_an_import_is_told_that_it_goes_on() {
    let machine = Machine::new();
    for number in 0..3 {
        machine.keep(&format!("s{number}"), &session(&format!("s{number}"), &machine.cwd(), number));
    }
    // It takes requests and answers none.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let mut command = machine.command(&["import", "--yes", "--no-mining", "--endpoint", &endpoint]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    assert!(stream.read(&mut [0; 64]).unwrap() > 0);
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    let says = "SIGINT stopped it after 0 of 3 files; what was taken is stored and remembered, and the same command goes on from there";
    assert!(said.contains(says), "{said}");
    assert_eq!(machine.import(&[])["sessions"], 3);
}

/// A collector that takes one request, and what it was sent.
fn collector(answer: &'static str) -> (String, std::thread::JoinHandle<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut request, mut chunk) = (Vec::new(), [0; 65_536]);
        loop {
            let length = stream.read(&mut chunk).unwrap();
            request.extend_from_slice(&chunk[..length]);
            let text = String::from_utf8_lossy(&request).to_lowercase();
            let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.split_once("content-length: ").unwrap().1;
            let length: usize = length.lines().next().unwrap().trim().parse().unwrap();
            let begin = request.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
            if request.len() >= begin + length {
                let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).unwrap();
                return String::from_utf8_lossy(&request).into_owned();
            }
        }
    });
    (endpoint, server)
}

const TOKEN: &str = "ghp_R7sKq2VbX9mTz4LwYc8NfHd3JpGa6UeQ1xBv";

#[test]
fn what_leaves_the_machine_is_redacted_before_it_does() {
    let machine = Machine::new();
    let mut lines = session("a", &machine.cwd(), 1);
    lines[0]["message"]["content"] = json!(format!("Use {TOKEN} for it."));
    machine.keep("a", &lines);
    let (endpoint, server) = collector("200 OK");
    let told = machine.import(&["--endpoint", &endpoint]);
    assert_eq!(told["sessions"], 1, "{told}");
    let request = server.join().unwrap();
    assert!(request.contains("POST /v1/logs") && request.contains("[redacted:") && !request.contains(TOKEN));
}

#[test]
fn rows_of_exports_are_redacted_before_they_leave_the_machine() {
    let said = format!("Use {TOKEN} for it.");
    let time = "2026-09-03T08:00:01Z";
    let attributes = json!([
        { "key": "prompt", "value": { "stringValue": said } },
        { "key": "db.password", "value": { "stringValue": "swordfish" } },
    ]);
    let metadata = json!({ "db.password": "swordfish", "thread_id": "talk" });
    let rows = [
        (
            "/v1/logs",
            json!({ "resourceLogs": [{ "scopeLogs": [{ "logRecords": [{ "attributes": attributes }] }] }] }),
        ),
        (
            "/v1/traces",
            json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [{ "attributes": attributes }] }] }] }),
        ),
        (
            "/v1/traces",
            json!({
                "span_kind": "LLM", "context": { "trace_id": "t", "span_id": "s" }, "start_time": time,
                "end_time": time, "name": "answer", "attributes": { "input.value": said, "db.password": "swordfish" },
            }),
        ),
        (
            "/api/public/ingestion",
            json!({
                "id": "g1", "trace_id": "t1", "type": "TOOL", "start_time": time, "input": said,
                "metadata": metadata, "session_id": "talk",
            }),
        ),
        (
            "/api/public/ingestion",
            json!({
                "id": "r1", "trace_id": "t1", "run_type": "tool", "start_time": time, "inputs": { "command": said },
                "extra": { "metadata": metadata },
            }),
        ),
    ];
    for (door, row) in rows {
        let machine = Machine::new();
        let path = machine.site.path("rows.jsonl");
        fs::write(&path, text_of(std::slice::from_ref(&row))).unwrap();
        let (endpoint, server) = collector("200 OK");
        let to = ["--endpoint", &endpoint, "--workspace", "shop"];
        let told = machine.import(&[&to[..], &["--path", path.to_str().unwrap()]].concat());
        assert_eq!((&told["rows"], &told["left"]), (&json!(1), &json!([])), "{row}: {told}");
        let request = server.join().unwrap();
        assert!(
            request.contains(&format!("POST {door} ")) && request.contains("for it."),
            "{row}: {request}"
        );
        assert!(request.contains("skillspan.workspace") && request.contains("\"shop\""), "{row}: {request}");
        assert!(request.matches("[redacted:").count() >= 2, "{row}: {request}");
        assert!(!request.contains(TOKEN) && !request.contains("swordfish"), "{row}: {request}");
    }
}

#[test]
fn a_collector_that_has_moved_is_not_followed() {
    let machine = Machine::new();
    machine.keep("a", &session("a", &machine.cwd(), 1));
    for answer in ["301 Moved Permanently", "307 Temporary Redirect"] {
        let (other, _nobody) = collector("200 OK");
        let moved = format!("{answer}\r\nlocation: {other}/v1/logs");
        let (endpoint, server) = collector(moved.leak());
        let arguments = ["import", "--yes", "--no-mining", "--endpoint", &endpoint];
        let (code, _, stderr) = outcome(&mut machine.command(&arguments));
        server.join().unwrap();
        assert_eq!(code, 1, "{stderr}");
        let says = format!("redirects to {other}/v1/logs: name that server with --endpoint");
        assert!(stderr.contains(&says), "{stderr}");
    }
}

#[test]
fn a_collector_that_does_not_answer_is_named_while_it_is_waited_for() {
    let machine = Machine::new();
    machine.keep("a", &session("a", &machine.cwd(), 1));
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = format!("http://{nobody}");
    let mut command = machine.command(&["import", "--yes", "--no-mining", "--endpoint", &endpoint]);
    let mut waiting = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(waiting.stderr.take().unwrap()).read_line(&mut line).unwrap();
    waiting.kill().unwrap();
    waiting.wait().unwrap();
    assert!(line.contains(&format!("{endpoint}/v1/logs does not answer")), "{line}");
    assert!(line.contains("trying again for 120 seconds"), "{line}");
}

#[test]
fn a_collector_that_will_never_be_trusted_is_asked_once() {
    let machine = Machine::new();
    machine.keep("a", &session("a", &machine.cwd(), 1));
    let says = |endpoint: &str| {
        let arguments = ["import", "--yes", "--no-mining", "--endpoint", endpoint];
        let (code, _, stderr) = outcome(&mut machine.command(&arguments));
        assert_eq!(code, 1, "{stderr}");
        assert!(!stderr.contains("trying again"), "{stderr}");
        stderr.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    // Its certificate is of nobody that the machine knows.
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = builder.unwrap().with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key);
    let config = Arc::new(config.unwrap());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("https://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut connection = rustls::ServerConnection::new(config).unwrap();
        let mut stream = listener.accept().unwrap().0;
        // Whoever does not trust it goes away.
        while connection.is_handshaking() && connection.complete_io(&mut stream).is_ok() {}
    });
    let told = says(&endpoint);
    server.join().unwrap();
    assert!(told.contains(&format!("{endpoint}/v1/logs: its certificate is not trusted")), "{told}");
    assert!(told.contains("SSL_CERT_FILE"), "{told}");
    // It speaks no TLS at all.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("https://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let _length = stream.read(&mut [0; 4_096]).unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").unwrap();
    });
    let told = says(&endpoint);
    server.join().unwrap();
    assert!(told.contains("it does not speak TLS: write http://"), "{told}");
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_shown() {
    let machine = Machine::new();
    machine.keep("a", &session("a", &machine.cwd(), 1));
    let (gone, folder) = (machine.site.path("gone"), machine.site.path("home"));
    let readme = machine.site.path("notes.txt");
    fs::write(&readme, "words").unwrap();
    let [gone, folder, readme] = [&gone, &folder, &readme].map(|path| path.to_str().unwrap());
    for (arguments, says) in [
        (
            vec!["--endpoint", "nonsense"],
            "--endpoint nonsense: write an address that begins with http:// or https://",
        ),
        (
            vec!["--endpoint", "http://"],
            "--endpoint http://: write an address that begins with http:// or https://",
        ),
        (
            vec!["--endpoint", "ftp://host"],
            "--endpoint ftp://host: write an address that begins with http:// or https://",
        ),
        (vec!["--path", gone], "gone: there is no such file or folder"),
        (vec!["--path", folder, "--path", gone], "gone: there is no such file or folder"),
        (vec!["--path", "/dev/null"], "/dev/null: it is neither a file nor a folder"),
    ] {
        let all = [vec!["import", "--yes", "--no-mining"], arguments].concat();
        let (code, shown, stderr) = outcome(&mut machine.command(&all));
        assert_eq!((code, shown.as_str()), (64, ""), "{all:?}: {stderr}");
        assert!(stderr.contains(says), "{all:?}: {stderr}");
    }
    let (code, shown, _) = outcome(&mut machine.command(&["import", "--path", readme]));
    assert_eq!(code, 0);
    assert!(shown.starts_with("no sessions were found at the paths that --path names\n"), "{shown}");
    assert!(
        shown.contains("notes.txt is left out: it is neither an assistant's session nor an export"),
        "{shown}"
    );
}

#[test]
fn names_of_files_take_one_line_and_no_name_is_passed_over() {
    let machine = Machine::new();
    let path = machine.claude("x").with_file_name(std::ffi::OsStr::from_bytes(b"\xff.jsonl"));
    fs::write(path, text_of(&session("a", &machine.cwd(), 1))).unwrap();
    machine.keep("cut\n\u{1b}[31m", &[session("b", &machine.cwd(), 2), vec![json!(7)]].concat());
    let (code, shown, _) = outcome(&mut machine.command(&["import", "--yes", "--no-mining"]));
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("2 sessions imported"), "{shown}");
    assert!(shown.lines().any(|line| line.contains("cut \\u{1b}[31m.jsonl:")), "{shown}");
    let (code, _, stderr) = outcome(&mut machine.command(&["import", "--repository", "nix"]));
    assert_eq!(code, 64);
    assert!(stderr.contains("no session is of a repository \"nix\"; there are: "), "{stderr}");
}

#[test]
fn nothing_happens_unless_somebody_says_so() {
    let machine = Machine::new();
    machine.keep("a", &session("a", &machine.cwd(), 1));
    let (code, shown, stderr) = outcome(&mut machine.command(&["import"]));
    assert_eq!(code, 64, "{stderr}");
    assert!(stderr.contains("say --yes to import, or --dry-run to look"), "{stderr}");
    assert!(shown.contains("Claude Code") && shown.contains("Nothing leaves this machine"), "{shown}");
    let dry = machine.import(&["--dry-run"]);
    assert_eq!((&dry["sessions"], &dry["dry_run"]), (&json!(1), &json!(true)), "{dry}");
    assert!(!machine.site.path("sessions").exists() && !machine.site.path("data/skillspan/imports").exists());
    let (code, _, stderr) = outcome(&mut machine.command(&["import", "--yes", "--assistant", "clippy"]));
    assert_eq!(code, 64, "{stderr}");
    assert!(stderr.contains("known are claude, codex"), "{stderr}");
    let (code, shown, _) = outcome(machine.command(&["import"]).env("HOME", machine.site.path("nobody")));
    assert_eq!(
        (code, shown.lines().next()),
        (0, Some("no sessions of an assistant were found on this machine"))
    );
}

#[test]
fn only_what_was_chosen_is_taken() {
    let machine = Machine::new();
    machine.keep("a", &session("a", &machine.cwd(), 1));
    machine.keep("b", &session("b", "/srv/elsewhere", 2));
    machine.import(&["--repository", "/srv/elsewhere", "--workspace", "shop"]);
    assert_eq!(machine.ids(), ["b"]);
    let (code, _, stderr) = outcome(&mut machine.command(&["import", "--yes", "--repository", "nowhere"]));
    assert_eq!(code, 64, "{stderr}");
    assert!(stderr.contains("there are: /"), "{stderr}");
    let file = machine.site.path("moved.jsonl");
    fs::write(&file, text_of(&session("c", "/srv/elsewhere", 3))).unwrap();
    machine.import(&["--path", file.to_str().unwrap(), "--assistant", "claude"]);
    assert_eq!(machine.ids(), ["b", "c"]);
}

#[test]
fn what_was_killed_goes_on_and_nothing_is_there_twice() {
    let machine = Machine::new();
    for number in 0..60 {
        machine.keep(&format!("s{number}"), &session(&format!("s{number}"), &machine.cwd(), number));
    }
    let mut child = machine
        .command(&["import", "--yes", "--no-mining"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let journal = machine.site.path("journal");
    eventually("the journal has something", || {
        let files = fs::read_dir(&journal).into_iter().flatten().flatten();
        files.into_iter().any(|file| file.file_name().to_string_lossy().ends_with(".segment"))
    });
    child.kill().unwrap();
    child.wait().unwrap();
    machine.import(&[]);
    assert_eq!(machine.ids().len(), 60);
    for id in machine.ids() {
        assert_eq!(machine.facts(&id, "tool_call").len(), 3, "{id}");
    }
}

#[test]
fn what_was_left_in_the_journal_is_in_the_table_after_an_import_of_nothing_new() {
    let machine = Machine::new();
    machine.keep("a", &session("a", &machine.cwd(), 1));
    machine.import(&[]);
    let running = machine.site.start();
    let folder = crate::support::fixtures().join("captures/claude-code/s03-dbup-widgets-httpjson");
    let body = fs::read(folder.join("0002-logs.json")).unwrap();
    assert_eq!(machine.site.post("/v1/logs", "application/json", body), 200);
    running.kill();
    let listed = || outcome(&mut machine.command(&["sessions", "list", "--json"]));
    let (_, before, warned) = listed();
    assert!(warned.contains("not in the table yet"), "{warned}");
    machine.import(&["--dry-run"]);
    assert!(listed().2.contains("not in the table yet"), "a dry run changes nothing");
    machine.import(&[]);
    let (_, after, warned) = listed();
    assert!(!warned.contains("not in the table yet"), "{warned}");
    assert_eq!(after.lines().count(), before.lines().count() + 1);
}

#[test]
fn what_people_read_fits_a_terminal() {
    let machine = Machine::new();
    machine.keep("a", &session("a", &machine.cwd(), 1));
    for columns in ["80", "120"] {
        let (code, shown, stderr) =
            outcome(machine.command(&["import", "--dry-run"]).env("COLUMNS", columns));
        assert_eq!(code, 0, "{stderr}");
        let width: usize = columns.parse().unwrap();
        let is_wide = |line: &&str| {
            let words: Vec<&str> = line.split(' ').filter(|word| !word.contains('/')).collect();
            words.join(" ").chars().count() > width
        };
        assert_eq!(shown.lines().filter(is_wide).collect::<Vec<_>>(), Vec::<&str>::new());
    }
}

/// A session of an agent that Langfuse has, as rows of its export: two calls, of which the first fails.
pub(crate) fn langfuse_rows() -> Vec<Value> {
    let row = |id: &str, kind: &str, parent: &str, second: u64, input: &str, output: &str, level: &str| {
        json!({
            "id": id, "trace_id": "trace-1", "type": kind, "parent_observation_id": parent, "name": if kind == "TOOL" { "bash" } else { "answer" },
            "start_time": format!("2026-09-03 08:00:{second:02}.250000"), "end_time": format!("2026-09-03 08:00:{:02}.750000", second),
            "input": input, "output": output, "level": level, "session_id": "talk-1", "user_id": "ben@example.com",
        })
    };
    let asked = r#"[{"role":"user","content":"Run the tests."}]"#;
    vec![
        row("g1", "GENERATION", "", 1, asked, r#"{"role":"assistant","content":"I run them."}"#, "DEFAULT"),
        row("c1", "TOOL", "g1", 2, r#"{"command":"make test"}"#, "connection refused", "ERROR"),
        row("c2", "TOOL", "g1", 3, r#"{"command":"make db-up"}"#, "started", "DEFAULT"),
    ]
}

#[test]
fn exports_of_langfuse_come_once_in_whichever_form() {
    let rows = langfuse_rows();
    let cell = |value: &Value| format!("\"{}\"", value.as_str().unwrap().replace('"', "\"\""));
    let names: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
    let mut csv = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(",") + "\n";
    for row in &rows {
        csv.push_str(
            &(names.iter().map(|name| cell(&row[name.as_str()])).collect::<Vec<_>>().join(",") + "\n"),
        );
    }
    let lines = text_of(&rows);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(lines.as_bytes()).unwrap();
    let parquet = fs::read(crate::support::fixtures().join("exports/observations_v2.parquet")).unwrap();
    let forms: [(&str, Vec<u8>); 6] = [
        ("rows.jsonl", lines.clone().into_bytes()),
        ("rows.json", serde_json::to_vec_pretty(&rows).unwrap()),
        ("rows.csv", csv.into_bytes()),
        ("rows.jsonl.zst", zstd::encode_all(lines.as_bytes(), 3).unwrap()),
        ("rows.jsonl.gz", gzip.finish().unwrap()),
        // As ClickHouse writes it.
        ("rows.parquet", parquet),
    ];
    let mut shown = Vec::new();
    for (name, bytes) in forms {
        let machine = Machine::new();
        machine.site.edit_config(&[("from: []", "from: [skillspan.workspace]")]);
        let path = machine.site.path(name);
        fs::write(&path, bytes).unwrap();
        let told = machine.import(&["--path", path.to_str().unwrap(), "--workspace", "shop"]);
        assert_eq!(
            (&told["exports"], &told["left"], &told["rejected"]),
            (&json!(1), &json!([]), &json!(0)),
            "{name}: {told}"
        );
        assert_eq!(machine.import(&["--path", path.to_str().unwrap()])["rows"], 0, "{name}");
        machine.forget_imports();
        machine.import(&["--path", path.to_str().unwrap(), "--workspace", "shop"]);
        assert_eq!(machine.ids(), ["talk-1"], "{name}");
        assert_eq!(machine.site.sessions()[0]["workspace"], "shop", "{name}");
        assert_eq!(machine.site.sessions()[0]["user_id"], "ben@example.com", "{name}");
        let calls = machine.facts("talk-1", "tool_call");
        let statuses: Vec<Value> =
            machine.facts("talk-1", "tool_result").iter().map(|result| result["status"].clone()).collect();
        assert_eq!((calls.len(), &statuses[0]), (2, &json!("error")), "{name}: {calls:?} {statuses:?}");
        assert_eq!(machine.facts("talk-1", "prompt").len(), 1, "{name}");
        shown.push((statuses, calls.iter().map(|call| call["timestamp"].clone()).collect::<Vec<_>>()));
    }
    assert!(shown.iter().all(|form| *form == shown[0]), "{shown:?}");
}

#[test]
fn lines_of_the_collectors_file_exporter_are_read() {
    let folder = crate::support::fixtures().join("captures/claude-code/s03-dbup-widgets-httpjson");
    let mut bodies: Vec<PathBuf> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    bodies.sort();
    let of = |end: &str| {
        let bodies = bodies.iter().filter(|path| path.to_string_lossy().ends_with(end));
        bodies
            .map(|path| serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap())
            .collect::<Vec<_>>()
    };
    let lines = [of("-logs.json"), of("-traces.json")].concat();
    assert!(lines.len() > 1, "the capture is there");
    let machine = Machine::new();
    let path = machine.site.path("otlp.json");
    fs::write(&path, text_of(&lines) + "{\"resourceSpans\":[{\"resou").unwrap();
    let told = machine.import(&["--path", path.to_str().unwrap(), "--workspace", "shop"]);
    assert_eq!(told["rows"], lines.len(), "{told}");
    assert_eq!(told["left"][0]["line"], lines.len() + 1, "{told}");
    let by_file = machine.ids();
    assert_eq!(by_file.len(), 1);
    let calls = machine.facts(&by_file[0], "tool_call").len();
    // The same as over the wire.
    let other = Machine::new();
    let _running = other.site.start();
    for (end, door) in [("-logs.json", "/v1/logs"), ("-traces.json", "/v1/traces")] {
        for body in of(end) {
            assert_eq!(other.site.post(door, "application/json", body.to_string().into_bytes()), 200);
        }
    }
    assert_eq!(other.ids(), by_file);
    assert_eq!(other.facts(&by_file[0], "tool_call").len(), calls);
    assert!(calls > 0);
    // Redaction leaves alone what tells facts apart: sent once more, they are those that were there.
    let endpoint = format!("http://127.0.0.1:{}", other.site.http);
    let told = machine.import(&["--path", path.to_str().unwrap(), "--endpoint", &endpoint]);
    assert_eq!((&told["rows"], &told["rejected"]), (&json!(lines.len()), &json!(0)), "{told}");
    assert_eq!(other.ids(), by_file);
    assert_eq!(other.facts(&by_file[0], "tool_call").len(), calls);
}

#[test]
fn a_process_that_watches_takes_what_comes_and_what_is_rewritten_counts_once() {
    let machine = Machine::new();
    machine.site.edit_config(&[(
        "receivers:\n",
        "receivers:\n  transcripts: { assistants: [claude], since: 3650d }\n",
    )]);
    machine
        .site
        .add_to_config("  pipelines: { sessions: { receivers: [otlp, langfuse, hooks, transcripts] } }\n");
    let lines = session("a", &machine.cwd(), 1);
    let path = machine.keep("a", &lines[..3]);
    let (home, data) = (machine.site.path("home"), machine.site.path("data"));
    let running = machine.site.start_with(&[("HOME", home.as_path()), ("XDG_DATA_HOME", data.as_path())]);
    let facts = |kind: &str| if machine.ids() == ["a"] { machine.facts("a", kind).len() } else { 0 };
    eventually("what was there is read", || facts("tool_result") == 1);
    // A line that is being written is read when it is whole.
    let half = lines[3].to_string();
    let half = &half[..half.len() / 2];
    fs::write(&path, text_of(&lines[..3]) + half).unwrap();
    fs::write(machine.claude("b.jsonl"), text_of(&session("b", &machine.cwd(), 2))).unwrap();
    eventually("another file is read", || machine.ids().contains(&"b".to_owned()));
    fs::write(&path, text_of(&lines)).unwrap();
    eventually("the rest is read", || machine.facts("a", "tool_result").len() == 3);
    // Cut and written anew, in another order of its notes.
    let rewritten = [&[json!({ "type": "mode", "sessionId": "a" })], &lines[..]].concat();
    fs::write(&path, text_of(&rewritten)).unwrap();
    fs::remove_file(machine.claude("b.jsonl")).unwrap();
    let c = session("c", &machine.cwd(), 3);
    machine.keep("c", &c);
    eventually("a third file is read", || machine.ids() == ["a", "b", "c"]);
    assert_eq!((machine.facts("a", "tool_call").len(), machine.facts("a", "prompt").len()), (3, 1));
    drop(running);
    // What it read is known to the command.
    assert_eq!(machine.import(&[])["facts"], 0);
    // Where credentials are asked for, nothing says whose they are.
    machine.site.edit_config(&[(
        "extensions:\n",
        "extensions:\n  auth: { tokens: [{ id: ana, secret: a-token-of-enough-length, tenant: acme }] }\n",
    )]);
    let (code, _, stderr) = outcome(&mut machine.command(&["validate"]));
    assert_eq!(code, 64, "{stderr}");
    assert!(
        stderr.contains("receivers.transcripts: whose sessions these are no credential says"),
        "{stderr}"
    );
}

#[test]
fn a_rollout_that_codex_compressed_is_read_and_one_that_is_there_plain_too_is_one() {
    let machine = Machine::new();
    let id = "0199a213-81c0-7800-8aa1-bbab2a035a53";
    let line = |second: u64, kind: &str, payload: Value| json!({ "timestamp": format!("2026-09-02T10:00:{second:02}.000Z"), "type": kind, "payload": payload });
    let text = text_of(&[
        line(
            0,
            "session_meta",
            json!({ "id": id, "cwd": machine.cwd(), "cli_version": "0.171.0", "source": "cli" }),
        ),
        line(1, "turn_context", json!({ "turn_id": "t1", "cwd": machine.cwd(), "model": "gpt-x" })),
        line(1, "event_msg", json!({ "type": "user_message", "message": "Run the integration tests." })),
        line(
            2,
            "response_item",
            json!({ "type": "function_call", "name": "exec_command", "call_id": "c1", "arguments": "{\"cmd\":\"make\"}" }),
        ),
        line(
            3,
            "response_item",
            json!({ "type": "function_call_output", "call_id": "c1", "output": "Process exited with code 2\nOutput:\nrefused" }),
        ),
    ]);
    let folder = machine.site.path("home/.codex/sessions/2026/09/02");
    fs::create_dir_all(&folder).unwrap();
    let packed = folder.join(format!("rollout-2026-09-02T10-00-00-{id}.jsonl.zst"));
    let whole = zstd::encode_all(text.as_bytes(), 3).unwrap();
    fs::write(&packed, &whole).unwrap();
    let told = machine.import(&[]);
    assert_eq!((&told["sessions"], &told["left"]), (&json!(1), &json!([])), "{told}");
    assert_eq!(machine.ids(), [id]);
    assert_eq!(machine.facts(id, "prompt")[0]["text"], "Run the integration tests.");
    assert_eq!(machine.facts(id, "tool_result")[0]["status"], "error");
    assert_eq!(machine.import(&[])["facts"], 0);
    // Resuming makes it plain again; while both are there, the plain one is the session.
    let more = line(
        9,
        "response_item",
        json!({ "type": "message", "role": "assistant", "content": [{ "type": "output_text", "text": "They fail." }] }),
    );
    fs::write(packed.with_extension(""), format!("{text}{more}\n")).unwrap();
    machine.import(&[]);
    fs::remove_file(packed.with_extension("")).unwrap();
    machine.forget_imports();
    machine.import(&[]);
    let counts = ["prompt", "tool_call", "tool_result", "response"].map(|kind| machine.facts(id, kind).len());
    assert_eq!((machine.ids(), counts), (vec![id.to_owned()], [1, 1, 1, 1]));
    // One that was cut while it was written is said and left.
    let broken = folder.join("rollout-2026-09-02T11-00-00-0199a213-81c0-7800-8aa1-000000000000.jsonl.zst");
    fs::write(&broken, &whole[..whole.len() / 2]).unwrap();
    let told = machine.import(&[]);
    assert_eq!(told["left"][0]["file"], json!(broken), "{told}");
    assert_eq!(machine.ids(), [id]);
}

#[test]
fn a_transcript_that_is_refused_holds_up_no_other() {
    let machine = Machine::new();
    machine.site.edit_config(&[
        ("receivers:\n", "receivers:\n  transcripts: { assistants: [claude], since: 3650d }\n"),
        ("segment: 4MiB", "segment: 16KiB"),
    ]);
    machine.site.add_to_config("  pipelines: { sessions: { receivers: [otlp, transcripts] } }\n");
    // Read first, by its time, and larger than a segment of the journal.
    let mut long = session("long", &machine.cwd(), 3);
    long[0]["message"]["content"] =
        (0..8000).map(|number| format!("word{number} ")).collect::<String>().into();
    machine.keep("long", &long);
    machine.keep("short", &session("short", &machine.cwd(), 1));
    let (home, data) = (machine.site.path("home"), machine.site.path("data"));
    let _running = machine.site.start_with(&[("HOME", home.as_path()), ("XDG_DATA_HOME", data.as_path())]);
    eventually("the other transcript is read", || machine.ids().contains(&"short".to_owned()));
    eventually("the refusal is told", || machine.site.log().contains("this transcript is refused"));
}

#[test]
fn a_process_that_stores_elsewhere_gets_nothing_that_is_said_to_be_stored_here() {
    let (machine, other) = (Machine::new(), Site::new("default"));
    machine.keep("a", &session("a", &machine.cwd(), 1));
    let mine = machine.site.path("");
    let _running = other.start();
    // Another user's server, on the ports that these settings name too.
    for (from, to) in [(machine.site.health, other.health), (machine.site.http, other.http)] {
        machine.site.edit_config(&[(&format!(":{from}"), &format!(":{to}"))]);
    }
    let (code, shown, stderr) = outcome(&mut machine.command(&["import", "--yes", "--no-mining"]));
    assert_eq!(code, 0, "{stderr}");
    assert!(shown.contains(&format!("is stored in {}", mine.display())), "{shown}");
    assert!(stderr.contains("is another one, with its journal in"), "{stderr}");
    assert_eq!(other.sessions(), [json!(null); 0]);
    assert_eq!(machine.ids(), ["a"]);
}

#[test]
fn what_was_deleted_with_its_table_is_new_again() {
    let machine = Machine::new();
    machine.keep("a", &session("a", &machine.cwd(), 1));
    assert_eq!(machine.import(&[])["sessions"], 1);
    assert_eq!(machine.import(&[])["sessions"], 0);
    for folder in ["journal", "sessions"] {
        fs::remove_dir_all(machine.site.path(folder)).unwrap();
    }
    assert_eq!(machine.import(&[])["sessions"], 1);
    assert_eq!(machine.ids(), ["a"]);
}

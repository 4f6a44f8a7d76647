//! Sessions that assistants keep in databases: read beside a client that works on them, without leaving a trace there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::import::{Machine, text_of};
use crate::support::{eventually, outcome};

/// 2026-09-02T10:00:00Z.
const BEGUN: i64 = 1_788_343_200_000;

/// OpenCode's database, as far as sessions stand in it.
const OPENCODE: &str = "
    CREATE TABLE session (id TEXT PRIMARY KEY, project_id TEXT, parent_id TEXT, directory TEXT NOT NULL, title TEXT, version TEXT NOT NULL, time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL);
    CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT NOT NULL, time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL, data TEXT NOT NULL);
    CREATE TABLE part (id TEXT PRIMARY KEY, message_id TEXT NOT NULL, session_id TEXT NOT NULL, time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL, data TEXT NOT NULL);
    CREATE INDEX part_session_idx ON part (session_id);
    CREATE INDEX message_session_idx ON message (session_id, time_created, id);";

pub(crate) struct OpenCode {
    path: PathBuf,
    client: Connection,
}

impl OpenCode {
    /// A database that its client has open, in the given mode of journal.
    pub(crate) fn new(machine: &Machine, mode: &str) -> Self {
        let folder = machine.site.path("data/opencode");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("opencode.db");
        let client = Connection::open(&path).unwrap();
        let now: String =
            client.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |row| row.get(0)).unwrap();
        assert_eq!(now, mode);
        client.execute_batch(OPENCODE).unwrap();
        Self { path, client }
    }

    fn session(&self, id: &str, cwd: &str) {
        let values = params![id, cwd, BEGUN, BEGUN];
        self.client
            .execute("INSERT INTO session VALUES (?1, 'p', NULL, ?2, 'a title', '1.18.33', ?3, ?4)", values)
            .unwrap();
    }

    /// A message with its parts; everything of it is of that second.
    fn message(&self, session: &str, id: &str, second: i64, role: &str, parts: &[Value]) {
        // No two sessions do the same in the same millisecond.
        let at = BEGUN + second * 1_000 + session.bytes().last().map_or(0, |last| i64::from(last) - 97);
        let data = json!({
            "role": role, "time": { "created": at, "completed": at + 900 }, "modelID": "m-1", "agent": "build",
            "tokens": if role == "user" { json!({}) } else { json!({ "input": 60, "output": 20, "cache": { "read": 40, "write": 0 } }) },
        });
        let values = params![id, session, at, at, data.to_string()];
        self.client.execute("INSERT INTO message VALUES (?1, ?2, ?3, ?4, ?5)", values).unwrap();
        for (place, part) in parts.iter().enumerate() {
            let part_id = format!("{id}-{place}");
            let values = params![part_id, id, session, at, at, part.to_string()];
            self.client.execute("INSERT INTO part VALUES (?1, ?2, ?3, ?4, ?5, ?6)", values).unwrap();
        }
        self.client
            .execute("UPDATE session SET time_updated = ?2 WHERE id = ?1", params![session, at])
            .unwrap();
    }

    /// A session that fails, mends and succeeds.
    pub(crate) fn mended(&self, id: &str, cwd: &str) {
        self.session(id, cwd);
        self.message(id, &format!("{id}-m1"), 1, "user", &[said("Run the integration tests.")]);
        for (step, (command, code)) in
            (2..).zip([("make test-integration", 2), ("make db-up", 0), ("make test-integration", 0)])
        {
            let call = called(&format!("{id}-call{step}"), command, code);
            self.message(id, &format!("{id}-m{step}"), step, "assistant", &[call]);
        }
        self.message(id, &format!("{id}-m9"), 9, "assistant", &[said("They pass.")]);
    }
}

fn said(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn called(id: &str, command: &str, code: i64) -> Value {
    json!({
        "type": "tool", "tool": "bash", "callID": id,
        "state": { "status": "completed", "input": { "command": command }, "output": "said\n", "metadata": { "exit": code } },
    })
}

/// What lies in a folder, to the byte.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect()
}

fn counted(machine: &Machine, id: &str) -> Vec<usize> {
    ["prompt", "tool_call", "tool_result", "response"]
        .iter()
        .map(|kind| machine.facts(id, kind).len())
        .collect()
}

#[test]
fn a_database_that_its_client_writes_is_read_as_it_is_and_left_as_it_was() {
    let machine = Machine::new();
    let opencode = OpenCode::new(&machine, "wal");
    opencode.mended("ses_a", &machine.cwd());
    // Of two sessions one is not committed.
    opencode.client.execute_batch("BEGIN IMMEDIATE").unwrap();
    opencode.mended("ses_b", &machine.cwd());
    let folder = opencode.path.parent().unwrap();
    let before = contents(folder);
    assert!(before["opencode.db-wal"].len() > before["opencode.db"].len(), "everything is in the log");
    let told = machine.import(&[]);
    assert_eq!((&told["sessions"], &told["left"]), (&json!(1), &json!([])), "{told}");
    assert_eq!(contents(folder), before, "nothing is written, and nothing is beside it that was not");
    assert_eq!(machine.ids(), ["ses_a"]);
    assert_eq!(counted(&machine, "ses_a"), [1, 3, 3, 1]);
    let statuses: Vec<Value> =
        machine.facts("ses_a", "tool_result").iter().map(|result| result["status"].clone()).collect();
    assert_eq!(statuses, ["error", "ok", "ok"]);
    let session = &machine.site.sessions()[0];
    assert_eq!((&session["user_id"], &session["assistant"]), (&json!("ana@example.com"), &json!("opencode")));
    let prompt = &machine.facts("ses_a", "prompt")[0];
    assert_eq!(prompt["timestamp"], "2026-09-02T10:00:01Z");
    assert_eq!(machine.facts("ses_a", "response")[0]["input_tokens"], 100);

    opencode.client.execute_batch("COMMIT").unwrap();
    let told = machine.import(&[]);
    assert_eq!(told["imported"][0]["sessions"], 1, "of the other session nothing is new: {told}");
    assert_eq!(machine.ids(), ["ses_a", "ses_b"]);
    assert_eq!(machine.import(&[])["facts"], 0);
    // A row that comes, and one that is written again; of the rest nothing is told again.
    opencode.message("ses_a", "ses_a-n1", 20, "user", &[said("And now lint it.")]);
    let running = json!({ "type": "tool", "tool": "bash", "callID": "late", "state": { "status": "running", "input": { "command": "make lint" } } });
    opencode.message("ses_a", "ses_a-n2", 21, "assistant", &[running]);
    let told = machine.import(&[]);
    assert_eq!(told["imported"][0]["facts"]["prompt"], 1, "{told}");
    assert_eq!(told["imported"][0]["facts"]["tool_call"], 1, "{told}");
    let done = called("late", "make lint", 0).to_string();
    let values = params![done, BEGUN + 22_000];
    opencode
        .client
        .execute("UPDATE part SET data = ?1, time_updated = ?2 WHERE id = 'ses_a-n2-0'", values)
        .unwrap();
    opencode
        .client
        .execute("UPDATE message SET time_updated = ?1 WHERE id = 'ses_a-n2'", [BEGUN + 22_000])
        .unwrap();
    assert_eq!(machine.import(&[])["imported"][0]["facts"]["tool_result"], 1);
    assert_eq!(counted(&machine, "ses_a"), [2, 4, 4, 1]);
    // Without a memory everything comes again, and counts once.
    machine.forget_imports();
    machine.import(&[]);
    assert_eq!(counted(&machine, "ses_a"), [2, 4, 4, 1]);
}

#[test]
fn in_whichever_state_a_client_left_it() {
    let there = Machine::new();
    let opencode = OpenCode::new(&there, "wal");
    opencode.mended("ses_a", "/w");
    let files = ["opencode.db", "opencode.db-wal", "opencode.db-shm"];
    let left = contents(opencode.path.parent().unwrap());
    drop(opencode);
    let closed = contents(&there.site.path("data/opencode"));
    assert_eq!(closed.keys().collect::<Vec<_>>(), ["opencode.db"], "a client that ends well leaves one file");
    let mut states: Vec<(&str, BTreeMap<String, Vec<u8>>)> = vec![
        ("killed", left.clone()),
        ("killed, the index gone", left.clone()),
        ("closed", closed.clone()),
        ("closed, an empty log left", closed),
    ];
    states[1].1.remove(files[2]);
    states[3].1.insert(files[1].to_owned(), Vec::new());
    // A rollback journal that a crash left: what is in the file was never committed.
    let there = Machine::new();
    let opencode = OpenCode::new(&there, "delete");
    opencode.mended("ses_a", "/w");
    opencode.client.execute_batch("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE").unwrap();
    for number in 0..200 {
        opencode.message("ses_a", &format!("never{number}"), 60, "user", &[said(&"never said ".repeat(50))]);
    }
    let crashed = contents(opencode.path.parent().unwrap());
    assert!(!crashed["opencode.db-journal"].is_empty());
    states.push(("in a transaction that never ended", crashed));

    for (state, files) in states {
        let machine = Machine::new();
        let folder = machine.site.path("data/opencode");
        fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in &files {
            fs::write(folder.join(name), bytes).unwrap();
        }
        let told = machine.import(&[]);
        assert_eq!((&told["sessions"], &told["left"]), (&json!(1), &json!([])), "{state}: {told}");
        assert_eq!(counted(&machine, "ses_a"), [1, 3, 3, 1], "{state}");
        assert_eq!(contents(&folder), files, "{state}: it is left as it was");
        let copies = fs::read_dir(std::env::temp_dir()).unwrap().flatten();
        let copies = copies.filter(|entry| entry.file_name().to_string_lossy().starts_with("skillspan-"));
        let mine = copies.filter(|entry| {
            fs::read_dir(entry.path())
                .is_ok_and(|mut it| it.any(|file| file.is_ok_and(|file| file.file_name() == "copy.db")))
        });
        assert_eq!(mine.count(), 0, "{state}: no private copy stays");
    }
}

#[test]
fn what_is_locked_damaged_or_unknown_is_said_and_left() {
    let left = |machine: &Machine| {
        let told = machine.import(&[]);
        assert_eq!(told["sessions"], 0, "{told}");
        told["left"][0]["why"].as_str().unwrap().to_owned()
    };
    let machine = Machine::new();
    let opencode = OpenCode::new(&machine, "delete");
    opencode.mended("ses_a", "/w");
    opencode.client.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert_eq!(left(&machine), "a program has it locked; the next import tries again");
    opencode.client.execute_batch("COMMIT; ALTER TABLE part RENAME COLUMN data TO body").unwrap();
    assert_eq!(
        left(&machine),
        "it is of a version that is not known: it has no column data in its table part"
    );
    opencode.client.execute_batch("DROP TABLE part").unwrap();
    assert_eq!(left(&machine), "it is of a version that is not known: it has no table part");
    let path = opencode.path.clone();
    drop(opencode);
    fs::write(&path, "not a database, and longer than its header is").unwrap();
    assert_eq!(left(&machine), "it is no SQLite database");
    // The head is right, and nothing behind it.
    let mut bytes = b"SQLite format 3\0".to_vec();
    bytes.extend([16, 0, 1, 1, 0, 64, 32, 32]);
    bytes.resize(4096, 0xee);
    fs::write(&path, bytes).unwrap();
    assert_eq!(left(&machine), "it is damaged");
    let (code, shown, stderr) = outcome(&mut machine.command(&["import", "--yes", "--no-mining"]));
    assert_eq!(code, 0, "{stderr}");
    assert!(shown.contains("opencode.db is left out: it is damaged"), "{shown}");
}

#[test]
fn a_row_that_cannot_be_read_is_named_and_one_with_an_image_is_read() {
    let machine = Machine::new();
    let opencode = OpenCode::new(&machine, "wal");
    opencode.mended("ses_a", &machine.cwd());
    let break_part = |id: &str, data: &str| {
        opencode.client.execute("UPDATE part SET data = ?2 WHERE id = ?1", params![id, data]).unwrap();
    };
    break_part("ses_a-m2-0", "{\"type\":\"tool\",\"tool\":");
    break_part("ses_a-m3-0", "nonsense");
    let image = "QUJD".repeat(5 << 20);
    let picture =
        json!({ "type": "file", "mime": "image/png", "url": format!("data:image/png;base64,{image}") });
    let long = format!("See this. {}", "é".repeat(2 << 20));
    opencode.message("ses_a", "ses_a-p", 30, "user", &[picture, said(&long)]);
    let told = machine.import(&[]);
    let row = |id: &str| -> i64 {
        opencode.client.query_row("SELECT rowid FROM part WHERE id = ?1", [id], |row| row.get(0)).unwrap()
    };
    let file = opencode.path.to_str().unwrap();
    assert_eq!(
        told["left"],
        json!([
            { "file": file, "table": "part", "row": row("ses_a-m2-0"), "why": "it ends within a value" },
            { "file": file, "table": "part", "row": row("ses_a-m3-0"), "why": "it is no JSON" },
        ]),
    );
    assert_eq!(counted(&machine, "ses_a"), [2, 1, 1, 1]);
    let prompts = machine.facts("ses_a", "prompt");
    assert!(prompts[1]["text"].as_str().unwrap().starts_with("See this. ééé"));
    machine.forget_imports();
    let (code, shown, stderr) = outcome(&mut machine.command(&["import", "--yes", "--no-mining"]));
    assert_eq!(code, 0, "{stderr}");
    assert!(shown.contains(&format!("row {} of part: it is no JSON", row("ses_a-m3-0"))), "{shown}");
}

#[test]
fn each_session_has_its_own_consent_repository_and_time() {
    let machine = Machine::new();
    let opencode = OpenCode::new(&machine, "wal");
    let private = machine.site.path("home/private");
    fs::create_dir_all(&private).unwrap();
    fs::write(private.join(".skillspan.yaml"), "capture: false\n").unwrap();
    opencode.mended("ses_a", &machine.cwd());
    opencode.mended("ses_b", private.to_str().unwrap());
    opencode.mended("ses_c", "/elsewhere");
    opencode.client.execute_batch("UPDATE message SET time_updated = 1, time_created = 1 WHERE session_id = 'ses_c'; UPDATE session SET time_updated = 1, time_created = 1 WHERE id = 'ses_c'").unwrap();
    let told = machine.import(&["--since", "3650d"]);
    assert_eq!(machine.ids(), ["ses_a"]);
    let refused: Vec<&String> = told["refused_by"].as_object().unwrap().keys().collect();
    assert!(refused.len() == 1 && refused[0].ends_with("private/.skillspan.yaml"), "{told}");
    let repositories: Vec<&Value> =
        told["repositories"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(repositories, [&json!(machine.cwd())]);
    // What was erased does not come back.
    machine.site.run(&["erase", "--session", "ses_a"]);
    machine.forget_imports();
    machine.import(&["--since", "3650d"]);
    assert_eq!(machine.ids(), Vec::<String>::new());
}

#[test]
fn a_session_that_telemetry_told_as_well_is_one() {
    let machine = Machine::new();
    let opencode = OpenCode::new(&machine, "wal");
    opencode.mended("ses_a", &machine.cwd());
    // Two of its calls, the prompt and the answer, as the client's AI SDK exports them.
    let span = |id: u64, name: &str, second: i64, attributes: &[(&str, &str)]| {
        let nanos = |millis: i64| ((BEGUN + second * 1_000 + millis) * 1_000_000).to_string();
        let attributes = [&[("session.id", "ses_a")], attributes].concat();
        json!({
            "traceId": "5b8efff798038103d269b633813fc60c", "spanId": format!("{id:016x}"), "name": name,
            "startTimeUnixNano": nanos(100), "endTimeUnixNano": nanos(800), "attributes": crate::support::texts(&attributes),
        })
    };
    let call = |id: u64, step: i64, command: &str, code: i64| {
        let (call, arguments) = (format!("ses_a-call{step}"), json!({ "command": command }).to_string());
        let result = json!({ "output": "said\n", "metadata": { "exit": code } }).to_string();
        let attributes = [
            ("ai.toolCall.name", "bash"),
            ("ai.toolCall.id", call.as_str()),
            ("ai.toolCall.args", arguments.as_str()),
            ("ai.toolCall.result", result.as_str()),
        ];
        span(id, "ai.toolCall", step, &attributes)
    };
    let messages =
        json!([{ "role": "user", "content": [{ "type": "text", "text": "Run the integration tests." }] }])
            .to_string();
    let step = [
        ("ai.prompt.messages", messages.as_str()),
        ("ai.prompt.tools", "[\"bash\"]"),
        ("ai.response.text", "They pass."),
        ("ai.model.id", "m-1"),
    ];
    let spans = [
        call(1, 2, "make test-integration", 2),
        call(2, 3, "make db-up", 0),
        span(3, "ai.streamText.doStream", 9, &step),
    ];
    let body = json!({ "resourceSpans": [{
        "resource": { "attributes": crate::support::texts(&[("service.name", "opencode")]) },
        "scopeSpans": [{ "scope": { "name": "opencode" }, "spans": spans }],
    }] });
    let running = machine.site.start();
    assert_eq!(machine.site.post("/v1/traces", "application/json", body.to_string().into_bytes()), 200);
    machine.import(&[]);
    drop(running);
    assert_eq!(machine.ids(), ["ses_a"]);
    assert_eq!(counted(&machine, "ses_a"), [1, 3, 3, 1]);
}

#[test]
fn a_process_that_watches_reads_what_comes_into_a_database() {
    let machine = Machine::new();
    let opencode = OpenCode::new(&machine, "wal");
    machine.site.edit_config(&[(
        "receivers:\n",
        "receivers:\n  transcripts: { assistants: [opencode], since: 3650d }\n",
    )]);
    machine
        .site
        .add_to_config("  pipelines: { sessions: { receivers: [otlp, langfuse, hooks, transcripts] } }\n");
    opencode.mended("ses_a", &machine.cwd());
    let (home, data) = (machine.site.path("home"), machine.site.path("data"));
    let running = machine.site.start_with(&[("HOME", home.as_path()), ("XDG_DATA_HOME", data.as_path())]);
    eventually("what was there is read", || {
        machine.ids() == ["ses_a"] && counted(&machine, "ses_a") == [1, 3, 3, 1]
    });
    opencode.message("ses_a", "ses_a-n1", 20, "user", &[said("And now lint it.")]);
    opencode.mended("ses_b", &machine.cwd());
    eventually("what comes is read", || {
        machine.ids() == ["ses_a", "ses_b"]
            && counted(&machine, "ses_a") == [2, 3, 3, 1]
            && counted(&machine, "ses_b") == [1, 3, 3, 1]
    });
    drop(running);
    assert_eq!(machine.import(&[])["facts"], 0, "what it read is known to the command");
}

#[test]
fn opencodes_older_files_are_read_where_no_database_has_them() {
    let machine = Machine::new();
    let storage = machine.site.path("data/opencode/storage");
    let write = |path: &str, value: Value| {
        let path = storage.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, value.to_string()).unwrap();
    };
    for id in ["ses_a", "ses_z"] {
        let begun = BEGUN + i64::from(id == "ses_z");
        let time = json!({ "created": begun, "updated": begun });
        write(
            &format!("session/p/{id}.json"),
            json!({ "id": id, "directory": machine.cwd(), "version": "0.9.1", "time": time }),
        );
        write(
            &format!("message/{id}/{id}-m1.json"),
            json!({ "id": format!("{id}-m1"), "role": "user", "sessionID": id, "time": time }),
        );
        write(
            &format!("part/{id}-m1/p1.json"),
            json!({ "id": format!("{id}-p1"), "type": "text", "text": "Run the integration tests." }),
        );
        write(
            &format!("message/{id}/{id}-m2.json"),
            json!({ "id": format!("{id}-m2"), "role": "assistant", "sessionID": id, "time": time, "modelID": "m-1" }),
        );
        write(&format!("part/{id}-m2/p1.json"), called(&format!("{id}-call2"), "make test-integration", 2));
    }
    fs::write(storage.join("part/ses_z-m2/p2.json"), "{\"type\":").unwrap();
    // What the client took over into its database stands there alone.
    let opencode = OpenCode::new(&machine, "wal");
    opencode.mended("ses_a", &machine.cwd());
    let told = machine.import(&[]);
    assert_eq!(machine.ids(), ["ses_a", "ses_z"]);
    assert_eq!(counted(&machine, "ses_a"), [1, 3, 3, 1]);
    assert_eq!(counted(&machine, "ses_z"), [1, 1, 1, 0]);
    assert_eq!(
        told["left"],
        json!([{
            "file": storage.join("session/p/ses_z.json"), "part": "part/ses_z-m2/p2.json", "why": "it ends within a value",
        }]),
    );
    assert_eq!(machine.import(&[])["facts"], 0);
}

/// Sessions of the other assistants, each with a prompt and a call that failed, where their clients keep them: of Hermes,
/// Goose, Cursor and OpenClaw, and one of Cursor's transcripts. Answers Cursor's database.
pub(crate) fn write_databases(machine: &Machine) -> Connection {
    let home = machine.site.path("home");
    let cwd = machine.cwd();
    let make = |path: PathBuf, schema: &str| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let client = Connection::open(path).unwrap();
        client.execute_batch("PRAGMA journal_mode = wal").unwrap();
        client.execute_batch(schema).unwrap();
        client
    };
    let hermes = make(
        home.join(".hermes/state.db"),
        "CREATE TABLE sessions (id TEXT PRIMARY KEY, source TEXT NOT NULL, model TEXT, cwd TEXT, started_at REAL NOT NULL, parent_session_id TEXT);
         CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, role TEXT NOT NULL, content TEXT, tool_call_id TEXT, tool_calls TEXT, tool_name TEXT, timestamp REAL NOT NULL);",
    );
    hermes
        .execute("INSERT INTO sessions VALUES ('h', 'cli', 'm-1', ?1, 1788343200.5, NULL)", [&cwd])
        .unwrap();
    let calls =
        json!([{ "id": "c1", "function": { "name": "terminal", "arguments": "{\"command\":\"make\"}" } }])
            .to_string();
    for (role, content, call, calls) in [
        ("user", "Run the tests.", None, None),
        ("assistant", "", None, Some(&calls)),
        ("tool", "{\"output\":\"refused\",\"exit_code\":2}", Some("c1"), None),
    ] {
        let values = params![role, content, call, calls];
        hermes.execute("INSERT INTO messages (session_id, role, content, tool_call_id, tool_calls, timestamp) VALUES ('h', ?1, ?2, ?3, ?4, 1788343201.0)", values).unwrap();
    }

    let goose = make(
        machine.site.path("data/goose/sessions/sessions.db"),
        "CREATE TABLE sessions (id TEXT PRIMARY KEY, working_dir TEXT NOT NULL, created_at TIMESTAMP, updated_at TIMESTAMP);
         CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT, session_id TEXT NOT NULL, role TEXT NOT NULL, content_json TEXT NOT NULL, created_timestamp INTEGER NOT NULL, metadata_json TEXT);
         CREATE TABLE usage_ledger (id INTEGER PRIMARY KEY, session_id TEXT, created_timestamp INTEGER, model TEXT, input_tokens INTEGER, output_tokens INTEGER, total_tokens INTEGER);",
    );
    goose
        .execute(
            "INSERT INTO sessions VALUES ('20260902_1', ?1, '2026-09-02 10:00:00', '2026-09-02 10:00:05')",
            [&cwd],
        )
        .unwrap();
    let request = json!([{ "type": "toolRequest", "id": "c1", "toolCall": { "status": "success", "value": { "name": "developer__shell", "arguments": { "command": "make" } } } }]);
    let response = json!([{ "type": "toolResponse", "id": "c1", "toolResult": { "status": "error", "error": "refused" } }]);
    for (number, (role, content)) in
        (1..).zip([("user", json!([said("Run the tests.")])), ("assistant", request), ("user", response)])
    {
        let values = params![format!("g{number}"), role, content.to_string()];
        goose.execute("INSERT INTO messages (message_id, session_id, role, content_json, created_timestamp) VALUES (?1, '20260902_1', ?2, ?3, 1788343201)", values).unwrap();
    }
    goose
        .execute_batch("INSERT INTO usage_ledger VALUES (1, '20260902_1', 1788343202, 'm-1', 100, 20, 120)")
        .unwrap();
    // What its older version left, and took over.
    fs::write(
        machine.site.path("data/goose/sessions/20260902_1.jsonl"),
        text_of(&[
            json!({ "working_dir": cwd }),
            json!({ "role": "user", "created": 1, "content": [said("Run the tests.")] }),
        ]),
    )
    .unwrap();

    let cursor = make(
        home.join(".config/Cursor/User/globalStorage/state.vscdb"),
        "CREATE TABLE ItemTable (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB); CREATE TABLE cursorDiskKV (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB);",
    );
    let kv = |key: &str, value: Value| put_in_cursor(&cursor, key, &value);
    kv(
        "composerData:c",
        json!({ "composerId": "c", "createdAt": BEGUN, "lastUpdatedAt": BEGUN + 5_000, "workspaceIdentifier": { "uri": { "fsPath": cwd } }, "fullConversationHeadersOnly": [{ "bubbleId": "b1", "type": 1 }, { "bubbleId": "b2", "type": 2 }] }),
    );
    kv(
        "composerData:empty",
        json!({ "composerId": "empty", "createdAt": BEGUN, "fullConversationHeadersOnly": [] }),
    );
    kv(
        "bubbleId:c:b1",
        json!({ "type": 1, "text": "Run the tests.", "createdAt": "2026-09-02T10:00:01.000Z" }),
    );
    kv(
        "bubbleId:c:b2",
        json!({ "type": 2, "toolFormerData": { "name": "run_terminal_cmd", "toolCallId": "c1", "status": "completed", "rawArgs": "{\"command\":\"make\"}", "result": "{\"output\":\"refused\",\"exitCode\":2}" } }),
    );
    kv("bubbleId:c:orphan", json!({ "type": 1, "text": "never shown" }));
    let transcripts = home.join(".cursor/projects/w/agent-transcripts");
    fs::create_dir_all(&transcripts).unwrap();
    let asked = json!({ "role": "user", "message": { "content": [{ "type": "text", "text": "<user_query>Run the tests.</user_query>" }] } });
    for id in ["c", "t"] {
        fs::write(transcripts.join(format!("{id}.jsonl")), text_of(std::slice::from_ref(&asked))).unwrap();
    }

    let openclaw = make(
        home.join(".openclaw/agents/main/agent/openclaw-agent.sqlite"),
        "CREATE TABLE session_windows (session_id TEXT NOT NULL PRIMARY KEY, session_key TEXT NOT NULL, updated_at INTEGER NOT NULL, spawned_by TEXT) STRICT;
         CREATE TABLE transcript_events (session_id TEXT NOT NULL, seq INTEGER NOT NULL, event_json TEXT, created_at INTEGER NOT NULL, event_zstd BLOB, PRIMARY KEY (session_id, seq)) STRICT;",
    );
    openclaw
        .execute("INSERT INTO session_windows VALUES ('o', 'agent:main:main', ?1, NULL)", [BEGUN])
        .unwrap();
    let event = |number: i64, message: Value| json!({ "type": "message", "id": format!("e{number}"), "timestamp": "2026-09-02T10:00:01Z", "message": message });
    let command =
        json!([{ "type": "toolCall", "id": "c1", "name": "exec", "arguments": { "command": "make" } }]);
    let events = [
        json!({ "type": "session", "version": 4, "id": "o", "timestamp": "2026-09-02T10:00:00Z", "cwd": cwd }),
        event(1, json!({ "role": "user", "content": "Run the tests." })),
        event(2, json!({ "role": "assistant", "content": command, "timestamp": 1 })),
        event(
            3,
            json!({ "role": "toolResult", "toolCallId": "c1", "toolName": "exec", "isError": false, "content": [said("refused")], "details": { "exitCode": 2 } }),
        ),
    ];
    for (seq, event) in (0..).zip(&events) {
        // Long ones are compressed.
        let packed = (seq == 3).then(|| zstd::encode_all(event.to_string().as_bytes(), 3).unwrap());
        let plain = (seq != 3).then(|| event.to_string());
        openclaw
            .execute("INSERT INTO transcript_events VALUES ('o', ?1, ?2, 0, ?3)", params![seq, plain, packed])
            .unwrap();
    }
    cursor
}

fn put_in_cursor(cursor: &Connection, key: &str, value: &Value) {
    let values = params![key, value.to_string().into_bytes()];
    cursor.execute("INSERT INTO cursorDiskKV VALUES (?1, ?2)", values).unwrap();
}

#[test]
fn every_assistant_with_a_database_is_found_where_it_keeps_it() {
    let machine = Machine::new();
    let cursor = write_databases(&machine);
    let told = machine.import(&[]);
    assert_eq!(told["left"], json!([]), "{told}");
    assert_eq!(machine.ids(), ["20260902_1", "c", "h", "o", "t"]);
    for id in ["20260902_1", "c", "h", "o"] {
        assert_eq!(counted(&machine, id)[..3], [1, 1, 1], "{id}");
        assert_eq!(machine.facts(id, "tool_result")[0]["status"], "error", "{id}");
    }
    assert_eq!(counted(&machine, "t"), [1, 0, 0, 0]);
    assert_eq!(machine.import(&[])["facts"], 0);
    // A bubble that its client writes again is a new row.
    put_in_cursor(
        &cursor,
        "bubbleId:c:b2",
        &json!({ "type": 2, "text": "They fail.", "toolFormerData": { "name": "run_terminal_cmd", "toolCallId": "c1", "status": "completed", "rawArgs": "{\"command\":\"make\"}", "result": "{\"output\":\"refused\",\"exitCode\":2}" } }),
    );
    let told = machine.import(&["--assistant", "cursor"]);
    assert_eq!(told["imported"][0]["facts"]["response"], 1, "{told}");
    assert_eq!(told["imported"][0]["facts"]["prompt"], Value::Null, "{told}");
    let (code, shown, stderr) = outcome(&mut machine.command(&["import", "--yes", "--no-mining"]));
    assert_eq!(code, 0, "{stderr}");
    for title in ["Hermes Agent", "Goose", "Cursor", "OpenClaw"] {
        assert!(shown.contains(title), "{shown}");
    }
}

/// Hermes copies what was said into the branch, as new rows of the moment of the copy.
#[test]
fn a_branch_of_hermes_is_no_second_evidence() {
    let machine = Machine::new();
    let folder = machine.site.path("home/.hermes");
    fs::create_dir_all(&folder).unwrap();
    let hermes = Connection::open(folder.join("state.db")).unwrap();
    hermes
        .execute_batch(
            "CREATE TABLE sessions (id TEXT PRIMARY KEY, source TEXT NOT NULL, cwd TEXT, started_at REAL NOT NULL, parent_session_id TEXT);
             CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, role TEXT NOT NULL, content TEXT, tool_call_id TEXT, tool_calls TEXT, tool_name TEXT, timestamp REAL NOT NULL);",
        )
        .unwrap();
    let begin = |id: &str, source: &str, at: f64, parent: Option<&str>| {
        let values = params![id, source, machine.cwd(), at, parent];
        hermes.execute("INSERT INTO sessions VALUES (?1, ?2, ?3, ?4, ?5)", values).unwrap();
    };
    let say = |session: &str, at: f64, role: &str, content: &str, call: Option<&str>, calls: Option<&str>| {
        let values = params![session, role, content, call, calls, at];
        hermes.execute("INSERT INTO messages (session_id, role, content, tool_call_id, tool_calls, timestamp) VALUES (?1, ?2, ?3, ?4, ?5, ?6)", values).unwrap();
    };
    let calls = r#"[{"id": "c1", "function": {"name": "terminal", "arguments": "{\"command\":\"make\"}"}}]"#;
    let talk = |session: &str, at: f64| {
        say(session, at, "user", "Run the tests.", None, None);
        say(session, at, "assistant", "", None, Some(calls));
        say(session, at, "tool", r#"{"output":"refused","exit_code":2}"#, Some("c1"), None);
    };
    begin("parent", "cli", 1_788_343_200.0, None);
    talk("parent", 1_788_343_201.0);
    begin("branch", "cli", 1_788_343_300.0, Some("parent"));
    talk("branch", 1_788_343_300.5);
    // The same words once more are said in the branch.
    say("branch", 1_788_343_310.0, "user", "Run the tests.", None, None);
    say("branch", 1_788_343_311.0, "assistant", "They pass now.", None, None);
    // A sub-agent that is given the words of its parent was asked them.
    begin("helper", "subagent", 1_788_343_400.0, Some("parent"));
    say("helper", 1_788_343_401.0, "user", "Run the tests.", None, None);
    machine.import(&[]);
    assert_eq!(counted(&machine, "parent"), [1, 1, 1, 0]);
    assert_eq!(counted(&machine, "branch"), [1, 0, 0, 1]);
    assert_eq!(machine.facts("branch", "prompt")[0]["timestamp"], "2026-09-02T10:01:50Z");
    assert_eq!(counted(&machine, "helper")[0], 1);
    assert_eq!(machine.import(&[])["facts"], 0);
    machine.forget_imports();
    machine.import(&[]);
    assert_eq!(counted(&machine, "branch"), [1, 0, 0, 1]);
}

#[test]
fn a_session_whose_folder_stands_elsewhere_is_left_out_as_that_folder_wants_it() {
    let machine = Machine::new();
    let home = machine.site.path("home");
    let private = machine.site.path("home/private folder");
    fs::create_dir_all(&private).unwrap();
    fs::write(private.join(".skillspan.yaml"), "capture: false\n").unwrap();
    let private = private.to_str().unwrap();
    // A sub-agent of Hermes works where its parent does.
    fs::create_dir_all(home.join(".hermes")).unwrap();
    let hermes = Connection::open(home.join(".hermes/state.db")).unwrap();
    hermes
        .execute_batch(
            "CREATE TABLE sessions (id TEXT PRIMARY KEY, source TEXT NOT NULL, cwd TEXT, started_at REAL NOT NULL, parent_session_id TEXT);
             CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, role TEXT NOT NULL, content TEXT, tool_call_id TEXT, tool_calls TEXT, tool_name TEXT, timestamp REAL NOT NULL);
             INSERT INTO sessions VALUES ('child', 'subagent', NULL, 1788343200.5, 'parent');
             INSERT INTO messages (session_id, role, content, timestamp) VALUES ('child', 'user', 'Count the targets.', 1788343201.0);",
        )
        .unwrap();
    hermes
        .execute("INSERT INTO sessions VALUES ('parent', 'cli', ?1, 1788343200.0, NULL)", [private])
        .unwrap();
    // Of a composer, a window knows it.
    let user = home.join(".config/Cursor/User");
    let window = user.join("workspaceStorage/w1");
    fs::create_dir_all(user.join("globalStorage")).unwrap();
    fs::create_dir_all(&window).unwrap();
    let folder = format!("file://{}", private.replace(' ', "%20"));
    fs::write(window.join("workspace.json"), json!({ "folder": folder }).to_string()).unwrap();
    let of_window = Connection::open(window.join("state.vscdb")).unwrap();
    of_window
        .execute_batch("CREATE TABLE ItemTable (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB)")
        .unwrap();
    let composers = json!({ "allComposers": [{ "composerId": "c" }] }).to_string();
    of_window.execute("INSERT INTO ItemTable VALUES ('composer.composerData', ?1)", [composers]).unwrap();
    let cursor = Connection::open(user.join("globalStorage/state.vscdb")).unwrap();
    cursor
        .execute_batch("CREATE TABLE cursorDiskKV (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB)")
        .unwrap();
    for (key, value) in [
        (
            "composerData:c",
            json!({ "createdAt": BEGUN, "fullConversationHeadersOnly": [{ "bubbleId": "b1" }] }),
        ),
        (
            "bubbleId:c:b1",
            json!({ "type": 1, "text": "Run the tests.", "createdAt": "2026-09-02T10:00:01.000Z" }),
        ),
    ] {
        cursor.execute("INSERT INTO cursorDiskKV VALUES (?1, ?2)", params![key, value.to_string()]).unwrap();
    }
    // And of a chat in VS Code, the folder that its file lies in.
    let chats = home.join(".config/Code/User/workspaceStorage/w2/chatSessions");
    fs::create_dir_all(&chats).unwrap();
    fs::write(chats.join("../workspace.json"), json!({ "folder": folder }).to_string()).unwrap();
    let request = json!({ "requestId": "r1", "timestamp": BEGUN, "message": { "text": "Run the tests." }, "response": [] });
    let chat = json!({ "version": 3, "sessionId": "v", "creationDate": BEGUN, "requests": [request] });
    fs::write(chats.join("v.json"), chat.to_string()).unwrap();
    let told = machine.import(&[]);
    assert_eq!((&told["sessions"], &told["left"]), (&json!(0), &json!([])), "{told}");
    let refused: Vec<(&String, &Value)> = told["refused_by"].as_object().unwrap().iter().collect();
    assert!(refused.len() == 1 && refused[0].0.ends_with("private folder/.skillspan.yaml"), "{told}");
    assert_eq!(refused[0].1, 4, "the parent, its sub-agent, the composer and the chat: {told}");
    fs::remove_file(Path::new(private).join(".skillspan.yaml")).unwrap();
    machine.import(&[]);
    assert_eq!(machine.ids(), ["c", "child", "parent", "v"]);
}

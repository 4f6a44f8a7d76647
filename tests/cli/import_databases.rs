//! Sessions that assistants keep in databases: read beside a client that works on them, without leaving a trace there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::import::Machine;
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

struct OpenCode {
    path: PathBuf,
    client: Connection,
}

impl OpenCode {
    /// A database that its client has open, in the given mode of journal.
    fn new(machine: &Machine, mode: &str) -> Self {
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
        let at = BEGUN + second * 1_000;
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
    fn mended(&self, id: &str, cwd: &str) {
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
        let time = json!({ "created": BEGUN, "updated": BEGUN });
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

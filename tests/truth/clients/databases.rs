//! Databases in which clients keep sessions: OpenCode, Hermes Agent, Goose, Cursor's editor, OpenClaw.

use rusqlite::types::Value as Cell;
use serde_json::{Value, json};

use super::{Client, Matter, Part, Tells, assistants, files, hooks, usual};
use crate::compare::OF_AGENTS;
use crate::databases::{Tables, text};
use crate::story::{Call, End, May, Step, Story, What, Who};
use crate::wire::{Out, rfc3339};

const OWN_SESSION: (Matter, Tells) = (Matter::Agents, Tells::Part(Part::OwnSession));
const FOLDER: &str = "/srv/shop";

pub(crate) const CLIENTS: &[Client] = &[
    Client {
        name: "OpenCode, database",
        dialects: &["opencode-transcript"],
        may: &[May::Parallel, May::Twins, May::Agents, May::Refusals, May::Resumption, May::Forks],
        silent: &[OWN_SESSION],
        write: opencode,
        refusers: ("user", "rule"),
        shape: assistants::shape,
    },
    Client {
        name: "Hermes Agent, database",
        dialects: &["hermes-transcript"],
        may: &[May::Parallel, May::Twins, May::Agents, May::Refusals, May::Resumption],
        silent: &[OWN_SESSION],
        write: hermes,
        refusers: ("deny", "rule"),
        shape: hermes_shape,
    },
    Client {
        name: "Goose, database",
        dialects: &["goose-transcript"],
        may: &[May::Parallel, May::Twins, May::Agents, May::Refusals, May::Resumption],
        silent: &[OWN_SESSION],
        write: goose,
        refusers: ("user_reject", "mode"),
        shape: goose_shape,
    },
    Client {
        name: "Cursor, database",
        dialects: &["cursor-transcript"],
        may: &[May::Parallel, May::Twins, May::Agents, May::Refusals, May::Resumption],
        silent: &[OWN_SESSION, (Matter::Refusals, Tells::Part(Part::NotWho))],
        write: cursor,
        refusers: ("", ""),
        shape: cursor_shape,
    },
    Client {
        name: "OpenClaw, database",
        dialects: &["openclaw-transcript"],
        may: &[May::Parallel, May::Twins, May::Resumption],
        silent: &[],
        write: openclaw,
        refusers: ("", ""),
        shape: hooks::pi_shape,
    },
];

/// Sessions that a client writes: each a person's, or a sub-agent's with its task as the only prompt.
struct Told<'s> {
    id: String,
    of: Option<&'s str>,
    turns: Vec<Asked<'s>>,
}

/// What was asked, and what the model did then.
struct Asked<'s> {
    id: String,
    at: i64,
    prompt: &'s str,
    steps: &'s [Step],
}

impl Told<'_> {
    /// When it began.
    fn at(&self) -> i64 {
        self.turns[0].at
    }

    fn steps(&self) -> impl Iterator<Item = &Step> {
        self.turns.iter().flat_map(|turn| turn.steps)
    }
}

/// A session, and those of its sub-agents.
fn sessions(story: &Story) -> Vec<Told<'_>> {
    let turns = story.own().iter().map(|turn| Asked {
        id: turn.id.clone(),
        at: turn.at,
        prompt: &turn.prompt,
        steps: &turn.steps,
    });
    let mut sessions = vec![Told { id: story.id.clone(), of: None, turns: turns.collect() }];
    for turn in story.own() {
        of_agents(&story.id, &turn.steps, &mut sessions);
    }
    sessions
}

fn of_agents<'s>(parent: &'s str, steps: &'s [Step], sessions: &mut Vec<Told<'s>>) {
    for call in steps.iter().flat_map(|step| &step.calls) {
        if let Some((_, task)) = call.agent() {
            let id = format!("{}-task", call.id);
            let turn = Asked { id, at: call.at + 1, prompt: task, steps: call.steps() };
            sessions.push(Told { id: session_of(call), of: Some(parent), turns: vec![turn] });
            of_agents(parent, call.steps(), sessions);
        }
    }
}

fn session_of(call: &Call) -> String {
    format!("{OF_AGENTS}{}", call.id)
}

fn number(number: i64) -> Cell {
    Cell::Integer(number)
}

fn json_text(value: &Value) -> Cell {
    text(value)
}

const OPENCODE: &str = "
    CREATE TABLE session (id TEXT PRIMARY KEY, parent_id TEXT, directory TEXT NOT NULL, version TEXT NOT NULL, time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL);
    CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT NOT NULL, time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL, data TEXT NOT NULL);
    CREATE TABLE part (id TEXT PRIMARY KEY, message_id TEXT NOT NULL, session_id TEXT NOT NULL, time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL, data TEXT NOT NULL);";

/// Its rows, with ids that rise.
struct OpenCode {
    tables: Tables,
    ids: usize,
}

fn opencode(story: &Story, out: &mut Out) {
    let tables =
        Tables { assistant: "opencode", name: "opencode.db", schema: OPENCODE, rows: vec![], over: 0 };
    let mut opencode = OpenCode { tables, ids: 0 };
    let fork = story.own()[0].at - 4;
    let original = story.original();
    let originals = original.as_ref().map(sessions).unwrap_or_default();
    for told in &originals {
        opencode.session(told, told.at() - 5);
        told.turns.iter().for_each(|turn| opencode.turn(&told.id, turn));
    }
    opencode.tables.over = opencode.tables.rows.len();
    for told in sessions(story) {
        opencode.session(&told, if told.of.is_none() { fork } else { told.at() - 1 });
        // A fork has copies of the messages and their parts, with ids of its own and the times of then.
        if let Some(before) = originals.first().filter(|_| told.of.is_none()) {
            before.turns.iter().for_each(|turn| opencode.turn(&told.id, turn));
        }
        told.turns.iter().for_each(|turn| opencode.turn(&told.id, turn));
    }
    out.database(opencode.tables);
}

impl OpenCode {
    fn id(&mut self, kind: &str) -> String {
        self.ids += 1;
        format!("{kind}_{:08}", self.ids)
    }

    fn session(&mut self, told: &Told<'_>, at: i64) {
        let parent = told.of.map_or(Cell::Null, text);
        let columns = [text(&told.id), parent, text(FOLDER), text("1.18.33"), number(at), number(at)];
        self.tables.row("session", columns);
    }

    fn message(&mut self, session: &str, at: i64, until: i64, data: Value) -> String {
        let id = self.id("msg");
        let columns = [text(&id), text(session), number(at), number(until), json_text(&data)];
        self.tables.row("message", columns);
        id
    }

    fn part(&mut self, session: &str, message: &str, at: i64, data: &Value) {
        let id = self.id("prt");
        let columns = [text(id), text(message), text(session), number(at), number(at), json_text(data)];
        self.tables.row("part", columns);
    }

    fn turn(&mut self, session: &str, Asked { at, prompt, steps, .. }: &Asked<'_>) {
        let data = json!({"role": "user", "time": {"created": at}, "agent": "build"});
        let message = self.message(session, *at, *at, data);
        self.part(session, &message, *at, &json!({"type": "text", "text": prompt}));
        for step in *steps {
            let over = step.calls.iter().map(|call| call.until).max().unwrap_or(step.until);
            let data = json!({
                "role": "assistant", "time": {"created": step.at, "completed": over}, "modelID": "m-1", "agent": "build",
                "mode": "build", "path": {"cwd": FOLDER, "root": FOLDER},
                "tokens": {"input": step.read, "output": step.wrote, "reasoning": 0, "cache": {"read": 0, "write": 0}},
            });
            let message = self.message(session, step.at, over, data);
            self.part(session, &message, step.at, &json!({"type": "step-start"}));
            if !step.words.is_empty() {
                let said = json!({"type": "text", "text": step.words, "time": {"start": step.at, "end": step.until}});
                self.part(session, &message, step.until, &said);
            }
            for call in &step.calls {
                self.part(session, &message, call.until, &opencode_call(call));
            }
        }
    }
}

fn opencode_call(call: &Call) -> Value {
    let (name, input) = assistants::shape(call);
    let is_command = matches!(call.what, What::Command { .. });
    let mut state =
        json!({"status": "completed", "input": input, "time": {"start": call.at, "end": call.until}});
    let refused = "The user rejected permission to use this specific tool call with the following feedback: ";
    let ruled = "The user has specified a rule which prevents you from using this specific tool call. Here are some of the relevant rules []";
    let error = match &call.end {
        End::Refused { by: Who::Person, words } => Some(format!("{refused}{words}")),
        End::Refused { .. } => Some(ruled.to_owned()),
        End::Failed { output, .. } if !is_command => Some(output.clone()),
        _ => None,
    };
    match error {
        Some(error) => {
            state["status"] = "error".into();
            state["error"] = error.into();
        }
        None => {
            let code = if let End::Failed { code, .. } = call.end { code } else { 0 };
            state["output"] = call.output().into();
            state["metadata"] = if is_command { json!({"exit": code}) } else { json!({}) };
        }
    }
    json!({"type": "tool", "tool": name, "callID": call.id, "state": state})
}

const HERMES: &str = "
    CREATE TABLE sessions (id TEXT PRIMARY KEY, source TEXT NOT NULL, model TEXT, cwd TEXT, started_at REAL NOT NULL, parent_session_id TEXT);
    CREATE TABLE messages (session_id TEXT NOT NULL, role TEXT NOT NULL, content TEXT, tool_call_id TEXT, tool_calls TEXT, tool_name TEXT, timestamp REAL NOT NULL, id INTEGER PRIMARY KEY AUTOINCREMENT);
    CREATE TABLE session_model_usage (session_id TEXT NOT NULL, model TEXT, task TEXT, billing_provider TEXT, input_tokens INTEGER, output_tokens INTEGER, last_seen REAL);";

fn hermes_shape(call: &Call) -> (String, Value) {
    usual(&call.what, "terminal", "read_file", "delegate_task")
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of this century are exact")]
fn seconds(milliseconds: i64) -> Cell {
    Cell::Real(milliseconds as f64 / 1e3)
}

fn hermes(story: &Story, out: &mut Out) {
    let mut tables = Tables { assistant: "hermes", name: "state.db", schema: HERMES, rows: vec![], over: 0 };
    for told in sessions(story) {
        let (source, cwd) = if told.of.is_none() { ("cli", text(FOLDER)) } else { ("subagent", Cell::Null) };
        let parent = told.of.map_or(Cell::Null, text);
        let at = seconds(told.at() - 1);
        tables.row("sessions", [text(&told.id), text(source), text("m-1"), cwd, at, parent]);
        let mut say = |at: i64, role: &str, content: &str, of: Option<&Call>, calls: Option<&Value>| {
            let columns = [
                text(&told.id),
                text(role),
                text(content),
                of.map_or(Cell::Null, |call| text(&call.id)),
                calls.map_or(Cell::Null, json_text),
                of.map_or(Cell::Null, |call| text(hermes_shape(call).0)),
                seconds(at),
                Cell::Null,
            ];
            tables.row("messages", columns);
        };
        for Asked { at, prompt, steps, .. } in &told.turns {
            say(*at, "user", prompt, None, None);
            for step in *steps {
                let calls = step.calls.iter().map(|call| {
                    let (name, input) = hermes_shape(call);
                    json!({"id": call.id, "type": "function", "function": {"name": name, "arguments": input.to_string()}})
                });
                let calls = Value::Array(calls.collect());
                say(
                    step.until,
                    "assistant",
                    &step.words,
                    None,
                    Some(&calls).filter(|_| !step.calls.is_empty()),
                );
                for call in &step.calls {
                    say(call.until, "tool", &hermes_result(call).to_string(), Some(call), None);
                }
            }
        }
        let sum = |of: fn(&Step) -> i64| number(told.steps().map(of).sum());
        let last = seconds(told.steps().map(|step| step.until).max().unwrap_or_default());
        let columns = [
            text(&told.id),
            text("m-1"),
            text(""),
            text("custom"),
            sum(|step| step.read),
            sum(|step| step.wrote),
            last,
        ];
        tables.row("session_model_usage", columns);
    }
    out.database(tables);
}

fn hermes_result(call: &Call) -> Value {
    let (output, code, error) = match &call.end {
        End::Refused { by: Who::Person, .. } => {
            ("", -1, Some("BLOCKED: User denied this command. Do NOT retry this command".to_owned()))
        }
        End::Refused { .. } => {
            ("", -1, Some("BLOCKED: this command matches the user-defined deny rule 'make'".to_owned()))
        }
        End::Failed { code, output } if matches!(call.what, What::Command { .. }) => {
            (output.as_str(), *code, None)
        }
        End::Failed { output, .. } => return json!({"content": "", "error": output}),
        _ => (call.output(), 0, None),
    };
    json!({"output": output, "exit_code": code, "error": error})
}

const GOOSE: &str = "
    CREATE TABLE sessions (id TEXT PRIMARY KEY, session_type TEXT, working_dir TEXT NOT NULL, created_at TIMESTAMP, updated_at TIMESTAMP, model_config_json TEXT);
    CREATE TABLE messages (message_id TEXT, session_id TEXT NOT NULL, role TEXT NOT NULL, content_json TEXT NOT NULL, created_timestamp INTEGER NOT NULL, id INTEGER PRIMARY KEY AUTOINCREMENT);
    CREATE TABLE usage_ledger (session_id TEXT, created_timestamp INTEGER, model TEXT, input_tokens INTEGER, output_tokens INTEGER, total_tokens INTEGER, id INTEGER PRIMARY KEY AUTOINCREMENT);";

fn goose_shape(call: &Call) -> (String, Value) {
    usual(&call.what, "developer__shell", "developer__read", "delegate")
}

fn goose(story: &Story, out: &mut Out) {
    let mut tables = Tables { assistant: "goose", name: "sessions.db", schema: GOOSE, rows: vec![], over: 0 };
    for told in sessions(story) {
        let kind = if told.of.is_none() { "user" } else { "sub_agent" };
        let at = rfc3339(told.at() - 1).get(..19).unwrap().replace('T', " ");
        let model = json!({"model_name": "m-1"});
        tables.row(
            "sessions",
            [text(&told.id), text(kind), text(FOLDER), text(&at), text(&at), json_text(&model)],
        );
        let mut say = |id: String, at: i64, role: &str, content: Value| {
            let columns =
                [text(id), text(&told.id), text(role), json_text(&content), number(at / 1_000), Cell::Null];
            tables.row("messages", columns);
        };
        let block = |text: &str| json!({"type": "text", "text": text});
        for Asked { id, at, prompt, steps } in &told.turns {
            say(format!("msg_{id}"), *at, "user", json!([block(prompt)]));
            for step in *steps {
                let words = (!step.words.is_empty()).then(|| block(&step.words));
                let calls = step.calls.iter().map(|call| {
                    let (name, input) = goose_shape(call);
                    let made = json!({"status": "success", "value": {"name": name, "arguments": input}});
                    json!({"type": "toolRequest", "id": call.id, "toolCall": made})
                });
                let content = Value::Array(words.into_iter().chain(calls).collect());
                say(format!("msg_{}", step.id), step.until, "assistant", content);
                for call in &step.calls {
                    let response =
                        json!([{"type": "toolResponse", "id": call.id, "toolResult": goose_result(call)}]);
                    say(format!("msg_{}", call.id), call.until, "user", response);
                }
            }
        }
        for step in told.steps() {
            let columns = [
                text(&told.id),
                number(step.until / 1_000),
                text("m-1"),
                number(step.read),
                number(step.wrote),
                number(step.read + step.wrote),
                Cell::Null,
            ];
            tables.row("usage_ledger", columns);
        }
    }
    out.database(tables);
}

fn goose_result(call: &Call) -> Value {
    let content = |text: &str| json!([{"type": "text", "text": text}]);
    match &call.end {
        End::Refused { by: Who::Person, .. } => {
            let words = "The user has declined to run this tool. DO NOT attempt to call this tool again.";
            json!({"status": "success", "value": {"content": content(words), "isError": false}})
        }
        End::Refused { .. } => {
            let words = "Let the user know the tool call was skipped in Goose chat mode.";
            json!({"status": "success", "value": {"content": content(words), "isError": false}})
        }
        End::Failed { code, output } if matches!(call.what, What::Command { .. }) => {
            let structured = json!({"exit_code": code});
            json!({"status": "success", "value": {"content": content(output), "structuredContent": structured}})
        }
        End::Failed { output, .. } => json!({"status": "error", "error": output}),
        _ => json!({"status": "success", "value": {"content": content(call.output()), "isError": false}}),
    }
}

const CURSOR: &str = "
    CREATE TABLE ItemTable (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB);
    CREATE TABLE cursorDiskKV (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB);";

fn cursor_shape(call: &Call) -> (String, Value) {
    usual(&call.what, "run_terminal_cmd", "read_file", "task")
}

fn cursor(story: &Story, out: &mut Out) {
    let mut tables =
        Tables { assistant: "cursor", name: "state.vscdb", schema: CURSOR, rows: vec![], over: 0 };
    for told in sessions(story) {
        let mut bubbles: Vec<(String, Value)> = vec![];
        for Asked { id, at, prompt, steps } in &told.turns {
            bubbles.push((id.clone(), json!({"type": 1, "text": prompt, "createdAt": rfc3339(*at)})));
            for step in *steps {
                let first = bubbles.len();
                if !step.words.is_empty() {
                    let said = json!({"type": 2, "text": step.words, "createdAt": rfc3339(step.until)});
                    bubbles.push((step.id.clone(), said));
                }
                bubbles.extend(step.calls.iter().map(|call| (format!("b-{}", call.id), cursor_call(call))));
                // The first bubble of a reply says what it cost.
                bubbles[first].1["tokenCount"] =
                    json!({"inputTokens": step.read, "outputTokens": step.wrote});
            }
        }
        let headers = bubbles.iter().map(|(id, bubble)| json!({"bubbleId": id, "type": bubble["type"]}));
        let mut composer = json!({
            "composerId": told.id, "createdAt": told.at() - 1, "lastUpdatedAt": told.at() + 9_000,
            "workspaceIdentifier": {"uri": {"fsPath": FOLDER}}, "modelConfig": {"modelName": "m-1"},
            "fullConversationHeadersOnly": headers.collect::<Vec<_>>(),
        });
        if let Some(parent) = told.of {
            composer["subagentInfo"] = json!({"parentComposerId": parent});
        }
        let mut put = |key: String, value: &Value| {
            tables.row("cursorDiskKV", [text(key), Cell::Blob(value.to_string().into_bytes())]);
        };
        put(format!("composerData:{}", told.id), &composer);
        for (id, bubble) in &bubbles {
            put(format!("bubbleId:{}:{id}", told.id), bubble);
        }
    }
    out.database(tables);
}

fn cursor_call(call: &Call) -> Value {
    let (name, input) = cursor_shape(call);
    let mut made =
        json!({"name": name, "toolCallId": call.id, "status": "completed", "rawArgs": input.to_string()});
    let result =
        |output: &str, code: i64| Value::from(json!({"output": output, "exitCode": code}).to_string());
    match &call.end {
        End::Refused { .. } => {
            made["userDecision"] = "rejected".into();
            made["status"] = "cancelled".into();
        }
        End::Failed { code, output } if matches!(call.what, What::Command { .. }) => {
            made["result"] = result(output, *code);
        }
        End::Failed { output, .. } => {
            made["status"] = "error".into();
            made["error"] = output.as_str().into();
        }
        _ => made["result"] = result(call.output(), 0),
    }
    json!({"type": 2, "text": "", "createdAt": rfc3339(call.at), "toolFormerData": made})
}

const OPENCLAW: &str = "
    CREATE TABLE session_windows (session_id TEXT NOT NULL PRIMARY KEY, session_key TEXT NOT NULL, updated_at INTEGER NOT NULL, spawned_by TEXT) STRICT;
    CREATE TABLE transcript_events (session_id TEXT NOT NULL, seq INTEGER NOT NULL, event_json TEXT, created_at INTEGER NOT NULL, event_zstd BLOB, PRIMARY KEY (session_id, seq)) STRICT;";

/// The lines of pi, each a row; long ones are compressed.
fn openclaw(story: &Story, out: &mut Out) {
    const NAME: &str = "openclaw-agent.sqlite";
    let mut tables = Tables { assistant: "openclaw", name: NAME, schema: OPENCLAW, rows: vec![], over: 0 };
    let window = [text(&story.id), text("agent:main:main"), number(story.own()[0].at), Cell::Null];
    tables.row("session_windows", window);
    for (seq, event) in (0..).zip(files::pi_lines(story)) {
        let event = event.to_string();
        let packed = event.len() > 400;
        let plain = if packed { Cell::Null } else { text(&event) };
        let bytes =
            if packed { Cell::Blob(zstd::encode_all(event.as_bytes(), 3).unwrap()) } else { Cell::Null };
        tables.row("transcript_events", [text(&story.id), number(seq), plain, number(0), bytes]);
    }
    out.database(tables);
}

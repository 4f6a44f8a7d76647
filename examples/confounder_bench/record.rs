//! Sessions in the shapes that four clients give them, and what was truly done in each.

use serde_json::json;
use skillspan::event::{Decision, Kind, SessionEvent, Status, Timestamp};
use skillspan::table::{Fact, Session, SessionSource};

/// A client: what it calls its tools and how it writes their arguments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Client {
    ClaudeCode,
    Codex,
    Gemini,
    Framework,
}

pub(crate) const CLIENTS: [Client; 4] =
    [Client::ClaudeCode, Client::Codex, Client::Gemini, Client::Framework];

/// What a session truly did.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Deed {
    /// A command line ran; whether the check in it truly passed.
    Ran(String, bool),
    Edited(String),
    Refused(String),
    Said(String),
}

/// A person of a workspace.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) client: Client,
}

/// A session that grows.
pub(crate) struct Record {
    session: Session,
    client: Client,
    /// The checkout.
    pub(crate) folder: String,
    /// Microseconds since the session's start.
    clock: i64,
    deeds: Vec<Deed>,
}

const REFUSED: &str = "The user doesn't want to proceed with this tool use. The tool use was rejected (eg. if it was a file edit, the new_string was NOT written to the file).";

impl Record {
    /// `minute` places it in time.
    pub(crate) fn new(id: String, workspace: &str, repository: &str, person: &Person, minute: usize) -> Self {
        let start = Timestamp::from_micros(1_790_000_000_000_000 + minute as i64 * 60_000_000);
        let assistant = match person.client {
            Client::ClaudeCode => "claude-code",
            Client::Codex => "codex",
            Client::Gemini => "gemini-cli",
            Client::Framework => "",
        };
        let session = Session {
            tenant: "acme".into(),
            id,
            source: SessionSource::Attribute,
            workspace: workspace.into(),
            project: format!("git.example.com/acme/{repository}"),
            user_id: person.name.into(),
            assistant: assistant.into(),
            started_at: start,
            last_event_at: start,
            last_ingested_at: start,
            ended: false,
            facts: Vec::new(),
        };
        let folder = format!("/home/{}/work/{repository}", person.name);
        Self { session, client: person.client, folder, clock: 0, deeds: Vec::new() }
    }

    fn fact(&mut self, seconds: i64, event: SessionEvent) {
        self.clock += seconds * 1_000_000;
        let session = &mut self.session;
        let timestamp = Timestamp::from_micros(session.started_at.as_micros() + self.clock);
        let event_id = format!("{}-{:05}", session.id, session.facts.len());
        session.last_event_at = timestamp;
        session.last_ingested_at = timestamp;
        let event = SessionEvent {
            event_id: event_id.clone(),
            session_id: session.id.clone(),
            tenant: session.tenant.clone(),
            workspace: session.workspace.clone(),
            project: session.project.clone(),
            user_id: session.user_id.clone(),
            assistant: session.assistant.clone(),
            cwd: self.folder.clone(),
            timestamp,
            ..event
        };
        session.facts.push(Fact { event, event_ids: vec![event_id] });
    }

    pub(crate) fn prompt(&mut self, text: &str) {
        self.deeds.push(Deed::Said(text.to_owned()));
        self.fact(90, SessionEvent { kind: Kind::Prompt, text: text.into(), ..SessionEvent::default() });
    }

    pub(crate) fn response(&mut self, text: &str) {
        self.fact(4, SessionEvent { kind: Kind::Response, text: text.into(), ..SessionEvent::default() });
    }

    fn begin_call(&mut self, tool: &str, input: &str) -> String {
        let id = format!("call-{}", self.session.facts.len());
        self.fact(
            3,
            SessionEvent {
                kind: Kind::ToolCall,
                tool: tool.into(),
                input: input.into(),
                tool_call_id: id.clone(),
                ..SessionEvent::default()
            },
        );
        id
    }

    fn end_call(&mut self, tool: &str, id: String, ok: bool, output: &str) {
        let status = if ok { Status::Ok } else { Status::Error };
        self.fact(
            6,
            SessionEvent {
                kind: Kind::ToolResult,
                tool: tool.into(),
                output: output.into(),
                status,
                tool_call_id: id,
                ..SessionEvent::default()
            },
        );
    }

    fn shell(&self, line: &str) -> (&'static str, String) {
        let (tool, input) = match self.client {
            Client::ClaudeCode => ("Bash", json!({ "command": line, "description": "Run a command" })),
            Client::Codex => ("shell", json!({ "command": ["bash", "-lc", line] })),
            Client::Gemini => ("run_shell_command", json!({ "command": line })),
            Client::Framework => ("execute_command", json!({ "command": line })),
        };
        (tool, input.to_string())
    }

    /// A command line that ends as the client reports it.
    pub(crate) fn run(&mut self, line: &str, ok: bool, output: &str) {
        self.run_masked(line, ok, ok, output);
    }

    /// A command line: what the client reports of its end, and how it truly ended.
    pub(crate) fn run_masked(&mut self, line: &str, reported: bool, truly: bool, output: &str) {
        self.deeds.push(Deed::Ran(line.to_owned(), truly));
        let (tool, input) = self.shell(line);
        let id = self.begin_call(tool, &input);
        let said = match (self.client, reported) {
            (Client::ClaudeCode, false) => format!("Exit code 1\n{output}"),
            _ => output.to_owned(),
        };
        self.end_call(tool, id, reported, &said);
    }

    /// A command that a person refuses, in the words of the refusal, in a prompt after it, or
    /// without words.
    pub(crate) fn refuse(&mut self, line: &str, words: Option<&str>, in_the_refusal: bool) {
        self.deeds.push(Deed::Refused(line.to_owned()));
        let (tool, input) = self.shell(line);
        self.reject(tool, &input, words, in_the_refusal);
    }

    /// An edit that a person refuses.
    pub(crate) fn refuse_edit(&mut self, path: &str, words: Option<&str>, in_the_refusal: bool) {
        let (tool, input) = self.edit_call(path);
        self.reject(tool, &input, words, in_the_refusal);
    }

    fn reject(&mut self, tool: &str, input: &str, words: Option<&str>, in_the_refusal: bool) {
        let id = self.begin_call(tool, input);
        if self.client != Client::Framework {
            self.fact(
                20,
                SessionEvent {
                    kind: Kind::Decision,
                    tool: tool.into(),
                    tool_call_id: id.clone(),
                    decision: Decision::Reject,
                    decision_source: "user_reject".into(),
                    ..SessionEvent::default()
                },
            );
        }
        let shows_result = matches!(self.client, Client::ClaudeCode | Client::Framework);
        let inside = words.filter(|_| in_the_refusal && shows_result);
        if shows_result {
            let tail = match inside {
                Some(words) => format!("To tell you how to proceed, the user said:\n{words}"),
                None => {
                    "STOP what you are doing and wait for the user to tell you how to proceed.".to_owned()
                }
            };
            self.end_call(tool, id, false, &format!("{REFUSED} {tail}"));
        }
        match (inside, words) {
            (Some(words), _) => self.deeds.push(Deed::Said(words.to_owned())),
            (None, Some(words)) => self.prompt(words),
            (None, None) => {}
        }
    }

    fn edit_call(&self, path: &str) -> (&'static str, String) {
        let whole = format!("{}/{path}", self.folder);
        let (tool, input) = match self.client {
            Client::ClaudeCode => {
                ("Edit", json!({ "file_path": whole, "old_string": "a", "new_string": "b" }))
            }
            Client::Codex => {
                let patch = format!("*** Begin Patch\n*** Update File: {path}\n@@\n-a\n+b\n*** End Patch");
                ("apply_patch", json!({ "input": patch }))
            }
            Client::Gemini => {
                ("replace", json!({ "file_path": whole, "old_string": "a", "new_string": "b" }))
            }
            Client::Framework => ("edit_file", json!({ "path": path, "old": "a", "new": "b" })),
        };
        (tool, input.to_string())
    }

    pub(crate) fn edit(&mut self, path: &str) {
        self.deeds.push(Deed::Edited(path.to_owned()));
        let (tool, input) = self.edit_call(path);
        let id = self.begin_call(tool, &input);
        self.end_call(tool, id, true, "The file has been updated.");
    }

    pub(crate) fn read(&mut self, path: &str, content: &str) {
        let (tool, input) = match self.client {
            Client::ClaudeCode => ("Read", json!({ "file_path": format!("{}/{path}", self.folder) })),
            Client::Codex => ("shell", json!({ "command": ["bash", "-lc", format!("cat {path}")] })),
            Client::Gemini => ("read_file", json!({ "absolute_path": format!("{}/{path}", self.folder) })),
            Client::Framework => ("read_file", json!({ "path": path })),
        };
        let id = self.begin_call(tool, &input.to_string());
        self.end_call(tool, id, true, content);
    }

    /// A skill that is asked for: there is one or not.
    pub(crate) fn skill(&mut self, name: &str, known: bool) {
        self.deeds.push(Deed::Ran(format!("skill {name}"), known));
        let (tool, input) = match self.client {
            Client::ClaudeCode => ("Skill", json!({ "skill": name })),
            Client::Gemini => ("activate_skill", json!({ "name": name })),
            Client::Codex | Client::Framework => ("load_skill", json!({ "name": name })),
        };
        let id = self.begin_call(tool, &input.to_string());
        let (ok, output) = match known {
            true => (true, format!("Launching skill: {name}")),
            false => (false, format!("Unknown skill: {name}")),
        };
        self.end_call(tool, id, ok, &output);
    }

    /// A check that ran within the call before.
    pub(crate) fn ran_within(&mut self, line: &str, truly: bool) {
        self.deeds.push(Deed::Ran(line.to_owned(), truly));
    }

    /// The files that it edited, as they are called in the repository.
    pub(crate) fn edited(&self) -> Vec<String> {
        let edited = self.deeds.iter().filter_map(|deed| match deed {
            Deed::Edited(path) => Some(path.clone()),
            _ => None,
        });
        edited.collect()
    }

    pub(crate) fn build(self) -> (Session, Vec<Deed>) {
        (self.session, self.deeds)
    }
}

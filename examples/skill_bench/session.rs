//! Sessions in the shapes that four clients give them.

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

/// What a session truly did: each command line or edited file, and whether a person refused it.
#[derive(Clone, Default)]
pub(crate) struct Deeds(pub(crate) Vec<(String, bool)>);

/// A session that grows.
pub(crate) struct Builder {
    session: Session,
    client: Client,
    pub(crate) deeds: Deeds,
}

impl Builder {
    /// `hour` places it in time.
    pub(crate) fn new(id: String, workspace: usize, person: &str, client: Client, hour: usize) -> Self {
        let start = Timestamp::from_micros(1_790_000_000_000_000 + hour as i64 * 3_600_000_000);
        let assistant = match client {
            Client::ClaudeCode => "claude-code",
            Client::Codex => "codex",
            Client::Gemini => "gemini-cli",
            Client::Framework => "",
        };
        let session = Session {
            tenant: "acme".into(),
            id,
            source: SessionSource::Attribute,
            workspace: format!("team-{workspace}"),
            project: format!("git.example.com/acme/team-{workspace}"),
            user_id: person.into(),
            assistant: assistant.into(),
            started_at: start,
            last_event_at: start,
            last_ingested_at: start,
            ended: false,
            facts: Vec::new(),
        };
        Self { session, client, deeds: Deeds::default() }
    }

    pub(crate) fn client(&self) -> Client {
        self.client
    }

    fn fact(&mut self, event: SessionEvent) {
        let session = &mut self.session;
        let at = session.started_at.as_micros() + session.facts.len() as i64 * 2_000_000;
        let timestamp = Timestamp::from_micros(at);
        let event_id = format!("{}-{:05}", session.id, session.facts.len());
        session.last_event_at = timestamp;
        session.last_ingested_at = timestamp;
        let (session_id, tenant) = (session.id.clone(), session.tenant.clone());
        let event = SessionEvent { event_id: event_id.clone(), session_id, tenant, timestamp, ..event };
        session.facts.push(Fact { event, event_ids: vec![event_id] });
    }

    pub(crate) fn prompt(&mut self, text: &str) {
        self.fact(SessionEvent { kind: Kind::Prompt, text: text.into(), ..SessionEvent::default() });
    }

    pub(crate) fn response(&mut self, text: &str) {
        self.fact(SessionEvent { kind: Kind::Response, text: text.into(), ..SessionEvent::default() });
    }

    fn call(&mut self, tool: &str, input: &str, ok: bool, output: &str) {
        let id = format!("call-{}", self.session.facts.len());
        let status = if ok { Status::Ok } else { Status::Error };
        self.fact(SessionEvent {
            kind: Kind::ToolCall,
            tool: tool.into(),
            input: input.into(),
            tool_call_id: id.clone(),
            ..SessionEvent::default()
        });
        self.fact(SessionEvent {
            kind: Kind::ToolResult,
            tool: tool.into(),
            output: output.into(),
            status,
            tool_call_id: id,
            ..SessionEvent::default()
        });
    }

    /// A command line in the client's shape.
    pub(crate) fn run(&mut self, line: &str, ok: bool, output: &str) {
        self.deeds.0.push((line.to_owned(), false));
        let (tool, input) = self.shell(line);
        self.call(tool, &input, ok, output);
    }

    fn shell(&self, line: &str) -> (&'static str, String) {
        let (tool, input) = match self.client {
            Client::ClaudeCode => ("Bash", json!({ "command": line, "description": "a command" })),
            Client::Codex => ("shell", json!({ "command": ["bash", "-lc", line] })),
            Client::Gemini => ("run_shell_command", json!({ "command": line })),
            Client::Framework => ("execute_command", json!({ "command": line, "cwd": "/srv/app" })),
        };
        (tool, input.to_string())
    }

    /// A command that a person refused.
    pub(crate) fn refuse(&mut self, line: &str) {
        self.deeds.0.push((line.to_owned(), true));
        let (tool, input) = self.shell(line);
        let id = format!("call-{}", self.session.facts.len());
        self.fact(SessionEvent {
            kind: Kind::ToolCall,
            tool: tool.into(),
            input,
            tool_call_id: id.clone(),
            ..SessionEvent::default()
        });
        self.fact(SessionEvent {
            kind: Kind::Decision,
            tool: tool.into(),
            tool_call_id: id,
            decision: Decision::Reject,
            decision_source: "user_reject".into(),
            ..SessionEvent::default()
        });
    }

    /// A command that ran and that the person was not content with.
    pub(crate) fn run_rejected(&mut self, line: &str) {
        self.run(line, true, "done");
        if let Some(deed) = self.deeds.0.last_mut() {
            deed.1 = true;
        }
    }

    pub(crate) fn edit(&mut self, path: &str) {
        self.deeds.0.push((path.to_owned(), false));
        let (tool, input) = match self.client {
            Client::ClaudeCode => {
                ("Edit", json!({ "file_path": format!("/srv/app/{path}"), "old_string": "a" }))
            }
            Client::Codex => {
                let patch = format!("*** Begin Patch\n*** Update File: {path}\n@@\n-a\n+b\n*** End Patch");
                ("apply_patch", json!({ "input": patch }))
            }
            Client::Gemini => {
                ("replace", json!({ "file_path": format!("/srv/app/{path}"), "new_string": "b" }))
            }
            Client::Framework => ("edit_file", json!({ "path": path, "old": "a", "new": "b" })),
        };
        self.call(tool, &input.to_string(), true, "edited");
    }

    pub(crate) fn read(&mut self, path: &str, content: &str) {
        let (tool, input) = match self.client {
            Client::ClaudeCode => ("Read", json!({ "file_path": path })),
            Client::Codex => ("shell", json!({ "command": ["bash", "-lc", format!("cat {path}")] })),
            Client::Gemini => ("read_file", json!({ "absolute_path": path })),
            Client::Framework => ("read_file", json!({ "path": path })),
        };
        self.call(tool, &input.to_string(), true, content);
    }

    pub(crate) fn build(self) -> (Session, Deeds) {
        (self.session, self.deeds)
    }
}

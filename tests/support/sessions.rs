//! Sessions built by hand, in the shape that readers give them.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

use skillspan::event::{Decision, Kind, SessionEvent, Status, Timestamp};
use skillspan::skillify::{Classes, Config, Mined, Offline, PublishRule, Snapshot, mine};
use skillspan::table::{Fact, Session, SessionSource};

/// Builds one session, a second per fact.
pub struct SessionBuilder {
    session: Session,
}

/// A session of Claude Code, of nobody known, in no repository.
pub fn session(id: &str) -> SessionBuilder {
    let day = id.bytes().fold(0_i64, |sum, byte| (sum * 7 + i64::from(byte)) % 28);
    let start = Timestamp::from_micros(1_795_000_000_000_000 + day * 86_400_000_000);
    SessionBuilder {
        session: Session {
            tenant: "acme".into(),
            id: id.into(),
            source: SessionSource::Attribute,
            workspace: "shop".into(),
            project: String::new(),
            user_id: String::new(),
            assistant: "claude-code".into(),
            started_at: start,
            last_event_at: start,
            last_ingested_at: start,
            ended: false,
            facts: Vec::new(),
        },
    }
}

impl SessionBuilder {
    pub fn by(mut self, person: &str) -> Self {
        self.session.user_id = person.into();
        self
    }

    /// On another day; before any fact.
    pub fn on(mut self, day: i64) -> Self {
        let start = Timestamp::from_micros(1_795_000_000_000_000 + day * 86_400_000_000);
        self.session.started_at = start;
        self.session.last_event_at = start;
        self.session.last_ingested_at = start;
        self
    }

    pub fn project(mut self, project: &str) -> Self {
        self.session.project = project.into();
        self
    }

    pub fn assistant(mut self, assistant: &str) -> Self {
        self.session.assistant = assistant.into();
        self
    }

    fn fact(mut self, event: SessionEvent) -> Self {
        let session = &mut self.session;
        let count = session.facts.len();
        let timestamp = Timestamp::from_micros(session.started_at.as_micros() + count as i64 * 1_000_000);
        let event_id = format!("{}-{count:04}", session.id);
        session.last_event_at = timestamp;
        session.last_ingested_at = timestamp;
        session.facts.push(Fact {
            event: SessionEvent {
                event_id: event_id.clone(),
                session_id: session.id.clone(),
                timestamp,
                ..event
            },
            event_ids: vec![event_id],
        });
        self
    }

    pub fn prompt(self, text: &str) -> Self {
        self.fact(SessionEvent { kind: Kind::Prompt, text: text.into(), ..SessionEvent::default() })
    }

    pub fn response(self, text: &str) -> Self {
        self.fact(SessionEvent { kind: Kind::Response, text: text.into(), ..SessionEvent::default() })
    }

    /// A call with its result.
    pub fn tool(self, tool: &str, input: &str, status: Status, output: &str) -> Self {
        let id = format!("call-{}", self.session.facts.len());
        let call = SessionEvent {
            kind: Kind::ToolCall,
            tool: tool.into(),
            input: input.into(),
            tool_call_id: id.clone(),
            ..SessionEvent::default()
        };
        let result = SessionEvent {
            kind: Kind::ToolResult,
            output: output.into(),
            status,
            tool_call_id: id,
            ..SessionEvent::default()
        };
        self.fact(call).fact(result)
    }

    /// A command in the shape of Claude Code.
    pub fn run(self, command: &str, status: Status) -> Self {
        self.run_with_output(command, status, "")
    }

    pub fn run_with_output(self, command: &str, status: Status, output: &str) -> Self {
        let input = serde_json::json!({ "command": command, "description": "a command" }).to_string();
        self.tool("Bash", &input, status, output)
    }

    pub fn ok(self, command: &str) -> Self {
        self.run(command, Status::Ok)
    }

    pub fn fails(self, command: &str) -> Self {
        self.run(command, Status::Error)
    }

    /// A command that was not allowed: no result.
    pub fn refused(self, command: &str) -> Self {
        let id = format!("call-{}", self.session.facts.len());
        let input = serde_json::json!({ "command": command }).to_string();
        let decision = SessionEvent {
            kind: Kind::Decision,
            tool_call_id: id.clone(),
            decision: Decision::Reject,
            decision_source: "user_reject".into(),
            ..SessionEvent::default()
        };
        let call = SessionEvent {
            kind: Kind::ToolCall,
            tool: "Bash".into(),
            input,
            tool_call_id: id,
            ..SessionEvent::default()
        };
        self.fact(decision).fact(call)
    }

    /// A command that a person did not allow, with what he said.
    pub fn refused_with(self, command: &str, words: &str) -> Self {
        let output = format!(
            "The user doesn't want to proceed with this tool use. The tool use was rejected. To tell you how to proceed, \
             the user said:\n{words}"
        );
        self.run_with_output(command, Status::Error, &output)
    }

    pub fn read(self, path: &str) -> Self {
        self.tool("Read", &serde_json::json!({ "file_path": path }).to_string(), Status::Ok, "")
    }

    pub fn edit(self, path: &str) -> Self {
        self.tool("Edit", &serde_json::json!({ "file_path": path }).to_string(), Status::Ok, "")
    }

    pub fn skill(self, skill: &str) -> Self {
        self.fact(SessionEvent { kind: Kind::SkillUse, skill: skill.into(), ..SessionEvent::default() })
    }

    pub fn build(self) -> Session {
        self.session
    }
}

/// Three sessions in which `test` needs `fix`: found by the agent, told by the person, in passing.
pub fn needs(fix: &str, test: &str) -> Vec<Session> {
    vec![
        session("s01")
            .by("alice")
            .project("git.example.com/acme/shop-api")
            .prompt("Run the integration tests of the orders module and tell me if they pass.")
            .fails(test)
            .read("Makefile")
            .ok(fix)
            .ok(test)
            .response("All 5 integration tests pass.")
            .build(),
        session("s02")
            .by("bob")
            .project("git.example.com/acme/shop-api")
            .prompt("Run the integration tests please")
            .fails(test)
            .response("The integration tests fail: connection refused on 127.0.0.1:5433.")
            .prompt(&format!("You have to run `{fix}` first, then run the integration tests again."))
            .ok(fix)
            .ok(test)
            .response("Done.")
            .build(),
        session("s03")
            .by("carol")
            .project("git.example.com/acme/web-widgets")
            .prompt("Fix the greeting in src/app.py to say \"Hi\" and check the integration suite")
            .read("src/app.py")
            .edit("src/app.py")
            .fails(test)
            .ok(fix)
            .ok(test)
            .response("Greeting changed.")
            .build(),
    ]
}

/// Sessions that share nothing.
pub fn one_offs(fix: &str, test: &str) -> Vec<Session> {
    vec![
        session("s04")
            .by("alice")
            .prompt("Füge eine Begrüßung auf 日本語 hinzu 🎌 (docs/挨拶.md) und zeige mir das große Log")
            .tool("Write", r#"{"file_path":"docs/挨拶.md"}"#, Status::Ok, "")
            .ok("python3 -c 'print(1)'")
            .build(),
        session("s05")
            .by("bob")
            .prompt("Remove the build directory and publish the package")
            .refused("rm -rf build")
            .response("I was not allowed to.")
            .build(),
        session("s07")
            .by("carol")
            .prompt("Release 0.4.2: bump the version and update the changelog")
            .read("src/version.py")
            .read("CHANGELOG.md")
            .edit("src/version.py")
            .edit("CHANGELOG.md")
            .ok("make lint && make test")
            .ok("git commit -qam 'Release 0.4.2' && git tag v0.4.2")
            .build(),
        session("s09")
            .by("alice")
            .prompt("Use a sub-agent to find where totals are computed")
            .tool("Agent", r#"{"prompt":"SUBAGENT[explore]"}"#, Status::Ok, "")
            .build(),
        // The client left its content out.
        session("s11")
            .by("bob")
            .prompt("<REDACTED>")
            .tool("Bash", "", Status::Error, "")
            .tool("Bash", "", Status::Ok, "")
            .tool("Bash", "", Status::Ok, "")
            .build(),
        session("s13")
            .by("dave")
            .prompt("Run the integration tests using the team skill")
            .tool("Skill", r#"{"skill":"integration-tests"}"#, Status::Ok, "")
            .ok(&format!("{fix} && {test}"))
            .build(),
    ]
}

/// Small tasks of four people that share what all tasks share and nothing more.
pub fn other_work(count: usize) -> Vec<Session> {
    let of = |(number, person): (usize, &str)| {
        session(&format!("other-{number}"))
            .by(person)
            .prompt(&format!("what does the widget{number} of the page{number} do, mend it"))
            .edit(&format!("/w/src/widget{number}.rs"))
            .ok(&format!("./scratch/try{number}.sh"))
            .ok("cargo test")
            .ok("git commit -am fix")
            .prompt("thanks")
            .build()
    };
    (0..count).zip(["alice", "bob", "cem", "dina"].into_iter().cycle()).map(of).collect()
}

/// Mines with the offline proposer and the default rule, but whatever a person would have to agree to.
pub fn mined(sessions: &[Session]) -> Mined {
    let publish = PublishRule { allow: Classes::EVERY, ..PublishRule::default() };
    let config = Config { publish, ..Config::default() };
    mine(&Snapshot { workspace: "shop", sessions }, &config, &Offline)
}

/// Mines with the offline proposer and the default rule.
pub fn mined_by_default(sessions: &[Session]) -> Mined {
    mine(&Snapshot { workspace: "shop", sessions }, &Config::default(), &Offline)
}

//! Skills that sessions show only if their calls are read right.

use serde_json::json;
use skillspan::event::SessionEvent;
use skillspan::skillify::{Config, Mined, Offline, Snapshot, mine};
use skillspan::table::{ResolveOptions, resolve};

use crate::records::{attribute, events as of, map_log, string};
use crate::spans::{Span, calls, chat, events, map, says, span, tool};

const PEOPLE: [&str; 6] = ["ida", "jon", "kim", "lea", "max", "nia"];

fn mined(events: Vec<SessionEvent>) -> Mined {
    let sessions = resolve(events, &ResolveOptions { default_workspace: "shop".into() });
    mine(&Snapshot { workspace: "shop", sessions: &sessions }, &Config::default(), &Offline)
}

/// How many skills are published that say what to do when a command fails.
fn repairs(mined: &Mined, remedy: &str) -> usize {
    let published = mined.candidates.iter().filter(|candidate| candidate.is_published());
    published.filter(|candidate| format!("{candidate:?}").contains(remedy)).count()
}

/// A session of Codex that is being recorded.
struct Recorder {
    person: &'static str,
    day: usize,
    second: usize,
    calls: usize,
    events: Vec<SessionEvent>,
}

impl Recorder {
    fn log(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.second += 7;
        let (minute, second) = (self.second / 60, self.second % 60);
        let time = format!("2026-11-{:02}T09:{minute:02}:{second:02}.000Z", self.day + 2);
        let (session, user) =
            (format!("c-{}-{}", self.person, self.day), format!("{}@acme.example", self.person));
        let named = [
            ("event.name", name),
            ("conversation.id", session.as_str()),
            ("user.email", user.as_str()),
            ("event.timestamp", time.as_str()),
            ("vcs.repository.url.full", "https://git.example.com/acme/shop"),
        ];
        let attributes = named.iter().chain(attributes).map(|(key, value)| attribute(key, string(value)));
        self.events.extend(of(map_log("codex_otel.log_only", attributes.collect())));
    }

    fn call(&mut self, tool: &str, arguments: &str, output: &str) {
        self.calls += 1;
        let id = format!("call_{}", self.calls);
        let attributes = [
            ("tool_name", tool),
            ("call_id", id.as_str()),
            ("arguments", arguments),
            ("success", "true"),
            ("output", output),
            ("duration_ms", "1000"),
        ];
        self.log("codex.tool_result", &attributes);
    }

    /// A command that ends where it began, or in a later call.
    fn run(&mut self, command: &str, code: i32, output: &str, at_once: bool) {
        let arguments = json!({"cmd": command}).to_string();
        let ended = format!(
            "Chunk ID: z\nWall time: 3.0 seconds\nProcess exited with code {code}\nOutput:\n{output}\n"
        );
        if at_once {
            return self.call("exec_command", &arguments, &ended);
        }
        let name = 40 + self.calls;
        let running =
            format!("Chunk ID: y\nWall time: 1.0 seconds\nProcess running with session ID {name}\nOutput:\n");
        self.call("exec_command", &arguments, &running);
        self.call("write_stdin", &json!({"session_id": name, "chars": ""}).to_string(), &ended);
    }
}

/// A suite that fails until the broker is started.
fn by_codex(person: &'static str, day: usize, at_once: bool) -> Vec<SessionEvent> {
    let mut recorder = Recorder { person, day, second: 0, calls: 0, events: vec![] };
    recorder.log("codex.user_prompt", &[("prompt", "Check that the queue works end to end")]);
    recorder.run("pnpm run queue:check", 1, "Error: connect ECONNREFUSED 127.0.0.1:5672", at_once);
    recorder.run("pnpm run broker:start", 0, "broker is ready", at_once);
    recorder.run("pnpm run queue:check", 0, "9 passed", at_once);
    let answer = [("response", "The broker has to run first."), ("turn.id", "t")];
    recorder.log("codex.agent_response", &answer);
    recorder.events
}

#[test]
fn a_repair_is_learnt_of_commands_that_end_in_later_calls() {
    for at_once in [true, false] {
        let events =
            PEOPLE.iter().enumerate().flat_map(|(day, person)| by_codex(person, day, at_once)).collect();
        let mined = mined(events);
        assert_eq!(repairs(&mined, "broker:start"), 1, "{at_once}: {:#?}", mined.explain());
    }
}

/// How a call is named, by its number.
type Name = fn(i64) -> String;

/// The same over a framework. `made` and `kept` name the calls, by their numbers, as a model makes them and once they
/// are history.
fn by_framework(person: &str, day: i64, made: Name, kept: Name) -> Vec<Span> {
    let trace = format!("trace-{person}");
    let base = day * 90_000;
    let own = |id: &str, seconds: (i64, i64)| {
        span(&trace, &format!("{person}{id}"), "root", (base + seconds.0, base + seconds.1))
            .with("gen_ai.conversation.id", json!(format!("s-{person}")))
            .with("user.id", json!(person))
            .with("vcs.repository.url.full", json!("https://git.example.com/acme/shop"))
    };
    let steps = [
        ("make contract", "Error: connect ECONNREFUSED 127.0.0.1:8080", true),
        ("make stub", "stub is up", false),
        ("make contract", "8 passed", false),
    ];
    let mut list = vec![says("user", "Verify the contract with the billing service")];
    let mut spans = vec![];
    for (number, (command, output, failed)) in (0_i64..).zip(steps) {
        let arguments = || json!({"command": command});
        let id = made(number);
        let reply = json!([{"role": "assistant", "parts": [calls(&id, "shell", arguments())]}]);
        spans.push(chat(own(&format!("m{number}"), (number * 10, number * 10 + 1)), json!(list), reply));
        let ran = tool(
            own(&format!("x{number}"), (number * 10 + 2, number * 10 + 3)),
            "shell",
            if id == kept(number) { &id } else { "" },
            arguments(),
            output,
        );
        spans.push(if failed { ran.failed("exit 2") } else { ran });
        list.push(json!({"role": "assistant", "parts": [calls(&kept(number), "shell", arguments())]}));
        list.push(
            json!({"role": "tool", "parts": [{"type": "tool_call_response", "id": id, "response": output}]}),
        );
    }
    spans.push(chat(own("end", (30, 31)), json!(list), json!([says("assistant", "The stub has to be up.")])));
    spans
}

#[test]
fn a_repair_is_learnt_however_calls_are_named() {
    let own = |number| format!("call_{number}");
    let of_items = |number| format!("fc_call_{number}");
    // As some servers of models do.
    let one = |_| "call_0".to_owned();
    let ways: [(Name, Name); 3] = [(own, own), (own, of_items), (one, one)];
    for (way, (made, kept)) in ways.into_iter().enumerate() {
        let spans: Vec<Span> =
            (0..).zip(PEOPLE).flat_map(|(day, person)| by_framework(person, day, made, kept)).collect();
        let mined = mined(events(map(&spans)));
        assert_eq!(repairs(&mined, "stub"), 1, "way {way}: {:#?}", mined.explain());
    }
}

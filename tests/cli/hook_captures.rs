//! What the hooks of real assistants gave, posted to the door one after the other, into a fresh folder
//! each, against what happened.
//!
//! The recorded sessions did the same: a prompt, a command that works, a file that is read, a command
//! that fails, an answer. Copilot's hooks carry no answer, and Cline's no prompt when no editor runs them.

use std::fs;

use serde_json::Value;

use crate::captures::{facts, text};
use crate::support::{Site, fixtures};

const PROMPT: &str = "Run a quick check of the workspace";
const ANSWER: &str = "All done: the tool said hello-from-tool and one command failed.";

/// What is recorded of an assistant, and what happened in it.
struct Recorded {
    assistant: &'static str,
    folder: &'static str,
    prompts: &'static [&'static str],
    tools: [&'static str; 3],
    responses: &'static [&'static str],
    ended: usize,
}

const RECORDED: &[Recorded] = &[
    Recorded {
        assistant: "hermes",
        folder: "hermes-hooks",
        prompts: &[PROMPT],
        tools: ["terminal", "read_file", "terminal"],
        responses: &[ANSWER],
        ended: 1,
    },
    Recorded {
        assistant: "copilot",
        folder: "copilot-hooks",
        prompts: &[PROMPT],
        tools: ["bash", "view", "bash"],
        responses: &[],
        ended: 1,
    },
    Recorded {
        assistant: "cline",
        folder: "cline-hooks",
        prompts: &[],
        tools: ["run_commands", "read_files", "run_commands"],
        responses: &[ANSWER],
        ended: 0,
    },
    Recorded {
        assistant: "pi",
        folder: "pi-extension",
        prompts: &[PROMPT],
        tools: ["bash", "read", "bash"],
        responses: &[ANSWER],
        ended: 1,
    },
];

/// The objects of a recorded session, in order.
fn objects(folder: &str) -> Vec<String> {
    let listing = fs::read_dir(fixtures().join("captures").join(folder)).unwrap();
    let mut files: Vec<_> = listing.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let objects = files.iter().flat_map(|file| {
        let text = fs::read_to_string(file).unwrap();
        let is_lines = file.extension().unwrap() == "jsonl";
        if is_lines { text.lines().map(str::to_owned).collect() } else { vec![text] }
    });
    objects.collect()
}

fn assert_true(recorded: &Recorded, session: &Value) {
    let texts = |kind| facts(session, kind).into_iter().map(|fact| text(fact, "text")).collect::<Vec<_>>();
    let folder = recorded.folder;
    assert_eq!(texts("prompt"), recorded.prompts, "{folder}");
    assert_eq!(texts("response").last(), recorded.responses.last(), "{folder}");
    assert_eq!(facts(session, "session_start").len(), 1, "{folder}");
    assert_eq!(facts(session, "session_end").len(), recorded.ended, "{folder}");
    let expected = [
        ("echo hello-from-tool; pwd", "ok", "hello-from-tool"),
        ("/srv/assist2/ws/README.md", "ok", "# test workspace"),
        ("ls /no/such/dir", "error", "No such file or directory"),
    ];
    let calls = facts(session, "tool_call");
    assert_eq!(calls.iter().map(|call| text(call, "tool")).collect::<Vec<_>>(), recorded.tools, "{folder}");
    for (call, (input, status, output)) in calls.into_iter().zip(expected) {
        let results = facts(session, "tool_result").into_iter();
        let of_call: Vec<&Value> =
            results.filter(|result| result["tool_call_id"] == call["tool_call_id"]).collect();
        assert_eq!(of_call.len(), 1, "{folder}: {call}");
        assert!(text(call, "input").contains(input), "{folder}: {call}");
        assert_eq!(text(of_call[0], "status"), status, "{folder}: {call}");
        assert!(text(of_call[0], "output").contains(output), "{folder}: {:?}", of_call[0]);
    }
}

#[test]
fn recorded_hooks_become_true_sessions() {
    for recorded in RECORDED {
        let site = Site::new("default");
        let running = site.start();
        let path = format!("/v1/hooks/{}", recorded.assistant);
        for object in objects(recorded.folder) {
            assert_eq!(site.post(&path, "application/json", object.into_bytes()), 200, "{}", recorded.folder);
        }
        // What the service holds is written when it ends.
        assert_eq!(running.terminate(), Some(0));
        let sessions = site.sessions();
        assert_eq!(sessions.len(), 1, "{}: {sessions:?}", recorded.folder);
        assert_true(recorded, &site.session(text(&sessions[0], "id")));
    }
}

/// The same objects as `skillspan hook` sends them: one a line, in one request.
#[test]
fn recorded_hooks_that_come_together_become_true_sessions() {
    let recorded = &RECORDED[0];
    let site = Site::new("default");
    let running = site.start();
    let compact = |object: String| serde_json::from_str::<Value>(&object).unwrap().to_string() + "\n";
    let lines: String = objects(recorded.folder).into_iter().map(compact).collect();
    let path = format!("/v1/hooks/{}", recorded.assistant);
    // Once more, as a sender does that was killed before it knew: no fact is there twice.
    for _ in 0..2 {
        let answer = site.post(&path, "application/x-ndjson", lines.clone().into_bytes());
        assert_eq!(answer, 200);
    }
    assert_eq!(running.terminate(), Some(0));
    let sessions = site.sessions();
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    let counts = ["prompt", "tool_call", "tool_result"].map(|kind| sessions[0]["events"][kind].clone());
    assert_eq!(counts, [1, 3, 3], "{sessions:?}");
}

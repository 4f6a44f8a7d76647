//! What the assistants' recorded sessions show besides the truth that is written down for them.

use skillspan::dialects::Reason;
use skillspan::event::{Decision, Kind, SessionEvent, Status};

use crate::captures::replay;
use crate::sessions::{calls_of_sub_agents, facts, of_kind, sessions, turns};
use crate::truth::RECORDED;

const WITHHELD: &[&str] = &["claude-code/s11-defaults-redacted-httppb", "codex/s09-defaults-redacted-httppb"];
const OTHERS: &[&str] =
    &["gemini-cli/s09-subagent-http", "qwen", "copilot", "openclaw", "openclaw-driven-content1"];

fn events(folder: &str) -> Vec<SessionEvent> {
    replay(folder).events
}

/// Tool and status of each call of a session's turns.
fn calls(facts: &[SessionEvent]) -> Vec<(String, String)> {
    let turns = turns(facts).into_iter();
    turns.flat_map(|turn| turn.calls).map(|call| (call.tool, call.status)).collect()
}

fn strings(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn nothing_that_an_assistant_sends_is_unknown() {
    for folder in RECORDED.iter().chain(WITHHELD).chain(OTHERS) {
        let replay = replay(folder);
        assert_eq!(replay.unrecognised, 0, "{folder}");
        let known = |reason: &Reason| matches!(reason, Reason::Noise | Reason::Duplicate);
        assert!(replay.dropped.iter().all(known), "{folder}: {:?}", replay.dropped);
    }
}

#[test]
fn the_internals_of_codex_are_noise_and_counted() {
    let replay = replay("codex/s01-dbup-agent-httppb");
    let noise = replay.dropped.iter().filter(|reason| **reason == Reason::Noise).count();
    assert!(noise > 700, "{noise}");
    assert!(replay.events.len() < 40, "{}", replay.events.len());
}

#[test]
fn withheld_content_is_absent_but_calls_and_their_status_are_known() {
    let facts = facts(&events("codex/s09-defaults-redacted-httppb"));
    assert!(facts.iter().all(|fact| !format!("{fact:?}").contains("REDACTED")));
    assert_eq!(
        of_kind(&facts, Kind::Prompt).iter().map(|prompt| prompt.text.as_str()).collect::<Vec<_>>(),
        [""]
    );
    let ok = ("exec_command", "ok");
    assert_eq!(calls(&facts), strings(&[("exec_command", "error"), ok, ok, ok]));
}

#[test]
fn codex_says_where_with_what_and_for_how_many_tokens() {
    let facts = facts(&events("codex/s01-dbup-agent-httppb"));
    let starts = of_kind(&facts, Kind::SessionStart);
    assert_eq!(starts.len(), 1);
    assert_eq!(starts[0].cwd, "/srv/assist1/work/shop-api");
    let responses = of_kind(&facts, Kind::Response);
    assert_eq!(responses.len(), 1);
    assert_eq!((responses[0].input_tokens, responses[0].output_tokens), (7500, 320));
    for fact in &facts {
        assert_eq!((fact.assistant.as_str(), fact.assistant_version.as_str()), ("codex", "0.169.0"));
        assert_eq!(fact.model, "gpt-5.4", "{fact:?}");
    }
}

#[test]
fn codex_tells_an_approval_of_its_own_from_a_refusal() {
    let approved = facts(&events("codex/s01-dbup-agent-httppb"));
    for decision in of_kind(&approved, Kind::Decision) {
        assert_eq!((decision.decision, decision.decision_source.as_str()), (Decision::Accept, "Config"));
    }
    assert_eq!(of_kind(&approved, Kind::Decision).len(), 4);
    let refused = facts(&events("codex/s05-denied-readonly-httpjson"));
    let decisions = of_kind(&refused, Kind::Decision);
    assert_eq!(decisions.len(), 1);
    assert_eq!((decisions[0].decision, decisions[0].decision_source.as_str()), (Decision::Reject, "Config"));
    assert_eq!(of_kind(&refused, Kind::ToolResult).len(), 0);
}

#[test]
fn a_resumed_session_starts_once() {
    for folder in
        ["codex/s02-dbup-user-corrects-resume-grpc", "gemini-cli/s02-dbup-user-corrects-resume-http"]
    {
        assert_eq!(of_kind(&facts(&events(folder)), Kind::SessionStart).len(), 1, "{folder}");
    }
}

#[test]
fn gemini_says_where_and_its_calls_know_their_decisions() {
    let facts = facts(&events("gemini-cli/s07-release-shop-grpc"));
    assert_eq!(of_kind(&facts, Kind::SessionStart)[0].cwd, "/srv/assist1/work/shop-api");
    let decisions = of_kind(&facts, Kind::Decision);
    assert_eq!(decisions.len(), 6, "two of them on one span");
    for decision in decisions {
        // Nobody was asked, whatever the word: the session was not interactive.
        assert_eq!(
            (decision.decision, decision.decision_source.as_str()),
            (Decision::Accept, "non_interactive")
        );
        assert!(
            of_kind(&facts, Kind::ToolCall).iter().any(|call| call.tool_call_id == decision.tool_call_id)
        );
    }
    let responses = of_kind(&facts, Kind::Response);
    assert!(
        responses.iter().all(|response| response.output_tokens == 64 && response.model == "gemini-2.5-pro")
    );
}

#[test]
fn a_sub_agent_of_gemini_is_not_the_main_agent() {
    let facts = facts(&events("gemini-cli/s09-subagent-http"));
    let turns = turns(&facts);
    assert_eq!(turns.len(), 1);
    assert_eq!(turns[0].prompt, "Use a sub-agent to find where totals are computed");
    assert_eq!(calls(&facts), strings(&[("invoke_agent", "ok")]));
    assert_eq!(turns[0].response, "Totals are computed in src/app.py by `total(items)`.");
    let by_sub_agent = calls_of_sub_agents(&facts);
    assert_eq!(by_sub_agent.len(), 1);
    assert_eq!(by_sub_agent[0].agent, "58d37bcf-a149-4519-b9f0-1bee0f03312c");
    let tasks: Vec<_> =
        of_kind(&facts, Kind::Prompt).into_iter().filter(|prompt| !prompt.agent.is_empty()).collect();
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].text, "SUBAGENT[explore] Find where totals are computed in src/.");
}

#[test]
fn qwen_is_one_session_with_outputs_decisions_and_an_end() {
    let facts = facts(&events("qwen"));
    let turns = turns(&facts);
    assert_eq!(turns.len(), 1);
    assert_eq!(turns[0].prompt, "Run a quick check of the workspace");
    assert_eq!(turns[0].response, "All done: the tool said hello-from-tool and one command failed.");
    let ran = ("run_shell_command", "ok");
    assert_eq!(calls(&facts), strings(&[ran, ("read_file", "ok"), ("run_shell_command", "error")]));
    assert_eq!(turns[0].calls[1].output, "# test workspace\n");
    assert!(turns[0].calls[2].output.contains("No such file or directory"), "{:?}", turns[0].calls[2]);
    for decision in of_kind(&facts, Kind::Decision) {
        assert_eq!(decision.decision_source, "auto_accept");
    }
    let starts = of_kind(&facts, Kind::SessionStart);
    assert_eq!((starts.len(), starts[0].cwd.as_str()), (1, "/srv/assist2/ws"));
    assert_eq!(of_kind(&facts, Kind::SessionEnd).len(), 1);
    let responses = of_kind(&facts, Kind::Response);
    assert_eq!(responses.len(), 1, "a log record and a span state it");
    assert_eq!(responses[0].input_tokens, 123);
}

#[test]
fn copilots_prompt_is_bare_and_its_refusal_no_result() {
    let facts = facts(&events("copilot"));
    let turns = turns(&facts);
    assert_eq!(turns.len(), 1, "an agent and its first model call state the prompt");
    assert_eq!(turns[0].prompt, "Run a quick check of the workspace");
    assert_eq!(turns[0].response, "All done: the tool said hello-from-tool and one command failed.");
    assert_eq!(calls(&facts), strings(&[("bash", "ok"), ("view", "ok"), ("bash", "rejected")]));
    let decisions = of_kind(&facts, Kind::Decision);
    assert_eq!(decisions.len(), 1, "the span of the call and its child state it");
    assert_eq!(decisions[0].decision_source, "denied-no-approval-rule-and-could-not-request-from-user");
    assert_eq!(of_kind(&facts, Kind::Error).len(), 0, "a refusal is no error");
}

#[test]
fn a_run_of_openclaw_is_a_session_by_its_trace() {
    let events = events("openclaw-driven-content1");
    let sessions = sessions(&events);
    assert_eq!(sessions.len(), 1, "{:?}", sessions.keys());
    let (id, facts) = sessions.first_key_value().unwrap();
    assert!(id.starts_with("trace:"), "{id}");
    assert_eq!(turns(facts)[0].prompt, "Run a quick check of the workspace");
    assert_eq!(calls(facts), strings(&[("exec", "ok"), ("exec", "error"), ("write", "rejected")]));
    assert_eq!(of_kind(facts, Kind::Decision)[0].decision_source, "tool-policy");
}

#[test]
fn a_run_of_openclaw_that_fails_is_a_prompt_and_an_error() {
    let runs = sessions(&events("openclaw"));
    for (id, facts) in &runs {
        assert_eq!(of_kind(facts, Kind::Prompt).len(), 1, "{id}");
        assert_eq!(of_kind(facts, Kind::Error).len(), 1, "{id}");
        assert!(facts.iter().all(|fact| fact.status == Status::Unknown));
    }
    assert!(!runs.is_empty());
}

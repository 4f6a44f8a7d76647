//! Agents that are tools of other agents.

use serde_json::json;
use skillspan::event::Kind;

use crate::sessions::{calls_of_sub_agents, facts, of_kind, turns};
use crate::spans::{agent, calls, chat, events, map, says, span, tool};

#[test]
fn a_sub_agent_that_is_asked_the_same_starts_no_turn() {
    let ask = || json!([says("user", "find the bug")]);
    let delegates = json!([{"role": "assistant", "parts": [calls("c1", "research", json!({"q": "bug"}))]}]);
    let spans = [
        agent(span("t", "main", "", (0, 20)), "find the bug", "It is in a.rs."),
        chat(span("t", "chat1", "main", (1, 2)), ask(), delegates),
        tool(span("t", "research", "main", (3, 10)), "research", "c1", json!({"q": "bug"}), "a.rs"),
        agent(span("t", "sub", "research", (4, 9)), "find the bug", "a.rs"),
        chat(span("t", "chat2", "sub", (5, 6)), ask(), json!([says("assistant", "a.rs")])),
        tool(span("t", "grep", "sub", (7, 8)), "grep", "c2", json!({"for": "bug"}), "a.rs:1"),
        chat(
            span("t", "chat3", "main", (11, 12)),
            json!([says("user", "find the bug"), {"role": "assistant", "parts": [calls("c1", "research", json!({"q": "bug"}))]},
                   {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "a.rs"}]}]),
            json!([says("assistant", "It is in a.rs.")]),
        ),
    ];
    let facts = facts(&events(map(&spans)));
    let turns = turns(&facts);
    assert_eq!(turns.len(), 1);
    assert_eq!((turns[0].prompt.as_str(), turns[0].response.as_str()), ("find the bug", "It is in a.rs."));
    assert_eq!(turns[0].calls.iter().map(|call| call.tool.as_str()).collect::<Vec<_>>(), ["research"]);
    let task: Vec<_> =
        of_kind(&facts, Kind::Prompt).into_iter().filter(|prompt| !prompt.agent.is_empty()).collect();
    assert_eq!((task.len(), task[0].agent.as_str()), (1, "research"));
}

#[test]
fn agents_within_agents_are_each_told_by_the_tool_that_runs_them() {
    let ask = |text: &str| json!([says("user", text)]);
    let delegates =
        |id: &str, name: &str| json!([{"role": "assistant", "parts": [calls(id, name, json!({}))]}]);
    let mut spans = vec![
        agent(span("t", "main", "", (0, 40)), "ship it", "Shipped."),
        chat(span("t", "chat1", "main", (1, 2)), ask("ship it"), delegates("c1", "release")),
        tool(span("t", "release", "main", (3, 30)), "release", "c1", json!({}), "done"),
        agent(span("t", "sub", "release", (4, 29)), "release it", "done"),
        chat(span("t", "chat2", "sub", (5, 6)), ask("release it"), delegates("c2", "check")),
        tool(span("t", "check", "sub", (7, 20)), "check", "c2", json!({}), "green"),
        agent(span("t", "subsub", "check", (8, 19)), "run the tests", "green"),
        chat(span("t", "chat3", "subsub", (9, 10)), ask("run the tests"), delegates("c3", "shell")),
        tool(span("t", "shell", "subsub", (11, 12)), "shell", "c3", json!({"cmd": "make"}), "ok"),
        tool(span("t", "tag", "sub", (22, 23)), "shell", "c4", json!({"cmd": "git tag"}), "ok"),
    ];
    for _ in 0..2 {
        let facts = facts(&events(map(&spans)));
        let turns = turns(&facts);
        assert_eq!(turns.len(), 1);
        assert_eq!((turns[0].prompt.as_str(), turns[0].response.as_str()), ("ship it", "Shipped."));
        assert_eq!(turns[0].calls.iter().map(|call| call.tool.as_str()).collect::<Vec<_>>(), ["release"]);
        let below: Vec<_> = calls_of_sub_agents(&facts);
        let below: Vec<_> = below.iter().map(|call| (call.agent.as_str(), call.tool.as_str())).collect();
        assert_eq!(below, [("release", "check"), ("check", "shell"), ("release", "shell")]);
        let asked = of_kind(&facts, Kind::Prompt);
        let asked: Vec<_> =
            asked.iter().map(|prompt| (prompt.agent.as_str(), prompt.text.as_str())).collect();
        assert_eq!(asked, [("", "ship it"), ("release", "release it"), ("check", "run the tests")]);
        spans.reverse();
    }
}

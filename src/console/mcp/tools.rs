//! What can be asked, as assistants are told it.

use serde_json::{Value, json};

use crate::skillify::MCP_TOOLS;

/// The tool that shows whole sessions, where that is wanted.
pub(super) const READ_SESSION: &str = "read_session";

/// Whether there is a tool of that name, wanted or not.
pub(super) fn is_known(name: &str) -> bool {
    MCP_TOOLS.contains(&name)
}

/// The tools, in the order of their names in [`MCP_TOOLS`].
pub(crate) fn list(reads_sessions: bool) -> Vec<Value> {
    let named = MCP_TOOLS.into_iter().filter(|name| reads_sessions || *name != READ_SESSION);
    named.map(described).collect()
}

fn described(name: &str) -> Value {
    let (title, says, properties, required): (&str, &str, Value, &[&str]) = match name {
        "search_skills" => (
            "Search skills",
            "Find skills that the team has learned from its sessions of coding agents. Ask it before a task that \
             others may have done: running tests, a build, a release, a failure that you do not understand. With no \
             words it lists all skills.",
            json!({
                "words": text("Words of the task or the error, such as `integration tests fail`"),
                "limit": { "type": "integer", "minimum": 1, "maximum": 50, "description": "At most so many; 20 if absent" },
            }),
            &[],
        ),
        "read_skill" => (
            "Read a skill",
            "The whole SKILL.md of one skill that search_skills named.",
            json!({ "name": text("The skill's name"), "tenant": tenant() }),
            &["name"],
        ),
        "skill_evidence" => (
            "Evidence of a skill",
            "What each line of a skill rests on: what was counted, in how many sessions, how they ended, and what \
             later sessions showed. Ask it before you rely on a line that costs much if it is wrong.",
            json!({ "name": text("The skill's name"), "tenant": tenant() }),
            &["name"],
        ),
        "search_sessions" => (
            "Search sessions",
            "Find earlier sessions of coding agents, the newest first: what was asked, where, by which assistant, \
             and what went wrong. 50 at a time.",
            json!({
                "words": text("Words that all stand in what people asked"),
                "workspace": text("Only of this workspace"),
                "project": text("Only of this repository, or the end of its name"),
                "assistant": text("Only of this assistant, such as claude-code"),
                "outcome": {
                    "type": "string",
                    "enum": ["failed", "corrected", "refused", "stopped", "errors"],
                    "description": "Only sessions in which such a thing happened",
                },
                "from": text("Sessions that began on this UTC date or later, such as 2026-11-22"),
                "until": text("Sessions that began on this UTC date or earlier"),
                "after": text("Where the list before ended: its `next`"),
            }),
            &[],
        ),
        READ_SESSION => (
            "Read a session",
            "One earlier session as it went: prompts, calls, how they ended, answers. Long ones come in pieces.",
            json!({
                "id": text("The session's id, as search_sessions gives it"),
                "tenant": tenant(),
                "part": { "type": "integer", "minimum": 1, "maximum": 10_000, "description": "Which part; 1 if absent" },
                "from": { "type": "integer", "minimum": 0, "maximum": 10_000, "description": "Leave out so many items of the part" },
            }),
            &["id"],
        ),
        _ => (
            "Report",
            "What the sessions of the last 30 days cost, and why: calls that fail, corrections, what skills save. \
             Made anew by the console, so the first answer may take a while.",
            json!({}),
            &[],
        ),
    };
    json!({
        "name": name,
        "title": title,
        "description": says,
        "inputSchema": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        },
        "annotations": {
            "readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": false,
        },
    })
}

fn text(says: &str) -> Value {
    json!({ "type": "string", "description": says })
}

fn tenant() -> Value {
    text("Whose, where several tenants have one of that name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_is_described_and_whole_sessions_only_where_wanted() {
        let names = |tools: Vec<Value>| -> Vec<String> {
            tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(list(true)), MCP_TOOLS);
        assert!(!names(list(false)).contains(&READ_SESSION.to_owned()));
        let titles: std::collections::BTreeSet<String> =
            list(true).iter().map(|tool| tool["title"].to_string()).collect();
        assert_eq!(titles.len(), MCP_TOOLS.len(), "two tools are described alike");
    }
}

//! What showed an assistant the lessons of the library, beside skills that it loads: answers of `skillspan mcp`.
//!
//! An assistant that read a lesson may do what it says. So, as with a loaded skill, its session supports no claim and counts
//! for the effect of the skill. The session's own calls show it: the server does not know which session asks.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::event::{Decision, Kind, SessionEvent, Status};
use crate::table::Session;

/// The server's name in assistants' settings.
pub const SERVER: &str = "skillspan";
/// Its tools; every answer of theirs tells of sessions.
pub const TOOLS: [&str; 6] =
    ["search_skills", "read_skill", "skill_evidence", "search_sessions", "read_session", "report"];
/// Those that show one skill, and the argument that names it.
const OF_ONE_SKILL: [&str; 2] = ["read_skill", "skill_evidence"];
const NAME: &str = "name";

/// What clients put between the names of a server and its tool.
const BETWEEN: [char; 6] = ['_', '-', '.', '/', ':', ' '];

/// Whether a call of this tool was answered by our server: `mcp__skillspan__read_skill`, `skillspan.read_skill`.
pub(super) fn is_ours(tool: &str) -> bool {
    tool_of(tool).is_some()
}

fn tool_of(name: &str) -> Option<&'static str> {
    let is_server = |before: &str| {
        let server = before.trim_end_matches(BETWEEN);
        server.len() < before.len()
            && server.strip_suffix(SERVER).is_some_and(|rest| rest.is_empty() || rest.ends_with(BETWEEN))
    };
    TOOLS.into_iter().find(|tool| name.strip_suffix(tool).is_some_and(is_server))
}

/// The skills that the server showed a session, with the call of each. Failed and refused calls showed nothing.
pub(in crate::skillify) fn shown(session: &Session) -> impl Iterator<Item = (String, &SessionEvent)> {
    let events = || session.facts.iter().map(|fact| &fact.event);
    let showed_nothing = |event: &&SessionEvent| match event.kind {
        Kind::ToolResult => event.status == Status::Error,
        Kind::Decision => event.decision == Decision::Reject,
        _ => false,
    };
    let failed: BTreeSet<&str> =
        events().filter(showed_nothing).map(|event| event.tool_call_id.as_str()).collect();
    let calls = events().filter(|event| event.kind == Kind::ToolCall);
    calls
        .filter(move |event| event.tool_call_id.is_empty() || !failed.contains(event.tool_call_id.as_str()))
        .filter_map(|event| Some((skill_of(event)?, event)))
}

fn skill_of(event: &SessionEvent) -> Option<String> {
    tool_of(&event.tool).filter(|tool| OF_ONE_SKILL.contains(tool))?;
    let input: Value = serde_json::from_str(&event.input).ok()?;
    Some(input.get(NAME)?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_tools_are_known_however_clients_write_them() {
        for tool in [
            "mcp__skillspan__read_skill",
            "mcp_skillspan_read_skill",
            "skillspan_read_skill",
            "skillspan__search_sessions",
            "skillspan.report",
            "mcp__plugin_team_skillspan__skill_evidence",
        ] {
            assert!(is_ours(tool), "{tool}");
        }
        for tool in [
            "read_skill",
            "report",
            "skillspan",
            "mcp__other__read_skill",
            "myskillspan_report",
            "skillspanreport",
        ] {
            assert!(!is_ours(tool), "{tool}");
        }
    }
}

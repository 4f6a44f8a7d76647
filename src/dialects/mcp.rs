//! The names of tools of the Model Context Protocol: `mcp__server__tool`, as models are told them, in every client
//! that says which server and which tool it was.

use serde_json::{Map, Value};

const PREFIX: &str = "mcp__";

/// The tool names that clients send in place of the real name of an MCP tool.
const PLACEHOLDERS: &[&str] = &["mcp_tool", "mcp"];
/// Tools that call them, with the names and the arguments in their own.
const CALLERS: &[&str] = &["use_mcp_tool", "call_mcp_tool", "mcp_call_tool"];

/// The fields of the server's and the tool's name.
const SERVER: &[&str] = &["mcp_server_name", "server_name", "serverName", "server"];
const TOOL: &[&str] = &["mcp_tool_name", "tool_name", "toolName", "tool", "name"];
const ARGUMENTS: &[&str] = &["arguments", "args", "input", "parameters"];

/// The name of a server's tool, which may have its server in front already.
pub(super) fn name(server: &str, tool: &str) -> String {
    if server.is_empty() || tool.starts_with(PREFIX) {
        return tool.to_owned();
    }
    let with_prefix = || tool.strip_prefix("mcp_")?.strip_prefix(server)?.strip_prefix('_');
    let bare = tool.strip_prefix(server).and_then(|rest| rest.strip_prefix("__")).or_else(with_prefix);
    format!("{PREFIX}{server}__{}", bare.unwrap_or(tool))
}

/// Whether a tool name is a placeholder for the name of an MCP tool.
pub(super) fn is_placeholder(tool: &str) -> bool {
    PLACEHOLDERS.contains(&tool)
}

/// The name that parameters give.
pub(super) fn named_in(parameters: &Map<String, Value>) -> Option<String> {
    let text = |names: &[&str]| names.iter().find_map(|name| parameters.get(*name)?.as_str());
    Some(name(text(SERVER)?, text(TOOL)?))
}

/// Whether a parameter names the server or the tool, and is no argument of the tool.
pub(super) fn is_name(parameter: &str) -> bool {
    ["mcp_server_name", "mcp_tool_name", "mcp_server_scope"].contains(&parameter)
}

/// Name and arguments of what a tool calls that calls other tools; `None` for any other tool.
pub(super) fn called(tool: &str, input: &str) -> Option<(String, String)> {
    if !CALLERS.contains(&tool) {
        return None;
    }
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(input) else { return None };
    let name = named_in(&fields)?;
    let arguments = ARGUMENTS.iter().find_map(|name| fields.get(*name));
    let arguments = match arguments {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(arguments) => arguments.to_string(),
    };
    Some((name, arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_has_its_servers_name_once() {
        assert_eq!(name("ledger", "search"), "mcp__ledger__search");
        assert_eq!(name("ledger", "mcp__ledger__search"), "mcp__ledger__search");
        assert_eq!(name("ledger", "mcp_ledger_search"), "mcp__ledger__search");
        assert_eq!(name("ledger", "ledger__search"), "mcp__ledger__search");
        assert_eq!(name("", "search"), "search");
    }

    #[test]
    fn a_tool_that_calls_another_is_the_other() {
        let input = r#"{"server_name":"ledger","tool_name":"search","arguments":"{\"q\":1}"}"#;
        assert_eq!(
            called("use_mcp_tool", input),
            Some(("mcp__ledger__search".to_owned(), r#"{"q":1}"#.to_owned()))
        );
        assert_eq!(called("Bash", input), None);
        assert_eq!(called("use_mcp_tool", "{}"), None);
    }
}

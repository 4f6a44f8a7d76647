//! The commands that assistants are told to run.

use serde_json::Value;

/// The words of the command that answers an assistant, but for where it asks.
pub(super) const MCP: [&str; 2] = ["skillspan", "mcp"];

/// How the command begins that looks for new skills.
const UPDATE: &str = "skillspan skills update";

/// How every command of hooks begins.
pub(super) const HOOK: &str = "skillspan hook";

/// Whether two elements of a list both run our command, whatever the address.
pub(super) fn is_same_command(a: &Value, b: &Value) -> bool {
    fn found(value: &Value) -> Option<&str> {
        match value {
            Value::String(text) if text.contains(UPDATE) => Some(UPDATE),
            Value::String(text) => {
                let (_, rest) = text.split_once(HOOK)?;
                rest.split_whitespace().next()
            }
            Value::Array(items) => items.iter().find_map(found),
            Value::Object(fields) => fields.values().find_map(found),
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }
    found(a).is_some() && found(a) == found(b)
}

//! Several spans of one execution.
//!
//! - The agent's own span reports a call of an MCP tool, and so do the spans of the protocol's client and server,
//!   below it or beside it.
//! - Two instrumentations may each make a span for one call, one below the other, with the same input.
//! - A call may be executed again under its id, after a person allowed it or after an error. The last execution
//!   decides the result.

use std::collections::{BTreeMap, BTreeSet};

use super::trace::spans_of_tools;
use crate::event::{Kind, NESTED_CALL, SessionEvent, Timestamp};

/// A tool's span.
struct Execution {
    key: String,
    tool: String,
    input: String,
    from: Timestamp,
    until: Timestamp,
    parent: String,
}

/// Names of tools that call other tools, which their spans below name.
const CALLERS: &[&str] = &["call_tool", "use_mcp_tool", "mcp_tool", "mcp_call", "tools/call", "mcp"];

/// Gives the spans of one execution one key. Answers whether inputs were compared.
pub(super) fn join(trace: &mut [&mut SessionEvent]) -> bool {
    let executions = executions(trace);
    if executions.len() < 2 {
        return false;
    }
    let mut compared = false;
    let mut keys: BTreeMap<String, String> = BTreeMap::new();
    for (span, own) in &executions {
        let is_nested = own.key.starts_with(NESTED_CALL);
        // A span of another instrumentation knows no id of the call.
        if !is_nested && own.key != *span {
            continue;
        }
        let above = above(span, &executions).filter(|(_, other)| is_same_tool(own, other));
        let above = above.filter(|(_, other)| {
            compared |= !is_nested;
            is_nested || own.input == other.input && !own.input.is_empty()
        });
        let beside = || beside(span, own, &executions).filter(|_| is_nested);
        if let Some((_, other)) = above.or_else(beside) {
            keys.insert(own.key.clone(), other.key.clone());
        }
    }
    for event in trace.iter_mut().filter(|event| is_of_call(event)) {
        let mut seen = BTreeSet::new();
        while let Some(key) = keys.get(&event.fact_key).filter(|key| seen.insert((*key).clone())) {
            event.fact_key.clone_from(key);
            event.tool_call_id.clone_from(key);
            // It repeats what the span above says.
            event.rank = event.rank.min(1);
        }
    }
    compared
}

/// Of several executions under one id, that which began last knows best.
pub(super) fn prefer_last(trace: &mut [&mut SessionEvent]) {
    let executions = executions(trace);
    let mut last: BTreeMap<&str, (Timestamp, &str)> = BTreeMap::new();
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for (span, own) in &executions {
        if above(span, &executions).is_some_and(|(_, other)| other.key == own.key) {
            continue;
        }
        *times.entry(&own.key).or_default() += 1;
        let latest = last.entry(&own.key).or_insert((own.from, span));
        *latest = (own.from, span.as_str()).max(*latest);
    }
    let decisive: BTreeSet<String> = last
        .iter()
        .filter(|(key, _)| times.get(*key).is_some_and(|times| *times > 1))
        .map(|(_, (_, span))| (*span).to_owned())
        .collect();
    let is_decisive =
        |event: &&mut &mut SessionEvent| event.kind == Kind::ToolResult && decisive.contains(&event.span_id);
    trace.iter_mut().filter(is_decisive).for_each(|event| event.rank += 1);
}

fn is_of_call(event: &SessionEvent) -> bool {
    matches!(event.kind, Kind::ToolCall | Kind::ToolResult) && !event.fact_key.is_empty()
}

/// The spans of tools, by their ids.
fn executions(trace: &[&mut SessionEvent]) -> BTreeMap<String, Execution> {
    let spans = spans_of_tools(trace);
    let mut executions: BTreeMap<String, Execution> = BTreeMap::new();
    for event in trace.iter().filter(|event| is_of_call(event) && spans.contains(&event.span_id)) {
        let own = executions.entry(event.span_id.clone()).or_insert_with(|| Execution {
            key: event.fact_key.clone(),
            tool: event.tool.clone(),
            input: String::new(),
            from: event.timestamp,
            until: event.timestamp,
            parent: event.parent_span_id.clone(),
        });
        own.from = own.from.min(event.timestamp);
        own.until = own.until.max(event.timestamp);
        if event.kind == Kind::ToolCall {
            own.input.clone_from(&event.input);
        }
    }
    executions
}

/// The nearest tool's span above a span.
fn above<'e>(span: &str, executions: &'e BTreeMap<String, Execution>) -> Option<(&'e String, &'e Execution)> {
    let parent = &executions.get(span)?.parent;
    executions.get_key_value(parent).filter(|(id, _)| id.as_str() != span)
}

/// The agent's own span of the same call, which runs meanwhile under the same parent, or of which nothing else is
/// known; of several that with the same input.
fn beside<'e>(
    span: &str,
    own: &Execution,
    executions: &'e BTreeMap<String, Execution>,
) -> Option<(&'e String, &'e Execution)> {
    let is_other = |id: &str, other: &Execution| {
        id != span && !other.key.starts_with(NESTED_CALL) && is_same_tool(own, other)
    };
    let meets = |other: &Execution| own.from <= other.until && other.from <= own.until;
    let mut others: Vec<_> =
        executions.iter().filter(|(id, other)| is_other(id, other) && meets(other)).collect();
    others.sort_by_key(|(id, other)| (other.input != own.input, other.from, (*id).clone()));
    others.into_iter().next()
}

fn is_same_tool(own: &Execution, other: &Execution) -> bool {
    bare(&own.tool) == bare(&other.tool) || CALLERS.contains(&other.tool.as_str())
}

/// A tool's name without its server's.
pub(super) fn bare(tool: &str) -> &str {
    let bare = tool.rsplit("__").next().unwrap_or(tool);
    bare.rsplit(['.', '/', ':']).next().unwrap_or(bare)
}

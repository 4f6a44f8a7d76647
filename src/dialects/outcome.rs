//! What holds for the events of every dialect, once its mapping is done: who said a prompt, and what came of a
//! call.
//!
//! - A text in the user's role that no person wrote is no prompt ([`machine`]). Where it says that the person
//!   stopped the assistant it is a decision, and where it says how a command in the background ended it is that
//!   ending, for a reader to join ([`ENDING`]).
//! - A result that is the word of a person who did not allow the call is a refusal, with what the person said.
//! - A call whose command goes on has no status, and the exit code that a client writes around an output
//!   outweighs what it calls a success ([`status::of_call`]).

use super::mcp;
use crate::event::{Decision, ENDING, Kind, SessionEvent, Status};
use crate::shell::machine::{self, Ending, Heard};
use crate::shell::refusal::{Refusal, refusal};
use crate::shell::status;

/// The source of a decision by which a person stopped the assistant.
const ABORT: &str = "user_abort";
/// The source of a refusal that only a result tells.
const REJECT: &str = "user_reject";

/// What the events are as a whole.
pub(super) fn settled(mut events: Vec<SessionEvent>) -> Vec<SessionEvent> {
    name_called(&mut events);
    let mut settled = Vec::with_capacity(events.len());
    let mut rest = events.as_mut_slice();
    while let Some((first, behind)) = std::mem::take(&mut rest).split_first_mut() {
        let event = std::mem::take(first);
        rest = behind;
        match event.kind {
            Kind::Prompt => prompt(event, &mut settled),
            Kind::ToolResult => {
                let mut events = settled.iter().chain(rest.iter());
                let call = events.find(|call| call.kind == Kind::ToolCall && call.fact_key == event.fact_key);
                let result = result(event, call.map_or("", |call| call.input.as_str()));
                settled.push(result);
            }
            _ => settled.push(event),
        }
    }
    settled
}

/// Calls of tools that call others are calls of the others.
fn name_called(events: &mut [SessionEvent]) {
    let calls = events.iter().filter(|event| event.kind == Kind::ToolCall);
    let called: Vec<(String, (String, String))> = calls
        .filter_map(|call| Some((call.fact_key.clone(), mcp::called(&call.tool, &call.input)?)))
        .collect();
    for event in events.iter_mut() {
        let Some((_, (name, arguments))) = called.iter().find(|(key, _)| *key == event.fact_key) else {
            continue;
        };
        match event.kind {
            Kind::ToolCall => {
                event.tool.clone_from(name);
                event.input.clone_from(arguments);
            }
            Kind::ToolResult | Kind::Decision => event.tool.clone_from(name),
            _ => {}
        }
    }
}

fn prompt(event: SessionEvent, settled: &mut Vec<SessionEvent>) {
    match machine::hear(&event.text) {
        Heard::Words(words) if words == event.text => settled.push(event),
        Heard::Words(words) => settled.push(SessionEvent { text: words.into_owned(), ..event }),
        Heard::Interrupt => settled.push(SessionEvent {
            kind: Kind::Decision,
            decision: Decision::Reject,
            decision_source: ABORT.to_owned(),
            ..event
        }),
        Heard::Ended(endings) => settled.extend(endings.into_iter().map(|ending| ended(&event, ending))),
        Heard::Machine => {}
    }
}

/// The ending of a command that another call started.
fn ended(event: &SessionEvent, ending: Ending) -> SessionEvent {
    let Ending { call, task, status, said } = ending;
    SessionEvent {
        kind: Kind::ToolResult,
        rank: 0,
        fact_key: format!("{ENDING}{task}@{call}"),
        tool_call_id: call,
        text: String::new(),
        output: said,
        status,
        ..event.clone()
    }
}

fn result(event: SessionEvent, input: &str) -> SessionEvent {
    // Frameworks call whatever a tool returns a success.
    let may_be_refused = event.status != Status::Ok || event.assistant.is_empty();
    if let Some(Refusal { words }) = refusal(&event.output).filter(|_| may_be_refused) {
        let text = words.unwrap_or(&event.output).to_owned();
        return SessionEvent {
            kind: Kind::Decision,
            // A record of the decision itself knows who it was.
            rank: event.rank.saturating_sub(1),
            decision: Decision::Reject,
            decision_source: if refusal_is_abort(&event.output) { ABORT } else { REJECT }.to_owned(),
            text,
            output: String::new(),
            status: Status::Unknown,
            duration_us: 0,
            ..event
        };
    }
    SessionEvent { status: status::of_call(&event.tool, input, event.status, &event.output), ..event }
}

fn refusal_is_abort(output: &str) -> bool {
    output.contains("aborted by user")
        || output.contains("interrupted by user")
        || output.contains("turn_aborted")
}

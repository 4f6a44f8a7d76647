//! Commands that another call ends: a reader attaches their result to the call that started them.
//!
//! A command may keep running after its call (`Process running with session ID 501`, a shell in the background). Its
//! call has no status until the call or notification that ends the command arrives; then it has that status, and
//! everything the command printed. Only what the client says about the process counts. The success of a call that
//! checked on it says nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::Fact;
use crate::event::{ENDING, Kind, SessionEvent, Status};
use crate::shell::status::{
    background_id, ending, is_in_background, is_poll, is_still_running, joined, named_by, printed,
    runs_commands,
};

/// Whether an observation is no fact of its own, and only tells how a command ended.
pub(super) fn is_ending(event: &SessionEvent) -> bool {
    event.kind == Kind::ToolResult && event.fact_key.starts_with(ENDING)
}

/// A command that goes on.
struct Running {
    /// The place of its result among the facts.
    result: usize,
    /// What it printed so far.
    printed: String,
}

/// How a command ended that others look for by a name.
struct Ended<'a> {
    status: Status,
    output: &'a str,
    event_ids: &'a [String],
}

/// The commands of a session that others look for.
#[derive(Default)]
struct Commands {
    /// Those that go on, by name.
    running: BTreeMap<String, Running>,
    /// The names of those that ended.
    over: BTreeSet<String>,
    /// The places of the results of the calls that started them, by call.
    started: BTreeMap<String, usize>,
}

/// Gives the results of calls that only started their commands the ends of these. `facts` are in order of time;
/// `notified` are observations that are endings.
pub(super) fn settle(facts: &mut [Fact], notified: &[SessionEvent]) {
    let mut commands = Commands::default();
    for (at, calls) in results(facts) {
        commands.see(facts, at, &calls);
    }
    for event in notified {
        commands.hear(facts, event);
    }
}

impl Commands {
    /// A result, and the places of the calls that it may be of: it may start a command or look after one.
    fn see(&mut self, facts: &mut [Fact], at: usize, calls: &[usize]) {
        let Some(fact) = facts.get(at) else { return };
        let calls = || calls.iter().rev().filter_map(|call| facts.get(*call)).map(|call| &call.event);
        let output = &fact.event.output;
        let is_empty = self.running.is_empty() && self.over.is_empty();
        // Most calls are over with their results.
        let may_go_on = is_still_running(output) || calls().any(|call| is_in_background(&call.input));
        if is_empty && !may_go_on {
            return;
        }
        let (tool, input) = calls()
            .find(|call| may_matter(&call.tool, &call.input))
            .map_or(("", ""), |call| (&call.tool, &call.input));
        let tool = if tool.is_empty() { fact.event.tool.as_str() } else { tool };
        let names = if is_empty { Vec::new() } else { named_by(input) };
        let running = names.iter().find(|name| self.running.contains_key(*name));
        if let Some(name) = running.filter(|_| is_poll(tool) || ending(output).is_some()) {
            let poll = output.clone();
            if self.look_after(facts, name, &poll) {
                told_of(facts, at);
            }
            return;
        }
        // A later call that checks on a finished command gets the same answer again.
        if is_poll(tool) && names.iter().any(|name| self.over.contains(name)) {
            told_of(facts, at);
            return;
        }
        let goes_on = is_still_running(output) && runs_commands(tool, input);
        if goes_on || is_in_background(input) && ending(output).is_none() {
            self.start(facts, at, goes_on);
        }
    }

    /// A call that only started its command. `goes_on`: its result says so.
    fn start(&mut self, facts: &mut [Fact], at: usize, goes_on: bool) {
        let Some(Fact { event, .. }) = facts.get_mut(at) else { return };
        self.started.insert(event.tool_call_id.clone(), at);
        if let Some(name) = background_id(&event.output) {
            let printed = printed(&event.output).to_owned();
            self.running.insert(name.to_owned(), Running { result: at, printed });
        }
        // A start that failed has failed.
        if goes_on || event.status != Status::Error {
            event.status = Status::Unknown;
        }
    }

    /// A call that looks after a command: it goes on, or it ended. Answers whether it ended.
    fn look_after(&mut self, facts: &mut [Fact], name: &str, output: &str) -> bool {
        let Some(status) = ending(output) else {
            if is_still_running(output)
                && let Some(running) = self.running.get_mut(name)
            {
                running.printed = joined(&running.printed, printed(output)).into_owned();
            }
            return false;
        };
        if let Some(Running { result, printed }) = self.running.remove(name) {
            end(facts, result, &printed, &Ended { status, output, event_ids: &[] });
        }
        self.over.insert(name.to_owned());
        true
    }

    /// A notification of an end.
    fn hear(&self, facts: &mut [Fact], event: &SessionEvent) {
        let event_ids = std::slice::from_ref(&event.event_id);
        let ended = Ended { status: event.status, output: &event.output, event_ids };
        let named = event.fact_key.strip_prefix(ENDING).and_then(|name| name.rsplit_once('@'));
        let (task, call) = named.unwrap_or_default();
        let running = self.running.get(task).map(|running| (running.result, running.printed.clone()));
        let of_call = || {
            let started = self.started.get(call).copied();
            let at = started.or_else(|| facts.iter().position(|fact| is_result_of(fact, call)))?;
            Some((at, facts.get(at).map(|fact| printed(&fact.event.output).to_owned()).unwrap_or_default()))
        };
        if let Some((at, printed)) = running.or_else(of_call) {
            end(facts, at, &printed, &ended);
        }
    }
}

/// The places of results, each with the places of the calls that it may be of.
fn results(facts: &[Fact]) -> Vec<(usize, Vec<usize>)> {
    let mut calls: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let places = || facts.iter().map(|fact| &fact.event).enumerate();
    for (at, event) in places() {
        if event.kind == Kind::ToolCall && !event.tool_call_id.is_empty() {
            calls.entry(&event.tool_call_id).or_default().push(at);
        }
    }
    let results = places().filter(|(_, event)| event.kind == Kind::ToolResult);
    let of = |event: &SessionEvent| calls.get(event.tool_call_id.as_str()).cloned().unwrap_or_default();
    results.map(|(at, event)| (at, of(event))).collect()
}

fn may_matter(tool: &str, input: &str) -> bool {
    is_poll(tool) || is_in_background(input) || runs_commands(tool, input)
}

fn is_result_of(fact: &Fact, call: &str) -> bool {
    !call.is_empty() && fact.event.kind == Kind::ToolResult && fact.event.tool_call_id == call
}

/// A call that told how another one's command ended has worked, whatever that end was: the failure is the command's,
/// and is counted once.
fn told_of(facts: &mut [Fact], at: usize) {
    if let Some(poll) = facts.get_mut(at) {
        poll.event.status = Status::Ok;
    }
}

fn end(facts: &mut [Fact], at: usize, printed: &str, ended: &Ended<'_>) {
    let Some(fact) = facts.get_mut(at) else { return };
    fact.event.status = ended.status;
    fact.event.output = joined(printed, ended.output).into_owned();
    fact.event_ids.extend(ended.event_ids.iter().cloned());
    fact.event_ids.sort();
    fact.event_ids.dedup();
}

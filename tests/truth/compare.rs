//! What happened against what is read of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use skillspan::event::{Decision, Kind, SessionEvent, Status};
use skillspan::skillify::Digest;
use skillspan::table::{ResolveOptions, Session, resolve};

use crate::clients::{Client, Matter, Part, Tells};
use crate::story::{Call, End, Step, Story, What, Who, for_each_step};
use crate::wire::Arrival;

/// How the ids begin of sessions that sub-agents have for themselves.
pub(crate) const OF_AGENTS: &str = "sub-";

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) compared: usize,
    pub(crate) differences: Vec<String>,
}

impl Findings {
    fn check(&mut self, holds: bool, say: impl FnOnce() -> String) {
        self.compared += 1;
        if !holds {
            self.differences.push(say());
        }
    }
}

/// A call that was made.
struct Made<'s> {
    call: &'s Call,
    /// The call of the agent that made it; `None` is the main agent.
    by: Option<&'s Call>,
    prompt: &'s str,
    tool: String,
    input: Value,
}

/// A call that is read.
struct Read {
    agent: String,
    tool: String,
    input: Value,
    status: Status,
    refused: Option<String>,
    output: String,
    prompt: Option<String>,
    is_matched: bool,
}

/// Compares a story with what is read of it.
pub(crate) fn compare(
    client: &Client,
    story: &Story,
    arrival: Arrival,
    events: Vec<SessionEvent>,
) -> Findings {
    let mut sessions = resolve(events, &ResolveOptions { default_workspace: "default".to_owned() });
    let mut findings = Findings::default();
    // A fork is no second evidence: what was copied from the original is the original's alone.
    if let Some(original) = story.original().filter(|_| client.keeps_files()) {
        let agents: BTreeSet<String> =
            made(client, &original).iter().map(|of| format!("{OF_AGENTS}{}", of.call.id)).collect();
        let is_of_original = |session: &Session| session.id == original.id || agents.contains(&session.id);
        let (of_original, rest) = sessions.into_iter().partition(is_of_original);
        compare_one(client, &original, arrival, of_original, &mut findings);
        sessions = rest;
    }
    compare_one(client, story, arrival, sessions, &mut findings);
    findings
}

fn compare_one(
    client: &Client,
    story: &Story,
    arrival: Arrival,
    sessions: Vec<Session>,
    findings: &mut Findings,
) {
    let (of_agents, own): (Vec<Session>, Vec<Session>) =
        sessions.into_iter().partition(|session| session.id.starts_with(OF_AGENTS));
    let is_whole = arrival != Arrival::Lossy;
    check_sessions(client, story, is_whole, &own, findings);
    check_prompts(client, story, is_whole, &own, findings);
    check_calls(client, story, is_whole, &[own.as_slice(), &of_agents], findings);
    check_replies(client, story, is_whole, &own, findings);
    if is_whole {
        check_tokens(client, story, &[own.as_slice(), &of_agents], findings);
        check_digests(client, story, &[own.as_slice(), &of_agents], findings);
    }
}

fn facts(sessions: &[Session]) -> impl Iterator<Item = &SessionEvent> {
    sessions.iter().flat_map(|session| session.facts.iter().map(|fact| &fact.event))
}

fn check_sessions(client: &Client, story: &Story, is_whole: bool, own: &[Session], findings: &mut Findings) {
    let ids: Vec<&str> = own.iter().map(|session| session.id.as_str()).collect();
    match client.tells(Matter::Session) {
        // Where records got lost, those that name the session may be among them.
        Tells::All => findings
            .check(ids.iter().all(|id| *id == story.id || !is_whole && id.starts_with("trace:")), || {
                format!("sessions {ids:?}, not {}", story.id)
            }),
        Tells::Part(Part::Joined) if is_whole && story.turns.iter().all(|turn| !turn.compacted) => {
            findings.check(ids.len() == 1, || format!("{} sessions instead of one: {ids:?}", ids.len()));
        }
        _ => {}
    }
}

/// The main agent's texts of a kind, in order.
fn texts(own: &[Session], kind: Kind) -> Vec<&str> {
    let facts = facts(own).filter(|fact| fact.kind == kind && fact.agent.is_empty());
    facts.map(|fact| fact.text.as_str()).filter(|text| !text.is_empty()).collect()
}

/// Texts that were said against those that are read: the same, or where some got lost no others.
fn check_texts(what: &str, said: &[&str], read: &[&str], is_whole: bool, findings: &mut Findings) {
    if is_whole {
        findings.check(said == read, || format!("{what}: said {said:?}, read {read:?}"));
        return;
    }
    let mut left = said.to_vec();
    for text in read {
        let at = left.iter().position(|other| other == text);
        findings.check(at.is_some(), || format!("{what}: nobody said {text:?}, or not so often: {said:?}"));
        at.map(|at| left.remove(at));
    }
}

fn check_prompts(client: &Client, story: &Story, is_whole: bool, own: &[Session], findings: &mut Findings) {
    let mut said: Vec<&str> = story.own().iter().map(|turn| turn.prompt.as_str()).collect();
    if !is_whole && !client.names_agents() {
        said.extend(of_agents(story).0);
    }
    let read = texts(own, Kind::Prompt);
    match client.tells(Matter::Prompts) {
        Tells::All => check_texts("prompts", &said, &read, is_whole, findings),
        _ => findings.check(read.is_empty(), || format!("prompts that nobody tells: {read:?}")),
    }
}

fn check_replies(client: &Client, story: &Story, is_whole: bool, own: &[Session], findings: &mut Findings) {
    let read = texts(own, Kind::Response);
    let said: Vec<&str> = match client.tells(Matter::Replies) {
        Tells::All => {
            let steps = story.own().iter().flat_map(|turn| &turn.steps);
            steps.map(|step| step.words.as_str()).filter(|words| !words.is_empty()).collect()
        }
        Tells::Part(Part::Last) => {
            story.own().iter().filter_map(|turn| turn.answer()).map(|step| step.words.as_str()).collect()
        }
        _ => vec![],
    };
    let of_agents = if is_whole || client.names_agents() { vec![] } else { of_agents(story).1 };
    let said: Vec<&str> = said.into_iter().chain(of_agents).collect();
    check_texts("replies", &said, &read, is_whole, findings);
}

/// What sub-agents are asked, and what they say. Where the records are lost that tell whose words they are, nobody
/// can.
fn of_agents(story: &Story) -> (Vec<&str>, Vec<&str>) {
    let (mut tasks, mut words) = (vec![], vec![]);
    for turn in story.own() {
        for_each_step(&turn.steps, None, &mut |step, by| {
            tasks.extend(step.calls.iter().filter_map(Call::agent).map(|(_, task)| task));
            words.extend(by.map(|_| step.words.as_str()).filter(|words| !words.is_empty()));
        });
    }
    (tasks, words)
}

fn made<'s>(client: &Client, story: &'s Story) -> Vec<Made<'s>> {
    let mut all = vec![];
    for turn in story.own() {
        for_each_step(&turn.steps, None, &mut |step: &'s Step, by| {
            for call in &step.calls {
                let (tool, input) = (client.shape)(call);
                all.push(Made { call, by, prompt: &turn.prompt, tool, input });
            }
        });
    }
    all
}

fn read(sessions: &[Session]) -> Vec<Read> {
    let mut calls = vec![];
    for session in sessions {
        for turn in session.turns() {
            for fact in turn.facts.iter().map(|fact| &fact.event).filter(|fact| fact.kind == Kind::ToolCall) {
                let result = session.of_call(Kind::ToolResult, &fact.tool_call_id);
                let decision = session.of_call(Kind::Decision, &fact.tool_call_id);
                let refused = decision.filter(|decision| decision.decision == Decision::Reject);
                calls.push(Read {
                    agent: fact.agent.clone(),
                    tool: fact.tool.clone(),
                    input: serde_json::from_str(&fact.input).unwrap_or_else(|_| fact.input.clone().into()),
                    status: result.map(|result| session.status_of(result)).unwrap_or_default(),
                    refused: refused.map(|decision| decision.decision_source.clone()),
                    output: result.map(|result| result.output.clone()).unwrap_or_default(),
                    prompt: turn.prompt().map(|prompt| prompt.event.text.clone()),
                    is_matched: false,
                });
            }
        }
    }
    calls
}

/// How a call ended, as far as the client tells; `None` if it does not.
fn status_of(client: &Client, story: &Story, call: &Call) -> Option<Status> {
    match &call.end {
        End::Worked { .. } | End::Agent { .. } => Some(Status::Ok),
        End::Failed { .. } => Some(Status::Error),
        End::Refused { .. } => (client.tells(Matter::Refusals) != Tells::Nothing).then_some(Status::Unknown),
        // The failure of a command that went on is the command's.
        End::Seen { .. } => None,
        End::Handed { task, .. } => match (client.tells(Matter::Endings), story.end_of(task)) {
            (Tells::Nothing, _) => None,
            (Tells::Part(Part::Notified), Some(_)) if is_looked_after(story, task) => Some(Status::Unknown),
            (_, Some(ended)) if ended.code == 0 => Some(Status::Ok),
            (_, Some(_)) => Some(Status::Error),
            (_, None) => Some(Status::Unknown),
        },
    }
}

/// Whether a call saw the end of a task.
fn is_looked_after(story: &Story, task: &str) -> bool {
    let mut calls = story.turns.iter().flat_map(|turn| &turn.steps).flat_map(|step| &step.calls);
    calls.any(|call| matches!(&call.end, End::Seen { task: of, ended: true } if of == task))
}

fn check_calls(
    client: &Client,
    story: &Story,
    is_whole: bool,
    sessions: &[&[Session]; 2],
    findings: &mut Findings,
) {
    let [own, of_agents] = sessions;
    let mut calls = read(own);
    for session in *of_agents {
        let own = read(std::slice::from_ref(session)).into_iter();
        calls.extend(own.map(|call| Read { agent: format!("{}{}", session.id, call.agent), ..call }));
    }
    let all = made(client, story);
    let inputs = client.tells(Matter::Inputs);
    let mut agents: BTreeMap<&str, BTreeMap<String, usize>> = BTreeMap::new();
    let mut left: Vec<&Made<'_>> = all.iter().collect();
    // Where records got lost, what is surely one is taken out first.
    let rounds: &[bool] = if is_whole { &[false] } else { &[true, false] };
    for is_sure in rounds {
        left.retain(|of| {
            let fits = |read: &Read| {
                // Of a call that was not run, or whose result is lost, some arguments are known, or none.
                let has_part = inputs != Tells::All || of.call.is_refused() || !is_whole;
                let fits = inputs == Tells::Nothing
                    || read.input == of.input
                    || has_part && is_part(&read.input, &of.input);
                let is_it = is_whole || may_be(client, story, of, read, *is_sure);
                !read.is_matched && has_name(read, of, is_whole) && fits && is_it
            };
            let likeness = |read: &Read| likeness(client, story, of, read);
            let Some(best) = calls.iter_mut().filter(|read| fits(read)).max_by_key(|read| likeness(read))
            else {
                return true;
            };
            best.is_matched = true;
            findings.compared += 1;
            if is_whole {
                check_call(client, story, of, best, findings);
                let twins = all.iter().filter(|other| {
                    other.tool == of.tool && (inputs != Tells::All || other.input == of.input)
                });
                // Of equal calls nobody can tell which is whose.
                if let Some(by) = of.by.filter(|_| twins.count() == 1) {
                    *agents.entry(by.id.as_str()).or_default().entry(best.agent.clone()).or_default() += 1;
                }
            }
            false
        });
    }
    for of in left.iter().filter(|_| is_whole) {
        findings.check(false, || {
            format!("no call of {} with {} by {:?}", of.tool, of.input, of.by.map(|by| &by.id))
        });
    }
    let is_rough = !is_whole && client.tells(Matter::Losses) != Tells::All;
    let is_another = |call: &Read| {
        let is_mixed = !is_whole && client.tells(Matter::Losses) == Tells::Nothing;
        let is_left_of = |of: &Made<'_>| is_mixed || of.tool == call.tool && is_part(&call.input, &of.input);
        !(is_rough && all.iter().any(is_left_of))
    };
    for call in calls.iter().filter(|call| !call.is_matched && is_another(call)) {
        findings.check(false, || {
            let Read { tool, input, agent, status, refused, output, .. } = call;
            let told = format!("{status:?} {refused:?} {output:?}");
            format!(
                "a call that nobody made: {tool} with {input} by {agent:?}: {told}, of {:?}",
                near(&all, tool, input)
            )
        });
    }
    check_agents(&agents, findings);
}

/// The calls of a tool with an input that were made.
fn near<'a>(all: &'a [Made<'_>], tool: &str, input: &Value) -> Vec<&'a End> {
    let same = all.iter().filter(|of| of.tool == tool && is_part(input, &of.input));
    same.filter(|of| of.call.agent().is_none()).map(|of| &of.call.end).collect()
}

/// Agents apart: the calls of one have one name, and no two have the same.
fn check_agents(agents: &BTreeMap<&str, BTreeMap<String, usize>>, findings: &mut Findings) {
    let mut seen: BTreeMap<&String, &str> = BTreeMap::new();
    for (agent, names) in agents {
        findings.check(names.len() == 1, || format!("one sub-agent goes by several names: {names:?}"));
        for name in names.keys() {
            let other = seen.insert(name, agent);
            findings.check(other.is_none(), || format!("two sub-agents go by the name {name:?}"));
        }
    }
}

fn check_call(client: &Client, story: &Story, of: &Made<'_>, read: &Read, findings: &mut Findings) {
    let name = || format!("{} {} by {:?}", of.tool, of.input, of.by.map(|by| &by.id));
    findings.check(read.agent.is_empty() == of.by.is_none(), || {
        format!("{}: read as by {:?}", name(), read.agent)
    });
    let tells_status = client.tells(Matter::Status) != Tells::Nothing;
    if let Some(status) = status_of(client, story, of.call).filter(|_| tells_status) {
        findings
            .check(status == read.status, || format!("{}: ended {status:?}, read {:?}", name(), read.status));
    }
    if matches!(of.call.end, End::Seen { .. }) {
        findings
            .check(read.status != Status::Error, || format!("{}: a look at a failure fails itself", name()));
    }
    let tells_refusals = client.tells(Matter::Refusals);
    if tells_refusals != Tells::Nothing {
        let refused = of.call.is_refused();
        findings.check(refused == read.refused.is_some(), || {
            format!("{}: refused {refused}, read {:?}", name(), read.refused)
        });
    }
    if let (End::Refused { by, .. }, Tells::All, Some(source)) = (&of.call.end, tells_refusals, &read.refused)
    {
        let expected = match by {
            Who::Person => client.refusers.0,
            Who::Policy => client.refusers.1,
        };
        findings
            .check(source == expected, || format!("{}: refused by {expected:?}, read {source:?}", name()));
    }
    let tells_output = match client.tells(Matter::Outputs) {
        Tells::All => true,
        Tells::Part(Part::OfSuccess) => !of.call.has_failed(),
        Tells::Part(Part::OfFailure) => of.call.has_failed(),
        _ => false,
    };
    // What a command has printed when it is over takes the place of what it printed at first.
    if tells_output && !matches!(of.call.end, End::Handed { .. }) {
        findings.check(read.output.contains(of.call.output()), || {
            format!("{}: gave {:?}, read {:?}", name(), of.call.output(), read.output)
        });
    }
    let in_a_turn = of.by.is_none() && client.tells(Matter::Prompts) == Tells::All;
    if in_a_turn {
        findings.check(read.prompt.as_deref() == Some(of.prompt), || {
            format!("{}: of the turn {:?}, read in {:?}", name(), of.prompt, read.prompt)
        });
    }
}

/// How much of what is read of a call is what was made.
fn likeness(client: &Client, story: &Story, of: &Made<'_>, read: &Read) -> usize {
    let same_output = !of.call.output().is_empty() && read.output.contains(of.call.output());
    let status = status_of(client, story, of.call);
    let source = match &of.call.end {
        End::Refused { by: Who::Person, .. } => Some(client.refusers.0),
        End::Refused { .. } => Some(client.refusers.1),
        _ => None,
    };
    8 * usize::from(same_output)
        + 8 * usize::from(read.tool == of.tool)
        + 4 * usize::from(read.input == of.input)
        + 4 * usize::from(read.agent.is_empty() == of.by.is_none())
        + 4 * usize::from(of.call.is_refused() == read.refused.is_some())
        + 2 * usize::from(read.refused.as_deref() == source)
        + 2 * usize::from(status.is_none_or(|status| status == read.status))
        + 3 * usize::from(read.prompt.as_deref() == Some(of.prompt))
}

/// Whether a call has the name of another; where records got lost, the server may be missing, or the tool as well.
fn has_name(read: &Read, of: &Made<'_>, is_whole: bool) -> bool {
    if !is_whole && read.tool.is_empty() {
        return true;
    }
    let is_bare = || of.tool.ends_with(&format!("__{}", read.tool)) || read.tool == "mcp_tool";
    read.tool == of.tool || !is_whole && matches!(of.call.what, What::Server { .. }) && is_bare()
}

/// Where records got lost, what is left of a call is right or unknown.
fn may_be(client: &Client, story: &Story, of: &Made<'_>, read: &Read, is_sure: bool) -> bool {
    let is_known = read.status != Status::Unknown && read.output.contains(of.call.output());
    let same = of.call.is_refused() == read.refused.is_some();
    if is_sure && !(same && (is_known || of.call.is_refused())) {
        return false;
    }
    let Some(status) = status_of(client, story, of.call) else { return true };
    let is_handed = matches!(of.call.end, End::Handed { .. });
    let fits = read.status == status
        || read.status == Status::Unknown
        // A call whose first executions failed may have lost the last.
        || of.call.failed_before > 0 && read.status == Status::Error
        // The span of what was not run says that it failed.
        || of.call.is_refused() && read.status == Status::Error && read.output.is_empty()
        || is_handed && status == Status::Unknown;
    let speaks = !client.names_agents() || read.agent.is_empty() == of.by.is_none();
    fits && speaks && (of.call.is_refused() || read.refused.is_none())
}

/// Whether arguments are some of others.
fn is_part(read: &Value, made: &Value) -> bool {
    match (read, made) {
        (Value::Object(read), Value::Object(made)) => {
            read.iter().all(|(key, value)| made.get(key) == Some(value))
        }
        (Value::String(text), _) => text.is_empty(),
        _ => false,
    }
}

fn check_tokens(client: &Client, story: &Story, sessions: &[&[Session]; 2], findings: &mut Findings) {
    if client.tells(Matter::Tokens) != Tells::All {
        return;
    }
    let mut spent = (0, 0);
    for turn in story.own() {
        for_each_step(&turn.steps, None, &mut |step, _| spent = (spent.0 + step.read, spent.1 + step.wrote));
    }
    let all = || sessions.iter().flat_map(|sessions| facts(sessions));
    let read =
        (all().map(|fact| fact.input_tokens).sum::<i64>(), all().map(|fact| fact.output_tokens).sum::<i64>());
    findings.check(spent == read, || format!("tokens: spent {spent:?}, read {read:?}"));
}

fn check_digests(client: &Client, story: &Story, sessions: &[&[Session]; 2], findings: &mut Findings) {
    let [own, of_agents] = sessions;
    let digests: Vec<Digest> = own.iter().map(Digest::of).collect();
    let all: Vec<Digest> = own.iter().chain(of_agents.iter()).map(Digest::of).collect();
    let made = made(client, story);
    if client.tells(Matter::Prompts) == Tells::All {
        let (said, read) = (story.own().len(), digests.iter().map(|digest| digest.prompts).sum::<u64>());
        findings.check(said as u64 == read, || format!("digest: {said} prompts, read {read}"));
    }
    let read = all.iter().map(|digest| digest.tool_calls).sum::<u64>();
    findings.check(made.len() as u64 == read, || format!("digest: {} calls, read {read}", made.len()));
    let tells = |matter| client.tells(matter) != Tells::Nothing;
    let tells_endings = tells(Matter::Endings) || story.ends.is_empty();
    if tells(Matter::Status) && tells(Matter::Refusals) && tells_endings {
        let failed = made.iter().filter(|of| !matches!(of.call.what, What::Poll { .. }));
        let failed = failed.filter(|of| status_of(client, story, of.call) == Some(Status::Error)).count();
        let read = all.iter().map(|digest| digest.failures).sum::<u64>();
        findings.check(failed as u64 == read, || format!("digest: {failed} failures, read {read}"));
    }
}

//! What all agent frameworks say, each in its own words: a model was called, an agent ran, a tool
//! was executed.
//!
//! A dialect of a framework is a [`Framework`]: how to recognise its records, which [`Step`] a
//! record is, and where it has its messages. The rest is the same for all. Every model call repeats
//! the conversation so far, an agent's span repeats the words of its model calls, and one tool call
//! is seen in the model's answer, in the tool's own span and in the next request. Fact keys make
//! one fact of them, as far as one record can know:
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `prompt` | trace `:` hash of the text `#` how many user texts before it equal it | model calls |
//! | `response` | trace `:` hash of the text `#` how many answers before it equal it | model calls |
//! | both | trace `:` hash of the text | agents |
//! | `tool_call`, `tool_result` | the call's id, else its place in the list | messages; spans that know it |
//! | `tool_call`, `tool_result` | the span's id | spans that do not know the call's |
//! | `error` | trace `:` hash of the text | failed model calls and agents |
//! | `session_start` | the session's id | agents that say nothing else |
//! | `feedback` | trace, span or response, name of the evaluation | `gen_ai.evaluation.result` |
//! | `feedback` | what it is about, its name, annotator and identifier | annotations listed on spans |
//!
//! Only a model call sees the whole conversation, so only it can count: a turn that says "go on"
//! again is told from the first by its number. An agent's span, which may show no more than the
//! turn's own words, gives no number, and a reader lets it join what the model calls of its trace
//! say (`table::reconcile`).
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Framework`], and what a step becomes |
//! | `fields.rs` | session, person, model and metadata, under all their names |
//! | `sources.rs` | where a record keeps its messages |
//! | `numbered.rs` | lists spread over attributes |
//! | `cut.rs` | JSON that a length limit cut |
//! | `pairing.rs` | calls and results of one list, by id and by place |
//! | `parse.rs` | JSON to messages |
//! | `members.rs` | members of an object that go by several names |
//! | `messages.rs` | messages, and what is new in a list of them |
//! | `tool.rs` | the span of a tool |
//! | `feedback.rs` | evaluations |

mod cut;
mod feedback;
mod fields;
mod members;
pub(super) mod messages;
mod numbered;
mod pairing;
pub(super) mod parse;
mod sources;
mod tool;

use self::messages::{Call, CallResult, Message, Role};
use self::sources::Conversation;
use super::history::{self, History};
use super::{Dialect, Mapping, Record};
use crate::event::{Kind, SessionEvent, Status, USAGE, USAGE_SUM};

pub(super) use self::feedback::EVALUATION;
pub(super) use self::fields::{common, tokens};
pub(super) use self::sources::{Source, message_of_event};
pub(super) use self::tool::Tool;

/// Ranks: a tool's own span knows the most about the call, then the model call.
const TOOL_RANK: i64 = 3;
const OPERATION_RANK: i64 = 2;
/// Ranks: an agent's span repeats its calls, a message repeats them too, and some have arguments without names.
const AGENT_RANK: i64 = 1;
const MENTION_RANK: i64 = 1;
const BARE_ARGUMENTS_RANK: i64 = 1;

/// One framework's way of reporting.
pub(super) struct Framework {
    /// The name in the `dialect` column.
    pub(super) name: &'static str,
    /// Whether a record is this framework's.
    pub(super) recognises: fn(&Record<'_>) -> bool,
    /// Which step a record is; `None` if the framework has brought a new one.
    pub(super) step: fn(&Record<'_>) -> Option<Step>,
    /// Where model calls have their messages.
    pub(super) model: Exchange,
    /// Where agents have theirs.
    pub(super) agent: Exchange,
    /// Where tools have theirs.
    pub(super) tool: Tool,
}

/// A step of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// One call of a model.
    Model,
    /// An agent, or what stands for one: all that one question leads to.
    Agent,
    /// One call of a tool.
    Tool,
    /// Known to carry neither words nor tools of its own.
    Plumbing,
}

/// The attributes in which a step has its input and its answer, in order of precedence.
pub(super) struct Exchange {
    pub(super) input: &'static [Source],
    pub(super) output: &'static [Source],
}

impl Dialect for Framework {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        (self.recognises)(record)
    }

    fn map(&self, record: &Record<'_>) -> Mapping {
        let step = (self.step)(record);
        let common = fields::common(record);
        let mut events = match step {
            Some(Step::Model) => Said::by_model(record, &self.model).events(record, &common),
            Some(Step::Agent) => Said::by_agent(record, &self.agent).events(record, &common),
            Some(Step::Tool) => tool::events(record, &common, &self.tool),
            Some(Step::Plumbing) | None => vec![],
        };
        events.extend(feedback::of_span(record, &common));
        let had_words = || {
            let exchange = if step == Some(Step::Agent) { &self.agent } else { &self.model };
            exchange.input.iter().chain(exchange.output).any(|source| source.find(record).is_some())
        };
        if events.is_empty() && step == Some(Step::Agent) {
            events.extend(presence(&common));
        }
        if step == Some(Step::Agent) {
            events.extend(sum_of_tokens(record, &common));
        }
        match step {
            _ if !events.is_empty() => Mapping::Events(events),
            None => Mapping::UNKNOWN_NAME,
            Some(Step::Plumbing) => Mapping::NOISE,
            // All it says was said before.
            Some(_) if had_words() => Mapping::NOISE,
            Some(_) => Mapping::INCOMPLETE,
        }
    }
}

/// An agent's span may be the only one of its trace that says whose session it is, and have no words:
/// it shows at least that the session was there. Of several the earliest is its start.
fn presence(common: &SessionEvent) -> Option<SessionEvent> {
    let is_known = !common.session_id.is_empty() || !common.user_id.is_empty();
    is_known.then(|| SessionEvent {
        kind: Kind::SessionStart,
        rank: MENTION_RANK,
        fact_key: common.session_id.clone(),
        ..common.clone()
    })
}

/// The score that a log record is.
pub(super) fn evaluation(record: &Record<'_>) -> Mapping {
    match feedback::of_log(record, &fields::common(record)) {
        Some(score) => Mapping::one(score),
        None => Mapping::INCOMPLETE,
    }
}

/// What one message, logged alone, says: who logs every message of a request logs the history with
/// every request, so a text is one prompt in its whole session, however often it is repeated.
pub(super) fn lone_message(record: &Record<'_>, name: &str, message: &serde_json::Value) -> Mapping {
    let common = fields::common(record);
    let message = parse::messages(message, Role::Other);
    let is_answer = name == "gen_ai.choice";
    let mut said = Said {
        is_model: false,
        input: Conversation {
            messages: message
                .iter()
                .filter(|message| message.role != Role::Assistant || !is_answer)
                .cloned()
                .collect(),
            is_cut: false,
        },
        output: Conversation {
            messages: message
                .into_iter()
                .filter(|message| message.role == Role::Assistant && is_answer)
                .collect(),
            is_cut: false,
        },
    };
    said.pair(record);
    let mut events = said.events(record, &common);
    for prompt in events.iter_mut().filter(|event| event.kind == Kind::Prompt) {
        prompt.fact_key = format!("message:{}", history::digest(prompt.text.trim()));
    }
    match events {
        events if events.is_empty() => Mapping::NOISE,
        events => Mapping::Events(events),
    }
}

/// The messages to a model or an agent, and its answer.
struct Said {
    is_model: bool,
    input: Conversation,
    output: Conversation,
}

impl Said {
    fn by_model(record: &Record<'_>, exchange: &Exchange) -> Self {
        Self::of(record, exchange, true)
    }

    fn by_agent(record: &Record<'_>, exchange: &Exchange) -> Self {
        Self::of(record, exchange, false)
    }

    fn of(record: &Record<'_>, exchange: &Exchange, is_model: bool) -> Self {
        let find = |sources, unsaid| sources::conversation(record, sources, unsaid).unwrap_or_default();
        let (input, output) = (find(exchange.input, Role::User), find(exchange.output, Role::Assistant));
        let mut said = Self { is_model, input, output };
        said.pair(record);
        said
    }

    /// Gives calls and results the ids by which they are one. An agent's output may list the whole
    /// conversation, its input included.
    fn pair(&mut self, record: &Record<'_>) {
        let (input, output) = (&mut self.input.messages, &mut self.output.messages);
        let trace = record.trace_id();
        let is_whole = !self.is_model && output.iter().any(Message::is_prompt);
        let unplaced = if is_whole {
            pairing::pair(&trace, &mut [], output)
        } else {
            pairing::pair(&trace, input, output)
        };
        record.lose("unplaced_result", unplaced);
    }

    /// In the order in which they were said, which `seq` keeps where the clock does not.
    fn events(&self, record: &Record<'_>, common: &SessionEvent) -> Vec<SessionEvent> {
        let history = self.history();
        let rank = if self.is_model { OPERATION_RANK } else { AGENT_RANK };
        let model = if self.is_model { fields::model(record) } else { String::new() };
        let common = SessionEvent { rank, model, ..common.clone() };
        let given = messages::last_step(&self.input.messages);
        let made = messages::since_last_prompt(&self.output.messages);
        let mut events = results(given, &common);
        events.extend(self.prompts(record, &common));
        let answer = self.answer(record, &common);
        // A model speaks before it calls; an agent has the last word.
        let (first, last) = if self.is_model { (answer, None) } else { (None, answer) };
        events.extend(first);
        events.extend(calls(given, &SessionEvent { rank: MENTION_RANK, ..common.clone() }));
        let ended = SessionEvent {
            timestamp: record.end_time().unwrap_or_default(),
            truncated: self.output.is_cut,
            ..common.clone()
        };
        events.extend(calls(made, &ended));
        events.extend(results(made, &ended));
        events.extend(last);
        events.extend(error(record, &common));
        if self.is_model {
            count_tokens(record, &common, &mut events);
        }
        for (seq, event) in (0..).zip(&mut events) {
            event.seq = seq;
            event.history_before.clone_from(&history.before);
            event.history_after.clone_from(&history.after);
        }
        events
    }

    /// Only a model is shown the whole conversation.
    fn history(&self) -> History {
        if !self.is_model || self.input.is_cut || self.output.is_cut {
            return History::default();
        }
        history::of(&self.input.messages, &self.output.messages)
    }

    /// Of a list that was cut, the end is missing: whether a text is new can only be told where
    /// nothing was answered yet.
    fn prompts(&self, record: &Record<'_>, common: &SessionEvent) -> Vec<SessionEvent> {
        let input = &self.input;
        if input.is_cut && input.messages.iter().any(|message| message.role == Role::Assistant) {
            return vec![];
        }
        let to_event = |prompt: messages::Prompt| SessionEvent {
            kind: Kind::Prompt,
            fact_key: self.text_key(
                record,
                if prompt.said.is_empty() { &prompt.text } else { &prompt.said },
                prompt.earlier_equals,
            ),
            text: prompt.text,
            truncated: input.is_cut,
            ..common.clone()
        };
        messages::new_prompts(&input.messages).into_iter().map(to_event).collect()
    }

    fn answer(&self, record: &Record<'_>, common: &SessionEvent) -> Option<SessionEvent> {
        let text = messages::last_answer(&self.output.messages)?;
        let earlier_equals = messages::answers_equal_to(&self.input.messages, &text);
        Some(SessionEvent {
            kind: Kind::Response,
            fact_key: self.text_key(record, &text, earlier_equals),
            timestamp: record.end_time().unwrap_or_default(),
            duration_us: if self.is_model { record.duration_us() } else { 0 },
            text,
            truncated: self.output.is_cut,
            ..common.clone()
        })
    }

    fn text_key(&self, record: &Record<'_>, text: &str, earlier_equals: usize) -> String {
        match text_key(record, text) {
            key if key.is_empty() || !self.is_model => key,
            key => format!("{key}#{earlier_equals}"),
        }
    }
}

/// The cost of all model calls of an agent, as the agent's span gives it. The calls may have no cost of their own, or
/// no spans.
fn sum_of_tokens(record: &Record<'_>, common: &SessionEvent) -> Option<SessionEvent> {
    let tokens = fields::tokens(record);
    let is_told = !tokens.is_nothing() && !record.span_id().is_empty();
    is_told.then(|| {
        tokens.in_event(SessionEvent {
            kind: Kind::Response,
            rank: AGENT_RANK,
            fact_key: format!("{USAGE_SUM}{}", record.span_id()),
            timestamp: record.end_time().unwrap_or_default(),
            duration_us: record.duration_us(),
            ..common.clone()
        })
    })
}

/// What a model call cost, told once: by its answer, else by a call that it made, else by its error. Where it
/// shows nothing, by an answer without words.
fn count_tokens(record: &Record<'_>, common: &SessionEvent, events: &mut Vec<SessionEvent>) {
    let tokens = fields::tokens(record);
    if tokens.is_nothing() {
        return;
    }
    let is_first_hand = |event: &SessionEvent| event.kind == Kind::ToolCall && event.rank == OPERATION_RANK;
    let place = |is_it: &dyn Fn(&SessionEvent) -> bool| events.iter().position(is_it);
    let told = place(&|event| event.kind == Kind::Response).or_else(|| place(&is_first_hand));
    let told = told.or_else(|| place(&|event| event.kind == Kind::Error));
    if let Some(event) = told.and_then(|at| events.get_mut(at)) {
        tokens.put(event);
        return;
    }
    events.push(tokens.in_event(SessionEvent {
        kind: Kind::Response,
        fact_key: format!("{USAGE}{}", record.span_id()),
        timestamp: record.end_time().unwrap_or_default(),
        duration_us: record.duration_us(),
        ..common.clone()
    }));
}

/// The calls that messages state.
fn calls<'m>(messages: &'m [Message], common: &SessionEvent) -> impl Iterator<Item = SessionEvent> + use<'m> {
    let common = common.clone();
    let calls = messages.iter().flat_map(|message| &message.calls).filter(|call| !call.id.is_empty());
    calls.map(move |call| SessionEvent {
        kind: Kind::ToolCall,
        fact_key: call.id.clone(),
        tool: call.tool.clone(),
        tool_call_id: either(&call.alias, &call.id).to_owned(),
        input: call.arguments.clone(),
        ..common.clone()
    })
}

/// The results that messages state; a result seldom names its tool.
fn results(messages: &[Message], common: &SessionEvent) -> Vec<SessionEvent> {
    let calls: Vec<&Call> = messages.iter().flat_map(|message| &message.calls).collect();
    let tool = |result: &CallResult| {
        let call = calls.iter().find(|call| call.id == result.id);
        call.map_or_else(|| result.tool.clone(), |call| call.tool.clone())
    };
    let to_event = |result: &CallResult| SessionEvent {
        kind: Kind::ToolResult,
        rank: MENTION_RANK,
        fact_key: result.id.clone(),
        tool: tool(result),
        tool_call_id: either(&result.alias, &result.id).to_owned(),
        output: result.output.clone(),
        status: if result.failed { Status::Error } else { Status::Ok },
        ..common.clone()
    };
    let results = messages.iter().flat_map(|message| &message.results);
    results.filter(|result| !result.id.is_empty()).map(to_event).collect()
}

/// The alias, if there is one. A reader joins what goes by either ([`crate::event::SessionEvent::tool_call_id`]
/// beside `fact_key`).
fn either<'t>(alias: &'t str, id: &'t str) -> &'t str {
    if alias.is_empty() { id } else { alias }
}

fn error(record: &Record<'_>, common: &SessionEvent) -> Option<SessionEvent> {
    let text = tool::failure(record)?;
    Some(SessionEvent {
        kind: Kind::Error,
        fact_key: text_key(record, &text),
        timestamp: record.end_time().unwrap_or_default(),
        text,
        ..common.clone()
    })
}

/// The key of a text within its trace; `""`, which makes it a fact of its own, outside of any trace.
fn text_key(record: &Record<'_>, text: &str) -> String {
    match record.trace_id() {
        trace if trace.is_empty() => trace,
        trace => format!("{trace}:{}", history::digest(text.trim())),
    }
}

/// Whether a span has no parent that it knows of.
pub(super) fn is_root(record: &Record<'_>) -> bool {
    record.as_span().is_some() && record.parent_span_id().is_empty()
}

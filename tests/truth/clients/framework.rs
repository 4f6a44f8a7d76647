//! What frameworks have in common: a turn is a trace, in which an agent calls models and tools.

use serde_json::{Value, json};

use crate::story::{Aside, Call, End, Step, Story, Turn, What};
use crate::wire::{Draft, Out};

/// A message of a conversation.
#[derive(Debug, Clone)]
pub(crate) enum Message<'s> {
    Person(&'s str),
    /// What the framework writes in the person's role.
    Framework(String),
    Model {
        words: &'s str,
        calls: &'s [Call],
    },
    Results(&'s [Call]),
}

/// A run of an agent: a turn of the main one, or what a sub-agent does.
pub(crate) struct Run<'s> {
    pub(crate) story: &'s Story,
    pub(crate) turn: &'s Turn,
    /// The call of the agent, `None` of the main one.
    pub(crate) by: Option<&'s Call>,
    pub(crate) trace: &'s str,
    pub(crate) span: String,
    pub(crate) parent: String,
    pub(crate) times: (i64, i64),
    pub(crate) asked: &'s str,
    /// `""` if it was interrupted.
    pub(crate) answer: &'s str,
}

/// A call of the model.
pub(crate) struct Reply<'s> {
    pub(crate) run: &'s Run<'s>,
    pub(crate) step: &'s Step,
    pub(crate) input: Vec<Message<'s>>,
}

impl<'s> Reply<'s> {
    pub(crate) fn output(&self) -> Message<'s> {
        Message::Model { words: &self.step.words, calls: &self.step.calls }
    }
}

/// An execution of a tool.
pub(crate) struct Ran<'s> {
    pub(crate) run: &'s Run<'s>,
    pub(crate) call: &'s Call,
    pub(crate) span: String,
    pub(crate) times: (i64, i64),
    /// What came of it: the output, or the error.
    pub(crate) result: Result<&'s str, &'s str>,
}

/// How a framework writes.
pub(crate) struct Form {
    pub(crate) service: fn(&Story) -> Value,
    pub(crate) scope: &'static str,
    pub(crate) agent: fn(&Run<'_>) -> Option<Draft>,
    pub(crate) model: fn(&Reply<'_>) -> Draft,
    pub(crate) tool: fn(&Ran<'_>) -> Option<Draft>,
    /// What it writes in the person's place where an answer did not fit.
    pub(crate) feedback: fn(&str) -> String,
    /// The same where the conversation is replaced by a summary.
    pub(crate) summary: fn(&str) -> String,
}

/// Another span's id, the same for the same one; of up to fifteen numbers each has its own.
pub(crate) fn beside(span: &str, number: i64) -> String {
    let first = i64::from_str_radix(&span[..2], 16).unwrap();
    format!("{:02x}{}", first ^ ((number + 1) * 16), &span[2..])
}

/// What a call gives the model where the tool did not run.
pub(crate) fn refusal(call: &Call) -> Option<&str> {
    match &call.end {
        End::Refused { words, .. } => Some(words),
        _ => None,
    }
}

/// Writes the session's own turns.
pub(crate) fn write(story: &Story, out: &mut Out, form: &Form) {
    let service = (form.service)(story);
    let mut said: Vec<Message<'_>> = vec![];
    let mut place = 0;
    while place < story.turns.len() {
        // What is typed while a tool runs goes into the same run.
        let typed = story.turns[place + 1..].iter().take_while(|turn| turn.steers).count();
        let turns = &story.turns[place..=place + typed];
        let (first, last) = (&turns[0], &turns[typed]);
        if first.compacted {
            said = vec![Message::Framework((form.summary)(&first.prompt))];
        }
        let run = Run {
            story,
            turn: first,
            by: None,
            trace: &first.trace,
            span: first.span.clone(),
            parent: String::new(),
            times: (first.at, last.until),
            asked: &first.prompt,
            answer: last.answer().map_or("", |step| &step.words),
        };
        let mut mine = Out::default();
        for turn in turns {
            said.push(Message::Person(&turn.prompt));
            steps(&run, &turn.steps, &mut said, &mut mine, &service, form);
        }
        if let Some(draft) = (form.agent)(&run) {
            mine.span(&service, form.scope, draft);
        }
        if place >= story.earlier {
            out.items.append(&mut mine.items);
        }
        place += typed + 1;
    }
}

fn steps<'s>(
    run: &Run<'s>,
    steps: &'s [Step],
    said: &mut Vec<Message<'s>>,
    out: &mut Out,
    service: &Value,
    form: &Form,
) {
    for step in steps {
        for aside in &step.asides {
            said.extend(
                match aside {
                    Aside::Reminder(text) => Some(format!("<system-reminder>\n{text}\n</system-reminder>")),
                    Aside::Feedback(text) => Some((form.feedback)(text)),
                    Aside::Notice { .. } => None,
                }
                .map(Message::Framework),
            );
        }
        let reply = Reply { run, step, input: said.clone() };
        out.span(service, form.scope, (form.model)(&reply));
        said.push(Message::Model { words: &step.words, calls: &step.calls });
        for call in &step.calls {
            ran(run, call, out, service, form);
        }
        if !step.calls.is_empty() {
            said.push(Message::Results(&step.calls));
        }
    }
}

fn ran(run: &Run<'_>, call: &Call, out: &mut Out, service: &Value, form: &Form) {
    if call.is_refused() {
        return;
    }
    for number in 0..=call.failed_before {
        let is_last = number == call.failed_before;
        let span = if is_last { call.span.clone() } else { beside(&call.span, number) };
        let times = if is_last {
            (call.at + 20 * number, call.until)
        } else {
            (call.at + 20 * number, call.at + 20 * number + 10)
        };
        let result = match &call.end {
            _ if !is_last => Err("the connection was reset"),
            End::Failed { output, .. } => Err(output.as_str()),
            _ => Ok(call.output()),
        };
        if let Some(draft) = (form.tool)(&Ran { run, call, span, times, result }) {
            out.span(service, form.scope, draft);
        }
    }
    let Some((_, task)) = call.agent() else { return };
    let below = Run {
        story: run.story,
        turn: run.turn,
        by: Some(call),
        trace: run.trace,
        span: beside(&call.span, 7),
        parent: call.span.clone(),
        times: (call.at + 1, call.until - 1),
        asked: task,
        answer: call.answer(),
    };
    let mut said = vec![Message::Person(task)];
    steps(&below, call.steps(), &mut said, out, service, form);
    if let Some(draft) = (form.agent)(&below) {
        out.span(service, form.scope, draft);
    }
}

/// The text that a call's result has in a conversation.
pub(crate) fn told(call: &Call) -> String {
    match &call.end {
        End::Failed { output, .. } => format!("Error: {output}"),
        _ => refusal(call).unwrap_or_else(|| call.output()).to_owned(),
    }
}

/// A tool's name and arguments.
pub(crate) fn shape(call: &Call) -> (String, Value) {
    match &call.what {
        What::Agent { name, task } => (name.clone(), json!({ "task": task })),
        what => super::usual(what, "shell", "read_file", "task"),
    }
}

/// Messages as a chat completion has them.
pub(crate) fn chat(messages: &[Message<'_>]) -> Vec<Value> {
    let mut list = vec![json!({"role": "system", "content": "You are of help."})];
    for message in messages {
        match message {
            Message::Person(text) => list.push(json!({"role": "user", "content": text})),
            Message::Framework(text) => list.push(json!({"role": "user", "content": text})),
            Message::Model { words, calls } => list.push(chat_message(words, calls)),
            Message::Results(calls) => list.extend(
                calls
                    .iter()
                    .map(|call| json!({"role": "tool", "tool_call_id": call.id, "content": told(call)})),
            ),
        }
    }
    list
}

pub(crate) fn chat_message(words: &str, calls: &[Call]) -> Value {
    let mut message =
        json!({"role": "assistant", "content": if words.is_empty() { Value::Null } else { words.into() }});
    if !calls.is_empty() {
        message["tool_calls"] = calls
            .iter()
            .map(|call| {
                let (name, input) = shape(call);
                json!({"id": call.id, "type": "function", "function": {"name": name, "arguments": input.to_string()}})
            })
            .collect();
    }
    message
}

/// The same without a system message.
pub(crate) fn without_system(list: Vec<Value>) -> Vec<Value> {
    list.into_iter().skip(1).collect()
}

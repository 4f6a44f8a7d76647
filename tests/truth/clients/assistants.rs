//! OpenCode, and Hermes Agent with its plugin.

use serde_json::{Value, json};

use super::framework::beside;
use super::instrumentation::sdk_calls;
use super::{Client, Matter, Part, Tells};
use crate::story::{Call, End, May, Step, Story, Turn, What, Who};
use crate::wire::{Draft, Out};

pub(crate) const CLIENTS: &[Client] = &[
    Client {
        name: "OpenCode",
        dialects: &["opencode"],
        may: &[May::Parallel, May::Twins, May::Refusals, May::Resumption, May::Forks],
        silent: &[],
        write: opencode,
        refusers: ("user", "rule"),
        shape,
    },
    Client {
        name: "Hermes Agent, plugin",
        dialects: &["hermes"],
        may: &[May::Parallel, May::Twins],
        silent: &[(Matter::Replies, Tells::Part(Part::Last))],
        write: hermes,
        refusers: ("", ""),
        shape: |call| super::usual(&call.what, "terminal", "read_file", "delegate"),
    },
];

pub(super) fn shape(call: &Call) -> (String, Value) {
    match &call.what {
        What::Command { line, .. } => ("bash".to_owned(), json!({"command": line, "description": "run it"})),
        What::Read { path } => ("read".to_owned(), json!({"filePath": path})),
        what => super::usual(what, "bash", "read", "task"),
    }
}

fn opencode(story: &Story, out: &mut Out) {
    let mut said: Vec<Value> = vec![json!({"role": "system", "content": "You are of help."})];
    for (number, turn) in story.turns.iter().enumerate() {
        said.push(json!({"role": "user", "content": [{"type": "text", "text": turn.prompt}]}));
        for step in &turn.steps {
            if number >= story.earlier {
                opencode_step(story, out, turn, step, &said);
            }
            remember(&mut said, step);
        }
    }
}

fn remember(said: &mut Vec<Value>, step: &Step) {
    let words = (!step.words.is_empty()).then(|| json!({"type": "text", "text": step.words}));
    let calls = step.calls.iter().map(|call| {
        let (name, input) = shape(call);
        json!({"type": "tool-call", "toolCallId": call.id, "toolName": name, "input": input})
    });
    said.push(json!({"role": "assistant", "content": words.into_iter().chain(calls).collect::<Vec<_>>()}));
    let results = step.calls.iter().map(|call| {
        json!({"type": "tool-result", "toolCallId": call.id, "toolName": shape(call).0, "output": {"type": "text", "value": call.output()}})
    });
    if !step.calls.is_empty() {
        said.push(json!({"role": "tool", "content": results.collect::<Vec<_>>()}));
    }
}

fn opencode_step(story: &Story, out: &mut Out, turn: &Turn, step: &Step, said: &[Value]) {
    let service = json!({"service.name": "opencode", "service.version": "1.18.33", "opencode.client": "cli"});
    let inner = beside(&step.span, 1);
    for (name, id, parent) in
        [("ai.streamText", &step.span, &turn.span), ("ai.streamText.doStream", &inner, &step.span)]
    {
        let draft = Draft::new(name, &turn.trace, id, parent, (step.at, step.until)).with(json!({
            "session.id": story.id,
            "ai.telemetry.metadata.sessionId": story.id,
            "ai.operationId": name,
            "ai.prompt.messages": Value::from(said.to_vec()).to_string(),
            "ai.prompt.tools": ["{\"name\":\"bash\"}"],
            "ai.response.text": step.words,
            "ai.response.toolCalls": sdk_calls(&step.calls, shape),
            "ai.response.finishReason": if step.calls.is_empty() { "stop" } else { "tool-calls" },
            "ai.model.id": "m-1",
            "ai.usage.inputTokens": step.read,
            "ai.usage.outputTokens": step.wrote,
        }));
        out.span(&service, "ai", draft);
    }
    for call in &step.calls {
        let (name, input) = shape(call);
        let is_command = matches!(call.what, What::Command { .. });
        let (result, error) = match &call.end {
            End::Refused { by: Who::Person, .. } => {
                (None, Some("The user rejected permission to use this specific tool call.".to_owned()))
            }
            End::Refused { .. } => (
                None,
                Some(
                    "The user has specified a rule which prevents you from using this specific tool call."
                        .to_owned(),
                ),
            ),
            End::Failed { output, code } if is_command => (Some((output, *code)), None),
            End::Failed { output, .. } => (None, Some(output.clone())),
            End::Worked { output } => (Some((output, 0)), None),
            _ => panic!("opencode does not do this: {:?}", call.end),
        };
        let result = result.map(|(output, code)| {
            json!({"title": "ran", "metadata": {"output": output, "exit": code}, "output": output})
                .to_string()
        });
        let fields = json!({"session.id": story.id, "ai.toolCall.name": name, "ai.toolCall.id": call.id, "ai.toolCall.args": input.to_string(), "ai.toolCall.result": result});
        let own = json!({"session.id": story.id, "tool.name": name, "tool.call_id": call.id, "message.id": step.id});
        let within = beside(&call.span, 1);
        let spans = [
            (
                "ai",
                Draft::new("ai.toolCall", &turn.trace, &call.span, &step.span, (call.at, call.until))
                    .with(fields),
            ),
            (
                "opencode",
                Draft::new("Tool.execute", &turn.trace, &within, &call.span, (call.at, call.until)).with(own),
            ),
        ];
        for (scope, draft) in spans {
            out.span(
                &service,
                scope,
                match &error {
                    Some(error) => draft.failed(error),
                    None => draft,
                },
            );
        }
    }
}

fn hermes(story: &Story, out: &mut Out) {
    // One trace is one session.
    let trace = &story.turns[0].trace;
    let root = beside(&story.turns[0].span, 2);
    let service = json!({"service.name": "hermes-agent"});
    let scope = "hermes-agent.otel_tracing";
    let last = story.turns.last().map_or(0, |turn| turn.until);
    let session = Draft::new("hermes.session", trace, &root, "", (story.turns[0].at - 1, last));
    out.span(&service, scope, session.with(json!({"hermes.session.id": story.id, "completed": true})));
    for (number, turn) in story.turns.iter().enumerate() {
        let draft = Draft::new("hermes.turn", trace, &turn.span, &root, (turn.at, turn.until)).with(json!({
            "hermes.session.id": story.id,
            "hermes.turn.index": number,
            "hermes.turn.user_message": turn.prompt,
            "hermes.turn.assistant_response": turn.answer().map(|step| step.words.clone()),
        }));
        out.span(&service, scope, draft);
        for step in &turn.steps {
            let model = Draft::new("chat m", trace, &step.span, &turn.span, (step.at, step.until));
            let costs = json!({
                "gen_ai.response.model": "m",
                "gen_ai.usage.input_tokens": step.read,
                "gen_ai.usage.output_tokens": step.wrote,
            });
            out.span(&service, scope, model.with(costs));
        }
        for call in turn.steps.iter().flat_map(|step| &step.calls) {
            let (name, input) = super::usual(&call.what, "terminal", "read_file", "delegate");
            let result = match &call.end {
                End::Failed { output, code } if name == "terminal" => {
                    json!({"output": output, "exit_code": code, "error": null})
                }
                End::Failed { output, .. } => json!({ "error": output }),
                _ => json!({"output": call.output(), "exit_code": 0, "error": null}),
            };
            // Every tool's span is marked as failed, and names its task instead of the session.
            let draft = Draft::new(
                &format!("hermes.tool.{name}"),
                trace,
                &call.span,
                &turn.span,
                (call.at, call.until),
            )
            .with(json!({
                "hermes.session.id": turn.id,
                "hermes.tool.name": name,
                "hermes.tool.args": input.to_string(),
                "hermes.tool.result": result.to_string(),
            }))
            .failed("None");
            out.span(&service, scope, draft);
        }
    }
}

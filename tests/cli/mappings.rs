//! An agent that the configuration describes: the example of `docs/guide/own-agents.md`, as it stands there.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Site, outcome, skillspan};

/// The first YAML of the page.
fn example() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/own-agents.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("```yaml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// A site whose configuration is the example's.
fn site() -> Site {
    let site = Site::new("default");
    let config = std::fs::read_to_string(site.config()).unwrap();
    let own: String = config
        .lines()
        .filter(|line| {
            !["processors:", "  workspace:", "service:", "  journal:"]
                .iter()
                .any(|start| line.starts_with(start))
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let journal = format!("  journal: {{ path: {} }}\n", site.path("journal").display());
    std::fs::write(site.config(), own + &example() + &journal).unwrap();
    site
}

fn attributes(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(key, text)| json!({"key": key, "value": {"stringValue": text}})).collect()
}

fn span(id: u8, name: &str, seconds: (u64, u64), pairs: &[(&str, &str)]) -> Value {
    let nanos = |second: u64| (1_795_340_000_000_000_000 + second * 1_000_000_000).to_string();
    let parent = if name == "turn" { String::new() } else { format!("{:016x}", 1) };
    json!({"traceId": format!("{:032x}", 7), "spanId": format!("{id:016x}"), "parentSpanId": parent, "name": name,
        "startTimeUnixNano": nanos(seconds.0), "endTimeUnixNano": nanos(seconds.1), "attributes": attributes(pairs)})
}

/// A turn with a call that timed out and one that was refused.
fn spans() -> Vec<u8> {
    let turn = [
        ("acme.conversation", "billing-1"),
        ("acme.user", "mia"),
        ("acme.question", "Run the tests."),
        ("acme.answer", "They hang."),
        ("acme.team", "payments"),
    ];
    let tool = [
        ("acme.conversation", "billing-1"),
        ("acme.tool", "shell"),
        ("acme.call", "c1"),
        ("acme.arguments", r#"{"cmd":"make test"}"#),
        ("acme.output", "..."),
        ("acme.state", "timeout: 60s"),
    ];
    let spans = [
        span(1, "turn", (0, 9), &turn),
        span(2, "tool", (1, 5), &tool),
        span(3, "cache lookup", (6, 7), &[]),
    ];
    let request = json!({"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {"name": "acme.agent"}, "spans": spans}]}]});
    request.to_string().into_bytes()
}

fn logs() -> Vec<u8> {
    let refused = [
        ("acme.conversation", "billing-1"),
        ("acme.tool", "shell"),
        ("acme.call", "c2"),
        ("acme.answer", "no"),
    ];
    let log = json!({"eventName": "approval", "timeUnixNano": "1795340008000000000", "attributes": attributes(&refused),
        "body": {"stringValue": r#"{"by": "mia"}"#}});
    let request = json!({"resourceLogs": [{"resource": {}, "scopeLogs": [{"scope": {"name": "acme.agent"}, "logRecords": [log]}]}]});
    request.to_string().into_bytes()
}

#[test]
fn the_documented_example_tells_the_sessions_of_its_agent() {
    let site = site();
    let running = site.start();
    assert_eq!(site.post("/v1/logs", "application/json", logs()), 200);
    for _ in 0..2 {
        assert_eq!(site.post("/v1/traces", "application/json", spans()), 200);
    }
    assert_eq!(running.terminate(), Some(0));
    let sessions = site.sessions();
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    let said = |name: &str| sessions[0][name].as_str().unwrap_or_default().to_owned();
    assert_eq!([said("id"), said("user_id"), said("workspace")], ["billing-1", "mia", "payments"]);
    let shown = site.session("billing-1");
    let facts = shown["facts"].as_array().unwrap();
    let fact = |kind: &str, call: &str| {
        let is_it =
            |fact: &&Value| fact["kind"] == kind && fact["tool_call_id"].as_str().unwrap_or_default() == call;
        let found: Vec<&Value> = facts.iter().filter(is_it).collect();
        assert_eq!(found.len(), 1, "{kind} {call}: {facts:?}");
        found[0].clone()
    };
    assert_eq!(facts.len(), 6, "{facts:?}");
    assert_eq!(fact("prompt", "")["text"], "Run the tests.");
    assert_eq!(
        (&fact("response", "")["text"], &fact("response", "")["model"]),
        (&json!("They hang."), &json!("in-house"))
    );
    assert_eq!(fact("tool_call", "c1")["input"], r#"{"cmd":"make test"}"#);
    assert_eq!(
        (&fact("tool_result", "c1")["status"], &fact("tool_result", "c1")["output"]),
        (&json!("error"), &json!("..."))
    );
    assert_eq!(
        (&fact("decision", "c2")["decision"], &fact("decision", "c2")["decision_source"]),
        (&json!("reject"), &json!("mia"))
    );
    assert_eq!(fact("tool_call", "c2")["tool"], "shell");
}

#[test]
fn explain_says_which_mapping_gave_which_column() {
    let site = site();
    let body = site.path("body.json");
    std::fs::write(&body, spans()).unwrap();
    let said = site.run(&["explain", body.to_str().unwrap()]);
    assert!(said.contains("prompt by mapping/acme-turn, rank 2"), "{said}");
    let line = |name: &str| said.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_default();
    assert!(line("session_id").ends_with("billing-1  <- acme.conversation"), "{said}");
    assert!(line("text").ends_with("Run the tests.  <- acme.question"), "{said}");
    assert!(line("kept as attributes").ends_with("acme.team"), "{said}");
    assert!(said.contains("noise (mapping/acme-noise): span cache lookup"), "{said}");
    let (_, without, _) = outcome(skillspan().arg("explain").arg(&body));
    assert!(without.contains("no dialect knows scope `acme.agent`"), "{without}");
}

/// What `validate` says of `processors.mappings` with this one mapping in it.
fn validate(mapping: &str) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.yaml");
    let pipelines = "service: { pipelines: { sessions: { receivers: [otlp], processors: [mappings, redact], exporters: [parquet] } } }";
    std::fs::write(&file, format!("{pipelines}\nprocessors:\n  mappings:\n  - {mapping}\n")).unwrap();
    let (code, _, stderr) = outcome(skillspan().arg("validate").arg("--config").arg(&file));
    (code, stderr.replace(&file.display().to_string(), "c.yaml"))
}

#[test]
fn what_is_wrong_in_a_mapping_is_named_with_its_place() {
    assert_eq!(validate("{ name: a, match: { scope: x }, events: [] }"), (0, String::new()));
    for (mapping, expected) in [
        (
            "{ name: Acme, match: { scope: x }, events: [] }",
            "4:13: processors.mappings.0.name: a mapping's name has 1 to 64 characters of a-z, 0-9, `-`, `_` and `.`",
        ),
        (
            "{ name: a, match: { signal: log }, events: [] }",
            "4:23: processors.mappings.0.match: every record would match; write scope, name, service, attributes or has",
        ),
        (
            "{ name: a, match: { spcoe: x }, events: [] }",
            "4:25: processors.mappings.0.match.spcoe: unknown key; known here: signal, scope, name, service, attributes, has",
        ),
        (
            "{ name: a, match: { scope: \"\" }, events: [] }",
            "4:32: processors.mappings.0.match.scope: an empty pattern matches nothing; `*` matches everything",
        ),
        (
            "{ name: a, match: { name: [] }, events: [] }",
            "4:31: processors.mappings.0.match.name: an empty list matches nothing; leave the key away",
        ),
        ("{ name: a, match: { scope: x } }", "4:5: processors.mappings.0: the key `events` is missing"),
        (
            "{ name: a, match: { scope: x }, events: [ { kind: promt, text: q } ] }",
            "4:55: processors.mappings.0.events.0.kind: expected one of session_start, session_end, prompt, ",
        ),
        (
            "{ name: a, match: { scope: x }, events: [ { kind: prompt, test: q } ] }",
            "4:63: processors.mappings.0.events.0.test: unknown key; known here: kind, status, decision, session_id, ",
        ),
        (
            "{ name: a, match: { scope: x }, events: [ { text: q } ] }",
            "4:47: processors.mappings.0.events.0: the key `kind` is missing",
        ),
        (
            "{ name: a, match: { scope: x }, events: [ { kind: prompt } ] }",
            "4:47: processors.mappings.0.events.0: a prompt needs `text`",
        ),
        (
            "{ name: a, match: { scope: x }, events: [ { kind: feedback } ] }",
            "4:47: processors.mappings.0.events.0: a feedback needs `score` or `text`",
        ),
        (
            "{ name: a, match: { scope: x }, events: [ { kind: tool_call, tool: t, output: o } ] }",
            "4:47: processors.mappings.0.events.0: a tool_call has no `output`; it goes into an event of its own kind",
        ),
        (
            "{ name: a, match: { scope: x }, events: [ { kind: tool_result, status: { from: s } } ] }",
            "4:76: processors.mappings.0.events.0.status: write which values mean `ok`, or which mean `error`",
        ),
        (
            "{ name: a, match: { scope: x }, events: [ { kind: decision, tool: t } ] }",
            "4:47: processors.mappings.0.events.0: a decision needs `decision`: from, accept and reject",
        ),
        (
            "{ name: a, match: { scope: x }, events: [ { kind: prompt, text: record.bdoy } ] }",
            "4:69: processors.mappings.0.events.0.text: no such part of a record; known are: record.name, ",
        ),
        (
            "{ name: a, match: { scope: x }, events: [ { kind: prompt, text: { constant: x } } ] }",
            "4:71: processors.mappings.0.events.0.text.constant: unknown key; known here: value",
        ),
        (
            "{ name: a, match: { scope: x }, common: { text: q }, events: [] }",
            "4:47: processors.mappings.0.common.text: nothing that all events have in common; known here: session_id, ",
        ),
        (
            "{ name: a, match: { scope: x }, events: [] }\n  - { name: a, match: { scope: y }, events: [] }",
            "5:13: processors.mappings.1.name: a second mapping is named `a`",
        ),
    ] {
        let (code, stderr) = validate(mapping);
        assert_eq!(code, 64, "{mapping}");
        assert!(stderr.starts_with(&format!("error: c.yaml:{expected}")), "{mapping}\ngave {stderr}");
        assert_eq!(stderr.lines().count(), 1, "one line: {stderr}");
    }
}

#[test]
fn mappings_are_a_list_and_stand_before_other_processors() {
    let site = Site::new("default");
    let validate = |text: &str| {
        std::fs::write(site.config(), text).unwrap();
        outcome(skillspan().arg("validate").arg("--config").arg(site.config()))
    };
    let pipeline = |processors: &str| {
        format!(
            "processors: {{ mappings: [{{ name: a, match: {{ scope: x }}, events: [] }}] }}\nservice:\n  pipelines:\n    sessions: {{ receivers: [otlp], processors: [{processors}], exporters: [parquet] }}\n"
        )
    };
    let (code, _, stderr) = validate(&pipeline("redact, mappings"));
    assert_eq!(code, 64);
    let expected =
        ":4:57: service.pipelines.sessions.processors.1: `mappings` makes the events: write it first\n";
    assert!(stderr.ends_with(expected), "{stderr}");
    let (code, stdout, _) = validate(&pipeline("redact"));
    assert_eq!(code, 0);
    assert!(stdout.contains("warning: processors.mappings: no pipeline uses it"), "{stdout}");
    let two = pipeline("mappings, redact")
        + "    sessions/eu: { receivers: [otlp], processors: [redact], exporters: [parquet] }\n";
    let (code, _, stderr) = validate(&two);
    assert_eq!(code, 64);
    let expected = "service.pipelines.sessions/eu.processors: `otlp` feeds `sessions` too, with other mappings, and maps each record once; write the same\n";
    assert!(stderr.ends_with(expected), "{stderr}");
    let (code, _, stderr) = validate("processors: { mappings: { name: a } }\n");
    assert_eq!(code, 64);
    assert!(stderr.contains("processors.mappings: expected a list, found keys with values"), "{stderr}");
    let (_, components, _) = outcome(skillspan().arg("components"));
    assert!(components.contains("\n  mappings "), "{components}");
}

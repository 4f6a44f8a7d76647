//! What processors leave out, change and choose, and what holds in whatever order they stand.

use serde_json::{Value, json};

use crate::configuration::validate;
use crate::support::{Running, Site, texts};

const SECRET: &str = "ghp_Q7Q7Q7Q7Q7Q7Q7Q7Q7Q7Q7Q7Q7Q7Q7Q7Q7Q7";

/// A prompt of Claude Code's as a request, with attributes of the resource and of the record.
fn prompt(session: &str, text: &str, resource: &[(&str, &str)], own: &[(&str, &str)]) -> Vec<u8> {
    let resource = [&[("service.name", "claude-code")], resource].concat();
    let own = [
        &[("event.name", "user_prompt"), ("session.id", session), ("prompt", text), ("prompt.id", text)],
        own,
    ]
    .concat();
    let record = json!({
        "timeUnixNano": "1795340125502000000",
        "body": { "stringValue": "claude_code.user_prompt" },
        "attributes": texts(&own),
    });
    let scope = json!({ "name": "com.anthropic.claude_code.events", "version": "2.1.330" });
    let request = json!({ "resourceLogs": [{
        "resource": { "attributes": texts(&resource) },
        "scopeLogs": [{ "scope": scope, "logRecords": [record] }],
    }] });
    request.to_string().into_bytes()
}

/// A site with such processors in that order.
fn site(processors: &str, order: &str) -> Site {
    let site = Site::new("default");
    site.edit_config(&[(
        "processors:\n  workspace: { from: [], default: default }\n",
        &format!("processors:\n  redact: {{ emails: true }}\n{processors}"),
    )]);
    site.add_to_config(&format!(
        "  pipelines: {{ sessions: {{ receivers: [otlp], processors: [{order}], exporters: [parquet] }} }}\n"
    ));
    site
}

fn send(site: &Site, body: Vec<u8>) {
    assert_eq!(site.post("/v1/logs", "application/json", body), 200);
}

/// The sessions that are stored, by their ids.
fn ids(site: &Site) -> Vec<String> {
    let mut ids: Vec<String> =
        site.sessions().iter().map(|session| session["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

/// Every byte of the data folder, as far as it is text.
fn stored(site: &Site, running: Running) -> String {
    assert_eq!(running.terminate(), Some(0));
    site.sessions().iter().map(|session| site.session(session["id"].as_str().unwrap()).to_string()).collect()
}

#[test]
fn a_session_that_is_left_out_leaves_nothing_wherever_the_filter_stands() {
    let filter = "  filter:
    exclude:
      - { workspaces: [private] }
      - { users: [Ana@Example.com] }
      - { projects: [\"https://git.example.com/acme/secret.git\"] }
      - { attributes: [{ key: team, value: ops }] }
      - { match_type: regexp, attributes: [{ key: http.target, value: ^/health }] }
";
    for order in ["filter, redact, workspace, limits", "redact, workspace, limits, filter"] {
        let site = site(filter, order);
        let running = site.start();
        send(
            &site,
            prompt("kept", "hello", &[("skillspan.workspace", "shop")], &[("user.email", "bob@example.com")]),
        );
        send(&site, prompt("workspace", "hello", &[], &[]));
        send(&site, prompt("workspace", "again", &[("skillspan.workspace", "private")], &[]));
        send(&site, prompt("workspace", "later", &[], &[]));
        send(&site, prompt("person", "hello", &[], &[]));
        send(&site, prompt("person", "again", &[], &[("user.email", "ana@example.com")]));
        let project = [("vcs.repository.url.full", "git@git.example.com:acme/secret.git")];
        send(&site, prompt("project", "hello", &project, &[]));
        send(&site, prompt("team", "hello", &[("team", "ops")], &[]));
        send(&site, prompt("noise", "hello", &[], &[("http.target", "/health")]));
        send(&site, prompt("noise", "work", &[], &[("http.target", "/api")]));
        assert_eq!(ids(&site), ["kept", "noise"], "{order}");
        assert_eq!(site.session("noise")["events"]["prompt"], 1, "{order}: a record, not its session");
        drop(running);
    }
}

#[test]
fn only_what_is_included_is_stored() {
    let filter = "  filter: { include: { workspaces: [shop, web] } }\n";
    let site = site(filter, "redact, filter, workspace");
    let _running = site.start();
    for workspace in ["shop", "web", "other"] {
        send(&site, prompt(workspace, "hello", &[("skillspan.workspace", workspace)], &[]));
    }
    send(&site, prompt("none", "hello", &[], &[]));
    assert_eq!(ids(&site), ["shop", "web"]);
}

#[test]
fn an_opt_out_is_heard_whatever_filters_and_sampling_say() {
    for (processors, order) in [
        ("  filter: { include: { attributes: [{ key: team }] } }\n", "filter, redact, workspace"),
        ("  sampling: { percent: 100 }\n", "redact, workspace, sampling"),
        (
            "  attributes: { actions: [{ key: skillspan.capture, action: delete }, { key: skillspan.capture, action: upsert, value: true }] }\n",
            "attributes, redact, workspace",
        ),
    ] {
        let site = site(processors, order);
        let _running = site.start();
        send(&site, prompt("one", "hello", &[("team", "shop")], &[]));
        assert_eq!(ids(&site), ["one"], "{order}");
        send(&site, prompt("one", "not this", &[("skillspan.capture", "false")], &[]));
        assert_eq!(ids(&site), [""; 0], "{order}: what came before goes too");
        send(&site, prompt("one", "later", &[("team", "shop")], &[]));
        assert_eq!(ids(&site), [""; 0], "{order}");
    }
}

#[test]
fn attributes_change_and_secrets_do_not_escape_by_another_name() {
    let attributes = "  attributes:
    actions:
      - { key: region, action: insert, value: eu }
      - { key: attempt, action: set, value: 3 }
      - { key: note, action: rename, to: remark }
      - { key: db.password, action: rename, to: plain }
      - { key: copied, action: upsert, from_attribute: plain }
      - { key: process.owner, action: rename, to: owner }
      - { key: host.name, action: delete }
      - { key: machine, action: hash }
      - { key: user.email, action: hash }
";
    for order in ["attributes, redact, workspace, limits", "limits, redact, workspace, attributes"] {
        let site = site(attributes, order);
        let running = site.start();
        let own = [
            ("note", "a remark"),
            ("db.password", "hunter22"),
            ("process.owner", "root-of-all"),
            ("host.name", "host-of-ana"),
            ("machine", "hello"),
            ("user.email", "ana@example.com"),
            ("deploy", SECRET),
        ];
        send(&site, prompt("one", "hello", &[], &own));
        let session = site.session("one");
        let shown = stored(&site, running);
        for secret in ["hunter22", "root-of-all", "host-of-ana", "ana@example.com", SECRET] {
            assert!(!shown.contains(secret), "{order}: {secret}: {shown}");
        }
        let person = session["user_id"].as_str().unwrap();
        assert!(person.starts_with("sha256:"), "{order}: {session}");
        let rows = std::fs::read_dir(site.path("sessions")).unwrap().count();
        assert!(rows > 0);
    }
}

#[test]
fn a_sample_has_whole_sessions_and_the_same_ones_everywhere() {
    let all: Vec<String> = (0..40).map(|number| format!("session-{number}")).collect();
    let sample = |order: &str| {
        let site = site("  sampling: { percent: 50 }\n", order);
        let running = site.start();
        for session in &all {
            for text in ["first", "second", "third"] {
                send(&site, prompt(session, text, &[], &[]));
            }
        }
        let sessions = site.sessions();
        assert!(sessions.iter().all(|session| session["events"]["prompt"] == 3), "{sessions:?}");
        drop(running);
        ids(&site)
    };
    let first = sample("sampling, redact, workspace");
    assert!((10..=30).contains(&first.len()), "{first:?}");
    assert_eq!(first, sample("redact, workspace, sampling"), "another process chooses alike");
}

/// A span of a trace, of a session if that is named.
fn span(trace: &str, id: &str, parent: &str, attributes: &[(&str, &str)]) -> Value {
    json!({
        "traceId": trace, "spanId": id, "parentSpanId": parent, "name": "chat m", "kind": 3,
        "startTimeUnixNano": "1795340125502000000", "endTimeUnixNano": "1795340125602000000",
        "attributes": texts(attributes),
    })
}

#[test]
fn spans_that_name_no_session_go_with_those_of_their_trace_that_do() {
    let site = site("  sampling: { percent: 50 }\n", "sampling, redact, workspace");
    let _running = site.start();
    let tool = [
        ("gen_ai.operation.name", "execute_tool"),
        ("gen_ai.tool.name", "Bash"),
        ("gen_ai.tool.call.id", "c1"),
    ];
    for number in 0..24 {
        let (trace, session) = (format!("{:032x}", number + 1), format!("s{number}"));
        let agent = [
            ("gen_ai.operation.name", "invoke_agent"),
            ("gen_ai.agent.name", "a"),
            ("gen_ai.conversation.id", &*session),
            ("gen_ai.input.messages", r#"[{"role":"user","parts":[{"type":"text","content":"hello"}]}]"#),
        ];
        let spans = [
            span(&trace, "00000000000000b1", "00000000000000a1", &tool),
            span(&trace, "00000000000000a1", "", &agent),
        ];
        let request = json!({ "resourceSpans": [{ "resource": {}, "scopeSpans": [{ "scope": { "name": "x" }, "spans": spans }] }] });
        assert_eq!(site.post("/v1/traces", "application/json", request.to_string().into_bytes()), 200);
    }
    let sessions = site.sessions();
    assert!((4..=20).contains(&sessions.len()), "{}", sessions.len());
    for session in &sessions {
        assert!(session["id"].as_str().unwrap().starts_with('s'), "no trace is left alone: {session}");
        assert_eq!(session["events"]["tool_call"], 1, "{session}");
    }
}

#[test]
fn what_is_left_out_is_counted() {
    let site = site(
        "  sampling: { percent: 0 }\n  filter: { exclude: { services: [claude-code] } }\n",
        "filter, sampling",
    );
    let _running = site.start();
    send(&site, prompt("one", "hello", &[], &[]));
    let url = format!("http://127.0.0.1:{}/metrics", site.health);
    let metrics = crate::support::client().get(url).send().unwrap().text().unwrap();
    assert!(
        metrics.lines().any(|line| line.contains("reason=\"sampled\"") && line.ends_with(" 1")),
        "{metrics}"
    );
}

#[test]
fn processors_are_checked_before_anything_runs() {
    let processor = |text: &str| {
        validate(&format!(
            "processors: {{ {text} }}\nservice: {{ pipelines: {{ sessions: {{ processors: [filter, attributes, sampling] }} }} }}\n"
        ))
    };
    let whole = |filter: &str, attributes: &str, sampling: &str| {
        processor(&format!("filter: {filter}, attributes: {attributes}, sampling: {sampling}"))
    };
    let (filter, attributes, sampling) =
        ("{ include: { users: [a] } }", "{ actions: [{ key: a, action: delete }] }", "{ percent: 20 }");
    assert_eq!(whole(filter, attributes, sampling).0, 0);
    assert_eq!(whole(filter, attributes, "{ sampling_percentage: 12.5, hash_seed: 7 }").0, 0);
    assert_eq!(
        whole("{ exclude: [{ users: [a] }, { services: [b] }] }", attributes, "{ percent: 20% }").0,
        0
    );
    for (filter, attributes, sampling, expected) in [
        ("{}", attributes, sampling, "processors.filter: say what is stored or what is not"),
        ("{ exclude: {} }", attributes, sampling, "processors.filter.exclude: this names nothing"),
        ("{ exclude: { user: [a] } }", attributes, sampling, "did you mean `users`?"),
        ("{ exclude: { match_type: glob } }", attributes, sampling, "expected one of strict, regexp"),
        (
            "{ exclude: { match_type: regexp, users: [\"(\"] } }",
            attributes,
            sampling,
            "processors.filter.exclude.users: no pattern: unclosed group",
        ),
        (filter, "{}", sampling, "processors.attributes: the key `actions` is missing"),
        (filter, "{ actions: [] }", sampling, "processors.attributes.actions: say what is done"),
        (filter, "{ actions: [{ key: a, action: hide }] }", sampling, "actions.0.action: expected one of"),
        (filter, "{ actions: [{ action: delete }] }", sampling, "actions.0: name the attribute"),
        (filter, "{ actions: [{ key: a, action: insert }] }", sampling, "actions.0: say what it gets"),
        (
            filter,
            "{ actions: [{ key: a, action: rename }] }",
            sampling,
            "actions.0: name what it is called then",
        ),
        (
            filter,
            "{ actions: [{ key: a, action: hash, value: x }] }",
            sampling,
            "actions.0: value and from_attribute",
        ),
        (filter, attributes, "{}", "processors.sampling: the key `percent` is missing"),
        (
            filter,
            attributes,
            "{ percent: 101 }",
            "processors.sampling.percent: expected a number from 0 to 100",
        ),
        (
            filter,
            attributes,
            "{ percent: few }",
            "processors.sampling.percent: expected a number from 0 to 100",
        ),
    ] {
        let (code, _, errors) = whole(filter, attributes, sampling);
        assert_eq!(code, 64, "{expected}");
        assert!(errors.contains(expected), "{expected}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
}

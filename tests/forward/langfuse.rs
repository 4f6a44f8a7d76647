//! Langfuse's own paths, on to a Langfuse server with keys of our own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use serde_json::{Value, json};

use crate::backend::{Backend, Reply, Taken};
use crate::redaction::{files, holds};
use crate::sent::{JSON, PROTOBUF, logs, traces};
use crate::site::{Site, client, eventually};

const INGESTION: &str = "/api/public/ingestion";
const SCORES: &str = "/api/public/scores";
const OTLP: &str = "/api/public/otel/v1/traces";

/// A client's own pair, of the tenant `acme`: it may be its token here.
const ANA: (&str, &str) = ("pk-lf-ana", "sk-lf-of-ana-0123456789");
/// The same of `beta`.
const BEN: (&str, &str) = ("pk-lf-ben", "sk-lf-of-ben-0123456789");

fn basic((public, secret): (&str, &str)) -> String {
    format!("Basic {}", STANDARD.encode(format!("{public}:{secret}")))
}

/// A site of two tenants, each with a project at the backend; `keys` beside the endpoint.
fn of_two(keys: &str, backend: &Backend) -> Site {
    let site = Site::new("default");
    let tokens = format!(
        "extensions:\n  auth: {{ tokens: [{{ id: {}, secret: {}, tenant: acme }}, {{ id: {}, secret: {}, tenant: beta }}] }}\n",
        ANA.0, ANA.1, BEN.0, BEN.1
    );
    let projects = "acme: { public_key: pk-lf-acme, secret_key: sk-lf-acme }, \
                    beta: { public_key: pk-lf-beta, secret_key: sk-lf-beta }";
    add_langfuse(&site, projects, keys, backend);
    site.edit_config(&[("extensions:\n", &tokens)]);
    site
}

/// A site without tokens, with a project at the backend.
fn of_one(keys: &str, backend: &Backend) -> Site {
    let site = Site::new("default");
    add_langfuse(&site, "default: { public_key: pk-lf-acme, secret_key: sk-lf-acme }", keys, backend);
    site
}

fn add_langfuse(site: &Site, projects: &str, keys: &str, backend: &Backend) {
    let exporter = format!(
        "exporters:\n  langfuse/team: {{ endpoint: \"http://127.0.0.1:{}/lf\", retry: {{ initial: 20ms, max: 100ms }}, \
         keys: {{ {projects} }}{keys} }}\n",
        backend.port()
    );
    site.edit_config(&[("exporters:\n", &exporter)]);
    site.add_to_config(
        "  pipelines:\n    sessions: {}\n    skills: {}\n    traces: { receivers: [otlp, langfuse], exporters: \
         [langfuse/team] }\n",
    );
}

fn post(site: &Site, pair: (&str, &str), path: &str, content_type: &str, body: Vec<u8>) -> u16 {
    let request = client().post(format!("http://127.0.0.1:{}{path}", site.http));
    let request = request.header("content-type", content_type).header("authorization", basic(pair));
    request.header("x-langfuse-public-key", pair.0).body(body).send().unwrap().status().as_u16()
}

fn event(kind: &str, id: &str, body: Value) -> Value {
    json!({ "id": id, "type": kind, "timestamp": "2026-11-22T09:24:36.673Z", "body": body })
}

/// As an SDK sends it: members in an order of its own, and some that nobody here knows.
fn ingestion(events: &[Value]) -> Vec<u8> {
    let body = json!({ "metadata": { "sdk_name": "python", "unknown": [1, 2.5] }, "batch": events });
    serde_json::to_vec_pretty(&body).unwrap()
}

fn exchange(session: &str, trace: &str) -> Vec<Value> {
    vec![
        event(
            "trace-create",
            &format!("e-{trace}-1"),
            json!({ "id": trace, "sessionId": session, "input": "Run the tests" }),
        ),
        event(
            "generation-create",
            &format!("e-{trace}-2"),
            json!({ "id": format!("g-{trace}"), "traceId": trace, "model": "m", "output": "They pass", "usage": { "input": 7 }, "later": true }),
        ),
        event("trace-destroy", &format!("e-{trace}-3"), json!({ "id": trace, "says": "of a later version" })),
    ]
}

fn score(trace: &str, comment: &str) -> Value {
    json!({ "id": format!("s-{trace}"), "traceId": trace, "name": "thumb", "value": 1, "dataType": "BOOLEAN", "comment": comment })
}

fn json_of(taken: &Taken) -> Value {
    serde_json::from_slice(&taken.body).unwrap()
}

fn paths(backend: &Backend) -> Vec<String> {
    backend.taken().into_iter().map(|taken| taken.path).collect()
}

/// The keys of the configuration, and nothing that the client showed.
fn assert_shows(taken: &Taken, pair: (&str, &str)) {
    assert_eq!(taken.headers["authorization"], basic(pair).as_str());
    for value in taken.headers.values() {
        let value = value.to_str().unwrap();
        assert!(!value.contains("ana") && !value.contains("ben"), "{value}");
    }
}

fn metric(site: &Site, name: &str) -> f64 {
    let text =
        client().get(format!("http://127.0.0.1:{}/metrics", site.health)).send().unwrap().text().unwrap();
    let lines = text.lines().filter(|line| line.starts_with(name));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

#[test]
fn each_of_langfuses_paths_has_what_came_byte_for_byte() {
    let backend = Backend::start();
    let site = of_one("", &backend);
    let _running = site.start();
    let sent = [
        (INGESTION, JSON, ingestion(&exchange("s-1", "t-1"))),
        (SCORES, JSON, serde_json::to_vec(&json!([score("t-1", "good"), score("t-2", "better")])).unwrap()),
        (SCORES, JSON, serde_json::to_vec(&score("t-3", "alone")).unwrap()),
        (OTLP, PROTOBUF, traces("s-1", "over-otlp").encode_to_vec()),
        (OTLP, JSON, serde_json::to_vec(&traces("s-1", "as-json")).unwrap()),
        ("/v1/traces", PROTOBUF, traces("s-1", "of-an-assistant").encode_to_vec()),
    ];
    for (number, (path, content_type, body)) in sent.iter().enumerate() {
        assert!(site.post(path, content_type, body.clone()) < 300, "{path}");
        let taken = backend.wait_for(number + 1)[number].clone();
        let at = if path.starts_with("/v1") { OTLP } else { path };
        assert_eq!(taken.path, format!("/lf{at}"), "below the endpoint's path");
        assert_eq!(taken.headers["content-type"], *content_type);
        assert_eq!(taken.body, *body, "{path}");
        let is_compressed = taken.headers.contains_key("content-encoding");
        assert_eq!(is_compressed, at == OTLP, "Langfuse unpacks OTLP alone: {path}");
        assert_shows(&taken, ("pk-lf-acme", "sk-lf-acme"));
    }
    // Logs and metrics are not Langfuse's, and come to no backend here.
    assert_eq!(site.post("/v1/logs", JSON, serde_json::to_vec(&logs("acme", vec![])).unwrap()), 200);
    let last = ingestion(&exchange("s-1", "t-9"));
    assert_eq!(site.post(INGESTION, JSON, last.clone()), 207);
    assert_eq!(backend.wait_for(7)[6].body, last);
}

#[test]
fn each_tenant_goes_to_its_project_and_no_pair_of_a_client_goes_or_stays() {
    let backend = Backend::start();
    let site = of_two("", &backend);
    let running = site.start();
    for (pair, trace) in [(ANA, "t-a"), (BEN, "t-b"), (ANA, "t-c")] {
        assert_eq!(post(&site, pair, INGESTION, JSON, ingestion(&exchange("s-1", trace))), 207);
        assert_eq!(
            post(&site, pair, SCORES, JSON, serde_json::to_vec(&json!([score(trace, "good")])).unwrap()),
            202
        );
        assert_eq!(post(&site, pair, OTLP, PROTOBUF, traces("s-1", trace).encode_to_vec()), 200);
    }
    assert_eq!(post(&site, ("pk-lf-ana", "sk-lf-wrong-01234567890"), INGESTION, JSON, ingestion(&[])), 401);
    for taken in backend.wait_for(9) {
        let text = String::from_utf8_lossy(&taken.body).into_owned();
        let is_of_beta = text.contains("t-b");
        let pair = if is_of_beta { ("pk-lf-beta", "sk-lf-beta") } else { ("pk-lf-acme", "sk-lf-acme") };
        assert!(is_of_beta || text.contains("t-a") || text.contains("t-c"), "{text}");
        assert_shows(&taken, pair);
    }
    let said = site.run(&["status"]);
    assert!(said.contains("langfuse/team (acme)") && said.contains("langfuse/team (beta)"), "{said}");
    assert_eq!(running.terminate(), Some(0));
    for file in files(site.folder.path()) {
        // The configuration alone has them; the log, the queues and the table do not.
        if file != site.config() {
            for secret in [ANA.1, BEN.1, "sk-lf-acme", "sk-lf-beta", basic(ANA).as_str()] {
                assert!(!holds(&file, secret), "{} holds {secret}", file.display());
            }
        }
    }
}

/// A queue of its own for each: a project whose keys are wrong holds up nobody else.
#[test]
fn wrong_keys_of_one_tenant_hold_up_no_other() {
    let mut backend = Backend::away();
    let site = of_two("", &backend);
    site.edit_config(&[("sk-lf-acme", "sk-lf-expired")]);
    let running = site.start();
    assert_eq!(post(&site, ANA, INGESTION, JSON, ingestion(&exchange("s-1", "t-a"))), 207);
    backend.refuse_unless(
        "authorization",
        &[&basic(("pk-lf-acme", "sk-lf-acme")), &basic(("pk-lf-beta", "sk-lf-beta"))],
    );
    backend.come();
    eventually("it is told", || site.run(&["status"]).contains("langfuse/team (acme): credentials"));
    assert_eq!(post(&site, BEN, INGESTION, JSON, ingestion(&exchange("s-1", "t-b"))), 207);
    assert_shows(&backend.wait_for(1)[0], ("pk-lf-beta", "sk-lf-beta"));
    let said = site.run(&["status"]);
    assert!(said.contains("headers, or keys, and restart"), "{said}");
    assert_eq!(running.terminate(), Some(0));
    site.edit_config(&[("sk-lf-expired", "sk-lf-acme")]);
    let _running = site.start();
    let taken = backend.wait_for(2);
    assert!(String::from_utf8_lossy(&taken[1].body).contains("t-a"));
    assert_shows(&taken[1], ("pk-lf-acme", "sk-lf-acme"));
}

#[test]
fn nothing_goes_of_a_tenant_without_keys() {
    let backend = Backend::start();
    let site = of_two("", &backend);
    site.edit_config(&[(", beta: { public_key: pk-lf-beta, secret_key: sk-lf-beta }", "")]);
    let said = site.run(&["validate"]);
    assert!(said.contains("there are no keys for beta: nothing of theirs is forwarded"), "{said}");
    let running = site.start();
    for (pair, trace) in [(BEN, "t-b"), (ANA, "t-a"), (BEN, "t-b")] {
        assert_eq!(post(&site, pair, INGESTION, JSON, ingestion(&exchange("s-1", trace))), 207);
        assert_eq!(post(&site, pair, OTLP, PROTOBUF, traces("s-1", trace).encode_to_vec()), 200);
    }
    backend.wait_for(2);
    assert_eq!(running.terminate(), Some(0));
    assert_eq!(backend.taken().len(), 2);
    for taken in backend.taken() {
        assert_shows(&taken, ("pk-lf-acme", "sk-lf-acme"));
        assert!(String::from_utf8_lossy(&taken.body).contains("t-a"));
    }
}

fn secret(number: usize) -> String {
    format!("ghp_{}{number:02}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7")
}

#[test]
fn credentials_leave_every_text() {
    let backend = Backend::start();
    let site = of_one("", &backend);
    site.edit_config(&[(
        "processors:\n",
        "processors:\n  redact: { drop_attributes: [email, langfuse.observation.status_message] }\n",
    )]);
    let _running = site.start();
    let mut events = exchange("s-1", "t-1");
    events[0]["body"]["input"] =
        json!({ "messages": [{ "content": format!("use {}", secret(1)) }], "password": "c0rrect-h0rse-9" });
    events[0]["body"]["metadata"] = json!({ "email": "ana@example.com", "kept": "yes", "deep": { "api_key": "k3Jd82hdkslQpZm4", "n": [secret(2)] } });
    events[1]["body"]["output"] = json!(format!("{{\"token\": \"{}\"}}", secret(3)));
    events[1]["body"]["statusMessage"] = json!("of somebody");
    events[1]["body"][secret(4)] = json!("its name is one");
    events[2]["body"]["says"] = json!({ "env": ["DB_PASSWORD=c0rrect-h0rse-9", secret(5)] });
    let mut body: Value = serde_json::from_slice(&ingestion(&events)).unwrap();
    body["metadata"]["note"] = json!(secret(6));
    assert_eq!(site.post(INGESTION, JSON, serde_json::to_vec(&body).unwrap()), 207);
    let scores = json!([score("t-1", &format!("it said {}", secret(7)))]);
    assert_eq!(site.post(SCORES, JSON, serde_json::to_vec(&scores).unwrap()), 202);
    let taken = backend.wait_for(2);
    for taken in &taken {
        let text = String::from_utf8_lossy(&taken.body).into_owned();
        for secret in ["ghp_a1B2", "c0rrect-h0rse-9", "k3Jd82hdkslQpZm4", "ana@example.com", "of somebody"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
    // Everything else is as it was.
    let arrived = json_of(&taken[0]);
    assert_eq!(arrived["batch"].as_array().unwrap().len(), 3);
    assert_eq!(arrived["batch"][0]["body"]["metadata"]["kept"], "yes");
    assert_eq!(arrived["batch"][0]["body"]["sessionId"], "s-1");
    assert_eq!(arrived["batch"][1]["body"]["usage"], json!({ "input": 7 }));
    assert_eq!(arrived["batch"][1]["body"]["later"], true);
    assert_eq!(arrived["batch"][2]["type"], "trace-destroy");
    assert_eq!(arrived["metadata"]["unknown"], json!([1, 2.5]));
    assert_eq!(json_of(&taken[1])[0]["name"], "thumb");
}

#[test]
fn what_is_opted_out_is_not_forwarded() {
    let backend = Backend::start();
    let site = of_one("", &backend);
    let running = site.start();
    let mut silent = exchange("s-2", "t-2");
    silent[0]["body"]["metadata"] = json!({ "skillspan.capture": "off" });
    let mut events = exchange("s-1", "t-1");
    events.extend(silent);
    let mut alone = event("span-create", "e-9", json!({ "id": "o-9", "traceId": "t-1", "input": "hush" }));
    alone["body"]["metadata"] = json!({ "skillspan.capture": false });
    events.push(alone);
    assert_eq!(site.post(INGESTION, JSON, ingestion(&events)), 207);
    let mut scores = vec![score("t-1", "kept"), score("t-3", "hush")];
    scores[1]["metadata"] = json!({ "skillspan.capture": "no" });
    assert_eq!(site.post(SCORES, JSON, serde_json::to_vec(&scores).unwrap()), 202);
    // Nothing is left of these; the header is the request's.
    assert_eq!(site.post(SCORES, JSON, serde_json::to_vec(&scores[1]).unwrap()), 200);
    let request = client().post(format!("http://127.0.0.1:{}{INGESTION}", site.http));
    let request = request.header("content-type", JSON).header("x-skillspan-capture", "false");
    let answer = request.body(ingestion(&exchange("s-4", "t-4"))).send().unwrap();
    assert_eq!(answer.status(), 207);
    let taken = backend.wait_for(2);
    assert_eq!(running.terminate(), Some(0));
    assert_eq!(backend.taken().len(), 2);
    assert_eq!(json_of(&taken[0])["batch"], json!(exchange("s-1", "t-1")));
    assert_eq!(json_of(&taken[1]), json!([score("t-1", "kept")]));
}

#[test]
fn everything_arrives_in_order_after_the_server_was_away_and_the_process_killed() {
    let mut backend = Backend::away();
    let site = of_one("", &backend);
    let running = site.start();
    let mut sent = Vec::new();
    for number in 0..10 {
        let body = ingestion(&exchange("s-1", &format!("t-{number}")));
        assert_eq!(site.post(INGESTION, JSON, body.clone()), 207);
        sent.push(body);
        let body = serde_json::to_vec(&json!([score(&format!("t-{number}"), "good")])).unwrap();
        assert_eq!(site.post(SCORES, JSON, body.clone()), 202);
        sent.push(body);
    }
    running.kill();
    let said = site.run(&["status"]);
    assert!(said.contains("20 requests wait for langfuse/team (default)"), "{said}");
    let _running = site.start();
    backend.answer([
        Reply::Http(503, vec![("retry-after", "1")], vec![]),
        Reply::Http(207, vec![], br#"{"successes":[],"errors":[{"id":"e-t-0-3","status":400,"message":"Invalid request data","error":"no such type"}]}"#.to_vec()),
    ]);
    backend.come();
    let taken: Vec<_> = backend.wait_for(20).into_iter().map(|taken| taken.body.to_vec()).collect();
    assert!(taken == sent, "in order, each once: {:?}", paths(&backend));
    eventually("it is counted", || metric(&site, "skillspan_forward_rejected_records_total") == 1.0);
    let said = site.run(&["status"]);
    assert!(said.contains("did not take 1 records: Invalid request data: no such type"), "{said}");
}

#[test]
fn an_erased_session_leaves_what_waits() {
    for keys in ["", ", redact: off"] {
        let mut backend = Backend::away();
        let site = of_one(keys, &backend);
        let _running = site.start();
        let gone = |number: usize| exchange("s-gone", &format!("t-gone-{number}"));
        let mixed = [gone(1), exchange("s-keep", "t-keep")].concat();
        assert_eq!(site.post(INGESTION, JSON, ingestion(&mixed)), 207);
        assert_eq!(site.post(INGESTION, JSON, ingestion(&gone(2)[..2])), 207);
        let scores = vec![score("t-gone-1", "of s-gone"), score("t-keep", "good")];
        assert_eq!(site.post(SCORES, JSON, serde_json::to_vec(&scores).unwrap()), 202);
        let said = site.run(&["erase", "--session", "s-gone"]);
        assert!(said.contains("it left 3 requests that wait for a backend"), "{keys}: {said}");
        assert!(
            said.contains("what langfuse/team (default) was sent before: erase it at http://127.0.0.1:"),
            "{said}"
        );
        let queues = if keys.is_empty() { files(&site.path("journal/forward")) } else { Vec::new() };
        for file in queues {
            assert!(!holds(&file, "s-gone") && !holds(&file, "t-gone-2"), "{} holds it", file.display());
        }
        backend.come();
        let taken = backend.wait_for(2);
        assert_eq!(json_of(&taken[0])["batch"], json!(exchange("s-keep", "t-keep")), "{keys}");
        assert_eq!(json_of(&taken[1]), json!([score("t-keep", "good")]), "{keys}");
        assert_eq!(backend.taken().len(), 2);
    }
}

#[test]
fn with_redaction_off_nothing_of_it_is_on_the_disk() {
    let backend = Backend::away();
    let site = of_one(", redact: off", &backend);
    let running = site.start();
    let mut events = exchange("s-1", "t-1");
    events[0]["body"]["input"] = json!(format!("use {}", secret(1)));
    assert_eq!(site.post(INGESTION, JSON, ingestion(&events)), 207);
    eventually("it waits", || metric(&site, "skillspan_forward_waiting") == 1.0);
    for file in files(site.folder.path()) {
        assert!(!holds(&file, &secret(1)), "{}", file.display());
    }
    running.kill();
}

/// A score whose comment takes 100 kB.
fn large(number: usize) -> Vec<u8> {
    serde_json::to_vec(&json!([score(&format!("t-{number:03}"), &"x y ".repeat(25_000))])).unwrap()
}

#[test]
fn a_full_queue_refuses_its_tenant_alone_or_drops_its_oldest() {
    let mut backend = Backend::away();
    let site = of_two(", queue: { max_size: 1MiB, on_full: refuse }", &backend);
    let _running = site.start();
    let mut taken = 0;
    while post(&site, ANA, SCORES, JSON, large(taken)) == 202 {
        taken += 1;
        assert!(taken < 30, "it refuses nothing");
    }
    assert!(taken >= 5, "{taken}");
    assert_eq!(post(&site, ANA, SCORES, JSON, large(taken)), 503);
    assert_eq!(post(&site, BEN, SCORES, JSON, large(taken)), 202, "another tenant's queue has room");
    backend.come();
    assert_eq!(backend.wait_for(taken + 1).len(), taken + 1);
    assert_eq!(metric(&site, "skillspan_forward_dropped_total"), 0.0);

    let mut backend = Backend::away();
    let site = of_one(", queue: { max_size: 1MiB }", &backend);
    let _running = site.start();
    (0..30).for_each(|number| assert_eq!(site.post(SCORES, JSON, large(number)), 202));
    let dropped = metric(&site, "skillspan_forward_dropped_total");
    backend.come();
    let arrived = backend.wait_for(30 - dropped as usize);
    assert!(
        dropped >= 19.0 && String::from_utf8_lossy(&arrived[0].body).contains(&format!("t-{dropped:03}"))
    );
}

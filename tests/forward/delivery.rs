//! Everything arrives, in order, once.

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;

use crate::backend::{Backend, Reply};
use crate::sent::{JSON, PROTOBUF, flush, forwarding, post_span, traces};
use crate::site::{Site, client, eventually};

fn names(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("span-{number:03}")).collect()
}

fn post_all(site: &Site, names: &[String]) {
    names.iter().for_each(|name| drop(post_span(site, "s-1", name)));
}

fn metric(site: &Site, name: &str) -> f64 {
    let text =
        client().get(format!("http://127.0.0.1:{}/metrics", site.health)).send().unwrap().text().unwrap();
    let lines =
        text.lines().filter(|line| line.starts_with(name) && line[name.len()..].starts_with(['{', ' ']));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

fn status(site: &Site) -> serde_json::Value {
    serde_json::from_str(&site.run(&["status", "--json"])).unwrap()
}

#[test]
fn a_backend_that_was_away_has_everything_in_order_and_once() {
    for (id, keys) in [("otlphttp/a", ""), ("otlp/a", ""), ("otlphttp/a", ", redact: off")] {
        let mut backend = Backend::away();
        let site = forwarding(&[(id, keys, &backend)]);
        let _running = site.start();
        post_all(&site, &names(0..40));
        eventually("it was tried", || metric(&site, "skillspan_forward_retries_total") > 1.0);
        let said = site.run(&["status"]);
        assert!(said.contains("unreachable") && said.contains("40 waiting"), "{said}");
        assert!(said.contains("start the backend"), "{said}");
        backend.come();
        assert_eq!(backend.wait_for_spans(40), names(0..40), "{id}{keys}");
        backend.go();
        post_all(&site, &names(40..50));
        backend.come();
        assert_eq!(backend.wait_for_spans(50), names(0..50), "{id}{keys}");
        assert!(backend.taken().len() < 20, "what waits goes together");
        eventually("nothing waits", || metric(&site, "skillspan_forward_waiting") == 0.0);
        let state = status(&site);
        assert_eq!(state["forwards"][0]["state"], "forwarding", "{state}");
        assert_eq!(metric(&site, "skillspan_forward_bodies_total"), 50.0);
    }
}

#[test]
fn a_killed_process_sends_what_it_had_answered_and_nothing_twice() {
    let mut backend = Backend::start();
    let site = forwarding(&[("otlphttp/a", ", batch: 1B", &backend)]);
    let running = site.start();
    post_all(&site, &names(0..10));
    backend.wait_for_spans(10);
    eventually("nothing waits", || metric(&site, "skillspan_forward_waiting") == 0.0);
    backend.go();
    post_all(&site, &names(10..30));
    running.kill();
    let said = site.run(&["status"]);
    assert!(said.contains("20 requests wait for otlphttp/a"), "{said}");
    backend.come();
    let _running = site.start();
    assert_eq!(backend.wait_for_spans(30), names(0..30));
    post_all(&site, &names(30..31));
    assert_eq!(backend.wait_for_spans(31), names(0..31));
}

/// The backend took it and its answer was lost: only then a body comes twice.
#[test]
fn a_lost_answer_is_the_only_reason_to_send_again() {
    let backend = Backend::start();
    let site = forwarding(&[("otlphttp/a", "", &backend)]);
    let _running = site.start();
    backend.answer([Reply::Lost]);
    post_all(&site, &names(0..1));
    backend.wait_for_spans(2);
    post_all(&site, &names(1..2));
    assert_eq!(backend.wait_for_spans(3), ["span-000", "span-000", "span-001"]);
}

#[test]
fn a_stop_sends_what_waits_and_a_start_the_rest() {
    let mut backend = Backend::start();
    let site = forwarding(&[("otlphttp/a", ", retry: { initial: 1h, max: 1h }", &backend)]);
    site.edit_config(&[("retry: { initial: 20ms, max: 100ms }, ", "")]);
    let running = site.start();
    // Nobody waits an hour for the backend when the process stops.
    backend.answer([Reply::Http(503, vec![], vec![])]);
    post_all(&site, &names(0..3));
    eventually("it was tried", || backend.attempts() > 0);
    assert_eq!(running.terminate(), Some(0));
    assert_eq!(backend.spans(), names(0..3));
    backend.go();
    let running = site.start();
    post_all(&site, &names(3..5));
    assert_eq!(running.terminate(), Some(0));
    backend.come();
    let _running = site.start();
    assert_eq!(backend.wait_for_spans(5), names(0..5));
}

#[test]
fn what_may_pass_is_tried_again_and_what_may_not_is_dropped_alone() {
    let backend = Backend::start();
    let site = forwarding(&[("otlphttp/a", "", &backend)]);
    let _running = site.start();
    let http = |status| Reply::Http(status, vec![], vec![]);
    let patience = Reply::Http(429, vec![("retry-after", "1")], vec![]);
    backend.answer([http(503), patience, http(401), http(404), http(502)]);
    post_all(&site, &names(0..1));
    assert_eq!(backend.wait_for_spans(1), names(0..1));
    assert_eq!(backend.attempts(), 6);
    // Of three that go together and are refused, only the one is dropped that is refused alone.
    backend.answer([http(503)]);
    post_all(&site, &names(1..2));
    backend.wait_for_spans(2);
    let partial = ExportTracePartialSuccess { rejected_spans: 1, error_message: "too old".to_owned() };
    let partial = ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec();
    backend
        .answer([Reply::Http(400, vec![], b"no span like this".to_vec()), Reply::Http(200, vec![], partial)]);
    post_all(&site, &names(2..3));
    eventually("it is dropped", || metric(&site, "skillspan_forward_dropped_total") == 1.0);
    post_all(&site, &names(3..4));
    assert_eq!(backend.wait_for_spans(3), ["span-000", "span-001", "span-003"]);
    eventually("it is counted", || metric(&site, "skillspan_forward_rejected_records_total") == 1.0);
    let said = site.run(&["status"]);
    assert!(
        said.contains("1 requests were not forwarded (refused, the last: it answers 400: no span like this)"),
        "{said}"
    );
    assert!(said.contains("did not take 1 records: too old"), "{said}");
}

#[test]
fn bodies_that_are_refused_together_go_one_by_one() {
    let mut backend = Backend::away();
    let site = forwarding(&[("otlp/a", "", &backend)]);
    let _running = site.start();
    post_all(&site, &names(0..3));
    // Together, then the second of three alone.
    backend.answer([
        Reply::Grpc("3"),
        Reply::Http(200, vec![("grpc-status", "0")], vec![]),
        Reply::Grpc("3"),
    ]);
    backend.come();
    eventually("two of them", || backend.taken().len() == 2);
    assert_eq!(backend.spans(), ["span-000", "span-002"]);
    assert_eq!(metric(&site, "skillspan_forward_dropped_total"), 1.0);
}

#[test]
fn codes_of_grpc_are_tried_again_or_not() {
    let backend = Backend::start();
    let site = forwarding(&[("otlp/a", "", &backend)]);
    let _running = site.start();
    // UNAVAILABLE, UNAUTHENTICATED, UNIMPLEMENTED.
    backend.answer(["14", "16", "12"].map(Reply::Grpc));
    post_all(&site, &names(0..1));
    assert_eq!(backend.wait_for_spans(1), names(0..1));
    assert_eq!(backend.attempts(), 4);
    // RESOURCE_EXHAUSTED without RetryInfo.
    backend.answer([Reply::Grpc("8")]);
    post_all(&site, &names(1..2));
    eventually("it is dropped", || metric(&site, "skillspan_forward_dropped_total") == 1.0);
    post_all(&site, &names(2..3));
    assert_eq!(backend.wait_for_spans(2), ["span-000", "span-002"]);
}

/// A span whose name takes 100 kB.
fn large(number: usize) -> Vec<u8> {
    traces("s-1", &format!("{number:03}{}", "x y ".repeat(25_000))).encode_to_vec()
}

#[test]
fn a_full_queue_drops_its_oldest_and_nobody_waits() {
    for keys in [", queue: { max_size: 1MiB }", ", redact: off, queue: { max_size: 1MiB }"] {
        let mut backend = Backend::away();
        let site = forwarding(&[("otlphttp/a", keys, &backend)]);
        let _running = site.start();
        for number in 0..30 {
            assert_eq!(site.post("/v1/traces", PROTOBUF, large(number)), 200, "{keys}: {number}");
        }
        let dropped = metric(&site, "skillspan_forward_dropped_total");
        let waiting = metric(&site, "skillspan_forward_waiting");
        assert!(
            dropped >= 19.0 && waiting >= 5.0 && dropped + waiting == 30.0,
            "{keys}: {dropped} and {waiting}"
        );
        assert!(metric(&site, "skillspan_forward_queue_bytes") <= 1_048_576.0);
        let said = site.run(&["status"]);
        assert!(
            said.contains("(queue_full)") && said.contains("raise the exporter's queue.max_size"),
            "{said}"
        );
        // One that never fits is dropped, and stored here.
        let huge = traces("s-1", &"x y ".repeat(300_000)).encode_to_vec();
        assert_eq!(site.post("/v1/traces", PROTOBUF, huge), 200);
        backend.come();
        let spans = backend.wait_for_spans(waiting as usize);
        let numbers: Vec<usize> = spans.iter().map(|name| name[..3].parse().unwrap()).collect();
        assert_eq!(numbers, (dropped as usize..30).collect::<Vec<_>>(), "{keys}: the newest, in order");
        assert!(site.run(&["status"]).contains("(too_large)"));
    }
}

#[test]
fn a_full_queue_that_refuses_loses_nothing() {
    for keys in [
        ", queue: { max_size: 1MiB, on_full: refuse }",
        ", redact: off, queue: { max_size: 1MiB, on_full: refuse }",
    ] {
        let mut backend = Backend::away();
        let site = forwarding(&[("otlphttp/a", keys, &backend)]);
        let _running = site.start();
        let mut taken = 0;
        while site.post("/v1/traces", PROTOBUF, large(taken)) == 200 {
            taken += 1;
            assert!(taken < 30, "{keys}: it refuses nothing");
        }
        assert!(taken >= 5, "{keys}: {taken}");
        assert_eq!(site.post("/v1/traces", PROTOBUF, large(taken)), 503, "{keys}");
        assert_eq!(metric(&site, "skillspan_forward_dropped_total"), 0.0);
        backend.come();
        let spans = backend.wait_for_spans(taken);
        assert_eq!(spans.len(), taken);
        eventually("there is room", || site.post("/v1/traces", PROTOBUF, large(taken)) == 200);
        assert_eq!(backend.wait_for_spans(taken + 1).len(), taken + 1, "{keys}");
    }
}

#[test]
fn each_backend_has_its_own_cursor() {
    let (mut away, here) = (Backend::away(), Backend::start());
    let site = forwarding(&[("otlphttp/away", "", &away), ("otlp/here", "", &here)]);
    let running = site.start();
    post_all(&site, &names(0..5));
    assert_eq!(here.wait_for_spans(5), names(0..5));
    eventually("it waits for nothing", || status(&site)["forwards"][1]["waiting"] == 0);
    running.kill();
    let _running = site.start();
    post_all(&site, &names(5..6));
    assert_eq!(here.wait_for_spans(6), names(0..6), "nothing twice");
    away.come();
    assert_eq!(away.wait_for_spans(6), names(0..6));
}

/// A pipeline has what it names, and a backend what its pipelines have.
#[test]
fn signals_go_where_their_pipelines_say() {
    let backend = Backend::start();
    let site = forwarding(&[("otlphttp/a", "", &backend)]);
    site.edit_config(&[("    traces: { receivers: [otlp], exporters: [otlphttp/a] }\n", "")]);
    let _running = site.start();
    post_all(&site, &names(0..1));
    let log = crate::sent::logs("acme", vec![]);
    assert_eq!(site.post("/v1/logs", JSON, serde_json::to_vec(&log).unwrap()), 200);
    assert_eq!(backend.wait_for(1)[0].path, "/v1/logs");
    assert_eq!(backend.taken().len(), 1);
}

/// What is refused is stored nowhere and goes nowhere: not here, and not to the other backends.
#[test]
fn a_request_that_a_queue_never_takes_is_refused_before_anything_is_taken() {
    for keys in ["", ", redact: off"] {
        let (away, here) = (Backend::away(), Backend::start());
        let refusing = format!("{keys}, queue: {{ max_size: 1MiB, on_full: refuse }}");
        let site = forwarding(&[("otlphttp/ref", &refusing, &away), ("otlphttp/here", "", &here)]);
        let _running = site.start();
        let huge = traces("s-huge", &"x y ".repeat(300_000)).encode_to_vec();
        assert_eq!(site.post("/v1/traces", PROTOBUF, huge), 413, "{keys}");
        // One after the other until none finds room: the last of them is refused, and nobody has it.
        let mut taken = 0;
        while site.post("/v1/traces", PROTOBUF, large(taken)) == 200 {
            taken += 1;
            assert!(taken < 30, "{keys}: it refuses nothing");
        }
        assert_eq!(here.wait_for_spans(taken).len(), taken, "{keys}");
        eventually("nothing waits there", || status(&site)["forwards"][1]["waiting"] == 0);
        assert_eq!(here.spans().len(), taken, "{keys}: what is refused is nobody's");
        flush(&site);
        assert!(site.sessions().iter().any(|session| session["id"] == "s-1"), "{keys}");
        assert!(site.sessions().iter().all(|session| session["id"] != "s-huge"), "{keys}");
        let refused = metric(&site, "skillspan_forward_refused_total");
        assert_eq!(refused, 2.0, "{keys}");
        // Clients are harmed: that is said first of all.
        let said = site.run(&["status"]);
        for reason in ["(too_large)", "(queue_full)", "on_full: drop_oldest"] {
            assert!(said.contains(reason), "{keys}, {reason}: {said}");
        }
    }
}

#[test]
fn a_backend_that_asks_for_an_age_of_patience_is_asked_again_and_status_says_when() {
    let backend = Backend::start();
    let site = forwarding(&[("otlphttp/a", "", &backend)]);
    let _running = site.start();
    backend.answer([Reply::Http(503, vec![("retry-after", "99999999999")], vec![])]);
    post_all(&site, &names(0..1));
    eventually("it was tried", || status(&site)["forwards"][0]["retry_at"].is_string());
    let at: jiff::Timestamp = status(&site)["forwards"][0]["retry_at"].as_str().unwrap().parse().unwrap();
    let wait = at.duration_since(jiff::Timestamp::now());
    assert!(wait.as_secs() > 3_500 && wait.as_secs() <= 3_600, "{wait}");
    let said = site.run(&["status"]);
    assert!(said.contains("tried again at"), "{said}");
}

#[test]
fn a_backend_that_refuses_everything_does_not_fill_the_log() {
    let backend = Backend::start();
    let site = forwarding(&[("otlphttp/a", ", batch: 1B", &backend)]);
    let _running = site.start();
    backend.answer((0..20).map(|_| Reply::Http(500, vec![], b"no".to_vec())));
    post_all(&site, &names(0..20));
    eventually("they are dropped", || metric(&site, "skillspan_forward_dropped_total") == 20.0);
    assert_eq!(site.log().matches("refused for good").count(), 1, "{}", site.log());
}

/// A forwards to B, and B to A: what comes back is refused, and said.
#[test]
fn what_comes_back_is_refused() {
    for id in ["otlphttp/a", "otlp/a"] {
        let (one, other) = (Backend::away(), Backend::away());
        let (first, second) = (forwarding(&[(id, "", &one)]), forwarding(&[(id, "", &other)]));
        first.edit_config(&[(&format!(":{}", one.port()), &format!(":{}", second.http))]);
        second.edit_config(&[(&format!(":{}", other.port()), &format!(":{}", first.http))]);
        let _running = (first.start(), second.start());
        post_all(&first, &names(0..3));
        let dropped = || metric(&second, "skillspan_forward_dropped_total");
        eventually("it comes back and is refused", || dropped() == 3.0);
        assert_eq!(metric(&first, "skillspan_forward_bodies_total"), 3.0);
        assert_eq!(metric(&second, "skillspan_forward_bodies_total"), 0.0);
        let said = second.run(&["status"]);
        assert!(said.contains("in a circle"), "{id}: {said}");
    }
}

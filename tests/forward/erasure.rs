//! Erasure and retention reach what waits.

use std::time::Duration;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use skillspan::event::{Owner, Signal, Timestamp};
use skillspan::forward::{Body, Config, Entry, Form, OnFull, Queue, QueueStorage};
use skillspan::journal::Durability;

use crate::backend::Backend;
use crate::redaction::{files, holds};
use crate::sent::{
    JSON, PROTOBUF, flush, forwarding, logs, metrics, pair, post_span, resource, span, spans_of, text,
};
use crate::site::{Site, outcome, skillspan};

/// What is sent of a session that is erased, beside others: known and unknown records, in both encodings.
fn post_both(site: &Site) {
    post_span(site, "s-keep", "one");
    let mixed = spans_of(resource(vec![]), vec![span("s-gone", "gone-1"), span("s-keep", "two")]);
    assert_eq!(site.post("/v1/traces", PROTOBUF, mixed.encode_to_vec()), 200);
    let mixed = spans_of(resource(vec![]), vec![span("s-keep", "three"), span("s-gone", "gone-2")]);
    assert_eq!(site.post("/v1/traces", JSON, serde_json::to_vec(&mixed).unwrap()), 200);
    post_span(site, "s-gone", "gone-3");
    let mut unknown = span("s-gone", "gone-4");
    unknown.attributes = vec![pair("acme.conversation", text("s-gone"))];
    let request = spans_of(resource(vec![]), vec![unknown, span("s-keep", "four")]);
    assert_eq!(site.post("/v1/traces", PROTOBUF, request.encode_to_vec()), 200);
    let log = logs("gone-5", vec![pair("conversation", text("s-gone"))]);
    assert_eq!(site.post("/v1/logs", JSON, serde_json::to_vec(&log).unwrap()), 200);
    let metric = metrics("gone.6", vec![pair("session", text("s-gone"))]);
    assert_eq!(site.post("/v1/metrics", PROTOBUF, metric.encode_to_vec()), 200);
    post_span(site, "s-keep", "five");
}

fn assert_only_kept(backend: &Backend) {
    assert_eq!(spans(backend), ["one", "two", "three", "four", "five"]);
    for taken in backend.taken() {
        assert!(!String::from_utf8_lossy(&taken.body).contains("gone"), "{taken:?}");
    }
}

/// The names of all spans that were taken, in either encoding.
fn spans(backend: &Backend) -> Vec<String> {
    let mut names = Vec::new();
    for taken in backend.taken().into_iter().filter(|taken| taken.path == "/v1/traces") {
        let request: ExportTraceServiceRequest = match taken.headers["content-type"] == JSON {
            true => serde_json::from_slice(&taken.body).unwrap(),
            false => ExportTraceServiceRequest::decode(taken.body).unwrap(),
        };
        let groups = request.resource_spans.into_iter().flat_map(|group| group.scope_spans);
        names.extend(groups.flat_map(|group| group.spans).map(|span| span.name));
    }
    names
}

fn wait_for_kept(backend: &Backend) {
    crate::site::eventually("what is kept", || spans(backend).len() >= 5);
    assert_only_kept(backend);
}

fn assert_gone_from_the_queue(site: &Site) {
    for file in files(&site.path("journal/forward")) {
        assert!(!holds(&file, "s-gone"), "{} holds it", file.display());
    }
}

#[test]
fn an_erased_session_leaves_what_waits_while_a_process_runs() {
    for keys in ["", ", redact: off"] {
        let mut backend = Backend::away();
        let site = forwarding(&[("otlphttp/a", keys, &backend)]);
        let _running = site.start();
        post_both(&site);
        let said = site.run(&["erase", "--session", "s-gone"]);
        assert!(said.contains("it left 6 requests that wait for a backend"), "{keys}: {said}");
        assert!(said.contains("what otlphttp/a was sent before: erase it at http://127.0.0.1:"), "{said}");
        if keys.is_empty() {
            assert_gone_from_the_queue(&site);
        }
        backend.come();
        wait_for_kept(&backend);
    }
}

#[test]
fn an_erased_session_leaves_what_waits_while_nothing_runs() {
    let mut backend = Backend::away();
    let site = forwarding(&[("otlphttp/a", "", &backend)]);
    let running = site.start();
    post_both(&site);
    assert_eq!(running.terminate(), Some(0));
    let said = site.run(&["erase", "--session", "s-gone"]);
    assert!(said.contains("it left 6 requests that wait for a backend"), "{said}");
    assert_gone_from_the_queue(&site);
    let _running = site.start();
    backend.come();
    wait_for_kept(&backend);
}

#[test]
fn an_erased_person_leaves_what_waits_and_what_was_sent_leaves_the_files() {
    // However the client names them: docs/guide/clients.md, "Who a person is".
    ["enduser.id", "user.email", "user.id", "user.name"].into_iter().for_each(erases_who_is_named_by);
}

fn erases_who_is_named_by(attribute: &str) {
    let mut backend = Backend::start();
    let site = forwarding(&[("otlphttp/a", "", &backend)]);
    let _running = site.start();
    let of = |person: &str, name: &str| {
        let mut span = span("s-1", name);
        span.attributes.push(pair(attribute, text(person)));
        spans_of(resource(vec![]), vec![span])
    };
    let post = |person: &str, name: &str| {
        let body = of(person, name).encode_to_vec();
        assert_eq!(site.post("/v1/traces", PROTOBUF, body), 200);
    };
    // In the file, though it was sent.
    post("ana@example.com", "sent");
    backend.wait_for_spans(1);
    backend.go();
    post("ana@example.com", "waits");
    let metric = metrics("acme", vec![pair("user.email", text("ana@example.com"))]);
    assert_eq!(site.post("/v1/metrics", PROTOBUF, metric.encode_to_vec()), 200);
    flush(&site);
    let sessions = site.sessions();
    assert!(
        sessions.iter().any(|session| session["user_id"] == "ana@example.com"),
        "{attribute}: {sessions:?}"
    );
    site.run(&["erase", "--user", "ana@example.com"]);
    assert!(!site.run(&["sessions", "list", "--json"]).contains("ana@example.com"), "{attribute}");
    for file in files(&site.path("journal/forward")) {
        assert!(!holds(&file, "ana@example.com"), "{}", file.display());
    }
    // What comes from the person later is another matter.
    post("ana@example.com", "later");
    backend.come();
    assert_eq!(backend.wait_for_spans(2), ["sent", "later"]);
    assert_eq!(backend.taken().len(), 2);
}

#[test]
fn a_queue_whose_exporter_is_gone_is_told() {
    let backend = Backend::away();
    let site = forwarding(&[("otlphttp/a", "", &backend)]);
    let running = site.start();
    post_both(&site);
    running.kill();
    site.edit_config(&[("otlphttp/a:", "otlphttp/b:")]);
    site.edit_config(&[
        ("[otlphttp/a]", "[otlphttp/b]"),
        ("[otlphttp/a]", "[otlphttp/b]"),
        ("[otlphttp/a]", "[otlphttp/b]"),
    ]);
    let said = site.run(&["status"]);
    assert!(said.contains("8 requests wait in") && said.contains("the queue of no exporter"), "{said}");
    let (code, _, told) =
        outcome(skillspan().args(["erase", "--session", "s-gone", "--config"]).arg(site.config()));
    assert!(
        code != 0 && told.contains("forward/otlphttp-a, the queue of no exporter, may hold it"),
        "{told}"
    );
}

fn entry(name: &str, ingested_at: Timestamp) -> Entry {
    let body = spans_of(resource(vec![]), vec![span("s-1", name)]).encode_to_vec();
    Entry {
        signal: Signal::Traces,
        owner: Owner::default(),
        is_confined: false,
        person: String::new(),
        ingested_at,
        hops: String::new(),
        body: Body { form: Form::Protobuf, bytes: Bytes::from(body) },
    }
}

#[tokio::test]
async fn what_waits_for_longer_than_sessions_are_kept_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue");
    for place in
        [QueueStorage::Memory, QueueStorage::Folder { path: path.clone(), durability: Durability::Os }]
    {
        let config = Config {
            place,
            max_size: 8 << 20,
            on_full: OnFull::DropOldest,
            retention: Some(Duration::from_secs(86_400)),
        };
        let queue = Queue::open(config).unwrap();
        let now = Timestamp::now();
        let days = |days: u64| now.saturating_sub(Duration::from_secs(days * 86_400));
        for (name, at) in [("too-old-1", days(3)), ("too-old-2", days(2)), ("fresh", now)] {
            queue.push(&entry(name, at).encode().into(), None).await.unwrap();
        }
        assert_eq!(queue.peek(1 << 20, false).await.unwrap().len(), 3, "the clock is not believed");
        let waiting = queue.peek(1 << 20, true).await.unwrap();
        assert_eq!(waiting.len(), 1);
        assert_eq!(waiting[0].entry, Some(entry("fresh", now)));
        let status = queue.status();
        assert_eq!((status.waiting, status.dropped["retention"]), (1, 2));
    }
}

/// An erasure that is large writes piece by piece what is left, in its order, and what was pushed is there.
#[tokio::test]
async fn an_erasure_keeps_the_order_and_lets_go_of_every_file() {
    let folder = tempfile::tempdir().unwrap();
    let place = QueueStorage::Folder { path: folder.path().join("queue"), durability: Durability::Os };
    let config = Config { place, max_size: 16 << 20, on_full: OnFull::Refuse, retention: None };
    let queue = Queue::open(config).unwrap();
    let name = |number: usize| {
        format!(
            "{number:03}-{}-{}",
            if number.is_multiple_of(3) { "gone" } else { "kept" },
            "x".repeat(100_000)
        )
    };
    let now = Timestamp::now();
    for number in 0..120 {
        queue.push(&entry(&name(number), now).encode().into(), None).await.unwrap();
    }
    let mut change = |entry: Entry| (!holds_text(&entry, "-gone-")).then_some(entry);
    let erased = queue.erase(&mut change).await.unwrap();
    assert_eq!(erased.bodies, 40);
    queue.push(&entry("last", now).encode().into(), None).await.unwrap();
    for file in files(folder.path()) {
        assert!(!holds(&file, "-gone-"), "{}", file.display());
    }
    let mut seen = Vec::new();
    while seen.len() < 81 {
        for waiting in queue.peek(1 << 20, true).await.unwrap() {
            seen.push(waiting.entry.unwrap());
            queue.done(waiting.sequence + 1).await.unwrap();
        }
    }
    let kept = (0..120).filter(|number| number % 3 != 0).map(|number| entry(&name(number), now));
    assert!(seen.iter().eq(kept.chain([entry("last", now)]).collect::<Vec<_>>().iter()));
    assert_eq!(queue.status().waiting, 0);
}

fn holds_text(entry: &Entry, text: &str) -> bool {
    entry.body.bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Going back to this version loses nothing that a later one put into the queue.
#[tokio::test]
async fn what_a_later_version_queued_is_neither_sent_nor_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let place = QueueStorage::Folder { path: folder.path().join("queue"), durability: Durability::Os };
    let config = Config { place, max_size: 8 << 20, on_full: OnFull::Refuse, retention: None };
    let queue = Queue::open(config).unwrap();
    let now = Timestamp::now();
    queue.push(&entry("known", now).encode().into(), None).await.unwrap();
    let mut newer = entry("newer", now).encode();
    newer[4] = 9;
    queue.push(&newer.into(), None).await.unwrap();
    queue.push(&entry("behind it", now).encode().into(), None).await.unwrap();

    let waiting = queue.peek(1 << 20, true).await.unwrap();
    assert_eq!(
        waiting.iter().map(|one| one.entry.clone().unwrap()).collect::<Vec<_>>(),
        [entry("known", now)]
    );
    queue.done(waiting[0].sequence + 1).await.unwrap();
    let error = queue.peek(1 << 20, true).await.unwrap_err().to_string();
    assert!(error.contains("layout 9") && error.contains("use the newer skillspan"), "{error}");
    assert_eq!(queue.status().waiting, 2, "it waits for the newer version");
}

//! What is not forwarded.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValueList};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use prost::Message;

use crate::backend::Backend;
use crate::sent::{
    JSON, PROTOBUF, forwarding, logs, metrics, pair, post_span, resource, span, spans_of, text, traces,
};
use crate::site::client;

/// A token of GitHub's, made of a number so that each is another one.
fn secret(number: usize) -> String {
    format!("ghp_{}{number:02}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7")
}

/// A span with a secret at every place that holds a text, and how many that are.
fn full_of_secrets() -> (Span, usize) {
    let mut count = 0;
    let mut next = || {
        count += 1;
        secret(count)
    };
    let list = |values: Vec<AnyValue>| AnyValue { value: Some(Value::ArrayValue(ArrayValue { values })) };
    let fields = |values| AnyValue { value: Some(Value::KvlistValue(KeyValueList { values })) };
    let mut span = span("s-1", &format!("run {}", next()));
    span.trace_state = format!("a={}", next());
    span.status = Some(Status { message: next(), code: 2 });
    span.attributes.extend([
        pair("text", text(&format!("export GITHUB_TOKEN={} && make", next()))),
        pair("list", list(vec![text(&next()), list(vec![text(&next())])])),
        pair("fields", fields(vec![pair("inner", text(&next()))])),
        pair("bytes", AnyValue { value: Some(Value::BytesValue(next().into_bytes())) }),
        pair(&next(), text("its name is one")),
    ]);
    span.events.push(Event { name: next(), attributes: vec![pair("e", text(&next()))], ..Event::default() });
    span.links.push(Link {
        trace_id: vec![1; 16],
        span_id: vec![1; 8],
        attributes: vec![pair("l", text(&next()))],
        ..Link::default()
    });
    (span, count)
}

#[test]
fn credentials_leave_every_text_in_both_encodings() {
    let backend = Backend::start();
    let site = forwarding(&[("otlphttp/a", "", &backend)]);
    let _running = site.start();
    let (span, count) = full_of_secrets();
    let around = resource(vec![pair("deploy", text(&secret(90))), pair("service.name", text("shop"))]);
    let request = spans_of(around, vec![span, self::span("s-1", "plain")]);
    assert_eq!(site.post("/v1/traces", PROTOBUF, request.encode_to_vec()), 200);
    assert_eq!(site.post("/v1/traces", JSON, serde_json::to_vec(&request).unwrap()), 200);
    let taken = backend.wait_for(2);
    let protobuf = ExportTraceServiceRequest::decode(taken[0].body.clone()).unwrap();
    let json: ExportTraceServiceRequest = serde_json::from_slice(&taken[1].body).unwrap();
    assert_eq!(protobuf, json, "both encodings lose the same");
    let shown = format!("{protobuf:?}{}", String::from_utf8_lossy(&taken[0].body));
    for number in (1..=count).chain([90]) {
        assert!(!shown.contains(&secret(number)), "{number}: {protobuf:#?}");
        let bytes = taken[1].body.windows(secret(number).len());
        assert!(bytes.into_iter().all(|bytes| bytes != secret(number).as_bytes()), "{number}");
    }
    let placeholders = String::from_utf8_lossy(&taken[0].body).matches("[redacted:github-token:").count();
    assert_eq!(placeholders, count + 1);
    let spans = &protobuf.resource_spans[0].scope_spans[0].spans;
    assert_eq!(spans[1], request.resource_spans[0].scope_spans[0].spans[1], "what has none stays");
    assert_eq!(spans[0].trace_id, request.resource_spans[0].scope_spans[0].spans[0].trace_id);
}

#[test]
fn numbers_under_a_secrets_name_and_named_attributes_leave() {
    let backend = Backend::start();
    let site = forwarding(&[("otlphttp/a", "", &backend)]);
    let _running = site.start();
    let number = AnyValue { value: Some(Value::IntValue(8_412_907_733_125_904)) };
    let attributes = vec![
        pair("DB_PASSWORD", number),
        pair("process.owner", text("ana")),
        pair("count", AnyValue { value: Some(Value::IntValue(42)) }),
    ];
    for content_type in [PROTOBUF, JSON] {
        let request = logs("acme", attributes.clone());
        let body = match content_type {
            JSON => serde_json::to_vec(&request).unwrap(),
            _ => request.encode_to_vec(),
        };
        assert_eq!(site.post("/v1/logs", content_type, body), 200);
    }
    for (taken, form) in backend.wait_for(2).iter().zip(["protobuf", "json"]) {
        let body = String::from_utf8_lossy(&taken.body);
        assert!(body.contains("[redacted:assigned-secret:"), "{form}: {body}");
        assert!(!body.contains("8412907733125904") && !body.contains("process.owner"), "{form}: {body}");
        assert!(body.contains("count") && body.contains("something nobody here knows"), "{form}: {body}");
    }
}

#[test]
fn metrics_and_fields_that_nobody_knows_are_looked_through() {
    let backend = Backend::start();
    let site = forwarding(&[("otlphttp/a", "", &backend)]);
    let _running = site.start();
    let request = metrics("acme", vec![pair("who", text(&secret(1))), pair("process.owner", text("ana"))]);
    assert_eq!(site.post("/v1/metrics", PROTOBUF, request.encode_to_vec()), 200);
    // Field 77 of the request, a text.
    let unknown = [&[0xea, 0x04, secret(2).len() as u8][..], secret(2).as_bytes()].concat();
    let body = [traces("s-1", "one").encode_to_vec(), unknown].concat();
    assert_eq!(site.post("/v1/traces", PROTOBUF, body), 200);
    let taken = backend.wait_for(2);
    let metric = String::from_utf8_lossy(&taken[0].body);
    assert!(metric.contains("[redacted:github-token:") && !metric.contains("process.owner"), "{metric}");
    assert_eq!(taken[1].body, traces("s-1", "one").encode_to_vec(), "nobody can change it, so it stays here");
}

#[test]
fn what_is_opted_out_is_not_forwarded() {
    let backend = Backend::start();
    let site = forwarding(&[("otlphttp/a", ", redact: off", &backend)]);
    let _running = site.start();
    let off = || pair("skillspan.capture", text("false"));
    let mut record = span("s-out", "opted-out");
    record.attributes.push(off());
    let mixed = spans_of(resource(vec![]), vec![span("s-1", "kept"), record.clone()]);
    let mut allowed = span("s-1", "allowed");
    allowed.attributes.push(pair("skillspan.capture", text("true")));
    for encode in
        [(|request| (PROTOBUF, request.encode_to_vec())) as fn(&ExportTraceServiceRequest) -> _, |request| {
            (JSON, serde_json::to_vec(request).unwrap())
        }]
    {
        for request in [
            mixed.clone(),
            spans_of(resource(vec![off()]), vec![span("s-out", "opted-out by its resource")]),
            spans_of(resource(vec![]), vec![record.clone()]),
            spans_of(resource(vec![]), vec![allowed.clone()]),
        ] {
            let (content_type, body) = encode(&request);
            assert_eq!(site.post("/v1/traces", content_type, body), 200);
        }
    }
    let off = metrics("opted-out", vec![off()]);
    assert_eq!(site.post("/v1/metrics", PROTOBUF, off.encode_to_vec()), 200);
    let by_header = client()
        .post(format!("http://127.0.0.1:{}/v1/traces", site.http))
        .header("content-type", PROTOBUF)
        .header("x-skillspan-capture", "off")
        .body(traces("s-out", "opted-out by its request").encode_to_vec());
    assert_eq!(by_header.send().unwrap().status(), 200);
    post_span(&site, "s-1", "last");
    let taken = backend.wait_for(5);
    assert_eq!(taken.len(), 5);
    for taken in &taken {
        let body = String::from_utf8_lossy(&taken.body);
        assert!(!body.contains("opted-out") && !body.contains("s-out"), "{body}");
    }
    let bodies: Vec<_> = taken.iter().map(|taken| String::from_utf8_lossy(&taken.body)).collect();
    assert!(bodies[0].contains("kept") && bodies[1].contains("allowed") && bodies[4].contains("last"));
}

#[test]
fn with_redaction_off_nothing_of_it_is_on_the_disk() {
    let backend = Backend::away();
    let site = forwarding(&[("otlphttp/a", ", redact: off", &backend)]);
    let running = site.start();
    let mut request = traces("s-1", "one");
    request.resource_spans[0].scope_spans[0].spans[0].attributes.push(pair("token", text(&secret(7))));
    assert_eq!(site.post("/v1/traces", PROTOBUF, request.encode_to_vec()), 200);
    assert!(!site.path("journal/forward").exists());
    assert!(files(site.folder.path()).iter().all(|file| !holds(file, &secret(7))), "it is on the disk");
    let log = site.log();
    assert!(log.contains("waits in memory alone") && log.contains("nothing redacted"), "{log}");
    assert!(log.contains("exporters.otlphttp/a.redact: off: credentials are forwarded as they are"), "{log}");
    let status = site.run(&["status"]);
    assert!(status.contains("1 waiting") && status.contains("in memory"), "{status}");
    let mut backend = backend;
    backend.come();
    assert_eq!(backend.wait_for(1)[0].body, request.encode_to_vec());
    drop(running);
}

pub(crate) fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

pub(crate) fn holds(file: &std::path::Path, text: &str) -> bool {
    let bytes = std::fs::read(file).unwrap_or_default();
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

//! Sessions that say that they are not to be stored.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use serde::Serialize;

use crate::site::{Site, client, eventually};
use crate::support::{files, pair, prompt, site, span, table_texts, text};

fn no() -> AnyValue {
    AnyValue { value: Some(Value::BoolValue(false)) }
}

fn say(session: &str, words: &str) -> ExportLogsServiceRequest {
    prompt(session, vec![pair("prompt", text(words))])
}

fn opted_out(session: &str, words: &str) -> ExportLogsServiceRequest {
    prompt(session, vec![pair("prompt", text(words)), pair("skillspan.capture", no())])
}

fn post(site: &Site, path: &str, request: &impl Serialize) {
    post_with(site, path, &[], request);
}

fn post_with(site: &Site, path: &str, headers: &[(&str, &str)], request: &impl Serialize) {
    let mut posting = client().post(format!("http://127.0.0.1:{}{path}", site.http));
    for (name, value) in headers {
        posting = posting.header(*name, *value);
    }
    let body = serde_json::to_vec(request).unwrap();
    let answer = posting.header("content-type", "application/json").body(body).send().unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().unwrap());
}

fn names(site: &Site) -> Vec<String> {
    site.sessions().iter().map(|session| session["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_session_that_opts_out_is_forgotten_with_what_came_before_and_what_comes_after() {
    let site = site(&[], "");
    let running = site.start();
    post(&site, "/v1/logs", &say("mine", "words from before"));
    post(&site, "/v1/logs", &say("theirs", "words of others"));
    assert_eq!(names(&site), ["mine", "theirs"]);

    post(&site, "/v1/logs", &opted_out("mine", "words with the wish"));
    assert_eq!(names(&site), ["theirs"]);
    post(&site, "/v1/logs", &say("mine", "words from after"));
    assert_eq!(names(&site), ["theirs"]);
    assert_eq!(running.terminate(), Some(0));

    // Upkeep begins with the start, and takes the rows out of the files.
    let _running = site.start();
    let table = site.path("sessions");
    eventually("the rows have left the files", || !table_texts(&table).contains("words from before"));
    let texts = table_texts(&table);
    assert!(texts.contains("words of others") && !texts.contains("words from after"), "{texts}");
    for file in files(site.folder.path()) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(memchr::memmem::find(&bytes, b"words with the wish").is_none(), "{}", file.display());
    }
}

#[test]
fn a_request_may_opt_out_as_a_whole() {
    let site = site(&[], "");
    let _running = site.start();
    post(&site, "/v1/logs", &say("mine", "words from before"));
    post(&site, "/v1/logs", &say("theirs", "words of others"));
    post_with(&site, "/v1/logs", &[("x-skillspan-capture", "false")], &say("mine", "words"));
    assert_eq!(names(&site), ["theirs"]);
}

#[test]
fn a_record_without_a_session_opts_out_the_session_of_its_trace() {
    let site = site(&[], "");
    let _running = site.start();
    let nameless = |request: &mut ExportTraceServiceRequest| {
        let attributes = &mut request.resource_spans[0].scope_spans[0].spans[0].attributes;
        attributes.retain(|attribute| attribute.key != "session.id");
        attributes.push(pair("skillspan.capture", no()));
    };
    post(&site, "/v1/traces", &span("mine", 1, |_, _| {}));
    post(&site, "/v1/traces", &span("theirs", 2, |_, _| {}));
    assert_eq!(names(&site), ["mine", "theirs"]);
    let mut later = span("", 1, |span, _| span.span_id = vec![9; 8]);
    nameless(&mut later);
    post(&site, "/v1/traces", &later);
    assert_eq!(names(&site), ["theirs"]);

    // Also where both wait in the journal.
    post(&site, "/v1/traces", &span("another", 3, |_, _| {}));
    let mut later = span("", 3, |span, _| span.span_id = vec![9; 8]);
    nameless(&mut later);
    post(&site, "/v1/traces", &later);
    assert_eq!(names(&site), ["theirs"]);
}

#[test]
fn an_opt_out_that_was_accepted_survives_a_kill() {
    let lazy = "  parquet: { flush: { age: 1h, on_session_end: false } }\n  filesystem:";
    let site = site(&[("  filesystem:", lazy)], "");
    let running = site.start();
    post(&site, "/v1/logs", &say("mine", "words from before"));
    post(&site, "/v1/logs", &say("theirs", "words of others"));
    post(&site, "/v1/logs", &opted_out("mine", "words"));
    running.kill();
    let _running = site.start();
    assert_eq!(names(&site), ["theirs"]);
}

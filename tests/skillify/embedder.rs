//! Vectors of words from a server, one that misbehaves among them.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::time::Duration;

use serde_json::{Value, json};
use skillspan::secret::Secret;
use skillspan::skillify::Vectors;
use skillspan::skillify::llm::{Embedded, Embedder, EmbeddingEndpoint, Failure};

use crate::model_server::{Behaviour, KEY, Server, embedded};

fn endpoint_of(server: &Server) -> EmbeddingEndpoint {
    EmbeddingEndpoint {
        url: format!("http://{}/v1", server.address),
        model: "small".into(),
        api_key: Some(Secret::new(KEY)),
        // As long as a busy machine takes.
        timeout: Duration::from_secs(60),
    }
}

fn words(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("word{number:03}")).collect()
}

fn ask(server: &Server, words: &[String]) -> Embedded {
    ask_at(endpoint_of(server), server, words)
}

fn ask_at(endpoint: EmbeddingEndpoint, server: &Server, words: &[String]) -> Embedded {
    let embedder = Embedder::new(endpoint).unwrap();
    server.runtime.block_on(embedder.embed(words, &Vectors::default(), pending()))
}

fn failures(failure: Failure, count: u64) -> BTreeMap<Failure, u64> {
    BTreeMap::from([(failure, count)])
}

#[test]
fn each_word_is_sent_once_by_itself_and_has_the_vector_of_its_index() {
    let server = Server::start(vec![Behaviour::Body(embedded)]);
    let answer = ask(&server, &["database".to_owned(), "map".to_owned()]);
    let mut expected = Vectors::default();
    expected.insert("map", vec![3.0, 1.0, 0.5]).unwrap();
    expected.insert("database", vec![8.0, 1.0, 0.5]).unwrap();
    assert_eq!(answer.vectors, expected);
    assert_eq!((answer.requests, answer.failures), (1, BTreeMap::new()));
    let (headers, body) = server.requests().remove(0);
    assert_eq!(headers["authorization"], format!("Bearer {KEY}").as_str());
    assert_eq!(
        body,
        json!({ "model": "small", "input": ["database", "map"], "encoding_format": "float" }),
        "and nothing else"
    );
    assert!(!format!("{:?}", endpoint_of(&server)).contains(KEY));
}

#[test]
fn many_words_are_sent_in_batches() {
    let server = Server::start(vec![Behaviour::Body(embedded)]);
    let answer = ask(&server, &words(70));
    assert_eq!((answer.vectors.len(), answer.requests), (70, 3));
    let lengths =
        server.requests().iter().map(|(_, body)| body["input"].as_array().unwrap().len()).collect::<Vec<_>>();
    assert_eq!(lengths, [32, 32, 6]);
    assert_eq!(ask(&server, &[]).requests, 0);
}

#[test]
fn a_busy_server_is_asked_again_after_the_time_it_names() {
    for status in [429, 503, 529] {
        let server = Server::start(vec![
            Behaviour::Status(status, Some(("retry-after-ms", "20"))),
            Behaviour::Status(status, Some(("retry-after", "0"))),
            Behaviour::Body(embedded),
        ]);
        let answer = ask(&server, &words(1));
        assert_eq!((answer.vectors.len(), answer.requests, answer.failures), (1, 3, BTreeMap::new()));
    }
    let server = Server::start(vec![Behaviour::Status(429, Some(("retry-after", "3600")))]);
    let answer = ask(&server, &words(1));
    assert_eq!((answer.requests, answer.failures), (1, failures(Failure::RateLimited, 1)));
}

#[test]
fn what_fails_keeps_what_came_before() {
    let quick = Some(("retry-after-ms", "1"));
    let server = Server::start(vec![Behaviour::Body(embedded), Behaviour::Status(500, quick)]);
    let answer = ask(&server, &words(40));
    assert_eq!((answer.vectors.len(), answer.requests), (32, 4));
    assert_eq!(answer.failures, failures(Failure::Server, 1));
}

#[test]
fn a_server_that_fails_is_left_alone_after_three_batches() {
    let server = Server::start(vec![Behaviour::Status(400, None)]);
    let answer = ask(&server, &words(200));
    assert_eq!((answer.requests, answer.failures), (3, failures(Failure::Status, 3)));
    for (status, failure) in [(401, Failure::Credentials), (404, Failure::NotFound)] {
        let server = Server::start(vec![Behaviour::Status(status, None)]);
        let answer = ask(&server, &words(200));
        assert_eq!((answer.requests, answer.failures), (1, failures(failure, 1)), "nobody else is asked");
    }
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    let server = Server::start(vec![Behaviour::Hang]);
    let impatient = EmbeddingEndpoint { timeout: Duration::from_millis(500), ..endpoint_of(&server) };
    assert_eq!(ask_at(impatient, &server, &words(1)).failures, failures(Failure::Network, 1));
    let server = Server::start(vec![Behaviour::Cut]);
    assert_eq!(ask(&server, &words(1)).failures, failures(Failure::Network, 1));
}

#[test]
fn an_answer_that_is_not_a_vector_for_each_word_is_none() {
    for body in [
        "",
        "<html>",
        "[]",
        r#"{"data":[]}"#,
        r#"{"data":[{"index":0,"embedding":[1.0,0.0]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1.0]},{"index":0,"embedding":[1.0]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1.0]},{"index":2,"embedding":[1.0]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1.0]},{"index":1,"embedding":[1.0]},{"index":2,"embedding":[1.0]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1.0]},{"index":1,"embedding":[1.0,2.0]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1.0]},{"index":1,"embedding":[]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1.0]},{"index":1,"embedding":[NaN]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1.0]},{"index":1,"embedding":[1e39]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1.0]},{"index":1,"embedding":[null]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1.0]},{"index":1,"embedding":"AACAPw=="}]}"#,
        r#"{"data":[{"index":0,"embedding":[1.0]},{"index":-1,"embedding":[1.0]}]}"#,
    ] {
        let server = Server::start(vec![Behaviour::Raw(body)]);
        let answer = ask(&server, &words(2));
        assert_eq!(answer.failures, failures(Failure::Unreadable, 1), "{body}");
        assert!(answer.vectors.is_empty() && answer.unknown.is_empty(), "{body}");
    }
}

#[test]
fn batches_of_one_run_have_one_dimension() {
    let wider = |request: &Value| embedded(request).replace("1.0,0.5]", "1.0,0.5,0.5]");
    let server = Server::start(vec![Behaviour::Body(embedded), Behaviour::Body(wider)]);
    let answer = ask(&server, &words(40));
    assert_eq!((answer.vectors.len(), answer.failures), (32, failures(Failure::Unreadable, 1)));
    let mut known = Vectors::default();
    known.insert("map", vec![1.0, 0.0]).unwrap();
    let server = Server::start(vec![Behaviour::Body(embedded)]);
    let embedder = Embedder::new(endpoint_of(&server)).unwrap();
    let answer = server.runtime.block_on(embedder.embed(&words(1), &known, pending()));
    assert_eq!(answer.failures, failures(Failure::Unreadable, 1), "as cached ones have");
}

#[test]
fn a_word_that_the_model_does_not_know_is_remembered_as_such() {
    let zeros = r#"{"data":[{"index":0,"embedding":[0,0]},{"index":1,"embedding":[0,1]}]}"#;
    let server = Server::start(vec![Behaviour::Raw(zeros)]);
    let answer = ask(&server, &words(2));
    assert_eq!(answer.unknown, BTreeSet::from(["word000".to_owned()]));
    assert_eq!((answer.vectors.len(), answer.failures), (1, BTreeMap::new()));
}

//! `/mcp` as HTTP has it: what is said of how it is asked.

use serde_json::{Value, json};

use crate::roles::{READ, team_with};
use crate::visitor::House;

fn post(house: &House) -> reqwest::blocking::RequestBuilder {
    crate::site::client().post(format!("http://127.0.0.1:{}/mcp", house.port))
}

fn ping() -> String {
    json!({ "jsonrpc": "2.0", "id": 7, "method": "ping" }).to_string()
}

#[test]
fn how_it_is_asked_is_told() {
    let house = team_with(&[]);
    let json = "application/json";
    // Who shows nothing is told what to show.
    let answer = post(&house).header("content-type", json).body(ping()).send().unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["www-authenticate"]),
        (401, &"Bearer realm=\"skillspan\"".parse().unwrap())
    );
    // What is no JSON, or is not said to be.
    for content_type in [Some("text/plain"), Some("application/x-www-form-urlencoded"), None] {
        let mut request = post(&house).bearer_auth(READ).body(ping());
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let answer = request.send().unwrap();
        assert_eq!(answer.status().as_u16(), 415, "{content_type:?}");
        let says: Value = serde_json::from_str(&answer.text().unwrap()).unwrap();
        assert!(says["error"]["message"].as_str().unwrap().contains("application/json"), "{says}");
    }
    let answer =
        post(&house).bearer_auth(READ).header("content-type", "Application/JSON; charset=utf-8").body(ping());
    assert_eq!(answer.send().unwrap().status().as_u16(), 200);
    // What is too long is told so, and the connection is not cut.
    let long = vec![b' '; 5_000_000];
    let answer = post(&house).bearer_auth(READ).header("content-type", json).body(long).send().unwrap();
    assert_eq!(answer.status().as_u16(), 413);
    assert!(answer.text().unwrap().contains("262144"));
    // Other methods: the header and the text say one thing.
    for method in ["GET", "PUT", "DELETE"] {
        let url = format!("http://127.0.0.1:{}/mcp", house.port);
        let request = crate::site::client().request(method.parse().unwrap(), url).bearer_auth(READ);
        let answer = request.send().unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["allow"]),
            (405, &"POST".parse().unwrap()),
            "{method}"
        );
        let says = answer.text().unwrap();
        assert!(says.contains("POST") && !says.contains("GET"), "{method}: {says}");
    }
    // Nobody waits for an answer to what has no id.
    for params in [json!("x"), json!([1]), json!({ "requestId": [] })] {
        let note = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params });
        let answer = post(&house).bearer_auth(READ).header("content-type", json).body(note.to_string());
        let answer = answer.send().unwrap();
        assert_eq!((answer.status().as_u16(), answer.text().unwrap()), (202, String::new()));
    }
}

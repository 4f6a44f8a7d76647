//! `/api/v1/` answers as its document says, and nothing that may be asked makes it fail.

use serde_json::{Value, json};

use crate::visitor::{House, Visitor, encoded, stories};

fn document() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/console/openapi.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What is wrong with a value, by the part of JSON Schema that the document uses. A property that the document does
/// not name is wrong: it is to name all.
fn wrongs(document: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.strip_prefix('#').unwrap();
        let schema = document.pointer(pointer).unwrap_or_else(|| panic!("{reference} is nowhere"));
        return wrongs(document, schema, value, at, found);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().map(|one| one.as_str().unwrap()).collect(),
        Value::Null => return,
        other => panic!("{at}: type {other}"),
    };
    let own = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_number = own == "integer" && types.contains(&"number");
    if !is_number && !types.contains(&own) {
        found.push(format!("{at} is {own}, not {types:?}"));
        return;
    }
    if let (Some(known), Some(text)) = (schema["enum"].as_array(), value.as_str())
        && !known.iter().any(|one| one == text)
    {
        found.push(format!("{at}: {text:?} is none of {known:?}"));
    }
    if let Some(items) = value.as_array() {
        items
            .iter()
            .enumerate()
            .for_each(|(n, item)| wrongs(document, &schema["items"], item, &format!("{at}[{n}]"), found));
    }
    if let Some(fields) = value.as_object() {
        let properties = schema["properties"].as_object();
        for required in schema["required"].as_array().into_iter().flatten() {
            if !fields.contains_key(required.as_str().unwrap()) {
                found.push(format!("{at}.{required} is missing"));
            }
        }
        for (name, own) in fields {
            match (properties.and_then(|known| known.get(name)), &schema["additionalProperties"]) {
                (Some(schema), _) => wrongs(document, schema, own, &format!("{at}.{name}"), found),
                (None, Value::Object(_)) => {
                    wrongs(document, &schema["additionalProperties"], own, &format!("{at}.{name}"), found);
                }
                (None, Value::Bool(true)) => {}
                (None, _) => found.push(format!("{at}.{name} is not in the document")),
            }
        }
    }
}

fn hold(document: &Value, path: &str, answer: &Value) {
    let schema =
        document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"].clone();
    assert!(schema.is_object(), "{path} has no schema");
    let mut found = Vec::new();
    wrongs(document, &schema, answer, path, &mut found);
    assert_eq!(found, Vec::<String>::new());
}

/// A console with sessions, a skill and a proposal.
fn full() -> (House, Visitor) {
    let house = House::open();
    house.send(&stories("s", "shop", "make db-up"));
    house.send(&stories("k", "kitchen", "ssh build-host make db-up"));
    house.mine();
    let owner = house.owner();
    (house, owner)
}

#[test]
fn what_is_answered_is_what_the_document_says() {
    let (_house, owner) = full();
    let document = document();
    let skill = owner.json("/skills")["targets"][0]["skills"]
        .as_array()
        .unwrap()
        .iter()
        .find(|skill| skill["state"] == "published")
        .unwrap()["name"]
        .as_str()
        .unwrap()
        .to_owned();
    let proposal = owner.json("/review")["proposals"][0]["name"].as_str().unwrap().to_owned();
    let event = owner.json("/sessions/s-1")["items"][0]["anchors"][0].as_str().unwrap().to_owned();
    // A report is made in the background.
    for _ in 0..300 {
        if !owner.json("/report")["report"].is_null() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let mut asked = vec![("/openapi.json", "/openapi.json".to_owned())];
    for path in ["/overview", "/sessions", "/work", "/skills", "/review", "/report"] {
        asked.push((path, path.to_owned()));
    }
    asked.push(("/sessions/{id}", "/sessions/s-1".to_owned()));
    asked.push(("/sessions/{id}/events/{event}", format!("/sessions/s-1/events/{event}")));
    let cluster = owner.json("/work")["workspaces"][0]["clusters"][0]["id"].as_str().unwrap().to_owned();
    asked.push(("/work/clusters/{id}", format!("/work/clusters/{cluster}")));
    asked.push(("/skills/{name}", format!("/skills/{skill}")));
    asked.push(("/skills/{name}/claims/{number}", format!("/skills/{skill}/claims/1")));
    asked.push(("/review/{name}", format!("/review/{proposal}")));
    let described: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    for path in &described {
        assert!(asked.iter().any(|(known, _)| known == path), "{path} is described and not asked for");
    }
    for (path, address) in &asked {
        hold(&document, path, &owner.json(address));
    }
    assert_eq!(owner.json("/openapi.json"), document);
}

#[test]
fn an_empty_console_answers_as_the_document_says() {
    let house = House::open();
    let (owner, document) = (house.owner(), document());
    for path in ["/overview", "/sessions", "/work", "/skills", "/review", "/report"] {
        hold(&document, path, &owner.json(path));
    }
}

#[test]
fn a_program_decides_with_the_sessions_token() {
    let (house, owner) = full();
    let proposal = owner.json("/review")["proposals"][0]["name"].as_str().unwrap().to_owned();
    let seen = owner.json(&format!("/review/{proposal}"))["seen"].clone();
    let client = crate::site::client();
    let post = |body: &Value, csrf: &str| {
        let request = client.post(owner.address(&format!("/api/v1/review/{proposal}")));
        let request = request.header("cookie", &owner.cookie).header("x-csrf-token", csrf);
        request.header("origin", owner.address("")).json(body).send().unwrap()
    };
    let body = json!({ "tenant": "default", "action": "accept", "seen": seen });
    assert_eq!(post(&body, "wrong").status(), 403);
    for wrong in [json!([]), json!({ "action": 1 }), json!({ "action": "delete" }), json!("x")] {
        assert_eq!(post(&wrong, &owner.csrf()).status(), 400, "{wrong}");
    }
    let answer: Value = serde_json::from_str(&post(&body, &owner.csrf()).text().unwrap()).unwrap();
    assert!(answer["done"][0].as_str().unwrap().contains("in place"), "{answer}");
    assert!(house.site.skills().iter().any(|folder| folder.ends_with(&proposal)));
}

/// Of each parameter that the document names, values that are none: generated, the same every time.
#[test]
fn nothing_that_is_asked_makes_it_fail() {
    let (_house, owner) = full();
    let document = document();
    let long = "x".repeat(500);
    let odd = [
        "",
        " ",
        "0",
        "-1",
        "1e99",
        "9223372036854775808",
        "2026-13-45",
        "0000-00-00",
        "9999-12-31",
        "~~",
        "2026-11-01~1~x",
        "\u{0}",
        "\u{202e}",
        "é",
        "../..",
        "%",
        "trace:",
        "event:",
        "trace:0",
        "null",
        "[]",
        "{}",
        "true",
        "*",
        "'",
        long.as_str(),
    ];
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let parameters = operations["get"]["parameters"].as_array().cloned().unwrap_or_default();
        let names = |place: &str| -> Vec<String> {
            let own = parameters.iter().filter(|one| one["in"] == place);
            own.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
        };
        for value in odd {
            let mut address = path.clone();
            for name in names("path") {
                let value = if value.is_empty() { "x" } else { value };
                address = address.replace(&format!("{{{name}}}"), &encoded(value));
            }
            let query: Vec<String> =
                names("query").iter().map(|name| format!("{name}={}", encoded(value))).collect();
            for query in query
                .iter()
                .cloned()
                .chain([query.join("&"), format!("{}&{}", query.join("&"), query.join("&"))])
            {
                let answer = owner.get_with(&format!("/api/v1{address}?{query}"), &[]);
                assert!(answer.status < 500, "{address}?{query}: {} {}", answer.status, answer.text);
                let value: Result<Value, _> = serde_json::from_str(&answer.text);
                assert!(value.is_ok(), "{address}?{query}: {}", answer.text);
                asked += 1;
            }
        }
    }
    assert!(asked > 500, "only {asked} were asked");
}

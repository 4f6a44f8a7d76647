//! JSON as other encoders write it: understood, or refused by name, never answered 200 and gone.

use crate::harness::{Running, send_json};

const JSON: &str = "application/json";

/// A call of a tool with its result, in names and ids of a form.
fn call(names: &dyn Fn(&str) -> String, value: &dyn Fn(&str) -> String, trace: &str, span: &str) -> String {
    let attribute = |key: &str, text: &str| {
        format!(r#"{{"{}":"{key}","{}":{}}}"#, names("key"), names("value"), value(text))
    };
    let attributes = [
        attribute("gen_ai.operation.name", "execute_tool"),
        attribute("gen_ai.tool.name", "shell"),
        attribute("gen_ai.tool.call.id", "c7"),
        attribute("gen_ai.tool.call.result", "fine"),
    ];
    let span = format!(
        r#"{{"{}":"{trace}","{}":"{span}","{}":"execute_tool shell","{}":"1795340000000000000","{}":"1795340001000000000","{}":[{}]}}"#,
        names("traceId"),
        names("spanId"),
        names("name"),
        names("startTimeUnixNano"),
        names("endTimeUnixNano"),
        names("attributes"),
        attributes.join(",")
    );
    let scope =
        format!(r#"{{"{}":{{"{}":"app"}},"{}":[{span}]}}"#, names("scope"), names("name"), names("spans"));
    format!(r#"{{"{}":[{{"{}":[{scope}]}}]}}"#, names("resourceSpans"), names("scopeSpans"))
}

fn plain(name: &str) -> String {
    name.to_owned()
}

fn text(value: &str) -> String {
    format!(r#"{{"stringValue":"{value}"}}"#)
}

fn snake(name: &str) -> String {
    name.chars()
        .flat_map(|c| if c.is_uppercase() { vec!['_', c.to_ascii_lowercase()] } else { vec![c] })
        .collect()
}

fn go(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
}

fn old(name: &str) -> String {
    match name {
        "scope" => "instrumentationLibrary".to_owned(),
        "scopeSpans" => "instrumentationLibrarySpans".to_owned(),
        name => name.to_owned(),
    }
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

#[tokio::test]
async fn other_encoders_are_understood() {
    let running = Running::start().await;
    let snake_text = |value: &str| format!(r#"{{"string_value":"{value}"}}"#);
    let go_text = |value: &str| format!(r#"{{"Value":{{"StringValue":"{value}"}}}}"#);
    let letter = call(&plain, &text, TRACE, SPAN);
    let bodies = [
        letter.clone(),
        call(&snake, &snake_text, TRACE, SPAN),
        call(&plain, &go_text, TRACE, SPAN),
        call(&go, &go_text, TRACE, SPAN),
        call(&old, &text, TRACE, SPAN),
        call(&plain, &text, "CvdlGRbNQ92ESOshHIAxnA==", "t61rcWkgMzE="),
        call(&plain, &text, "0af76519-16cd-43dd-8448-eb211c80319c", "0af76519-16cd-43dd-8448-eb211c80319d"),
        call(&plain, &text, "my-run", "my-step"),
        call(&plain, &text, "0af76519", "b7ad6b71"),
        format!("[{letter}]"),
    ];
    let mut events = 0.0;
    for body in &bodies {
        send_json(&running, "/v1/traces", body).await.is(200, JSON, b"{}");
        events += 2.0;
        assert_eq!(running.metric("skillspan_events_total").await, events, "{body}");
    }
    send_json(&running, "/v1/traces", &format!("{letter}\n{letter}\n")).await.is(200, JSON, b"{}");
    assert_eq!(running.metric("skillspan_events_total").await, events + 4.0, "line by line");
    assert_eq!(running.metric("skillspan_parts_lost_total").await, 0.0);
    running.stop().await;
}

#[tokio::test]
async fn values_without_the_name_of_their_type_are_understood() {
    let running = Running::start().await;
    let bare = |value: &str| format!(r#""{value}""#);
    let short = |value: &str| format!(r#"{{"strValue":"{value}"}}"#);
    let named = |value: &str| format!(r#"{{"string":"{value}"}}"#);
    let mut events = 0.0;
    for body in [
        call(&plain, &bare, TRACE, SPAN),
        call(&plain, &short, TRACE, SPAN),
        call(&plain, &named, TRACE, SPAN),
    ] {
        send_json(&running, "/v1/traces", &body).await.is(200, JSON, b"{}");
        events += 2.0;
        assert_eq!(running.metric("skillspan_events_total").await, events, "{body}");
    }
    let others = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","attributes":[
        {"key":"a","value":3},{"key":"b","value":1.5},{"key":"c","value":true},{"key":"d","value":null},
        {"key":"e","value":["x",{"stringValue":"y"},[4]]},{"key":"f","value":{"floatValue":0.5}}]}]}]}]}"#;
    send_json(&running, "/v1/traces", others).await.is(200, JSON, b"{}");
    assert_eq!(running.metric("skillspan_parts_lost_total").await, 0.0);
    let unknown = others.replace("floatValue", "decimalValue");
    send_json(&running, "/v1/traces", &unknown).await.is(200, JSON, b"{}");
    assert_eq!(running.metric("skillspan_parts_lost_total").await, 1.0, "a type that nobody knows");
    running.stop().await;
}

#[tokio::test]
async fn records_without_a_scope_around_them_are_understood() {
    let running = Running::start().await;
    let whole = call(&plain, &text, TRACE, SPAN);
    let loose = whole
        .replace(r#""scopeSpans":[{"scope":{"name":"app"},"spans":"#, r#""spans":"#)
        .replace("]}]}]}", "]}]}");
    let group = loose.trim_start_matches(r#"{"resourceSpans":[{"#).trim_end_matches("}]}");
    let resource = r#""resource":{"attributes":[{"key":"service.name","value":"shop"}]}"#;
    let late = format!(r#"{{"resourceSpans":[{{{group}}},{{{group},{resource}}}]}}"#);
    for (body, events) in [(&loose, 2.0), (&late, 6.0)] {
        send_json(&running, "/v1/traces", body).await.is(200, JSON, b"{}");
        assert_eq!(running.metric("skillspan_events_total").await, events, "{body}");
    }
    assert_eq!(running.metric("skillspan_parts_lost_total").await, 0.0);
    let logs = r#"{"resourceLogs":[{"logRecords":[{"attributes":[{"key":"gen_ai.operation.name","value":"execute_tool"}]}]}]}"#;
    send_json(&running, "/v1/logs", logs).await.is(200, JSON, b"{}");
    assert_eq!(running.metric("skillspan_receiver_records_total").await, 4.0);
    running.stop().await;
}

#[tokio::test]
async fn old_and_foreign_names_of_logs_are_understood() {
    let running = Running::start().await;
    let record = |name: &str| {
        format!(
            r#"{{"attributes":[{{"key":"event.name","value":{{"stringValue":"user_prompt"}}}},{{"key":"prompt","value":{{"stringValue":"{name}"}}}},{{"key":"session.id","value":{{"stringValue":"s"}}}}]}}"#
        )
    };
    let scope = r#"{"name":"com.anthropic.claude_code.events"}"#;
    for body in [
        format!(
            r#"{{"resourceLogs":[{{"instrumentationLibraryLogs":[{{"instrumentationLibrary":{scope},"logs":[{}]}}]}}]}}"#,
            record("one")
        ),
        format!(
            r#"{{"resource_logs":[{{"scope_logs":[{{"log_records":[{}],"scope":{scope}}}]}}]}}"#,
            record("two")
        ),
        format!(
            r#"{{"ResourceLogs":[{{"ScopeLogs":[{{"Scope":{scope},"LogRecords":[{}]}}]}}]}}"#,
            record("three")
        ),
    ] {
        let before = running.metric("skillspan_events_total").await;
        send_json(&running, "/v1/logs", &body).await.is(200, JSON, b"{}");
        assert_eq!(running.metric("skillspan_events_total").await, before + 1.0, "{body}");
    }
    running.stop().await;
}

#[tokio::test]
async fn what_is_no_otlp_is_refused_by_name() {
    let running = Running::start().await;
    for (body, said) in [
        (r#"{"message":"hello","level":"info"}"#, "it has `message`, `level` and no `resourceSpans`"),
        (r#"{"spans":[{"name":"x"}]}"#, "it has `spans` and no `resourceSpans`"),
        (r#"[{"traceId":"1","name":"zipkin"}]"#, "it has `traceId`, `name` and no `resourceSpans`"),
        (r#""resourceSpans""#, "a"),
        ("[1]", "a"),
    ] {
        let answer = send_json(&running, "/v1/traces", body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(String::from_utf8_lossy(&answer.body).contains(said), "{body}");
    }
    assert_eq!(running.metric("skillspan_events_total").await, 0.0);
    running.stop().await;
}

#[tokio::test]
async fn members_that_are_stepped_over_are_counted() {
    let running = Running::start().await;
    let body = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","colour":"red"}],"schemaUrl":"x","extra":{}}],"spanGroups":[]}],"made":1}"#;
    send_json(&running, "/v1/traces", body).await.is(200, JSON, b"{}");
    assert_eq!(running.metric("skillspan_parts_lost_total").await, 4.0, "colour, extra, spanGroups, made");
    let nothing = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[]}]}]}"#;
    send_json(&running, "/v1/traces", nothing).await.is(200, JSON, b"{}");
    assert_eq!(running.metric("skillspan_parts_lost_total").await, 5.0, "a body without a record");
    let unplaced = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.input.messages","value":{"stringValue":"[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"tool\",\"content\":\"who asked?\"}]"}}]}]}]}]}"#;
    send_json(&running, "/v1/traces", unplaced).await.is(200, JSON, b"{}");
    assert_eq!(running.metric("skillspan_parts_lost_total").await, 6.0, "a result of no call");
    running.stop().await;
}

//! OTLP/JSON: what is read, how leniently, and what a bad record costs.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use skillspan::receivers::otlp::Encoding;
use skillspan::receivers::{Refusal, Signal};

use crate::reading::{logs, read, spans};

fn span(members: &str) -> opentelemetry_proto::tonic::trace::v1::Span {
    let request = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{members}}}]}}]}}]}}"#);
    spans(&request).pop().unwrap()
}

fn log(members: &str) -> opentelemetry_proto::tonic::logs::v1::LogRecord {
    let request = format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{{members}}}]}}]}}]}}"#);
    logs(&request).pop().unwrap()
}

/// The value of an attribute, as OTLP/JSON writes it.
fn value(json: &str) -> Option<AnyValue> {
    span(&format!(r#""attributes":[{{"key":"k","value":{json}}}]"#)).attributes.pop().unwrap().value
}

fn some(value: Value) -> Option<AnyValue> {
    Some(AnyValue { value: Some(value) })
}

#[test]
fn ids_are_hex_of_any_case() {
    let read =
        span(r#""traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174","parentSpanId":"""#);
    assert_eq!(read.trace_id, b"\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c");
    assert_eq!(read.span_id, b"\xee\xe1\x9b\x7e\xc3\xc1\xb1\x74");
    assert_eq!(read.parent_span_id, b"");
}

#[test]
fn other_ids_are_base64_or_uuids_or_names() {
    for (id, bytes) in [
        (
            "W47/95gDgQPSabYzgT/GDA==",
            &b"\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c"[..],
        ),
        (
            "5b8efff7-9803-8103-d269-b633813fc60c",
            b"\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c",
        ),
        ("my-run", b"my-run"),
        ("abc", b"abc"),
    ] {
        assert_eq!(span(&format!(r#""traceId":"{id}""#)).trace_id, bytes, "{id}");
    }
}

#[test]
fn integers_come_as_numbers_and_as_texts() {
    for time in ["1790000000000000001", r#""1790000000000000001""#, r#"" 1790000000000000001""#] {
        assert_eq!(
            span(&format!(r#""startTimeUnixNano":{time}"#)).start_time_unix_nano,
            1_790_000_000_000_000_001
        );
    }
    for time in ["1.79e18", r#""1790000000000000000.7""#, "1790000000000000000.0"] {
        assert_eq!(
            span(&format!(r#""startTimeUnixNano":{time}"#)).start_time_unix_nano,
            1_790_000_000_000_000_000
        );
    }
    assert_eq!(span(r#""startTimeUnixNano":"""#).start_time_unix_nano, 0);
    assert_eq!(span(r#""startTimeUnixNano":"18446744073709551615""#).start_time_unix_nano, u64::MAX);
    for count in ["257", r#""257""#, "257.0"] {
        let read = span(&format!(r#""flags":{count},"droppedAttributesCount":{count}"#));
        assert_eq!((read.flags, read.dropped_attributes_count), (257, 257));
    }
    for number in ["-7", r#""-7""#, "-7.0"] {
        assert_eq!(value(&format!(r#"{{"intValue":{number}}}"#)), some(Value::IntValue(-7)));
    }
    assert_eq!(value(r#"{"intValue":"-9223372036854775808"}"#), some(Value::IntValue(i64::MIN)));
}

#[test]
fn doubles_come_as_numbers_as_texts_and_as_names() {
    for (json, number) in [
        ("3.5", 3.5),
        (r#""3.5""#, 3.5),
        ("3", 3.0),
        (r#""Infinity""#, f64::INFINITY),
        ("-Infinity", f64::NEG_INFINITY),
    ] {
        assert_eq!(value(&format!(r#"{{"doubleValue":{json}}}"#)), some(Value::DoubleValue(number)));
    }
    for json in [r#""NaN""#, "NaN"] {
        let read = value(&format!(r#"{{"doubleValue":{json}}}"#)).unwrap().value;
        assert!(matches!(read, Some(Value::DoubleValue(number)) if number.is_nan()), "{read:?}");
    }
}

#[test]
fn a_value_may_be_empty_or_absent() {
    assert_eq!(value("{}"), Some(AnyValue { value: None }));
    assert_eq!(value("null"), None);
    assert_eq!(value(r#"{"stringValue":null}"#), Some(AnyValue { value: None }));
    assert_eq!(value(r#"{"newValue":{"a":[1,{}]}}"#), Some(AnyValue { value: None }));
    assert_eq!(value(r#"{"arrayValue":{}}"#), some(Value::ArrayValue(ArrayValue { values: vec![] })));
    assert_eq!(
        value(r#"{"arrayValue":{"values":null}}"#),
        some(Value::ArrayValue(ArrayValue { values: vec![] }))
    );
    assert_eq!(value(r#"{"kvlistValue":{}}"#), some(Value::KvlistValue(KeyValueList { values: vec![] })));
    assert_eq!(value(r#"{"boolValue":true}"#), some(Value::BoolValue(true)));
    assert_eq!(value(r#"{"boolValue":"false"}"#), some(Value::BoolValue(false)));
}

#[test]
fn values_hold_values() {
    let read = value(
        r#"{"kvlistValue":{"values":[{"key":"a","value":{"arrayValue":{"values":[{"intValue":1},{}]}}}]}}"#,
    );
    let one = AnyValue { value: Some(Value::IntValue(1)) };
    let list = Value::ArrayValue(ArrayValue { values: vec![one, AnyValue { value: None }] });
    let entry = KeyValue { key: "a".to_owned(), value: some(list), ..KeyValue::default() };
    assert_eq!(read, some(Value::KvlistValue(KeyValueList { values: vec![entry] })));
}

#[test]
fn bytes_are_base64_of_any_alphabet_with_or_without_padding() {
    for base64 in ["+/8=", "-_8=", "+/8", "-_8"] {
        let read = value(&format!(r#"{{"bytesValue":"{base64}"}}"#));
        assert_eq!(read, some(Value::BytesValue(vec![0xfb, 0xff])));
    }
}

#[test]
fn enumerations_come_as_numbers_and_as_names() {
    for kind in ["2", r#""2""#, r#""SPAN_KIND_SERVER""#] {
        assert_eq!(span(&format!(r#""kind":{kind}"#)).kind, 2);
    }
    for code in ["2", r#""STATUS_CODE_ERROR""#] {
        let status = span(&format!(r#""status":{{"code":{code},"message":"m"}}"#)).status.unwrap();
        assert_eq!((status.code, status.message.as_str()), (2, "m"));
    }
    assert_eq!(log(r#""severityNumber":"SEVERITY_NUMBER_INFO""#).severity_number, 9);
    assert_eq!(span(r#""kind":"SPAN_KIND_OF_A_LATER_VERSION""#).kind, 0);
}

#[test]
fn null_is_absent_wherever_it_stands() {
    let read = span(
        r#""name":null,"attributes":null,"events":null,"links":null,"status":null,"parentSpanId":null,"kind":null,"startTimeUnixNano":null,"traceState":null"#,
    );
    assert_eq!(read, opentelemetry_proto::tonic::trace::v1::Span::default());
    assert_eq!(log(r#""body":null,"attributes":null,"flags":null"#), Default::default());
    for request in [
        r#"{"resourceSpans":null}"#,
        r#"{"resourceSpans":[{"resource":null,"scopeSpans":null}]}"#,
        r#"{"resourceSpans":[{"scopeSpans":[{"scope":null,"spans":null}]}]}"#,
        r#"{"resourceSpans":[null]}"#,
    ] {
        assert_eq!(spans(request), []);
    }
}

#[test]
fn texts_are_unescaped_and_mended() {
    for (json, text) in [
        (r#""a\"b\\c\/d\b\f\n\r\te""#, "a\"b\\c/d\u{8}\u{c}\n\r\te"),
        (r#""\u00e4\u65E5\ud83d\ude00""#, "ä日😀"),
        (r#""cut \ud83d""#, "cut \u{fffd}"),
        (r#""\ude00 cut""#, "\u{fffd} cut"),
        (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
        (r#""\ud83d\n""#, "\u{fffd}\n"),
        (r#""\ud83dx""#, "\u{fffd}x"),
        ("\"line\nbreak\"", "line\nbreak"),
        ("7", "7"),
    ] {
        assert_eq!(span(&format!(r#""name":{json}"#)).name, text, "{json}");
    }
    let bytes = b"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"a\xff\xe6\x97\"}]}]}]}";
    let (seen, _) = read(Signal::Traces, Encoding::Json, bytes).unwrap();
    assert_eq!(seen[0].span.as_ref().unwrap().name, "a\u{fffd}", "bytes in a row that mean nothing");
}

#[test]
fn unknown_members_are_stepped_over() {
    let request = r#"{"x":1,"resourceSpans":[{"y":[[],{"z":{}}],"schemaUrl":"u","resource":{"q":"\"}"},"scopeSpans":[{"w":null,"scope":{"name":"n","v":-1.5e3},"spans":[{"start_time_unix_nano":"7","name":"s","":true}]}]}]}"#;
    let read = spans(request);
    assert_eq!((read[0].name.as_str(), read[0].start_time_unix_nano), ("s", 7), "snake case is read too");
}

#[test]
fn a_byte_order_mark_and_white_space_are_nothing() {
    assert_eq!(spans("\u{feff} {\r\n\t\"resourceSpans\" : [ ] } \n"), []);
}

#[test]
fn what_surrounds_records_may_stand_behind_them() {
    let usual = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":{"intValue":"1"}}]},"scopeSpans":[{"scope":{"name":"n"},"spans":[{"name":"s"}]}]}]}"#;
    let turned = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"s"}],"scope":{"name":"n"}}],"resource":{"attributes":[{"key":"a","value":{"intValue":"1"}}]}}]}"#;
    let seen = |json: &str| read(Signal::Traces, Encoding::Json, json.as_bytes()).unwrap().0;
    assert_eq!(seen(usual), seen(turned));
    assert_eq!(seen(turned)[0].scope, "n");
}

#[test]
fn a_record_that_cannot_be_read_rejects_itself_alone() {
    for bad in [
        r#"{"name":{}}"#,
        r#"{"traceId":7}"#,
        r#"{"startTimeUnixNano":"soon"}"#,
        r#"{"startTimeUnixNano":-1}"#,
        r#"{"startTimeUnixNano":1e30}"#,
        r#"{"flags":4294967296}"#,
        r#"{"attributes":{"k":"v"}}"#,
        r#"{"attributes":[{"key":"k","value":{"intValue":{}}}]}"#,
        r#"{"attributes":[{"key":"k","value":{"boolValue":3}}]}"#,
        r#"{"attributes":[{"key":"k","value":{"bytesValue":"%"}}]}"#,
        r#"{"status":[]}"#,
        r#"7"#,
        r#"[{"a":"]"}]"#,
    ] {
        let request = format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"name":"a"}},{bad},{{"name":"b"}}]}}]}}]}}"#
        );
        let (seen, tally) = read(Signal::Traces, Encoding::Json, request.as_bytes()).unwrap();
        let names: Vec<_> = seen.into_iter().map(|seen| seen.span.unwrap().name).collect();
        assert_eq!((names.as_slice(), tally.rejected), (&["a".to_owned(), "b".to_owned()][..], 1), "{bad}");
        assert!(tally.message.starts_with("span cannot be read: "), "{}", tally.message);
    }
}

#[test]
fn a_resource_that_cannot_be_read_rejects_its_records_alone() {
    let request = r#"{"resourceSpans":[{"resource":{"attributes":7},"scopeSpans":[{"spans":[{},{}]}]},{"scopeSpans":[{"spans":[{"name":"a"}]}]}]}"#;
    let (seen, tally) = read(Signal::Traces, Encoding::Json, request.as_bytes()).unwrap();
    assert_eq!((seen.len(), tally.rejected), (1, 2));
    assert_eq!(tally.message, "resource cannot be read: attributes: not an array");
}

#[test]
fn what_is_not_json_rejects_the_request() {
    for body in [
        "",
        "{",
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"#,
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"\x"}]}]}]}"#,
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"\ud8"}]}]}]}"#,
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":}]}]}]}"#,
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":tru}]}]}]}"#,
        r#"{"resourceSpans":[,]}"#,
        r#"{"resourceSpans":[]}}"#,
        r#"{"x":[}"#,
        r#"{"x":{"a"}}"#,
        r#"{"x":--1}"#,
    ] {
        let read = read(Signal::Traces, Encoding::Json, body.as_bytes());
        assert!(matches!(read, Err(Refusal::Malformed(_))), "{body}: {read:?}");
    }
}

#[test]
fn lists_before_their_resource_are_all_read() {
    let list = |name: &str, span: &str| format!(r#""{name}":[{{"spans":[{{"name":"{span}"}}]}}]"#);
    let (new, old, again) =
        (list("scopeSpans", "a"), list("instrumentationLibrarySpans", "b"), list("scopeSpans", "c"));
    let resource = r#""resource":{"attributes":[]}"#;
    let orders =
        [[&new, &old, &again, resource], [resource, &new, &old, &again], [&new, resource, &old, &again]];
    for order in orders {
        let names: Vec<_> = spans(&format!(r#"{{"resourceSpans":[{{{}}}]}}"#, order.join(",")))
            .into_iter()
            .map(|span| span.name)
            .collect();
        let mut sorted = names.clone();
        sorted.sort();
        assert_eq!(sorted, ["a", "b", "c"], "{order:?}");
    }
}

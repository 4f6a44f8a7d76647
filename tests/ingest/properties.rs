//! What holds for every request: both readers see what was sent, whatever sent it, and no bytes at all
//! can make them do worse than refuse. The entry points are those of `fuzz/`.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use skillspan::receivers::langfuse::Form;
use skillspan::receivers::otlp::{Coding, Encoding};
use skillspan::receivers::{MemoryLimit, Refusal, Signal};

use crate::reading::read;

fn any_value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        ".*".prop_map(Value::StringValue),
        any::<bool>().prop_map(Value::BoolValue),
        any::<i64>().prop_map(Value::IntValue),
        // JSON has no way to tell one NaN from another.
        any::<f64>().prop_filter("a number", |number| number.is_finite()).prop_map(Value::DoubleValue),
        vec(any::<u8>(), 0..20).prop_map(Value::BytesValue),
    ];
    let leaf = proptest::option::of(leaf).prop_map(|value| AnyValue { value });
    leaf.prop_recursive(4, 24, 4, |inner| {
        let array = vec(inner.clone(), 0..4).prop_map(|values| Value::ArrayValue(ArrayValue { values }));
        let entry = (".*", inner).prop_map(|(key, value)| attribute(key, value));
        let list = vec(entry, 0..4).prop_map(|values| Value::KvlistValue(KeyValueList { values }));
        prop_oneof![array, list].prop_map(|value| AnyValue { value: Some(value) })
    })
}

fn attribute(key: String, value: AnyValue) -> KeyValue {
    KeyValue { key, value: Some(value), ..KeyValue::default() }
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    vec((".{0,12}", any_value()).prop_map(|(key, value)| attribute(key, value)), 0..5)
}

prop_compose! {
    fn any_span()(
        (trace_id, span_id, parent_span_id) in (vec(any::<u8>(), 16), vec(any::<u8>(), 8), vec(any::<u8>(), 0..=8)),
        (name, trace_state) in (".*", ".{0,9}"),
        (kind, flags, dropped) in (0..6_i32, any::<u32>(), any::<u32>()),
        (start, end) in any::<(u64, u64)>(),
        own in attributes(),
        events in vec((any::<u64>(), ".{0,9}", attributes()), 0..3),
        links in vec((vec(any::<u8>(), 16), attributes()), 0..2),
        status in proptest::option::of((".{0,9}", 0..3_i32)),
    ) -> Span {
        Span {
            trace_id, span_id, parent_span_id, trace_state, name, kind, flags,
            start_time_unix_nano: start,
            end_time_unix_nano: end,
            attributes: own,
            dropped_attributes_count: dropped,
            events: events.into_iter().map(|(time_unix_nano, name, attributes)| {
                span::Event { time_unix_nano, name, attributes, dropped_attributes_count: dropped }
            }).collect(),
            links: links.into_iter().map(|(trace_id, attributes)| {
                span::Link { trace_id, attributes, flags, ..span::Link::default() }
            }).collect(),
            status: status.map(|(message, code)| Status { message, code }),
            ..Span::default()
        }
    }
}

prop_compose! {
    fn any_log()(
        body in proptest::option::of(any_value()),
        own in attributes(),
        (time, observed) in any::<(u64, u64)>(),
        (severity_number, severity_text, event_name) in (0..25_i32, ".{0,5}", ".{0,9}"),
    ) -> LogRecord {
        LogRecord {
            body,
            attributes: own,
            time_unix_nano: time,
            observed_time_unix_nano: observed,
            severity_number,
            severity_text,
            event_name,
            ..LogRecord::default()
        }
    }
}

fn resource(attributes: Vec<KeyValue>) -> Option<Resource> {
    Some(Resource { attributes, ..Resource::default() })
}

fn scope(name: String) -> Option<InstrumentationScope> {
    Some(InstrumentationScope { name, ..InstrumentationScope::default() })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn spans_are_the_same_in_both_encodings(
        spans in vec(any_span(), 0..4), around in attributes(), name in ".{0,9}",
    ) {
        let scope_spans = ScopeSpans { scope: scope(name), spans: spans.clone(), ..ScopeSpans::default() };
        let group = ResourceSpans {
            resource: resource(around), scope_spans: vec![scope_spans], ..ResourceSpans::default()
        };
        let request = ExportTraceServiceRequest { resource_spans: vec![group] };
        let protobuf = read(Signal::Traces, Encoding::Protobuf, &request.encode_to_vec()).unwrap();
        let json = serde_json::to_vec(&request).unwrap();
        let json = read(Signal::Traces, Encoding::Json, &json).unwrap();
        prop_assert_eq!(&protobuf, &json);
        let read: Vec<Span> = protobuf.0.into_iter().map(|seen| seen.span.unwrap()).collect();
        prop_assert_eq!(read, spans);
    }

    #[test]
    fn log_records_are_the_same_in_both_encodings(
        logs in vec(any_log(), 0..4), around in attributes(), name in ".{0,9}",
    ) {
        let scope_logs = ScopeLogs { scope: scope(name), log_records: logs.clone(), ..ScopeLogs::default() };
        let group = ResourceLogs {
            resource: resource(around), scope_logs: vec![scope_logs], ..ResourceLogs::default()
        };
        let request = ExportLogsServiceRequest { resource_logs: vec![group] };
        let protobuf = read(Signal::Logs, Encoding::Protobuf, &request.encode_to_vec()).unwrap();
        let json = read(Signal::Logs, Encoding::Json, &serde_json::to_vec(&request).unwrap()).unwrap();
        prop_assert_eq!(&protobuf, &json);
        let read: Vec<LogRecord> = protobuf.0.into_iter().map(|seen| seen.log.unwrap()).collect();
        prop_assert_eq!(read, logs);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..400)) {
        never_worse_than_refused(&bytes)?;
    }

    #[test]
    fn a_good_request_with_some_bytes_changed_is_read_or_refused(
        span in any_span(), changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let scope_spans = ScopeSpans { spans: vec![span], ..ScopeSpans::default() };
        let group = ResourceSpans { scope_spans: vec![scope_spans], ..ResourceSpans::default() };
        let request = ExportTraceServiceRequest { resource_spans: vec![group] };
        for mut bytes in [request.encode_to_vec(), serde_json::to_vec(&request).unwrap()] {
            for (index, byte) in &changes {
                let index = index.index(bytes.len());
                bytes[index] = *byte;
            }
            never_worse_than_refused(&bytes)?;
        }
    }

    #[test]
    fn an_event_of_langfuse_with_some_bytes_changed_is_read_or_refused(
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        const EVENT: &str = r#"{"id":"1","type":"score-create","timestamp":"2026-11-22T09:24:36Z","body":{"id":"s","traceId":"t","name":"n","value":0.5,"comment":"\u00e9","metadata":{"a":[null]}}}"#;
        for text in [format!(r#"{{"batch":[{EVENT},{EVENT}]}}"#), format!("[{EVENT}]"), EVENT.to_owned()] {
            let mut bytes = text.into_bytes();
            for (index, byte) in &changes {
                let index = index.index(bytes.len());
                bytes[index] = *byte;
            }
            never_worse_than_refused(&bytes)?;
        }
    }

    #[test]
    fn json_texts_are_read_as_serde_reads_them(text in any::<String>()) {
        let name = serde_json::to_string(&text).unwrap();
        let ascii: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        for name in [name, format!("\"{ascii}\"")] {
            let request = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"name":{name}}}]}}]}}]}}"#);
            prop_assert_eq!(&crate::reading::spans(&request)[0].name, &text);
        }
    }

    #[test]
    fn any_json_is_stepped_over(depth in 1..900_usize, tail in "[ \\[\\]{}:,\"a0-9tfn\\\\]{0,40}") {
        let nested = format!("{{\"resourceSpans\":[],\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        prop_assert!(read(Signal::Traces, Encoding::Json, nested.as_bytes()).is_ok());
        let valid = serde_json::from_str::<serde::de::IgnoredAny>(&tail).is_ok();
        let wrapped = format!("{{\"resourceSpans\":[],\"x\":{tail}}}");
        let wrapped_is_json = serde_json::from_str::<serde::de::IgnoredAny>(&wrapped).is_ok();
        let read = read(Signal::Traces, Encoding::Json, wrapped.as_bytes());
        // What is JSON is stepped over; what is not may be read more leniently, and never the reverse.
        prop_assert!(!(valid && wrapped_is_json) || read.is_ok(), "{} {:?}", wrapped, read);
    }
}

fn never_worse_than_refused(bytes: &[u8]) -> Result<(), TestCaseError> {
    for signal in [Signal::Traces, Signal::Logs, Signal::Metrics] {
        for encoding in [Encoding::Protobuf, Encoding::Json] {
            match read(signal, encoding, bytes) {
                Ok((seen, tally)) if signal != Signal::Metrics => {
                    prop_assert_eq!(u64::try_from(seen.len()).unwrap(), tally.records);
                }
                Ok(_) => {}
                Err(refusal) => prop_assert!(matches!(refusal, Refusal::Malformed(_)), "{:?}", refusal),
            }
        }
    }
    for form in [Form::Ingestion, Form::Scores] {
        match crate::langfuse::read(form, bytes) {
            Ok((report, tally, shown)) => {
                prop_assert_eq!(
                    (tally.records, tally.records + tally.rejected),
                    (shown, report.verdicts.len() as u64)
                );
            }
            Err(refusal) => prop_assert!(matches!(refusal, Refusal::Malformed(_)), "{:?}", refusal),
        }
    }
    for coding in [Coding::Gzip, Coding::Zstd, Coding::Deflate] {
        let memory = MemoryLimit::new(1 << 20);
        let inflated = coding.decompress(Bytes::copy_from_slice(bytes), 1 << 16, &mut memory.lease());
        if let Ok(inflated) = inflated {
            prop_assert!(inflated.len() <= 1 << 16);
        }
        prop_assert_eq!(memory.used(), 0);
    }
    Ok(())
}

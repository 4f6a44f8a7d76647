//! Bodies as nobody sends them.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use prost::Message;
use skillspan::event::Signal;
use skillspan::forward::{Body, Cleaner, Form, prepare, retain};
use skillspan::redact::Redactor;

use crate::sent::{logs, metrics, pair, resource, span, spans_of, text};

const SECRET: &str = "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7r8";
const WORDS: [&str; 8] = ["make", "test", "src/main.rs", "größe", "日本", "\n\t", "it's \"quoted\"", "a=b"];

fn cleaner() -> Cleaner {
    Cleaner::new(Redactor::built_in().unwrap(), ["process.owner".to_owned()])
}

fn body(form: Form, bytes: Vec<u8>) -> Body {
    Body { form, bytes: Bytes::from(bytes) }
}

fn words() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&WORDS[..]), 0..6).prop_map(|words| words.join(" "))
}

/// Spans whose attributes have these texts.
fn spans(texts: &[Vec<String>]) -> ExportTraceServiceRequest {
    let spans = texts.iter().enumerate().map(|(number, texts)| {
        let mut span = span("s-1", &format!("span {number}"));
        span.attributes
            .extend(texts.iter().enumerate().map(|(key, value)| pair(&format!("k{key}"), text(value))));
        span
    });
    spans_of(resource(vec![pair("service.name", text("shop"))]), spans.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_holds_no_secret_is_not_touched(texts in prop::collection::vec(prop::collection::vec(words(), 0..4), 1..5)) {
        let request = spans(&texts);
        for body in [
            body(Form::Protobuf, request.encode_to_vec()),
            body(Form::Json, serde_json::to_vec(&request).unwrap()),
        ] {
            let prepared = prepare(Signal::Traces, &body, Some(&cleaner())).unwrap();
            prop_assert_eq!(prepared.body, Some(body));
            prop_assert_eq!(prepared.left_out, 0);
        }
    }

    #[test]
    fn a_secret_leaves_and_nothing_else_does(
        texts in prop::collection::vec(prop::collection::vec(words(), 1..4), 1..5),
        place in any::<prop::sample::Index>(),
    ) {
        let mut planted = texts.clone();
        let number = place.index(planted.len());
        planted[number][0] = format!("{} {SECRET} ", planted[number][0]);
        let (plain, request) = (spans(&texts), spans(&planted));
        for form in [Form::Protobuf, Form::Json] {
            let bytes = match form {
                Form::Protobuf => request.encode_to_vec(),
                _ => serde_json::to_vec(&request).unwrap(),
            };
            let prepared = prepare(Signal::Traces, &body(form, bytes), Some(&cleaner())).unwrap().body.unwrap();
            let mut cleaned: ExportTraceServiceRequest = match form {
                Form::Protobuf => ExportTraceServiceRequest::decode(prepared.bytes).unwrap(),
                _ => serde_json::from_slice(&prepared.bytes).unwrap(),
            };
            let attribute = cleaned.resource_spans[0].scope_spans[0].spans[number]
                .attributes
                .iter_mut()
                .find(|attribute| attribute.key == "k0")
                .unwrap();
            let shown = format!("{attribute:?}");
            prop_assert!(!shown.contains(SECRET) && shown.contains("[redacted:github-token:"), "{}", shown);
            *attribute = pair("k0", text(&texts[number][0]));
            prop_assert_eq!(&cleaned, &plain);
        }
    }

    /// Whatever the bytes are: an answer, and no panic; what is kept whole stays as it is.
    #[test]
    fn any_bytes_have_an_answer(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        signal in prop::sample::select(&Signal::ALL[..]),
    ) {
        let valid = match signal {
            Signal::Traces => spans(&[vec!["x".to_owned(), SECRET.to_owned()]]).encode_to_vec(),
            Signal::Logs => logs("x", vec![pair("skillspan.capture", text("true"))]).encode_to_vec(),
            Signal::Metrics => metrics("x", vec![pair("k", text(SECRET))]).encode_to_vec(),
        };
        let mut flipped = valid;
        for (place, byte) in flips {
            let place = place.index(flipped.len());
            flipped[place] ^= byte;
        }
        for (form, bytes) in [
            (Form::Protobuf, bytes.clone()),
            (Form::Protobuf, flipped),
            (Form::Json, bytes.clone()),
            (Form::Ingestion, bytes.clone()),
            (Form::Scores, bytes.clone()),
            (Form::Ingestion, format!("{{\"batch\":[{:?}]}}", String::from_utf8_lossy(&bytes)).into_bytes()),
            (Form::Scores, format!("[{:?}]", String::from_utf8_lossy(&bytes)).into_bytes()),
            (Form::Json, format!("{{\"resourceSpans\":[{:?}]}}", String::from_utf8_lossy(&bytes)).into_bytes()),
        ] {
            let body = body(form, bytes);
            let _ = prepare(signal, &body, Some(&cleaner()));
            let _ = prepare(signal, &body, None);
            if let Ok(kept) = retain(signal, &body, &mut |_, _| true) {
                prop_assert!(kept.is_none() || kept == Some(body));
            }
        }
    }
}

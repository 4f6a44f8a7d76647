//! Scores, in the forms that frameworks give them besides `gen_ai.evaluation.result`.

use serde_json::json;
use skillspan::event::Kind;

use crate::sessions::{facts, of_kind};
use crate::spans::{Span, events, map, span};

fn openinference(id: &str, kind: &str) -> Span {
    span("t", id, "", (0, 1)).with("openinference.span.kind", json!(kind))
}

#[test]
fn openinference_lists_annotations_of_a_span_a_trace_and_a_session() {
    let spans = [
        openinference("tool", "TOOL")
            .with("tool.name", json!("ls"))
            .with("annotations.0.annotation.name", json!("correctness"))
            .with("annotations.0.annotation.score", json!("0.25"))
            .with("annotations.0.annotation.label", json!("wrong"))
            .with("annotations.0.annotation.explanation", json!("Not what was asked."))
            .with("annotations.1.annotation.name", json!("correctness"))
            .with("annotations.1.annotation.score", json!(1))
            .with("annotations.1.annotation.annotator_kind", json!("HUMAN")),
        openinference("judge", "EVALUATOR")
            .with("session.id", json!("s"))
            .with("trace.evaluations.0.evaluation.name", json!("helpful"))
            .with("trace.evaluations.0.evaluation.label", json!("yes"))
            .with("session.annotations.0.annotation.name", json!("solved"))
            .with("session.annotations.0.annotation.score", json!(0)),
    ];
    let events = events(map(&spans));
    let facts = facts(&events);
    let scores = of_kind(&facts, Kind::Feedback);
    let mut told: Vec<_> = scores
        .iter()
        .map(|score| {
            let name =
                ["annotation.name", "evaluation.name"].iter().find_map(|name| score.attributes.get(*name));
            (name.unwrap().as_str().unwrap(), score.score, score.text.as_str())
        })
        .collect();
    told.sort_by(|a, b| a.0.cmp(b.0).then(a.2.cmp(b.2)));
    assert_eq!(
        told,
        [
            ("correctness", Some(1.0), ""),
            ("correctness", Some(0.25), "Not what was asked."),
            ("helpful", None, "yes"),
            ("solved", Some(0.0), ""),
        ]
    );
    let call = of_kind(&facts, Kind::ToolCall)[0];
    assert!(!call.attributes.keys().any(|key| key.starts_with("annotations.")), "{:?}", call.attributes);
}

#[test]
fn a_score_that_is_sent_again_is_one() {
    let judged = |score: &str| {
        openinference("judge", "EVALUATOR")
            .with("annotations.0.annotation.name", json!("correctness"))
            .with("annotations.0.annotation.score", json!(score))
    };
    let events = events(map(&[judged("0.5"), judged("0.5")]));
    assert_eq!(of_kind(&facts(&events), Kind::Feedback).len(), 1);
}

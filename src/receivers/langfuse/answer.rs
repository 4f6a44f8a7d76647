//! Answers as clients of Langfuse read them: JSON, and of an error its `message` and its `error`.

use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use crate::event::Owner;
use crate::receivers::Refusal;
use crate::receivers::otlp::status::{add_headers, http_status};

use super::batch::Verdict;

/// Which release of Langfuse's server these paths are those of.
const SPEAKS: &str = "3.0.0";

/// Any answer.
pub(super) fn answer(status: StatusCode, body: &Value) -> Response<Body> {
    let mut answer = Response::new(Body::from(body.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// Why a request is not accepted.
pub(super) fn refused(refusal: &Refusal) -> Response<Body> {
    let status = http_status(refusal);
    let mut answer = error(status, &refusal.to_string());
    add_headers(answer.headers_mut(), refusal);
    answer
}

/// An error without a matching [`Refusal`].
pub(super) fn error(status: StatusCode, message: &str) -> Response<Body> {
    let name = status.canonical_reason().unwrap_or_default();
    answer(status, &json!({ "message": message, "error": name }))
}

/// A path that takes one method only.
pub(super) fn only(method: &'static str) -> Response<Body> {
    let message = format!("this is skillspan; it accepts {method} here");
    let mut answer = error(StatusCode::METHOD_NOT_ALLOWED, &message);
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(method));
    answer
}

/// Any other path.
pub(super) fn no_such_path(path: &str) -> Response<Body> {
    let message = format!(
        "this is skillspan, not a Langfuse server: it takes traces, scores and media of Langfuse's SDKs, and has nothing at {path}"
    );
    error(StatusCode::NOT_FOUND, &message)
}

/// What became of the events of a batch.
pub(super) fn of_batch(verdicts: &[Verdict]) -> Response<Body> {
    let successes: Vec<Value> = verdicts
        .iter()
        .filter(|verdict| verdict.error.is_none())
        .map(|verdict| json!({ "id": verdict.id, "status": 201 }))
        .collect();
    let rejected = |verdict: &Verdict| {
        let error = verdict.error.as_ref()?;
        Some(json!({ "id": verdict.id, "status": 400, "message": "Invalid request data", "error": error }))
    };
    let errors: Vec<Value> = verdicts.iter().filter_map(rejected).collect();
    answer(StatusCode::MULTI_STATUS, &json!({ "successes": successes, "errors": errors }))
}

/// The answer to a list of scores. SDKs take any counts for a partial failure.
pub(super) fn of_scores(verdicts: &[Verdict]) -> Response<Body> {
    let errors: Vec<Value> = verdicts
        .iter()
        .filter_map(|verdict| {
            Some(json!({ "message": format!("score {:?}: {}", verdict.id, verdict.error.as_ref()?) }))
        })
        .collect();
    if errors.is_empty() {
        return answer(StatusCode::ACCEPTED, &json!({ "message": "Accepted" }));
    }
    let accepted = verdicts.len() - errors.len();
    let status = if accepted == 0 { StatusCode::BAD_REQUEST } else { StatusCode::ACCEPTED };
    let first = format!("{} of {} scores cannot be read", errors.len(), verdicts.len());
    let body = match accepted {
        0 => json!({ "message": first, "error": errors }),
        _ => json!({ "accepted": accepted, "rejected": errors.len(), "errors": errors }),
    };
    answer(status, &body)
}

/// What became of one score.
pub(super) fn of_score(verdict: Option<&Verdict>) -> Response<Body> {
    match verdict {
        Some(Verdict { id, error: None }) => answer(StatusCode::OK, &json!({ "id": id })),
        Some(Verdict { error: Some(reason), .. }) => {
            error(StatusCode::BAD_REQUEST, &format!("invalid request data: {reason}"))
        }
        None => error(StatusCode::BAD_REQUEST, "invalid request data: no score"),
    }
}

/// The one project that a credential sees.
pub(super) fn projects(owner: &Owner) -> Response<Body> {
    let Owner { tenant, workspace } = owner;
    answer(
        StatusCode::OK,
        &json!({ "data": [{
            "id": workspace,
            "name": workspace,
            "organization": { "id": tenant, "name": tenant },
            "metadata": {},
            "retentionDays": null,
        }] }),
    )
}

/// Whether events can be stored now.
pub(super) fn health(obstacle: Option<String>) -> Response<Body> {
    match obstacle {
        None => answer(StatusCode::OK, &json!({ "status": "OK", "version": SPEAKS })),
        Some(reason) => {
            answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": reason, "version": SPEAKS }))
        }
    }
}

/// The medium is there: nothing is to be uploaded.
pub(super) fn medium(id: &str) -> Response<Body> {
    answer(StatusCode::OK, &json!({ "mediaId": id, "uploadUrl": null }))
}

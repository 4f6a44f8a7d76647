//! Why there is no page. `page/problem.rs` says it to people.

use std::fmt::Display;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use super::access::Denied;

/// Why there is no page. As an answer it has no body yet: the guard makes a page or JSON of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    status: StatusCode,
    /// The fault and the remedy.
    says: String,
    /// After so many seconds it may be otherwise.
    again_in: Option<u64>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, says: impl Into<String>) -> Self {
        Self { status, says: says.into(), again_in: None }
    }

    /// It will be there in a moment: a page asks again by itself.
    pub(super) fn soon(says: impl Into<String>) -> Self {
        Self { again_in: Some(3), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, says) }
    }

    /// There is no such thing, or none that the reader may see: which of the two is not told.
    pub(super) fn missing(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("There is no {what} here, or none that you may see."))
    }

    /// Something that a page is made of failed.
    pub(super) fn failed(what: &str, error: impl Display) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, format!("{what}: {error}"))
    }

    /// The form is of another session.
    pub(super) fn stale() -> Self {
        let says =
            "The form is of another session, or this one has ended. Open the page again and repeat it.";
        Self::new(StatusCode::FORBIDDEN, says)
    }

    pub(super) fn denied(denied: Denied) -> Self {
        match denied {
            Denied::Unknown => Self::new(StatusCode::UNAUTHORIZED, "Sign in first."),
            Denied::Shows(what) => Self::new(StatusCode::FORBIDDEN, format!("The token shows {what}.")),
            Denied::TooMany(seconds) => {
                Self { again_in: Some(seconds), ..Self::new(StatusCode::TOO_MANY_REQUESTS, Denied::TOO_MANY) }
            }
        }
    }

    /// The same for who asks over `/mcp`, and cannot sign in.
    pub(super) fn denied_question(denied: Denied) -> Self {
        match denied {
            Denied::Unknown => Self::new(
                StatusCode::UNAUTHORIZED,
                "Show a token with the role `read` (Authorization: Bearer …), or ask through `skillspan mcp`, which \
                 makes a key of this user's own secret.",
            ),
            denied => Self::denied(denied),
        }
    }

    /// The fault and the remedy.
    pub(super) fn says(&self) -> &str {
        &self.says
    }

    pub(super) fn as_json(&self) -> Response {
        let mut answer = self.timed((self.status, Json(json!({ "error": self.says }))).into_response());
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer realm=\"skillspan\"");
            answer.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        answer
    }

    /// The answer with when to ask again.
    pub(super) fn timed(&self, mut answer: Response) -> Response {
        if let Some(seconds) = self.again_in {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }

    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut answer = self.status.into_response();
        answer.extensions_mut().insert(self);
        answer
    }
}

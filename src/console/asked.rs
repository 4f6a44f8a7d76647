//! What a request asks for. What cannot be read is a [`Problem`] in the console's own words.

use axum::extract::{FromRequest, FromRequestParts, Request};
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// What stands behind the `?`.
pub(super) struct Asked<T>(pub(super) T);

/// What the address names.
pub(super) struct Named<T>(pub(super) T);

/// A form that was sent.
pub(super) struct Sent<T>(pub(super) T);

/// JSON that was sent.
pub(super) struct SentJson<T>(pub(super) T);

fn bad(says: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, says)
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        let says = "What stands behind the `?` cannot be read: a part that is a number is none.";
        read.map(|query| Self(query.0)).map_err(|_| bad(says.to_owned()))
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    /// An address that is no text, or has a word where a number belongs, leads nowhere.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        read.map(|path| Self(path.0)).map_err(|_| Problem::missing("such page"))
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Form::<T>::from_request(request, state).await;
        read.map(|form| Self(form.0)).map_err(|error| {
            if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
                return too_large();
            }
            let says = "Send a form: its fields with the content type application/x-www-form-urlencoded.";
            Problem::new(error.status(), says)
        })
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequest<S> for SentJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let read = axum::Json::<T>::from_request(request, state).await;
        read.map(|json| Self(json.0)).map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                Problem::new(error.status(), "Send JSON, with the content type application/json.")
            }
            _ => bad(format!("Send a JSON object as the document describes it: {}", error.body_text())),
        })
    }
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "What was sent is larger than 256 KiB.")
}

//! The answer at a path where nothing is.

use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use tonic::Code;

use super::grpc::{is_grpc, no_such_method};
use super::http::encoding_or_json;
use super::status::error;

/// Any other path.
pub(super) async fn no_such_path(headers: HeaderMap, uri: Uri) -> Response<Body> {
    let path = uri.path();
    if is_grpc(&headers) {
        return no_such_method(path);
    }
    let message = format!(
        "this is skillspan, an OTLP receiver: there is nothing at {path}; POST to /v1/traces, /v1/logs or /v1/metrics"
    );
    error(StatusCode::NOT_FOUND, Code::NotFound, &message, encoding_or_json(&headers))
}

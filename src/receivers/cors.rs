//! Web pages that may send (`receivers.otlp.protocols.http.cors`).
//!
//! Without this, every request that says it comes from a web page is refused. With it, a listener answers the
//! browser's preflight for the named origins and treats their requests like any other: they need a credential if one
//! is required.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::map_request_with_state;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, ORIGIN};
use http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::dialects::Pattern;

/// Whose pages may send, and what with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The pages' origins: `https://app.example.com`, with at most one `*` each.
    pub allowed_origins: Vec<Pattern>,
    /// Headers that they may send besides OTLP's own.
    pub allowed_headers: Vec<HeaderName>,
    /// How long a browser may remember the answer.
    pub max_age: Duration,
}

impl Config {
    /// Whether pages of this origin may send.
    pub fn allows(&self, origin: &[u8]) -> bool {
        let origin = std::str::from_utf8(origin);
        origin.is_ok_and(|origin| self.allowed_origins.iter().any(|allowed| allowed.matches(origin)))
    }
}

/// The router, open to the pages that are allowed.
pub fn open(router: Router, config: &Config) -> Router {
    let config = Arc::new(config.clone());
    let for_browsers = Arc::clone(&config);
    let origins =
        AllowOrigin::predicate(move |origin: &HeaderValue, _| for_browsers.allows(origin.as_bytes()));
    let headers = [AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE];
    let cors = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::POST])
        .allow_headers(headers.into_iter().chain(config.allowed_headers.iter().cloned()).collect::<Vec<_>>())
        .max_age(config.max_age);
    router.layer(map_request_with_state(config, forget_allowed_origin)).layer(cors)
}

/// What stands behind refuses every origin that is still there.
async fn forget_allowed_origin(State(config): State<Arc<Config>>, mut request: Request) -> Request {
    if request.headers().get(ORIGIN).is_some_and(|origin| config.allows(origin.as_bytes())) {
        request.headers_mut().remove(ORIGIN);
    }
    request
}

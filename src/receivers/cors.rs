//! Web pages that may send (`receivers.otlp.protocols.http.cors`).
//!
//! Without this, every request that says that it comes from a web page is refused. With it, a listener
//! answers the browser's question for the pages that are named, and takes their requests as it takes
//! anybody's: they need a credential where one is asked for.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::map_request_with_state;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, ORIGIN};
use http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// Whose pages may send, and what with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The pages' origins: `https://app.example.com`, with at most one `*` each.
    pub allowed_origins: Vec<String>,
    /// Headers that they may send besides OTLP's own.
    pub allowed_headers: Vec<HeaderName>,
    /// How long a browser may remember the answer.
    pub max_age: Duration,
}

impl Config {
    /// Whether pages of this origin may send.
    pub fn allows(&self, origin: &[u8]) -> bool {
        self.allowed_origins.iter().any(|allowed| matches(allowed.as_bytes(), origin))
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

/// Whether the text is the pattern, in which one `*` stands for anything.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.iter().position(|byte| *byte == b'*') {
        None => pattern == text,
        Some(star) => {
            let (before, after) = (pattern.get(..star), pattern.get(star + 1..));
            text.len() + 1 >= pattern.len()
                && before.is_some_and(|before| text.starts_with(before))
                && after.is_some_and(|after| text.ends_with(after))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_star_stands_for_anything() {
        for (pattern, text, expected) in [
            ("https://app.example.com", "https://app.example.com", true),
            ("https://app.example.com", "https://app.example.com.evil.org", false),
            ("https://*.example.com", "https://a.example.com", true),
            ("https://*.example.com", "https://example.com", false),
            ("http://localhost:*", "http://localhost:3000", true),
            ("*", "null", true),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }
}

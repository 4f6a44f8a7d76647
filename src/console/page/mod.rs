//! The pages, a file each. Each makes a view, which is also what `/api/v1/` answers as JSON.
//!
//! | file | page |
//! |---|---|
//! | `overview.rs` | `/` |
//! | `sessions.rs`, `search.rs`, `position.rs` | `/sessions` |
//! | `session.rs`, `timeline.rs` | `/sessions/{id}` and its events |
//! | `work.rs`, `cluster.rs`, `candidate.rs` | `/work`, `/work/clusters/{id}` |
//! | `skills.rs`, `rests.rs`, `claim.rs` | `/skills`, `/skills/{name}` and its claims |
//! | `review.rs` | `/review`, `/review/{name}` |
//! | `report.rs` | `/report` |
//! | `cases.rs`, `diff.rs`, `effect.rs` | parts of pages: cases of a claim, what changes between texts, what sessions showed of a skill |
//! | `problem.rs` | why there is no page |
//! | `link.rs` | addresses |
//! | `when.rs`, `who.rs` | times, and people as the reader may see them |

mod candidate;
mod cases;
pub(super) mod claim;
pub(super) mod cluster;
mod diff;
pub(super) mod effect;
mod link;
pub(super) mod overview;
mod position;
pub(super) mod problem;
pub(super) mod report;
mod rests;
pub(super) mod review;
pub(super) mod search;
pub(super) mod session;
pub(super) mod sessions;
pub(super) mod skills;
mod timeline;
mod when;
pub(super) mod who;
pub(super) mod work;

use std::sync::Arc;
use std::time::{Duration, Instant};

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode, Uri};

use super::access::{Reader, is_same};
use super::problem::Problem;
use crate::views::report::grouped;

/// So long a page waits for what is being read.
const PATIENCE: Duration = Duration::from_millis(600);

const STYLE: &str = include_str!("../console.css");
const SCRIPT: &str = include_str!("../console.js");
const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\"><path fill=\"#3b6fd4\" \
     d=\"M1 3h9v2H1zM4 7h9v2H4zM7 11h8v2H7z\"/></svg>";

/// What all pages have around them.
pub(super) struct Frame {
    pub(super) title: String,
    /// The page's entry in the navigation.
    pub(super) here: &'static str,
    pub(super) name: String,
    pub(super) csrf: String,
    pub(super) reviews: bool,
    /// The page is asked for again in a moment: something is still being read.
    pub(super) again: bool,
}

impl Frame {
    pub(super) fn new(reader: &Reader, here: &'static str, title: impl Into<String>) -> Self {
        let (name, csrf) = (reader.name.clone(), reader.csrf.clone());
        Self { title: title.into(), here, name, csrf, reviews: reader.reviews, again: false }
    }

    pub(super) fn again(self, again: bool) -> Self {
        Self { again, ..self }
    }
}

/// `1 call`, `2 calls`
fn counted(count: u64, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {one}{plural}", grouped(count))
}

/// Until when a page waits for what is being read.
fn patience() -> Instant {
    Instant::now() + PATIENCE
}

/// A page.
pub(super) fn html(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(page) => (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page of the console cannot be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Whether a form is of the reader's session.
pub(super) fn is_of_form(reader: &Reader, csrf: &str) -> Result<(), Problem> {
    if !reader.csrf.is_empty() && is_same(&reader.csrf, csrf) { Ok(()) } else { Err(Problem::stale()) }
}

pub(super) async fn nothing() -> Problem {
    Problem::missing("such page")
}

pub(super) async fn not_so(uri: Uri) -> Problem {
    let says = match uri.path() {
        "/mcp" => "Questions of assistants are sent here with POST.",
        _ => "This address is read, or written, in the other way: GET or POST.",
    };
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, says)
}

fn unchanging(content_type: &'static str, text: &'static str) -> Response {
    let headers = [(CONTENT_TYPE, content_type)];
    let mut answer = (headers, text).into_response();
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    answer
}

pub(super) async fn style() -> Response {
    unchanging("text/css; charset=utf-8", STYLE)
}

pub(super) async fn script() -> Response {
    unchanging("text/javascript; charset=utf-8", SCRIPT)
}

pub(super) async fn icon() -> Response {
    unchanging("image/svg+xml", ICON)
}

/// The reader, as the guard let them in.
type Seen = axum::Extension<Arc<Reader>>;

//! `/sign-in`, `/open`, `/sign-out`, and `/hello`, which says to `skillspan open` who listens.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Response};
use http::header::{HeaderMap, LOCATION, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use serde::Deserialize;

use super::guard::{cookie, cookie_name};
use super::{Access, Denied, Reader};
use crate::console::App;
use crate::console::page::{html, is_of_form};
use crate::console::problem::Problem;
use crate::event::Timestamp;

/// A challenge that is longer is none.
const LONGEST_CHALLENGE: usize = 100;

/// How to come in.
#[derive(Template)]
#[template(path = "sign-in.html")]
pub(in crate::console) struct SignIn {
    pub(in crate::console) has_tokens: bool,
    /// What was wrong with what was shown.
    pub(in crate::console) wrong: &'static str,
}

/// Somebody came in with a key. A page, not a redirect: a browser that was sent here from elsewhere would not send
/// the cookie with what a redirect leads to.
#[derive(Template)]
#[template(path = "opened.html")]
struct Opened;

#[derive(Deserialize)]
pub(in crate::console) struct Key {
    #[serde(default)]
    key: String,
}

#[derive(Deserialize)]
pub(in crate::console) struct Challenge {
    #[serde(default)]
    challenge: String,
}

#[derive(Deserialize)]
pub(in crate::console) struct Token {
    #[serde(default)]
    token: String,
}

#[derive(Deserialize)]
pub(in crate::console) struct Leave {
    #[serde(default)]
    csrf: String,
}

pub(in crate::console) async fn sign_in(State(app): State<Arc<App>>) -> Response {
    html(StatusCode::OK, &SignIn { has_tokens: app.access.has_tokens(), wrong: "" })
}

pub(in crate::console) async fn with_token(
    State(app): State<Arc<App>>,
    Form(Token { token }): Form<Token>,
) -> Response {
    match app.access.enter_with_token(token.trim()) {
        Ok(entered) => {
            let mut answer = StatusCode::SEE_OTHER.into_response();
            answer.headers_mut().insert(LOCATION, HeaderValue::from_static("/"));
            set_cookie(&mut answer, &app.access, &entered);
            answer
        }
        Err(denied) => denied_page(&app.access, denied, "The token is not known."),
    }
}

pub(in crate::console) async fn open(
    State(app): State<Arc<App>>,
    Query(Key { key }): Query<Key>,
) -> Response {
    match app.access.enter_with_key(&key, Timestamp::now()) {
        Ok(entered) => {
            let mut answer = html(StatusCode::OK, &Opened);
            set_cookie(&mut answer, &app.access, &entered);
            answer
        }
        Err(denied) => {
            let wrong = "The key was used already, or is older than a minute: run `skillspan open` again.";
            denied_page(&app.access, denied, wrong)
        }
    }
}

pub(in crate::console) async fn hello(
    State(app): State<Arc<App>>,
    Query(Challenge { challenge }): Query<Challenge>,
) -> Response {
    if challenge.is_empty() || challenge.len() > LONGEST_CHALLENGE {
        return Problem::new(StatusCode::BAD_REQUEST, "Ask with `challenge=`.").into_response();
    }
    app.access.proof(&challenge).into_response()
}

pub(in crate::console) async fn sign_out(
    State(app): State<Arc<App>>,
    reader: axum::Extension<Arc<Reader>>,
    headers: HeaderMap,
    Form(Leave { csrf }): Form<Leave>,
) -> Result<Response, Problem> {
    is_of_form(&reader, &csrf)?;
    if let Some(cookie) = cookie(&headers, &app.access) {
        app.access.leave(&cookie);
    }
    Ok(html(StatusCode::OK, &SignIn { has_tokens: app.access.has_tokens(), wrong: "You are signed out." }))
}

fn denied_page(access: &Access, denied: Denied, unknown: &'static str) -> Response {
    let (status, wrong) = match denied {
        Denied::Unknown => (StatusCode::FORBIDDEN, unknown),
        Denied::Shows(_) => {
            (StatusCode::FORBIDDEN, "The token shows nothing: its roles name neither `read` nor `review`.")
        }
        Denied::TooMany => {
            (StatusCode::TOO_MANY_REQUESTS, "Too many wrong keys and tokens: wait a minute and try again.")
        }
    };
    html(status, &SignIn { has_tokens: access.has_tokens(), wrong })
}

fn set_cookie(answer: &mut Response, access: &Access, entered: &str) {
    let secure = if access.has_tls { "; Secure" } else { "" };
    let name = cookie_name(access);
    let cookie = format!("{name}={entered}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
}

//! `/sign-in`, `/open`, `/sign-out`, and `/hello`, which says to `skillspan open` who listens.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{HeaderMap, LOCATION, RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use serde::Deserialize;

use super::caller::{cookie, cookie_name, peer};
use super::{Access, Denied, Reader};
use crate::console::App;
use crate::console::asked::{Asked, Sent};
use crate::console::page::{html, is_of_form};
use crate::console::problem::Problem;
use crate::event::Timestamp;

/// A challenge that is longer is none.
const LONGEST_CHALLENGE: usize = 100;

const SIGNED_OUT: &str = "You are signed out.";

/// How to come in.
#[derive(Template)]
#[template(path = "sign-in.html")]
pub(in crate::console) struct SignIn {
    has_tokens: bool,
    /// The fault of the credential.
    wrong: &'static str,
    /// The page that somebody wanted.
    next: String,
}

impl SignIn {
    /// For who wanted that page.
    pub(in crate::console) fn at(access: &Access, next: &str, wrong: &'static str) -> Self {
        Self { has_tokens: access.has_tokens(), wrong, next: own_page(next).to_owned() }
    }
}

impl SignIn {
    /// Whether they left a moment ago.
    fn is_out(&self) -> bool {
        self.wrong == SIGNED_OUT
    }

    /// What the page that somebody wanted is called.
    fn named(&self) -> &'static str {
        match self.next.trim_start_matches('/').split(['/', '?']).next().unwrap_or_default() {
            "" => "the overview",
            "sessions" => "the sessions",
            "work" => "the work",
            "skills" => "the skills",
            "review" => "what waits for a decision",
            "report" => "the report",
            _ => "the page",
        }
    }
}

/// A page of this console, whatever somebody asks to be led to.
fn own_page(next: &str) -> &str {
    let is_path = next.strip_prefix('/').is_some_and(|rest| !rest.starts_with(['/', '\\']));
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic());
    let is_door = ["/sign-in", "/sign-out", "/open", "/hello", "/static/", "/api/"]
        .iter()
        .any(|door| next.starts_with(door));
    if is_path && is_plain && !is_door { next } else { "/" }
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
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(in crate::console) struct Leave {
    #[serde(default)]
    csrf: String,
}

pub(in crate::console) async fn sign_in(State(app): State<Arc<App>>) -> Response {
    html(StatusCode::OK, &SignIn::at(&app.access, "/", ""))
}

pub(in crate::console) async fn with_token(
    State(app): State<Arc<App>>,
    extensions: http::Extensions,
    Sent(Token { token, next }): Sent<Token>,
) -> Response {
    match app.access.enter_with_token(token.trim(), peer(&extensions)) {
        Ok(entered) => {
            let mut answer = StatusCode::SEE_OTHER.into_response();
            let to = HeaderValue::from_str(own_page(&next));
            answer.headers_mut().insert(LOCATION, to.unwrap_or(HeaderValue::from_static("/")));
            set_cookie(&mut answer, &app.access, &entered);
            answer
        }
        Err(denied) => denied_page(&app.access, denied, &next, "The token is not known."),
    }
}

pub(in crate::console) async fn open(
    State(app): State<Arc<App>>,
    extensions: http::Extensions,
    Asked(Key { key }): Asked<Key>,
) -> Response {
    match app.access.enter_with_key(&key, peer(&extensions), Timestamp::now()) {
        Ok(entered) => {
            let mut answer = html(StatusCode::OK, &Opened);
            set_cookie(&mut answer, &app.access, &entered);
            answer
        }
        Err(denied) => {
            let wrong = "The key was used already, or is older than a minute: run `skillspan open` again.";
            denied_page(&app.access, denied, "/", wrong)
        }
    }
}

pub(in crate::console) async fn hello(
    State(app): State<Arc<App>>,
    Asked(Challenge { challenge }): Asked<Challenge>,
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
    Sent(Leave { csrf }): Sent<Leave>,
) -> Result<Response, Problem> {
    is_of_form(&reader, &csrf)?;
    if let Some(cookie) = cookie(&headers, &app.access) {
        app.access.leave(&cookie);
    }
    Ok(html(StatusCode::OK, &SignIn::at(&app.access, "/", SIGNED_OUT)))
}

fn denied_page(access: &Access, denied: Denied, next: &str, unknown: &'static str) -> Response {
    let (status, wrong) = match denied {
        Denied::Unknown => (StatusCode::FORBIDDEN, unknown),
        Denied::Shows(_) => {
            (StatusCode::FORBIDDEN, "The token shows nothing: its roles name neither `read` nor `review`.")
        }
        Denied::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, Denied::TOO_MANY),
    };
    let mut answer = html(status, &SignIn::at(access, next, wrong));
    if let Denied::TooMany(seconds) = denied {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

fn set_cookie(answer: &mut Response, access: &Access, entered: &str) {
    let secure = if access.has_tls { "; Secure" } else { "" };
    let name = cookie_name(access);
    let cookie = format!("{name}={entered}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::own_page;

    #[test]
    fn nobody_is_led_elsewhere() {
        for own in ["/", "/review/x?tenant=a%20b", "/sessions?after=2026-11-02~1~x"] {
            assert_eq!(own_page(own), own);
        }
        for other in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a b",
            "/a\r\nb",
            "/sign-in",
            "/api/v1/x",
        ] {
            assert_eq!(own_page(other), "/", "{other:?}");
        }
    }
}

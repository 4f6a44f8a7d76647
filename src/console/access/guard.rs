//! What every request passes before a page is made, and what every answer carries.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, CACHE_CONTROL, HOST, ORIGIN, STRICT_TRANSPORT_SECURITY};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::caller::{cookie, peer};
use super::{Access, Denied, Reader};
use crate::console::App;
use crate::console::page;
use crate::console::problem::Problem;

/// The browser loads nothing from elsewhere and sends nothing elsewhere, whatever came into a page.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'";

/// Headers of every answer. With `no-referrer`, browsers would send forms without their origin.
const HEADERS: [(&str, &str); 7] = [
    ("content-security-policy", POLICY),
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// The header of a program's request that changes something with a session's cookie.
const CSRF: &str = "x-csrf-token";

/// Lets a reader with the needed right pass.
pub(in crate::console) async fn guard(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let is_program = is_program(&request) || is_question(&request);
    let is_public = matches!(request.uri().path(), "/sign-in" | "/open" | "/hello")
        || request.uri().path().starts_with("/static/");
    // Where a page leads that is asked for again; what a form would change is not.
    let wanted = request.uri().path_and_query().filter(|_| request.method() == Method::GET);
    let wanted = wanted.map(|wanted| wanted.as_str().to_owned()).unwrap_or_default();
    let mut seen = None;
    let answer = match admit(&app.access, &request, is_public) {
        Ok(reader) => {
            seen = reader.map(Arc::new);
            request.extensions_mut().extend(seen.clone().map(extension).unwrap_or_default());
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    };
    let mut answer = match answer.extensions().get::<Problem>() {
        Some(problem) if is_program => problem.as_json(),
        Some(problem) => page::problem::page(problem, &app.access, seen.as_deref(), &wanted),
        None => answer,
    };
    protect(answer.headers_mut(), app.access.has_tls);
    answer
}

fn is_program(request: &Request) -> bool {
    request.uri().path().starts_with("/api/")
}

fn extension(reader: Arc<Reader>) -> http::Extensions {
    let mut extensions = http::Extensions::new();
    extensions.insert(reader);
    extensions
}

fn admit(access: &Access, request: &Request, is_public: bool) -> Result<Option<Reader>, Problem> {
    let headers = request.headers();
    let host = host_of(request).filter(|host| access.is_host(host));
    let Some(host) = host else {
        return Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "The console is not reached by this name. Use the address that the start prints, or name the host in \
             extensions.console.hosts.",
        ));
    };
    let changes = request.method() == Method::POST;
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    // How questions are asked, the router says.
    if !changes && !is_read && !is_question(request) {
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Only GET and POST are answered here."));
    }
    let reader = if is_public || is_question(request) { None } else { Some(reader_of(access, request)?) };
    let origin = headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or("null"));
    let is_from_elsewhere = origin.is_some_and(|origin| !access.is_own(origin, &host));
    if is_question(request) && !is_from_elsewhere {
        let header = headers.get(AUTHORIZATION).ok_or(Denied::Unknown);
        let reader = header.and_then(|header| access.of_question(header, peer(request.extensions())));
        return reader.map(Some).map_err(Problem::denied_question);
    }
    if is_from_elsewhere || (changes && origin.is_none() && !headers.contains_key(AUTHORIZATION)) {
        let says = "Requests of other pages are refused. Open the console itself and try again.";
        return Err(Problem::new(StatusCode::FORBIDDEN, says));
    }
    let Some(reader) = reader else { return Ok(None) };
    let told = headers.get(CSRF).map(|told| told.to_str().unwrap_or_default());
    if let Some(told) = told
        && !super::is_same(told, &reader.csrf)
    {
        return Err(Problem::stale());
    }
    if changes && is_program(request) && told.is_none() && !reader.csrf.is_empty() {
        return Err(Problem::stale());
    }
    Ok(Some(reader))
}

/// Whether it is asked over the Model Context Protocol.
fn is_question(request: &Request) -> bool {
    request.uri().path() == "/mcp"
}

fn reader_of(access: &Access, request: &Request) -> Result<Reader, Problem> {
    let headers = request.headers();
    let reader = match (headers.get(AUTHORIZATION), cookie(headers, access)) {
        (Some(header), _) if is_program(request) => access.of_header(header, peer(request.extensions())),
        (_, Some(cookie)) => access.of_cookie(&cookie),
        (_, None) => Err(Denied::Unknown),
    };
    reader.map_err(Problem::denied)
}

/// What the request calls this server: over HTTP/2 its address has the name.
fn host_of(request: &Request) -> Option<String> {
    let named = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    named.or_else(|| request.uri().authority().map(http::uri::Authority::as_str)).map(str::to_owned)
}

fn protect(headers: &mut HeaderMap, has_tls: bool) {
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if has_tls {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

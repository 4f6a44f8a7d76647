//! Why there is no page, as a page.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::{Frame, html};
use crate::console::access::door::SignIn;
use crate::console::access::{Access, Reader};
use crate::console::escape::with_code;
use crate::console::problem::Problem;

/// For somebody who is not signed in.
#[derive(Template)]
#[template(path = "problem-bare.html")]
struct BarePage<'p> {
    title: &'p str,
    says: &'p str,
}

#[derive(Template)]
#[template(path = "problem.html")]
struct Page<'p> {
    frame: Frame,
    says: &'p str,
}

impl Page<'_> {
    /// What is wrong, as markup.
    fn told(&self) -> String {
        with_code(self.says)
    }
}

/// With the navigation for a signed-in reader; before the sign-in, with the wanted page as `next`.
pub(in crate::console) fn page(
    problem: &Problem,
    access: &Access,
    reader: Option<&Reader>,
    next: &str,
) -> Response {
    let (status, says) = (problem.status(), problem.says());
    if status == StatusCode::UNAUTHORIZED {
        return html(status, &SignIn::at(access, next, ""));
    }
    let title = match status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::BAD_GATEWAY => "It did not work",
        StatusCode::CONFLICT => "Not done",
        StatusCode::SERVICE_UNAVAILABLE => "In a moment",
        StatusCode::TOO_MANY_REQUESTS => "Too many tries",
        _ => "This cannot be answered",
    };
    let page = match reader {
        Some(reader) => {
            let frame = Frame::new(reader, "", title).again(status == StatusCode::SERVICE_UNAVAILABLE);
            html(status, &Page { frame, says })
        }
        None => html(status, &BarePage { title, says }),
    };
    problem.timed(page)
}

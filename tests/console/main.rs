//! The console, over HTTP as browsers and programs speak it. (`tests/browser/console.py` looks at it in a browser.)
//!
//! | file | shows |
//! |---|---|
//! | `access.rs` | who comes in: keys, sessions, forms of other pages, other names, a port that is taken |
//! | `roles.rs` | what a token shows, and whom it names |
//! | `pages.rs` | every page, with and without sessions; lists that go on |
//! | `decide.rs` | proposals accepted, edited, refused and brought back, in a folder and a repository |
//! | `hostile.rs` | payloads in every text that a client sets |
//! | `mcp.rs` | what assistants may ask, and what nobody may |
//! | `mcp_http.rs` | how `/mcp` is asked: statuses and headers |
//! | `document.rs` | `/api/v1/` answers as its document says, and nothing makes it fail |
//! | `visitor.rs` | a console and somebody who looks at it |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking"
)]

mod access;
mod decide;
mod document;
mod hostile;
mod mcp;
mod mcp_http;
mod pages;
mod roles;
#[path = "../cli/support.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod site;
mod visitor;

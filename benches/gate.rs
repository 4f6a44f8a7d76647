//! How long a request's credential is looked at, by how wrong it is.
//!
//! `cargo bench --bench gate`; figures and how they were made are in `docs/operate/benchmarks.md`. That wrong
//! tokens take the same time however wrong they are follows from what is compared (hashes, all of them,
//! in constant time); this shows that nothing else undoes it.

#![allow(clippy::expect_used, clippy::string_slice, missing_docs, reason = "a benchmark")]

use std::sync::Arc;

use divan::{Bencher, black_box};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use skillspan::event::Owner;
use skillspan::receivers::Gate;
use skillspan::receivers::auth::Credential;
use tokio::sync::watch;

/// Tokens that are live.
const TOKENS: usize = 100;

fn main() {
    divan::main();
}

fn token(number: usize) -> String {
    format!("{number:032x}-0123456789abcdef")
}

/// The token number 50, made wrong.
const HOW_WRONG: &[&str] = &["right", "first character", "last character", "one longer", "nothing of it"];

fn presented(how: &str) -> String {
    let right = token(50);
    match how {
        "right" => right,
        "first character" => format!("x{}", &right[1..]),
        "last character" => format!("{}x", &right[..right.len() - 1]),
        "one longer" => format!("{right}x"),
        _ => "z".repeat(right.len()),
    }
}

#[divan::bench(args = HOW_WRONG, sample_count = 1000, sample_size = 100)]
fn admit(bencher: Bencher<'_, '_>, how: &str) {
    let credentials: Vec<Credential> = (0..TOKENS)
        .map(|number| Credential::new(format!("pk-{number}"), &token(number), Owner::default()))
        .collect::<Result<_, _>>()
        .expect("long enough");
    let (_sender, receiver) = watch::channel(Arc::from(credentials));
    let gate = Gate::new(Some(receiver), Vec::new());
    let mut headers = HeaderMap::new();
    let value = HeaderValue::try_from(format!("Bearer {}", presented(how))).expect("a header");
    headers.insert(AUTHORIZATION, value);
    bencher.bench_local(|| gate.admit(black_box(&headers)).is_ok());
}

//! What redaction costs: bytes a second on one core, on what agents send.
//!
//! `cargo bench --bench redact`; figures and how they were made are in `docs/operate/benchmarks.md`.

#![allow(clippy::expect_used, missing_docs, reason = "a benchmark")]

use std::fmt::Write;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use skillspan::redact::{Key, Options, Redactor};

const SIZE: usize = 1 << 20;

fn main() {
    divan::main();
}

/// What a person asks and a model answers.
fn prompts() -> String {
    let sentence = "Please add a retry to the client of the billing service: it gives up after the first \
                    timeout, and the nightly job then leaves half of the invoices open. Keep the public API, \
                    write a test that fails without the change, and run `make test-integration` at the end.\n";
    sentence.repeat(SIZE / sentence.len())
}

/// Source code of this crate.
fn code() -> String {
    let sources = [
        include_str!("../src/config/resolve.rs"),
        include_str!("../src/service/mod.rs"),
        include_str!("../src/journal/writer.rs"),
        include_str!("../src/receivers/auth/credential.rs"),
    ]
    .concat();
    sources.repeat(SIZE / sources.len() + 1)
}

/// Lines of a service: times, ids, URLs.
fn logs() -> String {
    let mut text = String::with_capacity(SIZE);
    let mut line = 0_u64;
    while text.len() < SIZE {
        line += 1;
        let id = line.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let _ = writeln!(
            text,
            "2026-11-22T12:00:{:02}.{:03}Z INFO request id={id:016x} GET https://api.example.com/v1/orders/{line} 200 {}ms",
            line % 60,
            line % 1000,
            line % 97
        );
    }
    text
}

/// The same with a credential about every four kilobytes.
fn with_secrets(text: &str) -> String {
    let secrets = [
        format!(" export DB_PASSWORD={} ", "hunter2swordfish"),
        format!(" {}{} ", "ghp_", "a1B2".repeat(9)),
        format!(" Authorization: Bearer {} ", "0123456789abcdef".repeat(2)),
        format!(" postgres://app:{}@db/shop ", "correct7horse"),
    ];
    let mut dirty = String::with_capacity(text.len() + text.len() / 50);
    let mut from = 0;
    for secret in secrets.iter().cycle() {
        let to = text.ceil_char_boundary((from + 4096).min(text.len()));
        dirty.push_str(text.get(from..to).unwrap_or_default());
        dirty.push_str(secret);
        from = to;
        if from == text.len() {
            break;
        }
    }
    dirty
}

fn measure(bencher: Bencher<'_, '_>, text: &str) {
    let key = Key::new(&[7; 32]).expect("a key");
    let redactor = Redactor::new(&Options::default(), key).expect("the built-in rules");
    bencher.counter(BytesCount::of_str(text)).bench_local(|| redactor.redact(black_box(text)).len());
}

#[divan::bench]
fn clean_prompts(bencher: Bencher<'_, '_>) {
    measure(bencher, &prompts());
}

#[divan::bench]
fn clean_code(bencher: Bencher<'_, '_>) {
    measure(bencher, &code());
}

#[divan::bench]
fn clean_logs(bencher: Bencher<'_, '_>) {
    measure(bencher, &logs());
}

#[divan::bench]
fn prompts_with_secrets(bencher: Bencher<'_, '_>) {
    measure(bencher, &with_secrets(&prompts()));
}

#[divan::bench]
fn code_with_secrets(bencher: Bencher<'_, '_>) {
    measure(bencher, &with_secrets(&code()));
}

#[divan::bench]
fn logs_with_secrets(bencher: Bencher<'_, '_>) {
    measure(bencher, &with_secrets(&logs()));
}

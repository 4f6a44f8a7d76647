//! Which lines of the product a call came from.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// So many callers tell one use of a shared function from another.
const DEPTH: usize = 4;
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/");

/// The product's lines from the one that asked for a sync outwards, such as
/// `disk/mod.rs:98 < journal/segment.rs:141`.
pub(crate) fn call_site() -> String {
    let mut lines: Vec<String> = Vec::new();
    backtrace::trace(|frame| {
        lines.extend(lines_at(frame.ip() as usize));
        lines.len() < DEPTH
    });
    lines.truncate(DEPTH);
    assert!(!lines.is_empty(), "the tests are built with line tables");
    lines.join(" < ")
}

/// What stands at an address; looking it up is slow, so each is looked up once.
fn lines_at(address: usize) -> Vec<String> {
    static KNOWN: Mutex<BTreeMap<usize, Vec<String>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(address).or_insert_with(|| resolve(address)).clone()
}

fn resolve(address: usize) -> Vec<String> {
    let mut found = Vec::new();
    backtrace::resolve(address as *mut _, |symbol| {
        let file = symbol.filename().map(|file| file.display().to_string()).unwrap_or_default();
        if let Some(file) = file.strip_prefix(SOURCES) {
            found.push(format!("{file}:{}", symbol.lineno().unwrap_or(0)));
        }
    });
    found
}

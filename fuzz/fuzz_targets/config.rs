//! Any text as a configuration: settings, or an error that says where.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skillspan::config::{Origin, ProcessSource, parse};

fuzz_target!(|text: &str| {
    if let Err(error) = parse(text, Origin::Text("fuzz"), &ProcessSource) {
        assert!(!error.to_string().is_empty());
    }
});

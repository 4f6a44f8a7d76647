//! Any text: redaction looks at a bounded number of bytes for each of the text's, changes only where it finds
//! something, and leaves what it wrote alone.
#![no_main]

use std::borrow::Cow;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use skillspan::redact::Redactor;

/// What all rules together may look at for a byte, and besides; as `src/redact/linear_tests.rs` has it.
const MOST_PER_BYTE: usize = 80;
const BESIDES: usize = 32 << 10;

static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| Redactor::built_in().expect("the rules as shipped"));

fuzz_target!(|text: &str| {
    // Hostile texts repeat themselves.
    for text in [text.to_owned(), text.repeat((16 << 10) / (text.len() + 1))] {
        let steps = REDACTOR.steps(&text);
        assert!(steps <= MOST_PER_BYTE * text.len() + BESIDES, "{steps} steps for {} bytes", text.len());
    }
    match REDACTOR.redact(text) {
        Cow::Borrowed(same) => assert_eq!(same, text),
        Cow::Owned(redacted) => assert!(redacted.contains("[redacted:"), "{redacted}"),
    }
    let _ = REDACTOR.redact_identifier(text);
    if let Some((name, value)) = text.split_once('=') {
        let _ = REDACTOR.redact_value(name, value);
    }
});

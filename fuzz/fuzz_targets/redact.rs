//! Any text: redaction ends, changes only where it finds something, and leaves what it wrote alone.
#![no_main]

use std::borrow::Cow;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use skillspan::redact::Redactor;

static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| Redactor::built_in().expect("the rules as shipped"));

fuzz_target!(|text: &str| {
    match REDACTOR.redact(text) {
        Cow::Borrowed(same) => assert_eq!(same, text),
        Cow::Owned(redacted) => assert!(redacted.contains("[redacted:"), "{redacted}"),
    }
    let _ = REDACTOR.redact_identifier(text);
    if let Some((name, value)) = text.split_once('=') {
        let _ = REDACTOR.redact_value(name, value);
    }
});

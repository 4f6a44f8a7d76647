//! Any text as a predicate, and as the file of a lesson: read or refused at a place in it; what prints is read again as
//! the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skillspan::skillify::predicate::{Predicate, read_lesson};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for line in text.lines() {
        match Predicate::parse(line) {
            Ok(predicate) => {
                let printed = predicate.to_string();
                assert_eq!(Predicate::parse(&printed).as_ref(), Ok(&predicate), "{printed}");
            }
            Err(error) => assert!(error.column >= 1 && error.column <= line.chars().count() + 1, "{error}"),
        }
    }
    if let Err(errors) = read_lesson(text) {
        assert!(!errors.is_empty());
    }
});

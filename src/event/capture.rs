//! Whether something is to be stored, as people, settings and clients write it.

/// The attribute of a resource or a record that says whether it is to be stored.
pub const ATTRIBUTE: &str = "skillspan.capture";

/// The value's meaning; `None` if it has none.
pub fn read(value: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| value.trim().eq_ignore_ascii_case(word));
    if is(&["true", "on", "yes", "1", "y"]) {
        Some(true)
    } else if is(&["false", "off", "no", "0", "n", "never"]) {
        Some(false)
    } else {
        None
    }
}

/// Whether a value forbids storing. An unreadable value forbids it too: its author wanted something left out.
pub fn forbids(value: &str) -> bool {
    !value.trim().is_empty() && read(value) != Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_that_cannot_be_read_forbids() {
        for (value, forbidden) in [
            ("false", true),
            ("OFF ", true),
            ("0", true),
            ("nope", true),
            ("", false),
            (" ", false),
            ("True", false),
        ] {
            assert_eq!(forbids(value), forbidden, "{value:?}");
        }
    }
}

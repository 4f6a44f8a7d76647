//! Texts of sessions where a person reads them.
//!
//! What a client sent may hold characters that a terminal obeys (ESC and other controls), that turn the order
//! of what is read (bidirectional controls), or that nobody sees. Wherever a person reads such a text, these
//! are shown as what they are: `\u{1b}`. Whatever prints or logs calls this at the end of its way, so that no
//! text has to be remembered.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Ranges of characters that are not seen, or change what is: controls, formats, fillers, selectors and tags
/// (`Cc`, `Cf`, `Default_Ignorable_Code_Point`, separators of lines and paragraphs, the blank of Braille,
/// noncharacters).
const HIDDEN: &[(char, char)] = &[
    ('\0', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fdd0}', '\u{fdef}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{fffe}', '\u{ffff}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{13455}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Whether a person does not see the character, or a terminal obeys it.
pub fn is_hidden(char: char) -> bool {
    if matches!(char, ' '..='~') {
        return false;
    }
    let after = HIDDEN.partition_point(|(first, _)| *first <= char);
    let range = after.checked_sub(1).and_then(|at| HIDDEN.get(at));
    range.is_some_and(|(_, last)| char <= *last)
}

/// The text with every hidden character shown, but for ends of lines and tabs.
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |char, shown| match char {
        '\n' | '\t' => shown.push(char),
        // Writing to a String cannot fail.
        _ => drop(write!(shown, "{}", char.escape_unicode())),
    })
}

/// The text on one line, with every hidden character shown; ends of lines and tabs become blanks.
pub fn visible_line(text: &str) -> Cow<'_, str> {
    escaped(text, |char, shown| match char {
        '\n' | '\t' | '\r' => shown.push(' '),
        _ => drop(write!(shown, "{}", char.escape_unicode())),
    })
}

/// A JSON text with every hidden character as JSON's escape: it says what it said.
pub fn visible_json(text: &str) -> Cow<'_, str> {
    escaped(text, |char, shown| {
        if char == '\n' {
            return shown.push(char);
        }
        for unit in char.encode_utf16(&mut [0; 2]) {
            let _ = write!(shown, "\\u{unit:04x}");
        }
    })
}

fn escaped(text: &str, mut show: impl FnMut(char, &mut String)) -> Cow<'_, str> {
    let Some(first) = text.find(is_hidden) else { return Cow::Borrowed(text) };
    let (clean, rest) = text.split_at(first);
    let mut shown = String::with_capacity(text.len() + 16);
    shown.push_str(clean);
    for char in rest.chars() {
        if is_hidden(char) { show(char, &mut shown) } else { shown.push(char) }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_in_order_and_apart() {
        for pair in HIDDEN.windows(2) {
            assert!(pair[0].0 <= pair[0].1 && pair[0].1 < pair[1].0, "{pair:?}");
        }
    }

    #[test]
    fn what_a_terminal_obeys_or_nobody_sees_is_shown() {
        for hidden in [
            '\0',
            '\u{7}',
            '\u{8}',
            '\r',
            '\u{1b}',
            '\u{7f}',
            '\u{85}',
            '\u{9b}',
            '\u{9d}',
            '\u{ad}',
            '\u{61c}',
            '\u{180b}',
            '\u{200b}',
            '\u{200d}',
            '\u{200f}',
            '\u{2028}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{2800}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{e0041}',
            '\u{e0100}',
        ] {
            assert!(is_hidden(hidden), "{hidden:?}");
            let text = format!("a{hidden}b");
            let shown = format!("a\\u{{{:x}}}b", u32::from(hidden));
            assert_eq!(visible(&text), shown);
            let json = serde_json::to_string(&text).unwrap();
            let escaped = visible_json(&json);
            assert!(!escaped.chars().any(is_hidden), "{escaped}");
            assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
        }
        assert_eq!(visible("a\tb\nc"), "a\tb\nc");
        assert_eq!(visible_line("a\tb\r\nc\u{1b}"), "a b  c\\u{1b}");
        assert_eq!(visible_json("{\n  \"a\": 1\n}"), "{\n  \"a\": 1\n}");
    }

    #[test]
    fn what_people_write_stays_as_it_is() {
        for text in
            ["make test", "日本語", "Größe", "a → b … ✓", "العربية", "שלום", "हिन्दी", "a\u{a0}b", "🙂"]
        {
            assert!(matches!(visible_line(text), Cow::Borrowed(_)), "{text}");
        }
    }
}

//! Texts in HTML.
//!
//! A crate of templates would do the same at the price of a derive macro in every build; there are two pages' worth of
//! markup, made of tables, and one place where texts go in. So texts go in here, and nowhere else.

use std::fmt::{self, Write};

use crate::event::visible_line;

/// The most characters of a text that a page shows.
const LONGEST: usize = 300;

/// A text of a session, for the content of an element or a quoted attribute: what is markup is none, what a terminal
/// would obey or nobody would see is shown, and its direction is its own.
pub(crate) struct Text<'t>(pub(crate) &'t str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.char_indices().nth(LONGEST).map(|(end, _)| end);
        let shown = visible_line(self.0.get(..end.unwrap_or(self.0.len())).unwrap_or_default());
        for char in shown.chars() {
            match char {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '`' => f.write_str("&#96;")?,
                char => f.write_char(char)?,
            }
        }
        if end.is_some() { f.write_char('…') } else { Ok(()) }
    }
}

/// [`Text`] in which what stands between backticks is shown as code.
pub(crate) struct Coded<'t>(pub(crate) &'t str);

impl fmt::Display for Coded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_even = self.0.matches('`').count().is_multiple_of(2);
        if !is_even || self.0.chars().count() > LONGEST {
            return Text(self.0).fmt(f);
        }
        for (at, part) in self.0.split('`').enumerate() {
            if at.is_multiple_of(2) { Text(part).fmt(f)? } else { write!(f, "<code>{}</code>", Text(part))? }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Coded, Text};

    #[test]
    fn code_is_told_from_words_and_is_no_markup() {
        for (text, shown) in [
            ("use `bun` instead of `rtk bun`", "use <code>bun</code> instead of <code>rtk bun</code>"),
            ("`<b>`", "<code>&lt;b&gt;</code>"),
            ("an odd ` one", "an odd &#96; one"),
            ("plain", "plain"),
        ] {
            assert_eq!(Coded(text).to_string(), shown, "{text:?}");
        }
        assert!(Coded(&"`é`".repeat(400)).to_string().chars().count() < 4_000);
    }

    #[test]
    fn nothing_of_a_text_is_markup_or_hidden() {
        for (text, shown) in [
            ("<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"),
            ("\" onload=\"x", "&quot; onload=&quot;x"),
            ("a&lt;b", "a&amp;lt;b"),
            ("\u{1b}[31m\u{202e}gpj\0", "\\u{1b}[31m\\u{202e}gpj\\u{0}"),
            ("a\nb\tc", "a b c"),
            ("`x`", "&#96;x&#96;"),
        ] {
            assert_eq!(Text(text).to_string(), shown, "{text:?}");
        }
        let long = Text(&"é".repeat(5_000)).to_string();
        assert_eq!(long.chars().count(), 301);
    }
}

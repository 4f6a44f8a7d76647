//! Every text that a page shows: what is markup is none, and what nobody would see is shown.

use std::fmt::{self, Write};

use askama::filters::Escaper;

use crate::event::is_hidden;

/// Texts for the content of an element or a quoted attribute. `askama.toml` puts it before every text of a template.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visible;

impl Escaper for Visible {
    fn write_escaped_str<W: Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        for char in text.chars() {
            match char {
                '&' => dest.write_str("&amp;")?,
                '<' => dest.write_str("&lt;")?,
                '>' => dest.write_str("&gt;")?,
                '"' => dest.write_str("&quot;")?,
                '\'' => dest.write_str("&#39;")?,
                '`' => dest.write_str("&#96;")?,
                '\n' | '\t' => dest.write_char(char)?,
                char if is_hidden(char) => write!(dest, "{}", char.escape_unicode())?,
                char => dest.write_char(char)?,
            }
        }
        Ok(())
    }
}

/// A line of Markdown as HTML: text between backticks becomes code, all else stays as it is.
pub(super) fn with_code(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let mut shown = String::with_capacity(text.len());
    for (at, part) in parts.iter().enumerate() {
        // The last one opens nothing.
        let is_code = at % 2 == 1 && at + 1 < parts.len();
        let is_open = at % 2 == 1 && !is_code;
        shown.push_str(if is_code { "<code>" } else { "" });
        // Writing to a String cannot fail.
        let _ = Visible.write_escaped_str(&mut shown, if is_open { "`" } else { "" });
        let _ = Visible.write_escaped_str(&mut shown, part);
        shown.push_str(if is_code { "</code>" } else { "" });
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_backticks_is_code() {
        for (text, shown) in [
            ("Run `make <x>` first.", "Run <code>make &lt;x&gt;</code> first."),
            ("`a` and `b`", "<code>a</code> and <code>b</code>"),
            ("one ` alone", "one &#96; alone"),
            ("``", "<code></code>"),
            ("", ""),
        ] {
            assert_eq!(with_code(text), shown, "{text:?}");
        }
    }

    #[test]
    fn nothing_of_a_text_is_markup_or_hidden() {
        for (text, shown) in [
            ("<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"),
            ("\" onload=\"x", "&quot; onload=&quot;x"),
            ("a&lt;b", "a&amp;lt;b"),
            ("\u{1b}[31m\u{202e}gpj\0", "\\u{1b}[31m\\u{202e}gpj\\u{0}"),
            ("a\nb\tc", "a\nb\tc"),
        ] {
            let mut escaped = String::new();
            Visible.write_escaped_str(&mut escaped, text).unwrap();
            assert_eq!(escaped, shown, "{text:?}");
        }
    }
}

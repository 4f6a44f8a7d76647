//! Where a value ends, as the shell, JSON, YAML and connection strings write it.

use super::automaton::Found;
use super::text::{is_name, skip_colours};

/// The value of an element is followed no further.
const LONGEST_ELEMENT: usize = 4 << 10;

/// How a value was given to its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `KEY=value`, `?key=value`, `--key value`: whatever stands there is meant.
    Meant,
    /// `key=value`: a setting, or an argument in a program.
    Tight,
    /// `key: value`, `key = value`: a setting, or a line of a program.
    Code,
    /// `<key>value</key>`.
    Element,
    /// `"key", "value"`: the two may have nothing to do with each other.
    Listed,
    /// `| key | value |`.
    Cell,
    /// `key:`, and the value on a line below.
    Below,
}

/// A value and how it was written.
pub(super) struct Value<'t> {
    pub(super) text: &'t str,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) style: Style,
    pub(super) quoted: bool,
    /// What stands behind it.
    pub(super) next: Option<u8>,
}

impl<'t> Value<'t> {
    /// The value that begins at `at`, with its quotation mark if it has one.
    pub(super) fn read(text: &'t str, at: usize, style: Style) -> Option<Self> {
        let bytes = text.as_bytes();
        if style == Style::Element {
            return Self::element(text, at);
        }
        if let Some((start, end)) = block(bytes, at).or_else(|| document(bytes, at)) {
            return Self::between(text, start, end, Style::Meant, true);
        }
        let prefixed = matches!(
            bytes.get(at..at + 2),
            Some([b'b' | b'r' | b'f' | b'u' | b'N' | b'L' | b'$' | b'@', b'"' | b'\''])
        );
        let value = Self::word(text, at, at + usize::from(prefixed), style)?;
        Some(match style {
            Style::Cell => {
                let (_, behind) = skip_quote(bytes, value.end);
                Self { next: bytes.get(skip_spaces(bytes, behind)).copied(), ..value }
            }
            _ => value,
        })
    }

    /// A word, or the text between quotation marks, the first of which is at `open`.
    fn word(text: &'t str, at: usize, open: usize, style: Style) -> Option<Self> {
        let bytes = text.as_bytes();
        match skip_quote(bytes, open) {
            (true, start) => Self::between(text, start, quoted_end(bytes, open, start), style, true),
            _ => {
                let end = unquoted_end(bytes, at);
                // In a program a quotation mark begins another literal.
                let word = bytes.get(at..end).unwrap_or_default();
                let literal = word.iter().position(|byte| matches!(byte, b'"' | b'\'' | b'`'));
                let end = literal.filter(|_| style == Style::Code).map_or(end, |literal| at + literal);
                Self::between(text, at, end, style, false)
            }
        }
    }

    fn between(text: &'t str, start: usize, end: usize, style: Style, quoted: bool) -> Option<Self> {
        let end = text.floor_char_boundary(end);
        let next = text.as_bytes().get(end).copied();
        Some(Self { text: text.get(start..end)?, start, end, style, quoted, next })
    }

    /// Up to the tag that closes the element.
    fn element(text: &'t str, at: usize) -> Option<Self> {
        let bytes = text.as_bytes();
        let rest = bytes.get(at..at.saturating_add(LONGEST_ELEMENT).min(bytes.len()))?;
        let data = b"<![CDATA[";
        let (start, close) = match rest.strip_prefix(data) {
            Some(rest) => (at + data.len(), memchr::memmem::find(rest, b"]]>")?),
            None => (at, memchr::memchr(b'<', rest)?),
        };
        let end = start + close;
        let inner = bytes.get(start..end)?;
        let blank = inner.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let length = inner.trim_ascii().len();
        let closes = matches!(bytes.get(end..), Some([b'<', b'/', ..] | [b']', ..]));
        let value = Self::between(text, start + blank, start + blank + length, Style::Element, true);
        value.filter(|value| closes && !value.text.is_empty())
    }
}

/// The end of the word of a command line in which a secret was found: the rest of it belongs to it.
pub(super) fn end_of_word(text: &str, found: Found) -> usize {
    const LOOK_BACK: usize = 120;
    let bytes = text.as_bytes();
    let from = found.start.saturating_sub(LOOK_BACK);
    let before = bytes.get(from..found.start).unwrap_or_default();
    let word = before.iter().rposition(u8::is_ascii_whitespace).map_or(0, |space| space + 1);
    let quote = before.get(word..).unwrap_or_default().iter().rposition(|byte| matches!(byte, b'"' | b'\''));
    let end = match quote {
        Some(quote) => {
            let open = from + word + quote;
            let escapes =
                bytes.get(..open).unwrap_or_default().iter().rev().take_while(|byte| **byte == b'\\').count();
            quoted_end(bytes, open - escapes, open + 1)
        }
        None => unquoted_end(bytes, found.start),
    };
    text.floor_char_boundary(end.max(found.end))
}

/// Behind a quotation mark and the backslashes before it, if one stands here.
pub(super) fn skip_quote(bytes: &[u8], at: usize) -> (bool, usize) {
    let rest = bytes.get(at..).unwrap_or_default();
    let escapes = backslashes(rest);
    match rest.get(escapes) {
        Some(b'"' | b'\'' | b'`') => (true, at + escapes + 1),
        _ => (false, at),
    }
}

/// The backslashes that `rest` begins with; one layer of text in another doubles them.
fn backslashes(rest: &[u8]) -> usize {
    rest.iter().take(8).take_while(|byte| **byte == b'\\').count()
}

pub(super) fn skip_spaces(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take(16).take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// Behind spaces and tabs, raw or as escapes.
fn skip_indent(bytes: &[u8], at: usize) -> usize {
    let mut at = at;
    for _ in 0..16 {
        let rest = bytes.get(at..).unwrap_or_default();
        let escapes = backslashes(rest);
        match rest.get(escapes) {
            Some(b' ' | b'\t') if escapes == 0 => at += 1,
            Some(b't') if escapes > 0 => at += escapes + 1,
            _ => break,
        }
    }
    at
}

/// The length of a line break as it is written at `at`, raw or as an escape; 0 if there is none.
pub(super) fn line_break(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at..).unwrap_or_default() {
        [b'\r', b'\n', ..] => 2,
        [b'\n', ..] => 1,
        rest @ [b'\\', ..] => {
            let escapes = backslashes(rest);
            match rest.get(escapes) {
                Some(b'n') => escapes + 1,
                Some(b'r') => escapes + 1 + line_break(bytes, at + escapes + 1),
                _ => 0,
            }
        }
        _ => 0,
    }
}

/// Behind what Markdown, HTML and YAML write between a name and its value: `**`, `</b>`, `!!str`, `&anchor`.
pub(super) fn behind_markup(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..at.saturating_add(40).min(bytes.len())).unwrap_or_default();
    let word = rest.iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
    let length = match rest {
        [b'*' | b'_', ..] if word <= 2 => word,
        // `(hidden)`, as prompts say.
        [b'(', b'a'..=b'z', ..] => {
            let inside =
                rest.iter().skip(1).take_while(|byte| byte.is_ascii_lowercase() || **byte == b' ').count();
            if rest.get(inside + 1..inside + 3) == Some(b") ") { inside + 2 } else { 0 }
        }
        [b'<', b'/', ..] => rest.iter().take(12).position(|byte| *byte == b'>').map_or(0, |close| close + 1),
        [b'!', b'!', ..] | [b'&', b'a'..=b'z' | b'A'..=b'Z', ..] if is_tag_of_yaml(rest, word) => word,
        _ => 0,
    };
    let behind = skip_spaces(bytes, at + length);
    // `name: &str = …` is of a program.
    if length == 0 || bytes.get(behind) == Some(&b'=') { at } else { behind }
}

fn is_tag_of_yaml(rest: &[u8], word: usize) -> bool {
    let name = rest.get(1..word).unwrap_or_default();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'!');
    rest.get(word) == Some(&b' ') && name.iter().all(plain)
}

/// The end of one line and the beginning of the next where lines are the strings of a list: `…","…`.
fn list_break(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..at.saturating_add(40).min(bytes.len())).unwrap_or_default();
    let closed = backslashes(rest);
    if rest.get(closed) != Some(&b'"') || rest.get(closed + 1) != Some(&b',') {
        return 0;
    }
    let behind = rest.get(closed + 2..).unwrap_or_default();
    let gap = behind.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let open = closed + 2 + gap;
    let opened = open + backslashes(rest.get(open..).unwrap_or_default());
    if rest.get(opened) == Some(&b'"') { opened + 1 } else { 0 }
}

/// The length of what ends a line at `at`, in a text or in a list of lines.
fn break_at(bytes: &[u8], at: usize) -> usize {
    match line_break(bytes, at) {
        0 => list_break(bytes, at),
        broken => broken,
    }
}

/// What stands on the next line that is not empty, if this one ends at `at`.
pub(super) fn lines_behind(bytes: &[u8], at: usize) -> Option<usize> {
    let mut behind = at;
    for _ in 0..3 {
        let broken = break_at(bytes, behind);
        if broken == 0 {
            break;
        }
        behind += broken;
        behind += usize::from(bytes.get(behind) == Some(&b'+'));
        behind = skip_indent(bytes, behind);
    }
    (behind > at).then_some(behind)
}

/// The first line of a document that is written in place: `<<EOT`.
fn document(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let rest = bytes.get(at..at.saturating_add(60).min(bytes.len()))?;
    let name = rest.strip_prefix(b"<<").filter(|rest| rest.first() != Some(&b'<'))?;
    let length =
        name.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"-~_'\"".contains(byte)).count();
    let start = lines_behind(bytes, at + 2 + length).filter(|_| length > 0)?;
    let line = bytes.get(start..start.saturating_add(LONGEST_ELEMENT).min(bytes.len()))?;
    let end = (0..line.len()).find(|end| break_at(bytes, start + end) > 0)?;
    (end > 0).then_some((start, start + end))
}

/// The lines of a YAML block (`>-`, `|`) whose header stands at `at`: they are indented.
fn block(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    const LONGEST: usize = 16 << 10;
    if !matches!(bytes.get(at), Some(b'>' | b'|')) {
        return None;
    }
    let header = bytes.get(at + 1..)?.iter().take(3);
    let header = at + 1 + header.take_while(|byte| matches!(byte, b'+' | b'-' | b'1'..=b'9')).count();
    let header = skip_spaces(bytes, header);
    let comment = bytes.get(header..).filter(|rest| rest.first() == Some(&b'#')).unwrap_or_default();
    let comment = comment.iter().take(80).take_while(|byte| !matches!(byte, b'\n' | b'\\' | b'"')).count();
    let header = header + comment;
    let first = header + Some(break_at(bytes, header)).filter(|length| *length > 0)?;
    let (mut line, mut span) = (first, None::<(usize, usize)>);
    let mut depth = 0;
    while line < bytes.len() && line - at < LONGEST {
        // A line of a patch begins with its sign.
        let line_start = line + usize::from(bytes.get(line) == Some(&b'+'));
        let text = skip_indent(bytes, line_start);
        let rest = bytes.get(text..)?;
        let mut length = 0;
        while length < rest.len() && break_at(bytes, text + length) == 0 && rest.get(length) != Some(&b'"') {
            length += 1;
        }
        if text == line_start || length == 0 || text - line_start < depth {
            break;
        }
        depth = if depth == 0 { text - line_start } else { depth };
        span = Some((span.map_or(text, |(start, _)| start), text + length));
        match break_at(bytes, text + length) {
            0 => break,
            broken => line = text + length + broken,
        }
    }
    span
}

/// The end of what was opened by the quotation mark before `start`; `open` is where its escapes begin.
///
/// A mark closes if as many backslashes stand before it as before the one that opened, apart from those that
/// are the value's own. In the shell the next piece of a word may follow at once.
fn quoted_end(bytes: &[u8], open: usize, start: usize) -> usize {
    let Some(quote) = bytes.get(start - 1).copied() else { return start };
    let level = start - 1 - open;
    let mut at = start;
    let mut escapes = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => escapes += 1,
            b'\n' if escapes == 0 => return at,
            byte if *byte == quote => {
                let own = escapes % (2 * (level + 1)) == level;
                let alone = quote == b'\'' && level == 0 && !goes_on(bytes, at + 1);
                if own || alone {
                    match next_piece(bytes, at + 1, quote) {
                        Some(next) => at = next,
                        None => return at - level.min(escapes),
                    }
                    escapes = 0;
                    continue;
                }
                escapes = 0;
            }
            _ => escapes = 0,
        }
        at += 1;
    }
    at
}

/// Whether a word goes on at `at`.
fn goes_on(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(u8::is_ascii_alphanumeric)
}

/// Behind what joins two pieces of one word, `'\''`, `'"'"'` or `''`, whose first quotation mark stands before
/// `at`.
fn next_piece(bytes: &[u8], at: usize, quote: u8) -> Option<usize> {
    if quote != b'\'' {
        return None;
    }
    let rest = bytes.get(at..at.saturating_add(12).min(bytes.len()))?;
    let mut marks = rest.iter().enumerate().filter(|(_, byte)| **byte != b'\\');
    let first = marks.next()?;
    let second = marks.next()?;
    let between = |first: usize, second: usize| second - first;
    match (*first.1, *second.1) {
        (b'\'', b'\'') if first.0 > 0 && between(first.0, second.0) == 1 => Some(at + second.0 + 1),
        (b'\'', after) if first.0 == 0 && after.is_ascii_alphanumeric() => Some(at + 1),
        (b'"', b'\'') => {
            marks.next().filter(|(_, byte)| **byte == b'"')?;
            let fourth = marks.next().filter(|(_, byte)| **byte == b'\'')?;
            Some(at + fourth.0 + 1)
        }
        _ => None,
    }
}

/// The end of a value without quotation marks. What ends a word in one language is a letter in another, so a
/// mark ends it only where something follows as it does in the language that it is a mark of.
pub(super) fn unquoted_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.get(at + 1..).unwrap_or_default();
        let ends = match byte {
            byte if byte.is_ascii_whitespace() || *byte == 0x1b => true,
            b'\\' if skip_colours(bytes, at) > at => true,
            b'\\' => {
                let escapes = backslashes(rest);
                match rest.get(escapes) {
                    None | Some(b'n' | b'r' | b't' | b'"' | b'\'' | b'`' | b'\n' | b'\r') => true,
                    // The shell's own.
                    Some(b' ') if escapes == 0 => {
                        at += 2;
                        continue;
                    }
                    Some(_) => {
                        at += escapes + 1;
                        continue;
                    }
                }
            }
            b'"' | b'\'' | b'`' => at > start && is_end(rest, b",:;.>&|)]}\\*?"),
            b';' => is_end(rest, b"\"'`\\") || is_assignment(rest),
            b'&' => {
                is_end(rest, b"\"'`\\")
                    || rest.starts_with(b"& ")
                    || is_assignment(rest)
                    || rest.starts_with(b"amp;")
            }
            b'|' => is_end(rest, b"\"'`\\") || rest.starts_with(b"| "),
            b'<' => is_end(rest, b"\"'") || is_tag(rest),
            b'>' => {
                is_end(rest, b"\"'")
                    || [&b"/dev"[..], b"&1", b"&2", b"</"].iter().any(|next| rest.starts_with(next))
            }
            b',' => is_end(rest, b"\"'`\\") || is_assignment(rest),
            b')' | b'}' | b']' => {
                let closing = rest
                    .iter()
                    .take(8)
                    .take_while(|byte| matches!(byte, b',' | b';' | b')' | b']' | b'}' | b'.'));
                let behind = rest.get(closing.count()..).unwrap_or_default();
                is_end(behind, b"\"'`\\") || behind.strip_prefix(b"<").is_some_and(is_tag)
            }
            _ => false,
        };
        if ends {
            break;
        }
        at += 1;
    }
    at
}

/// Whether nothing follows, white space or one of these.
fn is_end(rest: &[u8], marks: &[u8]) -> bool {
    rest.first().is_none_or(|byte| byte.is_ascii_whitespace() || marks.contains(byte))
}

/// `Name=` or `User Id=`.
fn is_assignment(rest: &[u8]) -> bool {
    let name = rest.iter().take(40);
    let length = name
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_' | b'-' | b'.'))
        .count();
    let after = rest.get(length..).unwrap_or_default();
    length > 0
        && rest.first().is_some_and(u8::is_ascii_alphabetic)
        && (after.starts_with(b"=") || after.starts_with(b"%3D") || after.starts_with(b"\\u003d"))
}

/// `br>`, `br />` or `/name>`.
fn is_tag(rest: &[u8]) -> bool {
    let (closes, rest) = rest.strip_prefix(b"/").map_or((false, rest), |rest| (true, rest));
    let of_name = |byte: &u8| byte.is_ascii_lowercase() || (closes && (is_name(*byte) || *byte == b':'));
    let length = rest.iter().take(60).take_while(|byte| of_name(byte)).count();
    rest.first().is_some_and(u8::is_ascii_alphabetic) && matches!(rest.get(length), Some(b'>' | b' ' | b'/'))
}

//! What an escaped text means: `\u003d`, `\/`, `%3D` and `&quot;` hide from rules what everybody reads.
//!
//! Only around such escapes is a text read a second time, decoded, and a third time where that leaves some: JSON
//! within JSON. A match there is mapped back to its position in the original text.

/// So much of a text is decoded before an escape, for the name of a value, and behind it.
const BEFORE: usize = 300;
const BEHIND: usize = 600;
/// A word that goes on is followed so far.
const LONGEST_WORD: usize = 8 << 10;
/// Letters beyond ASCII that the names of secrets have in other languages (`elsewhere.rs`). Other
/// letters hide nothing by themselves, so that a text of a script that is all escapes is not read twice for them.
const ELSEWHERE: &str = "\u{1b}密口码パ暗葉비암패пПгГлЛқүñÑöÖłŁóÓăĂşŞðšëõκΚθסكقزگڈậรपপகపპգž";
/// As often as a text is decoded.
const LAYERS: usize = 2;

/// The decoded parts of a text.
pub(super) struct View {
    pub(super) text: String,
    /// For each byte of `text`, where it stands in what was decoded, and where that ends.
    places: Vec<usize>,
}

impl View {
    /// The place in the text as it was written.
    pub(super) fn place(&self, at: usize) -> usize {
        self.places.get(at).or(self.places.last()).copied().unwrap_or_default()
    }

    fn push(&mut self, char: char, place: usize) {
        self.text.push(char);
        self.places.resize(self.text.len(), place);
    }

    /// What stands for itself, from `place` on.
    fn push_plain(&mut self, plain: &str, place: usize) {
        self.text.push_str(plain);
        let mut begins = place;
        self.places.extend(plain.bytes().zip(place..).map(|(byte, at)| {
            // All bytes of a character have its place.
            if byte & 0xc0 != 0x80 {
                begins = at;
            }
            begins
        }));
    }
}

/// The text decoded once, twice, as long as that changes anything.
pub(super) fn views(text: &str) -> Vec<View> {
    let mut views: Vec<View> = Vec::new();
    while views.len() < LAYERS {
        let decoded = match views.last() {
            None => view(text),
            Some(last) => view(&last.text).map(|mut next| {
                next.places.iter_mut().for_each(|place| *place = last.place(*place));
                next
            }),
        };
        match decoded {
            Some(view) => views.push(view),
            None => break,
        }
    }
    views
}

fn view(text: &str) -> Option<View> {
    let regions = regions(text);
    if regions.is_empty() {
        return None;
    }
    // Decoding makes nothing longer, and two line breaks follow each region.
    let room = regions.iter().map(|(start, end)| end - start + 2).sum();
    let mut view = View { text: String::with_capacity(room), places: Vec::with_capacity(room + 1) };
    for (start, end) in regions {
        let mut at = start;
        while let Some(rest) = text.get(at..end).filter(|rest| !rest.is_empty()) {
            let plain = memchr::memchr3(b'\\', b'%', b'&', rest.as_bytes()).unwrap_or(rest.len());
            if let Some(plain) = rest.get(..plain).filter(|plain| !plain.is_empty()) {
                view.push_plain(plain, at);
                at += plain.len();
                continue;
            }
            let (char, length) = match escape(rest.as_bytes()) {
                Some(escape) => escape,
                None => rest.chars().next().map_or(('\0', 1), |char| (char, char.len_utf8())),
            };
            view.push(char, at);
            at += length;
        }
        // Two regions say nothing about each other.
        view.push('\n', end);
        view.push('\n', end);
    }
    let end = view.places.last().copied().unwrap_or_default();
    view.places.push(end);
    Some(view)
}

/// The parts of a text around escapes that hide something, in order and apart.
fn regions(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut regions: Vec<(usize, usize)> = Vec::new();
    let mut from = 0;
    while let Some(found) = memchr::memchr3(b'\\', b'%', b'&', bytes.get(from..).unwrap_or_default()) {
        let at = from + found;
        from = at + 1;
        let rest = bytes.get(at..).unwrap_or_default();
        let Some((char, length)) = escape(rest) else { continue };
        let is_sign = !matches!(rest, [b'\\', next, ..] if !matches!(next, b'u' | b'/'));
        let hides = is_sign && (char.is_ascii() || ELSEWHERE.contains(char));
        from = at + length;
        if !hides {
            continue;
        }
        let start = text.floor_char_boundary(at.saturating_sub(BEFORE));
        match regions.last_mut().filter(|(_, end)| start <= *end) {
            Some((_, end)) if *end >= at + BEHIND => {}
            Some((_, end)) => *end = behind(text, at),
            None => regions.push((start, behind(text, at))),
        }
    }
    regions
}

/// The end of the region of an escape at `at`: no word is cut in two.
fn behind(text: &str, at: usize) -> usize {
    let from = text.floor_char_boundary(at.saturating_add(BEHIND));
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    let word = rest.iter().take(LONGEST_WORD).take_while(|byte| !byte.is_ascii_whitespace()).count();
    text.floor_char_boundary(from + word)
}

/// The character that an escape at the beginning of `rest` stands for, and its length.
fn escape(rest: &[u8]) -> Option<(char, usize)> {
    match rest {
        [b'\\', b'u', digits @ ..] => {
            let code = u32::from_str_radix(std::str::from_utf8(digits.get(..4)?).ok()?, 16).ok()?;
            Some((readable(char::from_u32(code)?)?, 6))
        }
        [b'\\', b'n', ..] => Some(('\n', 2)),
        [b'\\', b'r', ..] => Some(('\r', 2)),
        [b'\\', b't', ..] => Some(('\t', 2)),
        [b'\\', byte @ (b'"' | b'/' | b'\\'), ..] => Some((char::from(*byte), 2)),
        [b'%', ..] => percent(rest),
        [b'&', entity @ ..] => self::entity(entity),
        _ => None,
    }
}

/// The character, if it may stand in a name or a value; terminals' colour codes may stand between.
fn readable(char: char) -> Option<char> {
    (!char.is_control() || char == '\u{1b}').then_some(char)
}

/// The character of `%3D` or `%C3%B1`.
fn percent(rest: &[u8]) -> Option<(char, usize)> {
    let mut bytes = [0; 4];
    for (count, written) in (1..=bytes.len()).zip(rest.chunks_exact(3)) {
        let digits = written.strip_prefix(b"%").filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        *bytes.get_mut(count - 1)? = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        let read = bytes.get(..count).and_then(|bytes| std::str::from_utf8(bytes).ok());
        if let Some(char) = read.and_then(|read| read.chars().next()) {
            return Some((if matches!(char, '\n' | '\t') { char } else { readable(char)? }, 3 * count));
        }
    }
    None
}

/// An entity of XML behind its `&`.
fn entity(rest: &[u8]) -> Option<(char, usize)> {
    const NAMES: [(&[u8], u8); 5] =
        [(b"quot;", b'"'), (b"amp;", b'&'), (b"lt;", b'<'), (b"gt;", b'>'), (b"apos;", b'\'')];
    if let Some((name, byte)) = NAMES.iter().find(|(name, _)| rest.starts_with(name)) {
        return Some((char::from(*byte), name.len() + 1));
    }
    let number = rest.strip_prefix(b"#")?;
    let length = number.iter().take(6).position(|byte| *byte == b';')?;
    let digits = std::str::from_utf8(number.get(..length)?).ok()?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u8::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    (0x20..0x7f).contains(&code).then_some((char::from(code), length + 3))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_escaped_is_read_as_what_it_means() {
        for (written, meant) in [
            (r#"{"a":"PASSWORD\u003dx\/y"}"#, vec!["{\"a\":\"PASSWORD=x/y\"}"]),
            (r"a\\u003db", vec!["a\\u003db", "a=b"]),
            ("q=a%3Db%20c%C3%A9%ff", vec!["q=a=b cé%ff"]),
            (r"contrase\u00f1a: x \u001b[0m", vec!["contraseña: x \u{1b}[0m"]),
            ("&lt;a b=&#39;c&#x27; &amp;lt;", vec!["<a b='c' &lt;", "<a b='c' <"]),
        ] {
            let read: Vec<String> =
                views(written).iter().map(|view| view.text.trim_end().to_owned()).collect();
            let read: Vec<&str> = read.iter().map(String::as_str).collect();
            if written.starts_with("a\\\\") {
                assert!(read.is_empty(), "an escaped backslash hides nothing by itself");
                continue;
            }
            assert_eq!(read, meant, "{written}");
        }
        for plain in ["a\\nb \"c\\\" d\\\\", "100 % & more", "a && b", "%zz &copy; \\u00e9 %C3%A9 \\x"] {
            assert!(views(plain).is_empty(), "{plain}");
        }
    }

    proptest! {
        #[test]
        fn every_byte_has_its_place(text in r#"(?:\\u003d|\\/|%3D|&quot;|[a-zé \\%&"n]){0,40}"#) {
            for view in views(&text) {
                prop_assert!(view.places.is_sorted());
                prop_assert!(view.places.iter().all(|place| text.is_char_boundary(*place)));
                prop_assert_eq!(view.places.len(), view.text.len() + 1);
            }
        }
    }
}

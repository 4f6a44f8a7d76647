//! Values that do not directly follow the assignment to their name: inside an object, after a type, inside a call
//! that wraps them, and after the name of a GraphQL variable.

use super::automaton::{Fuel, Spent};
use super::spoken::looks_drawn;
use super::text::is_name;
use super::value::{Style, line_break, skip_quote, skip_spaces};

/// A value is looked for no further within an object.
const FARTHEST: usize = 240;
/// The variables of a query stand behind all of it.
const FARTHEST_VARIABLE: usize = 600;
/// What is looked at for each other way.
const ALONGSIDE: usize = 60;
/// What wraps a value, as programs write it and as they print it.
#[rustfmt::skip] // Words, many a line.
const WRAPPERS: &[&[u8]] = &[
    b"Some", b"Ok", b"Just", b"Right", b"Optional", b"Optional.of", b"Optional.ofNullable", b"Option.Some", b"Option.of",
    b"String::from", b"Secret", b"Secret::new", b"SecretString", b"SecretString::new", b"SecretString::from", b"SecretStr",
    b"SecretBox::new", b"Zeroizing::new", b"Zeroizing", b"Sensitive", b"Sensitive.new", b"Password", b"Password::new",
    b"Plaintext", b"Redacted.make", b"Secret.of", b"Secret.fromString", b"SecretValue.unsafePlainText",
    b"cdk.SecretValue.unsafePlainText", b"pulumi.secret", b"mo.Some", b"null.StringFrom", b"sql.NullString",
];

/// How a value is given, and where it begins.
pub(super) type Place = (Style, usize);

/// Where the value may stand that is given at `plain`: the first of these that is a secret is meant.
pub(super) fn places(bytes: &[u8], plain: Place, fuel: &mut Fuel) -> Result<Vec<Place>, Spent> {
    let (_, at) = plain;
    let mut places = Vec::new();
    if is_variable(bytes, at) {
        fuel.burn(FARTHEST_VARIABLE)?;
        places.extend(variable(bytes, at));
    }
    places.extend(wrapped(bytes, at));
    places.push(plain);
    places.extend(nested(bytes, at));
    places.extend(typed(bytes, at));
    Ok(places)
}

/// `{ "sensitive": true, "value": "…" }` and `{ default = "…" }`: the value of what opens at `at`.
fn nested(bytes: &[u8], at: usize) -> Option<Place> {
    let rest = bytes.get(at..at.saturating_add(FARTHEST).min(bytes.len()))?;
    if rest.first() != Some(&b'{') {
        return None;
    }
    let inside = rest.split(|byte| *byte == b'}').next()?;
    let names = [&b"value"[..], b"default", b"Value", b"plaintext", b"SecretString"];
    let name = names.iter().find_map(|name| Some(memchr::memmem::find(inside, name)? + name.len()))?;
    let (_, closed) = skip_quote(bytes, at + name);
    let sign = skip_spaces(bytes, closed);
    matches!(bytes.get(sign), Some(b':' | b'=')).then(|| (Style::Code, skip_spaces(bytes, sign + 1)))
}

/// `password: str = "…"`: the value behind the type at `at`.
fn typed(bytes: &[u8], at: usize) -> Option<Place> {
    let rest = bytes.get(at..at.saturating_add(60).min(bytes.len()))?;
    let is_type = |byte: &u8| {
        is_name(*byte) || matches!(byte, b'&' | b'\'' | b'<' | b'>' | b'[' | b']' | b'|' | b' ' | b':' | b'?')
    };
    let length = rest.iter().take_while(|byte| is_type(byte)).count();
    let sign = rest.get(length..)?;
    let value = skip_spaces(bytes, at + length + 1);
    (length > 1 && sign.starts_with(b"=") && !sign.starts_with(b"==") && skip_quote(bytes, value).0)
        .then_some((Style::Code, value))
}

/// `Some("…")`, `Some(Secret::new("…"))`, and `Optional[…]` as programs print it.
fn wrapped(bytes: &[u8], at: usize) -> Option<Place> {
    let mut at = at;
    for _ in 0..3 {
        let rest = bytes.get(at..at.saturating_add(ALONGSIDE).min(bytes.len()))?;
        let of_callee = |byte: &&u8| is_name(**byte) || **byte == b':';
        let length = rest.iter().take_while(of_callee).count();
        let is_wrapper = WRAPPERS.contains(&rest.get(..length)?);
        let beside = at + length + 1;
        if is_wrapper && rest.get(length) == Some(&b' ') && skip_quote(bytes, beside).0 {
            return Some((Style::Code, beside));
        }
        if !is_wrapper || !matches!(rest.get(length), Some(b'(' | b'[')) {
            return None;
        }
        let inside = behind_breaks(bytes, beside);
        if skip_quote(bytes, inside).0 {
            return Some((Style::Code, inside));
        }
        let rest = bytes.get(inside..inside.saturating_add(ALONGSIDE).min(bytes.len()))?;
        let word = rest.split(|byte| matches!(byte, b')' | b']') || byte.is_ascii_whitespace()).next()?;
        let closes = matches!(rest.get(word.len()), Some(b')' | b']'));
        let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
        if closes && digits > 0 && std::str::from_utf8(word).is_ok_and(looks_drawn) {
            return Some((Style::Code, inside));
        }
        at = inside;
    }
    None
}

/// Behind spaces and line breaks, as programs print what they hold over several lines.
fn behind_breaks(bytes: &[u8], at: usize) -> usize {
    match line_break(bytes, at) {
        0 => at,
        broken => skip_spaces(bytes, at + broken + usize::from(bytes.get(at + broken) == Some(&b'+'))),
    }
}

/// Whether a variable of a query of GraphQL stands at `at`: `login(password: $p)`.
fn is_variable(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(at.saturating_sub(20)..at).unwrap_or_default().trim_ascii_end();
    before.last() == Some(&b':')
        && matches!(bytes.get(at..at.saturating_add(2)), Some([b'$', next]) if next.is_ascii_alphabetic())
}

/// What the variable at `at` is given: `"variables": { "p": "…" }`.
fn variable(bytes: &[u8], at: usize) -> Option<Place> {
    let rest = bytes.get(at + 1..(at + 1).saturating_add(FARTHEST_VARIABLE).min(bytes.len()))?;
    let length =
        rest.iter().take(40).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let name = rest.get(..length)?;
    let variables = memchr::memmem::find(rest, b"ariables")?;
    let given = memchr::memmem::find_iter(rest.get(variables..)?, name).map(|found| variables + found);
    let is_name = |found: &usize| found.checked_sub(1).and_then(|before| rest.get(before)) == Some(&b'"');
    given.filter(is_name).find_map(|found| {
        let (is_quoted, closed) = skip_quote(bytes, at + 1 + found + length);
        let sign = skip_spaces(bytes, closed);
        let value = skip_spaces(bytes, sign + 1);
        let is_given = is_quoted && bytes.get(sign) == Some(&b':') && skip_quote(bytes, value).0;
        is_given.then_some((Style::Code, value))
    })
}

//! `KEY=value`, `"key": "value"`, `--key value`, `<key>value</key>` and their kin, where the key names a secret.
//!
//! Source code is full of names of secrets beside values that are none (`token = next()`,
//! `password: string`, `token=self.token`), so the value is judged by how it is written (`judgement.rs`).

use std::borrow::Cow;

use super::automaton::{Found, Fuel, Spent};
use super::finding::Told;
use super::judgement::{is_placeholder, is_secret};
use super::name::{self, Secret};
use super::text::{is_name, name_end, skip_colours, word_start};
use super::value::{Style, Value, behind_markup, line_break, lines_behind, skip_quote, skip_spaces};
use super::{cells, columns, cut_key, fed, indirect, spoken};

/// No more of a field's name is looked at.
const LONGEST_NAME: usize = 200;
/// A value is looked for no further behind its key.
const FARTHEST: usize = 240;
/// What is looked at beside name and value, to tell how one is given to the other.
const ALONGSIDE: usize = 100;
/// Commands and directives behind which a name and its value stand side by side.
#[rustfmt::skip] // Words, many a line.
const SETTINGS: &[&[u8]] = &[
    b"config set", b"configure set", b"git config", b"--global", b"--local", b"ENV", b"setenv", b"setx", b"SetEnv",
    b"set -x", b"set -gx", b"set -xg", b"set -Ux", b"fastcgi_param", b"PassEnv", b"secrets set", b"env set", b"env add",
    b"vars set", b"config:set", b"Environment", b"proxy_set_header", b"#define", b"--secret", b"--plaintext", b"kv put",
];
/// Directives of configurations that are names of secrets themselves.
const DIRECTIVES: &[&str] = &["requirepass", "masterauth", "bindpw", "rootpw", "masterpass"];

/// The secrets that a mark tells of: what the name around it is given, what is fed to a program there, or the key
/// that ends there.
pub(super) fn assigned(text: &str, mark: usize, fuel: &mut Fuel) -> Result<Vec<Told>, Spent> {
    let at_mark = text.get(mark..).unwrap_or_default();
    if at_mark.starts_with(cut_key::END) {
        let found = cut_key::before(text, mark, fuel)?;
        return Ok(Vec::from_iter(found.map(|found| Told { found, name: Some(cut_key::NAME) })));
    }
    let found = match fed::MARKS.iter().find(|feeds| at_mark.starts_with(*feeds)) {
        Some(feeds) => fed::secret(text, mark, feeds, fuel)?,
        None => return named(text, mark, fuel),
    };
    Ok(Vec::from_iter(found.map(Told::of_rule)))
}

/// The secrets that the name around `mark` is given, if it names one and is given some.
fn named(text: &str, mark: usize, fuel: &mut Fuel) -> Result<Vec<Told>, Spent> {
    let bytes = text.as_bytes();
    let start = word_start(bytes, mark);
    let end = name_end(bytes, mark);
    fuel.burn(end - start)?;
    let (start, end) = several_words(bytes, start, end);
    let Some(key) = text.get(start..end) else { return Ok(Vec::new()) };
    let joined = if key.contains(' ') { Cow::Owned(key.replace(' ', "")) } else { Cow::Borrowed(key) };
    let Some(secret) = name::secret(&joined).or_else(|| of_connection(bytes, key, start, end)) else {
        return Ok(Vec::new());
    };
    if is_of_resource(bytes, start, end) {
        return Ok(Vec::new());
    }
    let Some((style, at)) = separator(bytes, key, start, end) else {
        return told(text, start, end, secret, fuel);
    };
    fuel.burn(ALONGSIDE)?;
    for (style, at) in indirect::places(bytes, (style, at), fuel)? {
        let Some(value) = Value::read(text, at, style) else { continue };
        fuel.burn(value.end - value.start)?;
        let of_tests = key.eq_ignore_ascii_case("pass") && is_of_tests(text, end, value.text);
        // `--secret NAME VALUE`.
        let names_one = key == "--secret" && name::secret(value.text).is_some();
        let is_colour = is_property(text, start, end) && is_colour(value.text);
        if !of_tests && !names_one && !is_colour && is_secret(&value, secret) {
            let end = changed(text, &value, secret).unwrap_or(value.end);
            return Ok(vec![Told::of_rule(Found { start: value.start, end })]);
        }
    }
    let found = match secret {
        Secret::Password => spoken::used_as(text, start, end),
        _ => spoken::pair(text, end).filter(|_| joined.to_ascii_lowercase().contains("cred")),
    };
    if let Some(found) = found {
        return Ok(vec![Told::of_rule(found)]);
    }
    in_columns(text, start, end, Vec::new(), secret, fuel)
}

/// Whether `Pass`, which ends at `end`, speaks of tests: of how many, `Pass: 12`, or of one by its name, `PASS: TestLogin2`.
fn is_of_tests(text: &str, end: usize, value: &str) -> bool {
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        return true;
    }
    let name = value.trim_end_matches(|char: char| char.is_ascii_digit());
    let letters = name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    let joined = value.contains(['_', '/', '.', ':'])
        && value.bytes().all(|byte| is_name(byte) || b"/:[]".contains(&byte));
    let is_loud = text.get(..end).is_some_and(|before| before.ends_with("PASS"));
    text.get(end..).is_some_and(|rest| rest.starts_with(':')) && (joined || (is_loud && letters))
}

/// Whether the name is a property of a style sheet: `--color-token:`.
fn is_property(text: &str, start: usize, end: usize) -> bool {
    text.get(start..).is_some_and(|name| name.starts_with("--"))
        && text.get(end..).is_some_and(|rest| rest.starts_with(':'))
}

/// `#3b82f6`.
fn is_colour(text: &str) -> bool {
    let digits = text.trim_end_matches(';').strip_prefix('#').unwrap_or_default();
    matches!(digits.len(), 3 | 4 | 6 | 8) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The secrets that a sentence or a table says of the name at `start..end`.
fn told(text: &str, start: usize, end: usize, secret: Secret, fuel: &mut Fuel) -> Result<Vec<Told>, Spent> {
    if let Some(found) = spoken::said(text, end, secret, fuel)? {
        return Ok(vec![Told::of_rule(found)]);
    }
    if secret == Secret::Password
        && let Some(found) = spoken::used_as(text, start, end)
    {
        return Ok(vec![Told::of_rule(found)]);
    }
    let is_pair = text.get(start..end).is_some_and(|name| name.to_ascii_lowercase().contains("cred"));
    if is_pair && let Some(found) = spoken::pair(text, end) {
        return Ok(vec![Told::of_rule(found)]);
    }
    let cells = cells::column(text, start, end);
    in_columns(text, start, end, cells, secret, fuel)
}

/// The secrets in the cells below a name at `start..end`, of a table or else of columns.
fn in_columns(
    text: &str,
    start: usize,
    end: usize,
    cells: Vec<Value<'_>>,
    secret: Secret,
    fuel: &mut Fuel,
) -> Result<Vec<Told>, Spent> {
    let mut cells = cells;
    if cells.is_empty() {
        cells = columns::below(text, start, end);
    }
    if let Some(last) = cells.last() {
        fuel.burn(last.end - end)?;
    }
    if cells.is_empty() {
        cells = columns::copied(text, start, end, fuel)?;
    }
    let secrets = cells.iter().filter(|value| is_secret(value, secret));
    Ok(secrets.map(|value| Told::of_rule(Found { start: value.start, end: value.end })).collect())
}

/// `UID=app;PWD=…`: among the parts of a connection `PWD` is a password, and elsewhere where a shell stands.
fn of_connection(bytes: &[u8], key: &str, start: usize, end: usize) -> Option<Secret> {
    #[rustfmt::skip] // Words, many a line.
    const PARTS: &[&[u8]] = &[
        b"uid=", b"user=", b"user id=", b"server=", b"driver=", b"database=", b"dsn=", b"dbq=", b"host=", b"hostname=",
        b"data source=", b"trusted_connection=", b"encrypt=", b"trustservercertificate=", b"port=",
    ];
    if key != "PWD" || bytes.get(end) != Some(&b'=') {
        return None;
    }
    let before = bytes.get(start.saturating_sub(ALONGSIDE)..start).unwrap_or_default();
    let behind = bytes.get(end..end.saturating_add(ALONGSIDE).min(bytes.len())).unwrap_or_default();
    let names = |text: &[u8]| {
        let text = text.to_ascii_lowercase();
        PARTS.iter().any(|part| memchr::memmem::find(&text, part).is_some())
    };
    let is_part = (before.trim_ascii_end().ends_with(b";") && names(before))
        || memchr::memchr(b';', behind).and_then(|sign| behind.get(sign..)).is_some_and(names);
    is_part.then_some(Secret::Password)
}

/// Whether the name at `start` is a part of what names a resource: `arn:aws:secretsmanager:…:secret:db-VSD6C1`.
fn is_of_resource(bytes: &[u8], start: usize, end: usize) -> bool {
    let before = bytes.get(start.saturating_sub(ALONGSIDE)..start).unwrap_or_default();
    let part = |byte: &&u8| is_name(**byte) || matches!(**byte, b':' | b'/' | b'*');
    let length = if before.ends_with(b":") { before.iter().rev().take_while(part).count() } else { 0 };
    let word = before.get(before.len() - length..).unwrap_or_default();
    let scheme = word.split(|byte| *byte == b':').next().unwrap_or_default();
    let scheme = scheme.strip_prefix(b"n").unwrap_or(scheme);
    let goes_on = matches!(bytes.get(end..), Some([b':', next, ..]) if !next.is_ascii_whitespace());
    length > 0
        && goes_on
        && (scheme == b"arn" || scheme == b"urn")
        && word.iter().filter(|byte| **byte == b':').count() > 2
}

/// Names of two or three words: `API key`, `pass phrase`, `mot de passe`, and one with a letter beyond ASCII.
fn several_words(bytes: &[u8], start: usize, end: usize) -> (usize, usize) {
    #[rustfmt::skip] // Words, many a line.
    const BEFORE_KEY: &[&[u8]] = &[
        b"API ", b"Api ", b"api ", b"access ", b"Access ", b"secret ", b"Secret ", b"private ", b"Private ",
    ];
    const BEHIND: &[(&[u8], &[u8])] = &[
        (b"api", b" key"),
        (b"secret", b" key"),
        (b"access", b" key"),
        (b"pass", b" phrase"),
        (b"mot", b" de passe"),
        (b"contrase", "ña".as_bytes()),
    ];
    let name = bytes.get(start..end).unwrap_or_default();
    let before = bytes.get(start.saturating_sub(8)..start).unwrap_or_default();
    let rest = bytes.get(end..end.saturating_add(12).min(bytes.len())).unwrap_or_default();
    if name.eq_ignore_ascii_case(b"key") {
        let lead = BEFORE_KEY.iter().find(|lead| before.ends_with(lead)).map_or(0, |lead| lead.len());
        return (start - lead, end);
    }
    let goes_on = BEHIND.iter().find(|(first, more)| {
        name.eq_ignore_ascii_case(first)
            && rest.get(..more.len()).is_some_and(|rest| rest.eq_ignore_ascii_case(more))
    });
    (start, goes_on.map_or(end, |(_, more)| end + more.len()))
}

/// Whether the value of an attribute or JSON field of this name is a secret as a whole.
pub(super) fn names_secret(name: &str, value: &str) -> bool {
    let whole =
        Value { text: value, start: 0, end: value.len(), style: Style::Code, quoted: true, next: None };
    // The end of a name says what it is of, and there may be many values of a long one.
    let name = name.get(name.ceil_char_boundary(name.len().saturating_sub(LONGEST_NAME))..).unwrap_or(name);
    match name::secret(name) {
        Some(secret) => is_secret(&whole, secret),
        // `Bearer …` and `Basic …` have rules of their own, which keep the scheme.
        None => {
            let head = value.trim_start().get(..8).unwrap_or_default().to_ascii_lowercase();
            let scheme = head.starts_with("bearer ") || head.starts_with("basic ");
            name::is_credential_header(name) && value.len() >= 3 && !scheme && !is_placeholder(value)
        }
    }
}

/// What stands between key and value, and where the value begins.
fn separator(bytes: &[u8], key: &str, start: usize, end: usize) -> Option<(Style, usize)> {
    let flag = key.starts_with('-');
    let (quoted, closed) = skip_quote(bytes, end);
    let closed = if bytes.get(closed) == Some(&b']') { closed + 1 } else { closed };
    let closed = skip_colours(bytes, closed + brackets(bytes, closed));
    let spaced = skip_colours(bytes, skip_spaces(bytes, closed));
    let environment = !key.bytes().any(|byte| byte.is_ascii_lowercase());
    let before = start.checked_sub(1).and_then(|before| bytes.get(before));
    let header = key.contains('-') && key.starts_with(|first: char| first.is_ascii_uppercase());
    let meant = environment || flag || header || matches!(before, Some(b'?' | b'&'));
    let rest = bytes.get(spaced..)?;
    if let Some(at) = element(bytes, before.copied(), quoted, closed).filter(|_| !is_for(bytes, start)) {
        return Some((Style::Element, within_value(bytes, at)));
    }
    let length = match rest {
        // LDIF marks base64 so.
        [b':', b':', b' ', ..] if !quoted => 2,
        [b'=', b'>', ..] | [b':', b'=', ..] => 2,
        [b'=', b'=', next, ..] if environment && spaced == end && !next.is_ascii_whitespace() => 1,
        [b'=', b'=', ..] | [b':', b':', ..] => return None,
        [b'=' | b':', ..] => 1,
        [b'%', b'3', b'D' | b'A' | b'd' | b'a', ..] => 3,
        // What is taken where a variable is not set.
        [b'|', b'|', ..] | [b'?', b'?', ..] if skip_quote(bytes, skip_spaces(bytes, spaced + 2)).0 => 2,
        [b',', ..] if quoted => 1,
        [b'{', ..] if quoted && spaced > closed => 0,
        [b'(', b'"' | b'\'' | b'\\', ..] if !quoted && is_setter(key) => 1,
        [b'|', next, ..]
            if *next != b'|' && cells::begins_cell(bytes, start) && !cells::is_head(bytes, end) =>
        {
            return Some((Style::Cell, skip_spaces(bytes, spaced + 1)));
        }
        _ if flag && line_break(bytes, closed) > 0 => return next_of_list(bytes, closed),
        // Where help texts explain a flag, they leave room.
        _ if flag && spaced > closed + 2 => return None,
        _ if spaced > closed && (flag || is_setting(bytes, start)) => 0,
        _ if spaced > closed && !quoted && is_directive(bytes, key, spaced) => 0,
        _ => return value_beside(bytes, closed).map(|at| (Style::Code, at)),
    };
    let value = behind_markup(bytes, skip_colours(bytes, skip_spaces(bytes, spaced + length)));
    if rest.first() == Some(&b':')
        && !flag
        && let Some(below) = lines_behind(bytes, value)
    {
        return Some((Style::Below, below));
    }
    if rest.first() == Some(&b',') && flag && line_break(bytes, value) > 0 {
        return next_of_list(bytes, value);
    }
    if rest.first() == Some(&b',') && !flag {
        if let Some(at) = value_beside(bytes, closed) {
            return Some((Style::Code, at));
        }
        return Some((if environment { Style::Code } else { Style::Listed }, value));
    }
    let tight = spaced == end && value == spaced + length;
    let option =
        before == Some(&b',') && rest.first() == Some(&b'=') && tight && is_option(bytes, start, value);
    let slash = before == Some(&b'/') && rest.first() == Some(&b':') && tight;
    let setting = (environment || header) && rest.first() == Some(&b':') && is_last_of_line(bytes, value);
    let style = match tight || setting {
        _ if flag || slash || option || spaced == value || (meant && tight) || setting => Style::Meant,
        true => Style::Tight,
        false => Style::Code,
    };
    Some((style, value))
}

/// The next string of a list of arguments, a line each, behind the one that ends before `at`: `- --password` and
/// `- …`, `"--password",` and `"…"`.
fn next_of_list(bytes: &[u8], at: usize) -> Option<(Style, usize)> {
    let next = lines_behind(bytes, at)?;
    let item = bytes.get(next..)?;
    let value = if item.starts_with(b"- ") { skip_spaces(bytes, next + 2) } else { next };
    let (quoted, inner) = skip_quote(bytes, value);
    let is_one = (quoted || value > next) && bytes.get(inner) != Some(&b'-');
    is_one.then_some((Style::Meant, value))
}

/// Whether `start` begins one of several options with commas between, `username=ana,password=…,vers=3.0`, and
/// `value` is its value. The arguments of a call have brackets around them, and no sign before the first comma.
fn is_option(bytes: &[u8], start: usize, value: usize) -> bool {
    let before = bytes.get(start.saturating_sub(ALONGSIDE)..start).unwrap_or_default();
    let plain = |byte: &&u8| !byte.is_ascii_whitespace() && !b"(){}[]<>\"'`".contains(byte);
    let word = before.iter().rev().take_while(plain).count();
    let called = before.iter().rev().nth(word).is_some_and(|byte| b"([{".contains(byte));
    let given = before.get(before.len() - word..).is_some_and(|word| word.contains(&b'='));
    let rest = bytes.get(value..value.saturating_add(FARTHEST).min(bytes.len())).unwrap_or_default();
    let end = rest.iter().position(|byte| byte.is_ascii_whitespace() || b"()[]{}\"'`".contains(byte));
    given && !called && !end.and_then(|end| rest.get(end)).is_some_and(|byte| b"()[]{}".contains(byte))
}

/// `setPassword("…")`.
fn is_setter(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let last = key.rsplit('.').next().unwrap_or_default();
    last.starts_with("set") || last.starts_with("with")
}

/// The length of `[]`, `[32]` or the signs that end what is written bold.
fn brackets(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let bold = rest.iter().take(2).take_while(|byte| **byte == b'*').count();
    let size = rest
        .strip_prefix(b"[")
        .map_or(0, |rest| rest.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count());
    let sized = rest.first() == Some(&b'[') && rest.get(size + 1) == Some(&b']');
    if sized { size + 2 } else { bold }
}

/// Where the value of an element begins: `<key>`, `<ns:key type="…">`, `<entry name="key">`, and
/// `<key>key</key><string>` of property lists.
fn element(bytes: &[u8], before: Option<u8>, quoted: bool, closed: usize) -> Option<usize> {
    let rest = bytes.get(closed..closed.saturating_add(200).min(bytes.len()))?;
    for (close, open) in
        [(&b"</key>"[..], &b"<string>"[..]), (b"</td>", b"<td>"), (b"</th>", b"<td>"), (b"</dt>", b"<dd>")]
    {
        if let Some(listed) = rest.strip_prefix(close) {
            let gap = listed.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            return listed.get(gap..)?.starts_with(open).then(|| closed + close.len() + gap + open.len());
        }
    }
    match rest.first()? {
        b'>' if quoted || matches!(before, Some(b'<' | b':')) => Some(closed + 1),
        b' ' if !quoted && matches!(before, Some(b'<' | b':')) => {
            let close = rest.iter().position(|byte| matches!(byte, b'>' | b'<'))?;
            let opens = rest.get(close) == Some(&b'>') && close > 0 && rest.get(close - 1) != Some(&b'/');
            let attribute = |pair: &[u8]| matches!(pair, [b'=', b'"' | b'\'' | b'\\']);
            (opens && rest.get(..close)?.windows(2).any(attribute)).then_some(closed + close + 1)
        }
        _ => None,
    }
}

/// Whether an attribute before `start` says that the element is of something else: `<label for="password">`.
fn is_for(bytes: &[u8], start: usize) -> bool {
    let before = bytes.get(start.saturating_sub(20)..start).unwrap_or_default();
    let marks = before.iter().rev().take_while(|byte| matches!(byte, b'"' | b'\'' | b'\\')).count();
    let before = before.get(..before.len() - marks).unwrap_or_default();
    [&b"for="[..], b"htmlFor=", b"class=", b"className=", b"href="].iter().any(|name| before.ends_with(name))
}

/// Behind the tag of `<AdminPassword><Value>…`.
fn within_value(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..at.saturating_add(40).min(bytes.len())).unwrap_or_default();
    let gap = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let tag = rest.get(gap..).unwrap_or_default();
    let is_value = tag.get(..7).is_some_and(|tag| tag.eq_ignore_ascii_case(b"<value>"));
    if is_value { at + gap + 7 } else { at }
}

/// Whether the name at `start` is given its value by `… config set NAME VALUE` or its like.
fn is_setting(bytes: &[u8], start: usize) -> bool {
    let before = bytes.get(start.saturating_sub(200)..start).unwrap_or_default();
    let path = before.iter().rev().take_while(|byte| !byte.is_ascii_whitespace()).count();
    let before = before.get(..before.len() - path).unwrap_or_default().trim_ascii_end();
    SETTINGS.iter().any(|command| before.ends_with(command))
}

/// Whether a directive says it: `requirepass …` at the end of a line.
fn is_directive(bytes: &[u8], key: &str, value: usize) -> bool {
    DIRECTIVES.contains(&key) && is_last_of_line(bytes, value)
}

/// Whether one word stands between here and the end of the line.
fn is_last_of_line(bytes: &[u8], at: usize) -> bool {
    let rest = bytes.get(at..).unwrap_or_default();
    let inside = |byte: &&u8| !byte.is_ascii_whitespace() && **byte != b'&';
    let word = rest.iter().take(FARTHEST).take_while(inside).count();
    matches!(rest.get(word), None | Some(b'\n' | b'\r' | b'&'))
}

/// `"name": "DB_PASSWORD", "value": "…"`, `name: DB_PASSWORD\n  value: …` and `key="DB_PASSWORD" value="…"`.
fn value_beside(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..at.saturating_add(FARTHEST).min(bytes.len()))?;
    let mut gap = 0;
    while let Some(byte) = rest.get(gap) {
        gap += match byte {
            b',' | b' ' | b'\t' => 1,
            _ => match line_break(bytes, at + gap) {
                0 => break,
                // A line of a patch.
                broken => broken + usize::from(rest.get(gap + broken) == Some(&b'+')),
            },
        };
    }
    let (_, name) = skip_quote(bytes, at + gap);
    let after = bytes.get(name..)?;
    let after = after.strip_prefix(b"value").or_else(|| after.strip_prefix(b"Value"))?;
    let (_, closed) = skip_quote(bytes, bytes.len() - after.len());
    let sign = skip_spaces(bytes, closed);
    (gap > 0 && matches!(bytes.get(sign), Some(b':' | b'='))).then(|| skip_spaces(bytes, sign + 1))
}

/// `"old" -> "new"`: the end of what the value becomes.
fn changed(text: &str, value: &Value<'_>, secret: Secret) -> Option<usize> {
    let bytes = text.as_bytes();
    let (_, closed) = skip_quote(bytes, value.end);
    let arrow = bytes.get(closed..)?.strip_prefix(b" -> ")?;
    let next = Value::read(text, bytes.len() - arrow.len(), Style::Code).filter(|_| value.quoted)?;
    is_secret(&next, secret).then_some(next.end)
}

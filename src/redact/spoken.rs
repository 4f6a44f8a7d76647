//! Secrets in sentences and prompts: `the password is …`, `password for bob: …`, `use … as the password`.
//!
//! A sentence says of a password how it is far more often than what it is. So a word is one only if it looks drawn,
//! is quoted, or ends its sentence and is not a word commonly said about passwords.

use std::sync::LazyLock;

use super::automaton::{Automaton, Found, Fuel, Spent};
use super::judgement::{is_path, is_placeholder, is_reference, is_said_of_secrets, stands_for_a_secret};
use super::name::{Secret, mentions_secret};
use super::pattern;

/// What stands between the name of a secret and the secret.
const LINKED: &str = concat!(
    r#"\\*[)\]*_`"']{0,4}"#,
    "(?:",
    r#"(?:\s+(?:for|of|on|at|from|für|pour|del?|von)\s+(?:the |user |key |host |der |die |das |den |dem |le |la |les |el |los |las )?\\*["'`]?[^\s"'`\\]{1,100}"#,
    r#"\\*["'`]?(?: [A-Za-zäöüßÄÖÜ0-9'-]{1,30}){0,4}?)?"#,
    r"(?:\s*\([^()\n\\]{1,40}\))?",
    r"(?:\s+(?:is|was|are|ha[sd] been|have been|ist|war|lautet|est|es)(?:\s+(?:now|still|currently|just|simply|always|(?:re)?set to|changed to|rotated to|updated to|actually))?:?\s+",
    r"|\s*(?::|->|→|=>|=)[*_`]{0,2}\s+|\s+to\s+)",
    r"|,?\s+(?:try|use|it's|its|it is)\s+|[\t ]*\(|[\t ]+)",
    r#"\\*["'`“„«]?(?P<secret>[^\s"'`\\<>|,;“”„«»]{3,100})"#,
);
/// So far a quoted secret goes.
const LONGEST_QUOTED: usize = 80;
/// So far before the name of a secret it is looked for.
const BEFORE: usize = 120;
/// What a name of a secret is joined with to name something else: `the password hash`.
#[rustfmt::skip] // Words, many a line.
const OF_SECRETS: &[&str] = &[
    "algorithm", "backend", "column", "encoder", "encoding", "field", "format", "generator", "hash", "hasher", "hashing",
    "hint", "input", "label", "manager", "placeholder", "policy", "prompt", "provider", "reset", "store", "type",
];
/// What stands between `as` and the name of a secret.
#[rustfmt::skip] // Words, many a line.
const ARTICLES: &[&str] = &[
    "a", "admin", "database", "db", "default", "initial", "its", "master", "my", "new", "our", "root", "temporary", "the",
    "your",
];
/// Methods, codings and systems, which end in a number as passwords do.
#[rustfmt::skip] // Words, many a line.
const METHODS: &[&str] = &[
    "aes", "argon", "base", "bcrypt", "ed", "http", "ipv", "md", "oauth", "pbkdf", "pkcs", "rsa", "scrypt", "sha", "tls",
    "utf", "x", "scram-sha-", "hmac-sha",
];

/// How a sentence comes from the name of a secret to the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// `password hunter22`.
    Beside,
    /// `password: …` with more between, `password → …`.
    Pointed,
    /// `the password is …`.
    Is,
    /// The same in a language whose words of this kind are not known here.
    Elsewhere,
    /// `changed the password to …`.
    Becomes,
}

impl Manner {
    fn of(link: &str) -> Self {
        let link = link.trim_end_matches(|char: char| "\\\"'`“„«".contains(char)).trim_end();
        if link.chars().all(|char| ")]*_`\"'\\".contains(char)) {
            return Self::Beside;
        }
        let last = link.rsplit(char::is_whitespace).next().unwrap_or_default();
        match last {
            "to" | "try" | "use" | "it's" | "its" => Self::Becomes,
            "ist" | "war" | "lautet" | "est" | "es" => Self::Elsewhere,
            _ if last.ends_with([':', '>', '→', '*', '_', '`', '(', '=']) => Self::Pointed,
            _ => Self::Is,
        }
    }
}

static LINK: LazyLock<Option<Automaton>> =
    LazyLock::new(|| Automaton::new(&pattern::parsed(LINKED).ok()?, false, 1).ok());

/// The secret that is said behind its name, which ends at `end`.
pub(super) fn said(text: &str, end: usize, secret: Secret, fuel: &mut Fuel) -> Result<Option<Found>, Spent> {
    let Some(link) = LINK.as_ref() else { return Ok(None) };
    let Some(found) = link.at(text, end, fuel)? else { return Ok(None) };
    let between = text.get(end..found.start).unwrap_or_default();
    let manner = Manner::of(between);
    let quote = between.chars().next_back().filter(|char| "\"'`“„«".contains(*char));
    fuel.burn(LONGEST_QUOTED)?;
    if let Some(value) = quote.filter(|_| manner != Manner::Beside).and_then(|_| quoted(text, found.start)) {
        let is_one = is_quoted(value, secret);
        return Ok(is_one.then_some(Found { start: found.start, end: found.start + value.len() }));
    }
    let word = text.get(found.start..found.end).unwrap_or_default();
    let inner = word.trim_start_matches(['*', '_']);
    let start = found.end - inner.len();
    // The next parameter of a query.
    let next =
        inner.match_indices('&').find(|(at, _)| inner.get(at + 1..).is_some_and(|rest| rest.contains('=')));
    let inner = next.and_then(|(at, _)| inner.get(..at)).unwrap_or(inner);
    let value = inner.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '*', '_']);
    let behind = text.get(start + value.len()..).unwrap_or_default();
    let is_one = is_told(value, behind, manner, secret);
    Ok(is_one.then_some(Found { start, end: start + value.len() }))
}

/// What is quoted from `start` on the same line.
fn quoted(text: &str, start: usize) -> Option<&str> {
    let rest = text.get(start..text.floor_char_boundary(start + LONGEST_QUOTED))?;
    let end = rest.find(|char: char| "\"'`”“»\\\n".contains(char))?;
    rest.get(..end)
        .filter(|value| !rest.get(end..).is_some_and(|rest| rest.starts_with('\n')) && value.len() >= 3)
}

fn is_quoted(value: &str, secret: Secret) -> bool {
    if is_other(value) {
        return false;
    }
    let is_phrase = value.contains(' ');
    match secret {
        Secret::Password if is_phrase => value.split(' ').any(looks_drawn) || is_passphrase(value),
        Secret::Password => {
            !(value.bytes().all(|byte| byte.is_ascii_lowercase() || b"_-.".contains(&byte))
                && mentions_secret(value))
        }
        _ => !is_phrase && is_told(value, "", Manner::Is, secret),
    }
}

/// A few words that are no sentence: `correct horse battery`.
fn is_passphrase(value: &str) -> bool {
    let words: Vec<&str> = value.split(' ').collect();
    let is_plain = |word: &&str| word.len() >= 4 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    (3..=8).contains(&words.len())
        && words.iter().all(is_plain)
        && !words.iter().any(|word| is_said_of_secrets(word))
}

fn is_told(value: &str, behind: &str, manner: Manner, secret: Secret) -> bool {
    if is_other(value) {
        return false;
    }
    let number = value.bytes().all(|byte| byte.is_ascii_digit());
    match secret {
        Secret::Pin => number && (4..=12).contains(&value.len()),
        Secret::Drawn => false,
        Secret::Token => is_made(value),
        Secret::Password if number => value.len() >= 5 && matches!(manner, Manner::Is | Manner::Pointed),
        Secret::Password => {
            let short = value.bytes().filter(u8::is_ascii_digit).count() == 1
                && !value.bytes().any(|byte| byte.is_ascii_uppercase());
            let drawn = looks_drawn(value) && !(short && manner == Manner::Beside);
            drawn || (ends(behind) && is_word(value, manner))
        }
    }
}

/// Whether the value is no secret, however a sentence introduces it.
fn is_other(value: &str) -> bool {
    value.len() < 3
        || is_placeholder(value)
        || stands_for_a_secret(value)
        || is_reference(value)
        || is_path(value)
        || is_said_of_secrets(value)
}

/// One word that ends its sentence: `the password is swordfish.`
fn is_word(value: &str, manner: Manner) -> bool {
    let least = match manner {
        Manner::Is => 6,
        Manner::Pointed => 8,
        Manner::Beside | Manner::Elsewhere | Manner::Becomes => return false,
    };
    value.len() >= least && value.bytes().all(|byte| byte.is_ascii_lowercase()) && !mentions_secret(value)
}

/// Whether a sentence ends before `behind`.
fn ends(behind: &str) -> bool {
    let rest = behind.trim_start_matches(['.', '!', ',', ';', '*', '_']);
    let stopped = behind.starts_with(['.', '!']);
    rest.is_empty()
        || rest.starts_with(['\n', '\r', '\\', '"', '\'', '<', '&'])
        || (stopped && rest.starts_with(' '))
        || rest.trim_start_matches(' ').is_empty()
}

/// Letters with digits or signs, as words of a language, versions, numbers of tickets and names of files are not.
pub(super) fn looks_drawn(text: &str) -> bool {
    let (mut digits, mut letters, mut signs) = (0, 0, 0);
    for char in text.chars() {
        digits += usize::from(char.is_ascii_digit());
        // Latin, Greek and Cyrillic: scripts that put spaces between words.
        letters += usize::from(char.is_ascii_alphabetic() || matches!(char, '\u{c0}'..='\u{52f}'));
        signs += usize::from("!#$%^*+=?@~&".contains(char));
    }
    let enough = letters > 0 && (digits > 0 || (signs > 0 && text.len() >= 8));
    (6..=100).contains(&text.len()) && enough && !is_name_or_number(text)
}

fn is_name_or_number(text: &str) -> bool {
    let all =
        |text: &str, is_one: fn(&u8) -> bool| !text.is_empty() && text.bytes().all(|byte| is_one(&byte));
    let plain = all(text, |byte| byte.is_ascii_alphanumeric() || b"_-./".contains(byte));
    let file = text
        .rsplit_once('.')
        .is_some_and(|(_, kind)| plain && kind.len() <= 5 && all(kind, u8::is_ascii_lowercase));
    let ticket = text.split_once('-').is_some_and(|(project, number)| {
        all(project, u8::is_ascii_uppercase) && all(number, u8::is_ascii_digit)
    });
    let without_digits = text.trim_end_matches(|char: char| char.is_ascii_digit());
    let method = METHODS.contains(&without_digits.to_ascii_lowercase().as_str());
    let unit = text.trim_start_matches(|char: char| char.is_ascii_digit() || "-.:/".contains(char));
    let measure = unit.len() < text.len() && unit.len() <= 6 && all(unit, u8::is_ascii_alphabetic);
    let version = text.strip_prefix('v').unwrap_or(text);
    let version = plain && version.contains('.') && version.starts_with(|char: char| char.is_ascii_digit());
    let variable = text.contains('_')
        && all(text, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_');
    let address = text.split_once('@').is_some_and(|(_, host)| host.contains('.'));
    let said = text.rsplit_once('-').is_some_and(|(_, last)| is_said_of_secrets(last));
    let attribute = text
        .strip_suffix('=')
        .is_some_and(|name| all(name, |byte| byte.is_ascii_alphabetic() || *byte == b'-'));
    let code = text.contains(['(', '{', '[', ':']) || text.starts_with(['$', '#', '@', '-', '=', '&', '%']);
    (plain && (text.contains('/') || mentions_secret(text)))
        || file
        || ticket
        || method
        || measure
        || version
        || variable
        || address
        || code
        || attribute
        || said
}

/// What a machine made: long, with digits among its letters, and no name of parts.
fn is_made(text: &str) -> bool {
    let parts = || text.split(['-', '_', '.']);
    let mixed = |part: &str| {
        part.len() >= 8
            && part.bytes().filter(u8::is_ascii_digit).count() >= 2
            && part.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    text.len() >= 12 && looks_drawn(text) && parts().any(mixed)
}

/// The secret of `use … as the password`, where the name of a secret stands at `start..end`.
pub(super) fn used_as(text: &str, start: usize, end: usize) -> Option<Found> {
    let behind = text.get(end..)?.trim_start_matches(' ');
    let noun = behind.split(|char: char| !char.is_ascii_alphabetic()).next().unwrap_or_default();
    if OF_SECRETS.contains(&noun) {
        return None;
    }
    let from = text.ceil_char_boundary(start.saturating_sub(BEFORE));
    let mut before = text.get(from..start)?;
    for _ in 0..4 {
        let (rest, word) = last_word(before)?;
        if word == "as" {
            let (rest, value) = last_word(rest)?;
            let value_start = from + rest.len();
            let inner = value.trim_matches(|char: char| "\"'`\\“”„".contains(char));
            let is_quoted_word = inner.len() < value.len() && inner.len() >= 4;
            let is_one =
                !is_other(inner) && (looks_drawn(inner) || (is_quoted_word && !mentions_secret(inner)));
            let at = value_start + value.find(inner)?;
            return is_one.then_some(Found { start: at, end: at + inner.len() });
        }
        if !ARTICLES.contains(&word) {
            return None;
        }
        before = rest;
    }
    None
}

/// The secret of `credentials: bob / …` and `creds are bob / …`, where the name ends at `end`.
pub(super) fn pair(text: &str, end: usize) -> Option<Found> {
    let rest = text.get(end..text.floor_char_boundary(end + BEFORE))?;
    let said = rest.trim_start_matches([':', '=', ' ']);
    // `for staging: bob / …`.
    let place = said
        .strip_prefix("for ")
        .or_else(|| said.strip_prefix("on "))
        .and_then(|place| place.split_once(": "));
    let said = place.filter(|(place, _)| place.len() <= 40).map_or(said, |(_, said)| said);
    let said = ["are ", "is ", "were "].iter().find_map(|verb| said.strip_prefix(verb)).unwrap_or(said);
    let (user, secret) = said.trim_start_matches(':').trim_start().split_once(" / ")?;
    let secret = secret.trim_start_matches(['"', '\'', '`', '\\', '*']);
    let value = secret.split(|char: char| char.is_whitespace() || "\"'`\\<&".contains(char)).next()?;
    let value = value.trim_end_matches(['.', ',', ')']);
    let start = end + (rest.len() - secret.len());
    let is_one = !user.contains(char::is_whitespace) && !user.is_empty() && looks_drawn(value);
    is_one.then_some(Found { start, end: start + value.len() })
}

/// A text before its last word, and that.
fn last_word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_end_matches(' ');
    let at = text.char_indices().rev().find(|(_, char)| char.is_whitespace());
    let at = at.map_or(0, |(space, char)| space + char.len_utf8());
    let word = text.get(at..).filter(|word| !word.is_empty())?;
    Some((text.get(..at)?, word))
}

//! Whether the value given to the name of a secret is a secret.
//!
//! The name says so; this decides whether the value only stands for a secret: a variable, a hole of a template, a
//! type, an expression of a program.

use super::name::{self, Secret};
use super::text::{is_mixed, is_name};
use super::value::{Style, Value};

/// How a value begins tells what it is.
const HEAD: usize = 256;
/// Values that are said instead of a secret.
#[rustfmt::skip] // Words, many a line.
const NO_SECRETS: &[&str] = &[
    "true", "false", "null", "none", "nil", "undefined", "yes", "no", "on", "off", "string", "str", "bool", "boolean",
    "number", "int", "integer", "bytes", "any", "object", "required", "optional", "password", "secret", "token",
    "bearer", "basic", "redacted", "hidden", "masked", "empty", "unset", "default", "env", "prompt", "https", "ssh",
    "self", "this", "char", "text", "varchar", "uuid", "void", "value", "input", "unknown", "n/a", "file", "keyring",
    "public", "private", "oauth", "oauth2", "jwt", "hmac", "sso", "saml", "ldap", "oidc", "apikey", "digest", "username", "email",
];
/// What is said of a password in a sentence, a log or a form.
#[rustfmt::skip] // Words, many a line.
const SAID: &[&str] = &[
    "accepted", "buffer", "changed", "configured", "confirm", "confirmed", "correct", "credential", "credentials",
    "deprecated", "disabled", "encrypted", "enabled", "expired", "forgotten", "generated", "identifier", "immutable",
    "incorrect", "invalid", "mandatory", "mismatch", "missing", "mutable", "nullable", "obsolete", "optional",
    "plaintext", "protected", "provided", "readonly", "received", "rejected", "removed", "required", "sensitive",
    "specified", "unchanged", "undefined", "unencrypted", "unspecified", "validated", "verified", "whatever", "writable",
    "available", "unavailable", "anything", "something", "arguments", "function", "property", "attribute", "parameter",
    "argument", "reference", "variable", "constant", "resource", "response", "authentication", "authorization",
];
/// How words end that say of something how it is.
#[rustfmt::skip] // Words, many a line.
const OF_MANNER: &[&str] = &[
    "ed", "ing", "able", "ible", "ary", "ory", "ent", "ant", "ous", "ful", "less", "ive", "ical", "ly", "ual",
    "onal", "ique", "ete", "where",
];
/// Words that say of a password what it is like.
#[rustfmt::skip] // Words, many a line.
const STATES: &[&str] = &[
    "again", "always", "blank", "broken", "falsch", "forgot", "global", "gueltig", "hidden", "initial", "insecure",
    "instead", "known", "legacy", "literal", "longer", "myself", "normal", "plain", "private", "public", "random",
    "remote", "secret", "secure", "shorter", "shown", "stale", "static", "strong", "stronger", "there", "unclear",
    "unknown", "unsafe", "weaker", "welcome", "within", "without", "wrong", "written", "yourself", "yours",
    "stolen", "chosen", "overwritten", "anyone", "nobody", "someone", "somebody", "simple", "dynamic", "permission", "textarea", "checkbox",
    "description", "sorry", "error",
];

/// Whether a word is said of passwords.
pub(super) fn is_said_of_secrets(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let letters = lower.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let known = [SAID, STATES].iter().any(|words| words.contains(&lower.as_str()));
    known || (letters && OF_MANNER.iter().any(|end| lower.ends_with(end)))
}

/// How references to secrets begin that are kept elsewhere.
#[rustfmt::skip] // Words, many a line.
const REFERENCES: &[&str] = &[
    "vault:", "op://", "arn:aws", "ssm:", "sm://", "gcp:", "ref+", "env:", "file:", "keyring:", "kms:", "secretRef",
    "secrets.", "secret://", "azurekeyvault", "@Microsoft.KeyVault", "!vault", "!secret", "!ref", "!Ref", "!Sub",
    "!GetAtt", "process.env", "os.environ", "os.getenv", "System.getenv", "ENV[", "ENV.fetch", "env(", "getenv(",
    "$ENV", "projects/", "http://", "https://", "data.", "var.", "local.", "module.", "random_password.",
];

/// Whether the value is a secret, by the name that it is given to.
pub(super) fn is_secret(value: &Value<'_>, secret: Secret) -> bool {
    let text = head(value.text);
    // What a program is to print for it.
    let is_printed = !value.quoted && text.starts_with("<(");
    if text.len() < 3 || is_printed || is_placeholder(text) || stands_for_a_secret(text) || is_reference(text)
    {
        return false;
    }
    let number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match secret {
        Secret::Token if number => return false,
        Secret::Pin => return number && (4..=12).contains(&text.len()),
        Secret::Drawn => return is_key(text),
        Secret::Password | Secret::Token => {}
    }
    let password = secret == Secret::Password;
    if value.style == Style::Meant || value.style == Style::Element {
        // A text of many words describes.
        let words = text.split_ascii_whitespace();
        let describes = words.clone().count() > 7 && !words.clone().any(|word| is_drawn(word, secret));
        return !describes && !is_code(value) && !is_path(text) && (password || text.len() >= 6);
    }
    if value.quoted {
        let alone = match value.style {
            Style::Cell => is_cell(value, secret),
            Style::Below => is_last(value),
            _ => true,
        };
        return alone && is_quoted_secret(value, secret);
    }
    if is_code(value) || is_name_of_secret(text) {
        return false;
    }
    match value.style {
        Style::Cell => return is_cell(value, secret),
        Style::Below => return is_last(value) && is_drawn(text, secret),
        _ => {}
    }
    let alone = matches!(
        value.next,
        None | Some(b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'' | b'&' | b'\\' | b';' | b'<' | 0x1b)
    );
    match value.style {
        Style::Tight => (password && alone && !is_path(text)) || is_drawn(text, secret),
        _ => is_drawn(text, secret) || (password && is_word_alone(value)),
    }
}

/// A string in a program or a document: labels and messages have spaces, names speak of themselves.
fn is_quoted_secret(value: &Value<'_>, secret: Secret) -> bool {
    let text = head(value.text);
    if is_rest_of_program(text) {
        return false;
    }
    if text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return secret == Secret::Password
            && value.style != Style::Listed
            && text.split_ascii_whitespace().any(|word| is_drawn(word.trim_end_matches(['?', '!']), secret))
            && text.len() < 64;
    }
    // The name of a variable is none.
    let name = text.contains('_') && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    if is_path(text) || name {
        return false;
    }
    let joined = text.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-' | b'.'));
    match secret {
        _ if value.style == Style::Listed => is_drawn(text, secret) && !is_name_of_secret(text),
        Secret::Token if joined => {
            text.len() >= 8
                && text.bytes().all(|byte| byte.is_ascii_lowercase())
                && !name::mentions_secret(text)
                && !SAID.contains(&text)
        }
        Secret::Token => text.len() >= 6 && is_mixed(text) && !is_name_of_secret(text),
        Secret::Password | Secret::Pin | Secret::Drawn => {
            !(name::is_label(text) || joined && name::mentions_secret(text))
        }
    }
}

/// What stands behind a string that ends with a name of a secret: `input("Password: ")`.
fn is_rest_of_program(text: &str) -> bool {
    let closes = |byte: &u8| b")]},;".contains(byte);
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| closes(&first))
        && bytes.next().is_none_or(|second| closes(&second) || b"\\\"' \n".contains(&second))
}

/// Letters and digits or signs, as no keyword and no type is written.
fn is_drawn(text: &str, secret: Secret) -> bool {
    let password = secret == Secret::Password;
    let shortest = if password { 6 } else { 8 };
    let digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let letter = text.bytes().any(|byte| byte.is_ascii_alphabetic());
    let sign = text.bytes().any(|byte| {
        matches!(byte, b'!' | b'#' | b'$' | b'%' | b'^' | b'*' | b'+' | b'=' | b'?' | b'@' | b'~')
    });
    text.len() >= shortest && ((digit && (letter || password)) || (sign && letter && text.len() >= 8))
}

/// The one word of a setting: `password: correcthorse` at the end of its line.
fn is_word_alone(value: &Value<'_>) -> bool {
    let text = value.text;
    let last = matches!(value.next, None | Some(b'\n' | b'\r' | b'\\' | b'"' | b'\'' | b'<' | b'&' | 0x1b));
    let letters = text.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_'));
    let lower = text.to_ascii_lowercase();
    last && text.len() >= 8 && letters && !SAID.contains(&lower.as_str()) && !name::mentions_secret(text)
}

/// The one word of a cell.
fn is_cell(value: &Value<'_>, secret: Secret) -> bool {
    let text = value.text;
    let lower = text.to_ascii_lowercase();
    let letters = text.bytes().all(|byte| byte.is_ascii_lowercase());
    let word = secret == Secret::Password && text.len() >= 8 && letters && !is_said_of_secrets(&lower);
    let alone = matches!(value.next, None | Some(b'|' | b'\n' | b'\r' | b'\\'));
    alone && !name::mentions_secret(text) && !is_method(&lower) && (is_drawn(text, secret) || word)
}

/// What a password is kept by: `argon2id`, `varchar255`.
fn is_method(text: &str) -> bool {
    [
        "argon", "bcrypt", "scrypt", "sha", "md5", "pbkdf", "varchar", "char", "utf", "base64", "aes",
        "oauth", "v1", "v2",
    ]
    .iter()
    .any(|method| text.starts_with(method))
}

/// Whether nothing else stands on the line of the value.
fn is_last(value: &Value<'_>) -> bool {
    matches!(value.next, None | Some(b'\n' | b'\r' | b'\\' | b'"' | b'\''))
}

/// What only looks like a key is one if nothing else could look so.
fn is_key(text: &str) -> bool {
    let count = |test: fn(&u8) -> bool| text.as_bytes().iter().filter(|byte| test(byte)).count();
    let (digits, letters) = (count(u8::is_ascii_digit), count(u8::is_ascii_alphabetic));
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
    text.len() >= 16 && plain && digits >= 2 && letters >= 2 && !is_path(text)
}

fn is_name_of_secret(text: &str) -> bool {
    text.bytes().all(is_name) && name::mentions_secret(text)
}

pub(super) fn is_reference(text: &str) -> bool {
    REFERENCES.iter().any(|start| text.starts_with(start))
}

/// `/run/secrets/db`, `./key.pem`, `~/x`: where a secret is.
pub(super) fn is_path(text: &str) -> bool {
    let rooted = text.starts_with("./")
        || text.starts_with("../")
        || text.starts_with("~/")
        || text.starts_with("C:\\");
    let absolute = text.starts_with('/') && text.len() > 1 && text.matches('/').count() >= 2;
    let plain = text.bytes().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-' | b'~' | b'\\' | b':')
    });
    plain && (rooted || absolute)
}

/// An expression and no literal.
fn is_code(value: &Value<'_>) -> bool {
    if value.quoted {
        return false;
    }
    let text = head(value.text);
    // A pattern of a search.
    if ["\\s", "\\w", "\\d", "\\S", "\\b", "(?", "[^", ".*", ".+"].iter().any(|start| text.starts_with(start))
    {
        return true;
    }
    let first = |char: char| char.is_ascii_alphabetic() || char == '_';
    let name = |part: &str| {
        part.starts_with(first) && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let path = |path: &str, joint: &str| path.split(joint).all(name);
    let trimmed = text.trim_end_matches([';', ',', '?']);
    // A call has a name before its brackets, and they close at the end, or behind a string.
    let called = trimmed.find(['(', '[', '<']).is_some_and(|open| {
        let (callee, inside) = trimmed.split_at(open);
        let callee = callee.trim_start_matches(['&', '*', '!']).trim_end_matches(['!', '?', '.', ':']);
        // `headers.authorization?.split`, `user!.token`.
        let part = |part: &str| path(part.trim_end_matches(['?', '!']), "::");
        let member = callee.len() >= 2 && callee.split('.').all(part);
        let plain = inside
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"()[]<>{}_.,:&'\"/ |=-".contains(&byte));
        let closes = inside.ends_with([')', ']', '>', '(']) || matches!(value.next, Some(b')' | b']' | b'>'));
        member && plain && (inside.len() == 1 || closes)
    });
    let rust = trimmed.contains("::") && path(trimmed.trim_start_matches('&'), "::");
    let arrow = trimmed.split_once("->").is_some_and(|(object, member)| {
        path(object.trim_start_matches('$'), ".")
            && member.starts_with(|char| first(char) || "{[".contains(char))
    });
    let members: Vec<&str> = text.split('.').collect();
    let identifier = |part: &&str| {
        part.starts_with(first)
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'[' | b']' | b'?'))
    };
    let member = (2..=5).contains(&members.len())
        && members.iter().all(identifier)
        && !is_named_and_numbered(text)
        && (value.style != Style::Meant || name::mentions_secret(text));
    let of_type = |byte: u8| is_name(byte) || b"&[]<>':;,*".contains(&byte);
    let borrowed = text.starts_with(['&', '|']) && text.bytes().all(|byte| of_type(byte) || byte == b'|');
    called || rust || arrow || member || borrowed || matches!(value.next, Some(b'(' | b'['))
}

/// `Granite.river586?`: words as people join them to a password, and no member of an object that numbers end.
fn is_named_and_numbered(text: &str) -> bool {
    let word = text.trim_end_matches('?');
    let digits = word.bytes().rev().take_while(u8::is_ascii_digit).count();
    let capital = text.starts_with(|char: char| char.is_ascii_uppercase());
    digits >= 2 && (capital || word.len() < text.len()) && !name::mentions_secret(text)
}

/// A word that is said instead of a secret.
pub(super) fn stands_for_a_secret(text: &str) -> bool {
    NO_SECRETS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// What stands for a secret without being one: a variable, a template's hole, asterisks. It does as a whole:
/// a password may begin like one.
pub(super) fn is_placeholder(text: &str) -> bool {
    let text = head(text);
    text.starts_with("[redacted")
        || is_variable(text)
        || is_hole(text)
        || is_filler(text)
        || is_shortened(text)
        || is_asked_for(text)
        || is_name_in_capitals(text)
}

/// `USER:PASSWORD@HOST`: what a reader is to put in its place, in capitals.
fn is_name_in_capitals(text: &str) -> bool {
    let is_one = ["PASSWORD", "PASSWD", "PASS", "PWD", "SECRET", "TOKEN", "APIKEY", "KEY"].contains(&text);
    let joined = text.contains(['_', '-'])
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'-'));
    is_one || (joined && name::secret(text).is_some())
}

fn is_variable(text: &str) -> bool {
    let Some(name) = text.strip_prefix('$') else { return is_percent(text) };
    let plain = !name.bytes().any(|byte| byte.is_ascii_digit())
        || !name.bytes().any(|byte| byte.is_ascii_lowercase());
    let opened = match name.as_bytes() {
        [b'{' | b'(', inside @ ..] => inside.first().is_none_or(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'{' | b' ' | b'(' | b'<' | b'#')
        }),
        _ => false,
    };
    opened
        || name == "$"
        || name.is_empty()
        || (name.bytes().all(|byte| is_name(byte) || matches!(byte, b':' | b'[' | b']'))
            && (plain || name::mentions_secret(name)))
}

/// `%s`, `%NAME%`, `%(name)s`, `%{name}`.
fn is_percent(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('%') else { return false };
    let word =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    rest.len() <= 1
        || rest.strip_suffix('%').is_some_and(|name| name.bytes().all(is_name))
        || (rest.starts_with(['(', '{']) && rest.trim_end_matches(['s', 'd', 'r']).ends_with([')', '}']))
        || (rest.len() == 2 && word(rest))
}

/// `{name}`, `{{ … }}`, `<name>`, `#{…}`, `@name@`.
fn is_hole(text: &str) -> bool {
    let words = |inside: &str| {
        inside
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b' ' | b'_' | b'-' | b'.' | b':' | b'/'))
    };
    let inside = |open: &str, close: &str| {
        let rest = text.strip_prefix(open)?;
        // White space ends the value.
        Some(rest.strip_suffix(close).unwrap_or(rest))
    };
    text.starts_with("{{")
        && (text.ends_with("}}") || text.len() == 2 || words(text.trim_matches(['{', '}'])))
        || text.starts_with("<%") && (text.ends_with("%>") || text.len() <= 3)
        || inside("#{", "}").is_some_and(|inside| text.ends_with('}') || words(inside))
        || text.starts_with("{%") && text.len() <= 3
        || inside("{", "}").is_some_and(|inside| {
            inside.bytes().all(|byte| is_name(byte) || byte == b'!' || byte == b':')
                && (inside.len() <= 2 || words(inside) || text.ends_with('}'))
        })
        || inside("<", ">").is_some_and(|inside| words(inside) && !inside.is_empty())
        || inside("@", "@").is_some_and(|inside| text.ends_with('@') && words(inside))
        || inside("__", "__").is_some_and(|inside| text.ends_with("__") && words(inside))
}

fn is_filler(text: &str) -> bool {
    let filler = |char: char| matches!(char, '*' | 'x' | 'X' | '.' | '-' | '_' | '#' | '•' | '…' | '●' | '?');
    text.chars().all(filler)
}

/// `sk-...`, `ghp_***`, `AKIA…`: how a key begins, and no more of it.
fn is_shortened(text: &str) -> bool {
    let begins = text.trim_end_matches(['.', '*', '…']);
    let left_out = text.get(begins.len()..).unwrap_or_default();
    let is_beginning = begins.len() <= 4 || (begins.len() <= 12 && begins.ends_with(['-', '_']));
    (left_out.contains('…') || left_out.len() >= 3)
        && is_beginning
        && begins.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// `your-key-here`, `YOUR_PASSWORD`: words that ask for a secret.
fn is_asked_for(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let words =
        lower.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-' | b'.' | b' '));
    let asks = |start: &str| {
        lower.strip_prefix(start).is_some_and(|rest| {
            rest.is_empty() || rest.starts_with(['_', '-', '.', ' ']) || name::mentions_secret(rest)
        })
    };
    words
        && (asks("your")
            || asks("insert")
            || asks("replace")
            || asks("enter")
            || (asks("my") && lower.starts_with("my-") && name::mentions_secret(&lower)))
}

fn head(text: &str) -> &str {
    text.get(..text.floor_char_boundary(HEAD)).unwrap_or(text)
}

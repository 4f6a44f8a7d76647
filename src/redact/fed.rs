//! Secrets that a shell feeds to a program that asks for one: `docker login --password-stdin <<< …`.

use super::value::{Style, Value, skip_spaces};

/// How what is fed begins.
pub(super) const MARKS: [&str; 3] = ["<<<", "<(echo ", "<(printf "];

/// So much of a command is looked at.
const LONGEST: usize = 160;
/// Words of commands that ask for a secret.
#[rustfmt::skip] // Words, many a line.
const ASKING: &[&str] = &[
    "passw", "passphrase", "token", "secret", "login", "signin", "auth", "luks", "keychain", "askpass", "env add", "credential",
];
/// Programs that ask for one whatever else they are told.
#[rustfmt::skip] // Words, many a line.
const PROGRAMS: &[&str] = &["su", "sudo", "doas", "kinit", "runas", "createdb", "createuser", "ssh-add", "pass", "op", "cryptsetup", "gpg"];
/// Programs that read texts, whatever words they look for.
#[rustfmt::skip] // Words, many a line.
const READERS: &[&str] = &["awk", "base64", "bc", "cat", "cut", "grep", "jq", "python", "python3", "node", "rg", "sed", "tr", "wc", "yq"];

/// What is fed to a program by the sign at `at`, if it asks for a secret.
pub(super) fn value(text: &str, at: usize) -> Option<Value<'_>> {
    let bytes = text.as_bytes();
    let from = text.ceil_char_boundary(at.saturating_sub(LONGEST));
    let before = text.get(from..at)?.to_ascii_lowercase();
    let command = before.rsplit(['\n', ';', '|', '&']).next()?;
    let command = command.rsplit("\\n").next()?;
    let mut words = command.split(|char: char| char.is_whitespace() || "\"'\\+:=".contains(char));
    let reads = words.clone().any(|word| READERS.contains(&word));
    let asks = ASKING.iter().any(|word| command.contains(word)) || words.any(|word| PROGRAMS.contains(&word));
    if !asks || reads {
        return None;
    }
    let mark = MARKS.iter().find(|mark| text.get(at..).is_some_and(|rest| rest.starts_with(*mark)))?;
    let value = Value::read(text, skip_spaces(bytes, at + mark.len()), Style::Meant)?;
    (!value.text.starts_with(['{', '[', '<'])).then_some(value)
}

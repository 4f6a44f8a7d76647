//! Secrets that a shell feeds to a program that asks for one: `docker login --password-stdin <<< …`.

use super::automaton::{Found, Fuel, Spent};
use super::judgement::is_secret;
use super::name::Secret;
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
/// Programs that ask for one whatever their other arguments are.
#[rustfmt::skip] // Words, many a line.
const PROGRAMS: &[&str] = &["su", "sudo", "doas", "kinit", "runas", "createdb", "createuser", "ssh-add", "pass", "op", "cryptsetup", "gpg"];
/// Programs that read texts, whatever words they look for.
#[rustfmt::skip] // Words, many a line.
const READERS: &[&str] = &["awk", "base64", "bc", "cat", "cut", "grep", "jq", "python", "python3", "node", "rg", "sed", "tr", "wc", "yq"];

/// What the mark `feeds` at `at` feeds to a program, if that asks for a secret.
pub(super) fn secret(text: &str, at: usize, feeds: &str, fuel: &mut Fuel) -> Result<Option<Found>, Spent> {
    fuel.burn(LONGEST)?;
    if !asks(text, at) {
        return Ok(None);
    }
    let bytes = text.as_bytes();
    let Some(value) = Value::read(text, skip_spaces(bytes, at + feeds.len()), Style::Meant) else {
        return Ok(None);
    };
    fuel.burn(value.end - value.start)?;
    // A login on a line, and what opens it on the next.
    let second = ["\n", "\\n"].iter().find_map(|line| Some(value.text.rfind(line)? + line.len()));
    let second = second.filter(|_| feeds != "<<<").unwrap_or_default();
    let (text, start) = (value.text.get(second..).unwrap_or_default(), value.start + second);
    let value = Value { text, start, ..value };
    let is_one = !value.text.starts_with(['{', '[', '<']) && is_secret(&value, Secret::Password);
    Ok(is_one.then_some(Found { start: value.start, end: value.end }))
}

/// Whether the command before `at` asks for a secret.
fn asks(text: &str, at: usize) -> bool {
    let from = text.ceil_char_boundary(at.saturating_sub(LONGEST));
    let before = text.get(from..at).unwrap_or_default().to_ascii_lowercase();
    let command = before.rsplit(['\n', ';', '|', '&']).next().unwrap_or_default();
    let command = command.rsplit("\\n").next().unwrap_or_default();
    let words = || command.split(|char: char| char.is_whitespace() || "\"'\\+:=".contains(char));
    let asks =
        ASKING.iter().any(|word| command.contains(word)) || words().any(|word| PROGRAMS.contains(&word));
    asks && !words().any(|word| READERS.contains(&word))
}

//! Standard input → one redacted object.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Map, Value};

use super::Arguments;
use crate::event::{Timestamp, capture};
use crate::processors::Redact;
use crate::receivers::hooks::{Entry, OBSERVED_AT, TRACEPARENT, without_lone_surrogates};
use crate::receivers::marker::{self, MarkerError, Marks};
use crate::redact::{Key, Options, Redactor};

/// An object that is larger than that says too much for one event.
const MAX_BYTES: usize = 4 << 20;
/// More than most hooks say, and little enough for the stack.
const CHUNK: usize = 8 << 10;
const KEY: &str = "redaction.key";
const CAPTURE: &str = "skillspan.capture";
/// The same by variables of our own: clients do not give all of theirs to their hooks.
const OFF: &[&str] = &["SKILLSPAN_HOOK", "SKILLSPAN_CAPTURE"];
const WORKSPACE: &str = "skillspan.workspace";
const USER: &str = "enduser.id";
/// Where hooks say which folders they are about.
const FOLDERS: &[&str] = &["cwd", "workspace_roots", "workspaceRoots"];

/// Why standard input is no event. Nothing of it stands in the message.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("standard input cannot be read: {0}")]
    Input(#[from] io::Error),
    #[error("standard input did not end in time")]
    Endless,
    #[error("the hook's input is longer than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("the hook's input is not JSON: line {line}, column {column}")]
    Json { line: usize, column: usize },
    #[error("the hook's input is JSON but not an object")]
    NoObject,
    #[error("nothing is written without redaction: {0}")]
    Rules(#[from] crate::redact::Error),
}

/// Whether the environment says that nothing of this session is to be kept.
pub(super) fn is_off() -> bool {
    OFF.iter().any(|name| variable(name).is_some_and(|value| capture::forbids(&value)))
        || resource_attributes().iter().any(|(name, value)| name == CAPTURE && capture::forbids(value))
}

/// What marker files say of the session whose hook gave `fields`. Clients change folders, and say where
/// they are in their own ways.
pub(super) fn marks(fields: &Map<String, Value>) -> Result<Marks, MarkerError> {
    let here = std::env::current_dir().ok();
    let named = FOLDERS.iter().filter_map(|name| fields.get(*name));
    let named = named.flat_map(|value| match value {
        Value::Array(folders) => folders.iter().collect::<Vec<_>>(),
        value => vec![value],
    });
    let absolute = |folder: &str| match &here {
        Some(here) => here.join(folder),
        None => PathBuf::from(folder),
    };
    let named = named.filter_map(Value::as_str).map(absolute);
    let project = variable("CLAUDE_PROJECT_DIR").map(PathBuf::from);
    let folders: Vec<PathBuf> = named.chain(project).chain(here.clone()).collect();
    marker::look(&folders, variable("HOME").map(PathBuf::from).as_deref())
}

/// Whose the event is, as the surest of them says that says anything: the environment of the session, the
/// folder, the command line that `connect` wrote, the home folder.
fn identity(arguments: &Arguments, marks: Marks) -> [(&'static str, Option<String>); 2] {
    let attribute = |names: [&str; 2]| {
        let said = resource_attributes().into_iter();
        said.filter(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| value).next()
    };
    let workspace = [
        variable("SKILLSPAN_WORKSPACE"),
        attribute([WORKSPACE, "workspace"]),
        marks.workspace,
        arguments.workspace.clone(),
        marks.home.workspace,
    ];
    let user = [
        variable("SKILLSPAN_USER"),
        attribute([USER, "user.email"]),
        arguments.user.clone(),
        marks.home.user,
    ];
    [(WORKSPACE, first(workspace)), (USER, first(user))]
}

fn first(said: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    said.into_iter().flatten().find(|value| !value.trim().is_empty())
}

/// A variable that is set to something. What is no text is something, too.
fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(|value| value.to_string_lossy().into_owned())
}

/// The whole of `input`, which has to end by `deadline`.
pub(super) fn read(input: impl AsFd, deadline: Instant) -> Result<Vec<u8>, ReadError> {
    let mut input = File::from(input.as_fd().try_clone_to_owned()?);
    let mut bytes = Vec::new();
    let mut chunk = [0; CHUNK];
    while is_readable(&input, deadline)? {
        match input.read(&mut chunk) {
            Ok(0) => return Ok(bytes),
            Ok(length) => bytes.extend_from_slice(chunk.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
        if bytes.len() > MAX_BYTES {
            return Err(ReadError::TooLarge);
        }
    }
    Err(ReadError::Endless)
}

/// Waits for something to read, or for the end; false if neither comes by `deadline`.
fn is_readable(input: &File, deadline: Instant) -> io::Result<bool> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(input, PollFlags::IN)], Some(&left)) {
            Ok(ready) => return Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The hook's object with what the environment, folders and arguments add, redacted with the key below
/// `root`, or, where there can be none, with one that nothing else has; and how many of its texts could not be
/// redacted by `deadline`. Those became placeholders: what was not looked at may hold a secret, and neither
/// the spool nor the way to a collector is a place for one.
pub(super) fn entry(
    assistant: &str,
    root: Option<&Path>,
    mut fields: Map<String, Value>,
    arguments: &Arguments,
    marks: Marks,
    deadline: Instant,
) -> Result<(Entry, usize), ReadError> {
    for (name, value) in resource_attributes() {
        fields.entry(name).or_insert(Value::String(value));
    }
    for (name, value) in identity(arguments, marks) {
        if let Some(value) = value {
            fields.insert(name.to_owned(), Value::String(value));
        }
    }
    if let Some(trace) = std::env::var("TRACEPARENT").ok().filter(|trace| !trace.is_empty()) {
        fields.entry(TRACEPARENT).or_insert(Value::String(trace));
    }
    let key = root.and_then(|root| Key::from_file(&root.join(KEY)).ok()).unwrap_or_else(Key::random);
    let redactor = Redactor::new(&Options::default(), key)?.until(deadline);
    let mut object = Value::Object(fields);
    Redact::new(redactor.clone(), []).json(&mut object);
    if let Value::Object(fields) = &mut object {
        fields.insert(OBSERVED_AT.to_owned(), Value::String(Timestamp::now().to_string()));
    }
    let entry = Entry { assistant: assistant.to_owned(), json: object.to_string() };
    Ok((entry, redactor.left_out()))
}

/// The object that `bytes` are.
pub(super) fn object(bytes: &[u8]) -> Result<Map<String, Value>, ReadError> {
    let parsed = serde_json::from_slice(bytes).or_else(|error| match without_lone_surrogates(bytes) {
        Cow::Owned(bytes) => serde_json::from_slice(&bytes),
        Cow::Borrowed(_) => Err(error),
    });
    match parsed {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(ReadError::NoObject),
        Err(error) => Err(ReadError::Json { line: error.line(), column: error.column() }),
    }
}

/// What `OTEL_RESOURCE_ATTRIBUTES` says, percent-encoded.
fn resource_attributes() -> Vec<(String, String)> {
    pairs(&std::env::var("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default(), percent_decoded)
}

/// `name=value`, separated by commas.
pub(in crate::cli) fn pairs(text: &str, decoded: fn(&str) -> String) -> Vec<(String, String)> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.trim().to_owned(), decoded(value.trim()))).collect()
}

pub(in crate::cli) fn percent_decoded(text: &str) -> String {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let mut bytes: Vec<u8> = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let escaped = match others {
            [high, low, after @ ..] if *first == b'%' => digit(high)
                .zip(digit(low))
                .and_then(|(high, low)| Some((u8::try_from(high * 16 + low).ok()?, after))),
            _ => None,
        };
        let (byte, after) = escaped.unwrap_or((*first, others));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_redacted_in_time_is_not_kept() {
        let long = "login -a ".repeat(100_000) + "swordfish";
        let object = serde_json::json!({ "session_id": "s-1", "prompt": "short words", "tool_output": long });
        let words = ["claude"].map(std::ffi::OsString::from).into_iter();
        let arguments = Arguments::parse(words).unwrap();
        let fields = object.as_object().cloned().unwrap();
        let entry = entry("claude", None, fields, &arguments, Marks::default(), Instant::now());
        let (late, left_out) = entry.unwrap();
        let fields: Value = serde_json::from_str(&late.json).unwrap();
        assert_eq!(
            (left_out, &fields["session_id"], &fields["prompt"]),
            (1, &object["session_id"], &object["prompt"])
        );
        let output = fields["tool_output"].as_str().unwrap();
        assert!(output.starts_with("[redacted:unexamined:") && output.len() < 40, "{output}");
    }

    #[test]
    fn percent_signs_are_read_as_the_sdks_write_them() {
        assert_eq!(percent_decoded("a%20b%2Cc%C3%BC"), "a b,cü");
        assert_eq!(percent_decoded("100%"), "100%");
        assert_eq!(percent_decoded("%zz"), "%zz");
    }
}

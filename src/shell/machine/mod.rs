//! Machine text: what clients and frameworks write in the person's place, and how a person's words are told
//! from it.
//!
//! A message in the user's role may be a task notification, a reminder, a summary of a conversation that was
//! compacted, the body of a skill, the output of a slash command, what a hook says, or an answer that failed
//! validation. None of it is a prompt, and none begins a turn. Context that is glued to a person's words is
//! taken off, and the words stay. Only what stands at the edges of a text is a client's; within a person's words the
//! same mark is something that the person wrote about.
//!
//! | file | holds |
//! |---|---|
//! | `marks.rs` | how machine text looks, client by client: a list |
//! | `notification.rs` | what a notification says of a command that ended |

mod marks;
mod notification;

use std::borrow::Cow;

pub(crate) use notification::Ending;

use marks::{ACTIONS, BODIES, CONTEXT, ENDS, INTERRUPTS, NOTIFICATIONS, OPENINGS, PEOPLES, PREFACES, WORDS};

/// What a text in the user's role is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard<'a> {
    /// What a person said; `""` if the text is empty.
    Words(Cow<'a, str>),
    /// The client says that the person stopped the assistant.
    Interrupt,
    /// The client says how commands in the background ended; it may say none.
    Ended(Vec<Ending>),
    /// Something else that no person wrote.
    Machine,
}

/// What a text in the user's role is.
pub(crate) fn hear(text: &str) -> Heard<'_> {
    let whole = text.trim();
    let rest = stripped(whole);
    if rest.is_empty() {
        let ended = notification::endings(whole);
        return match () {
            () if whole.is_empty() => Heard::Words(Cow::Borrowed("")),
            () if !ended.is_empty() || opens_with(whole, NOTIFICATIONS) => Heard::Ended(ended),
            () if INTERRUPTS.iter().any(|mark| whole.starts_with(mark)) => Heard::Interrupt,
            () => of_a_person(whole).map_or(Heard::Machine, |words| Heard::Words(Cow::Borrowed(words))),
        };
    }
    if INTERRUPTS.iter().any(|mark| rest.starts_with(mark)) {
        return Heard::Interrupt;
    }
    if let Some(command) = slash_command(rest) {
        return command.map_or(Heard::Machine, |words| Heard::Words(Cow::Owned(words)));
    }
    match () {
        () if is_machine(rest) => Heard::Machine,
        // Nothing was wrapped around it: it stays as it was typed, spaces and all.
        () if rest.len() == whole.len() => Heard::Words(Cow::Borrowed(text)),
        () => Heard::Words(Cow::Borrowed(rest)),
    }
}

/// What is left of a text that consists of elements alone, if people write such elements, too: those of clients alone
/// are taken off.
fn of_a_person(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(shorter) = CONTEXT
        .iter()
        .filter(|name| !PEOPLES.contains(name))
        .chain(NOTIFICATIONS)
        .find_map(|name| strip(rest, name))
    {
        rest = shorter.trim();
    }
    opens_with(rest, PEOPLES).then_some(rest)
}

/// A person's words; `""` if there are none.
pub(crate) fn words(text: &str) -> Cow<'_, str> {
    match hear(text) {
        Heard::Words(words) => words,
        Heard::Interrupt | Heard::Ended(_) | Heard::Machine => Cow::Borrowed(""),
    }
}

fn is_machine(text: &str) -> bool {
    // Nearly all are told by one letter.
    let first = text.as_bytes().first();
    let opens = |mark: &str| mark.as_bytes().first() == first && text.starts_with(mark);
    OPENINGS.iter().any(|mark| opens(mark.text))
        || BODIES.iter().any(|name| element(text, name).is_some())
        || ENDS.iter().any(|(within, end)| {
            text.trim_end_matches(['.', '!', ' ']).ends_with(end) && text.contains(within)
        })
        || is_result_in_words(text)
        || is_from_a_hook(text)
}

/// `PostToolUse:Edit hook additional context: …`
fn is_from_a_hook(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    let event = first.split_once(':').filter(|(_, rest)| rest.contains(" hook ")).map(|(event, _)| event);
    event.is_some_and(|event| {
        ["PreToolUse", "PostToolUse", "SessionStart", "UserPromptSubmit", "Stop"].contains(&event)
    })
}

/// Whether the text is a tool result in words, as Cline and its forks send it: `[execute_command for 'ls'] Result:`.
fn is_result_in_words(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    first.starts_with('[') && (first.ends_with("] Result:") || first.contains("] Result: "))
}

/// A text without what a client wrapped around a person's words.
fn stripped(text: &str) -> &str {
    let mut rest = text.trim();
    loop {
        if !rest.starts_with(['<', '#']) && !rest.ends_with('>') {
            return rest;
        }
        let shorter = CONTEXT.iter().chain(NOTIFICATIONS).find_map(|name| strip(rest, name));
        let shorter = shorter.or_else(|| WORDS.iter().find_map(|name| only(rest, name)));
        match shorter.or_else(|| PREFACES.iter().find_map(|preface| after(rest, preface))) {
            Some(shorter) => rest = shorter.trim(),
            None => return rest,
        }
    }
}

/// The text without a leading or a trailing element of the given name.
fn strip<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    if opens(text, name) {
        return text.split_once(&format!("</{name}>")).map(|(_, rest)| rest);
    }
    let body = text.strip_suffix('>')?.strip_suffix(name)?.strip_suffix("</")?;
    body.rsplit_once(&format!("<{name}>")).map(|(before, _)| before)
}

/// Whether the text opens with an element of the given name, with attributes or without.
fn opens(text: &str, name: &str) -> bool {
    let rest = text.strip_prefix('<').and_then(|rest| rest.strip_prefix(name));
    rest.is_some_and(|rest| rest.starts_with(['>', ' ', '\n']))
}

fn opens_with(text: &str, names: &[&str]) -> bool {
    names.iter().any(|name| opens(text, name))
}

/// The content of the one element of the given name that is all of the text.
fn only<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let content = text.strip_prefix('<')?.strip_prefix(name)?.strip_prefix('>')?;
    content.strip_suffix('>')?.strip_suffix(name)?.strip_suffix("</")
}

/// The content of an element with which the text opens.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    if !opens(text, name) {
        return None;
    }
    let (_, rest) = text.split_once('>')?;
    rest.split_once(&format!("</{name}>")).map(|(content, _)| content)
}

/// The content of an element somewhere in the text.
fn within<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(content, _)| content.trim())
}

/// The text after a preface.
fn after<'a>(text: &'a str, (begins, ends): &(&str, &str)) -> Option<&'a str> {
    text.starts_with(begins).then(|| text.split_once(ends)).flatten().map(|(_, words)| words)
}

/// A slash command as the person typed it; `Some(None)` for one by which the person works the client alone.
fn slash_command(text: &str) -> Option<Option<String>> {
    if !["command-name", "command-message"].iter().any(|name| opens(text, name)) {
        return None;
    }
    let name = within(text, "command-name").or_else(|| within(text, "command-message"))?;
    let name = name.trim_start_matches('/');
    if name.is_empty() || ACTIONS.contains(&name) {
        return Some(None);
    }
    let arguments = within(text, "command-args").unwrap_or_default();
    Some(Some(format!("/{name} {arguments}").trim_end().to_owned()))
}

#[cfg(test)]
mod tests;

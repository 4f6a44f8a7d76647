//! What a line prints itself of how its commands end: `make a; echo "exit: $?"`, `make a && echo OK`.

use super::super::command::{Command, Listed, program_name};
use super::super::parse::Connector;
use super::super::shown::{Exit, Shown};
use super::reading::Reading;
use crate::event::Status;

/// How a command ended as the `echo` behind it tells; unknown if none does.
pub(super) fn told(listed: &[Listed], index: usize, reading: &Reading<'_>) -> Status {
    let Some(own) = listed.get(index) else { return Status::Unknown };
    if own.view.exit == Exit::Hidden {
        return Status::Unknown;
    }
    let is_filtered = own.view.exit != Exit::Told;
    let mut behind = listed.iter().enumerate().skip(index + 1);
    let Some((_, next)) = behind.next() else { return Status::Unknown };
    if let Some(status) = code(own, next, is_filtered, reading) {
        return status;
    }
    if is_filtered {
        return Status::Unknown;
    }
    if next.connector == Connector::And
        && let Some(text) = printed(&next.command)
    {
        if stands_in(&text, reading) {
            return Status::Ok;
        }
        // `a && echo yes || echo no`
        let other = listed.get(index + 2).filter(|other| other.connector == Connector::Or);
        if other.and_then(|other| printed(&other.command)).is_some_and(|text| stands_in(&text, reading)) {
            return Status::Error;
        }
        return if reading.lines.is_some() && is_shown(next) { Status::Error } else { Status::Unknown };
    }
    if next.connector == Connector::Or
        && let Some(text) = printed(&next.command)
    {
        if stands_in(&text, reading) {
            return Status::Error;
        }
        return if reading.lines.is_some() && is_shown(next) { Status::Ok } else { Status::Unknown };
    }
    Status::Unknown
}

fn is_shown(listed: &Listed) -> bool {
    listed.view.shown == Shown::Whole
}

/// The text that an `echo` prints, if nothing in it is expanded.
fn printed(command: &Command) -> Option<String> {
    let text = echoed(command).filter(|text| !text.contains(['$', '`', '%', '\\']))?;
    let line = text.lines().next()?.trim();
    (line.chars().count() >= 2).then(|| line.to_owned())
}

fn echoed(command: &Command) -> Option<String> {
    let words: Vec<&str> = command.words().iter().map(|word| word.value.as_str()).collect();
    let (first, rest) = words.split_first()?;
    if program_name(first) != "echo" {
        return None;
    }
    let rest: Vec<&str> =
        rest.iter().copied().skip_while(|word| ["-e", "-n", "-en"].contains(word)).collect();
    Some(rest.join(" "))
}

fn stands_in(text: &str, reading: &Reading<'_>) -> bool {
    reading.text.lines().any(|line| line.trim() == text)
}

/// The status that `echo "exit: $?"` prints.
fn code(own: &Listed, next: &Listed, is_filtered: bool, reading: &Reading<'_>) -> Option<Status> {
    let text = echoed(&next.command)?;
    let marks: &[&str] = if is_filtered {
        &["${PIPESTATUS[0]}", "$PIPESTATUS", "${pipestatus[1]}"]
    } else {
        &["$?", "${PIPESTATUS[0]}"]
    };
    let mark = marks.iter().find(|mark| text.contains(**mark))?;
    if next.connector != Connector::Sequence || own.command.is_trivial() {
        return None;
    }
    let line = text.lines().find(|line| line.contains(mark))?;
    let (before, after) = line.split_once(mark)?;
    if before.contains(['$', '`', '\\']) || after.contains(['$', '`', '\\']) {
        return None;
    }
    let digits = |line: &'_ str| {
        let rest = line.trim().strip_prefix(before.trim_start())?;
        let code = rest.strip_suffix(after.trim_end())?;
        code.parse::<u8>().ok()
    };
    let code = reading.text.lines().rev().find_map(digits)?;
    Some(if code == 0 { Status::Ok } else { Status::Error })
}

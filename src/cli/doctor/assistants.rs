//! The assistants of this machine: which versions, how each is connected, and whether what it sends arrives.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Findings;
use crate::cli::connect::{Examined, examined, on_path};
use crate::views::phrases::first_line;

/// Some take a second to say their version.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(20);
/// So many characters of what a program says of itself are shown.
const LONGEST: usize = 40;

pub(super) fn look(found: &mut Findings) {
    let all = examined();
    let needs_command = all.iter().any(|one| one.runs_skillspan);
    for one in &all {
        look_at(one, found);
    }
    if all.is_empty() {
        let todo = "install one; `skillspan connect` lists those that are known";
        found.note(
            "assistants",
            "none was found: no program on the PATH, no folder in the home directory",
            todo,
        );
    }
    match on_path("skillspan") {
        Some(path) => found.ok("PATH", format!("skillspan is {}", path.display())),
        None if needs_command => found.broken(
            "PATH",
            "`skillspan` is not on it, and assistants are told to run it",
            "put it there, such as in ~/.local/bin, for the shell that starts the assistants",
        ),
        None => found.note("PATH", "`skillspan` is not on it", "put it there before you connect assistants"),
    }
}

fn look_at(one: &Examined, found: &mut Findings) {
    let version = one.program.as_deref().and_then(version_of).unwrap_or_else(|| "version unknown".to_owned());
    let Examined { name, ways, outcome, .. } = one;
    let name = *name;
    match (ways.as_slice(), outcome) {
        ([], Some(Err(reason))) => {
            let (what, todo) = split(reason, name);
            found.broken(name, format!("{version}; {what}"), todo);
        }
        ([], _) => found.note(
            name,
            format!("{version}; not connected"),
            format!("`skillspan connect {name} --write` connects it, if you want its sessions"),
        ),
        ([way], Some(Ok(arrival))) => match &arrival.withheld {
            None => found.ok(name, format!("{version}; connected ({way}): what it sends arrives at {}", arrival.url)),
            Some(why) => found.broken(
                name,
                format!("{version}; connected ({way}): it sends no prompts and no texts: {why}"),
                format!("`skillspan connect {way} --write --replace` lets them out; docs/clients.md says what each switch does"),
            ),
        },
        ([way], Some(Err(reason))) => {
            let (what, todo) = split(reason, way);
            found.broken(name, format!("{version}; connected ({way}): {what}"), todo);
        }
        ([_], None) => {}
        (several, _) => found.broken(
            name,
            format!("{version}; connected {} times: {}: each turn is sent as often", several.len(), several.join(", ")),
            format!("`skillspan connect {} --remove` leaves one", several.last().copied().unwrap_or(name)),
        ),
    }
}

/// What is wrong, and what to do, of a reason that says both.
fn split(reason: &str, way: &str) -> (String, String) {
    const BEGINS: [&str; 7] = ["start ", "compare ", "write ", "check ", "put ", "`skillspan ", "move "];
    let at = reason.char_indices().find_map(|(at, char)| {
        let rest = reason.get(at + 1..)?.trim_start();
        (matches!(char, ':' | ';') && BEGINS.iter().any(|begin| rest.starts_with(begin)))
            .then_some((at, rest))
    });
    match at {
        Some((at, rest)) => (reason.get(..at).unwrap_or_default().to_owned(), rest.to_owned()),
        None => {
            (reason.to_owned(), format!("`skillspan connect {way} --check` asks again once it is mended"))
        }
    }
}

/// The first line of what a program says of itself.
#[expect(clippy::disallowed_methods, reason = "no caller is on a reactor's thread")]
fn version_of(program: &std::path::Path) -> Option<String> {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let began = Instant::now();
    while child.try_wait().ok()?.is_none() {
        if began.elapsed() > PATIENCE {
            // It is of no use any more, and nobody waits for it.
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(LOOK);
    }
    let mut text = String::new();
    child.stdout.take()?.take(1000).read_to_string(&mut text).ok()?;
    let line = first_line(text.lines().next()?, LONGEST);
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_split_into_what_is_wrong_and_what_to_do() {
        let split = |reason: &str| split(reason, "codex");
        assert_eq!(
            split(
                "nothing listens at http://127.0.0.1:4318: start `skillspan run` there, or check the address"
            ),
            (
                "nothing listens at http://127.0.0.1:4318".to_owned(),
                "start `skillspan run` there, or check the address".to_owned()
            )
        );
        assert_eq!(split("odd").1, "`skillspan connect codex --check` asks again once it is mended");
    }
}

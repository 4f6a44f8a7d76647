//! The assistants of this machine: their versions, how each is connected, and whether its records arrive.

use super::collector::{Here, connect_again};
use super::{Findings, servers, versions};
use crate::cli::connect::{Arrived, Examined, examined, on_path};

pub(super) fn look(here: &Here, found: &mut Findings) {
    let all = examined(here.endpoint());
    let needs_command = all.iter().any(|one| one.runs_skillspan);
    for one in &all {
        look_at(one, here, found);
        if let Some(words) = &one.server {
            servers::look(one.name, words, here, found);
        }
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

fn look_at(one: &Examined, here: &Here, found: &mut Findings) {
    let version = one.program.as_deref().map(versions::said_by);
    judge(one, version.as_ref(), found);
    let version = match version {
        Some(Ok(version)) => version,
        _ => "version unknown".to_owned(),
    };
    let name = one.name;
    match (one.ways.as_slice(), &one.outcome) {
        ([], Some(Err(reason))) => {
            let (what, todo) = split(reason, name);
            found.broken(name, format!("{version}; {what}"), todo);
        }
        ([], _) => {
            let more = if one.differs { " --replace" } else { "" };
            let why = one.why_not.as_ref().map(|why| format!(": {}", split(why, name).0)).unwrap_or_default();
            let todo = format!("{} connects it, if you want its sessions", here.connect(name, more));
            found.note(name, format!("{version}; not connected{why}"), todo);
        }
        ([way], Some(Ok(arrival))) => arrived(name, &version, way, arrival, found),
        ([way], Some(Err(reason))) => {
            let (what, todo) = remedied(reason, way, here);
            found.broken(name, format!("{version}; connected ({way}): {what}"), todo);
        }
        ([_], None) => {}
        (several, _) => found.broken(
            name,
            format!(
                "{version}; connected {} times: {}: each turn is sent as often",
                several.len(),
                several.join(", ")
            ),
            format!("`skillspan connect {} --remove` leaves one", several.last().copied().unwrap_or(name)),
        ),
    }
}

/// What a program says of itself, where that is not enough.
fn judge(one: &Examined, version: Option<&Result<String, String>>, found: &mut Findings) {
    match version {
        Some(Err(why)) if why.contains(' ') && why != "version unknown" => {
            found.note(one.name, why.clone(), "see whether it starts; install it anew if it does not");
        }
        Some(Ok(version)) => {
            let older = one.recorded_with.filter(|recorded| versions::is_older(version, recorded));
            if let Some(recorded) = older {
                let what = format!(
                    "{version} is older than {recorded}, whose sessions were recorded: what it sends of them is not known"
                );
                found.note(one.name, what, "update it, if its sessions lack something");
            }
        }
        _ => {}
    }
}

/// What it sends arrives: whether that is all that it could send.
fn arrived(name: &'static str, version: &str, way: &str, arrival: &Arrived, found: &mut Findings) {
    let Arrived { url, withheld, in_part } = arrival;
    let again = connect_again(way, url);
    match withheld {
        Some(why) => found.broken(
            name,
            format!("{version}; connected ({way}): it sends no prompts and no texts: {why}"),
            format!("{again} lets them out; docs/guide/clients.md says what each switch does"),
        ),
        None if !in_part.is_empty() => found.note(
            name,
            format!(
                "{version}; connected ({way}): what it sends arrives at {url}; it keeps back {}",
                in_part.join("; ")
            ),
            format!("{again} sends that too; leave it if it is meant"),
        ),
        None => {
            found.ok(name, format!("{version}; connected ({way}): what it sends arrives at {url}"));
        }
    }
}

/// The same as [`split`], with what is known of the collector here.
fn remedied(reason: &str, way: &str, here: &Here) -> (String, String) {
    let (what, todo) = split(reason, way);
    let here_instead = here.connect(way, " --replace");
    match () {
        () if here.is_console(reason) => (
            format!("{what}; that is the console's port, which takes no OTLP"),
            format!("{here_instead} sends to the port that does"),
        ),
        () if reason.contains("nothing listens") && !reason.contains(here.endpoint()) => {
            (what, format!("{todo}; or {here_instead}, which sends to the one of this configuration"))
        }
        () => (what, todo),
    }
}

/// The fault and the remedy, from a reason that holds both.
fn split(reason: &str, way: &str) -> (String, String) {
    const BEGINS: [&str; 8] =
        ["start ", "take ", "compare ", "write ", "check ", "put ", "`skillspan ", "move "];
    let at = reason.char_indices().find_map(|(at, char)| {
        let rest = reason.get(at + 1..)?.trim_start();
        (matches!(char, ':' | ';') && BEGINS.iter().any(|begin| rest.starts_with(begin)))
            .then_some((at, rest))
    });
    match at {
        Some((at, rest)) => (reason.get(..at).unwrap_or_default().to_owned(), rest.to_owned()),
        None => (reason.to_owned(), format!("`skillspan connect {way} --check` asks again once it is fixed")),
    }
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
        assert_eq!(split("odd").1, "`skillspan connect codex --check` asks again once it is fixed");
    }
}

//! What `skillspan doctor` checks about the assistants of this machine.

use std::path::PathBuf;

use super::assistants::{ASSISTANTS, Assistant};
use super::change::{file_of, is_connected};
use super::check::Arrived;
use super::client::{Client, FOR_HOOKS, SettingsLocation};
use super::settings::To;
use super::{check, file, mcp};

/// An assistant that is here.
#[derive(Debug)]
pub(in crate::cli) struct Examined {
    pub(in crate::cli) name: &'static str,
    /// Its program, if it is on the PATH.
    pub(in crate::cli) program: Option<PathBuf>,
    /// The ways in which it is connected.
    pub(in crate::cli) ways: Vec<&'static str>,
    /// Whether what it sends arrives, where it is connected in one way.
    pub(in crate::cli) outcome: Option<Result<Arrived, String>>,
    /// Whether its settings tell it to run `skillspan`.
    pub(in crate::cli) runs_skillspan: bool,
    /// Somebody has set otherwise what `connect` would write: only `--replace` does.
    pub(in crate::cli) differs: bool,
    /// The version that its way to be connected was recorded with, if one is told.
    pub(in crate::cli) recorded_with: Option<&'static str>,
    /// Why it sends nothing here, though it is told to send somewhere.
    pub(in crate::cli) why_not: Option<String>,
    /// The command that it is told to ask with, if it is.
    pub(in crate::cli) server: Option<Vec<String>>,
}

/// All that are here, as they stand to one that receives at `endpoint`.
pub(in crate::cli) fn examined(endpoint: &str) -> Vec<Examined> {
    let here = ASSISTANTS.iter().filter(|assistant| assistant.found().is_some());
    here.map(|assistant| examine(assistant, endpoint)).collect()
}

fn examine(assistant: &'static Assistant, endpoint: &str) -> Examined {
    let (mut ways, mut trouble, mut by_hooks) = (Vec::new(), None, false);
    for way in assistant.ways() {
        match file_of(way, None).and_then(|path| is_connected(way, &path)) {
            Ok(false) => {}
            Ok(true) => {
                by_hooks |= way.token == FOR_HOOKS;
                ways.push(way);
            }
            Err(failure) => trouble = Some(failure.to_string()),
        }
    }
    let mut why_not = None;
    let outcome = match (ways.as_slice(), trouble) {
        ([way], _) => Some(check::arrives(way)),
        ([], None) => match in_part(assistant) {
            Some((way, Ok(arrived))) => {
                ways.push(way);
                Some(Ok(arrived))
            }
            Some((_, Err(reason))) if check::is_silent(&reason) => Some(Err(reason)),
            Some((_, Err(reason))) => {
                why_not = Some(reason);
                None
            }
            None => None,
        },
        (_, trouble) => trouble.map(Err),
    };
    let best = ways.first().copied().or_else(|| assistant.ways().next());
    Examined {
        name: assistant.name,
        program: assistant.program(),
        differs: best.is_some_and(|way| standing(way, endpoint).differs),
        recorded_with: best.and_then(|way| version_in(way.known_from)),
        server: mcp::command_of(assistant.name),
        why_not,
        ways: ways.iter().map(|way| way.name).collect(),
        outcome,
        runs_skillspan: by_hooks,
    }
}

/// The way in which an assistant sends although its settings are not as `connect` writes them: somebody chose other
/// ones, or a part of them. Or why its settings cannot be read: then it may not read them either.
fn in_part(assistant: &Assistant) -> Option<(&'static Client, Result<Arrived, String>)> {
    let by_telemetry = assistant.ways().filter(|way| way.token != FOR_HOOKS);
    let tells = |way: &Client, outcome: &Result<Arrived, String>| match outcome {
        Ok(_) => true,
        Err(reason) => check::is_silent(reason) || standing(way, To::nobody().endpoint).has_address,
    };
    by_telemetry.map(|way| (way, check::arrives(way))).find(|(way, outcome)| tells(way, outcome))
}

/// What its file has of the settings that `connect` writes for this endpoint.
fn standing(way: &Client, endpoint: &str) -> file::Standing {
    let Ok(path) = file_of(way, None) else { return file::Standing::default() };
    if matches!(way.place, SettingsLocation::OwnFiles { .. }) {
        return file::Standing::default();
    }
    file::standing(way.place, &(way.settings)(&To { endpoint, ..To::nobody() }), &path)
}

/// The one version in a text such as `recorded with 2.1.330`.
fn version_in(text: &'static str) -> Option<&'static str> {
    let is_version = |word: &&str| word.contains('.') && word.starts_with(|char: char| char.is_ascii_digit());
    text.split(' ').find(is_version)
}

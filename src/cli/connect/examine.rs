//! What `skillspan doctor` asks of the assistants of this machine.

use std::path::PathBuf;

use super::assistants::{ASSISTANTS, Assistant};
use super::catalogue::{Client, FOR_HOOKS};
use super::change::{file_of, is_connected};
use super::{check, mcp};

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
}

/// What it sends arrives.
#[derive(Debug)]
pub(in crate::cli) struct Arrived {
    pub(in crate::cli) url: String,
    /// Why nothing that people and models say is in it.
    pub(in crate::cli) withheld: Option<String>,
}

/// All that are here.
pub(in crate::cli) fn examined() -> Vec<Examined> {
    ASSISTANTS.iter().filter(|assistant| assistant.found().is_some()).map(examine).collect()
}

fn examine(assistant: &'static Assistant) -> Examined {
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
    let outcome = match (ways.as_slice(), trouble) {
        ([way], _) => Some(check::arrives(way)),
        ([], None) => in_part(assistant).map(|(way, outcome)| {
            ways.extend(outcome.is_ok().then_some(way));
            outcome
        }),
        (_, trouble) => trouble.map(Err),
    };
    Examined {
        name: assistant.name,
        program: assistant.program(),
        ways: ways.iter().map(|way| way.name).collect(),
        outcome,
        runs_skillspan: by_hooks || mcp::is_told(assistant.name),
    }
}

/// The way in which an assistant sends although its settings are not as `connect` writes them: somebody chose other
/// ones, or a part of them. Or why its settings cannot be read: then it may not read them either.
fn in_part(assistant: &Assistant) -> Option<(&'static Client, Result<Arrived, String>)> {
    let by_telemetry = assistant.ways().filter(|way| way.token != FOR_HOOKS);
    let tells = |outcome: &Result<Arrived, String>| match outcome {
        Ok(_) => true,
        Err(reason) => reason.contains("it is not valid"),
    };
    by_telemetry.map(|way| (way, check::arrives(way))).find(|(_, outcome)| tells(outcome))
}

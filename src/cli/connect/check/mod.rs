//! `connect --check`: whether what an assistant sends arrives, with its content, its person and its workspace.
//!
//! | file | holds |
//! |---|---|
//! | `route.rs` | where and how, as the settings that are written say |
//! | `written.rs` | the settings as they are written, and the variables beside them |
//! | `sample.rs` | the marked record that is sent, as each client writes its own |
//! | `silence.rs` | what the settings keep back |
//! | `hooks.rs` | for assistants with hooks, the command that they run is run |
//! | `mod.rs` | the command, and what is said |
//!
//! The record goes the way of every other, up to where it would be stored ([`crate::receivers::Checked`]). It says
//! that it is not to be stored, so that an older collector stores nothing of it either.

mod hooks;
mod route;
mod sample;
mod silence;
mod written;

use std::fmt::Write;
use std::path::Path;

use anyhow::anyhow;

use super::super::probe;
use super::assistants::ASSISTANTS;
use super::change::{file_of, is_connected, missing_variable};
use super::client::{Client, FOR_HOOKS};
use crate::cli::{Failure, print};
use crate::receivers::Checked;

/// The check trusts what the system trusts.
const BRINGS_ALONG: &str = "it trusts public authorities alone: where the server has a certificate of an authority of \
                            your own, set OTEL_EXPORTER_OTLP_CERTIFICATE to its file where it is started";

/// Where it arrived, and as what.
struct Arrival {
    url: String,
    checked: Checked,
    /// Why the client itself sends no texts.
    withheld: Option<String>,
    /// What else it does not send, and by which switches.
    in_part: Vec<String>,
    /// What else to know.
    note: String,
}

pub(super) fn one(client: &Client, file: Option<&Path>) -> Result<(), Failure> {
    let (text, arrived) = told(client, asked(client, file));
    print(&text)?;
    if arrived { Ok(()) } else { Err(Failure::Failed(anyhow!("what {} sends does not arrive", client.name))) }
}

/// Every assistant of this machine that is connected.
pub(super) fn all() -> Result<(), Failure> {
    let (mut text, mut failed, mut known) = (String::new(), 0, 0);
    for assistant in ASSISTANTS {
        for way in assistant.ways() {
            let outcome = match is_connected(way, &file_of(way, None)?) {
                Ok(false) => continue,
                Ok(true) => asked(way, None),
                Err(failure) => Err(failure.to_string()),
            };
            let (said, arrived) = told(way, outcome);
            text.push_str(&said);
            // A client that is not wholly connected yet does not make the check fail.
            let is_failure = !arrived && missing_variable(way).is_none();
            (known, failed) = (known + 1, failed + usize::from(is_failure));
        }
    }
    if known == 0 {
        return Err(Failure::Failed(anyhow!(
            "nothing is connected; connect with `skillspan connect --all --write`"
        )));
    }
    print(&text)?;
    match failed {
        0 => Ok(()),
        failed => Err(Failure::Failed(anyhow!("what {failed} of {known} assistants send does not arrive"))),
    }
}

/// Whether an assistant's data arrives, and with which identity, for `skillspan doctor`.
pub(super) fn arrives(client: &Client) -> Result<Arrived, String> {
    let Arrival { url, checked, withheld, in_part, .. } = asked(client, None)?;
    if checked.facts == 0 {
        return Err(format!(
            "{url} keeps nothing of what it sends; check the filters of the sessions pipeline there"
        ));
    }
    let withheld = checked
        .content
        .is_empty()
        .then(|| withheld.unwrap_or_else(|| "the processors of the server take them out".to_owned()));
    Ok(Arrived { url, withheld, in_part })
}

fn asked(client: &Client, file: Option<&Path>) -> Result<Arrival, String> {
    let asked = if client.token == FOR_HOOKS { hooks::send(client, file) } else { send(client, file) };
    // What the answer leaves open is known here.
    asked.map_err(|reason| {
        reason.replace("`skillspan connect …", &format!("`skillspan connect {}", client.name))
    })
}

/// Whether the reason is that the settings cannot be read, or keep everything back.
pub(super) fn is_silent(reason: &str) -> bool {
    reason.contains("it is not valid") || silence::is_told_in(reason)
}

/// The text for it, and whether the data arrived.
fn told(client: &Client, outcome: Result<Arrival, String>) -> (String, bool) {
    let (mut text, arrived) = match outcome {
        Ok(arrival) => shown(&arrival),
        Err(reason) => match missing_variable(client) {
            Some(_) => (format!("connected in part: {reason}\n"), false),
            None => (format!("does not arrive: {reason}\n"), false),
        },
    };
    text.insert_str(0, &format!("{:<14}", client.name));
    (text.replace("\n  ", &format!("\n{:<14}", "")), arrived)
}

fn send(client: &Client, file: Option<&Path>) -> Result<Arrival, String> {
    let route = route::of(client, file)?;
    let question = sample::question(client, &route)?;
    let checked = probe::ask(&question).map_err(|reason| match route.is_grpc {
        true => format!("over HTTP, which skillspan takes on its port of gRPC as well: {reason}"),
        false => reason,
    })?;
    let withheld = route.withheld.map(|switch| format!("{switch} is not on"));
    let asks_the_system = route.url.starts_with("https://") && route.authorities.is_empty();
    let note = if asks_the_system && route::OF_THEIR_OWN.contains(&client.name) { BRINGS_ALONG } else { "" };
    Ok(Arrival { url: route.url, checked, withheld, in_part: route.in_part, note: note.to_owned() })
}

/// What arrived, line by line; whether anything did.
fn shown(arrival: &Arrival) -> (String, bool) {
    let Arrival { url, checked, withheld, in_part, note } = arrival;
    if checked.facts == 0 {
        let text = "reached, and it keeps nothing of what this client sends: see the filters of its sessions pipeline";
        return (format!("{url} is {text}\n"), false);
    }
    let mut text = format!("arrived at {url} (skillspan {})\n", checked.skillspan);
    let workspace = match checked.workspace.as_str() {
        "" => "none is named: the server's default (`connect --workspace NAME`)",
        workspace => workspace,
    };
    let person = match checked.person.as_str() {
        "" => {
            "nobody: the sessions count for no person (`connect --user NAME`), unless the client's login names one"
        }
        person => person,
    };
    let content = match (checked.content.is_empty(), withheld) {
        (false, _) => checked.content.iter().cloned().collect::<Vec<_>>().join(", "),
        (true, Some(switch)) => format!("none: {switch}"),
        (true, None) => "none: the server takes it out".to_owned(),
    };
    let _ = writeln!(text, "  workspace  {workspace}\n  person     {person}\n  content    {content}");
    if checked.tenant != "default" {
        let _ = writeln!(text, "  tenant     {}", checked.tenant);
    }
    if !in_part.is_empty() && withheld.is_none() {
        let _ = writeln!(text, "  kept back  {}", in_part.join("; "));
    }
    if !note.is_empty() {
        let _ = writeln!(text, "  note       {note}");
    }
    text.push_str("  stored     nothing: this was a test\n");
    (text, true)
}

/// What it sends arrives.
#[derive(Debug)]
pub(in crate::cli) struct Arrived {
    pub(in crate::cli) url: String,
    /// Why nothing that people and models say is in it.
    pub(in crate::cli) withheld: Option<String>,
    /// What else is not in it, and by which switches.
    pub(in crate::cli) in_part: Vec<String>,
}

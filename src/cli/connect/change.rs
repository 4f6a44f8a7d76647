//! One assistant's settings, written or taken out again.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::super::probe::is_here;
use super::assistants::{ASSISTANTS, Assistant};
use super::catalogue::CLIENTS;
use super::client::{Client, FOR_HOOKS, SettingsLocation};
use super::env_files::Beside;
use super::file::paths;
use super::hooks::assistant_of;
use super::settings::{HEADERS, RESOURCE, Setting, To};
use super::store;
use super::{file, file_error};
use crate::cli::folders::{self, home};
use crate::cli::hook::{catch_up, left_behind};
use crate::cli::{Failure, OrFail};

/// The file to change: the named one, else the client's own below the home directory.
pub(super) fn file_of(client: &Client, named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let below_home = client.place.below_home();
    let usual = || Some(file::by_its_name(home()?.join(below_home?)));
    named.or_else(usual).ok_or_else(|| match below_home {
        Some(_) => Failure::Usage(anyhow!("HOME is not set; name the file with --file")),
        None => Failure::Usage(anyhow!(
            "{} is set up by environment variables and has no file of settings: `skillspan connect {}` prints the \
             lines, and --file FILE with --write puts them into a file that your shell reads",
            client.title,
            client.name
        )),
    })
}

/// Whether the assistant is connected this way, whoever was named and wherever it sends to.
pub(super) fn is_connected(client: &Client, path: &Path) -> Result<bool, Failure> {
    // A file that cannot be read as its format holds none of our settings.
    let found = match client.place {
        SettingsLocation::OwnFiles { names, .. } => file::own_are_there(&paths(path, names)),
        place => match file::is_connected(place, &(client.settings)(&To::nobody()), path) {
            Err(file_error::FileError::Content { .. }) => Ok(false),
            found => found,
        },
    };
    found.or_fail()
}

/// The variable that this shell lacks, and without which the assistant sends nothing whatever its settings say.
pub(super) fn missing_variable(client: &Client) -> Option<&'static str> {
    let is_set = || std::env::var_os(client.needs).is_some_and(|value| !value.is_empty());
    (!client.needs.is_empty() && !is_set()).then_some(client.needs)
}

/// Another way by which the same assistant is connected already: both would tell each turn of a session.
pub(super) fn twin(client: &Client) -> Result<Option<&'static Client>, Failure> {
    let is_one = |assistant: &&Assistant| assistant.ways().any(|way| way.name == client.name);
    let ways = ASSISTANTS.iter().filter(is_one).flat_map(Assistant::ways);
    for other in ways.filter(|way| way.name != client.name) {
        if is_connected(other, &file_of(other, None)?)? {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

/// Writes the settings; returns what was done.
pub(super) fn write(client: &Client, to: &To<'_>, path: &Path, replace: bool) -> Result<String, Failure> {
    let token_file = token_file_of(client);
    let token_path = token_file.as_ref().filter(|_| to.token.is_some()).and_then(|path| path.to_str());
    let to = &To { token_file: token_path, ..*to };
    let left = leave_token(client, to, path, replace)?;
    let mut done = match client.place {
        SettingsLocation::OwnFiles { names, content, executable, .. } => {
            file::write_own(&paths(path, names), &content(to), executable).or_fail()?
        }
        place => file::write(place, &(client.settings)(to), path, replace).or_fail()?,
    };
    if let Some(beside) = Beside::of(client) {
        let settings = beside.settings(to);
        if !settings.is_empty() {
            let written = file::write(beside.place(), &settings, &beside.file(path), replace).or_fail()?;
            let _ = write!(done, "\n{written}");
        }
    }
    if let Some(path) = &token_file {
        let earlier = store::read(path).or_fail()?.unwrap_or_default();
        if let Some(token) = to.token {
            store::write_token(path, token).or_fail()?;
            let _ = write!(done, "\nwrote {}", path.display());
        }
        let token = to.token.unwrap_or_default();
        done.push_str(&catch_up(assistant_of(client), to.endpoint, token, earlier.trim()));
    }
    done.push_str(left);
    Ok(done)
}

/// A token is for one server: who changes the address and gives no token does not send the old one there. What was
/// done, in words.
fn leave_token(client: &Client, to: &To<'_>, path: &Path, replace: bool) -> Result<&'static str, Failure> {
    let nobody = (client.settings)(&To::nobody());
    let of_files = matches!(client.place, SettingsLocation::OwnFiles { .. });
    if to.token.is_some() || !replace || of_files || client.place.below_home().is_none() {
        return Ok("");
    }
    if !file::sends_elsewhere(client.place, &nobody, path, to.endpoint).or_fail()? {
        return Ok("");
    }
    let all = &To { endpoint: to.endpoint, ..To::nobody().naming_all() };
    let secrets =
        |settings: Vec<Setting>| settings.into_iter().filter(Setting::is_secret).collect::<Vec<_>>();
    let mut files = vec![(client.place, secrets((client.settings)(all)), path.to_owned())];
    files.extend(
        Beside::of(client).map(|beside| (beside.place(), secrets(beside.settings(all)), beside.file(path))),
    );
    let mut any = false;
    for (place, settings, path) in files.into_iter().filter(|(_, settings, _)| !settings.is_empty()) {
        any |= file::remove(place, &settings, &path, std::slice::from_ref(&nobody)).or_fail()?.any;
    }
    Ok(if any {
        "\ntook out the token, which was for another address; give a new one with --token-file"
    } else {
        ""
    })
}

/// Takes the settings out again; returns what was done, in words.
pub(super) fn remove(client: &Client, to: &To<'_>, path: &Path) -> Result<String, Failure> {
    let to = &to.naming_all();
    let mut done = match client.place {
        SettingsLocation::OwnFiles { names, .. } => file::remove_own(&paths(path, names)).or_fail()?.said,
        place => file::remove(place, &(client.settings)(to), path, &neighbours(client)).or_fail()?.said,
    };
    if let Some(beside) = Beside::of(client) {
        let path = beside.file(path);
        if path.exists() {
            let removed = file::remove(beside.place(), &beside.settings(to), &path, &[]).or_fail()?;
            let _ = write!(done, "\n{}", removed.said);
        }
    }
    if let Some(path) = token_file_of(client)
        && store::remove_token(&path).or_fail()?
    {
        let _ = write!(done, "\nremoved {}", path.display());
    }
    if client.token == FOR_HOOKS {
        done.push_str(&left_behind(assistant_of(client), client.name).or_fail()?);
    }
    Ok(done)
}

/// The settings of ours that others have in the same file.
fn neighbours(client: &Client) -> Vec<Vec<Setting>> {
    let others = CLIENTS.iter().filter(|other| other.name != client.name);
    let same = others.filter(|other| other.place.below_home() == client.place.below_home());
    same.map(|other| (other.settings)(&To::nobody()))
        .chain(super::skill_refresh::settings_in(client.place))
        .chain(super::mcp_entries::settings_in(client.place))
        .collect()
}

/// Where the token of hooks is kept; `None` for what is connected otherwise.
fn token_file_of(client: &Client) -> Option<PathBuf> {
    let folder = folders::config().filter(|_| client.token == FOR_HOOKS)?;
    Some(folder.join("tokens").join(client.name))
}

/// Who can read the token now.
pub(super) fn readers(client: &Client, to: &To<'_>) -> String {
    if to.token.is_none() {
        return String::new();
    }
    let who = match client.token {
        "" => String::new(),
        who => format!("Note: who can read the token: {who}\n"),
    };
    if to.endpoint.starts_with("https://") || is_here(to.endpoint) {
        return who;
    }
    format!(
        "{who}Note: {} is not encrypted: whoever is on the way there can read the token; write an address that begins \
         with https://\n",
        to.endpoint
    )
}

/// What a person has to add where the assistant's settings cannot say whose the sessions are, or hold no
/// token.
pub(super) fn elsewhere(client: &Client, to: &To<'_>) -> String {
    let whose = to.resource_attributes().filter(|_| !client.says_whose);
    let whose = whose.map(|whose| format!("  {RESOURCE}={whose}\n"));
    // A token is not printed.
    let token = to.token.filter(|_| client.token.is_empty());
    let token = token.map(|_| format!("  {HEADERS}=\"Authorization=Bearer TOKEN\"\n"));
    // OpenCode ends without a word to what sends its spans: they have to be on their way by then.
    let endpoint = (!client.needs.is_empty())
        .then(|| format!("  {}={}\n  OTEL_BSP_SCHEDULE_DELAY=100\n", client.needs, to.endpoint));
    match endpoint.into_iter().chain(whose).chain(token).collect::<String>() {
        missing if missing.is_empty() => missing,
        missing => format!("Note: its settings have no place for this; start it with\n{missing}"),
    }
}

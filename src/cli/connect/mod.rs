//! `skillspan connect`: shows what makes an assistant export to us, writes it, or takes it back.
//!
//! | file | holds |
//! |---|---|
//! | `catalogue.rs` | the assistants, and how a session is left out |
//! | `client.rs` | a client: where its settings stand, and what they are |
//! | `assistants.rs` | which of them are on this machine, and how each is connected best |
//! | `settings.rs` | the settings of each |
//! | `env_files.rs` | files of variables that some read beside their settings |
//! | `document.rs` | settings files in their formats, edited in place |
//! | `hooks.rs` | what makes an assistant run `skillspan hook` |
//! | `command.rs` | the commands that assistants are told to run |
//! | `mcp.rs` | what makes an assistant start `skillspan mcp`, and the skill that says when to ask |
//! | `mcp_entries.rs` | where an assistant is told of servers of tools, and what of ours |
//! | `skill_refresh.rs` | what makes an assistant look for new skills when a session begins |
//! | `file.rs` | our settings in a settings file |
//! | `file_error.rs` | why a file of settings was not changed |
//! | `store.rs`, `created_folders.rs` | files and folders, made and taken away again |
//! | `change.rs` | one assistant, connected or not any more |
//! | `all.rs` | all of them |
//! | `check/` | whether what an assistant sends arrives |
//! | `examine.rs` | what `skillspan doctor` asks of them |
//! | `show.rs` | what is printed |
//! | `mod.rs` | the command |
//!
//! Writing changes only the named settings and keeps a copy of the file as it was before
//! (`<file>.before-skillspan`). Removing puts back what those settings were. A file that cannot be
//! read as its format stays as it is.

mod all;
mod assistants;
mod catalogue;
mod change;
mod check;
mod client;
mod command;
mod created_folders;
mod document;
mod env_files;
mod examine;
mod file;
mod file_error;
mod hooks;
mod mcp;
mod mcp_entries;
mod settings;
mod show;
mod skill_refresh;
mod store;

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;

use self::all::Do;
use self::catalogue::CLIENTS;
use self::change::{elsewhere, file_of, readers, twin};
use self::client::Client;
use self::settings::To;
use super::hook::ENDPOINT;
use super::{Failure, print, print_as_is};
use crate::config::nearest;

pub(super) use self::assistants::{ASSISTANTS, Assistant, on_path};
pub(super) use self::check::Arrived;
pub(super) use self::created_folders::{create as create_folder, remove_empty as remove_empty_folders};
pub(super) use self::examine::{Examined, examined};
pub(super) use self::skill_refresh::Fresh;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The assistant, such as claude-code; without one, those that are known are listed
    #[arg(value_name = "ASSISTANT", conflicts_with = "all")]
    client: Option<String>,
    /// Connect every assistant found on this machine, each in the best way it offers
    #[arg(long, conflicts_with = "file")]
    all: bool,
    /// Where skillspan listens for OTLP over HTTP
    #[arg(long, value_name = "URL", default_value = ENDPOINT)]
    endpoint: String,
    /// The workspace that the sessions belong to, such as a team or a product
    #[arg(long, value_name = "NAME", value_parser = name)]
    workspace: Option<String>,
    /// Whose sessions they are: an e-mail address or a login, the same for every assistant
    #[arg(long, value_name = "NAME", value_parser = name)]
    user: Option<String>,
    /// The token that a team's server asks for; other users can see it while the command runs
    #[arg(long, value_name = "TOKEN", value_parser = token, conflicts_with = "token_file")]
    token: Option<String>,
    /// A file with the token, which other users cannot see
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Write the settings into the assistant's own file; a copy of the file is kept
    #[arg(long, conflicts_with = "remove")]
    write: bool,
    /// Take the settings out again
    #[arg(long)]
    remove: bool,
    /// Overwrite settings that have another value, and replace another way of connecting
    #[arg(long, requires = "write")]
    replace: bool,
    /// What lets the assistant ask what was learned (`skillspan mcp`), instead of what makes it send; for claude-code,
    /// codex, cursor, gemini-cli and opencode
    #[arg(long, conflicts_with_all = ["check", "file", "workspace", "user"])]
    mcp: bool,
    /// With --mcp, the console to ask, such as https://skillspan.example.com:4320; without, this machine's
    #[arg(long, value_name = "URL", requires = "mcp")]
    console: Option<String>,
    /// Send a test record the way the assistant would, and say what arrived; nothing is stored
    #[arg(long, conflicts_with_all = ["write", "remove", "token", "token_file", "workspace", "user"])]
    check: bool,
    /// The assistant's settings file, or folder of files, if it is not in the usual place
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// What can be connected, by name.
pub(super) fn names() -> Vec<&'static str> {
    CLIENTS.iter().map(|client| client.name).collect()
}

/// What clients add to the address.
const SIGNALS: [&str; 3] = ["/v1/traces", "/v1/logs", "/v1/metrics"];

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let endpoint = endpoint_of(&arguments.endpoint)?;
    let token = arguments.token()?;
    let to = To {
        endpoint,
        workspace: arguments.workspace.as_deref(),
        user: arguments.user.as_deref(),
        token: token.as_deref(),
        token_file: None,
    };
    if arguments.mcp && (arguments.all || arguments.client.is_some()) {
        let ask = mcp::Ask { console: arguments.console.as_deref(), token: token.as_deref() };
        let what = match (arguments.write, arguments.remove) {
            (true, _) => mcp::Do::Write { replace: arguments.replace },
            (_, true) => mcp::Do::Remove,
            _ => mcp::Do::Show,
        };
        return mcp::run(arguments.client.as_deref(), &ask, what);
    }
    if arguments.all {
        return match (arguments.check, arguments.write, arguments.remove) {
            (true, ..) => check::all(),
            (_, true, _) => all::run(&to, Do::Write { replace: arguments.replace }),
            (_, _, true) => all::run(&to, Do::Remove),
            _ => all::run(&to, Do::Look),
        };
    }
    let Some(name) = &arguments.client else {
        if arguments.check || arguments.write || arguments.remove || arguments.mcp {
            return Err(Failure::Usage(anyhow!(
                "say which assistant (`skillspan connect` lists them), or --all"
            )));
        }
        let names = CLIENTS.iter().map(|client| format!("{:<13}  {}\n", client.name, client.title));
        return print(&(names.collect::<String>() + NEXT));
    };
    let names: Vec<_> = CLIENTS.iter().map(|client| client.name).collect();
    let client = CLIENTS.iter().find(|client| client.name == name).ok_or_else(|| unknown(name, &names))?;
    check_token(client, &to)?;
    if arguments.check {
        return check::one(client, arguments.file.as_deref());
    }
    one(client, &to, arguments)
}

/// Below the list of those that are known.
const NEXT: &str = "\n`skillspan connect NAME` shows its settings, --write writes them, --check asks whether what it sends \
     arrives.\n`skillspan connect --all` shows which of them are on this machine.\n";

/// The base of an address that a client sends to.
pub(super) fn base_of(url: &str) -> &str {
    let end = ["/v1/", "/api/public/"].iter().filter_map(|path| url.find(path)).min();
    end.and_then(|end| url.get(..end)).unwrap_or(url).trim_end_matches('/')
}

/// The base of the collector's addresses, without a slash at its end.
fn endpoint_of(said: &str) -> Result<&str, Failure> {
    let endpoint = said.trim_end_matches('/');
    let uri = endpoint.parse::<http::Uri>().ok();
    let is_address = uri.as_ref().is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    });
    // A port that is no number below 65536 is read as none.
    let has_odd_port = || {
        let authority = uri.as_ref().and_then(http::Uri::authority).map(http::uri::Authority::as_str);
        let port = authority.and_then(|authority| authority.rsplit_once(':')).map(|(_, port)| port);
        port.is_some_and(|port| !port.ends_with(']') && !port.parse::<u16>().is_ok_and(|port| port > 0))
    };
    if !is_address || has_odd_port() {
        return Err(Failure::Usage(anyhow!(
            "--endpoint: `{said}` is no address; write http:// or https://, a name and a port, such as {ENDPOINT}"
        )));
    }
    match SIGNALS.iter().find_map(|path| endpoint.strip_suffix(path)) {
        Some(base) => {
            Err(Failure::Usage(anyhow!("clients add the path of each signal themselves: --endpoint {base}")))
        }
        None => Ok(endpoint),
    }
}

/// An assistant that nothing is known of, and which may be meant: `claude` is the beginning of two.
pub(super) fn unknown(name: &str, names: &[&'static str]) -> Failure {
    let lower = name.to_lowercase();
    let begins =
        |known: &&&str| known.split('-').next() == lower.split(['-', ' ']).next() && !lower.is_empty();
    let mut near: Vec<&str> = names.iter().filter(begins).copied().collect();
    if near.is_empty() {
        near.extend(nearest(name, names));
    }
    let near: Vec<String> = near.iter().map(|near| format!("`{near}`")).collect();
    Failure::Usage(match near.as_slice() {
        [] => anyhow!("`{name}` is not known; known are {}", names.join(", ")),
        near => anyhow!("`{name}` is not known; did you mean {}?", near.join(" or ")),
    })
}

fn one(client: &Client, to: &To<'_>, arguments: &Arguments) -> Result<(), Failure> {
    if !arguments.write && !arguments.remove {
        let shown = To {
            token: to.token.map(|_| if client.name == "langfuse" { "ID:TOKEN" } else { "TOKEN" }),
            token_file: to.token.map(|_| "FILE"),
            ..*to
        };
        return print_as_is(&show::show(client, &(client.settings)(&shown), &shown));
    }
    let path = file_of(client, arguments.file.clone())?;
    if arguments.remove {
        let asked = if arguments.file.is_none() { mcp::removed(client.name)? } else { None };
        return print(&format!("{}\n{}", change::remove(client, to, &path)?, asked.unwrap_or_default()));
    }
    let mut said = String::new();
    if arguments.file.is_none()
        && let Some(other) = twin(client)?
    {
        if !arguments.replace {
            return Err(Failure::Failed(anyhow!(
                "{} is connected by `{}` already, and both would tell each turn; `skillspan connect {} --remove` \
                 first, or --replace to change over",
                client.title,
                other.name,
                other.name
            )));
        }
        said = format!("{}\n", change::remove(other, to, &file_of(other, None)?)?);
    }
    said += &format!("{}\n", change::write(client, to, &path, arguments.replace)?);
    said.push_str(&elsewhere(client, to));
    said.push_str(&readers(client, to));
    print(&said)
}

impl Arguments {
    /// The token that was given, in whichever way.
    fn token(&self) -> Result<Option<String>, Failure> {
        let Some(path) = &self.token_file else { return Ok(self.token.clone()) };
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::Failed(anyhow!("the token cannot be read: {}: {error}", path.display()))
        })?;
        let usage = |reason| Failure::Usage(anyhow!("{}: {reason}", path.display()));
        token(text.trim()).map(Some).map_err(usage)
    }
}

/// What lists of headers, shells and files of variables give a meaning to.
const UNFIT: &[u8] = b",\"'`$\\";

/// A token stands in headers and in lines of variables.
fn token(text: &str) -> Result<String, &'static str> {
    match text {
        "" => Err("it is empty"),
        token if token.bytes().all(|byte| byte.is_ascii_graphic() && !UNFIT.contains(&byte)) => {
            Ok(token.to_owned())
        }
        _ => Err("a token has letters, digits and signs, and no space, comma, quote, dollar or backslash"),
    }
}

fn check_token(client: &Client, to: &To<'_>) -> Result<(), Failure> {
    match to.token {
        Some(token) if client.name == "langfuse" && !token.contains(':') => Err(Failure::Usage(anyhow!(
            "Langfuse's SDKs send a pair: --token ID:TOKEN, as in extensions.auth"
        ))),
        _ => Ok(()),
    }
}

/// A name stands in command lines and in lines of variables.
fn name(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("it is empty"),
        name if name.starts_with('-') => Err("a name does not begin with a dash"),
        name if name.contains(char::is_control) => Err("a name is one line of text"),
        name => Ok(name.to_owned()),
    }
}

//! `skillspan connect`: shows what makes an assistant export to us, writes it, or takes it back.
//!
//! | file | holds |
//! |---|---|
//! | `catalogue.rs` | the assistants, and how a session is left out |
//! | `settings.rs` | the settings of each |
//! | `document.rs` | settings files in their formats, edited in place |
//! | `hooks.rs` | what makes an assistant run `skillspan hook` |
//! | `file.rs` | reading, backing up and replacing a settings file |
//! | `mod.rs` | the command |
//!
//! Writing changes only the named settings and keeps a copy of the file as it was before
//! (`<file>.before-skillspan`). Removing puts back what those settings were. A file that cannot be
//! read as its format stays as it is.

mod catalogue;
mod document;
mod file;
mod hooks;
mod settings;

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;

use self::catalogue::{CLIENTS, Client, FOR_HOOKS, Place};
use self::document::line_of;
use self::settings::{HEADERS, RESOURCE, Setting, To};
use super::hook::ENDPOINT;
use super::{Failure, OrFail, print};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What to connect; without it, all that can be
    #[arg(value_name = "ASSISTANT")]
    client: Option<String>,
    /// The base of the collector's OTLP/HTTP addresses
    #[arg(long, value_name = "URL", default_value = ENDPOINT)]
    endpoint: String,
    /// Whose work the sessions are
    #[arg(long, value_name = "NAME", value_parser = name)]
    workspace: Option<String>,
    /// Who works there: an e-mail address or a login, the same for every assistant
    #[arg(long, value_name = "NAME", value_parser = name)]
    user: Option<String>,
    /// What the collector of a team asks for; other users may see a command line while it runs
    #[arg(long, value_name = "TOKEN", value_parser = token, conflicts_with = "token_file")]
    token: Option<String>,
    /// The file that holds it
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Merge the settings into the assistant's file, keeping a copy of it
    #[arg(long, conflicts_with = "remove")]
    write: bool,
    /// Take the settings out of the file again
    #[arg(long)]
    remove: bool,
    /// Replace settings that have another value
    #[arg(long, requires = "write")]
    replace: bool,
    /// The file, or the folder of files, where the assistant's is not in its usual place
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Some(name) = &arguments.client else {
        let names = CLIENTS.iter().map(|client| format!("{:<12} {}\n", client.name, client.title));
        return print(&names.collect::<String>());
    };
    let client = CLIENTS.iter().find(|client| client.name == name).ok_or_else(|| {
        let names: Vec<_> = CLIENTS.iter().map(|client| client.name).collect();
        Failure::Usage(anyhow!("nothing is known of `{name}`; known are {}", names.join(", ")))
    })?;
    let endpoint = arguments.endpoint.trim_end_matches('/');
    if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
        return Err(Failure::Usage(anyhow!(
            "`{endpoint}` is no address: it begins with http:// or https://"
        )));
    }
    let token = arguments.token()?;
    let token = token.as_deref();
    let token_file = token_file_of(client);
    let token_path = token_file.as_ref().filter(|_| token.is_some()).and_then(|path| path.to_str());
    let (workspace, user) = (arguments.workspace.as_deref(), arguments.user.as_deref());
    let to = To { endpoint, workspace, user, token, token_file: token_path };
    check(client, &to)?;
    let settings = (client.settings)(&if arguments.remove { to.naming_all() } else { to });
    if !arguments.write && !arguments.remove {
        let shown =
            To { token: token.map(|_| if client.name == "langfuse" { "ID:TOKEN" } else { "TOKEN" }), ..to };
        return print(&show(client, &(client.settings)(&shown), &shown));
    }
    let path = file_of(client, arguments.file.clone())?;
    let done = match (client.place, arguments.write) {
        (Place::OwnFiles { names, content, executable, .. }, write) => {
            let content = content(&to);
            let paths: Vec<PathBuf> = names.iter().map(|name| path.join(name)).collect();
            match write {
                true => file::write_own(&paths, &content, executable).or_fail()?,
                false => file::remove_own(&paths).or_fail()?,
            }
        }
        (_, true) => file::write(client, &settings, &path, arguments.replace).or_fail()?,
        (_, false) => file::remove(client, &settings, &path).or_fail()?,
    };
    let mut said = format!("{done}\n");
    match (&token_file, token) {
        (Some(path), Some(token)) if arguments.write => {
            file::write_token(path, token).or_fail()?;
            let _ = writeln!(said, "wrote {}", path.display());
        }
        (Some(path), _) if arguments.remove && file::remove_token(path).or_fail()? => {
            let _ = writeln!(said, "removed {}", path.display());
        }
        _ => {}
    }
    if arguments.write {
        said.push_str(&elsewhere(client, &to));
        said.push_str(&readers(client, &to));
    }
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
        "" => Err("there is no token"),
        token if token.bytes().all(|byte| byte.is_ascii_graphic() && !UNFIT.contains(&byte)) => {
            Ok(token.to_owned())
        }
        _ => Err("a token has letters, digits and signs, and no space, comma, quote, dollar or backslash"),
    }
}

fn check(client: &Client, to: &To<'_>) -> Result<(), Failure> {
    match to.token {
        Some(token) if client.name == "langfuse" && !token.contains(':') => Err(Failure::Usage(anyhow!(
            "Langfuse's SDKs send a pair: --token ID:TOKEN, as in extensions.auth"
        ))),
        _ => Ok(()),
    }
}

/// Where the token of hooks is kept; `None` for what is connected otherwise.
fn token_file_of(client: &Client) -> Option<PathBuf> {
    let folder = |name| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let config = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")))?;
    (client.token == FOR_HOOKS).then(|| config.join("skillspan/tokens").join(client.name))
}

/// Who can read the token now.
fn readers(client: &Client, to: &To<'_>) -> String {
    match (to.token, client.token) {
        (None, _) | (_, "") => String::new(),
        (Some(_), who) => format!("Note: who can read the token: {who}\n"),
    }
}

/// A name stands in command lines and in lines of variables.
fn name(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("it names nothing"),
        name if name.starts_with('-') => Err("a name does not begin with a dash"),
        name if name.contains(char::is_control) => Err("a name is one line of text"),
        name => Ok(name.to_owned()),
    }
}

/// What a person has to add where the assistant's settings cannot say whose the sessions are, or hold no
/// token.
fn elsewhere(client: &Client, to: &To<'_>) -> String {
    let whose = to.resource_attributes().filter(|_| !client.says_whose);
    let whose = whose.map(|whose| format!("  {RESOURCE}={whose}\n"));
    // A token is not printed.
    let token = to.token.filter(|_| client.token.is_empty());
    let token = token.map(|_| format!("  {HEADERS}=\"Authorization=Bearer TOKEN\"\n"));
    match whose.into_iter().chain(token).collect::<String>() {
        missing if missing.is_empty() => missing,
        missing => format!("Note: its settings have no place for this; start it with\n{missing}"),
    }
}

/// The file to change: the named one, else the client's own below the home directory.
fn file_of(client: &Client, named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let below_home = match client.place {
        Place::Json(path) | Place::Toml(path) | Place::Yaml(path) => Some(path),
        Place::OwnFiles { folder, .. } => Some(folder),
        Place::Environment(path) => path,
    };
    let usual = || {
        let home = std::env::var_os("HOME").filter(|home| !home.is_empty())?;
        Some(PathBuf::from(home).join(below_home?))
    };
    named.or_else(usual).ok_or_else(|| match below_home {
        Some(_) => Failure::Usage(anyhow!("HOME is not set; name the file with --file")),
        None => Failure::Usage(anyhow!(
            "{} is set up by environment variables; name a file of such lines with --file",
            client.title
        )),
    })
}

fn show(client: &Client, settings: &[Setting], to: &To<'_>) -> String {
    let mut text = format!("{} ({})\n\n", client.title, client.known_from);
    let place = match client.place {
        Place::Json(path) | Place::Toml(path) | Place::Yaml(path) => format!("~/{path}"),
        Place::OwnFiles { folder, names: [name], .. } => format!("~/{folder}/{name}"),
        Place::OwnFiles { folder, names, .. } => {
            format!("~/{folder}, as executable files of the names {}", names.join(", "))
        }
        Place::Environment(Some(path)) => format!("~/{path}, or its environment"),
        Place::Environment(None) => "its environment".to_owned(),
    };
    let _ = writeln!(text, "In {place}:\n");
    text.push_str(&block(client, settings, to));
    text.push_str("\nWhat it exposes:\n");
    if matches!(client.place, Place::OwnFiles { .. }) {
        text.push_str(
            "  what the assistant gives its hooks: prompts, calls, inputs, outputs, the working directory\n",
        );
    }
    for setting in settings.iter().filter(|setting| !setting.exposes.is_empty()) {
        let _ = writeln!(text, "  {:<52} {}", setting.path.join("."), setting.exposes);
    }
    text.push_str(&ways(client, settings));
    text.push_str(&elsewhere(client, to));
    text.push_str(&readers(client, to));
    for note in client.notes {
        let _ = writeln!(text, "Note: {note}");
    }
    text
}

/// How to leave a session out, and how not.
fn ways(client: &Client, settings: &[Setting]) -> String {
    // What settings say of a variable wins over the shell.
    let is_taken = matches!(client.place, Place::Json(_)) && settings.iter().any(Setting::says_whose);
    let is_in_vain = |way: &&&str| is_taken && way.starts_with(RESOURCE);
    let lines = |ways: Vec<&&str>| ways.iter().map(|way| format!("  {way}\n")).collect::<String>();
    let leave_out = client.leave_out.iter().filter(|way| !is_in_vain(way)).collect();
    let in_vain: Vec<_> = client.in_vain.iter().chain(client.leave_out.iter().filter(is_in_vain)).collect();
    let mut text = format!("\nTo leave a session out:\n{}", lines(leave_out));
    if !in_vain.is_empty() {
        let _ = write!(text, "This does not leave it out:\n{}", lines(in_vain));
    }
    let _ = match client.tried_with {
        "" => writeln!(text, "Not tried: it does not run without an account, or not here."),
        version => writeln!(text, "Tried with {version}."),
    };
    text
}

/// The settings as they stand in the client's own format.
fn block(client: &Client, settings: &[Setting], to: &To<'_>) -> String {
    match client.place {
        Place::OwnFiles { content, .. } => content(to),
        Place::Environment(_) => {
            let lines = settings.iter().filter_map(|setting| Some((setting.path.first()?, &setting.value)));
            lines.map(|(name, value)| format!("export {}\n", line_of(name, value))).collect()
        }
        Place::Json(_) | Place::Toml(_) | Place::Yaml(_) => {
            file::merged(client, settings, "").unwrap_or_default()
        }
    }
}

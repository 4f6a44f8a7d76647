//! `skillspan connect`: shows what makes an assistant export to us, writes it, or takes it back.
//!
//! | file | holds |
//! |---|---|
//! | `catalogue.rs` | the assistants and their settings |
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

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;

use self::catalogue::{CLIENTS, Client, Place, Setting};
use self::document::line_of;
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
    let settings = (client.settings)(endpoint);
    if !arguments.write && !arguments.remove {
        return print(&show(client, &settings, endpoint));
    }
    let path = file_of(client, arguments.file.clone())?;
    let done = match (client.place, arguments.write) {
        (Place::OwnFiles { names, content, executable, .. }, write) => {
            let content = content(endpoint);
            let paths: Vec<PathBuf> = names.iter().map(|name| path.join(name)).collect();
            match write {
                true => file::write_own(&paths, &content, executable).or_fail()?,
                false => file::remove_own(&paths).or_fail()?,
            }
        }
        (_, true) => file::write(client, &settings, &path, arguments.replace).or_fail()?,
        (_, false) => file::remove(client, &settings, &path).or_fail()?,
    };
    print(&format!("{done}\n"))
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

fn show(client: &Client, settings: &[Setting], endpoint: &str) -> String {
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
    text.push_str(&block(client, settings, endpoint));
    text.push_str("\nWhat it exposes:\n");
    if matches!(client.place, Place::OwnFiles { .. }) {
        text.push_str(
            "  what the assistant gives its hooks: prompts, calls, inputs, outputs, the working directory\n",
        );
    }
    for setting in settings.iter().filter(|setting| !setting.exposes.is_empty()) {
        let _ = writeln!(text, "  {:<52} {}", setting.path.join("."), setting.exposes);
    }
    let _ = writeln!(text, "\nTo leave a session out: {}", client.leave_out);
    for note in client.notes {
        let _ = writeln!(text, "Note: {note}");
    }
    text
}

/// The settings as they stand in the client's own format.
fn block(client: &Client, settings: &[Setting], endpoint: &str) -> String {
    match client.place {
        Place::OwnFiles { content, .. } => content(endpoint),
        Place::Environment(_) => {
            let lines = settings.iter().filter_map(|setting| Some((setting.path.first()?, &setting.value)));
            lines.map(|(name, value)| format!("export {}\n", line_of(name, value))).collect()
        }
        Place::Json(_) | Place::Toml(_) | Place::Yaml(_) => {
            file::merged(client, settings, "").unwrap_or_default()
        }
    }
}

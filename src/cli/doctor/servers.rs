//! The MCP servers in assistants' settings: whether each can start, and whether a console would answer it.

use std::fs;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use super::Findings;
use super::collector::Here;
use crate::cli::connect::on_path;
use crate::cli::mcp::check_console;

/// A console answers sooner.
const PATIENCE: Duration = Duration::from_secs(3);

/// Looks at the command of an assistant: the program, and what follows.
pub(super) fn look(name: &'static str, words: &[String], here: &Here, found: &mut Findings) {
    match trouble(words, here) {
        Ok(at) => found.ok(name, format!("it can ask ({at})")),
        Err(what) => {
            let todo = format!(
                "{} writes it anew; --console and --token-file name another console",
                here.connect_server(name)
            );
            found.broken(name, format!("what it is told to ask with does not work: {what}"), todo);
        }
    }
}

/// Where it asks, or what is wrong.
fn trouble(words: &[String], here: &Here) -> Result<String, String> {
    let program = words.first().map(String::as_str).unwrap_or_default();
    let is_there = match program.contains('/') {
        true => fs::metadata(program).is_ok_and(|about| about.is_file()),
        false => on_path(program).is_some(),
    };
    if !is_there {
        return Err(format!("there is no program `{program}`"));
    }
    let after = |option: &str| {
        let at = words.iter().position(|word| word == option)?;
        words.get(at + 1).map(String::as_str)
    };
    let (console, token) = (after("--console"), after("--token-file"));
    if let Some(path) = token {
        match fs::read_to_string(Path::new(path)) {
            Err(error) => return Err(format!("the token in {path} cannot be read: {error}")),
            Ok(text) if text.trim().is_empty() => return Err(format!("{path} holds no token")),
            Ok(_) => {}
        }
    }
    check_console(console, token.is_some()).map_err(|failure| failure.to_string())?;
    match (console, here.console) {
        (Some(console), _) => answers(console).map(|()| console.to_owned()),
        (None, _) if !here.has_console => {
            Err("extensions.console.enabled is false: nobody answers".to_owned())
        }
        (None, Some(console)) => Err(format!(
            "it asks the console in its usual place, and that of this configuration is at {console}"
        )),
        (None, None) => Ok("this machine's console".to_owned()),
    }
}

/// Whether something listens at a console's address.
fn answers(console: &str) -> Result<(), String> {
    let unknown = || format!("no machine is known by the name in {console}");
    let uri = console.parse::<http::Uri>().map_err(|_| unknown())?;
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    let mut addresses = (host.as_str(), port).to_socket_addrs().map_err(|_| unknown())?;
    match addresses.any(|address| TcpStream::connect_timeout(&address, PATIENCE).is_ok()) {
        true => Ok(()),
        false => Err(format!("nothing listens at {console}")),
    }
}

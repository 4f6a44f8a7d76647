//! The settings of a client, as they are written.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::env_files::Beside;
use crate::cli::connect::change::file_of;
use crate::cli::connect::client::{Client, SettingsLocation};
use crate::cli::connect::document::Document;
use crate::cli::connect::{file, store};
use crate::event::capture;

/// What is read: the settings, the variables beside them, and the environment.
pub(super) struct Written {
    settings: Option<Document>,
    pub(super) beside: Option<(Document, bool)>,
    path: Option<PathBuf>,
    /// Below which key of the settings variables stand.
    variables: Option<&'static str>,
    /// The variable without which the client sends nothing, and which its settings cannot hold.
    needs: &'static str,
    /// The client's name on the command line.
    pub(super) client: &'static str,
}

impl Written {
    pub(super) fn read(client: &Client, named: Option<&Path>) -> Result<Self, String> {
        let path = match (client.place, named) {
            (SettingsLocation::Environment(None), None) => None,
            _ => Some(file_of(client, named.map(Path::to_owned)).map_err(|failure| failure.to_string())?),
        };
        let document = |path: &Path, place| -> Result<Option<Document>, String> {
            let Some(text) = store::read(path).map_err(|error| error.to_string())? else { return Ok(None) };
            file::parse(place, &text).map(Some).map_err(|error| format!("{}: {error}", path.display()))
        };
        let settings = path.as_deref().map(|path| document(path, client.place)).transpose()?.flatten();
        let beside = match (Beside::of(client), &path) {
            (Some(beside), Some(path)) => {
                document(&beside.file(path), beside.place())?.map(|document| (document, beside.wins))
            }
            _ => None,
        };
        let variables = (client.name == "claude-code").then_some("env");
        Ok(Self { settings, beside, path, variables, needs: client.needs, client: client.name })
    }

    /// A setting as text; `None` if it is not there.
    pub(super) fn get(&self, path: &[&str]) -> Option<String> {
        match self.settings.as_ref()?.get(path)? {
            Value::String(text) => Some(text),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    /// A variable as the client sees it.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let in_settings = || match self.variables {
            Some(key) => self.get(&[key, name]),
            None => self.get(&[name]),
        };
        let of_shell = || std::env::var(name).ok();
        let beside = || self.beside.as_ref().and_then(|(document, _)| text_of(document.get(&[name])?));
        let beside_wins = self.beside.as_ref().is_some_and(|(_, wins)| *wins);
        let found = match beside_wins {
            true => beside().or_else(of_shell),
            false => in_settings().or_else(of_shell).or_else(beside),
        };
        found.filter(|value| !value.is_empty())
    }

    pub(super) fn is_on(&self, path: &[&str]) -> bool {
        self.get(path).is_some_and(|value| capture::read(&value) == Some(true))
    }

    pub(super) fn needs(&self, path: &[&str]) -> Result<(), String> {
        if self.is_on(path) { Ok(()) } else { Err(self.missing(&path.join("."))) }
    }

    pub(super) fn missing(&self, name: &str) -> String {
        if self.needs == name {
            return format!(
                "it sends nothing where {name} is not set, as in this shell; no file of its own can set it, so set it \
                 where it is started, and check there"
            );
        }
        format!("{} does not set {name}; `skillspan connect {}` says how", self.place(), self.client)
    }

    /// Where its settings stand.
    pub(super) fn place(&self) -> String {
        match &self.path {
            Some(path) => path.display().to_string(),
            None => "the environment of this shell".to_owned(),
        }
    }

    /// Codex, set up by hand.
    pub(super) fn exports_spans_by_grpc(&self) -> bool {
        self.get(&["otel", "trace_exporter", "otlp-grpc", "endpoint"]).is_some()
    }
}

fn text_of(value: Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A switch is on, or names where texts go.
pub(super) fn says_content(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    capture::read(&value) == Some(true) || value.contains("span") || value.contains("event")
}

//! Files of variables that an assistant reads beside its settings.
//!
//! The settings of some assistants have no place for a token or a person, but they read a file of variables from
//! their own folder. Each was tried with the client (`tests/live/opt-outs.txt`).

use std::path::PathBuf;

use super::client::{Client, SettingsLocation};
use super::settings::{RESOURCE, Setting, To, set};

/// A file of variables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside {
    /// Its path below the home directory.
    pub(super) path: &'static str,
    /// What it says wins over the shell: then the shell leaves no session out.
    pub(super) wins: bool,
    /// Whether the token goes there, and not into the settings.
    pub(super) has_token: bool,
    /// The client takes what stands there as it is, and decodes nothing.
    is_raw: bool,
}

impl Beside {
    /// The file of a client; `None` if there is none.
    pub(super) fn of(client: &Client) -> Option<Self> {
        let shell_wins = |path| Self { path, wins: false, has_token: true, is_raw: false };
        match client.name {
            "codex" => Some(Self { path: ".codex/.env", wins: true, has_token: false, is_raw: true }),
            "gemini-cli" => Some(shell_wins(".gemini/.env")),
            "qwen" => Some(shell_wins(".qwen/.env")),
            _ => None,
        }
    }

    pub(super) fn place(self) -> SettingsLocation {
        SettingsLocation::Environment(Some(self.path))
    }

    /// Next to the file of settings, which may not be in its usual place.
    pub(super) fn file(self, settings: &std::path::Path) -> PathBuf {
        settings.with_file_name(".env")
    }

    /// What it holds.
    pub(super) fn settings(self, to: &To<'_>) -> Vec<Setting> {
        let whose = if self.is_raw { to.resource_attributes_as_they_are() } else { to.resource_attributes() };
        let whose = whose.map(|whose| set(&[RESOURCE], whose, ""));
        let headers = to.headers().filter(|_| self.has_token);
        let headers = headers.map(|headers| set(&[super::settings::HEADERS], headers, ""));
        whose.into_iter().chain(headers).collect()
    }
}

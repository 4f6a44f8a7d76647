//! A client: which settings it needs, and where they are.

use super::settings::{Setting, To};

/// What can be connected.
#[derive(Debug)]
pub(super) struct Client {
    /// Its name on the command line.
    pub(super) name: &'static str,
    /// What it is.
    pub(super) title: &'static str,
    /// The version whose sessions were recorded with these settings, or where they are from.
    pub(super) known_from: &'static str,
    /// Where its settings are.
    pub(super) place: SettingsLocation,
    /// The settings, for where it is to send and as whom.
    pub(super) settings: fn(to: &To<'_>) -> Vec<Setting>,
    /// Whether its settings say whose the sessions are; else only its environment can.
    pub(super) says_whose: bool,
    /// Who can read the token that its settings hold; `""` if they have no place for one.
    pub(super) token: &'static str,
    /// The variable without which it sends nothing, whatever its settings say; `""` if there is none.
    pub(super) needs: &'static str,
    /// How to leave one session out: command lines, variables and files.
    pub(super) leave_out: &'static [&'static str],
    /// What looks as if it left a session out and does not, with these settings.
    pub(super) in_vain: &'static [&'static str],
    /// The version with which that was tried; `""` if it cannot be run here.
    pub(super) tried_with: &'static str,
    /// What else to know, a line each.
    pub(super) notes: &'static [&'static str],
}

/// Who can read the token of hooks.
pub(super) const FOR_HOOKS: &str =
    "you, and what runs as you, in a file of its own, which the hook's command line names";

/// Where a client's settings are.
#[derive(Debug, Clone, Copy)]
pub(super) enum SettingsLocation {
    /// A JSON file, by its path below the home directory.
    Json(&'static str),
    /// A TOML file.
    Toml(&'static str),
    /// Environment variables; the file, if the client has one for them.
    Environment(Option<&'static str>),
    /// A YAML file, to which our settings are one block.
    Yaml(&'static str),
    /// Files that are ours alone, each with the same content.
    OwnFiles {
        /// The folder, by its path below the home directory.
        folder: &'static str,
        /// Their names.
        names: &'static [&'static str],
        /// What they hold.
        content: fn(to: &To<'_>) -> String,
        /// Whether the client executes them.
        executable: bool,
    },
}

impl SettingsLocation {
    /// The path below the home directory; of files that are ours alone, their folder.
    pub(super) const fn below_home(&self) -> Option<&'static str> {
        match self {
            Self::Json(path) | Self::Toml(path) | Self::Yaml(path) => Some(path),
            Self::OwnFiles { folder, .. } => Some(folder),
            Self::Environment(path) => *path,
        }
    }
}

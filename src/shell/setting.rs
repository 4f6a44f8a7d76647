//! Settings: where and under which conditions a command is run.
//!
//! `RAILS_ENV=test rails db:migrate` does not do what `rails db:migrate` does. A variable that is set
//! for a command is thus part of what was done, but for those that only change how much is printed or
//! whether questions are asked, and those that only say where programs lie on one machine. So is the
//! folder that a line enters first, unless it is the machine's own (an absolute path). A run without
//! that folder is no other command: the assistant's shell may stand there already. `sudo` is told
//! where most runs have it, what puts a command into an environment (`mise exec --`) where all do.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::parse::Word;

/// Variables that change how much is printed, how it looks, whether questions are asked or how many work
/// at once, or that are another on each machine by nature: what is done stays the same.
pub(super) const MANNER_VARIABLES: &[&str] = &[
    "ANSIBLE_FORCE_COLOR",
    "ANSIBLE_NOCOWS",
    "AWS_PAGER",
    "BAT_PAGER",
    "BUILDKIT_PROGRESS",
    "CARGO_BUILD_JOBS",
    "CARGO_TERM_COLOR",
    "CARGO_TERM_PROGRESS_WHEN",
    "CARGO_TERM_VERBOSE",
    "CI",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "CMAKE_BUILD_PARALLEL_LEVEL",
    "CMAKE_COLOR_DIAGNOSTICS",
    "COLORTERM",
    "COLUMNS",
    "COMPOSE_ANSI",
    "COMPOSE_PROGRESS",
    "DEBIAN_FRONTEND",
    "DISPLAY",
    "DOCKER_CLI_HINTS",
    "DOTNET_CLI_TELEMETRY_OPTOUT",
    "DOTNET_NOLOGO",
    "DO_NOT_TRACK",
    "EDITOR",
    "FORCE_COLOR",
    "GCC_COLORS",
    "GH_PAGER",
    "GH_PROMPT_DISABLED",
    "GIT_EDITOR",
    "GIT_PAGER",
    "GIT_TERMINAL_PROMPT",
    "HOME",
    "HOMEBREW_NO_AUTO_UPDATE",
    "LANG",
    "LANGUAGE",
    "LESS",
    "LINES",
    "LOGLEVEL",
    "LOG_LEVEL",
    "MANPAGER",
    "NEXT_TELEMETRY_DISABLED",
    "NO_COLOR",
    "NPM_CONFIG_LOGLEVEL",
    "OLDPWD",
    "PAGER",
    "PIP_DISABLE_PIP_VERSION_CHECK",
    "PIP_NO_INPUT",
    "PIP_PROGRESS_BAR",
    "PWD",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONIOENCODING",
    "PYTHONUNBUFFERED",
    "PYTHONWARNINGS",
    "PY_COLORS",
    "RUST_BACKTRACE",
    "RUST_LIB_BACKTRACE",
    "RUST_LOG",
    "SHELL",
    "SYSTEMD_PAGER",
    "TEMP",
    "TERM",
    "TF_INPUT",
    "TF_IN_AUTOMATION",
    "TF_LOG",
    "TMP",
    "TMPDIR",
    "USER",
    "VERBOSE",
    "VISUAL",
];

/// How the names of variables end that say where something lies.
const PLACES: &[&str] = &["CACHE", "DIR", "HOME", "PATH", "PREFIX", "ROOT", "VIRTUAL_ENV"];

/// How the parts of names end that hold a credential.
const SECRET_PARTS: &[&str] = &[
    "auth",
    "cookie",
    "cred",
    "credential",
    "credentials",
    "creds",
    "key",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "pat",
    "pin",
    "pwd",
    "secret",
    "token",
];

/// Under which conditions a command is run: `cd web && sudo -u app NODE_ENV=test`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Setting {
    /// The variables that decide, by name.
    pub(crate) variables: Vec<Word>,
    /// The folder, from where the line begins.
    pub(crate) directory: Option<String>,
    /// `sudo`, with the user if one is named.
    pub(crate) privilege: Option<String>,
    /// What puts the command into an environment: `mise exec --`.
    pub(crate) wrapper: Option<String>,
}

impl Setting {
    /// With one more variable, in place of an earlier one of that name; one that decides nothing is
    /// left out.
    pub(crate) fn set(&mut self, variable: Word) {
        let variable = without_secret(variable);
        if decides(&variable) {
            self.variables.retain(|other| name(other) != name(&variable));
            self.variables.push(variable);
            self.variables.sort();
        }
    }

    /// Enters a folder; one that is not told from where the line began is forgotten.
    pub(crate) fn enter(&mut self, folder: &str) {
        let plain = |char: char| char.is_alphanumeric() || "-_./@+".contains(char);
        let is_told = folder.chars().all(plain) && !folder.starts_with(['/', '-']);
        let mut parts: Vec<&str> = self.directory.iter().flat_map(|known| known.split('/')).collect();
        for part in folder.split('/').filter(|part| !part.is_empty() && *part != ".") {
            if part != ".." || matches!(parts.last(), None | Some(&"..")) {
                parts.push(part);
            } else {
                parts.pop();
            }
        }
        let is_below = !parts.is_empty() && parts.first() != Some(&"..");
        self.directory = (is_told && !folder.is_empty() && is_below).then(|| parts.join("/"));
    }

    /// The setting without what only puts the command into an environment.
    pub(crate) fn unwrapped(&self) -> Self {
        Self { wrapper: None, ..self.clone() }
    }

    /// Whether it can stand in an instruction: nothing to expand, and nothing secret by its name.
    pub(crate) fn is_literal(&self) -> bool {
        self.variables
            .iter()
            .all(|variable| is_withheld(variable) || !variable.raw.contains(['$', '`', '\n', '<', '>', '\\']))
    }

    /// The variables that hold a secret, by name.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        self.variables.iter().filter(|variable| is_withheld(variable)).map(name).collect()
    }

    /// The setting without what holds a secret.
    pub(crate) fn without_secrets(&self) -> Self {
        let variables = self.variables.iter().filter(|variable| !is_withheld(variable)).cloned().collect();
        Self { variables, ..self.clone() }
    }

    /// Whether a run under the other setting does what a run under this one does.
    pub(crate) fn admits(&self, other: &Self) -> bool {
        let elsewhere = self.directory.is_some() && other.directory.is_some();
        self.variables == other.variables && !(elsewhere && self.directory != other.directory)
    }
}

impl fmt::Display for Setting {
    /// What stands before the command, with a space behind it; nothing where nothing is set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(directory) = &self.directory {
            write!(f, "cd {directory} && ")?;
        }
        // `A=b sudo make` would not hand the variable on.
        if let Some(privilege) = &self.privilege {
            write!(f, "{privilege} ")?;
        }
        self.variables.iter().try_for_each(|variable| write!(f, "{} ", variable.raw))?;
        self.wrapper.iter().try_for_each(|wrapper| write!(f, "{wrapper} "))
    }
}

/// `NAME=value`.
pub(crate) fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        name.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
            && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
    })
}

/// What stands for the value of a variable that holds a secret.
const SECRET: &str = "{secret}";

/// The variable; its value is left out where its name says that it is secret, or where it was redacted.
fn without_secret(variable: Word) -> Word {
    let is_redacted = variable.value.contains("[redacted:");
    if !is_redacted && !is_secret(name(&variable)) {
        return variable;
    }
    let text = format!("{}={SECRET}", name(&variable));
    Word { raw: text.clone(), value: text }
}

fn is_withheld(variable: &Word) -> bool {
    variable.value.split_once('=').is_some_and(|(_, value)| value == SECRET)
}

fn name(variable: &Word) -> &str {
    variable.value.split_once('=').map_or("", |(name, _)| name)
}

/// Whether a variable decides what a command does.
fn decides(variable: &Word) -> bool {
    let (name, value) = variable.value.split_once('=').unwrap_or_default();
    let is_of_locale = name.starts_with("LC_");
    // Where something lies on one machine says nothing to others.
    let lies = PLACES.iter().any(|place| name.ends_with(place)) && value.starts_with(['/', '~', '$']);
    !(is_of_locale || lies || MANNER_VARIABLES.contains(&name))
}

/// Whether a variable of this name holds a credential, as far as names tell.
fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    name.split('_').any(|part| SECRET_PARTS.iter().any(|secret| part.ends_with(secret)))
}

#[cfg(test)]
mod tests {
    use crate::shell::command::{program_of, single};

    fn told(line: &str) -> String {
        single(line).unwrap().setting().to_string()
    }

    #[test]
    fn a_variable_decides_unless_it_changes_only_what_is_printed_or_asked() {
        for line in [
            "CI=1 make a",
            "NO_COLOR=1 LC_ALL=C make a",
            "PATH=$HOME/bin:$PATH make a",
            "JAVA_HOME=/usr/lib/jvm/21 make a",
        ] {
            assert_eq!(told(line), "", "{line}");
        }
        assert_eq!(told("B=2 CI=1 A=1 make a"), "A=1 B=2 ");
        assert_eq!(told("PYTHONPATH=src make a"), "PYTHONPATH=src ");
        assert_eq!(told("A=1 sudo -u app -E env B=2 make a"), "sudo -u app A=1 B=2 ");
        assert_eq!(told("export A=1 && make a"), "A=1 ");
    }

    #[test]
    fn a_line_runs_the_program_behind_its_setting() {
        for line in ["make a", "cd web && make a", "sudo -u app make a", "A='b c' make a", "make"] {
            assert_eq!(program_of(line), "make", "{line}");
        }
    }

    #[test]
    fn a_folder_is_told_unless_it_is_the_machines_own() {
        for (line, directory) in [
            ("cd web && make a", "cd web && "),
            ("cd web/ && cd ./api && make a", "cd web/api && "),
            ("cd web && cd .. && make a", ""),
            ("cd .. && make a", ""),
            ("cd /srv/app && make a", ""),
            ("cd /srv/app && cd web && make a", "cd web && "),
            ("cd ~/app && make a", ""),
            ("cd \"$(git rev-parse --show-toplevel)\" && make a", ""),
            ("cd web && cd - && make a", ""),
            ("(cd web && true); make a", ""),
            ("(cd web && (cd api); make a)", "cd web && "),
        ] {
            assert_eq!(
                super::super::command::commands(line).last().unwrap().command.setting().to_string(),
                directory,
                "{line}"
            );
        }
    }

    #[test]
    fn what_cannot_be_told_stands_in_no_instruction_and_a_secret_by_its_name_alone() {
        assert!(!single("A=$B make a").unwrap().is_literal());
        for name in ["GITHUB_TOKEN", "MYSQL_PWD", "API_KEY"] {
            let command = single(&format!("{name}=abc make a")).unwrap();
            assert_eq!(command.text(), format!("{name}={{secret}} make a"));
            assert_eq!(command.setting().secrets(), [name]);
            assert!(command.is_literal());
        }
        assert!(single("KEYBOARD=de PASSES=2 make a").unwrap().is_literal());
    }
}

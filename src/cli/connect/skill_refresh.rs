//! Makes an assistant look for new skills when a session begins: `skillspan skills update --quiet` returns at once and prints
//! nothing.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::assistants::ASSISTANTS;
use super::client::SettingsLocation;
use super::file;
use super::file::paths;
use super::settings::{Setting, To, add, set};
use crate::cli::folders::home;
use crate::cli::{Failure, OrFail};
const WORDS: &str = "skillspan skills update --quiet";
/// Seconds.
const TIMEOUT: u64 = 10;

/// Where an assistant is told to run it.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Fresh {
    place: SettingsLocation,
    settings: fn() -> Vec<Setting>,
}

impl Fresh {
    /// For assistants that run a command when a session begins.
    pub(in crate::cli) fn of(assistant: &str) -> Option<Self> {
        let own = |folder, names: &'static [&'static str], content| Self {
            place: SettingsLocation::OwnFiles { folder, names, content, executable: false },
            settings: Vec::new,
        };
        match assistant {
            "claude-code" => {
                Some(Self { place: SettingsLocation::Json(".claude/settings.json"), settings: nested })
            }
            "gemini-cli" => {
                Some(Self { place: SettingsLocation::Json(".gemini/settings.json"), settings: nested_in_ms })
            }
            "qwen" => {
                Some(Self { place: SettingsLocation::Json(".qwen/settings.json"), settings: nested_in_ms })
            }
            "cursor" => Some(Self { place: SettingsLocation::Json(".cursor/hooks.json"), settings: cursor }),
            "copilot" => Some(own(".copilot/hooks", &["skillspan-skills.json"], copilot)),
            "pi" => Some(own(".pi/agent/extensions", &["skillspan-skills.ts"], pi)),
            _ => None,
        }
    }

    fn path(self) -> Option<PathBuf> {
        Some(home()?.join(self.place.below_home()?))
    }

    /// Writes it; says what was done.
    pub(in crate::cli) fn write(self) -> Result<String, Failure> {
        let Some(path) = self.path() else { return Ok(String::new()) };
        match self.place {
            SettingsLocation::OwnFiles { names, content, executable, .. } => {
                file::write_own(&paths(&path, names), &content(&To::nobody()), executable).or_fail()
            }
            place => file::write(place, &(self.settings)(), &path, false).or_fail(),
        }
    }

    /// Takes it away again; says what was done, `None` if nothing was there.
    pub(in crate::cli) fn remove(self) -> Result<Option<String>, Failure> {
        let Some(path) = self.path() else { return Ok(None) };
        let removed = match self.place {
            SettingsLocation::OwnFiles { names, .. } => file::remove_own(&paths(&path, names)).or_fail()?,
            place => {
                let others =
                    super::CLIENTS.iter().filter(|client| client.place.below_home() == place.below_home());
                let others = others.map(|client| (client.settings)(&To::nobody()));
                let others: Vec<_> = others.chain(super::mcp_entries::settings_in(place)).collect();
                file::remove(place, &(self.settings)(), &path, &others).or_fail()?
            }
        };
        Ok(Some(removed.said).filter(|_| removed.any))
    }
}

/// The settings that tell an assistant so in the file at this place, if any.
pub(super) fn settings_in(place: SettingsLocation) -> Option<Vec<Setting>> {
    let mut all = ASSISTANTS.iter().filter_map(|assistant| Fresh::of(assistant.name));
    let fresh = all.find(|fresh| fresh.place.below_home() == place.below_home())?;
    Some((fresh.settings)())
}

fn nested_with(timeout: u64) -> Vec<Setting> {
    let hook = json!({"hooks": [{"type": "command", "command": WORDS, "timeout": timeout}]});
    vec![add(&["hooks", "SessionStart"], hook, "")]
}

fn nested() -> Vec<Setting> {
    nested_with(TIMEOUT)
}

fn nested_in_ms() -> Vec<Setting> {
    nested_with(TIMEOUT * 1000)
}

fn cursor() -> Vec<Setting> {
    let hook = json!({"command": WORDS, "timeout": TIMEOUT, "type": "command"});
    vec![set(&["version"], 1, ""), add(&["hooks", "sessionStart"], hook, "")]
}

fn copilot(_: &To<'_>) -> String {
    let hook = json!([{"type": "command", "bash": WORDS, "timeoutSec": TIMEOUT}]);
    format!("{:#}\n", json!({"version": 1, "hooks": {"sessionStart": hook}}))
}

fn pi(_: &To<'_>) -> String {
    let words: Vec<String> = WORDS.split(' ').skip(1).map(|word| Value::from(word).to_string()).collect();
    format!(
        r#"// Written by skillspan skills install.
import {{ spawn }} from "node:child_process";

export default function (pi) {{
  pi.on("session_start", () => {{
    const child = spawn("skillspan", [{}], {{ stdio: "ignore", detached: true }});
    child.on("error", () => {{}});
    child.unref();
  }});
}}
"#,
        words.join(", ")
    )
}

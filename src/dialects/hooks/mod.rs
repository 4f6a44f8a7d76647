//! Hooks: what assistants give, as one JSON object an event, to a command that they run.
//!
//! A hook's object reaches a dialect as a log record of scope `skillspan.hooks.<assistant>` whose
//! attributes are the object's fields (`receivers/hooks`). Hooks come before and after what they
//! tell of, so one fact has several observations; the one that knows more has the higher rank.
//!
//! | file | assistant | known from |
//! |---|---|---|
//! | `claude.rs` | Claude Code, and whoever copied its hooks | sessions of the real client |
//! | `cline.rs` | Cline | a recorded session |
//! | `copilot.rs` | GitHub Copilot, command line | a recorded session |
//! | `cursor.rs` | Cursor | its documentation |
//! | `hermes.rs` | Hermes Agent | a recorded session |
//! | `pi.rs` | pi | a recorded session |
//! | `fields.rs` | | how fields within fields are read |
//!
//! No assistant says the time in all of its hooks: what `skillspan hook` saw on its clock is the
//! record's time.

mod claude;
mod cline;
mod copilot;
mod cursor;
mod fields;
mod hermes;
mod pi;

use super::{Dialect, Mapping, Record};

/// The scope of an assistant's hooks ends with its name.
const SCOPE: &str = "skillspan.hooks.";

/// Ranks: a later hook knows the result of a call, an earlier one only announces it.
const AFTER: i64 = 2;
const BEFORE: i64 = 1;

/// The hooks of one assistant.
#[derive(Debug)]
pub struct Hooks {
    /// The assistant's name in the path of the door and on the command line.
    pub assistant: &'static str,
    /// What the assistant calls itself as `service.name`.
    pub service: &'static str,
    /// The name in the `dialect` column.
    name: &'static str,
    map: fn(&Record<'_>) -> Mapping,
}

/// Every assistant whose hooks are understood.
pub static HOOKS: [Hooks; 6] = [
    Hooks { assistant: "claude", service: "claude-code", name: "claude-code-hooks", map: claude::map },
    Hooks { assistant: "cline", service: "cline", name: "cline-hooks", map: cline::map },
    Hooks { assistant: "copilot", service: "github-copilot", name: "copilot-hooks", map: copilot::map },
    Hooks { assistant: "cursor", service: "cursor", name: "cursor-hooks", map: cursor::map },
    Hooks { assistant: "hermes", service: "hermes", name: "hermes-hooks", map: hermes::map },
    Hooks { assistant: "pi", service: "pi", name: "pi-hooks", map: pi::map },
];

impl Hooks {
    /// The hooks of the assistant of the given name.
    pub fn of(assistant: &str) -> Option<&'static Self> {
        HOOKS.iter().find(|hooks| hooks.assistant == assistant)
    }

    /// The scope of its records.
    pub fn scope(&self) -> String {
        format!("{SCOPE}{}", self.assistant)
    }
}

impl Dialect for &'static Hooks {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        record.as_log().is_some() && record.scope_name().strip_prefix(SCOPE) == Some(self.assistant)
    }

    fn map(&self, record: &Record<'_>) -> Mapping {
        (self.map)(record)
    }
}

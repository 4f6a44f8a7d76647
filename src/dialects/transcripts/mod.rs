//! Transcripts: the files in which assistants keep their sessions.
//!
//! A file is read from its beginning, value by value, by a [`Reader`] of its client, because a line means
//! little without those before it: which session, which turn, which call a result is of. What the reader tells
//! travels as a log record of scope `skillspan.transcripts.<assistant>` whose attribute `events` holds
//! it, so that it takes the way of every other record: through a collector or straight into the journal,
//! and through the same processors. The dialect reads it back, and is a pure function of the record.
//!
//! | file | assistant | known from |
//! |---|---|---|
//! | `claude.rs` | Claude Code | files of the real client |
//! | `cline.rs` | Cline, Roo Code and Kilo Code | files of the real command line; the editors' from their documentation |
//! | `codex.rs`, `codex_items.rs`, `codex_usage.rs` | Codex, in its three forms | files of the real client; its source |
//! | `gemini.rs` | Gemini CLI, and Qwen Code's records | files of the real client |
//! | `copilot.rs` | Copilot, command line | files of the real client |
//! | `cursor.rs` | Cursor: its editor, its agent on the command line | public parsers |
//! | `goose.rs` | Goose | its public source |
//! | `hermes.rs` | Hermes Agent | a database of the real client |
//! | `opencode.rs` | OpenCode: its database, its older tree, its exports | a database of the real client |
//! | `pi.rs` | pi, and OpenClaw, which has the same form | files of the real clients |
//! | `vscode.rs` | GitHub Copilot's chat in VS Code | public source and parsers |
//! | `talk.rs` | what readers share: where in a session they are, calls that wait for their results, texts in blocks |
//! | `wire.rs` | events as attributes, and back |
//!
//! Invariants: a reader does no I/O and knows no clock; it holds the calls that have no result yet and nothing
//! else that grows with the file; whatever the values hold, it tells less and never fails; what it tells of the
//! first values does not depend on those that follow, except for what [`Reader::end`] tells.

mod claude;
mod cline;
mod codex;
mod codex_items;
mod codex_usage;
mod copilot;
mod cursor;
mod gemini;
mod goose;
mod hermes;
mod opencode;
mod pi;
mod talk;
mod vscode;
mod wire;

use serde_json::Value;

use super::{Dialect, Mapping, Record};
use crate::event::{Kind, SessionEvent, Timestamp};

pub use talk::percent_decoded;
pub use wire::to_log;

/// The scope of an assistant's transcripts ends with its name.
const SCOPE: &str = "skillspan.transcripts.";
const USER: &[&str] = &["enduser.id", "user.email", "user.name"];

/// What a file knows of a fact that no telemetry states better.
const RANK: i64 = 6;

/// What a reader tells of one fact: one event, or a call with its result.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// What the client calls the place that it is from, the same in every copy; `""` if nothing is the same.
    pub origin: String,
    /// One event or several that only together are judged rightly.
    pub events: Vec<SessionEvent>,
}

/// Reads the values of one file, in order.
pub trait Reader: Send {
    /// One value.
    fn read(&mut self, value: Value, told: &mut Vec<Told>);

    /// The end of the file for now: also passes on what still waits for a line that has not come.
    fn end(&mut self, told: &mut Vec<Told>);

    /// The working directory of the session, as far as it is known.
    fn folder(&self) -> &str;

    /// The repository's URL, where the file says it.
    fn repository(&self) -> &str {
        ""
    }
}

/// What the path of a file tells about its session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Its name without what stands behind the first full stop.
    pub name: String,
    /// The name of the folder that it is in.
    pub folder: String,
    /// A working directory, where only the place tells it.
    pub cwd: String,
    /// When the file was written last, for files that know no time.
    pub written: Timestamp,
}

/// How the values of a file stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One a line.
    Lines,
    /// The file is one value.
    Whole,
    /// The file is a database: a value is a row, `{"row": table, column: value, …}`.
    Rows,
    /// A file for each message and each of its parts: a value is one, `{"row": what it is, "id": …, "data": …}`.
    Tree,
}

/// The transcripts of one assistant.
#[derive(Debug)]
pub struct Transcripts {
    /// The assistant's name on the command line.
    pub assistant: &'static str,
    /// How it is called where people read it.
    pub title: &'static str,
    /// What it calls itself as `service.name`.
    pub service: &'static str,
    /// The value of the column `assistant`.
    column: &'static str,
    /// The name in the `dialect` column; it ends with [`crate::event::OF_FILES`].
    name: &'static str,
    reader: fn(Place) -> Box<dyn Reader>,
}

/// Every assistant whose files are understood.
pub static TRANSCRIPTS: [Transcripts; 13] = [
    Transcripts {
        assistant: "claude",
        title: "Claude Code",
        service: "claude-code",
        column: "claude-code",
        name: "claude-code-transcript",
        reader: |place| Box::new(claude::Claude::new(place)),
    },
    Transcripts {
        assistant: "codex",
        title: "Codex",
        service: "codex",
        column: "codex",
        name: "codex-transcript",
        reader: |place| Box::new(codex::Codex::new(place)),
    },
    Transcripts {
        assistant: "gemini",
        title: "Gemini CLI",
        service: "gemini-cli",
        column: "gemini-cli",
        name: "gemini-cli-transcript",
        reader: |place| Box::new(gemini::Gemini::new(place)),
    },
    Transcripts {
        assistant: "qwen",
        title: "Qwen Code",
        service: "qwen-code",
        column: "qwen",
        name: "qwen-transcript",
        reader: |place| Box::new(gemini::Gemini::of_qwen(place)),
    },
    Transcripts {
        assistant: "copilot",
        title: "Copilot CLI",
        service: "github-copilot",
        column: "copilot",
        name: "copilot-transcript",
        reader: |place| Box::new(copilot::Copilot::new(place)),
    },
    Transcripts {
        assistant: "pi",
        title: "pi",
        service: "pi",
        column: "pi",
        name: "pi-transcript",
        reader: |place| Box::new(pi::Pi::new(place)),
    },
    Transcripts {
        assistant: "cline",
        title: "Cline and Roo Code",
        service: "cline",
        column: "cline",
        name: "cline-transcript",
        reader: |place| Box::new(cline::Cline::new(place)),
    },
    Transcripts {
        assistant: "opencode",
        title: "OpenCode",
        service: "opencode",
        column: "opencode",
        name: "opencode-transcript",
        reader: |place| Box::new(opencode::OpenCode::new(place)),
    },
    Transcripts {
        assistant: "hermes",
        title: "Hermes Agent",
        service: "hermes",
        column: "hermes",
        name: "hermes-transcript",
        reader: |place| Box::new(hermes::Hermes::new(place)),
    },
    Transcripts {
        assistant: "cursor",
        title: "Cursor",
        service: "cursor",
        column: "cursor",
        name: "cursor-transcript",
        reader: |place| Box::new(cursor::Cursor::new(place)),
    },
    Transcripts {
        assistant: "goose",
        title: "Goose",
        service: "goose",
        column: "goose",
        name: "goose-transcript",
        reader: |place| Box::new(goose::Goose::new(place)),
    },
    Transcripts {
        assistant: "openclaw",
        title: "OpenClaw",
        service: "openclaw",
        column: "openclaw",
        name: "openclaw-transcript",
        reader: |place| Box::new(pi::Pi::of_openclaw(place)),
    },
    Transcripts {
        assistant: "vscode",
        title: "Copilot in VS Code",
        service: "copilot-chat",
        column: "copilot",
        name: "copilot-chat-transcript",
        reader: |place| Box::new(vscode::VsCode::new(place)),
    },
];

impl Transcripts {
    /// The transcripts of the assistant of the given name.
    pub fn of(assistant: &str) -> Option<&'static Self> {
        TRANSCRIPTS.iter().find(|known| known.assistant == assistant)
    }

    /// The scope of its records.
    pub fn scope(&self) -> String {
        format!("{SCOPE}{}", self.assistant)
    }

    /// A reader of one of its files.
    pub fn reader(&self, place: Place) -> Box<dyn Reader> {
        (self.reader)(place)
    }
}

impl Dialect for &'static Transcripts {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        record.as_log().is_some() && record.scope_name().strip_prefix(SCOPE) == Some(self.assistant)
    }

    fn map(&self, record: &Record<'_>) -> Mapping {
        let user = record.person(USER);
        let mut events = wire::events(record);
        if events.is_empty() {
            return Mapping::INCOMPLETE;
        }
        for event in &mut events {
            event.assistant = self.column.to_owned();
            event.user_id.clone_from(&user);
            if event.rank == 0 {
                event.rank = RANK;
            }
        }
        Mapping::Events(events)
    }
}

/// An event that starts a session, under the key by which telemetry of the client knows it.
fn start(key: &str, event: SessionEvent) -> SessionEvent {
    SessionEvent { kind: Kind::SessionStart, fact_key: key.to_owned(), ..event }
}

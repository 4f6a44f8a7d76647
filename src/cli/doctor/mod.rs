//! `skillspan doctor`: what is broken on this machine, and what to do about each.
//!
//! | file | looks at |
//! |---|---|
//! | `mod.rs` | the command, the configuration, the clock, what is printed |
//! | `service.rs` | the process, its ports, its console, its status |
//! | `places.rs` | folders and files: whose they are, who can read them, room on the disk |
//! | `collector.rs` | the collector that is checked |
//! | `assistants.rs` | the assistants of this machine: versions, connections, whether their records arrive |
//! | `versions.rs` | the versions that their programs report |
//! | `servers.rs` | the MCP servers in their settings |
//!
//! It changes nothing. It gives back at once every port that it tries, and it sends a collector only a test record, which is
//! not stored (`connect --check`).

mod assistants;
mod collector;
mod places;
mod servers;
mod service;
mod versions;

use std::fmt::Write;

use anyhow::anyhow;
use clap::Args;
use serde::Serialize;
use serde_json::json;

use self::collector::Here;
use super::{ConfigFile, Failure, OrFail, print, print_json, reasons};
use crate::event::{Timestamp, visible_line};
use crate::service::unusable_files;

/// Nothing of this program is older.
const BUILT_AFTER: &str = "2026-01-01T00:00:00Z";

#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 1 if something is broken. It changes nothing; it asks the assistants that it finds\n\
                        for their versions, and the collectors that they send to whether a test record arrives."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    /// As it should be.
    Ok,
    /// Worth to know.
    Note,
    /// Something does not work, or is open to others.
    Broken,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Finding {
    area: &'static str,
    level: Level,
    what: String,
    /// What to do; empty where nothing is.
    todo: String,
}

/// Everything that was found.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn ok(&mut self, area: &'static str, what: impl Into<String>) {
        self.0.push(Finding { area, level: Level::Ok, what: what.into(), todo: String::new() });
    }

    fn note(&mut self, area: &'static str, what: impl Into<String>, todo: impl Into<String>) {
        self.0.push(Finding { area, level: Level::Note, what: what.into(), todo: todo.into() });
    }

    fn broken(&mut self, area: &'static str, what: impl Into<String>, todo: impl Into<String>) {
        self.0.push(Finding { area, level: Level::Broken, what: what.into(), todo: todo.into() });
    }

    fn are_fine_in(&self, area: &str) -> bool {
        self.0.iter().all(|finding| finding.area != area || finding.level == Level::Ok)
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (mut found, mut here) = (Findings::default(), Here::default());
    match arguments.config.load() {
        Ok(settings) => {
            for warning in &settings.warnings {
                found.note("configuration", warning.clone(), "change it, or leave it if it is meant");
            }
            for unusable in unusable_files(&settings) {
                let todo =
                    "put the file there, or correct its path; `skillspan run` does not start without it";
                found.broken("configuration", unusable, todo);
            }
            if found.are_fine_in("configuration") {
                found.ok("configuration", "valid");
            }
            here = service::look(&settings, &mut found);
            places::look(&settings, &mut found);
        }
        Err(failure) => {
            let (Failure::Usage(error) | Failure::Failed(error)) = &failure;
            for line in reasons(error).lines() {
                found.broken("configuration", line, "correct it there; `skillspan validate` reads it again");
            }
        }
    }
    places::look_at_secrets(&mut found);
    clock(&mut found);
    assistants::look(&here, &mut found);
    let broken = found.0.iter().filter(|finding| finding.level == Level::Broken).count();
    if arguments.json {
        let object = json!({ "version": env!("CARGO_PKG_VERSION"), "broken": broken, "findings": found.0 });
        print_json(&format!("{}\n", serde_json::to_string_pretty(&object).or_fail()?))?;
    } else {
        print(&text(&found.0))?;
    }
    match broken {
        0 => Ok(()),
        1 => Err(Failure::Failed(anyhow!("1 thing is broken; see above"))),
        broken => Err(Failure::Failed(anyhow!("{broken} things are broken; see above"))),
    }
}

fn clock(found: &mut Findings) {
    let now = Timestamp::now();
    let is_old = Timestamp::parse_rfc3339(BUILT_AFTER).is_some_and(|built| now < built);
    let set = "set it (`timedatectl set-ntp true`): sessions are stored and removed by their time";
    if is_old {
        found.broken("clock", format!("it says {now}, which is before this program was made"), set);
    } else if let Some((path, at)) = places::newest(now) {
        let what = format!("it says {now}, and {} was written at {at}, which is later", path.display());
        found.broken("clock", what, set);
    } else {
        found.ok("clock", now.to_string());
    }
}

fn text(found: &[Finding]) -> String {
    let widest = found.iter().map(|finding| finding.area.len()).max().unwrap_or_default();
    let mut text = String::new();
    for Finding { area, level, what, todo } in found {
        let level = match level {
            Level::Ok => "ok",
            Level::Note => "note",
            Level::Broken => "BROKEN",
        };
        let _ = writeln!(text, "{level:<6}  {area:<widest$}  {}", visible_line(what));
        if !todo.is_empty() {
            let _ = writeln!(text, "{:<6}  {:<widest$}  to do: {}", "", "", visible_line(todo));
        }
    }
    text
}

//! What an erasure would take, before it takes it: for `--dry-run`, and for the question on a terminal.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::io::{IsTerminal, Write as _, stderr, stdin, stdout};

use anyhow::anyhow;

use crate::cli::{Failure, OrFail, reader};
use crate::config::Settings;
use crate::event::{Timestamp, visible_line};
use crate::table::Filter;
use crate::table::upkeep::Subject;

/// So many sessions are named.
const MOST_NAMED: usize = 10;

/// The sessions that an erasure would take, and the names under which they are stored.
#[derive(Debug, Default)]
pub(super) struct Preview {
    sessions: BTreeSet<(String, String)>,
    names: BTreeSet<String>,
}

impl Preview {
    /// Looks for them in every table of the settings.
    pub(super) async fn of(
        settings: &Settings,
        subject: &Subject,
        tenant: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let mut preview = Self::default();
        for chosen in settings.tables() {
            let table = reader::open_for_upkeep(chosen).await?;
            let subjects = match subject {
                Subject::User(typed) => {
                    let names = table.names_of(typed, tenant, now).await.or_fail()?;
                    preview.names.extend(names.iter().cloned());
                    names.into_iter().map(Subject::User).collect()
                }
                Subject::Session(_) => vec![subject.clone()],
            };
            for subject in subjects {
                preview.sessions.extend(table.sessions_of(&subject, tenant, now).await.or_fail()?);
            }
        }
        Ok(preview)
    }

    /// What `--dry-run` prints.
    pub(super) fn text(&self) -> String {
        let mut text = match self.sessions.len() {
            0 => "No session would be erased.\n".to_owned(),
            1 => "1 session would be erased:\n".to_owned(),
            many => format!("{many} sessions would be erased:\n"),
        };
        for (_, id) in self.sessions.iter().take(MOST_NAMED) {
            let _ = writeln!(text, "- {}", visible_line(id));
        }
        let more = self.sessions.len().saturating_sub(MOST_NAMED);
        if more > 0 {
            let _ = writeln!(text, "and {more} more");
        }
        if !self.names.is_empty() {
            let names: Vec<_> = self.names.iter().map(|name| visible_line(name)).collect();
            let _ = writeln!(text, "They name the person {}.", names.join(", "));
        }
        text
    }

    /// Asks on the terminal whether to go on.
    pub(super) fn is_agreed(&self) -> Result<bool, Failure> {
        if self.sessions.is_empty() {
            // Journals, queues and spools may hold something of it; there is nothing to be asked about.
            return Ok(true);
        }
        write!(stderr(), "{}Nothing brings them back. Erase? [y]es, [n]o: ", self.text()).or_fail()?;
        stderr().flush().or_fail()?;
        let mut answer = String::new();
        stdin().read_line(&mut answer).or_fail()?;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }
}

/// Whether somebody can be asked.
pub(super) fn is_somebody_there() -> bool {
    stdin().is_terminal() && stdout().is_terminal()
}

/// Why nothing was found: a session's id is meant as a whole, and `sessions list` shows its beginning.
pub(super) async fn nothing_found(settings: &Settings, subject: &Subject) -> anyhow::Error {
    let (Subject::Session(id) | Subject::User(id)) = subject;
    let tables: Vec<String> = settings.tables().map(|table| table.location.to_string()).collect();
    let nothing = format!("nothing of {id:?} is in {}", tables.join(" or in "));
    let mut longer = BTreeSet::new();
    if matches!(subject, Subject::Session(_)) {
        for chosen in settings.tables() {
            let Ok(table) = reader::open(chosen).await else { continue };
            let found = table.session(id, &Filter::default(), &reader::options(chosen)).await;
            longer.extend(found.into_iter().flat_map(|found| found.sessions).map(|session| session.id));
        }
    }
    let named: Vec<_> = longer.iter().take(3).map(|id| visible_line(id).into_owned()).collect();
    match longer.len() {
        0 => anyhow!(nothing),
        1 => anyhow!("{nothing}; one session begins so: --session {}", named.concat()),
        many => {
            anyhow!("{nothing}; {many} sessions begin so, such as {}: give the whole id", named.join(", "))
        }
    }
}

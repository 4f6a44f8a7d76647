//! `skillspan sessions list`: the newest sessions, a row each.
//!
//! Which sessions there are is read without their texts; those that are shown are then read whole, so that
//! what is said of them is what `sessions show` says.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::Duration;

use clap::Args;

use crate::config::parse_duration;
use crate::event::{Timestamp, person, visible_line};
use crate::table::{Filter, ResolveOptions, Session, Summary, Table};
use crate::views::figures::Figures;
use crate::views::whole::{place, read_whole};

use super::columns::{Column, fitted, one_line, room};
use super::reader::TableChoice;
use super::render::minute;
use super::{ConfigFile, Failure, OrFail, reader};

/// The most rows that fit a terminal beside earlier output.
const ON_A_TERMINAL: usize = 20;
/// A shorter beginning of an id is easily that of another session tomorrow.
const SHORTEST_ID: usize = 8;

/// The place of the column that may be left out.
const WORKSPACE: usize = 3;

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    table: TableChoice,
    /// How many, newest first; 0 is all [default: 20 on a terminal, else all]
    #[arg(long, short = 'n', value_name = "COUNT")]
    limit: Option<usize>,
    #[command(flatten)]
    choice: Choice,
    /// Print one JSON object per line, with everything that is known
    #[arg(long)]
    pub(super) json: bool,
    /// Say on standard error how much was read
    #[arg(long)]
    verbose: bool,
}

/// Which sessions a command is about.
#[derive(Debug, Args)]
pub(super) struct Choice {
    /// Only with something new since then: 7d, 12h or a UTC date such as 2026-11-22
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Since>,
    /// Only of this tenant (tenants share a server: extensions.auth)
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Only of this workspace
    #[arg(long, value_name = "NAME")]
    workspace: Option<String>,
    /// Only of this repository, such as github.com/acme/shop or its URL
    #[arg(long, value_name = "REPOSITORY")]
    project: Option<String>,
    /// Only of this person
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Only of this assistant, such as claude-code
    #[arg(long, value_name = "NAME")]
    assistant: Option<String>,
}

/// The beginning of a listing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Since {
    Ago(Duration),
    At(Timestamp),
}

fn since(text: &str) -> Result<Since, String> {
    let date = || Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")).or(Timestamp::parse_rfc3339(text));
    match parse_duration(text) {
        Some(ago) => Ok(Since::Ago(ago)),
        None => {
            date().map(Since::At).ok_or_else(|| "expected 7d, 12h or a date such as 2026-11-22".to_owned())
        }
    }
}

impl Since {
    fn time(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(ago) => now.saturating_sub(ago),
            Self::At(time) => time,
        }
    }
}

/// A listed session and its figures.
pub(super) type Listed = (Session<()>, Figures);

/// What was found.
pub(super) struct Listing {
    /// The newest first.
    pub(super) sessions: Vec<Listed>,
    /// How many there are, shown or not.
    pub(super) total: usize,
    /// Characters of an id that tell it from all others.
    unique: usize,
}

impl Choice {
    fn wants(&self, session: &Summary, since: Option<Timestamp>) -> bool {
        let is =
            |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
        let project = self.project.as_deref().map(crate::dialects::project_of);
        let is_person = |user: &str| person::is_same(user, &session.user_id, &session.assistant);
        is(&self.tenant, &session.tenant)
            && is(&self.workspace, &session.workspace)
            && is(&project, &session.project)
            && self.user.as_deref().is_none_or(is_person)
            && is(&self.assistant, &session.assistant)
            && since.is_none_or(|since| session.last_event_at.max(session.last_ingested_at) >= since)
    }

    /// Since when, if that is said.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.since.map(|since| since.time(Timestamp::now()))
    }

    /// The sessions that are meant, without their texts; those with nothing new since then are left out.
    pub(super) async fn find(
        &self,
        table: &Table,
        options: &ResolveOptions,
        since: Option<Timestamp>,
    ) -> Result<Vec<Summary>, Failure> {
        let filter = Filter { owner: None, since: since.map(Timestamp::date) };
        let found =
            table.summaries(&filter, options, |session| self.wants(session, since)).await.or_fail()?;
        reader::warn_of_damage(&found.damaged);
        Ok(found.sessions)
    }
}

impl ListArguments {
    /// How many are shown.
    fn most(&self) -> usize {
        match self.limit {
            Some(0) => usize::MAX,
            Some(limit) => limit,
            None if self.json || !std::io::stdout().is_terminal() => usize::MAX,
            None => ON_A_TERMINAL,
        }
    }

    pub(super) async fn find(&self) -> Result<Listing, Failure> {
        let settings = self.config.load()?;
        let chosen = self.table.of(&settings)?;
        reader::flush(&settings).await;
        let table = reader::open(chosen).await?;
        let options = reader::options(chosen);
        let mut sessions = self.choice.find(&table, &options, self.choice.since()).await?;
        sessions.sort_by(|a, b| (b.started_at, &a.id).cmp(&(a.started_at, &b.id)));
        let unique = unique(sessions.iter().map(|session| session.id.as_str()));
        let total = sessions.len();
        sessions.truncate(self.most());
        let sessions = details(&table, &options, sessions).await?;
        reader::say_what_was_read(&table, self.verbose);
        Ok(Listing { sessions, total, unique })
    }
}

/// What is said of the sessions, read whole.
async fn details(
    table: &Table,
    options: &ResolveOptions,
    wanted: Vec<Summary>,
) -> Result<Vec<Listed>, Failure> {
    let mut known = BTreeMap::new();
    read_whole(table, options, &wanted, |session| {
        known.insert(place(&session), listed(session));
    })
    .await
    .or_fail()?;
    Ok(wanted.into_iter().filter_map(|session| known.remove(&place(&session))).collect())
}

fn listed(session: Session) -> Listed {
    let figures = Figures::of(&session);
    (session.with_facts(()), figures)
}

/// How many characters tell each id from all others: at least so many that a day's new ones do not matter.
fn unique<'s>(ids: impl Iterator<Item = &'s str>) -> usize {
    let mut ids: Vec<&str> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    let shared = |pair: &[&str]| match pair {
        [one, other] => one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count() + 1,
        _ => 0,
    };
    ids.windows(2).map(shared).max().unwrap_or(0).max(SHORTEST_ID)
}

impl Listing {
    /// For people: as wide as the terminal, whole where there is none.
    pub(super) fn text(&self) -> String {
        if self.sessions.is_empty() {
            return "no sessions\n".to_owned();
        }
        let width = room();
        let differ = |column: fn(&Session<()>) -> &String| {
            let mut values = self.sessions.iter().map(|(session, _)| column(session));
            let first = values.next();
            values.any(|value| Some(value) != first)
        };
        // One tenant that all sessions have is not shown; nor is, where there is little room, one workspace.
        let tenants = differ(|session| &session.tenant);
        let is_wide = width.is_none_or(|width| width >= 110);
        let workspaces = is_wide || tenants || differ(|session| &session.workspace);
        let mut columns = vec![
            match width {
                // Nothing is cut for a program; people may give the beginning to `sessions show`.
                None => Column::whole("SESSION"),
                Some(_) => Column::cut_to("SESSION", self.unique),
            },
            Column::whole("STARTED"),
            Column::text("ASSISTANT", 9),
            Column::text("WORKSPACE", 9),
            Column::text("USER", 8),
            Column::number("TURNS"),
            Column::number("CALLS"),
            Column::number("FAILED"),
        ];
        if !workspaces {
            columns.remove(WORKSPACE);
        }
        if is_wide {
            columns.extend([Column::number("TOKENS"), Column::text("PROJECT", 12)]);
        }
        let rows: Vec<Vec<String>> = self
            .sessions
            .iter()
            .map(|(session, figures)| {
                let workspace = match tenants {
                    true => format!("{}/{}", session.tenant, session.workspace),
                    false => session.workspace.clone(),
                };
                let mut row = vec![
                    visible_line(&session.id).trim().to_owned(),
                    minute(session.started_at),
                    one_line(&session.assistant, 60),
                    one_line(&workspace, 60),
                    one_line(&session.user_id, 60),
                    figures.prompts.to_string(),
                    figures.calls.to_string(),
                    figures.failed.to_string(),
                ];
                if !workspaces {
                    row.remove(WORKSPACE);
                }
                if is_wide {
                    row.push(figures.tokens().all().to_string());
                    row.push(one_line(&session.project, 80));
                }
                row
            })
            .collect();
        fitted(&columns, &rows, width)
    }

    /// What is not shown, if anything is.
    pub(super) fn rest(&self) -> Option<String> {
        let shown = self.sessions.len();
        (shown < self.total && shown > 0)
            .then(|| format!("the newest {shown} of {} sessions; --limit 0 shows all", self.total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_as_long_as_tells_them_apart() {
        for (ids, expected) in [
            (vec![], 8),
            (vec!["a"], 8),
            (vec!["abcdefgh-1", "xbcdefgh-1"], 8),
            (vec!["abcdefghij-1", "abcdefghij-2"], 12),
            (vec!["trace:000001", "trace:000002", "trace:000002"], 12),
            (vec!["abcdefghi", "abcdefgh"], 9),
        ] {
            assert_eq!(unique(ids.iter().copied()), expected, "{ids:?}");
        }
    }
}

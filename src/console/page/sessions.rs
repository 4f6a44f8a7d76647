//! `/sessions`: the sessions day by day, the newest first.
//!
//! A page begins where the one before it ended ([`Place`]) and reads the days that it needs, one after the other: how
//! large the table is does not matter.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::link::{self, encoded};
use super::when::When;
use super::who::People;
use super::{Frame, Seen, html, patience};
use crate::console::App;
use crate::console::access::Reader;
use crate::console::days::{Day, Row};
use crate::console::problem::Problem;
use crate::event::person;

/// So many sessions are on a page.
const ON_A_PAGE: usize = 50;

/// What is looked for. What is empty is not asked for.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub(in crate::console) struct Wanted {
    workspace: String,
    project: String,
    person: String,
    assistant: String,
    /// Nothing that arrived after this UTC date.
    day: String,
    /// `failed`, `corrected`, `refused`, `stopped` or `errors`: sessions with such a thing.
    outcome: String,
    /// Words that all stand in its prompts.
    words: String,
    /// Where the page before ended.
    #[serde(skip_serializing)]
    after: String,
}

/// Sessions, day by day.
#[derive(Debug, Serialize)]
pub(in crate::console) struct Sessions {
    wanted: Wanted,
    days: Vec<OfDay>,
    /// Where the next page begins, to be given as `after`; absent at the end of the table.
    next: Option<String>,
    /// A day that is still being read: what comes after it is on the page as soon as it is.
    still_read: Option<String>,
    /// Why a day cannot be read.
    failing: Option<String>,
}

#[derive(Debug, Serialize)]
struct OfDay {
    date: String,
    sessions: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    id: String,
    tenant: String,
    title: String,
    workspace: String,
    project: String,
    person: String,
    assistant: String,
    started_at: When,
    last_event_at: When,
    ended: bool,
    prompts: u32,
    calls: u32,
    failed: u32,
    refused: u32,
    stopped: u32,
    corrected: u32,
    errors: u32,
    tokens: i64,
}

#[derive(Template)]
#[template(path = "sessions.html")]
struct Page {
    frame: Frame,
    view: Sessions,
    workspaces: BTreeSet<String>,
    assistants: BTreeSet<String>,
    next: Option<String>,
    is_filtered: bool,
}

/// Where a page ends: the day, and the session in it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    day: String,
    started: i64,
    id: String,
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '~');
        let (day, started, id) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { day: day.to_owned(), started: started.parse().ok()?, id: id.to_owned() })
    }

    fn of(day: &str, row: &Row) -> Self {
        Self { day: day.to_owned(), started: row.started_at.as_micros(), id: row.id.clone() }
    }

    fn told(&self) -> String {
        format!("{}~{}~{}", self.day, self.started, self.id)
    }

    /// Whether a row of a day comes behind it.
    fn is_before(&self, day: &str, row: &Row) -> bool {
        let started = row.started_at.as_micros();
        let is_later = started < self.started || (started == self.started && row.id > self.id);
        day < self.day.as_str() || (day == self.day && is_later)
    }
}

pub(in crate::console) async fn page(
    State(app): State<Arc<App>>,
    reader: Seen,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let view = view(&app, &reader, wanted).await?;
    let entries = || view.days.iter().flat_map(|day| &day.sessions);
    let workspaces = entries().map(|entry| entry.workspace.clone()).collect();
    let assistants = entries().map(|entry| entry.assistant.clone()).filter(|name| !name.is_empty()).collect();
    let next =
        view.next.as_ref().map(|next| format!("/sessions?{}after={}", view.wanted.query(), encoded(next)));
    let frame = Frame::new(&reader, "sessions", "Sessions").again(view.still_read.is_some());
    let is_filtered = !view.wanted.query().is_empty();
    Ok(html(StatusCode::OK, &Page { frame, workspaces, assistants, next, is_filtered, view }))
}

pub(in crate::console) async fn view(
    app: &App,
    reader: &Reader,
    wanted: Wanted,
) -> Result<Sessions, Problem> {
    let until = patience();
    let after = match wanted.after.as_str() {
        "" => None,
        after => {
            let place = Place::parse(after);
            Some(
                place
                    .ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "`after` is no place in a list."))?,
            )
        }
    };
    let mut view = Sessions { wanted, days: Vec::new(), next: None, still_read: None, failing: None };
    let mut count = 0;
    'days: for date in dates(app, &view.wanted, after.as_ref()).await? {
        let mut seen = Vec::new();
        for days in &app.days {
            match days.day(&date, until).await.map_err(|error| Problem::failed("The table", error))? {
                Day::Read(rows) => seen.push(rows),
                Day::Pending => {
                    view.failing = days.failing();
                    view.still_read = Some(date);
                    break 'days;
                }
            }
        }
        let rows =
            seen.iter().flat_map(|rows| rows.iter()).filter(|row| reader.sees(&row.tenant, &row.workspace));
        let rows = rows.filter(|row| after.as_ref().is_none_or(|after| after.is_before(&date, row)));
        let mut rows: Vec<&Row> = rows.filter(|row| view.wanted.wants(reader, row)).collect();
        rows.sort_by(|a, b| (b.started_at, &a.id).cmp(&(a.started_at, &b.id)));
        let is_more = rows.len() > ON_A_PAGE - count;
        rows.truncate(ON_A_PAGE - count);
        count += rows.len();
        let last = rows.last().map(|row| Place::of(&date, row).told());
        if !rows.is_empty() {
            view.days.push(OfDay { sessions: entries(reader, &rows), date });
        }
        if is_more || count == ON_A_PAGE {
            view.next = last;
            break;
        }
    }
    Ok(view)
}

/// The days that may be on the page, the newest first.
async fn dates(app: &App, wanted: &Wanted, after: Option<&Place>) -> Result<Vec<String>, Problem> {
    let mut dates = BTreeSet::new();
    for days in &app.days {
        dates.extend(days.dates().await.map_err(|error| Problem::failed("The table", error))?);
    }
    let is_wanted = |date: &String| {
        (wanted.day.is_empty() || *date <= wanted.day) && after.is_none_or(|after| *date <= after.day)
    };
    Ok(dates.into_iter().rev().filter(is_wanted).collect())
}

fn entries(reader: &Reader, rows: &[&Row]) -> Vec<Entry> {
    let people = People::of_rows(reader, rows);
    let entry = |row: &&Row| Entry {
        id: row.id.clone(),
        tenant: row.tenant.clone(),
        title: people.without(&row.title),
        workspace: row.workspace.clone(),
        project: people.without(&row.project),
        person: people.name(&row.tenant, &row.user),
        assistant: row.assistant.clone(),
        started_at: When(row.started_at),
        last_event_at: When(row.last_event_at),
        ended: row.ended,
        prompts: row.prompts,
        calls: row.calls,
        failed: row.failed,
        refused: row.refused,
        stopped: row.stopped,
        corrected: row.corrected,
        errors: row.errors,
        tokens: row.tokens,
    };
    rows.iter().map(entry).collect()
}

impl Wanted {
    fn wants(&self, reader: &Reader, row: &Row) -> bool {
        let is = |wanted: &str, value: &str| wanted.is_empty() || wanted == value;
        let is_of_project = || {
            is(&crate::dialects::project_of(&self.project), &row.project)
                || row.project.ends_with(&self.project)
        };
        is(&self.workspace, &row.workspace)
            && (self.project.is_empty() || is_of_project())
            && is(&self.assistant, &row.assistant)
            && (self.person.is_empty() || self.is_of_person(reader, row))
            && match self.outcome.as_str() {
                "failed" => row.failed > 0,
                "corrected" => row.corrected > 0,
                "refused" => row.refused > 0,
                "stopped" => row.stopped > 0,
                "errors" => row.errors > 0,
                _ => true,
            }
            && self.words.to_lowercase().split_whitespace().all(|word| row.said.contains(word))
    }

    fn is_of_person(&self, reader: &Reader, row: &Row) -> bool {
        let people = People::of_rows(reader, &[row]);
        let is_named = reader.sees_people && person::is_same(&self.person, &row.user, &row.assistant);
        is_named || people.name(&row.tenant, &row.user) == self.person
    }

    /// What is asked for, as the beginning of a query.
    fn query(&self) -> String {
        let Self { workspace, project, person, assistant, day, outcome, words, after: _ } = self;
        let pairs = [
            ("workspace", workspace),
            ("project", project),
            ("person", person),
            ("assistant", assistant),
            ("day", day),
            ("outcome", outcome),
            ("words", words),
        ];
        let asked = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        asked.map(|(name, value)| format!("{name}={}&", encoded(value))).collect()
    }
}

impl Entry {
    fn link(&self) -> String {
        link::session(&self.tenant, &self.id)
    }

    fn repository(&self) -> &str {
        self.project.rsplit('/').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;

    #[test]
    fn a_page_begins_behind_the_last_session_of_the_one_before() {
        let row = |started: i64, id: &str| Row {
            started_at: Timestamp::from_micros(started),
            id: id.to_owned(),
            ..Row::default()
        };
        let place = Place::of("2026-11-02", &row(50, "m~1"));
        assert_eq!(Place::parse(&place.told()), Some(place.clone()));
        for (day, started, id, is_before) in [
            ("2026-11-01", 90, "a", true),
            ("2026-11-02", 49, "a", true),
            ("2026-11-02", 50, "n", true),
            ("2026-11-02", 50, "m~1", false),
            ("2026-11-02", 50, "l", false),
            ("2026-11-02", 51, "z", false),
        ] {
            assert_eq!(place.is_before(day, &row(started, id)), is_before, "{day} {started} {id}");
        }
        for wrong in ["", "x", "2026-11-02~x~y", "~~"] {
            assert_eq!(Place::parse(wrong), None, "{wrong}");
        }
    }
}

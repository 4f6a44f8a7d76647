//! `/sessions`: the sessions day by day, the newest first.
//!
//! A page begins where the one before it ended ([`Place`]) and reads the days that it needs, one after the other: how
//! large the table is does not matter. Days are those of arrival, by which the table's files lie; what is asked for by
//! day is when sessions began, as rows say it. None arrives before it begins, so days before that are not read.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::link::{self, encoded};
use super::position::{self, Position};
use super::when::When;
use super::who::People;
use super::{Frame, Seen, counted, html, patience};
use crate::console::App;
use crate::console::access::Reader;
use crate::console::asked::Asked;
use crate::console::days::{Day, Row};
use crate::console::escape::with_code;
use crate::console::problem::Problem;
use crate::views::phrases::length;
use crate::views::report::grouped;

/// So many sessions are on a page.
pub(super) const ON_A_PAGE: usize = 50;

/// What is looked for. What is empty is not asked for.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub(in crate::console) struct Wanted {
    workspace: String,
    project: String,
    person: String,
    assistant: String,
    /// Those that began on this UTC date or later.
    from: String,
    /// Those that began on this UTC date or earlier.
    until: String,
    /// `failed`, `corrected`, `refused`, `stopped` or `errors`: sessions with such a thing.
    outcome: String,
    /// Words that all stand in its prompts.
    words: String,
    /// Where the page before ended.
    #[serde(skip_serializing)]
    pub(super) after: String,
}

/// What may have gone wrong in a session, and how a page calls it.
const OUTCOMES: [(&str, &str); 5] = [
    ("failed", "failed calls"),
    ("corrected", "corrections"),
    ("refused", "refused calls"),
    ("stopped", "stopped"),
    ("errors", "its own errors"),
];
/// So many characters of a first prompt name a session.
const LONGEST_TITLE: usize = 140;

/// Sessions, day by day.
#[derive(Debug, Serialize)]
pub(in crate::console) struct Sessions {
    pub(super) wanted: Wanted,
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
    /// From its first event to its last on that day, pauses included.
    lasted: String,
    ended: bool,
    prompts: u32,
    calls: u32,
    failed: u32,
    refused: u32,
    stopped: u32,
    corrected: u32,
    errors: u32,
    tokens: i64,
    /// So many events of that day are not counted, as the session is too large.
    #[serde(skip)]
    left_out: usize,
}

#[derive(Template)]
#[template(path = "sessions.html")]
struct Page {
    frame: Frame,
    view: Sessions,
    workspaces: BTreeSet<String>,
    assistants: BTreeSet<String>,
    next: Option<String>,
    /// What is asked for, in words, each with the address without it.
    asked: Vec<(String, String)>,
    /// Whether there is a page before this one.
    goes_on: bool,
    connect: String,
    /// Why what is asked for is nothing, for the form; `""` if it is not.
    wrong: String,
    /// Where the page stands among all that is asked for, if that is known.
    position: Option<Position>,
}

impl Page {
    /// How many there are, and which of them are on the page, as far as that is known.
    fn found(&self) -> String {
        match &self.position {
            Some(position) if self.view.still_read.is_none() => {
                format!(
                    "{}: {}",
                    if self.view.count() == 1 { "Session" } else { "Sessions" },
                    position.told()
                )
            }
            _ => self.view.found(),
        }
    }

    /// The page before this one; the first, where nobody knows which that is.
    fn newer(&self) -> Option<String> {
        let newest = || format!("/sessions?{}", self.view.wanted.query(&self.view.wanted.asked(), ""));
        let known = self.position.as_ref().and_then(|position| position.newer.clone());
        self.goes_on.then(|| known.unwrap_or_else(newest))
    }

    fn wrong_told(&self) -> String {
        with_code(&self.wrong)
    }
}

/// Where a page ends: the day, and the session in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    day: String,
    started: i64,
    id: String,
}

impl Place {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '~');
        let (day, started, id) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { day: day.to_owned(), started: started.parse().ok()?, id: id.to_owned() })
    }

    pub(super) fn of(day: &str, row: &Row) -> Self {
        Self { day: day.to_owned(), started: row.started_at.as_micros(), id: row.id.clone() }
    }

    pub(super) fn told(&self) -> String {
        format!("{}~{}~{}", self.day, self.started, self.id)
    }

    /// Whether a row of a day comes behind it.
    pub(super) fn is_before(&self, day: &str, row: &Row) -> bool {
        let started = row.started_at.as_micros();
        let is_later = started < self.started || (started == self.started && row.id > self.id);
        day < self.day.as_str() || (day == self.day && is_later)
    }
}

pub(in crate::console) async fn page(
    State(app): State<Arc<App>>,
    reader: Seen,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let goes_on = !wanted.after.is_empty();
    // A mistake in the form leads back to it.
    let (view, wrong) = match view(&app, &reader, wanted.clone()).await {
        Ok(view) => (view, String::new()),
        Err(problem) if problem.status() == StatusCode::BAD_REQUEST && !goes_on => {
            (Sessions::none(wanted), problem.says().to_owned())
        }
        Err(problem) => return Err(problem),
    };
    let position = if wrong.is_empty() { position::of(&app, &reader, &view).await } else { None };
    let entries = || view.days.iter().flat_map(|day| &day.sessions);
    let mut workspaces: BTreeSet<String> = entries().map(|entry| entry.workspace.clone()).collect();
    let mut assistants: BTreeSet<String> = entries().map(|entry| entry.assistant.clone()).collect();
    for rows in app.days.iter().flat_map(|days| days.in_memory()) {
        let seen = rows.iter().filter(|row| reader.sees(&row.tenant, &row.workspace));
        for row in seen {
            // Most are known by then.
            if !workspaces.contains(&row.workspace) {
                workspaces.insert(row.workspace.clone());
            }
            if !assistants.contains(&row.assistant) {
                assistants.insert(row.assistant.clone());
            }
        }
    }
    workspaces.insert(view.wanted.workspace.clone());
    assistants.insert(view.wanted.assistant.clone());
    let next = view.next.as_ref().map(|next| {
        format!("/sessions?{}after={}", view.wanted.query(&view.wanted.asked(), ""), encoded(next))
    });
    let frame = Frame::new(&reader, "sessions", "Sessions").again(view.still_read.is_some());
    let asked = view.wanted.in_words();
    let connect = app.connect.clone();
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let page = Page { frame, workspaces, assistants, next, asked, goes_on, connect, wrong, position, view };
    Ok(html(status, &page))
}

pub(in crate::console) async fn view(
    app: &App,
    reader: &Reader,
    wanted: Wanted,
) -> Result<Sessions, Problem> {
    let until = patience();
    wanted.check()?;
    let bad = || Problem::new(StatusCode::BAD_REQUEST, "`after` is no place in a list.");
    let after = match wanted.after.as_str() {
        "" => None,
        after => Some(Place::parse(after).ok_or_else(bad)?),
    };
    let people = People::of(app, reader).await?;
    let mut view = Sessions::none(wanted);
    let (mut count, mut last) = (0, None);
    'days: for date in dates(app, &view.wanted, after.as_ref()).await? {
        let mut seen = Vec::new();
        for days in &app.days {
            match days.day(&date, until).await.map_err(|error| Problem::failed("The table", error))? {
                Day::Read(rows) => seen.push(rows),
                Day::Pending if count == ON_A_PAGE => {
                    // Whether there is more is not known yet; the next page will tell.
                    view.next = last;
                    break 'days;
                }
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
        let mut rows: Vec<&Row> = rows.filter(|row| view.wanted.wants(&people, row)).collect();
        rows.sort_by(|a, b| (b.started_at, &a.id).cmp(&(a.started_at, &b.id)));
        let is_more = rows.len() > ON_A_PAGE - count;
        rows.truncate(ON_A_PAGE - count);
        count += rows.len();
        last = rows.last().map(|row| Place::of(&date, row).told()).or(last);
        if !rows.is_empty() {
            let sessions = rows.iter().map(|row| Entry::of(row, &people)).collect();
            view.days.push(OfDay { sessions, date });
        }
        // A page that is full goes on only if something comes behind it.
        if is_more {
            view.next = last;
            break;
        }
    }
    Ok(view)
}

/// The days that may be on the page, the newest first.
pub(super) async fn dates(app: &App, wanted: &Wanted, after: Option<&Place>) -> Result<Vec<String>, Problem> {
    let mut dates = BTreeSet::new();
    for days in &app.days {
        dates.extend(days.dates().await.map_err(|error| Problem::failed("The table", error))?);
    }
    let is_wanted = |date: &String| {
        (wanted.from.is_empty() || *date >= wanted.from) && after.is_none_or(|after| *date <= after.day)
    };
    Ok(dates.into_iter().rev().filter(is_wanted).collect())
}

/// Whether a text is a date, `2026-11-22`.
fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

impl Wanted {
    /// What is asked for by what nothing can be is an error, not everything.
    fn check(&self) -> Result<(), Problem> {
        let bad = |says: &str| Err(Problem::new(StatusCode::BAD_REQUEST, says));
        if [&self.from, &self.until].into_iter().any(|date| !date.is_empty() && !is_date(date)) {
            return bad("Began from and Began until (`from`, `until`) are dates, such as 2026-11-22.");
        }
        if !self.from.is_empty() && !self.until.is_empty() && self.from > self.until {
            return bad(
                "Began from (`from`) is later than Began until (`until`): no session is between them.",
            );
        }
        if !self.outcome.is_empty() && !OUTCOMES.iter().any(|(name, _)| *name == self.outcome) {
            return bad("`outcome` is one of failed, corrected, refused, stopped, errors.");
        }
        Ok(())
    }

    pub(super) fn wants(&self, people: &People, row: &Row) -> bool {
        let is = |wanted: &str, value: &str| wanted.is_empty() || wanted.eq_ignore_ascii_case(value);
        let is_of_project = || {
            is(&crate::dialects::project_of(&self.project), &row.project)
                || row.project.to_lowercase().ends_with(&self.project.to_lowercase())
        };
        let began = || row.started_at.date();
        is(&self.workspace, &row.workspace)
            && (self.project.is_empty() || is_of_project())
            && is(&self.assistant, &row.assistant)
            && (self.from.is_empty() || began() >= self.from)
            && (self.until.is_empty() || began() <= self.until)
            && (self.person.is_empty() || people.is(&self.person, (&row.tenant, &row.user), &row.assistant))
            && match self.outcome.as_str() {
                "failed" => row.failed > 0,
                "corrected" => row.corrected > 0,
                "refused" => row.refused > 0,
                "stopped" => row.stopped > 0,
                "errors" => row.errors > 0,
                _ => true,
            }
            && self.is_said(people, row)
    }

    /// Whether its words stand in what the reader is shown: no search tells whether a name is in a prompt.
    fn is_said(&self, people: &People, row: &Row) -> bool {
        let words = self.words.to_lowercase();
        let all = |said: &str| words.split_whitespace().all(|word| said.contains(word));
        // Taking names out takes time and adds no word that anybody said.
        all(&row.said) && (words.is_empty() || all(&people.without(&row.said)))
    }

    /// What is asked for by name.
    pub(super) fn asked(&self) -> Vec<(&'static str, &str)> {
        let Self { workspace, project, person, assistant, from, until, outcome, words, after: _ } = self;
        let pairs: [(&'static str, &str); 8] = [
            ("words", words),
            ("workspace", workspace),
            ("project", project),
            ("person", person),
            ("assistant", assistant),
            ("from", from),
            ("until", until),
            ("outcome", outcome),
        ];
        pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// As the beginning of a query, but for one of them.
    pub(super) fn query(&self, asked: &[(&'static str, &str)], but: &str) -> String {
        let asked = asked.iter().filter(|(name, _)| *name != but);
        asked.map(|(name, value)| format!("{name}={}&", encoded(value))).collect()
    }

    /// What is asked for, in words, each with the address that asks for the others.
    fn in_words(&self) -> Vec<(String, String)> {
        let asked = self.asked();
        let told = asked.iter().map(|(name, value)| {
            let (what, value) = match *name {
                "words" => ("words in prompts", *value),
                "project" => ("repository", *value),
                "from" => ("began from", *value),
                "until" => ("began until", *value),
                "outcome" => (
                    "trouble",
                    OUTCOMES.iter().find(|(known, _)| known == value).map_or(*value, |(_, label)| *label),
                ),
                other => (other, *value),
            };
            (format!("{what}: {value}"), format!("/sessions?{}", self.query(&asked, name)))
        });
        told.collect()
    }
}

impl Sessions {
    /// Nothing, so far.
    fn none(wanted: Wanted) -> Self {
        Self { wanted, days: Vec::new(), next: None, still_read: None, failing: None }
    }

    /// How many are on the page.
    pub(super) fn count(&self) -> usize {
        self.days.iter().map(|day| day.sessions.len()).sum()
    }

    /// Whether a client said for any of them how many tokens it took.
    fn has_tokens(&self) -> bool {
        self.days.iter().flat_map(|day| &day.sessions).any(|session| session.tokens > 0)
    }

    /// How many are on the page, and whether that is all.
    fn found(&self) -> String {
        let count = self.count();
        let is_all = self.next.is_none() && self.still_read.is_none() && self.wanted.after.is_empty();
        format!("{}{}", counted(count as u64, "session"), if is_all { "" } else { " on this page" })
    }
}

impl Entry {
    fn of(row: &Row, people: &People) -> Self {
        Self {
            id: row.id.clone(),
            tenant: row.tenant.clone(),
            title: people.title(&row.title, LONGEST_TITLE),
            workspace: row.workspace.clone(),
            project: people.without(&row.project),
            person: people.name(&row.tenant, &row.user),
            assistant: row.assistant.clone(),
            started_at: When(row.started_at),
            last_event_at: When(row.last_event_at),
            lasted: length(row.last_event_at.since(row.started_at)),
            ended: row.ended,
            prompts: row.prompts,
            calls: row.calls,
            failed: row.failed,
            refused: row.refused,
            stopped: row.stopped,
            corrected: row.corrected,
            errors: row.errors,
            tokens: row.tokens,
            left_out: row.left_out,
        }
    }

    fn link(&self) -> String {
        link::session(&self.tenant, &self.id)
    }

    fn repository(&self) -> &str {
        self.project.rsplit('/').next().unwrap_or_default()
    }

    /// In groups of three; `–` where nobody counted them.
    fn tokens(&self) -> String {
        let counted = u64::try_from(self.tokens).ok().filter(|count| *count > 0);
        counted.map_or_else(|| "–".to_owned(), grouped)
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

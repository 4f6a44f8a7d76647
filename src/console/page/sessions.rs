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
use serde::Serialize;

use super::link::{self, encoded};
use super::position::{self, Position};
use super::search::{ON_A_PAGE, OUTCOMES, Place, Wanted, dates};
use super::when::When;
use super::who::People;
use super::{Frame, Seen, counted, html, patience};
use crate::console::App;
use crate::console::access::Reader;
use crate::console::asked::Asked;
use crate::console::days::{Day, Row};
use crate::console::escape::with_code;
use crate::console::problem::Problem;
use crate::views::feedback::LONGEST_FEEDBACK;
use crate::views::phrases::length;
use crate::views::report::grouped;

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
    /// Feedback of that day by people or their tools.
    feedback: String,
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

pub(in crate::console) async fn page(
    State(app): State<Arc<App>>,
    reader: Seen,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let goes_on = !wanted.after.is_empty();
    // A mistake in the form leads back to it.
    let (view, wrong) = match view(&app, &reader, wanted.clone()).await {
        Ok(view) => (view, String::new()),
        Err(problem) if problem.status() == StatusCode::BAD_REQUEST => {
            let wanted = Wanted { after: String::new(), ..wanted };
            (Sessions::none(wanted), problem.says().to_owned())
        }
        Err(problem) => return Err(problem),
    };
    let position =
        if wrong.is_empty() { position::of(&app, &reader, &view.wanted, view.count()).await } else { None };
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
    let bad = || {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "`after` is no place in the list: the address is cut, or of something else. Ask for the newest again.",
        )
    };
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

impl Sessions {
    /// Nothing, so far.
    fn none(wanted: Wanted) -> Self {
        Self { wanted, days: Vec::new(), next: None, still_read: None, failing: None }
    }

    /// Whether a session is on the page twice, or may be on this one and the next.
    fn has_parts(&self) -> bool {
        let mut seen = BTreeSet::new();
        let mut sessions = self.days.iter().flat_map(|day| &day.sessions);
        sessions.any(|session| !seen.insert((&session.tenant, &session.id)))
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
            feedback: people.line(&row.feedback, LONGEST_FEEDBACK),
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

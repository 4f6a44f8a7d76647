//! `/`: what came in, how it went, what waits for a person, what fails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use jiff::Span;
use jiff::civil::Date;
use serde::Serialize;

use super::who::People;
use super::{Frame, Seen, counted, html, patience, when::When};
use crate::console::App;
use crate::console::access::Reader;
use crate::console::chart::{self, Part};
use crate::console::days::{Day, Row};
use crate::console::problem::Problem;
use crate::event::Timestamp;
use crate::library::Standing;
use crate::service::Report;
use crate::views::report::grouped;

/// So many days are shown.
const DAYS: i64 = 30;
/// So many assistants have a colour of their own; the others share one.
const ASSISTANTS: usize = 5;
/// So many of the newest sessions are named.
const NEWEST: usize = 6;
/// So many characters of a first prompt name a session.
const LONGEST_TITLE: usize = 140;
/// The colours of assistants and of what went wrong.
const COLOURS: [&str; ASSISTANTS + 1] = ["s1", "s2", "s3", "s4", "s5", "s6"];

/// Arrivals, failures, waiting proposals and faults.
#[derive(Debug, Serialize)]
pub(in crate::console) struct Overview {
    /// The last days on which sessions began, the oldest first; one without sessions is there as well.
    days: Vec<Sum>,
    sessions: u64,
    people: u64,
    calls: u64,
    failed: u64,
    /// Sessions of which something arrived within these days and that began before them: imported ones.
    older: u64,
    /// How many of the days are still being read.
    still_read: usize,
    skills: Skills,
    newest: Vec<Newest>,
    /// How the process does; absent for who sees one tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<Report>,
}

/// A day.
#[derive(Debug, Default, Serialize)]
struct Sum {
    date: String,
    /// Sessions by assistant.
    sessions: BTreeMap<String, u64>,
    calls: u64,
    failed: u64,
    refused: u64,
    stopped: u64,
    corrected: u64,
    /// Whether it has been read.
    is_read: bool,
}

#[derive(Debug, Default, Serialize)]
struct Skills {
    published: u64,
    /// What waits for a person to decide.
    proposals: u64,
    /// Targets that cannot be read.
    unreadable: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Newest {
    id: String,
    tenant: String,
    title: String,
    assistant: String,
    person: String,
    started_at: When,
    calls: u32,
    failed: u32,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    frame: Frame,
    view: Overview,
    sessions_chart: String,
    trouble_chart: String,
    assistants: Vec<(String, &'static str)>,
    most_sessions: u64,
    most_trouble: u64,
    failed_share: String,
    connect: String,
}

pub(in crate::console) async fn page(State(app): State<Arc<App>>, reader: Seen) -> Result<Response, Problem> {
    let view = view(&app, &reader).await?;
    let frame = Frame::new(&reader, "overview", "Overview").again(view.still_read > 0);
    Ok(html(StatusCode::OK, &Page::of(frame, view, app.connect.clone())))
}

pub(in crate::console) async fn view(app: &App, reader: &Reader) -> Result<Overview, Problem> {
    let until = patience();
    let people_shown = People::of(app, reader).await?;
    let mut sums = last_days();
    let (mut rows, mut still_read) = (Vec::new(), 0);
    for days in &app.days {
        for sum in sums.iter_mut().rev() {
            match days.day(&sum.date, until).await.map_err(|error| Problem::failed("The table", error))? {
                Day::Read(read) => rows.push(read),
                Day::Pending => {
                    sum.is_read = false;
                    still_read += 1;
                }
            }
        }
    }
    let seen: Vec<&Row> = rows
        .iter()
        .flat_map(|rows| rows.iter())
        .filter(|row| reader.sees(&row.tenant, &row.workspace))
        .collect();
    // Sessions that were imported began long before they arrived.
    let first = sums.first().map_or(0, |sum| day_of(&sum.date));
    let newest = newest(&people_shown, seen.clone());
    let (seen, older): (Vec<&Row>, Vec<&Row>) =
        seen.into_iter().partition(|row| row.started_at.day() >= first);
    let older: BTreeSet<(&str, &str)> =
        older.iter().map(|row| (row.tenant.as_str(), row.id.as_str())).collect();
    for row in &seen {
        let at = usize::try_from(row.started_at.day() - first);
        if let Some(sum) = at.ok().and_then(|at| sums.get_mut(at)) {
            sum.add(row);
        }
    }
    let people: BTreeSet<&str> =
        seen.iter().map(|row| row.person.as_str()).filter(|person| !person.is_empty()).collect();
    let sessions: BTreeSet<(&str, &str)> =
        seen.iter().map(|row| (row.tenant.as_str(), row.id.as_str())).collect();
    Ok(Overview {
        sessions: sessions.len() as u64,
        people: people.len() as u64,
        calls: sums.iter().map(|sum| sum.calls).sum(),
        failed: sums.iter().map(|sum| sum.failed).sum(),
        still_read,
        skills: skills(app, reader).await,
        newest,
        older: older.len() as u64,
        process: process(app, reader).await?,
        days: sums,
    })
}

/// The number of a UTC date, [`Timestamp::day`].
fn day_of(date: &str) -> i64 {
    Timestamp::parse_rfc3339(&format!("{date}T00:00:00Z")).unwrap_or_default().day()
}

/// Today and the days before it, in UTC, the oldest first.
fn last_days() -> Vec<Sum> {
    let today: Option<Date> = Timestamp::now().date().parse().ok();
    let dates = today.into_iter().flat_map(|today| {
        (0..DAYS).rev().filter_map(move |back| today.checked_sub(Span::new().days(back)).ok())
    });
    dates.map(|date| Sum { date: date.to_string(), is_read: true, ..Sum::default() }).collect()
}

async fn skills(app: &App, reader: &Reader) -> Skills {
    let mut skills = Skills::default();
    // Several targets may hold the same skills.
    let (mut published, mut proposals) = (BTreeSet::new(), BTreeSet::new());
    for shelved in app.shelf.all().await.iter() {
        match &shelved.library {
            Ok(library) => {
                let tenant = app.tenant_of(library);
                for skill in super::skills::seen(library, reader) {
                    let named = (tenant.clone(), skill.name.clone());
                    if matches!(skill.standing, Standing::Published | Standing::HandEdited) {
                        published.insert(named.clone());
                    }
                    if skill.has_proposal() {
                        proposals.insert(named);
                    }
                }
            }
            Err(error) if reader.sees_the_process() => {
                skills.unreadable.push(format!("{}: {error}", shelved.target));
            }
            Err(_) => {}
        }
    }
    (skills.published, skills.proposals) = (published.len() as u64, proposals.len() as u64);
    skills
}

async fn process(app: &App, reader: &Reader) -> Result<Option<Report>, Problem> {
    let Some(overseer) = app.overseer.as_ref().filter(|_| reader.sees_the_process()) else { return Ok(None) };
    overseer.report().await.map(Some).map_err(|error| Problem::failed("The process", error))
}

fn newest(people: &People, mut seen: Vec<&Row>) -> Vec<Newest> {
    // A session is there once for each day: more than are shown are ahead of the others with room to spare.
    let most = NEWEST * usize::try_from(DAYS).unwrap_or_default();
    if seen.len() > most {
        seen.select_nth_unstable_by(most, |a, b| (b.last_event_at, &a.id).cmp(&(a.last_event_at, &b.id)));
        seen.truncate(most);
    }
    seen.sort_by(|a, b| (b.last_event_at, &a.id).cmp(&(a.last_event_at, &b.id)));
    let mut named = BTreeSet::new();
    seen.retain(|row| named.insert((&row.tenant, &row.id)));
    seen.truncate(NEWEST);
    let newest = seen.into_iter().map(|row| Newest {
        id: row.id.clone(),
        tenant: row.tenant.clone(),
        title: people.title(&row.title, LONGEST_TITLE),
        assistant: row.assistant.clone(),
        person: people.name(&row.tenant, &row.user),
        started_at: When(row.started_at),
        calls: row.calls,
        failed: row.failed,
    });
    newest.collect()
}

impl Overview {
    /// Nothing came in yet, as far as is known.
    fn is_empty(&self) -> bool {
        self.sessions == 0 && self.older == 0 && self.still_read == 0
    }

    /// A sum; `–` as long as nothing is known and something is still being read.
    fn known(&self, sum: &u64) -> String {
        if *sum == 0 && self.still_read > 0 { "–".to_owned() } else { grouped(*sum) }
    }

    fn first_day(&self) -> &str {
        self.days.first().map(|day| day.date.as_str()).unwrap_or_default()
    }
}

impl Newest {
    fn calls(&self) -> String {
        counted(u64::from(self.calls), "call")
    }

    fn link(&self) -> String {
        super::link::session(&self.tenant, &self.id)
    }
}

impl Sum {
    fn add(&mut self, row: &Row) {
        let assistant = if row.assistant.is_empty() { "unknown" } else { row.assistant.as_str() };
        match self.sessions.get_mut(assistant) {
            Some(count) => *count += 1,
            None => drop(self.sessions.insert(assistant.to_owned(), 1)),
        }
        self.calls += u64::from(row.calls);
        self.failed += u64::from(row.failed);
        self.refused += u64::from(row.refused);
        self.stopped += u64::from(row.stopped);
        self.corrected += u64::from(row.corrected);
    }

    /// Calls, failed ones, and what people were against.
    fn counts(&self) -> [u64; 5] {
        [self.calls, self.failed, self.refused, self.stopped, self.corrected]
    }

    fn objections(&self) -> u64 {
        self.refused + self.stopped + self.corrected
    }

    fn all(&self) -> u64 {
        self.sessions.values().sum()
    }
}

impl Page {
    fn of(frame: Frame, view: Overview, connect: String) -> Self {
        let assistants = assistants(&view.days);
        let sessions_chart = sessions_chart(&view.days, &assistants);
        let failed_share = match (view.failed * 100 + view.calls / 2).checked_div(view.calls) {
            Some(percent) => format!("{percent} %"),
            None => String::new(),
        };
        Self {
            sessions_chart,
            trouble_chart: trouble_chart(&view.days),
            assistants,
            most_sessions: view.days.iter().map(Sum::all).max().unwrap_or_default(),
            most_trouble: view.days.iter().map(|sum| sum.failed + sum.objections()).max().unwrap_or_default(),
            failed_share,
            connect,
            frame,
            view,
        }
    }
}

/// The assistants with the most sessions, each with its colour, the others together.
fn assistants(days: &[Sum]) -> Vec<(String, &'static str)> {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for (assistant, count) in days.iter().flat_map(|day| &day.sessions) {
        *sums.entry(assistant).or_default() += count;
    }
    let mut sums: Vec<(&str, u64)> = sums.into_iter().collect();
    sums.sort_by(|(a, x), (b, y)| (y, a).cmp(&(x, b)));
    let more = sums.len() > ASSISTANTS;
    let named = sums.into_iter().take(ASSISTANTS).map(|(name, _)| name.to_owned());
    named.chain(more.then(|| "others".to_owned())).zip(COLOURS).collect()
}

fn sessions_chart(days: &[Sum], assistants: &[(String, &'static str)]) -> String {
    let bars: Vec<(&str, Vec<u64>)> = days
        .iter()
        .map(|day| {
            let named = |name: &String| day.sessions.get(name).copied().unwrap_or_default();
            let mut counts: Vec<u64> =
                assistants.iter().take(ASSISTANTS).map(|(assistant, _)| named(assistant)).collect();
            counts.push(day.all() - counts.iter().sum::<u64>());
            (day.date.as_str(), counts)
        })
        .collect();
    let parts: Vec<Part<'_>> = assistants.iter().map(|(name, class)| Part { name, class }).collect();
    chart::stacked(&bars, &parts, "Sessions a day by assistant; the table below says the same")
}

fn trouble_chart(days: &[Sum]) -> String {
    let bars: Vec<(&str, Vec<u64>)> =
        days.iter().map(|day| (day.date.as_str(), vec![day.failed, day.objections()])).collect();
    let parts = [Part { name: "failed calls", class: "bad" }, Part { name: "corrections", class: "s4" }];
    chart::stacked(&bars, &parts, "Failed calls and corrections a day; the table below says the same")
}

/// Digits in groups of three.
fn shown(count: &u64) -> String {
    grouped(*count)
}

/// A time of the process's report, without its seconds.
fn minute(at: &impl std::fmt::Display) -> String {
    let text = at.to_string();
    text.get(..16).map_or_else(|| text.clone(), |minute| minute.replace('T', " "))
}

//! `/report`: what the sessions cost and why, as `skillspan report` says it.
//!
//! It reads every session of a month, so it is made in the background, once for each part of the table that somebody
//! may see, and shown until somebody wants it anew.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::when::When;
use super::who::People;
use super::{Frame, Seen, html, is_of_form};
use crate::console::App;
use crate::console::access::Reader;
use crate::console::asked::Sent;
use crate::console::chart::{self, Part};
use crate::console::find::sees;
use crate::console::problem::Problem;
use crate::event::Timestamp;
use crate::library::{Library, WatchedSkill};
use crate::table::{Filter, Session};
use crate::views::report::{
    Cell, Cost, Published, Section, Tally, USUAL, View, grouped, published, shown, value,
};
use crate::views::whole::read_whole;

/// So many are kept, for different readers.
const MOST: usize = 8;
/// A chart has room for so many bars at least.
const FEWEST_BARS: usize = 30;
/// So often everybody is asked for, for [`super::patience`] each time.
const MOST_TRIES: usize = 300;
/// A report that failed is tried again after so long.
const REST: Duration = Duration::from_secs(10);

/// Whose sessions a report is of, and whether it names people.
type Whose = (Option<String>, Option<String>, bool);

/// The reports that were made.
#[derive(Default)]
pub(in crate::console) struct Reports(Mutex<BTreeMap<Whose, Stage>>);

enum Stage {
    Making,
    Made(Arc<Made>),
    Failed(String, Instant),
}

struct Made {
    view: View,
    at: Timestamp,
    /// What sessions showed of the skills that stand.
    skills: Vec<Published>,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    frame: Frame,
    made: Arc<Made>,
    chart: String,
}

#[derive(Template)]
#[template(path = "report-making.html")]
struct MakingPage {
    frame: Frame,
    error: String,
}

#[derive(Deserialize)]
pub(in crate::console) struct Anew {
    #[serde(default)]
    csrf: String,
}

pub(in crate::console) async fn page(State(app): State<Arc<App>>, reader: Seen) -> Response {
    let frame = Frame::new(&reader, "report", "Report");
    match ask(&app, &reader) {
        Ok(Some(made)) => {
            let chart = calls_chart(&made.view);
            html(StatusCode::OK, &Page { frame, made, chart })
        }
        Ok(None) => html(StatusCode::OK, &MakingPage { frame: frame.again(true), error: String::new() }),
        Err(error) => html(StatusCode::BAD_GATEWAY, &MakingPage { frame, error }),
    }
}

pub(in crate::console) async fn anew(
    State(app): State<Arc<App>>,
    reader: Seen,
    Sent(Anew { csrf }): Sent<Anew>,
) -> Result<Response, Problem> {
    is_of_form(&reader, &csrf)?;
    app.reports.lock(|reports| {
        reports.retain(|whose, state| *whose != whose_of(&reader) || matches!(state, Stage::Making))
    });
    let mut answer = StatusCode::SEE_OTHER.into_response();
    answer.headers_mut().insert(LOCATION, HeaderValue::from_static("/report"));
    Ok(answer)
}

/// The report as `skillspan report --json` prints it, or that it is being made.
pub(in crate::console) fn view(app: &Arc<App>, reader: &Reader) -> Result<Value, Problem> {
    match ask(app, reader) {
        Ok(Some(made)) => Ok(json!({ "made_at": When(made.at), "report": value(&made.view) })),
        Ok(None) => Ok(json!({ "made_at": null, "report": null })),
        Err(error) => Err(Problem::failed("The report", error)),
    }
}

fn whose_of(reader: &Reader) -> Whose {
    (reader.tenant.clone(), reader.workspace.clone(), reader.sees_people)
}

/// The report; `None` while it is being made, which begins now if it had not.
fn ask(app: &Arc<App>, reader: &Reader) -> Result<Option<Arc<Made>>, String> {
    let whose = whose_of(reader);
    let begin = app.reports.lock(|reports| match reports.get(&whose) {
        Some(Stage::Made(made)) => Ok(Some(Arc::clone(made))),
        Some(Stage::Making) => Ok(None),
        Some(Stage::Failed(error, at)) if at.elapsed() < REST => Err(Some(error.clone())),
        Some(Stage::Failed(..)) | None => {
            if reports.len() >= MOST {
                reports.retain(|_, state| matches!(state, Stage::Making));
            }
            reports.insert(whose.clone(), Stage::Making);
            Err(None)
        }
    });
    match begin {
        Ok(known) => return Ok(known),
        Err(Some(error)) => return Err(error),
        Err(None) => {}
    }
    let (app, reader) = (Arc::clone(app), reader.clone());
    let handle = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let state = match handle.block_on(make(&app, &reader)) {
            Ok(made) => Stage::Made(Arc::new(made)),
            Err(error) => Stage::Failed(error, Instant::now()),
        };
        app.reports.lock(|reports| reports.insert(whose, state));
    });
    Ok(None)
}

async fn make(app: &App, reader: &Reader) -> Result<Made, String> {
    let at = Timestamp::now();
    let since = at.saturating_sub(USUAL);
    let mut skills = published(&app.settings, |message| tracing::warn!("{message}"));
    skills.retain(|one| reader.tenant.as_deref().is_none_or(|tenant| one.library.is_of(tenant)));
    for one in &mut skills {
        let is_seen = |workspace: &str| sees(reader, &one.library, workspace);
        one.skills.retain(|skill| is_seen(&skill.workspace));
    }
    let mut tally = Tally::new(skills);
    for days in &app.days {
        let Some(table) = days.table().await.map_err(|error| error.to_string())? else { continue };
        let filter = Filter { owner: None, since: Some(since.date()) };
        let wanted = |session: &crate::table::Summary| {
            reader.sees(&session.tenant, &session.workspace)
                && session.last_event_at.max(session.last_ingested_at) >= since
        };
        let found =
            table.summaries(&filter, &days.options(), wanted).await.map_err(|error| error.to_string())?;
        let wanted: Vec<Session<()>> =
            found.sessions.into_iter().map(|session| session.with_facts(())).collect();
        let read = read_whole(&table, &days.options(), &wanted, |session| tally.add(&session)).await;
        read.map_err(|error| error.to_string())?;
    }
    let mut view = View::of(&tally, since, at, reader.sees_people);
    let people = everybody(app, reader).await?;
    let cells = view.sections.iter_mut().flat_map(|section| section.rows.iter_mut().flatten());
    for cell in cells {
        if let Cell::Text(text) = cell {
            *text = people.without(text);
        }
    }
    Ok(Made { view, at, skills: tally.skills })
}

/// Everybody, once they are known: to read the table takes a while.
async fn everybody(app: &App, reader: &Reader) -> Result<People, String> {
    let mut tries = 0;
    loop {
        match People::of(app, reader).await {
            Ok(people) => return Ok(people),
            Err(problem) if problem.status() == StatusCode::SERVICE_UNAVAILABLE && tries < MOST_TRIES => {
                tries += 1
            }
            Err(problem) => return Err(problem.says().to_owned()),
        }
    }
}

/// What the sessions of the last 30 days showed of a skill; `None` while they are counted, which begins now if it had
/// not.
pub(super) fn watched(
    app: &Arc<App>,
    reader: &Reader,
    library: &Library,
    name: &str,
) -> Option<WatchedSkill> {
    let made = ask(app, reader).ok().flatten()?;
    let own = made.skills.iter().filter(|one| one.library.tenant() == library.tenant());
    own.flat_map(|one| &one.skills).find(|skill| skill.name == name).cloned()
}

impl Reports {
    fn lock<T>(&self, work: impl FnOnce(&mut BTreeMap<Whose, Stage>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Page {
    /// A bar of a row, where the section draws one.
    fn bar(section: &Section, row: &[Cell]) -> String {
        let Some((first, _)) = section.drawn else { return String::new() };
        let count = |row: &[Cell]| match row.get(first) {
            Some(Cell::Count(count)) => *count,
            _ => 0,
        };
        let most = section.rows.iter().map(|row| count(row)).max().unwrap_or_default();
        chart::bar(count(row), most, "s1")
    }

    /// The number, and what explains it behind.
    fn split(value: &str) -> (&str, &str) {
        value.split_once(" (").map_or((value, ""), |(number, rest)| (number, rest.trim_end_matches(')')))
    }
}

/// Calls over time. Where there are few days, they stand at the end of an empty month, not as wide as that.
fn calls_chart(view: &View) -> String {
    let bar = |(date, cost): &(String, Cost)| {
        let failed = cost.failed.min(cost.calls);
        (date.clone(), vec![failed, cost.calls - failed])
    };
    let missing = FEWEST_BARS.saturating_sub(view.times.len());
    let empty = std::iter::repeat_with(|| (String::new(), vec![0, 0])).take(missing);
    let bars: Vec<(String, Vec<u64>)> = empty.chain(view.times.iter().map(bar)).collect();
    let bars: Vec<(&str, Vec<u64>)> =
        bars.iter().map(|(date, counts)| (date.as_str(), counts.clone())).collect();
    let parts = [Part { name: "failed", class: "bad" }, Part { name: "passed or unknown", class: "s1" }];
    let unit = if view.is_weekly { "week" } else { "day" };
    chart::stacked(&bars, &parts, &format!("Tool calls by {unit}, failed ones at the bottom"))
}

fn title(section: &Section, at: &usize) -> String {
    section.columns.get(*at).map(|column| column.title.to_owned()).unwrap_or_default()
}

/// Whether a column holds numbers or texts, for the style.
fn class(section: &Section, at: &usize) -> &'static str {
    match section.columns.get(*at) {
        Some(column) if column.least.is_none() => "n",
        _ => "t",
    }
}

fn told(cell: &Cell) -> String {
    shown(cell)
}

fn minute(at: &Timestamp) -> String {
    When(*at).minute()
}

/// The calls of the day or week with the most.
fn most_calls(view: &View) -> String {
    grouped(view.times.iter().map(|(_, cost)| cost.calls).max().unwrap_or_default())
}

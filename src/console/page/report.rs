//! `/report`: what the sessions cost and why, as `skillspan report` says it.
//!
//! It reads every session of a month, so it is made in the background, once for each part of the table that somebody
//! may see, and shown until somebody wants it anew.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::link::encoded;
use super::when::When;
use super::who::People;
use super::{Frame, Seen, html, is_of_form};
use crate::console::App;
use crate::console::access::Reader;
use crate::console::asked::Sent;
use crate::console::background::Background;
use crate::console::chart::{self, Part};
use crate::console::escape::with_code;
use crate::console::find::sees;
use crate::console::problem::Problem;
use crate::event::Timestamp;
use crate::table::{Filter, Summary};
use crate::views::report::{
    Cell, Cost, Published, Section, Tally, USUAL, View, grouped, published, shown, value,
};
use crate::views::whole::{Wanted, read_wanted};

const A_DAY: Duration = Duration::from_secs(24 * 3600);
/// A chart has room for so many bars at least.
const FEWEST_BARS: usize = 30;
/// So often everybody is asked for, for [`super::patience`] each time.
const MOST_TRIES: usize = 300;

/// A report, when it was made.
pub(in crate::console) struct Made {
    view: View,
    at: Timestamp,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    frame: Frame,
    made: Arc<Made>,
    chart: String,
    /// A new one is being made.
    is_making: bool,
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
            let is_making = app.reports.is_making(&reader);
            html(StatusCode::OK, &Page { frame: frame.again(is_making), made, chart, is_making })
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
    app.reports.renew(&reader, Duration::ZERO);
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

/// The report; `None` while it is being made, which begins now if it had not.
fn ask(app: &Arc<App>, reader: &Reader) -> Result<Option<Arc<Made>>, String> {
    Background::ask(app, |app| &app.reports, reader, make)
}

async fn make(app: Arc<App>, reader: Reader) -> Result<Made, String> {
    let at = Timestamp::now();
    let since = since(at);
    let mut tally = Tally::new(skills_of(&app, &reader));
    for days in &app.days {
        let Some(table) = days.table().await.map_err(|error| error.to_string())? else { continue };
        let filter = Filter { owner: None, since: Some(since.date()) };
        let wanted = RefCell::new(Wanted::default());
        // Of a summary no more is kept than which session it is of.
        let note = |session: &Summary| {
            if reader.sees(&session.tenant, &session.workspace)
                && session.last_event_at.max(session.last_ingested_at) >= since
            {
                wanted.borrow_mut().add(session);
            }
            false
        };
        let options = days.options();
        let found = table.summaries(&filter, &options, note).await;
        let _ = found.map_err(|error| error.to_string())?;
        let read = read_wanted(&table, &options, wanted.into_inner(), |session| tally.add(&session));
        read.await.map_err(|error| error.to_string())?;
    }
    let mut view = View::of(&tally, since, at, reader.sees_people);
    let people = everybody(&app, &reader).await?;
    let cells = view.sections.iter_mut().flat_map(|section| section.rows.iter_mut().flatten());
    for cell in cells {
        if let Cell::Text(text) = cell {
            *text = people.without(text);
        }
    }
    Ok(Made { view, at })
}

/// The begin of the first of thirty UTC days, today's the last: those of the overview.
fn since(now: Timestamp) -> Timestamp {
    let first = now.saturating_sub(USUAL - A_DAY).date();
    Timestamp::parse_rfc3339(&format!("{first}T00:00:00Z")).unwrap_or_default()
}

/// The skills that stand and that the reader may see.
pub(super) fn skills_of(app: &App, reader: &Reader) -> Vec<Published> {
    let mut skills = published(&app.settings, |message| tracing::warn!("{message}"));
    skills.retain(|one| reader.tenant.as_deref().is_none_or(|tenant| one.library.is_of(tenant)));
    for one in &mut skills {
        let is_seen = |workspace: &str| sees(reader, &one.library, workspace);
        one.skills.retain(|skill| is_seen(&skill.workspace));
    }
    skills
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

impl Page {
    /// What the first cell of a row leads to: the sessions of a repository or a person, a skill; `""` for nothing.
    fn link(&self, section: &Section, row: &[Cell], at: &usize) -> String {
        let text = |at: usize| match row.get(at) {
            Some(Cell::Text(text)) => text.as_str(),
            _ => "",
        };
        let (first, second) = (encoded(text(0)), encoded(text(1)));
        if let Some(skill) = section.of.get(*at) {
            return format!("/skills/{}", encoded(skill));
        }
        if first.is_empty() {
            return String::new();
        }
        match section.id {
            "repositories" => format!("/sessions?workspace={first}&project={second}"),
            "people" if first == "unknown" => String::new(),
            "people" => format!("/sessions?person={first}"),
            "failed-by-kind" | "failed-commands" => format!("/sessions?failing={first}"),
            "objections" => format!("/sessions?against={first}"),
            "skills" => format!("/skills/{first}"),
            _ => String::new(),
        }
    }

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
    section.columns.get(*at).map(|column| small(column.title)).unwrap_or_default()
}

/// A heading as pages write them: those of a terminal are all capitals.
fn small(title: &str) -> String {
    let mut letters = title.chars();
    let first: String = letters.next().into_iter().collect();
    format!("{first}{}", letters.as_str().to_lowercase())
}

/// What a section says, its headings as the page writes them.
fn sentence(section: &Section) -> String {
    let mut says = section.says.to_owned();
    for column in &section.columns {
        says = says.replace(column.title, &small(column.title));
    }
    says
}

/// Whether a column holds numbers or texts, for the style.
fn class(section: &Section, at: &usize) -> &'static str {
    match section.columns.get(*at) {
        Some(column) if column.least.is_none() => "n",
        _ => "t",
    }
}

/// A cell as markup: what stands between backticks is code.
fn coded(cell: &Cell) -> String {
    with_code(&shown(cell))
}

fn minute(at: &Timestamp) -> String {
    When(*at).minute()
}

/// The calls of the day or week with the most.
fn most_calls(view: &View) -> String {
    grouped(view.times.iter().map(|(_, cost)| cost.calls).max().unwrap_or_default())
}

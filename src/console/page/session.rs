//! `/sessions/{id}`: a session as it went; `/sessions/{id}/events/{event}`: one event, whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::link;
use super::timeline::{Item, Timeline, lines_of};
use super::when::When;
use super::who::People;
use super::{Frame, Seen, counted, html};
use crate::console::App;
use crate::console::access::Reader;
use crate::console::asked::{Asked, Named};
use crate::console::problem::Problem;
use crate::event::{Decision, Kind, Status};
use crate::library::Library;
use crate::skillify::account::{Account, How};
use crate::table::{Fact, Session};
use crate::views::feedback::{LONGEST_FEEDBACK, feedback_of, is_of_feedback};
use crate::views::figures::Figures;
use crate::views::phrases::{fields, length};

/// So many facts are on a page.
const ON_A_PAGE: usize = 400;

/// So many characters of a first prompt name a session.
const LONGEST_TITLE: usize = 90;

/// Which session is meant, and what of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::console) struct Meant {
    tenant: String,
    /// The part, from 1; absent: the one that holds the event.
    part: usize,
    /// The id of an observation.
    event: String,
}

/// A session.
#[derive(Debug, Serialize)]
pub(in crate::console) struct Shown {
    id: String,
    tenant: String,
    workspace: String,
    project: String,
    person: String,
    assistant: String,
    version: String,
    models: BTreeSet<String>,
    started_at: When,
    last_event_at: When,
    lasted: String,
    /// The time in which something happened: pauses of more than ten minutes left out.
    at_work: String,
    ended: bool,
    prompts: usize,
    calls: usize,
    failed: usize,
    refused: usize,
    /// Prompts that correct what was done before them.
    corrected: usize,
    interrupts: usize,
    errors: usize,
    tokens: i64,
    /// Feedback of people or their tools.
    feedback: String,
    /// Skills that rest on it.
    skills: Vec<String>,
    /// This part of it, from 1, and how many there are.
    part: usize,
    parts: usize,
    items: Vec<Item>,
    /// Whether it is too large to show whole, and this is its first part.
    #[serde(skip)]
    is_cut: bool,
    /// Where its first failed call is shown; `""` if none failed.
    #[serde(skip)]
    first_failure: String,
    /// And the first prompt that corrects something.
    #[serde(skip)]
    first_correction: String,
    #[serde(skip)]
    first_refusal: String,
    #[serde(skip)]
    first_stop: String,
    #[serde(skip)]
    first_feedback: String,
    /// How its first prompt begins, whatever part is shown.
    #[serde(skip)]
    title: String,
}

/// An event, whole.
#[derive(Debug, Serialize)]
pub(in crate::console) struct Event {
    session: String,
    tenant: String,
    kind: &'static str,
    at: When,
    tool: String,
    agent: String,
    status: &'static str,
    text: String,
    input: String,
    output: String,
    ids: Vec<String>,
    /// Of a call or its result: `ok`, `error` or `refused`; `""` if it is not known.
    #[serde(skip)]
    ended: &'static str,
    #[serde(skip)]
    took: String,
    /// What a call's result or refusal says.
    #[serde(skip)]
    answered: String,
    /// The other events of the same call.
    #[serde(skip)]
    others: Vec<Other>,
    /// The events before and after it; `""` at an end.
    #[serde(skip)]
    earlier: String,
    #[serde(skip)]
    later: String,
}

/// Another event of the same call.
#[derive(Debug)]
struct Other {
    what: &'static str,
    link: String,
}

#[derive(Template)]
#[template(path = "session.html")]
struct Page {
    frame: Frame,
    view: Shown,
}

#[derive(Template)]
#[template(path = "event.html")]
struct EventPage {
    frame: Frame,
    view: Event,
    back: String,
}

pub(in crate::console) async fn page(
    State(app): State<Arc<App>>,
    reader: Seen,
    Named(id): Named<String>,
    Asked(meant): Asked<Meant>,
) -> Result<Response, Problem> {
    let view = view(&app, &reader, &id, &meant).await?;
    let title = if view.title.is_empty() { format!("Session {id}") } else { view.title.clone() };
    let frame = Frame::new(&reader, "sessions", title);
    Ok(html(StatusCode::OK, &Page { frame, view }))
}

pub(in crate::console) async fn view(
    app: &App,
    reader: &Reader,
    id: &str,
    meant: &Meant,
) -> Result<Shown, Problem> {
    let (session, is_cut) = find(app, reader, id, meant).await?;
    let skills = skills(app, reader, &session).await;
    let (people, meant) = (People::of(app, reader).await?.and_of(&session), meant.clone());
    let making = app.readers.read(move || async move { shown(&session, &people, &meant, skills) });
    let view = making.await.map_err(|error| Problem::failed("The session", error))?;
    Ok(Shown { is_cut, ..view })
}

/// The session, and whether it is only the first of it.
async fn find(app: &App, reader: &Reader, id: &str, meant: &Meant) -> Result<(Session, bool), Problem> {
    let found = app.session(reader, (&meant.tenant, id), None).await?;
    found.ok_or_else(|| Problem::missing("such session"))
}

/// The part that is meant, from 1, and how many there are.
fn part_of(session: &Session, meant: &Meant) -> (usize, usize) {
    let parts = session.facts.len().div_ceil(ON_A_PAGE).max(1);
    let of_event = || {
        let is_it = |ids: &[String]| ids.contains(&meant.event);
        session.facts.iter().position(|fact| is_it(&fact.event_ids)).map_or(1, |at| at / ON_A_PAGE + 1)
    };
    (if meant.part == 0 { of_event() } else { meant.part.min(parts) }, parts)
}

fn shown(session: &Session, people: &People, meant: &Meant, skills: Vec<String>) -> Shown {
    let figures = Figures::of(session);
    let (part, parts) = part_of(session, meant);
    let start = (part - 1) * ON_A_PAGE;
    let facts = session.facts.iter().skip(start).take(ON_A_PAGE);
    let tokens = figures.tokens().all();
    let account = Account::of(session);
    let of = |wanted: &[How]| {
        let wanted = account.objections.iter().filter(|one| wanted.contains(&one.how));
        wanted.map(|one| one.event.as_str()).collect::<Vec<&str>>()
    };
    let (corrections, stops) = (of(&[How::Corrected]), of(&[How::Stopped]));
    let refusals = of(&[How::Refused, How::RefusedWithWords]);
    let mut items = Timeline::of(session, people).items(facts);
    for item in &mut items {
        let is_of = |events: &[&str]| item.anchors.iter().any(|anchor| events.contains(&anchor.as_str()));
        (item.corrects, item.stops) =
            (item.kind == "prompt" && is_of(&corrections), item.kind == "stop" || is_of(&stops));
    }
    let items = with_ways(items);
    let first = |events: &[&str]| {
        let told = session.facts.iter().flat_map(|fact| fact.event_ids.iter().map(String::as_str));
        let first = told.filter(|id| !id.is_empty()).find(|id| events.contains(id));
        first.map(|event| link::event(&session.tenant, &session.id, event)).unwrap_or_default()
    };
    let first_prompt = session.turns().find_map(|turn| turn.prompt());
    Shown {
        id: session.id.clone(),
        tenant: session.tenant.clone(),
        workspace: session.workspace.clone(),
        project: people.without(&session.project),
        person: people.name(&session.tenant, &session.user_id),
        assistant: people.without(&session.assistant),
        version: people.without(&figures.assistant_version),
        models: figures.models.iter().map(|model| people.without(model)).collect(),
        started_at: When(session.started_at),
        last_event_at: When(session.last_event_at),
        lasted: length(session.last_event_at.since(session.started_at)),
        at_work: length(account.active),
        ended: session.ended,
        prompts: figures.prompts,
        calls: figures.calls,
        failed: figures.failed,
        refused: figures.refused,
        corrected: corrections.len(),
        // What the list counts: a client may tell a stop in words alone.
        interrupts: figures.interrupts.max(stops.len()),
        errors: figures.errors,
        tokens,
        feedback: people.line(&feedback_of(session), LONGEST_FEEDBACK),
        skills,
        part,
        parts,
        items,
        is_cut: false,
        first_failure: first_failure(session),
        first_correction: first(&corrections),
        first_refusal: first(&refusals),
        first_stop: first(&stops),
        first_feedback: first_feedback(session),
        title: first_prompt.map(|prompt| people.title(&prompt.event.text, LONGEST_TITLE)).unwrap_or_default(),
    }
}

/// The items, each that went wrong with the ways to the next and the previous one that did so in the same way.
fn with_ways(mut items: Vec<Item>) -> Vec<Item> {
    let (mut next, mut previous) = (BTreeMap::new(), BTreeMap::new());
    let anchor = |item: &Item| item.anchors.first().cloned().unwrap_or_default();
    for item in items.iter_mut().rev().filter(|item| !item.trouble().is_empty()) {
        let found = next.insert(item.trouble(), anchor(item));
        item.ways.extend(found.map(|to| (format!("Next {}", item.trouble()), to)));
    }
    for item in items.iter_mut().filter(|item| !item.trouble().is_empty()) {
        let found = previous.insert(item.trouble(), anchor(item));
        item.ways.extend(found.map(|to| (format!("Previous {}", item.trouble()), to)));
    }
    items
}

fn first_failure(session: &Session) -> String {
    let is_failed =
        |fact: &&Fact| fact.event.kind == Kind::ToolResult && session.status_of(&fact.event) == Status::Error;
    let id = session.facts.iter().find(is_failed).and_then(|fact| fact.event_ids.first());
    id.map(|id| link::event(&session.tenant, &session.id, id)).unwrap_or_default()
}

fn first_feedback(session: &Session) -> String {
    let of_feedback = session.facts.iter().find(|fact| is_of_feedback(fact));
    let id = of_feedback.and_then(|fact| fact.event_ids.first());
    id.map(|id| link::event(&session.tenant, &session.id, id)).unwrap_or_default()
}

/// The skills that the session is evidence for and that the reader may see.
async fn skills(app: &App, reader: &Reader, session: &Session) -> Vec<String> {
    let shelved = app.shelf.all().await;
    let libraries = shelved.iter().filter_map(|one| one.library.as_ref().ok());
    let own = libraries.filter(|library| library.is_of(&session.tenant));
    let names = own.flat_map(|library| {
        let seen = super::skills::seen(library, reader);
        let supported = Library::supported_by(library, &session.tenant, &session.id);
        supported.into_iter().filter(move |name| seen.iter().any(|skill| skill.name == *name))
    });
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

pub(in crate::console) async fn event_page(
    State(app): State<Arc<App>>,
    reader: Seen,
    Named((id, event)): Named<(String, String)>,
    Asked(meant): Asked<Meant>,
) -> Result<Response, Problem> {
    let view = self::event(&app, &reader, &id, &event, &meant).await?;
    let back = link::event(&view.tenant, &id, &event);
    let frame = Frame::new(&reader, "sessions", format!("{} {}", view.named(), view.tool).trim());
    Ok(html(StatusCode::OK, &EventPage { frame, view, back }))
}

pub(in crate::console) async fn event(
    app: &App,
    reader: &Reader,
    id: &str,
    event: &str,
    meant: &Meant,
) -> Result<Event, Problem> {
    let (session, _) = find(app, reader, id, meant).await?;
    let people = People::of(app, reader).await?.and_of(&session);
    let is_it = |fact: &Fact| fact.event_ids.iter().any(|known| known == event);
    let at = session.facts.iter().position(is_it).ok_or_else(|| Problem::missing("such event"))?;
    let fact = session.facts.get(at).ok_or_else(|| Problem::missing("such event"))?;
    let beside = |at: Option<usize>| {
        let id = session.facts.get(at?)?.event_ids.first()?;
        Some(link::event_alone(&session.tenant, &session.id, id))
    };
    let (earlier, later) = (beside(at.checked_sub(1)), beside(at.checked_add(1)));
    let told = &fact.event;
    let of_call = OfCall::of(&session, fact);
    Ok(Event {
        ended: of_call.ended,
        took: of_call.took,
        answered: lines_of(&people.without(of_call.answered)),
        others: of_call.others,
        earlier: earlier.unwrap_or_default(),
        later: later.unwrap_or_default(),
        session: session.id.clone(),
        tenant: session.tenant.clone(),
        kind: told.kind.as_str(),
        at: When(told.timestamp),
        tool: people.without(&told.tool),
        agent: people.without(&told.agent),
        status: told.status.as_str(),
        text: lines_of(&people.without(&told.text)),
        input: lines_of(&people.without(&told.input)),
        output: lines_of(&people.without(&told.output)),
        ids: fact.event_ids.clone(),
    })
}

/// Facts about a call from its other events.
#[derive(Default)]
struct OfCall<'s> {
    ended: &'static str,
    took: String,
    answered: &'s str,
    others: Vec<Other>,
}

impl<'s> OfCall<'s> {
    fn of(session: &'s Session, fact: &Fact) -> Self {
        let (own, id) = (fact.event.kind, fact.event.tool_call_id.as_str());
        let is_of_call = matches!(own, Kind::ToolCall | Kind::ToolResult | Kind::Decision);
        if !is_of_call || id.is_empty() {
            return Self::default();
        }
        let of_kind = |kind: Kind| {
            let is_it = |one: &&Fact| one.event.kind == kind && one.event.tool_call_id == id;
            session.facts.iter().find(is_it)
        };
        let (call, result) = (of_kind(Kind::ToolCall), of_kind(Kind::ToolResult));
        let refusal = of_kind(Kind::Decision).filter(|one| one.event.decision == Decision::Reject);
        let took = [call, result].into_iter().flatten().map(|one| one.event.duration_us).max();
        let took =
            took.filter(|micros| *micros > 0).map(|micros| Duration::from_micros(micros.unsigned_abs()));
        let answer = refusal.map(|one| one.event.text.as_str()).filter(|text| !text.is_empty());
        let answer = answer.or(result.map(|one| one.event.output.as_str())).unwrap_or_default();
        let others = [("The call", call), ("Its result", result), ("The refusal", refusal)];
        let others = others.into_iter().filter_map(|(what, one)| Some((what, one?)));
        let others = others.filter(|(_, one)| one.event.kind != own).filter_map(|(what, one)| {
            let link = link::event_alone(&session.tenant, &session.id, one.event_ids.first()?);
            Some(Other { what, link })
        });
        Self {
            ended: match (refusal, result) {
                (Some(_), _) => "refused",
                (None, Some(result)) => session.status_of(&result.event).as_str(),
                (None, None) => "",
            },
            took: took.map(length).unwrap_or_default(),
            answered: if own == Kind::ToolCall { answer } else { "" },
            others: others.collect(),
        }
    }
}

impl Event {
    /// The input as a person reads it.
    fn fields(&self) -> String {
        fields(&self.input)
    }

    /// The event's kind, in words for readers who do not know the table.
    fn named(&self) -> &'static str {
        match self.kind {
            "prompt" => "Prompt",
            "response" => "Answer",
            "tool_call" => "Call of",
            "tool_result" => "Result of",
            "decision" => "Decision about",
            "error" => "Error",
            "feedback" => "Feedback",
            "skill_use" => "Skill loaded",
            other => other,
        }
    }
}

impl Shown {
    /// The counts in words, without the failures.
    fn what(&self) -> String {
        format!("{}, {}", counted(self.prompts as u64, "prompt"), counted(self.calls as u64, "call"))
    }

    /// What went wrong, how often, and where that is shown first.
    fn troubles(&self) -> Vec<(String, &'static str, &str)> {
        let all = [
            (self.failed, "failed", "bad", &self.first_failure),
            (self.corrected, "corrected", "", &self.first_correction),
            (self.refused, "refused", "", &self.first_refusal),
            (self.interrupts, "stopped", "", &self.first_stop),
        ];
        let some = all.into_iter().filter(|(count, ..)| *count > 0);
        some.map(|(count, what, class, link)| (format!("{count} {what}"), class, link.as_str())).collect()
    }

    fn more(&self) -> String {
        let mut told = Vec::new();
        told.extend((self.errors > 0).then(|| counted(self.errors as u64, "error")));
        let tokens = u64::try_from(self.tokens).unwrap_or_default();
        told.extend((tokens > 0).then(|| counted(tokens, "token")));
        told.iter().map(|part| format!(", {part}")).collect()
    }
}

impl Page {
    fn of_part(&self, part: usize) -> String {
        format!("{}&part={part}", link::session(&self.view.tenant, &self.view.id))
    }

    fn of_event(&self, anchor: &str) -> String {
        let Shown { id, tenant, .. } = &self.view;
        link::event_alone(tenant, id, anchor)
    }

    fn of_skill(&self, name: &str) -> String {
        link::skill(&self.view.tenant, name)
    }
}

//! `/review`: what waits for a person; `/review/{name}`: one proposal, and the decision about it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use super::cases::{Cases, NONE_BEFORE};
use super::diff::{self, Line as DiffLine};
use super::rests::{Line, rest};
use super::skills::{Entry, Event, Skill, Whose, history, seen};
use super::timeline::lines_of;
use super::who::People;
use super::{Frame, Seen, html, is_of_form, link};
use crate::console::App;
use crate::console::access::Reader;
use crate::console::asked::{Asked, Named, Sent};
use crate::console::escape::with_code;
use crate::console::find::sees;
use crate::console::problem::Problem;
use crate::event::Timestamp;
use crate::library::{Decision, Library, Listed, Remark, SaidClaim};
use crate::service::Overseer;
use crate::skillify::{Claim, short_hash};
use crate::views::skills::{decide_at, done, find};

/// So many claims of a proposal are shown with their cases.
const MOST_CLAIMS: usize = 6;

/// What waits for a person.
#[derive(Debug, Serialize)]
pub(in crate::console) struct Waiting {
    proposals: Vec<Entry>,
    /// Whether the reader decides.
    reviews: bool,
}

/// A proposal.
#[derive(Debug, Serialize)]
pub(in crate::console) struct Proposal {
    #[serde(flatten)]
    entry: Entry,
    targets: Vec<String>,
    /// Why a person has to decide, a line each.
    why: Vec<String>,
    /// The skill that a model takes it for.
    same_as: Option<String>,
    /// What would stand there.
    proposed: String,
    /// What would change.
    diff: Vec<DiffLine>,
    /// The proposed text line by line, with the evidence of each line.
    lines: Vec<Line>,
    cases: Vec<OfClaim>,
    /// Its other claims, which have pages of their own.
    more: Vec<Other>,
    /// Names what the reader saw: a decision about something else is refused.
    seen: String,
    /// What persons decided about it before, the newest first.
    #[serde(skip)]
    before: Vec<Event>,
    /// The proposal behind it in the list; `""` if it is the last.
    following: String,
    /// Its place in the list, from 1, and how many there are.
    place: usize,
    waiting: usize,
    reviews: bool,
}

#[derive(Debug, Serialize)]
struct OfClaim {
    /// The claim's number in the skill.
    number: usize,
    line: String,
    claim: String,
    counted: Option<String>,
    cases: Cases,
}

impl OfClaim {
    /// Its line as markup.
    fn told(&self) -> String {
        with_code(&self.line)
    }

    fn said(&self) -> String {
        with_code(&self.claim)
    }
}

/// A claim whose cases are on its own page.
#[derive(Debug, Serialize)]
struct Other {
    number: usize,
    line: String,
}

#[derive(Template)]
#[template(path = "review.html")]
struct ListPage {
    frame: Frame,
    view: Waiting,
    /// What was decided a moment ago, a line each, and the page of its skill; `""` if it has none.
    done: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "proposal.html")]
struct Page {
    frame: Frame,
    view: Proposal,
    /// Why the decision that was sent is not carried out, and what it said.
    wrong: String,
    reason: String,
    /// The text of the edit, if that was sent; else what is proposed.
    text: String,
    is_edited: bool,
}

/// Somebody decided while the form was open.
#[derive(Template)]
#[template(path = "decided.html")]
struct DecidedPage {
    frame: Frame,
    skill: Skill,
    /// Why nothing was done.
    says: String,
    /// What was typed, which is not lost.
    reason: String,
    text: String,
}

impl Page {
    /// Why a person has to decide, a line each.
    fn needs(&self) -> Vec<String> {
        self.view.why.iter().map(|why| needs(why)).collect()
    }

    fn of(reader: &Reader, view: Proposal) -> Self {
        let frame = Frame::new(reader, "review", format!("Review {}", view.entry.name));
        let text = view.proposed.clone();
        Self { frame, view, wrong: String::new(), reason: String::new(), text, is_edited: false }
    }
}

impl Proposal {
    /// Of how many lines the front matter of a skill that is new consists.
    fn height_of_front(&self) -> usize {
        let is_new = self.diff.iter().all(|line| line.mark == '+');
        let fences = self.diff.iter().enumerate().filter(|(_, line)| line.text == "---").map(|(at, _)| at);
        let fences: Vec<usize> = fences.take(2).collect();
        match fences.as_slice() {
            [0, end] if is_new => {
                let behind = self.diff.iter().skip(end + 1);
                end + 1 + behind.take_while(|line| line.text.is_empty()).count()
            }
            _ => 0,
        }
    }

    /// The front matter of a skill that is new: it says nothing that the head of the page does not say.
    fn front(&self) -> &[DiffLine] {
        self.diff.get(..self.height_of_front()).unwrap_or_default()
    }

    /// What else would change.
    fn body(&self) -> &[DiffLine] {
        self.diff.get(self.height_of_front()..).unwrap_or_default()
    }
}

/// What a person decides.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct Verdict {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    tenant: String,
    /// `accept`, `edit`, `refuse`, `restore` or `withdraw`.
    #[serde(default)]
    action: String,
    #[serde(default)]
    reason: String,
    /// The edited SKILL.md.
    #[serde(default)]
    text: String,
    /// What the reader saw.
    #[serde(default)]
    seen: String,
}

pub(in crate::console) async fn list_page(State(app): State<Arc<App>>, reader: Seen) -> Response {
    let view = list(&app, &reader).await;
    let skills = super::skills::list(&app, &reader).await;
    let of = |line: &str| {
        let name = line.split_once(": ").map(|(name, _)| name)?;
        skills.entries().find(|skill| skill.name == name).map(Entry::link)
    };
    let done = app.access.told(&reader).into_iter();
    let done =
        done.map(|line| (of(&line).unwrap_or_default(), line)).map(|(link, line)| (line, link)).collect();
    html(StatusCode::OK, &ListPage { frame: Frame::new(&reader, "review", "Review"), view, done })
}

pub(in crate::console) async fn list(app: &App, reader: &Reader) -> Waiting {
    let mut proposals: Vec<Entry> = Vec::new();
    for shelved in app.shelf.all().await.iter() {
        let Ok(library) = &shelved.library else { continue };
        let waiting = seen(library, reader).into_iter().filter(Listed::has_proposal);
        let tenant = app.tenant_of(library);
        for entry in waiting.map(|skill| Entry::of(&tenant, &skill)) {
            // Several targets may wait for the same word.
            if !proposals.iter().any(|known| known.name == entry.name && known.tenant == entry.tenant) {
                proposals.push(entry);
            }
        }
    }
    // What most sessions show comes first.
    proposals.sort_by(|a, b| (b.sessions, &a.name).cmp(&(a.sessions, &b.name)));
    Waiting { proposals, reviews: reader.reviews }
}

pub(in crate::console) async fn page(
    State(app): State<Arc<App>>,
    reader: Seen,
    Named(name): Named<String>,
    Asked(whose): Asked<Whose>,
) -> Result<Response, Problem> {
    match view(&app, &reader, &name, &whose).await {
        Ok(view) => Ok(html(StatusCode::OK, &Page::of(&reader, view))),
        // It was decided: its skill tells how.
        Err(problem) if problem.status() == StatusCode::NOT_FOUND && is_known(&app, &reader, &name).await => {
            led_to(&link::skill(&whose.tenant, &name))
        }
        Err(problem) => Err(problem),
    }
}

/// Whether a skill that the reader may see has this name.
async fn is_known(app: &App, reader: &Reader, name: &str) -> bool {
    let shelved = app.shelf.all().await;
    let mut libraries = shelved.iter().filter_map(|one| one.library.as_ref().ok());
    libraries.any(|library| seen(library, reader).iter().any(|skill| skill.name == name))
}

fn led_to(address: &str) -> Result<Response, Problem> {
    let mut answer = StatusCode::SEE_OTHER.into_response();
    let failed = |error| Problem::failed("The next page", error);
    answer.headers_mut().insert(LOCATION, HeaderValue::from_str(address).map_err(failed)?);
    Ok(answer)
}

pub(in crate::console) async fn view(
    app: &Arc<App>,
    reader: &Reader,
    name: &str,
    whose: &Whose,
) -> Result<Proposal, Problem> {
    let shelved = app.shelf.all().await;
    let libraries =
        shelved.iter().filter_map(|one| Some((one.target.to_string(), one.library.as_ref().ok()?)));
    let all: Vec<(String, &Library, Listed)> = libraries
        .filter(|(_, library)| whose.tenant.is_empty() || library.is_of(&whose.tenant))
        .filter_map(|(target, library)| {
            let skill = seen(library, reader).into_iter().find(|skill| skill.name == name)?;
            Some((target, library, skill))
        })
        .filter(|(_, _, skill)| skill.has_proposal())
        .collect();
    let (_, library, skill) = all.first().ok_or_else(|| Problem::missing("such proposal"))?;
    let standing = library.file(&skill.path).unwrap_or_default();
    let proposed = skill.proposal.clone().unwrap_or_else(|| standing.to_owned());
    let said = library.said(name, true);
    let mut claims: Vec<(String, SaidClaim)> = Vec::new();
    for line in &said {
        claims.extend(line.claims.iter().map(|claim| (line.text.clone(), claim.clone())));
    }
    let more = claims.iter().enumerate().skip(MOST_CLAIMS);
    let more = more.map(|(at, (line, _))| Other { number: at + 1, line: line.clone() }).collect();
    let shown: Vec<&Claim> = claims.iter().take(MOST_CLAIMS).map(|(_, claim)| &claim.claim).collect();
    let found = Cases::of(app, reader, (library, &skill.workspace), &shown, 0).await?;
    let cases = claims.iter().enumerate().zip(found).map(|((at, (line, claim)), cases)| OfClaim {
        number: at + 1,
        line: line.clone(),
        claim: claim.claim.told(),
        counted: claim.counted.clone(),
        cases,
    });
    let cases = cases.collect();
    let (entry, list) = (Entry::of(&app.tenant_of(library), skill), list(app, reader).await.proposals);
    let own = list.iter().position(|other| other.name == entry.name && other.tenant == entry.tenant);
    let following = own.and_then(|own| list.get(own + 1)).map(Entry::review_link).unwrap_or_default();
    Ok(Proposal {
        following,
        place: own.map_or(0, |own| own + 1),
        waiting: list.len(),
        entry,
        targets: all.iter().map(|(target, _, _)| target.clone()).collect(),
        why: skill.review.clone(),
        same_as: skill.same_as.clone(),
        before: history(skill, reader.sees_people).into_iter().filter(|event| !event.at.is_empty()).collect(),
        diff: diff::lines(standing, &proposed),
        lines: rest(app, (reader, &People::of(app, reader).await?), &proposed, said).await,
        cases,
        more,
        seen: mark(skill),
        reviews: reader.reviews,
        proposed,
    })
}

/// Why a person has to decide, in words for readers who do not know the configuration: `send: ssh` is a class of
/// commands and the command in it.
fn needs(why: &str) -> String {
    let Some((class, what)) = why.split_once(": ") else { return why.to_owned() };
    let does = match class {
        "fetch" => "it fetches something",
        "fetched-code" => "it runs code that was fetched",
        "publish" => "it publishes: pushes, releases or deploys",
        "send" => "it speaks with another machine, or shows secrets",
        "administer" => "it changes the machine, an account or a cluster, or switches a protection off",
        "unknown" => "nobody knows what it does",
        "rule" => {
            return "people asked for it in words, once or as a rule: no count proves that it shall hold from now on, so a \
                    person decides"
                .to_owned();
        }
        "author" => return "a model wrote it from what sessions show; no count proves its words".to_owned(),
        _ => return why.to_owned(),
    };
    format!("{does}: {what} ({class})")
}

/// Names what is proposed.
fn mark(skill: &Listed) -> String {
    short_hash(
        &[skill.proposal.as_deref().unwrap_or_default(), skill.same_as.as_deref().unwrap_or_default()],
        8,
    )
}

pub(in crate::console) async fn decide_page(
    State(app): State<Arc<App>>,
    reader: Seen,
    Named(name): Named<String>,
    Sent(verdict): Sent<Verdict>,
) -> Result<Response, Problem> {
    is_of_form(&reader, &verdict.csrf)?;
    let tenant = verdict.tenant.clone();
    let is_of_skill = verdict.action == "restore" || verdict.action == "withdraw";
    let back = if is_of_skill { link::skill(&tenant, &name) } else { "/review".to_owned() };
    let (reason, text, is_edited) =
        (verdict.reason.clone(), lines_of(&verdict.text), verdict.action == "edit");
    match decide(&app, &reader, &name, verdict).await {
        Ok(done) => app.access.tell(&reader, done),
        // The form comes back with the person's text, beside the reason, so that nothing is lost.
        Err(problem) if problem.status() == StatusCode::CONFLICT => {
            let whose = Whose { tenant };
            let Ok(view) = view(&app, &reader, &name, &whose).await else {
                let text = if is_edited { text } else { String::new() };
                return too_late(&app, &reader, (&name, &whose), problem, (reason, text)).await;
            };
            let page = Page::of(&reader, view);
            let text = if is_edited { text } else { page.text };
            let wrong = problem.says().to_owned();
            return Ok(html(StatusCode::CONFLICT, &Page { wrong, reason, text, is_edited, ..page }));
        }
        Err(problem) if problem.status() == StatusCode::NOT_FOUND => {
            let text = if is_edited { text } else { String::new() };
            return too_late(&app, &reader, (&name, &Whose { tenant }), problem, (reason, text)).await;
        }
        Err(problem) => return Err(problem),
    }
    led_to(&back)
}

/// The page after a form that came too late: the skill's state now, and the text that was typed.
async fn too_late(
    app: &Arc<App>,
    reader: &Reader,
    (name, whose): (&str, &Whose),
    problem: Problem,
    (reason, text): (String, String),
) -> Result<Response, Problem> {
    let Ok(skill) = super::skills::view(app, reader, name, whose).await else { return Err(problem) };
    let (title, says) = match problem.status() {
        StatusCode::NOT_FOUND => {
            (format!("{name} was decided meanwhile"), "Nothing was done now.".to_owned())
        }
        _ => ("Not done".to_owned(), format!("{}.", problem.says().trim_end_matches('.'))),
    };
    let frame = Frame::new(reader, "review", title);
    Ok(html(StatusCode::CONFLICT, &DecidedPage { frame, skill, says, reason, text }))
}

/// Carries a decision out at every target that has the skill; what was done, a line each.
pub(in crate::console) async fn decide(
    app: &App,
    reader: &Reader,
    name: &str,
    verdict: Verdict,
) -> Result<Vec<String>, Problem> {
    if !reader.reviews {
        return Err(Problem::new(StatusCode::FORBIDDEN, "Deciding takes a token with the role `review`."));
    }
    let decision = match verdict.action.as_str() {
        "accept" | "edit" => Decision::Approve,
        "refuse" => Decision::Reject,
        "restore" => Decision::Restore,
        "withdraw" => Decision::Withdraw,
        _ => {
            let says = "Say `action`: accept, edit, refuse, restore or withdraw.";
            return Err(Problem::new(StatusCode::BAD_REQUEST, says));
        }
    };
    let text = (verdict.action == "edit").then(|| verdict.text.clone());
    let (at, by) = (Timestamp::now().to_string(), reader.name.clone());
    let remark = Remark { reason: verdict.reason.clone(), text, at, by };
    let (settings, overseer) = (app.settings.clone(), app.overseer.clone());
    let (reader, name) = (reader.clone(), name.to_owned());
    let deciding = tokio::task::spawn_blocking(move || {
        carry_out((&settings, overseer.as_ref()), &reader, &name, decision, &remark, &verdict)
    });
    let done = deciding.await.map_err(|error| Problem::failed("The decision", error))?;
    app.shelf.now().await;
    done
}

/// Blocks.
fn carry_out(
    (settings, overseer): (&crate::config::Settings, Option<&Overseer>),
    reader: &Reader,
    name: &str,
    decision: Decision,
    remark: &Remark,
    verdict: &Verdict,
) -> Result<Vec<String>, Problem> {
    let tenant =
        reader.tenant.clone().or_else(|| Some(verdict.tenant.clone()).filter(|name| !name.is_empty()));
    let conflict = |says: String| Problem::new(StatusCode::CONFLICT, says);
    let mut found = find(settings, name, tenant.as_deref()).map_err(|error| conflict(error.to_string()))?;
    found.retain(|found| sees(reader, &found.library, &found.skill.workspace));
    let is_of_proposal = matches!(decision, Decision::Approve | Decision::Reject);
    if is_of_proposal {
        found.retain(|found| found.skill.has_proposal());
    }
    if found.is_empty() {
        return Err(Problem::missing(if is_of_proposal { "such proposal" } else { "such skill" }));
    }
    if is_of_proposal && found.iter().any(|found| mark(&found.skill) != verdict.seen) {
        let says =
            "The proposal has changed since you saw it. Open it again, and decide about what it says now.";
        return Err(conflict(says.to_owned()));
    }
    let mut lines = Vec::new();
    for found in &found {
        let report = decide_at(found, decision, remark.clone(), Timestamp::now())
            .map_err(|error| conflict(format!("{:#}", anyhow::Error::from(error))))?;
        let what = if remark.text.is_some() { "your text is in place" } else { done(decision, found) };
        if let Some(overseer) = overseer {
            overseer.decided(&found.target.to_string());
        }
        lines.push(format!("{}: {what} (at {}).", found.skill.name, found.target));
        lines.extend(report.notes.iter().cloned());
        tracing::info!(skill = found.skill.name, target = %found.target, by = reader.name, "{what}");
    }
    Ok(lines)
}

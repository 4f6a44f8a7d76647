//! `/review`: what waits for a person; `/review/{name}`: one proposal, and the decision about it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use super::cases::Cases;
use super::diff::{self, Line as DiffLine};
use super::skills::{Entry, Line, Whose, rest, seen};
use super::{Frame, Seen, html, is_of_form, link};
use crate::console::App;
use crate::console::access::Reader;
use crate::console::find::sees;
use crate::console::problem::Problem;
use crate::event::Timestamp;
use crate::library::{Decision, Library, Listed, Remark, SaidClaim};
use crate::skillify::short_hash;
use crate::views::skills::{decide_at, find};

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
    /// What would stand there line by line, with what each line rests on.
    lines: Vec<Line>,
    cases: Vec<OfClaim>,
    /// Names what the reader saw: a decision about something else is refused.
    seen: String,
    reviews: bool,
}

#[derive(Debug, Serialize)]
struct OfClaim {
    line: String,
    claim: String,
    counted: Option<String>,
    cases: Cases,
}

#[derive(Template)]
#[template(path = "review.html")]
struct ListPage {
    frame: Frame,
    view: Waiting,
    done: String,
}

#[derive(Template)]
#[template(path = "proposal.html")]
struct Page {
    frame: Frame,
    view: Proposal,
}

/// What was decided a moment ago.
#[derive(Debug, Default, Deserialize)]
pub(in crate::console) struct Done {
    #[serde(default)]
    done: String,
}

/// What a person decides.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct Verdict {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    tenant: String,
    /// `accept`, `edit`, `refuse` or `restore`.
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

pub(in crate::console) async fn list_page(
    State(app): State<Arc<App>>,
    reader: Seen,
    Query(Done { done }): Query<Done>,
) -> Response {
    let view = list(&app, &reader).await;
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
    Waiting { proposals, reviews: reader.reviews }
}

pub(in crate::console) async fn page(
    State(app): State<Arc<App>>,
    reader: Seen,
    Path(name): Path<String>,
    Query(whose): Query<Whose>,
) -> Result<Response, Problem> {
    let view = view(&app, &reader, &name, &whose).await?;
    let frame = Frame::new(&reader, "review", format!("Review {name}"));
    Ok(html(StatusCode::OK, &Page { frame, view }))
}

pub(in crate::console) async fn view(
    app: &App,
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
    let mut cases = Vec::new();
    let mut claims: Vec<(String, SaidClaim)> = Vec::new();
    for line in &said {
        claims.extend(line.claims.iter().map(|claim| (line.text.clone(), claim.clone())));
    }
    for (line, claim) in claims.into_iter().take(MOST_CLAIMS) {
        cases.push(OfClaim {
            line,
            claim: claim.claim.told(),
            counted: claim.counted.clone(),
            cases: Cases::of(app, reader, (library, &skill.workspace), &claim.claim).await?,
        });
    }
    Ok(Proposal {
        entry: Entry::of(&app.tenant_of(library), skill),
        targets: all.iter().map(|(target, _, _)| target.clone()).collect(),
        why: skill.review.clone(),
        same_as: skill.same_as.clone(),
        diff: diff::lines(standing, &proposed),
        lines: rest(app, reader, &proposed, said).await,
        cases,
        seen: mark(skill),
        reviews: reader.reviews,
        proposed,
    })
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
    Path(name): Path<String>,
    Form(verdict): Form<Verdict>,
) -> Result<Response, Problem> {
    is_of_form(&reader, &verdict.csrf)?;
    let tenant = verdict.tenant.clone();
    let back = if verdict.action == "restore" { Some(link::skill(&tenant, &name)) } else { None };
    let done = decide(&app, &reader, &name, verdict).await?;
    let back = back.unwrap_or_else(|| format!("/review?done={}", link::encoded(&done.join(" "))));
    let mut answer = StatusCode::SEE_OTHER.into_response();
    let failed = |error| Problem::failed("The next page", error);
    answer.headers_mut().insert(LOCATION, HeaderValue::from_str(&back).map_err(failed)?);
    Ok(answer)
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
        _ => {
            let says = "Say `action`: accept, edit, refuse or restore.";
            return Err(Problem::new(StatusCode::BAD_REQUEST, says));
        }
    };
    let text = (verdict.action == "edit").then(|| verdict.text.clone());
    let remark = Remark { reason: verdict.reason.clone(), text };
    let (settings, reader, name) = (app.settings.clone(), reader.clone(), name.to_owned());
    let deciding = tokio::task::spawn_blocking(move || {
        carry_out(&settings, &reader, &name, decision, &remark, &verdict)
    });
    let done = deciding.await.map_err(|error| Problem::failed("The decision", error))?;
    app.shelf.now().await;
    done
}

/// Blocks.
fn carry_out(
    settings: &crate::config::Settings,
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
    if decision != Decision::Restore {
        found.retain(|found| found.skill.has_proposal());
    }
    if found.is_empty() {
        return Err(Problem::missing("such proposal"));
    }
    if decision != Decision::Restore && found.iter().any(|found| mark(&found.skill) != verdict.seen) {
        let says =
            "The proposal has changed since you saw it. Open it again, and decide about what it says now.";
        return Err(conflict(says.to_owned()));
    }
    let mut done = Vec::new();
    for found in &found {
        let report = decide_at(found, decision, remark.clone(), Timestamp::now())
            .map_err(|error| conflict(format!("{:#}", anyhow::Error::from(error))))?;
        let what = match decision {
            Decision::Approve => "the proposal is in place",
            Decision::Reject => "the proposal is dropped and not made again",
            Decision::Restore => "it stands again",
        };
        done.push(format!("{}: {}: {what}.", found.target, found.skill.name));
        done.extend(report.notes.iter().cloned());
        tracing::info!(skill = found.skill.name, target = %found.target, by = reader.name, "{what}");
    }
    Ok(done)
}

//! `/skills`: what stands at the targets; `/skills/{name}`: the file, and what each line of it rests on. (Its cases:
//! `claim.rs`.)

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::diff::{self, Line as DiffLine};
use super::effect::{Counted, Measured, OfWeek, effect, watched, weeks, weeks_chart};
use super::rests::{Line, rest};
use super::who::People;
use super::{Frame, Seen, html, link};
use crate::console::App;
use crate::console::access::Reader;
use crate::console::asked::{Asked, Named};
use crate::console::escape::with_code;
use crate::console::find;
use crate::console::problem::Problem;
use crate::library::{Library, Listed, ListedEvent, Standing};

/// What stands at the targets.
#[derive(Debug, Serialize)]
pub(in crate::console) struct Skills {
    targets: Vec<Target>,
}

#[derive(Debug, Serialize)]
struct Target {
    target: String,
    /// Why it cannot be read.
    error: Option<String>,
    skills: Vec<Entry>,
}

/// A skill in a list.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) tenant: String,
    pub(super) workspace: String,
    pub(super) state: &'static str,
    /// The same for people, who may have done one of several things.
    #[serde(skip)]
    pub(super) told: &'static str,
    pub(super) version: u64,
    pub(super) support: String,
    /// How many sessions its claims rest on.
    #[serde(skip)]
    pub(super) sessions: usize,
    pub(super) description: String,
    pub(super) has_proposal: bool,
}

/// A skill.
#[derive(Debug, Serialize)]
pub(in crate::console) struct Skill {
    #[serde(flatten)]
    pub(super) entry: Entry,
    id: String,
    path: String,
    /// The targets that have it.
    targets: Vec<String>,
    /// Whether assistants read the text.
    heading: &'static str,
    /// A person's changes to the generated text.
    edited: Vec<DiffLine>,
    /// The SKILL.md, line by line.
    lines: Vec<Line>,
    /// What sessions showed: before it was published, and later with it and without it.
    effect: Vec<Measured>,
    /// The same week by week, the oldest first.
    weeks: Vec<OfWeek>,
    /// The UTC date on which it was published: that of the newest session that it was first published with.
    published: String,
    /// Whether the sessions are still being counted.
    is_counting: bool,
    /// Why they could not be counted; `""` if they could.
    #[serde(skip)]
    not_counted: String,
    pub(super) history: Vec<Event>,
    /// Whether it was refused before it stood anywhere.
    #[serde(skip)]
    never_stood: bool,
    /// What changed from version to version, the newest first.
    changes: Vec<Version>,
    /// What persons made of its proposals, the newest first.
    decisions: Vec<Decided>,
    /// Skills that are like it, those that people wrote among them.
    near: Vec<Near>,
    /// The other skills of its workspace.
    beside: Vec<Entry>,
}

/// A skill that is like another.
#[derive(Debug, Serialize)]
struct Near {
    name: String,
    /// What the two have in common.
    why: String,
    is_hand_written: bool,
    /// Its page; `""` if it has none.
    link: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Event {
    date: String,
    version: u64,
    pub(super) what: String,
    /// When a person did it, RFC 3339; `""` if it was no person, or that is not known.
    pub(super) at: String,
    /// The person's name, for readers who may see people.
    pub(super) by: String,
}

impl Event {
    pub(super) fn minute(&self) -> String {
        self.at.get(..16).map(|minute| minute.replace('T', " ")).unwrap_or_default()
    }
}

/// A proposal that a person refused or edited.
#[derive(Debug, Serialize)]
struct Decided {
    date: String,
    version: u64,
    /// `refused` or `edited`.
    what: &'static str,
    /// The rejected change, or the person's change.
    diff: Vec<DiffLine>,
}

#[derive(Debug, Serialize)]
struct Version {
    version: u64,
    diff: Vec<DiffLine>,
}

#[derive(Template)]
#[template(path = "skills.html")]
struct SkillsPage {
    frame: Frame,
    view: Skills,
}

#[derive(Template)]
#[template(path = "skill.html")]
struct SkillPage {
    frame: Frame,
    view: Skill,
    /// What was decided a moment ago, a line each.
    done: Vec<String>,
}

/// Whose skill is meant.
#[derive(Debug, Default, Deserialize)]
pub(in crate::console) struct Whose {
    #[serde(default)]
    pub(super) tenant: String,
}

pub(in crate::console) async fn list_page(State(app): State<Arc<App>>, reader: Seen) -> Response {
    let view = list(&app, &reader).await;
    html(StatusCode::OK, &SkillsPage { frame: Frame::new(&reader, "skills", "Skills"), view })
}

pub(in crate::console) async fn list(app: &App, reader: &Reader) -> Skills {
    let mut targets = Vec::new();
    for shelved in app.shelf.all().await.iter() {
        let target = shelved.target.to_string();
        match &shelved.library {
            Ok(library) => {
                let tenant = app.tenant_of(library);
                let skills: Vec<Entry> =
                    seen(library, reader).iter().map(|skill| Entry::of(&tenant, skill)).collect();
                if reader.sees_the_process() || !skills.is_empty() {
                    targets.push(Target { target, error: None, skills });
                }
            }
            Err(error) if reader.sees_the_process() => {
                targets.push(Target { target, error: Some(error.clone()), skills: Vec::new() });
            }
            Err(_) => {}
        }
    }
    Skills { targets }
}

pub(in crate::console) async fn page(
    State(app): State<Arc<App>>,
    reader: Seen,
    Named(name): Named<String>,
    Asked(whose): Asked<Whose>,
) -> Result<Response, Problem> {
    let view = view(&app, &reader, &name, &whose).await?;
    let frame = Frame::new(&reader, "skills", name);
    let done = app.access.told(&reader);
    Ok(html(StatusCode::OK, &SkillPage { frame, view, done }))
}

/// The skills of a library that the reader may see.
pub(in crate::console) fn seen(library: &Library, reader: &Reader) -> Vec<Listed> {
    library.skills().into_iter().filter(|skill| find::sees(reader, library, &skill.workspace)).collect()
}

/// What became of a skill, in a word or a few: that it stands comes first.
pub(super) fn told(skill: &Listed) -> &'static str {
    match skill.standing {
        Standing::HandEdited => "published, edited by a person",
        Standing::HandWritten => "written by people",
        _ => skill.state(),
    }
}

/// How many sessions the claims of a skill rest on.
fn sessions_of(skill: &Listed) -> usize {
    let sessions = skill.evidence.iter().flat_map(|claim| &claim.sessions);
    sessions.map(|(_, hash, ..)| hash.as_str()).collect::<BTreeSet<_>>().len()
}

impl Skills {
    /// The skills of all targets.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.targets.iter().flat_map(|target| &target.skills)
    }
}

impl Entry {
    pub(super) fn of(tenant: &str, skill: &Listed) -> Self {
        Self {
            name: skill.name.clone(),
            tenant: tenant.to_owned(),
            workspace: skill.workspace.clone(),
            state: skill.standing.as_str(),
            told: told(skill),
            version: skill.version,
            support: skill.support.clone(),
            sessions: sessions_of(skill),
            description: skill.description.clone(),
            has_proposal: skill.has_proposal(),
        }
    }

    pub(super) fn link(&self) -> String {
        link::skill(&self.tenant, &self.name)
    }

    /// Its description as markup.
    pub(super) fn described(&self) -> String {
        with_code(&self.description)
    }

    pub(super) fn claim_link(&self, number: &usize) -> String {
        let (name, tenant) = (link::encoded(&self.name), link::encoded(&self.tenant));
        format!("/skills/{name}/claims/{number}?tenant={tenant}")
    }

    pub(super) fn review_link(&self) -> String {
        format!("/review/{}?tenant={}", link::encoded(&self.name), link::encoded(&self.tenant))
    }
}

impl Skill {
    /// Whether it stands, and no proposal waits about it.
    fn may_be_withdrawn(&self) -> bool {
        matches!(self.entry.state, "published" | "hand-edited" | "proposed") && !self.entry.has_proposal
    }

    /// Whether the standing text differs by more than the last decision's change.
    fn shows_what_stands(&self) -> bool {
        !self.edited.is_empty() && !self.decisions.first().is_some_and(|last| last.diff == self.edited)
    }

    /// The front matter: the words by which assistants load the skill; the head of the page shows them too.
    fn front(&self) -> &[Line] {
        let end = self.lines.iter().skip(1).position(|line| line.text == "---").map_or(0, |at| at + 2);
        let is_front = self.lines.first().is_some_and(|line| line.text == "---");
        let end = if is_front { end } else { 0 };
        self.lines.get(..end).unwrap_or_default()
    }

    /// What stands below it.
    fn body(&self) -> &[Line] {
        self.lines.get(self.front().len()..).unwrap_or_default()
    }

    /// Whether a session of the weeks had it.
    fn is_loaded(&self) -> bool {
        self.weeks.iter().any(|week| week.with.sessions > 0)
    }

    /// The failed calls of a session in the week with the most.
    fn most_failures(&self) -> String {
        let sides = self.weeks.iter().flat_map(|week| [&week.with, &week.without]);
        format!("{}", sides.map(|side| side.failures).fold(0.0, f64::max))
    }
}

pub(in crate::console) async fn view(
    app: &Arc<App>,
    reader: &Reader,
    name: &str,
    whose: &Whose,
) -> Result<Skill, Problem> {
    let shelved = app.shelf.all().await;
    let libraries = shelved
        .iter()
        .filter_map(|shelved| Some((shelved.target.to_string(), shelved.library.as_ref().ok()?)));
    let is_meant = |library: &Library| whose.tenant.is_empty() || library.is_of(&whose.tenant);
    let all: Vec<(String, &Library, Listed)> = libraries
        .filter(|(_, library)| is_meant(library))
        .filter_map(|(target, library)| {
            let skill = seen(library, reader).into_iter().find(|skill| skill.name == *name)?;
            Some((target, library, skill))
        })
        .collect();
    let (_, library, skill) = all.first().ok_or_else(|| Problem::missing("such skill"))?;
    let standing = library.file(&skill.path);
    let remembered =
        if standing.is_none() && skill.proposal.is_none() { library.last_said(name) } else { None };
    let text = standing.or(skill.proposal.as_deref()).or(remembered.as_deref()).unwrap_or_default();
    let heading = match (standing, &skill.proposal) {
        (Some(_), _) => "What assistants read",
        (None, Some(_)) => "What assistants would read",
        (None, None) if skill.never_stood() => "What it would have said",
        (None, None) => "What it said; no assistant reads it now",
    };
    let is_proposed = standing.is_none() && skill.proposal.is_some();
    let people = People::of(app, reader).await?;
    let lines = rest(app, (reader, &people), text, library.said(name, is_proposed)).await;
    let (workspace, tenant) = (skill.workspace.clone(), app.tenant_of(library));
    // What waits or is gone has no sessions that had it.
    let counted = if skill.standing != Standing::Waiting && standing.is_some() {
        Some(watched(app, reader, library, name))
    } else {
        None
    };
    let watched = counted.as_ref().and_then(Counted::seen);
    let near = near(library, reader, &tenant, name);
    let beside = seen(library, reader).into_iter();
    let beside = beside.filter(|other| other.workspace == workspace && other.name != *name);
    Ok(Skill {
        entry: Entry::of(&tenant, skill),
        id: skill.id.clone(),
        path: skill.path.clone(),
        targets: all.iter().map(|(target, _, _)| target.clone()).collect(),
        lines,
        heading,
        edited: edited(library, skill, standing),
        is_counting: matches!(counted, Some(Counted::Pending)),
        not_counted: match &counted {
            Some(Counted::Failed(error)) => error.clone(),
            _ => String::new(),
        },
        effect: effect(watched, skill),
        weeks: watched.map(weeks).unwrap_or_default(),
        published: watched.map(|watched| watched.published.clone()).unwrap_or_default(),
        history: history(skill, reader.sees_people),
        never_stood: skill.never_stood(),
        changes: changes(library, name),
        decisions: decisions(library, name),
        beside: beside
            .filter(|other| !near.iter().any(|near| near.name == other.name))
            .map(|other| Entry::of(&tenant, &other))
            .collect(),
        near,
    })
}

/// A person's changes to the generated text that stands.
fn edited(library: &Library, skill: &Listed, standing: Option<&str>) -> Vec<DiffLine> {
    match (standing, library.remembered(&skill.name)) {
        (Some(standing), Some(generated)) if skill.standing == Standing::HandEdited => {
            diff::lines(&generated, standing)
        }
        _ => Vec::new(),
    }
}

/// Its history, the newest first.
pub(super) fn history(skill: &Listed, names_people: bool) -> Vec<Event> {
    let events = skill.history.iter().rev();
    let told = |event: &ListedEvent| Event {
        date: event.date.clone(),
        version: event.version,
        what: event.what.replacen("a person rejected", "a person refused", 1).replacen(
            "a person restored it",
            "a person brought it back",
            1,
        ),
        at: event.at.clone(),
        by: if names_people { event.by.clone() } else { String::new() },
    };
    events.map(told).collect()
}

/// The skills of the library that are like this one.
fn near(library: &Library, reader: &Reader, tenant: &str, name: &str) -> Vec<Near> {
    let seen = seen(library, reader);
    let has_page = |name: &str| seen.iter().any(|skill| skill.name == name);
    let neighbours = library.neighbours(name).into_iter();
    let shown = neighbours.filter(|near| near.is_hand_written || has_page(&near.name));
    let near = shown.map(|near| Near {
        link: if has_page(&near.name) { link::skill(tenant, &near.name) } else { String::new() },
        name: near.name,
        why: near.why,
        is_hand_written: near.is_hand_written,
    });
    near.collect()
}

/// The changes from version to version, the newest first; the first version is no change.
fn changes(library: &Library, name: &str) -> Vec<Version> {
    let versions = library.versions(name);
    let pairs = versions.iter().zip(versions.iter().skip(1));
    let mut changes: Vec<Version> = pairs
        .map(|((_, before), (version, after))| Version {
            version: *version,
            diff: diff::lines(before, after),
        })
        .collect();
    // What is brought back as it was has another number and says the same.
    changes.retain(|change| change.says_something());
    changes.reverse();
    changes
}

impl Version {
    /// Whether more changed than its number.
    fn says_something(&self) -> bool {
        let mut changed = self.diff.iter().filter(|line| matches!(line.mark, '+' | '-'));
        changed.any(|line| !line.text.trim_start().starts_with("skillspan-version:"))
    }
}

/// What persons refused or edited, the newest first.
fn decisions(library: &Library, name: &str) -> Vec<Decided> {
    let decisions = library.decisions(name).into_iter().rev();
    let decisions = decisions.map(|one| Decided {
        what: if one.is_refused { "refused" } else { "edited" },
        diff: diff::lines(&one.before, &one.after),
        date: one.date,
        version: one.version,
    });
    decisions.collect()
}

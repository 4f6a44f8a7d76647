//! Pieces of work that are alike: what they are called, what they cost, what became of them;
//! `/work/clusters/{id}`: one such cluster with its sessions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::candidate::{Candidate, candidates};
use super::link::{self, encoded};
use super::who::People;
use super::{Frame, Seen, counted, html, patience};
use crate::console::App;
use crate::console::access::Reader;
use crate::console::asked::{Asked, Named};
use crate::console::find::Known;
use crate::console::problem::Problem;
use crate::library::session_hash;
use crate::service::record::{Kept, KeptCandidate, KeptGroup, KeptMember};
use crate::skillify::Claim;
use crate::views::phrases::length;
use crate::views::report::grouped;

/// So many characters of a first prompt name a session.
const LONGEST_TITLE: usize = 90;

/// Pieces of work that are alike.
#[derive(Debug, Serialize)]
pub(in crate::console) struct Cluster {
    /// Names it in its workspace, as long as the record stands.
    pub(super) id: String,
    /// What many of its pieces ran, and words that many of their prompts have.
    pub(super) name: String,
    pub(super) segments: u64,
    pub(super) sessions: u64,
    pub(super) people: u64,
    /// Tokens that were read and written for it, as far as clients say.
    pub(super) tokens: u64,
    /// How long it took, pauses of more than ten minutes left out.
    pub(super) seconds: u64,
    /// Its state, as a candidate's; also `nothing` if its sessions have too little in common.
    pub(super) became: &'static str,
    /// The skill with its lessons; `""` if there is none.
    pub(super) skill: String,
    /// Its page, or that of the proposal that waits; `""` if there is neither.
    pub(super) link: String,
    /// Its lessons, or why it has none.
    pub(super) says: String,
    /// Whether something could be said of it.
    #[serde(skip)]
    pub(super) is_found: bool,
    /// Its own page.
    pub(super) page: String,
    /// The days of its sessions, `2026-01-05 to 2026-02-11`, which tell groups of one name apart.
    #[serde(skip)]
    pub(super) days: String,
    /// What it ran, and words of its prompts: the parts of its name.
    #[serde(skip)]
    pub(super) parts: Vec<String>,
    /// Its name, what few others have first.
    #[serde(skip)]
    pub(super) label: String,
}

/// A cluster with its sessions.
#[derive(Debug, Serialize)]
pub(in crate::console) struct Whole {
    tenant: String,
    workspace: String,
    cluster: Cluster,
    /// The newest first, two hundred of them.
    members: Vec<Member>,
}

/// A session with pieces of a cluster.
#[derive(Debug, Serialize)]
struct Member {
    session: String,
    /// How its first prompt begins; `""` if that was not read yet.
    title: String,
    person: String,
    /// When its first piece of the cluster began, RFC 3339.
    began_at: String,
    segments: u64,
    tokens: u64,
    seconds: u64,
    link: String,
}

/// Which cluster is meant.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::console) struct Meant {
    tenant: String,
    workspace: String,
}

#[derive(Template)]
#[template(path = "cluster.html")]
struct Page {
    frame: Frame,
    view: Whole,
}

pub(in crate::console) async fn page(
    State(app): State<Arc<App>>,
    reader: Seen,
    Named(id): Named<String>,
    Asked(meant): Asked<Meant>,
) -> Result<Response, Problem> {
    let view = view(&app, &reader, &id, &meant).await?;
    let frame = Frame::new(&reader, "work", view.cluster.name.clone());
    Ok(html(StatusCode::OK, &Page { frame, view }))
}

pub(in crate::console) async fn view(
    app: &Arc<App>,
    reader: &Reader,
    id: &str,
    meant: &Meant,
) -> Result<Whole, Problem> {
    let is = |wanted: &str, own: &str| wanted.is_empty() || wanted == own;
    let kept = app.records_for(reader).await?;
    let found = kept.iter().find_map(|kept| {
        let group = kept.groups.iter().find(|group| group.id == id)?;
        (is(&meant.tenant, &kept.tenant) && is(&meant.workspace, &kept.workspace)).then_some((kept, group))
    });
    let (kept, group) = found.ok_or_else(|| Problem::missing("such cluster of work"))?;
    let people = People::of(app, reader).await?;
    let shelved = app.shelf.all().await;
    let candidates = candidates(kept, &shelved, reader, &people);
    let hashes: Vec<(String, String)> =
        group.members.iter().map(|one| (day(one), session_hash(&kept.tenant, &one.session))).collect();
    let wanted = hashes.iter().map(|(day, hash)| (day.as_str(), hash.as_str()));
    let known = app.by_hash(reader, wanted, patience()).await;
    let members = group.members.iter().zip(&hashes);
    let members = members.map(|(one, (_, hash))| Member::of(one, kept, known.get(hash), &people));
    Ok(Whole {
        tenant: kept.tenant.clone(),
        workspace: kept.workspace.clone(),
        cluster: Sayings::of(kept).cluster(group, &candidates, &people),
        members: members.collect(),
    })
}

fn day(member: &KeptMember) -> String {
    member.began_at.get(..10).unwrap_or_default().to_owned()
}

/// Which candidates of a record say a claim, or speak of its commands, by their places.
pub(super) struct Sayings<'k> {
    kept: &'k Kept,
    claims: BTreeMap<&'k Claim, Vec<usize>>,
    templates: BTreeMap<String, Vec<usize>>,
    sessions: BTreeMap<&'k str, BTreeSet<usize>>,
}

impl<'k> Sayings<'k> {
    pub(super) fn of(kept: &'k Kept) -> Self {
        let (templates, sessions) = (BTreeMap::new(), BTreeMap::new());
        let mut sayings = Self { kept, claims: BTreeMap::new(), templates, sessions };
        for (at, candidate) in kept.candidates.iter().enumerate() {
            for session in candidate.claims.iter().flat_map(|claim| &claim.sessions) {
                sayings.sessions.entry(session).or_default().insert(at);
            }
        }
        for (at, claim) in claims(&kept.candidates) {
            sayings.claims.entry(claim).or_default().push(at);
            for template in claim.templates() {
                sayings.templates.entry(template.to_string()).or_default().push(at);
            }
        }
        sayings
    }

    /// The candidate that says most of a group's claims; of several the first, which are those that became skills.
    fn saying(&self, group: &KeptGroup) -> Option<usize> {
        let by_claim = group.claims.iter().filter_map(|claim| self.claims.get(claim)).flatten();
        most(by_claim.copied()).or_else(|| {
            let templates = group.claims.iter().filter(|claim| matches!(claim, Claim::Run(_)));
            let names: Vec<String> = templates.flat_map(Claim::templates).map(ToString::to_string).collect();
            most(names.iter().filter_map(|name| self.templates.get(name)).flatten().copied())
        })
    }

    /// The candidate with a skill that the most of a group's sessions show, a third of them at least, and how many do.
    fn resting(&self, group: &KeptGroup, candidates: &[Candidate]) -> Option<(usize, usize)> {
        let shown = group.members.iter().filter_map(|member| self.sessions.get(member.session.as_str()));
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for at in shown.flatten() {
            *counts.entry(*at).or_default() += 1;
        }
        counts.retain(|at, count| {
            let has_skill = candidates.get(*at).is_some_and(|candidate| !candidate.skill.is_empty());
            has_skill && *count >= 2 && *count * 3 >= group.members.len()
        });
        counts.into_iter().max_by_key(|(at, count)| (*count, std::cmp::Reverse(*at)))
    }

    /// A cluster; `candidates` are those of the record, in its order.
    pub(super) fn cluster(&self, group: &KeptGroup, candidates: &[Candidate], people: &People) -> Cluster {
        let said = self.saying(group).and_then(|at| candidates.get(at));
        // Its sessions may show something all the same, which is none of its steps.
        let resting = if said.is_none() { self.resting(group, candidates) } else { None };
        let shown = resting.and_then(|(at, _)| candidates.get(at));
        let skill = said.or(shown);
        let (tenant, workspace) = (encoded(&self.kept.tenant), encoded(&self.kept.workspace));
        Cluster {
            id: group.id.clone(),
            name: people.without(&name(group)),
            segments: group.segments,
            sessions: group.sessions,
            people: group.people,
            tokens: group.tokens,
            seconds: group.seconds,
            became: skill.map_or("nothing", |candidate| candidate.became),
            skill: skill.map(|candidate| candidate.skill.clone()).unwrap_or_default(),
            link: skill.map(|candidate| candidate.link.clone()).unwrap_or_default(),
            says: match said {
                Some(candidate) if candidate.became == "nothing" => {
                    format!("{}: {}", candidate.title, candidate.because.join("; "))
                }
                Some(candidate) => candidate.title.clone(),
                None => resting.map_or_else(
                    || group.became.clone(),
                    |(_, count)| format!("{} of its sessions show another skill", grouped(count as u64)),
                ),
            },
            is_found: said.is_some(),
            days: days(group),
            parts: group.commands.iter().chain(&group.words).map(|part| people.without(part)).collect(),
            label: String::new(),
            page: format!("/work/clusters/{}?tenant={tenant}&workspace={workspace}", encoded(&group.id)),
        }
    }
}

fn claims(candidates: &[KeptCandidate]) -> impl Iterator<Item = (usize, &Claim)> {
    let each = candidates.iter().enumerate();
    each.flat_map(|(at, candidate)| candidate.claims.iter().map(move |kept| (at, &kept.claim)))
}

/// What comes most often; of several the least.
fn most(places: impl Iterator<Item = usize>) -> Option<usize> {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for at in places {
        *counts.entry(at).or_default() += 1;
    }
    counts.into_iter().min_by_key(|(at, count)| (std::cmp::Reverse(*count), *at)).map(|(at, _)| at)
}

/// `make itest, make db-up: integration, tests`
fn name(group: &KeptGroup) -> String {
    let (commands, words) = (group.commands.join(", "), group.words.join(", "));
    match (commands.is_empty(), words.is_empty()) {
        (false, false) => format!("{commands}: {words}"),
        (true, true) => "Changes without a command or word of their own".to_owned(),
        _ => format!("{commands}{words}"),
    }
}

/// From the first to the last of its sessions, as far as the record names them.
fn days(group: &KeptGroup) -> String {
    let days: BTreeSet<String> = group.members.iter().map(day).filter(|day| !day.is_empty()).collect();
    match (days.first(), days.last()) {
        (Some(first), Some(last)) if first == last => first.clone(),
        (Some(first), Some(last)) => format!("{first} to {last}"),
        _ => String::new(),
    }
}

impl Member {
    fn of(kept: &KeptMember, record: &Kept, known: Option<&Known>, people: &People) -> Self {
        Self {
            session: kept.session.clone(),
            title: known.map(|known| people.title(&known.title, LONGEST_TITLE)).unwrap_or_default(),
            person: known.map(|known| people.name(&known.tenant, &known.user)).unwrap_or_default(),
            began_at: kept.began_at.clone(),
            segments: kept.segments,
            tokens: kept.tokens,
            seconds: kept.seconds,
            link: link::session(&record.tenant, &kept.session),
        }
    }

    fn minute(&self) -> String {
        self.began_at.get(..16).map(|minute| minute.replace('T', " ")).unwrap_or_default()
    }

    fn tokens(&self) -> String {
        tokens(self.tokens)
    }

    fn took(&self) -> String {
        length(Duration::from_secs(self.seconds))
    }
}

/// In groups of three; `–` where no client counted them.
fn tokens(count: u64) -> String {
    if count == 0 { "–".to_owned() } else { grouped(count) }
}

impl Cluster {
    /// The class of its colour: whether it became a skill, waits, or is said by something that became neither.
    pub(super) fn class(&self) -> &'static str {
        match self.became {
            // What its sessions show is none of its steps.
            _ if !self.is_found && !self.skill.is_empty() => "s7",
            "waits for you" | "proposed" => "s4",
            "nothing" if !self.is_found => "s6",
            "nothing" | "held back" | "refused" | "rejected" | "withdrawn" | "deleted by a person" => "s5",
            _ => "s1",
        }
    }

    /// Its text on the map.
    pub(super) fn told(&self) -> String {
        let became = if self.skill.is_empty() { &self.says } else { &self.skill };
        let (tokens, took) = (self.tokens(), self.took());
        let pieces = grouped(self.segments);
        format!("{}: {pieces} pieces of work, {tokens} tokens, {took}. {became}", self.name)
    }

    /// `15 pieces of work of 5 sessions, 1 person`
    fn how_much(&self) -> String {
        let people = if self.people == 1 { "1 person".to_owned() } else { format!("{} people", self.people) };
        let sessions = counted(self.sessions, "session");
        format!("{} pieces of work of {sessions}, {people}", grouped(self.segments))
    }

    fn cost(&self) -> String {
        let tokens = match self.tokens {
            0 => "no client said how many tokens".to_owned(),
            tokens => counted(tokens, "token"),
        };
        format!("{tokens}; {} without pauses of more than ten minutes", self.took())
    }

    pub(super) fn tokens(&self) -> String {
        tokens(self.tokens)
    }

    pub(super) fn took(&self) -> String {
        length(Duration::from_secs(self.seconds))
    }
}

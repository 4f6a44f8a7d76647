//! `/work`: what the last run of mining found in each workspace, and what became of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::candidate::{Candidate, MOST_WAITING, OF_ONE, OTHERS_WAIT, SETTLED, candidates};
use super::cluster::{Cluster, Sayings};
use super::who::People;
use super::{Frame, Seen, html};
use crate::console::App;
use crate::console::access::Reader;
use crate::console::asked::Asked;
use crate::console::chart;
use crate::console::escape::with_code;
use crate::console::problem::Problem;
use crate::console::shelf::Shelved;
use crate::service::record::Kept;

/// So many candidates of a workspace are shown.
const MOST: usize = 100;
/// So many clusters.
const MOST_CLUSTERS: usize = 400;
/// The most clusters on the map.
const MOST_AREAS: usize = 100;
/// How many clusters are listed openly; the smaller ones are folded.
const OPEN: usize = 12;
/// One with fewer pieces is folded in any case.
const FEWEST: u64 = 3;

/// What was found.
#[derive(Debug, Serialize)]
pub(in crate::console) struct Work {
    workspaces: Vec<Place>,
}

#[derive(Debug, Serialize)]
pub(super) struct Place {
    tenant: String,
    workspace: String,
    mined_at: String,
    /// Pieces of work.
    segments: usize,
    /// How many of them are in a group of pieces that are alike.
    #[serde(skip)]
    alike: u64,
    /// Those that are alike, the largest first, by what the reader asked for.
    clusters: Vec<Cluster>,
    /// How many there are beside these.
    more_clusters: usize,
    candidates: Vec<Candidate>,
    more_candidates: usize,
    /// How many proposals of it wait for a person.
    #[serde(skip)]
    waiting: usize,
}

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::console) struct Wanted {
    /// `tokens` or `minutes`: what makes clusters large; the pieces of work where nothing is asked for.
    by: String,
}

/// What makes a cluster large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Pieces,
    Tokens,
    Minutes,
}

impl Measure {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Pieces, "pieces"), (Self::Tokens, "tokens"), (Self::Minutes, "minutes")];

    fn asked(wanted: &Wanted) -> Result<Self, Problem> {
        let known = Self::ALL.iter().find(|(_, name)| *name == wanted.by || wanted.by.is_empty());
        let bad = || Problem::new(StatusCode::BAD_REQUEST, "`by` is one of pieces, tokens, minutes.");
        known.map(|(measure, _)| *measure).ok_or_else(bad)
    }

    fn of(self, cluster: &Cluster) -> u64 {
        match self {
            Self::Pieces => cluster.segments,
            Self::Tokens => cluster.tokens,
            Self::Minutes => cluster.seconds,
        }
    }
}

/// What the colours of a map say.
const LEGEND: [(&str, &str); 5] = [
    ("s1", "a skill says it"),
    ("s4", "waits for you"),
    ("s7", "nothing of its own; its sessions show another skill"),
    ("s5", "found, and became nothing"),
    ("s6", "too little in common"),
];

#[derive(Template)]
#[template(path = "work.html")]
struct Page {
    frame: Frame,
    view: Work,
    by: Measure,
    /// Why what is asked for is nothing; `""` if it is not.
    wrong: String,
}

impl Page {
    fn wrong_told(&self) -> String {
        with_code(&self.wrong)
    }
}

pub(in crate::console) async fn page(
    State(app): State<Arc<App>>,
    reader: Seen,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    // A mistake in the address leads to what is shown where nothing is asked for.
    let (by, wanted, status, wrong) = match Measure::asked(&wanted) {
        Ok(by) => (by, wanted, StatusCode::OK, String::new()),
        Err(problem) => (Measure::Pieces, Wanted::default(), problem.status(), problem.says().to_owned()),
    };
    let view = view(&app, &reader, &wanted).await?;
    Ok(html(status, &Page { frame: Frame::new(&reader, "work", "Work"), view, by, wrong }))
}

pub(in crate::console) async fn view(
    app: &Arc<App>,
    reader: &Reader,
    wanted: &Wanted,
) -> Result<Work, Problem> {
    let by = Measure::asked(wanted)?;
    let kept = app.records_for(reader).await?;
    let people = People::of(app, reader).await?;
    let shelved = app.shelf.all().await;
    let workspaces = kept.into_iter().map(|kept| Place::of(kept, &shelved, (reader, &people), by));
    Ok(Work { workspaces: workspaces.collect() })
}

impl Place {
    fn of(kept: Kept, shelved: &[Shelved], (reader, people): (&Reader, &People), by: Measure) -> Self {
        let mut candidates = candidates(&kept, shelved, reader, people);
        let waits = |one: &&Candidate| one.became == "waits for you";
        let waiting = candidates.iter().filter(waits).map(|one| &one.skill).collect::<BTreeSet<_>>().len();
        let sayings = Sayings::of(&kept);
        let groups = kept.groups.iter();
        let mut clusters: Vec<Cluster> =
            groups.map(|group| sayings.cluster(group, &candidates, people)).collect();
        let alike = clusters.iter().map(|cluster| cluster.segments).sum();
        clusters.sort_by_key(|one| std::cmp::Reverse((by.of(one), one.segments)));
        let more_clusters = clusters.len().saturating_sub(MOST_CLUSTERS);
        clusters.truncate(MOST_CLUSTERS);
        tell_apart(&mut clusters);
        label(&mut clusters);
        let more_candidates = candidates.len().saturating_sub(MOST);
        candidates.truncate(MOST);
        Self {
            tenant: kept.tenant,
            workspace: kept.workspace,
            mined_at: kept.mined_at,
            segments: kept.segments,
            alike,
            clusters,
            more_clusters,
            candidates,
            more_candidates,
            waiting,
        }
    }

    /// Candidates that became nothing, by the first reason; the most frequent reason first.
    fn by_reason(&self) -> Vec<(String, Vec<&Candidate>)> {
        let mut groups: BTreeMap<String, Vec<&Candidate>> = BTreeMap::new();
        for candidate in self.candidates.iter().filter(|candidate| candidate.became == "nothing") {
            let first = candidate.because.first().map(|why| match candidate.lacks_a_word {
                true if candidate.people < 2 => OF_ONE.to_owned(),
                true if self.waiting >= MOST_WAITING => OTHERS_WAIT.to_owned(),
                true => SETTLED.to_owned(),
                false => why.clone(),
            });
            let first = first.unwrap_or_default();
            groups.entry(first).or_default().push(candidate);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by(|(a, x), (b, y)| (y.len(), a).cmp(&(x.len(), b)));
        groups
    }

    /// Candidates that became a skill, wait, or are held back; of those in one skill, the one with the most sessions.
    fn something(&self) -> Vec<&Candidate> {
        let mut all: Vec<&Candidate> =
            self.candidates.iter().filter(|candidate| candidate.became != "nothing").collect();
        all.sort_by_key(|candidate| std::cmp::Reverse(candidate.sessions));
        let mut said = BTreeSet::new();
        all.retain(|candidate| candidate.skill.is_empty() || said.insert(candidate.skill.as_str()));
        all
    }
}

/// Groups that ran the same programs have one name: what differs comes behind it, the days and then a number.
fn tell_apart(clusters: &mut [Cluster]) {
    let days: Vec<String> = clusters.iter().map(|cluster| cluster.days.clone()).collect();
    add_behind(clusters, |at| days.get(at).cloned().unwrap_or_default());
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let numbers: Vec<String> = clusters
        .iter()
        .map(|cluster| {
            let count = counts.entry(cluster.name.clone()).or_default();
            *count += 1;
            format!("no. {count}")
        })
        .collect();
    add_behind(clusters, |at| numbers.get(at).cloned().unwrap_or_default());
}

/// A part of a name that more than one in so many groups have tells little of a group.
const COMMON: usize = 8;

/// Labels of clusters on the map. Words that many clusters share come last; small areas have only the part that
/// distinguishes them.
fn label(clusters: &mut [Cluster]) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let parts = clusters.iter().flat_map(|cluster| cluster.parts.iter().collect::<BTreeSet<_>>());
    parts.for_each(|part| *counts.entry(part.clone()).or_default() += 1);
    let most = (clusters.len() / COMMON).max(1);
    for cluster in clusters {
        let is_common = |part: &&String| counts.get(*part).is_some_and(|count| *count > most);
        let (common, own): (Vec<&String>, Vec<&String>) = cluster.parts.iter().partition(is_common);
        let parts: Vec<&str> = own.into_iter().chain(common).map(String::as_str).collect();
        cluster.label = if parts.is_empty() { cluster.name.clone() } else { parts.join(", ") };
    }
}

/// Puts more behind the names that several have.
fn add_behind(clusters: &mut [Cluster], more: impl Fn(usize) -> String) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    clusters.iter().for_each(|cluster| *counts.entry(cluster.name.clone()).or_default() += 1);
    for (at, cluster) in clusters.iter_mut().enumerate() {
        let more = more(at);
        if counts.get(&cluster.name).is_some_and(|count| *count > 1) && !more.is_empty() {
            cluster.name = format!("{}, {more}", cluster.name);
        }
    }
}

impl Place {
    /// The clusters as areas; the table below says the same.
    fn map(&self, by: &Measure) -> String {
        let areas: Vec<chart::Area<'_>> = self
            .clusters
            .iter()
            .take(MOST_AREAS)
            .map(|cluster| chart::Area {
                size: by.of(cluster),
                class: cluster.class(),
                label: &cluster.label,
                link: &cluster.page,
                says: cluster.told(),
            })
            .collect();
        chart::map(&areas, "Groups of similar work; the table below lists the same")
    }

    /// How many of its pieces are in a group.
    fn alike(&self) -> u64 {
        self.alike
    }

    /// The colours of the map, each with what it says, as far as they are on it.
    fn legend(&self) -> Vec<(&'static str, &'static str)> {
        let is_there = |class: &str| self.clusters.iter().any(|cluster| cluster.class() == class);
        LEGEND.into_iter().filter(|(class, _)| is_there(class)).collect()
    }

    /// Whether any of them has a size.
    fn is_sized(&self, by: &Measure) -> bool {
        self.clusters.iter().any(|cluster| by.of(cluster) > 0)
    }

    /// Those that stand in the open, and those that are folded.
    fn clusters(&self) -> (Vec<&Cluster>, Vec<&Cluster>) {
        let (large, small): (Vec<_>, Vec<_>) =
            self.clusters.iter().partition(|cluster| cluster.segments >= FEWEST);
        let open = large.iter().take(OPEN).copied().collect();
        (open, large.into_iter().skip(OPEN).chain(small).collect())
    }

    fn mined_minute(&self) -> String {
        self.mined_at.get(..16).map(|minute| minute.replace('T', " ")).unwrap_or_default()
    }
}

impl Work {
    /// What groups can be measured by, and are: tokens where a client says how many.
    fn measures(&self, by: &Measure) -> Vec<(Measure, &'static str)> {
        let mut clusters = self.workspaces.iter().flat_map(|place| &place.clusters);
        let has_tokens = clusters.any(|cluster| cluster.tokens > 0);
        let is_one = |measure: &Measure| has_tokens || measure == by || *measure != Measure::Tokens;
        Measure::ALL.into_iter().filter(|(measure, _)| is_one(measure)).collect()
    }

    fn bar(&self, candidate: &Candidate) -> String {
        let all = self.workspaces.iter().flat_map(|place| &place.candidates);
        let most = all.map(|candidate| candidate.sessions).max().unwrap_or_default();
        let class = if candidate.skill.is_empty() { "s6" } else { "s1" };
        chart::bar(candidate.sessions as u64, most as u64, class)
    }
}

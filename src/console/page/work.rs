//! `/work`: what the last run of mining found in each workspace, and what became of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use super::{Frame, Seen, html, link};
use crate::console::App;
use crate::console::access::Reader;
use crate::console::chart;
use crate::console::problem::Problem;
use crate::service::record::{self, Kept, KeptCandidate};

/// So many candidates of a workspace are shown.
const MOST: usize = 100;
/// So many clusters.
const MOST_CLUSTERS: usize = 100;

/// What was found.
#[derive(Debug, Serialize)]
pub(in crate::console) struct Work {
    workspaces: Vec<Place>,
}

#[derive(Debug, Serialize)]
struct Place {
    tenant: String,
    workspace: String,
    mined_at: String,
    /// Pieces of work.
    segments: usize,
    /// Those that are alike, the largest first.
    clusters: Vec<Cluster>,
    candidates: Vec<Candidate>,
}

/// Pieces of work that are alike.
#[derive(Debug, Serialize)]
struct Cluster {
    segments: u64,
    /// How many they are, of whom, and what became of them.
    says: String,
}

/// What could be said of some sessions.
#[derive(Debug, Serialize)]
struct Candidate {
    name: String,
    title: String,
    published: bool,
    /// Why it is no skill.
    because: Vec<String>,
    sessions: usize,
    people: usize,
    /// The skill's page.
    link: String,
}

#[derive(Template)]
#[template(path = "work.html")]
struct Page {
    frame: Frame,
    view: Work,
}

pub(in crate::console) async fn page(State(app): State<Arc<App>>, reader: Seen) -> Result<Response, Problem> {
    let view = view(&app, &reader).await?;
    Ok(html(StatusCode::OK, &Page { frame: Frame::new(&reader, "work", "Work"), view }))
}

pub(in crate::console) async fn view(app: &App, reader: &Reader) -> Result<Work, Problem> {
    let folders: BTreeSet<_> =
        app.settings.skills.iter().filter_map(|skills| skills.digests.clone()).collect();
    let reading = tokio::task::spawn_blocking(move || {
        folders.iter().flat_map(|folder| record::read(folder)).collect::<Vec<_>>()
    });
    let kept = reading.await.map_err(|error| Problem::failed("The records of mining", error))?;
    let seen = kept.into_iter().filter(|kept| reader.sees(&kept.tenant, &kept.workspace));
    Ok(Work { workspaces: seen.map(Place::of).collect() })
}

impl Place {
    fn of(kept: Kept) -> Self {
        let candidates =
            kept.candidates.iter().take(MOST).map(|one| Candidate::of(&kept.tenant, one)).collect();
        let mut clusters: Vec<Cluster> = kept.clusters.iter().map(|line| Cluster::of(line)).collect();
        clusters.sort_by(|a, b| (b.segments, &a.says).cmp(&(a.segments, &b.says)));
        clusters.truncate(MOST_CLUSTERS);
        Self {
            tenant: kept.tenant,
            workspace: kept.workspace,
            mined_at: kept.mined_at,
            segments: kept.segments,
            clusters,
            candidates,
        }
    }
}

impl Candidate {
    fn of(tenant: &str, kept: &KeptCandidate) -> Self {
        let sessions: BTreeSet<&String> = kept.claims.iter().flat_map(|claim| &claim.sessions).collect();
        Self {
            name: kept.name.clone(),
            title: kept.title.clone(),
            published: kept.published,
            because: kept.because.clone(),
            sessions: sessions.len(),
            people: kept.claims.iter().map(|claim| claim.people).max().unwrap_or_default(),
            link: link::skill(tenant, &kept.name),
        }
    }
}

impl Cluster {
    /// A line of a record: `cluster of 12 segments, 9 sessions, 4 people: why (hashes of the segments)`.
    fn of(line: &str) -> Self {
        let digits = line.chars().skip_while(|char| !char.is_ascii_digit()).take_while(char::is_ascii_digit);
        let segments = digits.collect::<String>().parse().unwrap_or_default();
        let is_hashes = |text: &str| text.chars().all(|char| char.is_ascii_hexdigit() || char == ' ');
        let says = match line.strip_suffix(')').and_then(|line| line.rsplit_once(" (")) {
            Some((says, hashes)) if is_hashes(hashes) => says,
            _ => line,
        };
        Self { segments, says: says.strip_prefix("cluster of ").unwrap_or(says).to_owned() }
    }
}

impl Place {
    fn cluster_bar(&self, cluster: &Cluster) -> String {
        let most = self.clusters.iter().map(|cluster| cluster.segments).max().unwrap_or_default();
        chart::bar(cluster.segments, most, "s2")
    }
}

impl Work {
    fn bar(&self, candidate: &Candidate) -> String {
        let all = self.workspaces.iter().flat_map(|place| &place.candidates);
        let most = all.map(|candidate| candidate.sessions).max().unwrap_or_default();
        let class = if candidate.published { "s1" } else { "s6" };
        chart::bar(candidate.sessions as u64, most as u64, class)
    }
}

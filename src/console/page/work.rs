//! `/work`: what the last run of mining found in each workspace, and what became of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::cluster::{Cluster, Sayings};
use super::who::People;
use super::{Frame, Seen, counted, html, link};
use crate::console::App;
use crate::console::access::Reader;
use crate::console::asked::Asked;
use crate::console::chart;
use crate::console::escape::with_code;
use crate::console::problem::Problem;
use crate::console::shelf::Shelved;
use crate::library::{Library, Listed};
use crate::service::record::{Kept, KeptCandidate};
use crate::skillify::Claim;

/// How it is said that a person has to agree.
const AGREE: &str = "a person has to agree";
/// Why what lacks nothing but that waits for nobody where one person said it.
const OF_ONE: &str = "one person alone wants it: it waits at a target of that person's own, if there is one, and not \
                      where everybody's skills are";
/// Why something that lacks nothing but that waits for nobody.
const SETTLED: &str = "it would take a person's word, and a person has said no, a skill says it already, or twenty others \
                       wait";

/// So many candidates of a workspace are shown.
const MOST: usize = 100;
/// So many clusters.
const MOST_CLUSTERS: usize = 100;
/// So many of them stand in the open; the smaller ones are folded.
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
}

/// What could be said of some sessions.
#[derive(Debug, Serialize)]
pub(super) struct Candidate {
    name: String,
    pub(super) title: String,
    /// Its lines as a skill would say them.
    lines: Vec<String>,
    /// Whether mining would publish it.
    published: bool,
    /// What the library made of it: the state of its skill, `held back` where it has none of what mining would publish,
    /// or `nothing`.
    pub(super) became: &'static str,
    /// The skill of the library that says it; `""` if there is none.
    pub(super) skill: String,
    /// Why it is no skill.
    pub(super) because: Vec<String>,
    sessions: usize,
    people: usize,
    /// The page of its skill, or of the proposal that waits; `""` if there is neither.
    pub(super) link: String,
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
    ("s2", "found, and became nothing"),
    ("s5", "its sessions show something else that became a skill"),
    ("s6", "too little in common"),
];

#[derive(Template)]
#[template(path = "work.html")]
struct Page {
    frame: Frame,
    view: Work,
    by: Measure,
}

pub(in crate::console) async fn page(
    State(app): State<Arc<App>>,
    reader: Seen,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let by = Measure::asked(&wanted)?;
    let view = view(&app, &reader, &wanted).await?;
    Ok(html(StatusCode::OK, &Page { frame: Frame::new(&reader, "work", "Work"), view, by }))
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
    /// Its candidates, in the order of the record.
    pub(super) fn candidates(
        kept: &Kept,
        shelved: &[Shelved],
        reader: &Reader,
        people: &People,
    ) -> Vec<Candidate> {
        let libraries = shelved.iter().filter_map(|one| one.library.as_ref().ok());
        let own: Vec<(&Library, Vec<Listed>)> = libraries
            .filter(|library| library.is_of(&kept.tenant))
            .map(|library| (library, super::skills::seen(library, reader)))
            .collect();
        kept.candidates.iter().map(|one| Candidate::of(kept, one, &own, people)).collect()
    }

    fn of(kept: Kept, shelved: &[Shelved], (reader, people): (&Reader, &People), by: Measure) -> Self {
        let mut candidates = Self::candidates(&kept, shelved, reader, people);
        let sayings = Sayings::of(&kept);
        let groups = kept.groups.iter();
        let mut clusters: Vec<Cluster> =
            groups.map(|group| sayings.cluster(group, &candidates, people)).collect();
        let alike = clusters.iter().map(|cluster| cluster.segments).sum();
        clusters.sort_by_key(|one| std::cmp::Reverse((by.of(one), one.segments)));
        let more_clusters = clusters.len().saturating_sub(MOST_CLUSTERS);
        clusters.truncate(MOST_CLUSTERS);
        tell_apart(&mut clusters);
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
        }
    }

    /// What did not become anything, by the first reason why: what keeps most back first.
    fn by_reason(&self) -> Vec<(String, Vec<&Candidate>)> {
        let mut groups: BTreeMap<String, Vec<&Candidate>> = BTreeMap::new();
        for candidate in self.candidates.iter().filter(|candidate| candidate.became == "nothing") {
            let first = candidate.because.first().map(|why| match why.starts_with(AGREE) {
                true if candidate.people < 2 => OF_ONE.to_owned(),
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

    /// What became a skill, waits, or is held back; of what one skill says, that of the most sessions.
    fn something(&self) -> Vec<&Candidate> {
        let mut all: Vec<&Candidate> =
            self.candidates.iter().filter(|candidate| candidate.became != "nothing").collect();
        all.sort_by_key(|candidate| std::cmp::Reverse(candidate.sessions));
        let mut said = BTreeSet::new();
        all.retain(|candidate| candidate.skill.is_empty() || said.insert(candidate.skill.as_str()));
        all
    }
}

impl Candidate {
    /// The library's truth, not the record's: it names skills, holds some back, and people decide about others.
    fn of(kept: &Kept, one: &KeptCandidate, libraries: &[(&Library, Vec<Listed>)], people: &People) -> Self {
        let sessions: BTreeSet<&String> = one.claims.iter().flat_map(|claim| &claim.sessions).collect();
        let claims: BTreeSet<&Claim> = one.claims.iter().map(|kept| &kept.claim).collect();
        let skill = libraries.iter().find_map(|(library, seen)| {
            let name = library.saying(&kept.workspace, one.project.as_deref(), &claims)?;
            seen.iter().find(|skill| skill.name == name)
        });
        let mut because: Vec<String> = one.because.iter().map(|why| people.without(&in_words(why))).collect();
        // That a person has to agree is the last thing that it lacks, not why nobody is asked.
        because.sort_by_key(|why| why.starts_with(AGREE));
        let (became, link) = match skill {
            Some(skill) if skill.has_proposal() => ("waits for you", link::review(&kept.tenant, &skill.name)),
            Some(skill) => (skill.standing.as_str(), link::skill(&kept.tenant, &skill.name)),
            None if one.published => ("held back", String::new()),
            None => ("nothing", String::new()),
        };
        Self {
            name: one.name.clone(),
            title: match one.title.as_str() {
                "Guarded" => "Something that may not be written down".to_owned(),
                title => people.without(title),
            },
            lines: one.lines.iter().map(|line| people.without(&line.text)).collect(),
            published: one.published,
            became,
            skill: skill.map(|skill| skill.name.clone()).unwrap_or_default(),
            because,
            sessions: sessions.len(),
            people: one
                .people
                .unwrap_or_else(|| one.claims.iter().map(|claim| claim.people).max().unwrap_or_default()),
            link,
        }
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

/// Why mining makes no skill of something, for who does not know its rules.
fn in_words(why: &str) -> String {
    let numbers: Vec<&str> =
        why.split(|char: char| !char.is_ascii_digit()).filter(|number| !number.is_empty()).collect();
    let of =
        |count: &str, one: &str, many: &str| format!("{count} {}", if count == "1" { one } else { many });
    match numbers.as_slice() {
        [found, needed] if why.ends_with("known people did it") => {
            let found = of(found, "known person", "known people");
            format!("{found} did it; where several people are known, {needed} are needed")
        }
        [found, needed] if why.ends_with("accepted sessions show it") => {
            let found = of(found, "session that ended well shows it", "sessions that ended well show it");
            format!("{found}; {needed} are needed")
        }
        [found, needed] if why.starts_with("people said so on") => {
            format!("people said so on {}; {needed} are needed", of(found, "day", "days"))
        }
        [accepted, rejected] if why.ends_with("twice as many must accept") => {
            let well = of(accepted, "session with it ended well", "sessions with it ended well");
            format!("{well}, {rejected} ended badly; twice as many must end well")
        }
        [] if why.starts_with("the guard found a text that does not fit") => {
            "its words do not fit the form of a skill: no name, or a description that is too long".to_owned()
        }
        [] if why.starts_with("the guard found ") => {
            why.replacen("the guard found", "it may not be published as it is: it names", 1)
        }
        [] if why.starts_with("one command among everyday work") => {
            "it is one command among everyday work, which may have come by accident".to_owned()
        }
        [] if why.ends_with("as much happens by chance") => {
            "it may be chance: among so many sessions as much happens without a cause".to_owned()
        }
        _ => why.to_owned(),
    }
}

impl Place {
    /// The clusters as areas; the table below says the same.
    fn map(&self, by: &Measure) -> String {
        let areas: Vec<chart::Area<'_>> = self
            .clusters
            .iter()
            .map(|cluster| chart::Area {
                size: by.of(cluster),
                class: cluster.class(),
                label: cluster.label(),
                link: &cluster.page,
                says: cluster.told(),
            })
            .collect();
        chart::map(&areas, "Pieces of work that are alike; the table below says the same")
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

impl Candidate {
    /// What else keeps it back.
    fn also(&self) -> String {
        self.because.iter().skip(1).map(|why| format!("; {why}")).collect()
    }

    /// What was found, and its first line, as markup.
    fn titled(&self) -> String {
        with_code(&self.title)
    }

    fn told(line: &str) -> String {
        with_code(line)
    }

    /// `5 sessions, 2 people`
    fn seen(&self) -> String {
        let people = if self.people == 1 { "person" } else { "people" };
        format!("{}, {} {people}", counted(self.sessions as u64, "session"), self.people)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_told_to_who_does_not_know_the_rules() {
        for (why, told) in [
            (
                "1 of 2 known people did it",
                "1 known person did it; where several people are known, 2 are needed",
            ),
            ("2 of 3 accepted sessions show it", "2 sessions that ended well show it; 3 are needed"),
            ("people said so on 1 of 2 days", "people said so on 1 day; 2 are needed"),
            (
                "1 sessions accepted and 2 rejected it; twice as many must accept",
                "1 session with it ended well, 2 ended badly; twice as many must end well",
            ),
            ("the guard found a host", "it may not be published as it is: it names a host"),
            ("people took it back", "people took it back"),
        ] {
            assert_eq!(in_words(why), told);
        }
    }
}

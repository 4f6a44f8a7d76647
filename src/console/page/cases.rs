//! The cases of a claim: three for it and those against it, as the last run of mining kept them, with what happened.

use serde::Serialize;

use super::link;
use super::who::People;
use crate::console::App;
use crate::console::access::Reader;
use crate::console::problem::Problem;
use crate::event::SessionEvent;
use crate::library::Library;
use crate::service::record::{self, KeptCase};
use crate::skillify::{Claim, quotations};
use crate::table::Session;
use crate::views::cases::{Call, calls_of};

/// So many calls of a session are shown.
const MOST_CALLS: usize = 8;
/// So many characters of a line are shown.
const LONGEST: usize = 200;

/// The cases of a claim.
#[derive(Debug, Default, Serialize)]
pub(super) struct Cases {
    pub(super) supporting: Vec<Case>,
    pub(super) against: Vec<Case>,
    /// How many there are in all, shown or not.
    pub(super) all_supporting: usize,
    pub(super) all_against: usize,
}

/// A session, and what happened in it.
#[derive(Debug, Serialize)]
pub(super) struct Case {
    pub(super) session: String,
    pub(super) date: String,
    pub(super) outcome: String,
    pub(super) person: String,
    /// Where the session is shown, at the first event that tells; `""` if it is in the table no longer.
    pub(super) link: String,
    pub(super) calls: Vec<Told>,
}

/// A call, in a few words.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    pub(super) done: String,
    pub(super) status: &'static str,
    pub(super) output: String,
}

impl Cases {
    /// Those that the records of the tenant's workspace keep for the claim.
    pub(super) async fn of(
        app: &App,
        reader: &Reader,
        (library, workspace): (&Library, &str),
        claim: &Claim,
    ) -> Result<Self, Problem> {
        let folders: Vec<_> =
            app.settings.skills.iter().filter_map(|skills| skills.digests.clone()).collect();
        let reading = tokio::task::spawn_blocking(move || {
            folders.iter().flat_map(|folder| record::read(folder)).collect::<Vec<_>>()
        });
        let records = reading.await.map_err(|error| Problem::failed("The records of mining", error))?;
        let of_place =
            records.iter().filter(|kept| library.is_of(&kept.tenant) && kept.workspace == workspace);
        let found = of_place.into_iter().find_map(|kept| {
            let mut claims = kept.candidates.iter().flat_map(|candidate| &candidate.claims);
            Some((kept.tenant.as_str(), claims.find(|kept| kept.claim == *claim)?))
        });
        let Some((tenant, kept)) = found else { return Ok(Self::default()) };
        let mut cases = Self {
            all_supporting: kept.sessions.len().max(kept.cases.supporting.len()),
            all_against: kept.cases.all_against.unwrap_or_default().max(kept.cases.against.len()),
            ..Self::default()
        };
        let people = People::of(app, reader).await?;
        for one in &kept.cases.supporting {
            cases.supporting.push(case(app, reader, (tenant, &people), one, claim).await?);
        }
        for one in &kept.cases.against {
            cases.against.push(case(app, reader, (tenant, &people), one, claim).await?);
        }
        Ok(cases)
    }
}

async fn case(
    app: &App,
    reader: &Reader,
    (tenant, people): (&str, &People),
    kept: &KeptCase,
    claim: &Claim,
) -> Result<Case, Problem> {
    let session = app.session(reader, (tenant, &kept.session), Some(&kept.date)).await?;
    let (date, outcome) = (kept.date.clone(), kept.outcome.clone());
    let Some(session) = session else {
        let (person, link) = (String::new(), String::new());
        return Ok(Case { session: kept.session.clone(), date, outcome, person, link, calls: Vec::new() });
    };
    let people = people.and_of(&session);
    let link = match kept.events.first() {
        Some(event) => link::event(tenant, &session.id, event),
        None => link::session(tenant, &session.id),
    };
    Ok(Case {
        person: people.name(tenant, &session.user_id),
        calls: told(&session, &kept.events, claim, &people),
        session: kept.session.clone(),
        date,
        outcome,
        link,
    })
}

/// What people said, if the claim is a rule of theirs; else the calls.
fn told(session: &Session, ids: &[String], claim: &Claim, people: &People) -> Vec<Told> {
    let said = quotations(session, claim).into_iter().map(|quotation| Told {
        done: format!("“{}”", people.line(&quotation.sentence, LONGEST)),
        status: "",
        output: String::new(),
    });
    let said: Vec<Told> = said.take(MOST_CALLS).collect();
    if said.is_empty() { calls(session, ids, people) } else { said }
}

fn calls(session: &Session, ids: &[String], people: &People) -> Vec<Told> {
    let is_told = |events: &[String]| events.iter().any(|id| ids.contains(id));
    let facts = session.facts.iter().filter(|fact| is_told(&fact.event_ids));
    let told = |events: Vec<&SessionEvent>| {
        let call = Call::of(&events);
        let output = match call.output {
            (None, _) => String::new(),
            (Some(only), None) => people.line(only, LONGEST),
            (Some(first), Some(last)) => {
                format!("{} … {}", people.line(first, LONGEST), people.line(last, LONGEST))
            }
        };
        Told { done: people.line(&call.done, LONGEST), status: call.status.as_str(), output }
    };
    let calls = calls_of(facts.map(|fact| &fact.event)).into_iter().map(told);
    calls.filter(|call| !call.done.trim().is_empty()).take(MOST_CALLS).collect()
}

//! The cases of a claim: three for it and those against it, as the last run of mining kept them, with what happened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use super::link;
use super::who::People;
use crate::console::App;
use crate::console::access::Reader;
use crate::console::problem::Problem;
use crate::event::SessionEvent;
use crate::library::Library;
use crate::service::record::{Kept, KeptCase, KeptClaim};
use crate::skillify::{Claim, quotations};
use crate::table::Session;
use crate::views::cases::{Call, calls_of};
use crate::views::feedback::{LONGEST_FEEDBACK, feedback_of};

/// So many calls of a session are shown.
const MOST_CALLS: usize = 8;
/// So many characters of a line are shown.
const LONGEST: usize = 200;
/// So many characters of a first prompt name a session.
const LONGEST_TITLE: usize = 90;
/// So many cases against a claim are on a page.
const ON_A_PAGE: usize = 20;
/// Of those for it, the first are shown.
pub(super) const NONE_BEFORE: &usize = &0;

/// The cases of a claim.
#[derive(Debug, Default, Serialize)]
pub(super) struct Cases {
    pub(super) supporting: Vec<Case>,
    pub(super) against: Vec<Case>,
    /// How many there are in all, shown or not.
    pub(super) all_supporting: usize,
    pub(super) all_against: usize,
    /// How many counterexamples come before those shown.
    pub(super) from: usize,
    /// Where the next ones begin, to pass as `from`; absent at the end.
    pub(super) next: Option<usize>,
}

/// A session, and what happened in it.
#[derive(Debug, Serialize)]
pub(super) struct Case {
    pub(super) session: String,
    /// How its first prompt begins; `""` if it is in the table no longer.
    pub(super) title: String,
    pub(super) date: String,
    /// Feedback on the session by people or their tools; `""` if there is none.
    pub(super) feedback: String,
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

/// What a record keeps of a claim, as far as it is shown.
struct Shown<'k> {
    tenant: &'k str,
    kept: &'k KeptClaim,
    against: &'k [KeptCase],
}

impl Cases {
    /// Those that the records of the tenant's workspace keep for each claim; of those against it the ones behind the
    /// first `from`.
    pub(super) async fn of(
        app: &Arc<App>,
        reader: &Reader,
        (library, workspace): (&Library, &str),
        claims: &[&Claim],
        from: usize,
    ) -> Result<Vec<Self>, Problem> {
        let records = app.records().await?;
        let own: Vec<&Kept> = records
            .iter()
            .filter(|kept| library.is_of(&kept.tenant) && kept.workspace == workspace)
            .collect();
        let shown: Vec<Option<Shown<'_>>> = claims.iter().map(|claim| Shown::of(&own, claim, from)).collect();
        let people = People::of(app, reader).await?;
        let sessions = sessions(app, reader, &shown).await?;
        let each = claims.iter().zip(&shown);
        let cases = each.map(|(claim, shown)| match shown {
            Some(shown) => Self::told(shown, claim, from, &sessions, &people),
            None => Self::default(),
        });
        Ok(cases.collect())
    }

    fn told(
        shown: &Shown<'_>,
        claim: &Claim,
        from: usize,
        sessions: &BTreeMap<(&str, &str), Session>,
        people: &People,
    ) -> Self {
        let case = |one: &KeptCase| {
            let session = sessions.get(&(shown.tenant, one.session.as_str()));
            Case::of(one, shown.tenant, session, people, claim)
        };
        let (kept, behind) = (&shown.kept.cases, from + shown.against.len());
        Self {
            supporting: kept.supporting.iter().map(case).collect(),
            against: shown.against.iter().map(case).collect(),
            all_supporting: shown.kept.sessions.len().max(kept.supporting.len()),
            all_against: kept.all_against.unwrap_or_default().max(kept.against.len()),
            from,
            next: (behind < kept.against.len()).then_some(behind),
        }
    }
}

impl<'k> Shown<'k> {
    fn of(own: &[&'k Kept], claim: &Claim, from: usize) -> Option<Self> {
        own.iter().find_map(|record| {
            let mut claims = record.candidates.iter().flat_map(|candidate| &candidate.claims);
            let kept = claims.find(|kept| kept.claim == *claim)?;
            let behind = kept.cases.against.get(from..).unwrap_or_default();
            let against = behind.get(..ON_A_PAGE).unwrap_or(behind);
            Some(Self { tenant: &record.tenant, kept, against })
        })
    }

    fn cases(&self) -> impl Iterator<Item = &'k KeptCase> {
        self.kept.cases.supporting.iter().chain(self.against)
    }
}

/// The sessions of all these cases, read at once.
async fn sessions<'k>(
    app: &App,
    reader: &Reader,
    shown: &[Option<Shown<'k>>],
) -> Result<BTreeMap<(&'k str, &'k str), Session>, Problem> {
    let mut wanted: BTreeMap<&str, (BTreeSet<&'k str>, &str)> = BTreeMap::new();
    let mut cases = Vec::new();
    for one in shown.iter().flatten() {
        cases.extend(one.cases().map(|case| (one.tenant, case)));
    }
    for (tenant, case) in cases {
        let (ids, since) = wanted.entry(tenant).or_insert_with(|| (BTreeSet::new(), case.date.as_str()));
        ids.insert(&case.session);
        *since = (*since).min(case.date.as_str());
    }
    let mut sessions = BTreeMap::new();
    for (tenant, (ids, since)) in wanted {
        let named: BTreeSet<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        for session in app.sessions(reader, tenant, &named, Some(since)).await? {
            if let Some(id) = ids.get(session.id.as_str()) {
                sessions.insert((tenant, *id), session);
            }
        }
    }
    Ok(sessions)
}

impl Case {
    fn of(kept: &KeptCase, tenant: &str, session: Option<&Session>, people: &People, claim: &Claim) -> Self {
        let own = Self {
            session: kept.session.clone(),
            title: String::new(),
            date: kept.date.clone(),
            feedback: String::new(),
            person: String::new(),
            link: String::new(),
            calls: Vec::new(),
        };
        let Some(session) = session else { return own };
        let people = people.and_of(session);
        let link = match kept.events.first() {
            Some(event) => link::event(tenant, &session.id, event),
            None => link::session(tenant, &session.id),
        };
        let prompt = session.turns().find_map(|turn| turn.prompt());
        let title = prompt.map(|prompt| people.title(&prompt.event.text, LONGEST_TITLE));
        Self {
            title: title.unwrap_or_default(),
            feedback: people.line(&feedback_of(session), LONGEST_FEEDBACK),
            person: people.name(tenant, &session.user_id),
            calls: told(session, &kept.events, claim, &people),
            link,
            ..own
        }
    }
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

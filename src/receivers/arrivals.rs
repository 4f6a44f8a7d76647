//! Reports each session once when it begins to arrive, for the people who operate the process.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::event::SessionEvent;

/// The number of remembered sessions and traces; older ones may be announced again.
const MAX_KNOWN: usize = 65_536;
/// Sessions that wait to be told; beyond it they are counted.
const MAX_WAITING: usize = 64;
/// Sessions of one request that are told apart, and traces of one of its sessions.
const MAX_OF_A_REQUEST: usize = 1_000;
/// Bytes of an id of a session or trace; one that is longer is not told.
const MAX_ID: usize = 1_000;
/// Bytes of a name that is shown; a longer one is a client's mistake, or its malice.
const MAX_NAME: usize = 120;

/// A session, by what its first records say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrival {
    /// Its id as the table has it; `trace:…` where its records carry none.
    pub session: String,
    /// The assistant, else the service.
    pub assistant: String,
    /// The workspace that it names, `""` if none.
    pub workspace: String,
    /// The repository, `""` if none.
    pub project: String,
}

/// The sessions that one request brought, which are of one tenant.
#[derive(Debug, Default)]
pub(super) struct Arriving {
    tenant: String,
    /// With the traces of their records.
    sessions: BTreeMap<String, (Arrival, BTreeSet<String>)>,
    /// By their traces, those of which records name no session.
    nameless: BTreeMap<String, Arrival>,
    /// Sessions or traces that found no room here.
    more: u64,
}

/// What arrived and was not told yet. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Arrivals(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    known: BTreeSet<u64>,
    order: VecDeque<u64>,
    waiting: BTreeMap<u64, Arrival>,
    more: u64,
}

impl Arriving {
    /// An event as it is stored.
    pub(super) fn note(&mut self, event: &SessionEvent) {
        if self.tenant.is_empty() {
            self.tenant.clone_from(&event.tenant);
        }
        let (session, trace) = (&event.session_id, &event.trace_id);
        if session.len().max(trace.len()) > MAX_ID {
            return;
        }
        let has_room = self.sessions.len() + self.nameless.len() < MAX_OF_A_REQUEST;
        if !has_room && !self.sessions.contains_key(session) && !self.nameless.contains_key(trace) {
            self.more += 1;
        } else if !session.is_empty() {
            change(&mut self.sessions, session, |(arrival, traces)| {
                arrival.learn(event);
                if !trace.is_empty() && traces.len() < MAX_OF_A_REQUEST && !traces.contains(trace) {
                    traces.insert(trace.clone());
                }
            });
        } else if !trace.is_empty() {
            change(&mut self.nameless, trace, |arrival| arrival.learn(event));
        }
    }
}

/// Changes the entry of a name. The name is copied only for a new entry, because most records belong to one session.
fn change<T: Default>(map: &mut BTreeMap<String, T>, name: &str, change: impl FnOnce(&mut T)) {
    match map.get_mut(name) {
        Some(known) => change(known),
        None => change(map.entry(name.to_owned()).or_default()),
    }
}

impl Arrival {
    fn learn(&mut self, event: &SessionEvent) {
        let assistant = if event.assistant.is_empty() { &event.service } else { &event.assistant };
        for (known, said) in [
            (&mut self.assistant, assistant),
            (&mut self.workspace, &event.workspace),
            (&mut self.project, &event.project),
        ] {
            if known.is_empty() && !said.is_empty() {
                begin(said).clone_into(known);
            }
        }
    }
}

/// As much of a name as is worth a place in a log.
fn begin(name: &str) -> &str {
    name.get(..name.floor_char_boundary(MAX_NAME)).unwrap_or_default()
}

impl Arrivals {
    /// What a request brought that was accepted.
    pub(super) fn add(&self, arriving: Arriving) {
        let Arriving { tenant, sessions, nameless, more } = arriving;
        if sessions.is_empty() && nameless.is_empty() && more == 0 {
            return;
        }
        let mut seen = self.lock();
        seen.more += more;
        // Traces first: what carries no id may be of a session that another record names.
        for trace in sessions.values().flat_map(|(_, traces)| traces) {
            let key = key_of(&tenant, &format!("trace:{trace}"));
            seen.is_new(key);
            seen.waiting.remove(&key);
        }
        let named = sessions.into_iter().map(|(session, (arrival, _))| (session, arrival));
        let nameless = nameless.into_iter().map(|(trace, arrival)| (format!("trace:{trace}"), arrival));
        for (session, arrival) in named.chain(nameless) {
            let key = key_of(&tenant, &session);
            if !seen.is_new(key) {
                continue;
            }
            if seen.waiting.len() < MAX_WAITING {
                seen.waiting.insert(key, Arrival { session: begin(&session).to_owned(), ..arrival });
            } else {
                seen.more += 1;
            }
        }
    }

    /// The sessions that were not told yet, and how many more there are than are named.
    pub fn take(&self) -> (Vec<Arrival>, u64) {
        let mut seen = self.lock();
        let more = std::mem::take(&mut seen.more);
        (std::mem::take(&mut seen.waiting).into_values().collect(), more)
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn is_new(&mut self, key: u64) -> bool {
        if !self.known.insert(key) {
            return false;
        }
        self.order.push_back(key);
        if self.order.len() > MAX_KNOWN
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

fn key_of(tenant: &str, session: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (tenant, session).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(events: &[(&str, &str)]) -> Arriving {
        let mut arriving = Arriving::default();
        for (session, trace) in events {
            arriving.note(&SessionEvent {
                session_id: (*session).to_owned(),
                trace_id: (*trace).to_owned(),
                assistant: "codex".to_owned(),
                ..SessionEvent::default()
            });
        }
        arriving
    }

    fn told(requests: &[&[(&str, &str)]]) -> Vec<String> {
        let arrivals = Arrivals::default();
        requests.iter().for_each(|events| arrivals.add(request(events)));
        let mut names: Vec<String> = arrivals.take().0.into_iter().map(|arrival| arrival.session).collect();
        names.sort();
        names
    }

    #[test]
    fn each_session_is_told_once() {
        assert_eq!(told(&[&[("a", ""), ("a", "t")], &[("a", "")], &[("b", "")]]), ["a", "b"]);
        let arrivals = Arrivals::default();
        arrivals.add(request(&[("a", "")]));
        assert_eq!(arrivals.take().0[0].assistant, "codex");
        arrivals.add(request(&[("a", "")]));
        assert_eq!(arrivals.take(), (Vec::new(), 0));
    }

    #[test]
    fn a_trace_is_a_session_where_no_record_names_one() {
        assert_eq!(told(&[&[("", "t")], &[("", "t")]]), ["trace:t"]);
        assert_eq!(told(&[&[("", "t"), ("a", "t")]]), ["a"]);
        assert_eq!(told(&[&[("", "t")], &[("a", "t")]]), ["a"], "nobody was told yet");
        assert_eq!(told(&[&[("a", "t")], &[("", "t")], &[("", "")]]), ["a"]);
    }

    #[test]
    fn what_waits_and_what_is_remembered_is_bounded() {
        let arrivals = Arrivals::default();
        for number in 0..MAX_KNOWN + 100 {
            arrivals.add(request(&[(&format!("s{number}-{}", "x".repeat(300)), "")]));
        }
        let (named, more) = arrivals.take();
        assert_eq!((named.len(), more), (MAX_WAITING, (MAX_KNOWN + 100 - MAX_WAITING) as u64));
        assert!(named.iter().all(|arrival| arrival.session.len() == MAX_NAME));
        assert_eq!(arrivals.lock().known.len(), MAX_KNOWN);
    }
}

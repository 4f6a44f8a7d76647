//! Resolving: from observations to sessions.
//!
//! Some records carry their session's id; for the others, only a reader that sees all of them can tell. An
//! observation belongs to
//!
//! 1. the session whose id it carries; else
//! 2. the one session of its trace, or, if the trace has several, that of its own span or the
//!    nearest ancestor of it that has one; else
//! 3. where the trace has none, the session of the trace whose conversation it continues
//!    (`history.rs`); else
//! 4. `trace:<trace id>`; else, with neither id nor trace,
//! 5. `event:<event id>`, a session of its own. Nothing connects two such observations, and a session made of
//!    unrelated ones would teach what nobody did.
//!
//! The result does not depend on the order of the events or on how often one of them is given.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::costs;
use super::endings::{self, is_ending};
use super::first_calls::first_calls;
use super::history::{self, TraceId};
use super::read::arrival_order;
use super::reading;
use super::reconcile::reconcile;
use super::sessions::is_said;
use super::trace::is_usage;
use super::{Fact, Session, SessionSource, Summary};
use crate::event::{Kind, SessionEvent, Timestamp};

/// The settings of resolving.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResolveOptions {
    /// The workspace of sessions whose observations name none.
    pub default_workspace: String,
}

/// How far a client's clock may run ahead of ours. One span dated 2099 must not keep a session
/// open, or make everything else look old.
const MAX_CLOCK_LEAD: Duration = Duration::from_secs(3600);

/// Puts the sessions together, sorted by (tenant, workspace, start, id).
pub fn resolve(events: Vec<SessionEvent>, options: &ResolveOptions) -> Vec<Session> {
    let mut sessions: Vec<Session> = members(events)
        .map(|members| put_together(members, options))
        .filter(|session| !session.facts.is_empty())
        .collect();
    sessions.sort_by(|a, b| {
        (&a.tenant, &a.workspace, a.started_at, &a.id).cmp(&(&b.tenant, &b.workspace, b.started_at, &b.id))
    });
    sessions
}

/// The summaries of the sessions that [`resolve`] puts together, in no order, and whether texts or
/// inputs, where the events had them, could make others of them.
pub(super) fn summarize(events: Vec<SessionEvent>, options: &ResolveOptions) -> (Vec<Summary>, bool) {
    let mut depends_on_content = false;
    let mut summaries = Vec::new();
    for mut members in members(events) {
        depends_on_content |= reconcile(&mut members.events);
        let events = members.events.iter().filter(|event| !is_ending(event) && !is_usage(event));
        // A fact is a sub-agent's if one of its observations is.
        let mut facts: BTreeMap<_, bool> = BTreeMap::new();
        for event in events {
            *facts.entry(fact_of(event)).or_insert(true) &= event.agent.is_empty();
        }
        let has_facts = !facts.is_empty();
        let mut counts = BTreeMap::new();
        for ((kind, ..), is_main) in facts {
            if is_main || !is_said(kind) {
                *counts.entry(kind).or_default() += 1;
            }
        }
        if has_facts {
            summaries.push(members.head(options).with_facts(counts));
        }
    }
    (summaries, depends_on_content)
}

/// The observations of one session, each once.
struct Members {
    tenant: String,
    id: String,
    source: SessionSource,
    events: Vec<SessionEvent>,
}

/// The observations by session.
fn members(events: Vec<SessionEvent>) -> impl Iterator<Item = Members> {
    let mut events = each_once(events);
    events.iter_mut().for_each(clip_to_arrival);

    let homes = find_homes(&events);
    let mut by_key: BTreeMap<(&str, &str, &str), (SessionSource, Vec<usize>)> = BTreeMap::new();
    for (at, (event, home)) in events.iter().zip(&homes).enumerate() {
        let (tenant, workspace) = event.scope();
        let key = (tenant, workspace, home.session_id.as_ref());
        let (source, places) = by_key.entry(key).or_insert_with(|| (home.source, Vec::new()));
        *source = home.source.min(*source);
        places.push(at);
    }
    let mut order = Vec::with_capacity(events.len());
    let mut sessions: Vec<(usize, Members)> = Vec::with_capacity(by_key.len());
    for ((tenant, _, id), (source, places)) in by_key {
        let session = Members { tenant: tenant.to_owned(), id: id.to_owned(), source, events: Vec::new() };
        sessions.push((order.len(), session));
        order.extend(places);
    }
    drop(homes);
    let mut rest = in_order(events, order);
    for (first, session) in sessions.iter_mut().rev() {
        // Most groups are one session, whose rows stay where they are.
        session.events = if *first == 0 { std::mem::take(&mut rest) } else { rest.split_off(*first) };
    }
    sessions.into_iter().map(|(_, session)| session)
}

fn clip_to_arrival(event: &mut SessionEvent) {
    if !event.ingested_at.is_unset() {
        event.timestamp = event.timestamp.min(event.ingested_at.saturating_add(MAX_CLOCK_LEAD));
    }
}

/// The session that an observation belongs to.
struct Home<'a> {
    session_id: Cow<'a, str>,
    source: SessionSource,
}

fn find_homes<'a>(events: &'a [SessionEvent]) -> Vec<Home<'a>> {
    let traces = Traces::of(events);
    let continued = traces.continued(events);
    let find = |event: &'a SessionEvent| {
        if !event.session_id.is_empty() {
            return Home {
                session_id: Cow::Borrowed(event.session_id.as_str()),
                source: SessionSource::Attribute,
            };
        }
        let home = |session_id: String, source| Home { session_id: Cow::Owned(session_id), source };
        if event.trace_id.is_empty() {
            return home(format!("event:{}", event.event_id), SessionSource::None);
        }
        match traces.session_of(event) {
            Some(session_id) => home(session_id.to_owned(), SessionSource::Attribute),
            None => continued.get(&(event.scope(), event.trace_id.as_str())).map_or_else(
                || home(format!("trace:{}", event.trace_id), SessionSource::Trace),
                |session_id| home(session_id.clone(), SessionSource::History),
            ),
        }
    };
    events.iter().map(find).collect()
}

/// The traces by their ids, apart for each tenant and each workspace that a credential names.
struct Traces<'a>(BTreeMap<TraceId<'a>, Trace<'a>>);

/// What the observations of one trace say of its sessions.
#[derive(Default)]
struct Trace<'a> {
    sessions: BTreeSet<&'a str>,
    spans: BTreeMap<&'a str, Span<'a>>,
}

#[derive(Default)]
struct Span<'a> {
    parent: &'a str,
    /// The session ids of its observations, as often as they are carried.
    sessions: Vec<&'a str>,
}

impl<'a> Traces<'a> {
    fn of(events: &'a [SessionEvent]) -> Self {
        let mut traces: BTreeMap<_, Trace<'a>> = BTreeMap::new();
        for event in events.iter().filter(|event| !event.trace_id.is_empty()) {
            let trace = traces.entry((event.scope(), event.trace_id.as_str())).or_default();
            let span = trace.spans.entry(&event.span_id).or_default();
            // A log record knows its span but not the span's parent.
            span.parent = span.parent.max(&event.parent_span_id);
            if !event.session_id.is_empty() {
                trace.sessions.insert(&event.session_id);
                span.sessions.push(&event.session_id);
            }
        }
        Self(traces)
    }

    /// The sessions of the traces without any id that continue another trace's conversation.
    fn continued(&self, events: &'a [SessionEvent]) -> BTreeMap<TraceId<'a>, String> {
        let without_id = self.0.iter().filter(|(_, trace)| trace.sessions.is_empty());
        let without_id: BTreeSet<TraceId<'a>> = without_id.map(|(id, _)| *id).collect();
        let predecessors = history::predecessors(events, &without_id);
        let mut sessions = BTreeMap::new();
        for trace in predecessors.keys() {
            // A trace begins after the one that it continues has ended; equal times may still make
            // a circle.
            let mut seen = BTreeSet::from([*trace]);
            let mut first = *trace;
            while let Some(before) = predecessors.get(&first).filter(|before| seen.insert(**before)) {
                first = *before;
            }
            let ids = self.0.get(&first).map(|first| &first.sessions);
            let session = match ids.map_or(0, BTreeSet::len) {
                0 if predecessors.contains_key(&first) => continue,
                0 => format!("trace:{}", first.1),
                1 => ids.and_then(BTreeSet::first).map(|id| (*id).to_owned()).unwrap_or_default(),
                // Which of its sessions goes on, nothing says.
                _ => continue,
            };
            sessions.insert(*trace, session);
        }
        sessions
    }

    fn session_of(&self, event: &SessionEvent) -> Option<&'a str> {
        let trace = self.0.get(&(event.scope(), event.trace_id.as_str()))?;
        match trace.sessions.len() {
            0 | 1 => trace.sessions.first().copied(),
            _ => trace.nearest_session(&event.span_id),
        }
    }
}

impl<'a> Trace<'a> {
    /// The session of the span or of its nearest ancestor that has one.
    fn nearest_session(&self, span_id: &str) -> Option<&'a str> {
        let mut seen = BTreeSet::new();
        let mut next = span_id;
        // Parents come from clients and may form a circle.
        while !next.is_empty() && seen.insert(next) {
            let span = self.spans.get(next)?;
            if let Some(session) = most_frequent(span.sessions.iter().copied()) {
                return Some(session);
            }
            next = span.parent;
        }
        None
    }
}

/// The most frequent value that is not empty; of several, the lexically first.
fn most_frequent<'a>(values: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for value in values.filter(|value| !value.is_empty()) {
        *counts.entry(value).or_default() += 1;
    }
    let most = counts.into_iter().max_by(|(a, x), (b, y)| x.cmp(y).then_with(|| b.cmp(a)));
    most.map(|(value, _)| value)
}

/// Reconciles the observations, and merges them to facts in order of time. Then, one after the other: costs that are
/// still alone, the names of tools, who said a prompt, how commands ended.
fn put_together(mut members: Members, options: &ResolveOptions) -> Session {
    let _ = reconcile(&mut members.events);
    let head = members.head(options);
    let (mut notified, events) = match members.events.iter().any(is_ending) {
        true => members.events.into_iter().partition::<Vec<_>, _>(is_ending),
        false => (Vec::new(), members.events),
    };
    let mut facts = costs::place_rest(merge_facts(events, &head.id, &head.workspace));
    if facts.last().is_some_and(|last| is_usage(&last.event)) {
        sort_by_time(&mut facts);
    }
    reading::name_tools(&mut facts);
    notified.extend(reading::hear(&mut facts));
    endings::settle(&mut facts, &notified);
    head.with_facts(facts)
}

impl Members {
    /// The fields of the whole session, from its reconciled observations.
    fn head(&self, options: &ResolveOptions) -> Session<()> {
        let Self { tenant, id, source, events } = self;
        let usual = |column: fn(&SessionEvent) -> &String| {
            most_frequent(events.iter().map(|event| column(event).as_str())).map(str::to_owned)
        };
        let workspace = usual(|event| &event.workspace).unwrap_or_else(|| options.default_workspace.clone());
        let assistant = usual(|event| &event.assistant).or_else(|| usual(|event| &event.service));
        Session {
            tenant: tenant.clone(),
            id: id.clone(),
            source: *source,
            workspace,
            project: usual(|event| &event.project).unwrap_or_default(),
            user_id: usual(|event| &event.user_id).unwrap_or_default(),
            assistant: assistant.unwrap_or_default(),
            started_at: events.iter().map(|event| event.timestamp).min().unwrap_or_default(),
            last_event_at: events.iter().map(|event| event.timestamp).max().unwrap_or_default(),
            last_ingested_at: events.iter().map(|event| event.ingested_at).max().unwrap_or_default(),
            ended: events.iter().any(|event| event.kind == Kind::SessionEnd),
            facts: (),
        }
    }
}

/// Which fact of its session an observation is of. Without a key, it is a fact of its own.
fn fact_of(event: &SessionEvent) -> (Kind, &str, &str) {
    let alone = if event.fact_key.is_empty() { event.event_id.as_str() } else { "" };
    (event.kind, &event.fact_key, alone)
}

/// Merges the observations of one session, whose id and workspace the facts then bear.
fn merge_facts(events: Vec<SessionEvent>, session_id: &str, workspace: &str) -> Vec<Fact> {
    let mut order: Vec<usize> = (0..events.len()).collect();
    let of = |at: usize| events.get(at).map(fact_of);
    order.sort_by(|a, b| of(*a).cmp(&of(*b)));
    let facts: Vec<usize> = order.chunk_by(|a, b| of(*a) == of(*b)).map(<[usize]>::len).collect();
    let mut ordered = in_order(events, order).into_iter();
    let mut facts: Vec<Fact> =
        facts.into_iter().filter_map(|size| Fact::of(ordered.by_ref().take(size))).collect();
    for fact in &mut facts {
        session_id.clone_into(&mut fact.event.session_id);
        workspace.clone_into(&mut fact.event.workspace);
    }
    sort_by_time(&mut facts);
    facts
}

/// By time. Some clients' clocks give the start of a span in whole milliseconds and its end more
/// finely, so that a turn seems to begin before the one before it has ended: within a millisecond,
/// the trace that began first comes first.
fn sort_by_time(facts: &mut Vec<Fact>) {
    let mut begins: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for Fact { event, .. } in facts.iter() {
        let begin = begins.entry(&event.trace_id).or_insert(event.timestamp);
        *begin = event.timestamp.min(*begin);
    }
    let time = |event: &SessionEvent, is_after: bool| {
        let millis = event.timestamp.as_micros().div_euclid(1000);
        let begin = begins.get(event.trace_id.as_str()).copied();
        (millis, begin, event.timestamp, event.seq, is_after)
    };
    let first = first_calls(facts);
    let keys = facts.iter().map(|Fact { event, .. }| match first.of(event) {
        Some(call) => (time(call, false), &call.event_id),
        None => (time(event, true), &event.event_id),
    });
    let keys: Vec<_> = keys.collect();
    let key = |at: usize| (keys.get(at), facts.get(at).map(|fact| fact.event.event_id.as_str()));
    let mut order: Vec<usize> = (0..facts.len()).collect();
    order.sort_by(|a, b| key(*a).cmp(&key(*b)));
    if !order.is_sorted() {
        *facts = in_order(std::mem::take(facts), order);
    }
}

/// The items in another order, each place once at most. They are large: where none is left out, they are swapped
/// where they stand, which takes no memory.
fn in_order<T>(mut items: Vec<T>, mut order: Vec<usize>) -> Vec<T> {
    if order.len() != items.len() {
        let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
        return order.into_iter().filter_map(|at| items.get_mut(at)?.take()).collect();
    }
    for start in 0..order.len() {
        let mut at = start;
        while let Some(from) = order.get_mut(at).map(|from| std::mem::replace(from, at))
            && from != start
            && from != at
        {
            items.swap(at, from);
            at = from;
        }
    }
    items
}

/// Each observation once, by its id.
fn each_once(events: Vec<SessionEvent>) -> Vec<SessionEvent> {
    let mut order: Vec<usize> = (0..events.len()).collect();
    let id = |at: usize| events.get(at).map(|event| event.event_id.as_str());
    order.sort_by(|a, b| id(*a).cmp(&id(*b)));
    order.dedup_by(|next, kept| {
        let is_same = id(*next) == id(*kept);
        if let (true, Some(other), Some(known)) = (is_same, events.get(*next), events.get(*kept))
            && arrival_order(other, known).is_lt()
        {
            *kept = *next;
        }
        is_same
    });
    in_order(events, order)
}

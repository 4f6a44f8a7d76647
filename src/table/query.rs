//! Questions that need less than the whole table. (For lists of sessions, see `summaries.rs`.)
//!
//! | question | read |
//! |---|---|
//! | [`Table::session`], [`Table::sessions_called`], [`Table::sessions_all_called`] | the row groups that its id, then its traces, point to |
//! | [`Table::changes`] | the files that a cursor has not seen |
//! | [`Table::sessions_around_events`] | the row groups that the ids of some rows point to |
//!
//! [`resolve`] builds the sessions, as everywhere. A session's rows are those that carry its id and those of its
//! traces that carry none; where a conversation's history may join traces (`history_after`), the keys of the rows
//! that it connects with them are read as well (`continued.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::budget::Budget;
use super::error::ReadError;
use super::part::{Columns, Rows, Test};
use super::read::{DamagedFile, Filter, Listed, Reading};
use super::upkeep::Replacement;
use super::{ResolveOptions, Session, Table, layout, resolve};
use crate::event::SessionEvent;

/// Sessions that were asked for.
#[derive(Debug, Default)]
#[must_use]
pub struct Sessions {
    /// The sessions by (tenant, workspace, start, id).
    pub sessions: Vec<Session>,
    /// The files that could not be read; what they hold is missing from the sessions.
    pub damaged: Vec<DamagedFile>,
    /// Whether the rows were more than could be held at once: those that arrived later are missing from the sessions.
    pub is_cut: bool,
}

/// What a reader has seen of a table: a set of files.
///
/// A file that upkeep made of files that have all been seen has been seen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cursor(BTreeSet<String>);

/// Which sessions a set gained and lost.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Difference {
    came: Vec<String>,
    left: Vec<String>,
}

impl Difference {
    /// From one set to another.
    pub fn between(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Self {
        Self {
            came: after.difference(before).cloned().collect(),
            left: before.difference(after).cloned().collect(),
        }
    }

    /// Makes the one set the other.
    pub fn carry_out(self, set: &mut BTreeSet<String>) {
        for one in &self.left {
            set.remove(one);
        }
        set.extend(self.came);
    }
}

impl Cursor {
    /// What lies between a cursor and a later one.
    pub fn difference_to(&self, later: &Self) -> Difference {
        Difference::between(&self.0, &later.0)
    }

    /// Goes on to the later one.
    pub fn advance(&mut self, difference: Difference) {
        difference.carry_out(&mut self.0);
    }

    pub(super) fn of(paths: BTreeSet<String>) -> Self {
        Self(paths)
    }

    /// The files, with those that upkeep made of files that have all been seen.
    pub(super) fn with_replacements(&self, replacements: &[Arc<Replacement>]) -> BTreeSet<String> {
        let mut seen = self.0.clone();
        for replacement in replacements {
            if replacement.inputs.iter().all(|input| seen.contains(&input.path)) {
                seen.extend(replacement.outputs.iter().cloned());
            }
        }
        seen
    }
}

/// What is new since a [`Cursor`].
#[derive(Debug, Default)]
#[must_use]
pub struct Change {
    /// The observations by `event_id`, each once. One that was seen before may be among them.
    pub events: Vec<SessionEvent>,
    /// Where to go on.
    pub cursor: Cursor,
    /// The files that could not be read.
    pub damaged: Vec<DamagedFile>,
}

const TRACE: &str = "trace:";
const EVENT: &str = "event:";

impl Table {
    /// The session with this id, of each tenant that `filter` admits; if there is none, the sessions
    /// whose ids begin with it.
    pub async fn session(
        &self,
        id: &str,
        filter: &Filter,
        options: &ResolveOptions,
    ) -> Result<Sessions, ReadError> {
        let mut found = self.sessions_called(id, filter, options).await?;
        if found.sessions.is_empty() {
            let seed = match (id.strip_prefix(TRACE), id.strip_prefix(EVENT)) {
                (None, None) => Rows::default().with("session_id", Test::Begins(id.to_owned())),
                (Some(trace), _) => Rows::default().with("trace_id", Test::Begins(trace.to_owned())),
                (None, Some(event)) => Rows::default().with("event_id", Test::Begins(event.to_owned())),
            };
            found = self.sessions_around(seed, filter, options, None, |found| found.starts_with(id)).await?;
        }
        Ok(found)
    }

    /// The session with exactly this id, of each tenant that `filter` admits.
    pub async fn sessions_called(
        &self,
        id: &str,
        filter: &Filter,
        options: &ResolveOptions,
    ) -> Result<Sessions, ReadError> {
        self.sessions_all_called(&BTreeSet::from([id.to_owned()]), filter, options).await
    }

    /// The same of a session's first rows in the order of arrival, as many as take so many bytes.
    pub async fn sessions_called_within(
        &self,
        id: &str,
        filter: &Filter,
        options: &ResolveOptions,
        bytes: usize,
    ) -> Result<Sessions, ReadError> {
        self.called(&BTreeSet::from([id.to_owned()]), filter, options, Some(bytes)).await
    }

    /// The sessions with exactly these ids, of each tenant that `filter` admits. One pass reads the files for all of
    /// them.
    pub async fn sessions_all_called(
        &self,
        ids: &BTreeSet<String>,
        filter: &Filter,
        options: &ResolveOptions,
    ) -> Result<Sessions, ReadError> {
        self.called(ids, filter, options, None).await
    }

    async fn called(
        &self,
        ids: &BTreeSet<String>,
        filter: &Filter,
        options: &ResolveOptions,
        most: Option<usize>,
    ) -> Result<Sessions, ReadError> {
        // Rows that name no session, or no trace, are of many.
        let of = |prefix: &'static str| -> BTreeSet<String> {
            let named = ids.iter().filter_map(|id| id.strip_prefix(prefix));
            named.filter(|id| !id.is_empty()).map(str::to_owned).collect()
        };
        let is_session = |id: &&String| !id.is_empty() && !id.starts_with(TRACE) && !id.starts_with(EVENT);
        let sessions: BTreeSet<String> = ids.iter().filter(is_session).cloned().collect();
        let (traces, events) = (of(TRACE), of(EVENT));
        if sessions.is_empty() && traces.is_empty() && events.is_empty() {
            return Ok(Sessions::default());
        }
        let seed = Rows::default()
            .one_of("session_id", &sessions)
            .one_of("trace_id", &traces)
            .one_of("event_id", &events);
        self.sessions_around(seed, filter, options, most, |found| ids.contains(found)).await
    }

    /// The observations of the files that `cursor` has not seen, and the cursor to go on with.
    pub async fn changes(&self, filter: &Filter, cursor: &Cursor) -> Result<Change, ReadError> {
        self.next_changes(filter, cursor, u64::MAX).await
    }

    /// [`Table::changes`], no more at once than the oldest files that have `most_bytes` together, and
    /// at least one: for a reader that comes to a table of years.
    pub async fn next_changes(
        &self,
        filter: &Filter,
        cursor: &Cursor,
        most_bytes: u64,
    ) -> Result<Change, ReadError> {
        let files = self.list(filter).await?;
        let listed: BTreeSet<String> = files.iter().map(|file| file.location.to_string()).collect();
        let mut seen = cursor.with_replacements(&self.replacements(filter.owner.as_ref()).await?);
        let mut skip = seen.clone();
        skip.extend(later_than(files, &seen, most_bytes));
        let mut observations = super::read::Observations::default();
        let mut read = BTreeSet::new();
        let damaged = self
            .visit(filter, &Reading::Whole, &skip, |path, events| {
                read.insert(path.to_owned());
                observations.extend(events);
            })
            .await?;
        seen.retain(|path| listed.contains(path));
        seen.extend(read);
        seen.extend(damaged.iter().map(|file| file.path.clone()));
        Ok(Change { events: observations.into_events(), cursor: Cursor(seen), damaged })
    }

    /// The sessions that `events` belong to and those with one of `ids`, whole as far as `filter` admits
    /// their rows.
    pub async fn sessions_around_events(
        &self,
        events: Vec<SessionEvent>,
        ids: &BTreeSet<String>,
        filter: &Filter,
        options: &ResolveOptions,
    ) -> Result<Sessions, ReadError> {
        let touched: BTreeSet<String> = events.iter().map(|event| event.event_id.clone()).collect();
        let is_wanted = |session: &Session| {
            let mut members = session.facts.iter().flat_map(|fact| &fact.event_ids);
            ids.contains(&session.id) || members.any(|id| touched.contains(id))
        };
        let mut rows = Gathered::default();
        rows.add(Columns::All, events);
        let mut damaged = self.gather_around(&mut rows, ids, filter).await?;
        if rows.0.values().any(|event| !event.history_after.is_empty()) {
            self.gather_continued(&mut rows, filter).await?;
            let sessions = resolve(rows.events(), options);
            let members: BTreeSet<&str> = sessions
                .iter()
                .filter(|session| is_wanted(session))
                .flat_map(|session| &session.facts)
                .flat_map(|fact| fact.event_ids.iter().map(String::as_str))
                .collect();
            let of = |column: fn(&SessionEvent) -> &String| rows.values_where(column, &members);
            let (sessions, traces) = (of(|event| &event.session_id), of(|event| &event.trace_id));
            let all = Rows::default().one_of("session_id", &sessions).one_of("trace_id", &traces);
            damaged = self.gather(all, Columns::All, filter, &mut rows).await?;
        }
        let options = options.clone();
        let mut sessions = off_thread(move || resolve(rows.into_events(), &options)).await;
        sessions.retain(is_wanted);
        Ok(Sessions { sessions, damaged, is_cut: false })
    }

    /// Reads the rows that share a session or a trace with those gathered, or have one of `ids`, until
    /// no further ones do: a session leads to its traces, and a trace to sessions.
    async fn gather_around(
        &self,
        rows: &mut Gathered,
        ids: &BTreeSet<String>,
        filter: &Filter,
    ) -> Result<Vec<DamagedFile>, ReadError> {
        let named = |prefix: &'static str| {
            ids.iter().filter_map(move |id| id.strip_prefix(prefix)).map(str::to_owned)
        };
        let events: BTreeSet<String> = named(EVENT).collect();
        let mut asked = None;
        let mut damaged = Vec::new();
        loop {
            let mut sessions = rows.values_of(|event| &event.session_id);
            sessions.extend(ids.iter().cloned());
            let mut traces = rows.values_of(|event| &event.trace_id);
            traces.extend(named(TRACE));
            if asked.as_ref() == Some(&(sessions.clone(), traces.clone())) {
                return Ok(damaged);
            }
            let wanted = Rows::default()
                .one_of("session_id", &sessions)
                .one_of("trace_id", &traces)
                .one_of("event_id", &events);
            damaged = self.gather(wanted, Columns::All, filter, rows).await?;
            asked = Some((sessions, traces));
        }
    }

    /// The sessions, among those that the rows of `seed` belong to, whose ids are wanted.
    async fn sessions_around(
        &self,
        seed: Rows,
        filter: &Filter,
        options: &ResolveOptions,
        most: Option<usize>,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Sessions, ReadError> {
        let mut rows = Gathered::default();
        let mut damaged = match most {
            Some(most) => {
                let budget = Arc::new(Budget::of(most));
                let reading = Reading::First { rows: seed, budget: Arc::clone(&budget) };
                let take = |_: &str, events| rows.add(Columns::All, events);
                let damaged = self.visit(filter, &reading, &BTreeSet::new(), take).await?;
                if budget.is_spent() {
                    // What its traces have beside these rows is left out as well.
                    let mut sessions = resolve(rows.into_events(), options);
                    sessions.retain(|session| wanted(&session.id));
                    return Ok(Sessions { sessions, damaged, is_cut: true });
                }
                damaged
            }
            None => self.gather(seed, Columns::All, filter, &mut rows).await?,
        };
        if rows.0.is_empty() {
            return Ok(Sessions { damaged, ..Sessions::default() });
        }
        let traces = rows.values_of(|event| &event.trace_id);
        let mut read = rows.values_of(|event| &event.session_id);
        if !traces.is_empty() {
            let of_traces = Rows::default().one_of("trace_id", &traces);
            damaged = self.gather(of_traces, Columns::All, filter, &mut rows).await?;
        }
        if rows.0.values().any(|event| !event.history_after.is_empty()) {
            self.gather_continued(&mut rows, filter).await?;
            let sessions = resolve(rows.events(), options);
            let members = members_of(&sessions, &wanted);
            let of = |column: fn(&SessionEvent) -> &String| rows.values_where(column, &members);
            let (sessions, traces) = (of(|event| &event.session_id), of(|event| &event.trace_id));
            read.extend(sessions);
            let all = Rows::default().one_of("session_id", &read).one_of("trace_id", &traces);
            damaged = self.gather(all, Columns::All, filter, &mut rows).await?;
        }
        let mut sessions = resolve(rows.into_events(), options);
        sessions.retain(|session| wanted(&session.id));
        Ok(Sessions { sessions, damaged, is_cut: false })
    }

    /// Reads rows into `rows`.
    pub(super) async fn gather(
        &self,
        wanted: Rows,
        columns: Columns,
        filter: &Filter,
        rows: &mut Gathered,
    ) -> Result<Vec<DamagedFile>, ReadError> {
        let reading = Reading::Part { columns, rows: Some(wanted) };
        self.visit(filter, &reading, &BTreeSet::new(), |_, events| rows.add(columns, events)).await
    }
}

/// Of the files that are not seen, those that come after the oldest that have `most_bytes` together.
fn later_than(files: Vec<Listed>, seen: &BTreeSet<String>, most_bytes: u64) -> BTreeSet<String> {
    let mut files: Vec<(String, u64)> = files
        .into_iter()
        .map(|file| (file.location.to_string(), file.bytes))
        .filter(|(path, _)| !seen.contains(path))
        .collect();
    files.sort_by(|(a, _), (b, _)| (layout::ingest_date_of(a), a).cmp(&(layout::ingest_date_of(b), b)));
    let mut bytes = 0_u64;
    let now = files.iter().take_while(|(_, size)| {
        let fits = bytes == 0 || bytes.saturating_add(*size) <= most_bytes;
        bytes = bytes.saturating_add(*size);
        fits
    });
    let now = now.count();
    files.into_iter().skip(now).map(|(path, _)| path).collect()
}

/// The ids of the observations of the sessions that are wanted.
fn members_of<'s>(sessions: &'s [Session], wanted: &impl Fn(&str) -> bool) -> BTreeSet<&'s str> {
    let wanted = sessions.iter().filter(|session| wanted(&session.id));
    wanted.flat_map(|session| &session.facts).flat_map(|fact| &fact.event_ids).map(String::as_str).collect()
}

/// Rows by (observation, time of its arrival): a whole row rather than its keys.
#[derive(Debug, Default)]
pub(super) struct Gathered(BTreeMap<(String, i64), SessionEvent>, BTreeSet<(String, i64)>);

impl Gathered {
    pub(super) fn iter(&self) -> impl Iterator<Item = &SessionEvent> {
        self.0.values()
    }

    pub(super) fn add(&mut self, columns: Columns, events: Vec<SessionEvent>) {
        for event in events {
            let key = (event.event_id.clone(), event.ingested_at.as_micros());
            let whole = columns == Columns::All;
            if whole && self.1.insert(key.clone()) {
                self.0.insert(key, event);
            } else {
                self.0.entry(key).or_insert(event);
            }
        }
    }

    pub(super) fn events(&self) -> Vec<SessionEvent> {
        self.0.values().cloned().collect()
    }

    fn into_events(self) -> Vec<SessionEvent> {
        self.0.into_values().collect()
    }

    pub(super) fn values_of(&self, column: fn(&SessionEvent) -> &String) -> BTreeSet<String> {
        self.0.values().map(column).filter(|value| !value.is_empty()).cloned().collect()
    }

    fn values_where(
        &self,
        column: fn(&SessionEvent) -> &String,
        members: &BTreeSet<&str>,
    ) -> BTreeSet<String> {
        let members = self.0.values().filter(|event| members.contains(event.event_id.as_str()));
        members.map(column).filter(|value| !value.is_empty()).cloned().collect()
    }
}

/// Runs a long computation where it holds up no other task.
async fn off_thread<T: Send + 'static>(compute: impl FnOnce() -> T + Send + 'static) -> T {
    joined(tokio::task::spawn_blocking(compute)).await
}

/// What a task computed; its panic goes on here.
pub(super) async fn joined<T>(task: tokio::task::JoinHandle<T>) -> T {
    match task.await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

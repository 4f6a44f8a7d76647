//! One round: what is erased, what is new, what is due.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::config::Config;
use super::cursor::{Key, Open, Refused, State, Store};
use super::rows::{Row, Rules};
use super::status::Handle;
use super::writer::Writer;
use super::{Failure, RoundError, sql};
use crate::event::{SessionEvent, Timestamp};
use crate::table::upkeep::Tombstone;
use crate::table::{Filter, ResolveOptions, Session, Table};

/// What is read of new files at once, compressed: a table of years is followed in bounded memory.
const MOST_BYTES: u64 = 8 << 20;
/// How far back files are searched for earlier rows of a session that has new ones.
const LONGEST_GAP: Duration = Duration::from_secs(7 * 24 * 3600);
/// Sessions named in one statement.
const MOST_SESSIONS: usize = 100;
/// Sessions that are due and looked at in one round; with more, the next one follows at once.
const SESSIONS_AT_ONCE: usize = 2_000;
/// Stands for a time that is known when the rows are written.
const WHEN_WRITTEN: i64 = i64::MAX;

/// The exporter between two rounds.
#[derive(Debug)]
pub(super) struct Follower {
    config: Config,
    rules: Rules,
    writer: Writer,
    handle: Handle,
    store: Arc<Store>,
    state: State,
}

/// The rows to write, and what is to be remembered when they are.
struct Plan {
    rows: Vec<Row>,
    /// Their sessions.
    written: BTreeSet<Key>,
    next: State,
}

impl Follower {
    pub(super) fn new(config: Config, writer: Writer, handle: Handle, store: Store, state: State) -> Self {
        let rules = Rules::from(&config);
        Self { config, rules, writer, handle, store: Arc::new(store), state }
    }

    /// Waits for a save that was under way when its round was ended: it holds the lock.
    pub(super) async fn finish(&self) {
        while Arc::strong_count(&self.store) > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Writes what is to be written now; whether there is more to do at once.
    pub(super) async fn round(&mut self, table: &Table) -> Result<bool, RoundError> {
        // In one table there, sessions of two tenants with one id would be one session.
        if self.config.from.is_none() && table.has_several_tenants().await? {
            return Err(RoundError::Tenants);
        }
        self.erase(table).await?;
        let filter = Filter { owner: self.config.from.clone(), since: None };
        let change = table.next_changes(&filter, &self.state.table, MOST_BYTES).await?;
        for damaged in &change.damaged {
            tracing::warn!(exporter = self.config.name, file = damaged.path, damage = %damaged.damage, "not exported");
        }
        let has_moved = change.cursor != self.state.table;
        let now = Timestamp::now();
        let due = self.state.sessions.iter().filter(|(_, open)| open.is_due(now)).take(SESSIONS_AT_ONCE);
        let due: BTreeSet<Key> = due.map(|(key, _)| key.clone()).collect();
        let is_behind = due.len() == SESSIONS_AT_ONCE || !change.events.is_empty();
        if due.is_empty() && change.events.is_empty() {
            // Nothing hangs on a cursor that has only seen what upkeep made of files it knew.
            self.state.table = change.cursor;
            return Ok(false);
        }
        let (sessions, since) = self.sessions(table, change.events, &due).await?;
        let mut plan = self.plan(&sessions, &since, &due, now);
        plan.next.table = change.cursor;
        if !plan.rows.is_empty() || has_moved || plan.next.sessions != self.state.sessions {
            self.carry_out(plan).await?;
        }
        Ok(is_behind)
    }

    /// The sessions that are new or due, whole, and the first ingestion date of each that is new.
    async fn sessions(
        &self,
        table: &Table,
        events: Vec<SessionEvent>,
        due: &BTreeSet<Key>,
    ) -> Result<(Vec<Session>, String), RoundError> {
        let first_new = events.iter().map(|event| event.ingested_at).min();
        let since = first_new.map(|first| first.saturating_sub(LONGEST_GAP).date());
        let known =
            due.iter().filter_map(|key| self.state.sessions.get(key)).map(|open| open.since.clone()).min();
        let since = [since, known].into_iter().flatten().min().unwrap_or_default();
        let filter = Filter { owner: self.config.from.clone(), since: Some(since.clone()) };
        let ids: BTreeSet<String> = due.iter().map(|(_, id)| id.clone()).collect();
        let options = ResolveOptions { default_workspace: self.config.default_workspace.clone() };
        let sessions = table.sessions_around_events(events, &ids, &filter, &options).await?;
        Ok((sessions.sessions, since))
    }

    /// The rows of complete turns that are not written yet, and what to remember of each session.
    fn plan(&self, sessions: &[Session], since: &str, due: &BTreeSet<Key>, now: Timestamp) -> Plan {
        let mut next = self.state.clone();
        // A session that is due and not found has retired from the table, or is erased.
        next.sessions.retain(|key, _| !due.contains(key));
        let mut rows: BTreeMap<String, Row> = BTreeMap::new();
        let mut written = BTreeSet::new();
        for session in sessions {
            let key = (session.tenant.clone(), session.id.clone());
            let known = self.state.sessions.get(&key).cloned();
            let mut open = known.unwrap_or_else(|| Open { since: since.to_owned(), ..Open::default() });
            let due = self.rules.due(session, now);
            for row in due.rows {
                if !open.has(&row.id) && !self.state.refused.contains_key(&row.id) {
                    open.add(&row.id);
                    written.insert(key.clone());
                    rows.insert(row.id.clone(), row);
                }
            }
            let remembered = Some(open.remember_until).filter(|until| *until > now.as_micros());
            let look_again = due.look_again.map(Timestamp::as_micros).or(remembered);
            if look_again.is_some() || written.contains(&key) {
                open.look_again = look_again.unwrap_or(WHEN_WRITTEN);
                next.sessions.insert(key, open);
            }
        }
        Plan { rows: rows.into_values().collect(), written, next }
    }

    async fn carry_out(&mut self, plan: Plan) -> Result<(), RoundError> {
        let Plan { rows, written, mut next } = plan;
        let may_be_there = self.state.sending;
        if !rows.is_empty() && !may_be_there {
            self.state.sending = true;
            self.save(self.state.clone()).await?;
        }
        let sessions: BTreeMap<String, String> =
            rows.iter().map(|row| (row.id.clone(), row.session.clone())).collect();
        let refusals = self.writer.write(rows, may_be_there).await?;
        for (id, reason) in refusals {
            let session = sessions.get(&id).cloned().unwrap_or_default();
            tracing::error!(
                exporter = self.config.name,
                session,
                row = id,
                reason,
                "the service refuses a row for good"
            );
            next.refused.insert(id, Refused { session, reason });
        }
        // Rows that were written a moment ago cannot be asked for yet, only remembered.
        let remember_until = Timestamp::now().saturating_add(self.memory()).as_micros();
        for (_, open) in next.sessions.iter_mut().filter(|(key, _)| written.contains(*key)) {
            open.remember_until = remember_until;
            if open.look_again == WHEN_WRITTEN {
                open.look_again = remember_until;
            }
        }
        next.sending = false;
        self.save(next.clone()).await?;
        self.state = next;
        self.show();
        Ok(())
    }

    /// How long a row must have been written until the service can be asked for it.
    fn memory(&self) -> Duration {
        self.config.service.read_lag * 2
    }

    fn show(&self) {
        let mut status = self.handle.lock();
        status.open_sessions = self.state.sessions.len() as u64;
        status.refused = self.state.refused.len() as u64;
        status.refusal = self.state.refused.values().next().map(|refused| refused.reason.clone());
    }

    async fn save(&self, state: State) -> Result<(), RoundError> {
        let store = Arc::clone(&self.store);
        Ok(tokio::task::spawn_blocking(move || store.save(&state)).await??)
    }

    /// Removes what was written of sessions that are erased since. A deletion sees no more than any
    /// other read, so it waits until all that was written can be seen, and looks afterwards.
    async fn erase(&mut self, table: &Table) -> Result<(), RoundError> {
        let tenant = self.config.from.as_ref().map(|owner| owner.tenant.as_str());
        let mut new = table.tombstones().await?;
        new.retain(|tombstone| !self.state.erased.contains(&tombstone.id));
        new.retain(|tombstone| tenant.is_none_or(|tenant| tombstone.tenant == tenant));
        if new.is_empty() {
            return Ok(());
        }
        let sessions: Vec<String> =
            new.iter().flat_map(sessions_of).collect::<BTreeSet<_>>().into_iter().collect();
        tokio::time::sleep(self.config.service.read_lag).await;
        for some in sessions.chunks(MOST_SESSIONS) {
            self.delete(some).await?;
        }
        tokio::time::sleep(self.config.service.read_lag).await;
        for some in sessions.chunks(MOST_SESSIONS) {
            let ids = some.iter().map(String::as_str);
            if !self.writer.ask(sql::any_of_sessions(&self.config.sessions, ids)).await?.is_empty() {
                return Err(RoundError::StillThere);
            }
        }
        let is_erased = |id: &String| sessions.binary_search(id).is_ok();
        self.state.sessions.retain(|(_, id), _| !is_erased(id));
        self.state.refused.retain(|_, refused| !is_erased(&refused.session));
        self.state.erased.extend(new.into_iter().map(|tombstone| tombstone.id));
        self.save(self.state.clone()).await?;
        self.handle.lock().erased += sessions.len() as u64;
        Ok(())
    }

    async fn delete(&self, sessions: &[String]) -> Result<(), Failure> {
        let ids = sessions.iter().map(String::as_str);
        match self.writer.client().query(&sql::delete_sessions(&self.config.sessions, ids)).await {
            Err(failure) if failure.lacks_a_table() => Ok(()),
            deleted => deleted.map(drop),
        }
    }
}

/// The ids that rows of the tombstone's sessions may bear.
fn sessions_of(tombstone: &Tombstone) -> Vec<String> {
    let traces = tombstone.trace_ids.iter().map(|id| format!("trace:{id}"));
    let events = tombstone.event_ids.iter().map(|id| format!("event:{id}"));
    tombstone.session_ids.iter().cloned().chain(traces).chain(events).collect()
}

//! Withdrawal: forgets a session that asked not to be stored, including what came before it asked.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::{Hidden, Tombstone, UpkeepError};
use crate::event::{AsRow, Row, Timestamp, Withdrawal, hex};
use crate::table::part::{Columns, Rows};
use crate::table::query::Gathered;
use crate::table::{Filter, Table};

impl Table {
    /// Hides sessions of one tenant from readers and writers, for ever. Their rows leave the files with
    /// the next [`Table::finish_erasures`]. Doing it again changes nothing.
    ///
    /// A withdrawal that names a trace alone covers the sessions that have rows of that trace in the
    /// table. `None` if everything was hidden already.
    pub async fn withdraw(
        &self,
        tenant: &str,
        withdrawals: &BTreeSet<Withdrawal>,
        now: Timestamp,
    ) -> Result<Option<Tombstone>, UpkeepError> {
        let of = |id: fn(&Withdrawal) -> &String| -> BTreeSet<String> {
            withdrawals.iter().map(id).filter(|id| !id.is_empty()).cloned().collect()
        };
        let (mut session_ids, trace_ids) = (of(|one| &one.session_id), of(|one| &one.trace_id));
        if self.hidden().await?.has(tenant, &session_ids, &trace_ids) {
            return Ok(None);
        }
        let nameless = withdrawals.iter().filter(|one| one.session_id.is_empty());
        session_ids
            .extend(self.sessions_with(tenant, nameless.map(|one| one.trace_id.clone()).collect()).await?);
        let tombstone = Tombstone {
            id: name_of(tenant, &session_ids, &trace_ids),
            created_at: now.as_micros(),
            tenant: tenant.to_owned(),
            user_id: None,
            session_ids,
            trace_ids,
            event_ids: BTreeSet::new(),
        };
        self.put_tombstone(&tombstone).await?;
        Ok(Some(tombstone))
    }

    /// The traces in which a client goes on with sessions that are erased, by tenant: their rows that name no session
    /// are known by these alone. A trace that another session has rows in is that one's too, and is left out.
    pub async fn traces_of_erased<'e, E: AsRow + 'e>(
        &self,
        events: impl Iterator<Item = &'e E> + Clone,
    ) -> Result<BTreeMap<String, BTreeSet<Withdrawal>>, UpkeepError> {
        let hidden = self.hidden().await?;
        if hidden.sessions.is_empty() {
            // As a rule. To read every event for nothing costs as much as sorting them.
            return Ok(BTreeMap::new());
        }
        let rows = events.map(AsRow::as_row);
        let of_erased = |row: &Row<'_>| {
            let known = hidden.sessions.get(row.tenant);
            known.is_some_and(|known| known.session_ids.contains(row.session_id))
        };
        let is_new = |row: &Row<'_>| {
            let known = hidden.sessions.get(row.tenant);
            !row.trace_id.is_empty() && known.is_some_and(|known| !known.trace_ids.contains(row.trace_id))
        };
        let mut found: BTreeMap<String, BTreeSet<Withdrawal>> = BTreeMap::new();
        for row in rows.clone().filter(|row| is_new(row) && of_erased(row)) {
            let (session_id, trace_id) = (row.session_id.to_owned(), row.trace_id.to_owned());
            found.entry(row.tenant.to_owned()).or_default().insert(Withdrawal { session_id, trace_id });
        }
        for (tenant, withdrawals) in &mut found {
            let traces = withdrawals.iter().map(|one| one.trace_id.clone()).collect();
            let mut shared = self.traces_of_others(tenant, traces, &hidden).await?;
            let named = rows.clone().filter(|row| row.tenant == *tenant && !row.session_id.is_empty());
            shared.extend(named.filter(|row| !of_erased(row)).map(|row| row.trace_id.to_owned()));
            withdrawals.retain(|one| !shared.contains(&one.trace_id));
        }
        found.retain(|_, withdrawals| !withdrawals.is_empty());
        Ok(found)
    }

    /// Which of the traces have rows in the table of sessions that are not erased.
    async fn traces_of_others(
        &self,
        tenant: &str,
        traces: BTreeSet<String>,
        hidden: &Hidden,
    ) -> Result<BTreeSet<String>, UpkeepError> {
        let mut rows = Gathered::default();
        let wanted = Rows::default().one_of("trace_id", &traces);
        let _ = self.gather(wanted, Columns::Keys, &Filter::default(), &mut rows).await?;
        let events = rows.events();
        let others = events
            .iter()
            .filter(|event| event.tenant == tenant && !event.session_id.is_empty() && !hidden.hides(*event));
        Ok(others.map(|event| event.trace_id.clone()).collect())
    }

    /// The sessions that have rows of these traces.
    async fn sessions_with(
        &self,
        tenant: &str,
        traces: BTreeSet<String>,
    ) -> Result<BTreeSet<String>, UpkeepError> {
        if traces.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut rows = Gathered::default();
        let wanted = Rows::default().one_of("trace_id", &traces);
        // A file that cannot be read hides its rows as well as any tombstone; it is told of elsewhere.
        let _ = self.gather(wanted, Columns::Keys, &Filter::default(), &mut rows).await?;
        let events = rows.events();
        let of_traces =
            events.iter().filter(|event| event.tenant == tenant && traces.contains(&event.trace_id));
        Ok(of_traces.map(|event| event.session_id.clone()).filter(|id| !id.is_empty()).collect())
    }
}

/// The same for the same sessions, so an interrupted process writes the same file again.
fn name_of(tenant: &str, session_ids: &BTreeSet<String>, trace_ids: &BTreeSet<String>) -> String {
    let mut hash = Sha256::new();
    for part in std::iter::once(tenant).chain(session_ids.iter().chain(trace_ids).map(String::as_str)) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    format!("withdrawn-{}", hex(hash.finalize().iter().take(16)))
}

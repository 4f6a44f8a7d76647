//! Withdrawal: a session that said that it is not to be stored is forgotten, what came before included.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::{Tombstone, UpkeepError};
use crate::event::{Timestamp, Withdrawal};
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

/// The same for the same sessions: whoever is interrupted writes the same file again.
fn name_of(tenant: &str, session_ids: &BTreeSet<String>, trace_ids: &BTreeSet<String>) -> String {
    let mut hash = Sha256::new();
    for part in std::iter::once(tenant).chain(session_ids.iter().chain(trace_ids).map(String::as_str)) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("withdrawn-{hex}")
}

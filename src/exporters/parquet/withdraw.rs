//! Sessions that are not to be stored.

use super::batch::Batch;
use super::{ParquetExporter, StepError};
use crate::event::Timestamp;
use crate::journal;

impl ParquetExporter {
    /// Hides the sessions that a batch withdraws, and the traces in which it goes on with erased ones, and takes
    /// them out of the dead letters. Doing it again changes nothing.
    pub(super) async fn withdraw(&self, batch: &Batch) -> Result<(), StepError> {
        let mut all = batch.withdrawals();
        for (tenant, learned) in self.table.traces_of_erased(batch.events()).await? {
            all.entry(tenant).or_default().extend(learned);
        }
        for (tenant, withdrawals) in all {
            let Some(tombstone) = self.table.withdraw(&tenant, &withdrawals, Timestamp::now()).await? else {
                continue;
            };
            tracing::info!(
                tenant,
                sessions = withdrawals.len(),
                "sessions are not to be stored, and what came of them is hidden"
            );
            let erasing = self.blocking(move |journal| {
                let names: Vec<&str> =
                    tombstone.session_ids.iter().chain(&tombstone.trace_ids).map(String::as_str).collect();
                journal::erase_dead_letters(journal.path(), |event| tombstone.covers(event), &names)
            });
            let remnants = erasing.await?.map_err(StepError::DeadLetters)?;
            for path in remnants.unreadable {
                let path = path.display();
                tracing::warn!(%path, "names a session that is not to be stored and cannot be read");
            }
        }
        Ok(())
    }
}

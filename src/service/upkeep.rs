//! The table's upkeep, every hour: what was erased leaves the files, old days retire, closed days are
//! compacted.
//!
//! Each replica does it; of two that take the same day, one begins again. A failure is logged and what is
//! left is done an hour later: nothing that answers or writes waits for upkeep.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::ticks::Ticks;
use crate::event::Timestamp;
use crate::table::Table;
use crate::table::upkeep::UpkeepError;

const INTERVAL: Duration = Duration::from_secs(3600);

/// Does the upkeep until `stop`, which ends it wherever it is: what it leaves is found again.
pub(super) async fn run(table: Table, stop: CancellationToken) {
    let mut ticks = Ticks::every(INTERVAL, &stop);
    while ticks.next().await.is_some() {
        if let Some(Err(error)) = stop.run_until_cancelled(round(&table)).await {
            tracing::warn!("upkeep of the table goes on in an hour: {:#}", anyhow::Error::from(error));
        }
    }
}

async fn round(table: &Table) -> Result<(), UpkeepError> {
    let erased = table.finish_erasures().await?;
    if erased.files > 0 {
        tracing::info!(files = erased.files, rows = erased.rows, "erased rows have left the files");
    }
    let retired = table.retire().await?;
    if retired.files > 0 {
        tracing::info!(files = retired.files, bytes = retired.bytes, "removed what is no longer kept");
    }
    let compacted = table.compact(Timestamp::now()).await?;
    for damaged in &compacted.damaged {
        tracing::warn!(file = damaged.path, damage = %damaged.damage, "left alone by upkeep");
    }
    if compacted.days > 0 {
        let (days, before, after) = (compacted.days, compacted.files_before, compacted.files_after);
        tracing::info!(days, before, after, "closed days are compacted");
    }
    Ok(())
}

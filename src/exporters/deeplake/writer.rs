//! Writes rows to the service, each once, whatever the service answers.
//!
//! An INSERT adds only rows whose ids are missing. But reads lag behind writes by seconds, so a repeated INSERT could
//! still add rows twice. If it is unknown whether an INSERT succeeded, the writer waits until reads have caught up,
//! asks which of its rows exist, and sends the rest.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::client::{Client, Failure};
use super::config::Config;
use super::rows::Row;
use super::status::Handle;
use super::{sql, tables};

/// Ids asked for in one statement.
const MOST_IDS: usize = 500;
/// A statement that fails so often is given up; the round begins again, with what is true by then.
const ATTEMPTS: u32 = 6;
/// A row alone that is refused so often is.
const REFUSALS: u32 = 3;

/// Writes rows.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    client: Client,
    config: Config,
    handle: Handle,
}

/// Why each row that the service does not take is not taken, by id.
pub(super) type Refusals = BTreeMap<String, String>;

impl Writer {
    pub(super) fn new(client: Client, config: Config, handle: Handle) -> Self {
        Self { client, config, handle }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Writes rows, each with an id of its own. `may_be_there`: an earlier attempt may have sent them a
    /// moment ago.
    pub(super) async fn write(&self, mut rows: Vec<Row>, may_be_there: bool) -> Result<Refusals, Failure> {
        self.handle.lock().waiting_rows = rows.len() as u64;
        if may_be_there && !rows.is_empty() {
            tokio::time::sleep(self.config.service.read_lag).await;
            rows = self.missing(rows).await?;
        }
        let before = self.handle.lock().rows;
        let batches = self.batches(rows).into_iter().map(|batch| self.write_batch(batch));
        let written = stream::iter(batches).buffer_unordered(self.config.concurrency.max(1)).try_concat();
        let refused: Vec<Refused> = written.await?;
        if let Some(first) = refused.first()
            && self.handle.lock().rows == before
        {
            // Where nothing at all is taken, it is not for the rows' sake.
            return Err(Failure::Query(first.reason.clone()));
        }
        self.insist(refused).await
    }

    /// Sends rows that were refused once more, now that others were taken: the service may have been
    /// unwell for a moment.
    async fn insist(&self, refused: Vec<Refused>) -> Result<Refusals, Failure> {
        let mut refusals = Refusals::new();
        for Refused { row, .. } in refused {
            if let Inserted::Refused { mut rows, reason } = self.insert(vec![row]).await? {
                refusals.extend(rows.pop().map(|row| (row.id, reason)));
            }
        }
        self.handle.lock().waiting_rows = 0;
        Ok(refusals)
    }

    /// Cuts rows into statements, by rows and bytes.
    fn batches(&self, rows: Vec<Row>) -> Vec<Vec<Row>> {
        let mut batches: Vec<Vec<Row>> = Vec::new();
        let mut bytes = 0;
        for row in rows {
            bytes += row.size();
            match batches.last_mut() {
                Some(batch) if batch.len() < self.config.rows && bytes <= self.config.bytes => {
                    batch.push(row)
                }
                _ => {
                    bytes = row.size();
                    batches.push(vec![row]);
                }
            }
        }
        batches
    }

    /// Writes the rows of one statement, in smaller ones where it is refused.
    async fn write_batch(&self, batch: Vec<Row>) -> Result<Vec<Refused>, Failure> {
        let mut refused = Vec::new();
        let mut pending = vec![batch];
        while let Some(rows) = pending.pop() {
            match self.insert(rows).await? {
                Inserted::All => {}
                Inserted::Refused { mut rows, reason } => {
                    if rows.len() > 1 {
                        let rest = rows.split_off(rows.len() / 2);
                        pending.extend([rest, rows]);
                    } else if let Some(row) = rows.pop() {
                        refused.push(Refused { row, reason });
                    }
                }
            }
        }
        Ok(refused)
    }

    /// Sends one statement until its rows are there, or it is refused.
    async fn insert(&self, mut rows: Vec<Row>) -> Result<Inserted, Failure> {
        let mut attempt = 0;
        loop {
            let Some(failure) = self.send(&rows).await.err() else {
                self.count(rows.len());
                return Ok(Inserted::All);
            };
            self.handle.failed(failure.kind(), failure.to_string(), failure.remedy());
            let pause = self.config.service.pauses.after(attempt);
            attempt += 1;
            if failure.needs_a_person() || attempt >= ATTEMPTS {
                return Err(failure);
            }
            if failure.lacks_a_table() {
                self.ensure_table().await?;
            } else if let Failure::Query(reason) = &failure
                && (rows.len() > 1 || attempt >= REFUSALS)
            {
                return Ok(Inserted::Refused { rows, reason: reason.clone() });
            }
            tokio::time::sleep(failure.wait().unwrap_or_default().max(pause)).await;
            if failure.is_ambiguous() {
                tokio::time::sleep(self.config.service.read_lag).await;
                rows = self.missing(rows).await?;
                if rows.is_empty() {
                    return Ok(Inserted::All);
                }
            }
        }
    }

    async fn send(&self, rows: &[Row]) -> Result<(), Failure> {
        let statement = sql::insert_sessions(&self.config.sessions, rows);
        {
            let mut status = self.handle.lock();
            status.inserts += 1;
            status.bytes += statement.len() as u64;
        }
        self.client.query(&statement).await.map(drop)
    }

    fn count(&self, rows: usize) {
        self.handle.works();
        let mut status = self.handle.lock();
        status.rows += rows as u64;
        status.waiting_rows = status.waiting_rows.saturating_sub(rows as u64);
    }

    /// The rows that are not there.
    async fn missing(&self, rows: Vec<Row>) -> Result<Vec<Row>, Failure> {
        let statements: Vec<String> = rows
            .chunks(MOST_IDS)
            .map(|some| sql::present(&self.config.sessions, some.iter().map(|row| row.id.as_str())))
            .collect();
        let asked = statements.into_iter().map(|statement| self.ask(statement));
        let asked = stream::iter(asked).buffer_unordered(self.config.concurrency.max(1));
        let present: Vec<Vec<String>> = asked.try_collect().await?;
        let present: BTreeSet<String> = present.into_iter().flatten().collect();
        let before = rows.len();
        let missing: Vec<Row> = rows.into_iter().filter(|row| !present.contains(&row.id)).collect();
        let found = before - missing.len();
        if found > 0 {
            self.count(found);
            self.handle.lock().found += found as u64;
        }
        Ok(missing)
    }

    /// The texts of a query's first column; none where there is no table yet.
    pub(super) async fn ask(&self, statement: String) -> Result<Vec<String>, Failure> {
        let mut attempt = 0;
        loop {
            let failure = match self.client.query(&statement).await {
                Ok(answer) => return Ok(answer.first_column().collect()),
                Err(failure) if failure.lacks_a_table() => return Ok(Vec::new()),
                Err(failure) => failure,
            };
            self.handle.failed(failure.kind(), failure.to_string(), failure.remedy());
            let pause = self.config.service.pauses.after(attempt);
            attempt += 1;
            if !failure.is_transient() || attempt >= ATTEMPTS {
                return Err(failure);
            }
            tokio::time::sleep(failure.wait().unwrap_or_default().max(pause)).await;
        }
    }

    async fn ensure_table(&self) -> Result<(), Failure> {
        let Config { sessions, service, .. } = &self.config;
        tables::ensure(&self.client, &service.workspace, sessions, &sql::SESSIONS).await
    }
}

/// A row that was refused by itself.
struct Refused {
    row: Row,
    reason: String,
}

/// What came of a statement.
enum Inserted {
    /// Its rows are there.
    All,
    /// The service does not take it.
    Refused {
        /// Its rows.
        rows: Vec<Row>,
        /// The service's words.
        reason: String,
    },
}

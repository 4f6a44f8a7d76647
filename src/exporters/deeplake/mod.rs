//! The Deeplake exporter: the table's sessions as rows of Deeplake Hivemind's `sessions` table, and
//! skills as rows of its `skills` table.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Deeplake`]: the loop that follows the table |
//! | `round.rs` | one round: what is new, what is due, what is erased |
//! | `config.rs` | [`Config`], [`SkillsConfig`] |
//! | `cursor.rs` | what is remembered between two starts |
//! | `rows.rs` | a session → the rows of its complete turns |
//! | `message.rs` | the JSON of a row, assistant by assistant |
//! | `sql.rs` | statements, and values in them |
//! | `storable.rs` | texts as the service can hold them |
//! | `client.rs` | the service's API, and what its failures mean |
//! | `tables.rs` | tables that are not there, or lack a column |
//! | `writer.rs` | rows to the service, each once |
//! | `status.rs` | [`Status`] and [`Handle`] |
//! | `skills.rs`, `skill_rows.rs` | a library of skills as rows |
//!
//! # A round
//!
//! 1. **Erase**: the rows of sessions that were erased since the last round leave the service.
//! 2. **Read** the files of the table that are new, and the sessions that they touch or that are due,
//!    whole.
//! 3. **Write** the rows of complete turns that are not written, after a durable note that rows are on
//!    their way.
//! 4. **Remember** what was seen and written, durably.
//!
//! It follows the table, not the journal, so the service can neither delay a client nor fill a disk. A failed round
//! begins again, without end, with the table as it is by then. A row's id is made of its fact, so rows that an
//! interrupted round has sent are found, not sent again.

mod client;
mod config;
mod cursor;
mod message;
mod round;
mod rows;
mod skill_rows;
mod skills;
mod sql;
mod status;
mod storable;
mod tables;
mod writer;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::table::{Location, OpenError, ReadError, Table};

pub use client::{ClientError, Failure};
pub use config::{Config, Pauses, Service, SkillsConfig};
pub use cursor::{StateError, erased};
pub use skills::{Skills, SkillsError};
pub use status::{Failing, Handle, Status};

use client::Client;
use cursor::Store;
use round::Follower;
use writer::Writer;

/// The exporter cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its memory.
    #[error(transparent)]
    State(#[from] StateError),
    /// Its HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Why a round ended early; it is begun again.
#[derive(Debug, thiserror::Error)]
enum RoundError {
    #[error("the sessions table cannot be opened: {0}")]
    Open(#[from] OpenError),
    #[error("the sessions table cannot be read: {0}")]
    Read(#[from] ReadError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Service(#[from] Failure),
    #[error("rows of erased sessions are still there after they were deleted")]
    StillThere,
    #[error(
        "the sessions table holds several tenants' sessions: say whose go to this workspace with `from: {{ tenant: \
         NAME, workspace: NAME }}`"
    )]
    Tenants,
    #[error("a step was cancelled: {0}")]
    Cancelled(#[from] tokio::task::JoinError),
}

/// Follows the sessions table and writes its sessions to Deeplake.
#[derive(Debug)]
pub struct Deeplake {
    location: Location,
    retention: Option<Duration>,
    config: Config,
    handle: Handle,
    follower: Follower,
}

impl Deeplake {
    /// An exporter of the table at `location`. Locks and reads its state; nothing is sent yet.
    pub fn new(config: Config, location: Location, retention: Option<Duration>) -> Result<Self, StartError> {
        let (store, state) = Store::open(&config.state)?;
        let client = Client::new(config.service.clone())?;
        let handle = Handle {
            name: config.name.clone(),
            place: format!("{}/{}", config.service.org, config.service.workspace),
            ..Handle::default()
        };
        let writer = Writer::new(client, config.clone(), handle.clone());
        let follower = Follower::new(config.clone(), writer, handle.clone(), store, state);
        Ok(Self { location, retention, config, handle, follower })
    }

    /// Reaches the exporter while it runs.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Exports until `stop`, which ends it wherever it is: what was on its way is asked for at the next
    /// start.
    pub async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = self.follow() => {}
            () = stop.cancelled() => {}
        }
        self.follower.finish().await;
    }

    async fn follow(&mut self) {
        let mut table = None;
        let mut failures = 0;
        loop {
            let pause = match self.round(&mut table).await {
                Ok(is_behind) => {
                    failures = 0;
                    self.handle.works();
                    if is_behind { Duration::ZERO } else { self.config.interval }
                }
                Err(error) => {
                    let pause = self.note(&error, failures);
                    failures += 1;
                    pause
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Opens the table where it is not open and does a round; whether there is more to do at once.
    async fn round(&mut self, table: &mut Option<Table>) -> Result<bool, RoundError> {
        if table.is_none() {
            match Table::connect_read_only(&self.location).await {
                // Nobody has sent anything yet.
                Err(OpenError::NoTable { .. }) => return Ok(false),
                opened => *table = Some(opened?.with_retention(self.retention)),
            }
        }
        let Some(table) = table else { return Ok(false) };
        self.follower.round(table).await
    }

    /// Says what failed; the pause until the next attempt.
    fn note(&self, error: &RoundError, failures: u32) -> Duration {
        let pauses = &self.config.service.pauses;
        let (kind, remedy, pause) = match error {
            RoundError::Service(failure) => {
                let needs_a_person = failure.needs_a_person();
                let pause = if needs_a_person { pauses.person } else { pauses.after(failures + 2) };
                (failure.kind(), failure.remedy(), pause)
            }
            RoundError::Tenants => ("tenant", "write `from` at the exporter, and restart", pauses.person),
            RoundError::StillThere => ("erase", "they are deleted again", pauses.after(failures)),
            RoundError::State(_) => {
                ("state", "make the folder of the exporter's state writable", pauses.after(failures + 2))
            }
            RoundError::Open(_) | RoundError::Read(_) | RoundError::Cancelled(_) => {
                ("table", "repair the store of the sessions table", pauses.after(failures + 2))
            }
        };
        self.handle.failed(kind, error.to_string(), remedy);
        let exporter = self.config.name.as_str();
        tracing::warn!(exporter, kind, retry_after = ?pause, "{error}");
        pause
    }
}

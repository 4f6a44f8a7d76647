//! What holds sessions beside the tables: journals, and rows that exporters wrote elsewhere.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cli::{Failure, OrFail, local_client, reader};
use crate::config::{FollowerSettings, SessionsPipeline, Settings};
use crate::exporters::deeplake;
use crate::exporters::parquet::ParquetExporter;
use crate::journal::{Journal, OpenError};
use crate::service::{ErasedSubject, QueueErasure, erase_from_queues};

use super::Tombstones;

/// A running process writes what it holds within this.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(250);

/// The journals while an erasure is under way.
pub(super) enum Journals {
    /// A process has them, and does what it is asked for.
    OfProcess {
        /// Its address for the likes of us.
        health: String,
    },
    /// Nobody runs: they are ours, and what they held is in the tables.
    Ours(Vec<Journal>),
    /// They cannot be reached; why, and what to do.
    OutOfReach(Vec<String>),
}

impl Journals {
    /// Brings what the journals hold to the tables, where it is looked for.
    pub(super) async fn flushed(settings: &Settings) -> Result<Self, Failure> {
        if let Some(address) = settings.health {
            let health = format!("http://{address}");
            if ask(&format!("{health}/flush")).await.is_ok() {
                return Ok(Self::OfProcess { health });
            }
        }
        let (mut ours, mut out_of_reach) = (Vec::new(), Vec::new());
        for pipeline in settings.sessions.iter().filter(|pipeline| Journal::is_in(&pipeline.journal.path)) {
            match drained(pipeline).await? {
                Ok(journal) => ours.push(journal),
                Err(why) => out_of_reach.push(why),
            }
        }
        Ok(if out_of_reach.is_empty() { Self::Ours(ours) } else { Self::OutOfReach(out_of_reach) })
    }

    /// Removes the files with flushed events, and events that wait for other backends. Returns those that it could not
    /// remove, and what to do.
    pub(super) async fn forget(
        self,
        settings: &Settings,
        tombstones: &Tombstones,
        subject: &ErasedSubject,
    ) -> QueueErasure {
        match self {
            Self::OutOfReach(why) => {
                let mut erasure = in_queues(settings, tombstones, subject).await;
                erasure.left.splice(0..0, why);
                erasure
            }
            Self::OfProcess { health } => match ask_for(&format!("{health}/forget"), subject).await {
                Ok(erasure) => erasure,
                Err(error) => QueueErasure {
                    bodies: 0,
                    left: vec![format!(
                        "the files of the journals, and what waits for other backends, of the process at {health} \
                         ({error}); see `skillspan status`, then erase again"
                    )],
                },
            },
            Self::Ours(journals) => {
                let QueueErasure { bodies, mut left } = in_queues(settings, tombstones, subject).await;
                for journal in journals {
                    if let Err(error) = journal.rotate().await {
                        left.push(format!(
                            "the journal in {}: {error}; erase again",
                            journal.path().display()
                        ));
                    }
                }
                QueueErasure { bodies, left }
            }
        }
    }
}

/// The journal of a pipeline whose records are all in the table; or why not.
async fn drained(pipeline: &SessionsPipeline) -> Result<Result<Journal, String>, Failure> {
    let path = pipeline.journal.path.display().to_string();
    let journal = match Journal::open(pipeline.journal.clone()) {
        Ok(journal) => journal,
        Err(OpenError::Locked { .. }) => {
            return Ok(Err(format!(
                "the journal in {path}: a process has it open and does not answer at extensions.health.endpoint; see \
                 that it answers there, or stop it, then erase again"
            )));
        }
        Err(error) => return Ok(Err(format!("the journal in {path}: {error}; repair it, then erase again"))),
    };
    let table = reader::open_for_upkeep(&pipeline.table).await?;
    let exporter = ParquetExporter::new(journal.clone(), table, pipeline.parquet.clone());
    exporter.check().await.or_fail()?;
    let stop = CancellationToken::new();
    stop.cancel();
    let left = exporter.run(stop).await;
    Ok(match left {
        0 => Ok(journal),
        left => Err(format!(
            "the journal in {path}: {left} accepted requests could not be brought to the table; repair its store, then \
             erase again"
        )),
    })
}

/// Waits until the exporters that follow the tables have deleted their copies. Returns those that have not.
pub(super) async fn followers_are_done(settings: &Settings, tombstones: &Tombstones) -> Vec<String> {
    let deadline = Instant::now() + if is_running(settings).await { PATIENCE } else { Duration::ZERO };
    let mut left = Vec::new();
    for FollowerSettings { table, deeplake } in &settings.followers {
        // It looks at no other tenant's.
        let tenant = deeplake.from.as_ref().map(|owner| &owner.tenant);
        let of_table = tombstones.get(&table.id).map(Vec::as_slice).unwrap_or_default();
        let wanted = || of_table.iter().filter(|one| tenant.is_none_or(|tenant| *tenant == one.tenant));
        loop {
            let erased = deeplake::erased(&deeplake.state);
            let missing =
                erased.as_ref().map_or(true, |erased| wanted().any(|one| !erased.contains(&one.id)));
            if !missing {
                break;
            }
            if Instant::now() >= deadline {
                left.push(format!(
                    "the rows of {} in {}/{}: it deletes them when it runs; see `skillspan status`, then erase again",
                    deeplake.name, deeplake.service.org, deeplake.service.workspace
                ));
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    left
}

/// Whether a process answers, whatever it does.
async fn is_running(settings: &Settings) -> bool {
    let (Some(address), Ok(client)) = (settings.health, local_client().timeout(PATIENCE).build()) else {
        return false;
    };
    client.get(format!("http://{address}/health")).send().await.is_ok()
}

async fn in_queues(settings: &Settings, tombstones: &Tombstones, subject: &ErasedSubject) -> QueueErasure {
    let tombstones: Vec<_> = tombstones.values().flatten().cloned().collect();
    erase_from_queues(settings, &tombstones, subject).await
}

/// Sends the subject to a running process, and returns what it erased.
async fn ask_for(url: &str, subject: &ErasedSubject) -> Result<QueueErasure, String> {
    let client = local_client().timeout(PATIENCE).build().map_err(|error| error.to_string())?;
    let answer = client.post(url).json(subject).send().await.map_err(|error| error.to_string())?;
    let status = answer.status();
    let body = answer.bytes().await.map_err(|error| error.to_string())?;
    match &*body {
        said if !status.is_success() => {
            let said = crate::event::visible_line(&String::from_utf8_lossy(said))
                .chars()
                .take(300)
                .collect::<String>();
            Err(format!("it answers {status} {said}").trim_end().to_owned())
        }
        // An older process says nothing.
        [] => Ok(QueueErasure::default()),
        said => serde_json::from_slice(said).map_err(|error| {
            format!("what it answers cannot be read, so that nobody knows what it erased: {error}")
        }),
    }
}

async fn ask(url: &str) -> Result<(), String> {
    let client = local_client().timeout(PATIENCE).build().map_err(|error| error.to_string())?;
    let answer = client.post(url).send().await.map_err(|error| error.to_string())?;
    let status = answer.status();
    if status.is_success() { Ok(()) } else { Err(format!("it answers {status}")) }
}

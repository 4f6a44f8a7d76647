//! What is erased leaves the queues of other backends.
//!
//! What a backend has already is with that backend: nobody here can erase it there, and `skillspan erase` says
//! so.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::config::{ForwardSettings, Settings};
use crate::dialects::Dialects;
use crate::event::{SessionEvent, Timestamp};
use crate::forward::{Entry, Queue, QueueStorage, StoreError};
use crate::journal::{Journal, OpenError};
use crate::receivers::without;
use crate::table::upkeep::Tombstone;
use crate::table::{ReadError, Table};

/// A subject to erase. Some of its data may never have reached a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErasedSubject {
    /// The session, by its id; `None` if it is a person.
    pub session: Option<String>,
    /// The person, in every way to write the name.
    pub people: Vec<String>,
    /// Only of this tenant.
    pub tenant: Option<String>,
    /// When: what comes later from the person stays.
    pub at: i64,
}

/// What an erasure did to queues.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueErasure {
    /// Bodies of which something was taken out.
    pub bodies: u64,
    /// Places that may still hold some of it, and what to do there.
    pub left: Vec<String>,
}

impl ErasedSubject {
    fn is_of(&self, tenant: &str, ingested_at: Timestamp) -> bool {
        self.tenant.as_deref().is_none_or(|wanted| wanted == tenant)
            && (self.session.is_some() || ingested_at.as_micros() <= self.at)
    }

    fn covers(&self, event: &SessionEvent) -> bool {
        self.is_of(&event.tenant, event.ingested_at)
            && (self.session.as_ref().is_some_and(|id| *id == event.session_id)
                || self.people.contains(&event.user_id))
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.session.iter().chain(&self.people).map(String::as_str)
    }
}

/// Takes what is erased out of the queues of this process.
#[derive(Clone)]
pub(in crate::service) struct Eraser {
    queues: Arc<[(ForwardSettings, Arc<Queue>)]>,
    tables: Arc<[Table]>,
    settings: Arc<Settings>,
}

/// Why queues still hold what is erased.
#[derive(Debug, thiserror::Error)]
pub(in crate::service) enum EraseError {
    /// What is erased cannot be read.
    #[error(transparent)]
    Table(#[from] ReadError),
    /// A queue cannot be changed.
    #[error("the queue of {exporter}: {source}")]
    Queue { exporter: String, source: StoreError },
}

impl Eraser {
    pub(in crate::service) fn new(
        queues: Vec<(ForwardSettings, Arc<Queue>)>,
        tables: Vec<Table>,
        settings: &Settings,
    ) -> Self {
        Self { queues: queues.into(), tables: tables.into(), settings: Arc::new(settings.clone()) }
    }

    /// The same for what others erased in the tables. Bodies are written anew only if one of them is changed: at
    /// a start there may be many, and clients would wait.
    pub(in crate::service) async fn catch_up(&self) -> Result<u64, EraseError> {
        self.take_out(&ErasedSubject::default(), false).await
    }

    /// Takes out what the tables say is erased, and `subject`; answers of how many bodies something was.
    pub(in crate::service) async fn erase(&self, subject: &ErasedSubject) -> Result<u64, EraseError> {
        self.take_out(subject, true).await
    }

    async fn take_out(&self, subject: &ErasedSubject, in_any_case: bool) -> Result<u64, EraseError> {
        let mut bodies = 0;
        if self.queues.is_empty() {
            return Ok(bodies);
        }
        let mut tombstones = Vec::new();
        for table in self.tables.iter() {
            tombstones.extend(table.tombstones().await?);
        }
        for (forward, queue) in self.queues.iter() {
            let dialects = dialects(&self.settings, forward);
            let erased = erase(queue, &dialects, &tombstones, subject, in_any_case).await;
            let exporter = || forward.otlp.name.clone();
            bodies += erased.map_err(|source| EraseError::Queue { exporter: exporter(), source })?;
        }
        Ok(bodies)
    }
}

/// The same while no process has the queues open.
pub async fn erase_from_queues(
    settings: &Settings,
    tombstones: &[Tombstone],
    subject: &ErasedSubject,
) -> QueueErasure {
    let mut done = QueueErasure::default();
    for forward in &settings.forwards {
        let QueueStorage::Folder { path, .. } = &forward.queue.place else { continue };
        if !Journal::is_in(path) {
            continue;
        }
        match erase_in_folder(settings, forward, tombstones, subject).await {
            Ok(bodies) => done.bodies += bodies,
            Err(left) => done.left.push(left),
        }
    }
    done
}

async fn erase_in_folder(
    settings: &Settings,
    forward: &ForwardSettings,
    tombstones: &[Tombstone],
    subject: &ErasedSubject,
) -> Result<u64, String> {
    let name = &forward.otlp.name;
    let queue = Queue::open(forward.queue.clone()).map_err(|error| match error {
        OpenError::Locked { path } => format!(
            "the queue of {name} in {}: a process has it open and does not answer at extensions.health.endpoint; stop \
             it, then erase again",
            path.display()
        ),
        error => format!("the queue of {name}: {error}; repair it, then erase again"),
    })?;
    let erased = erase(&queue, &dialects(settings, forward), tombstones, subject, true).await;
    erased.map_err(|error| format!("the queue of {name}: {error}; erase again"))
}

async fn erase(
    queue: &Queue,
    dialects: &Dialects,
    tombstones: &[Tombstone],
    subject: &ErasedSubject,
    in_any_case: bool,
) -> Result<u64, StoreError> {
    let covers = |event: &SessionEvent| {
        subject.covers(event) || tombstones.iter().any(|tombstone| tombstone.covers(event))
    };
    let mut change = |entry: Entry| {
        let (tenant, at) = (entry.owner.tenant.clone(), entry.ingested_at);
        let mut names: Vec<&str> =
            if subject.is_of(&tenant, at) { subject.names().collect() } else { Vec::new() };
        for tombstone in tombstones.iter().filter(|tombstone| tombstone.tenant == tenant) {
            // An event of Langfuse's that cannot be read still says which trace it is of.
            let ids = tombstone.session_ids.iter().chain(&tombstone.trace_ids);
            names.extend(ids.map(String::as_str));
            let is_before = at.as_micros() <= tombstone.created_at;
            names.extend(tombstone.user_id.as_deref().filter(|_| is_before));
        }
        names.retain(|name| !name.is_empty());
        without(entry, dialects, &covers, &names)
    };
    if !in_any_case && !queue.holds(&mut change).await? {
        queue.rotate().await?;
        return Ok(0);
    }
    Ok(queue.erase(&mut change).await?.bodies)
}

/// What reads the records of a queue: as they were read when they came.
fn dialects(settings: &Settings, forward: &ForwardSettings) -> Dialects {
    let mut mappings = Vec::new();
    for route in &forward.routes {
        let receiver = settings.receivers.iter().find(|receiver| receiver.id == route.receiver);
        let fed =
            settings.sessions.iter().filter(|pipeline| receiver.is_some_and(|known| known.feeds(pipeline)));
        for mapping in fed.flat_map(|pipeline| &pipeline.mappings) {
            if !mappings.contains(mapping) {
                mappings.push(mapping.clone());
            }
        }
    }
    Dialects::with_mappings(mappings)
}

/// The folders of queues that no exporter has any more.
pub fn unowned_queues(settings: &Settings) -> Vec<std::path::PathBuf> {
    let Some(root) = &settings.journals else { return Vec::new() };
    let owned = |folder: &Path| {
        settings.forwards.iter().any(
            |forward| matches!(&forward.queue.place, QueueStorage::Folder { path, .. } if *path == *folder),
        )
    };
    let below = std::fs::read_dir(root.join("forward")).into_iter().flatten();
    let mut folders: Vec<_> = below.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.retain(|folder| !owned(folder) && Journal::is_in(folder));
    folders.sort();
    folders
}

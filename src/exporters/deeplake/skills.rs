//! A library of skills as rows of the reference's `skills` table, a row a version.
//!
//! The table has no column for what a library remembers, so that has a table of its own. It is append-only too, and
//! the row with the highest `step` counts. A publish is
//!
//! 1. a step that says what is about to be, and the proof that nobody else took that step;
//! 2. the new versions;
//! 3. a step that says what is.
//!
//! Reads lag behind writes, so both steps wait until what was written can be seen. Who has taken a step
//! has [`LEASE`] to get to the next one and sends nothing afterwards; others wait for that long before
//! they go on with what somebody began and left. Nothing in either table is changed. A retired skill's last version says that it is retired: clients that pull it replace
//! theirs by it, and no deletion would reach them.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::client::{Client, ClientError, Failure};
use super::config::{Service, SkillsConfig};
use super::skill_rows::{Known, Latest, Memory, NewVersion, READ, skill_of, skill_path};
use super::sql::{self, Schema, Value};
use super::tables;
use crate::event::Timestamp;
use crate::exporters::destination::Destination;
use crate::exporters::update::{Report, Update};
use crate::library::{self, Changes, DecisionError, Layout, Library, Stored, Tree};

/// How often a statement is sent before the publish is put off.
const ATTEMPTS: u32 = 5;
/// How often a publish is prepared anew because somebody was faster.
const ROUNDS: u32 = 5;
/// How many requests' time-outs a publish may take from its first step on.
const LEASE: u32 = 4;
/// How soon a stop is noticed.
const STOP_INTERVAL: Duration = Duration::from_millis(100);

/// A library could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SkillsError {
    /// The service.
    #[error(transparent)]
    Service(#[from] Failure),
    /// The HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What is remembered cannot be understood.
    #[error("the table {table} of the workspace: {source}")]
    Memory {
        /// The table.
        table: String,
        /// What is wrong.
        source: library::Error,
    },
    /// A decision cannot be carried out.
    #[error(transparent)]
    Decision(#[from] DecisionError),
    /// Others publish to the same tables all the time.
    #[error("others publish to the same workspace; it is tried again later")]
    Contended,
    /// The process is stopping.
    #[error("stopped before the skills were published")]
    Stopped,
    /// The machine has no room for another thread.
    #[error("no thread for the HTTP client: {0}")]
    Thread(#[from] std::io::Error),
    /// A defect of ours.
    #[error("publishing ended early")]
    Panicked,
}

impl SkillsError {
    /// A word for the kind of failure.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Service(failure) => failure.kind(),
            Self::Memory { .. } => "state",
            Self::Decision(_) => "decision",
            Self::Contended => "contended",
            Self::Stopped => "stopped",
            Self::Client(_) | Self::Thread(_) | Self::Panicked => "client",
        }
    }

    /// What a person can do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Service(failure) => failure.remedy(),
            Self::Memory { .. } => {
                "use the version of skillspan that wrote it, or drop the table to begin anew"
            }
            Self::Decision(_) => "`skillspan skills list` names what can be decided",
            Self::Contended | Self::Stopped => "nothing: it is tried again by itself",
            Self::Client(_) | Self::Thread(_) | Self::Panicked => {
                "see the message, and the limits of the process"
            }
        }
    }

    /// Whether it may be gone by itself the next time.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Service(failure) => failure.is_transient(),
            Self::Contended | Self::Stopped | Self::Thread(_) => true,
            Self::Client(_) | Self::Memory { .. } | Self::Decision(_) | Self::Panicked => false,
        }
    }
}

/// A library in two tables of a workspace.
#[derive(Debug, Clone)]
pub struct Skills {
    config: SkillsConfig,
    stop: Arc<AtomicBool>,
}

/// The content of the service.
struct View {
    step: u64,
    memory: Memory,
    rows: BTreeMap<String, Latest>,
    library: Library,
    tree: Tree,
}

impl Skills {
    /// An exporter to a workspace; nothing is touched yet.
    pub fn new(config: SkillsConfig) -> Self {
        Self { config, stop: Arc::default() }
    }

    /// Ends with [`SkillsError::Stopped`] soon after `stop` is set.
    #[must_use]
    pub fn until(mut self, stop: Arc<AtomicBool>) -> Self {
        self.stop = stop;
        self
    }

    fn session(&self) -> Result<Publisher<'_>, SkillsError> {
        let client = Client::new(self.config.service.clone())?;
        Ok(Publisher { config: &self.config, client, stop: &self.stop })
    }
}

impl Destination for Skills {
    type Error = SkillsError;

    /// Makes sure that the client can be made; the service is asked when there is something to publish.
    fn check(&self) -> Result<(), SkillsError> {
        Client::new(self.config.service.clone())?;
        Ok(())
    }

    /// Reads what stands there. Blocks.
    fn load(&self) -> Result<Library, SkillsError> {
        Ok(block_on(async { self.session()?.view().await })?.library)
    }

    /// What [`Skills::publish`] would do. Blocks; writes nothing.
    fn plan(&self, update: &Update) -> Result<Report, SkillsError> {
        let view = block_on(async { self.session()?.view().await })?;
        Ok(Report::of(&update.changes(&view.library)?, &view.library))
    }

    /// Reads the library there, decides what must change and writes it. Blocks.
    fn publish(&self, update: &Update) -> Result<Report, SkillsError> {
        block_on(async { self.session()?.publish(update).await })
    }
}

/// Targets block, the client does not: it has a thread and a runtime of its own, so that a caller may or
/// may not be on one.
fn block_on<T: Send>(work: impl Future<Output = Result<T, SkillsError>> + Send) -> Result<T, SkillsError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::scope(|scope| {
        let running = thread::Builder::new().spawn_scoped(scope, move || runtime.block_on(work))?;
        running.join().unwrap_or(Err(SkillsError::Panicked))
    })
}

struct Publisher<'s> {
    config: &'s SkillsConfig,
    client: Client,
    stop: &'s AtomicBool,
}

impl Publisher<'_> {
    async fn publish(&self, update: &Update) -> Result<Report, SkillsError> {
        for _ in 0..ROUNDS {
            let view = self.undisputed_view().await?;
            let changes = update.changes(&view.library)?;
            let report = Report::of(&changes, &view.library);
            let versions = self.versions(&view, &changes, update)?;
            if changes.state.is_none() && versions.is_empty() && view.memory.next.is_none() {
                return Ok(report);
            }
            if self.apply(view, &changes, &versions).await? {
                return Ok(report);
            }
        }
        Err(SkillsError::Contended)
    }

    /// Writes the changes; false if somebody else did at the same time, and nothing was written.
    async fn apply(
        &self,
        view: View,
        changes: &Changes,
        versions: &[NewVersion],
    ) -> Result<bool, SkillsError> {
        let View { step, memory, tree, .. } = view;
        let next_tree = changed(tree, changes);
        let state = changes.state.clone().or_else(|| memory.next.clone()).or_else(|| memory.current.clone());
        let intent = Memory { next: state.clone(), next_tree: Some(next_tree.clone()), ..memory };
        let deadline = Instant::now() + self.lease();
        let id = self.remember(step + 1, &intent, deadline).await?;
        self.wait_for_reads().await?;
        if !self.took_step(step + 1, &id).await? {
            return Ok(false);
        }
        for version in versions {
            let values = version.values();
            self.insert(&self.config.skills, &sql::SKILLS, &values, &version.id, deadline).await?;
        }
        let reached = Memory { current: state, next: None, tree: next_tree, next_tree: None };
        self.remember(step + 2, &reached, deadline).await?;
        // The next reader sees all of it. A stop need not wait, but then the next start takes longer.
        let _ = self.wait_for_reads().await;
        Ok(true)
    }

    /// The content once nobody is about to change it, or once the time of whoever was has passed.
    async fn undisputed_view(&self) -> Result<View, SkillsError> {
        let Service { timeout, read_lag, .. } = self.config.service;
        let patience = self.lease() + timeout + read_lag;
        let mut view = self.view().await?;
        let mut since = Instant::now();
        while view.memory.next.is_some() && since.elapsed() < patience {
            self.sleep(read_lag.max(STOP_INTERVAL)).await?;
            let now = self.view().await?;
            if now.step != view.step {
                since = Instant::now();
            }
            view = now;
        }
        Ok(view)
    }

    /// How long a publish may take from its first step on.
    fn lease(&self) -> Duration {
        self.config.service.timeout * LEASE
    }

    async fn view(&self) -> Result<View, SkillsError> {
        let SkillsConfig { skills, library, .. } = self.config;
        let statement = format!("SELECT step, content FROM \"{library}\" ORDER BY step DESC, id ASC LIMIT 1");
        let remembered = self.query(&statement).await?;
        let (step, memory) = match remembered.first().map(Vec::as_slice) {
            None => (0, Memory::default()),
            Some(row) => self.remembered(row)?,
        };
        let statement =
            format!("SELECT {READ} FROM \"{skills}\" ORDER BY project_key ASC, name ASC, version DESC");
        let rows = Latest::ours(&self.query(&statement).await?);
        let tree = memory.tree(&rows);
        let stored = Stored { current: memory.current.clone(), next: memory.next.clone() };
        let library =
            library::load(Layout::Library, &stored, tree.clone()).map_err(|source| self.memory(source))?;
        Ok(View { step, memory, rows, library, tree })
    }

    fn remembered(&self, row: &[serde_json::Value]) -> Result<(u64, Memory), SkillsError> {
        let text =
            |value: Option<&serde_json::Value>| value.and_then(|value| value.as_str()).map(str::to_owned);
        let step = row.first().and_then(|step| step.as_u64().or_else(|| step.as_str()?.parse().ok()));
        let content = text(row.get(1)).unwrap_or_default();
        let memory = serde_json::from_str(&content).map_err(|error| self.memory(error.into()))?;
        Ok((step.unwrap_or_default(), memory))
    }

    fn memory(&self, source: library::Error) -> SkillsError {
        SkillsError::Memory { table: self.config.library.clone(), source }
    }

    /// The versions to write: of changed skills, and of those that the table has lost.
    fn versions(
        &self,
        view: &View,
        changes: &Changes,
        update: &Update,
    ) -> Result<Vec<NewVersion>, SkillsError> {
        let tree = changed(view.tree.clone(), changes);
        let stored = Stored { current: changes.state.clone().or(view.memory.current.clone()), next: None };
        let after =
            library::load(Layout::Library, &stored, tree.clone()).map_err(|source| self.memory(source))?;
        let listed: BTreeMap<String, _> =
            after.skills().into_iter().map(|skill| (skill.name.clone(), skill)).collect();
        let known = Known::of(update.findings().iter().flat_map(|findings| &findings.candidates));
        let is_new = |name: &str, text: &str| {
            let written = changes.files.contains_key(&skill_path(name));
            let latest = view.rows.get(name);
            let is_lost = latest.is_none() && view.memory.tree.contains_key(&skill_path(name));
            (written || is_lost) && !latest.is_some_and(|latest| latest.says(text))
        };
        let skills = tree.iter().filter_map(|(path, text)| Some((skill_of(path)?, text)));
        let new = skills.filter(|(name, text)| is_new(name, text));
        let now = Timestamp::now();
        Ok(new
            .map(|(name, text)| {
                NewVersion::of(name, text, view.rows.get(name), listed.get(name), &known, now)
            })
            .collect())
    }

    /// Appends a step of the memory; its id.
    async fn remember(&self, step: u64, memory: &Memory, deadline: Instant) -> Result<String, SkillsError> {
        let id = Uuid::new_v4().to_string();
        // Strings and maps by strings: nothing that serde_json could refuse.
        let content = serde_json::to_string(memory).unwrap_or_default();
        let created_at = Timestamp::now().to_iso_millis();
        let values = [
            ("id", Value::Text(&id)),
            ("step", Value::Number(step)),
            ("content", Value::Text(&content)),
            ("created_at", Value::Text(&created_at)),
        ];
        self.insert(&self.config.library, &sql::LIBRARY, &values, &id, deadline).await?;
        Ok(id)
    }

    /// Whether nobody else took the step; if somebody did, ours is taken back.
    async fn took_step(&self, step: u64, id: &str) -> Result<bool, SkillsError> {
        let library = &self.config.library;
        let rows = self.query(&format!("SELECT id FROM \"{library}\" WHERE step = {step}")).await?;
        let is_ours = |row: &Vec<serde_json::Value>| row.first().and_then(|found| found.as_str()) == Some(id);
        if rows.iter().all(is_ours) && !rows.is_empty() {
            return Ok(true);
        }
        self.query(&format!("DELETE FROM \"{library}\" WHERE id = {}", sql::literal(id))).await?;
        Ok(false)
    }

    /// Inserts a row whose id makes it the same row however often it is sent. Sends nothing after
    /// `deadline`: somebody else may go on from there.
    async fn insert(
        &self,
        table: &str,
        schema: &Schema,
        values: &[(&str, Value<'_>)],
        id: &str,
        deadline: Instant,
    ) -> Result<(), SkillsError> {
        let statement = sql::insert_one(table, values, id);
        let mut attempt = 0;
        loop {
            if Instant::now() > deadline {
                return Err(SkillsError::Contended);
            }
            let Err(failure) = self.client.query(&statement).await else { return Ok(()) };
            attempt += 1;
            if failure.lacks_a_table() && attempt < ATTEMPTS {
                tables::ensure(&self.client, &self.config.service.workspace, table, schema).await?;
            } else if !failure.is_transient() || attempt >= ATTEMPTS {
                return Err(failure.into());
            } else if failure.is_ambiguous() {
                self.wait_for_reads().await?;
                if !self.query(&sql::present(table, [id])).await?.is_empty() {
                    return Ok(());
                }
            }
            self.sleep(self.config.service.pauses.after(attempt)).await?;
        }
    }

    /// A query's rows, none where there is no table. Sent again while what fails may pass.
    async fn query(&self, statement: &str) -> Result<Vec<Vec<serde_json::Value>>, SkillsError> {
        let mut attempt = 0;
        loop {
            let failure = match self.client.query(statement).await {
                Ok(answer) => return Ok(answer.into_rows()),
                Err(failure) if failure.lacks_a_table() => return Ok(Vec::new()),
                Err(failure) => failure,
            };
            attempt += 1;
            if !failure.is_transient() || attempt >= ATTEMPTS {
                return Err(failure.into());
            }
            self.sleep(self.config.service.pauses.after(attempt)).await?;
        }
    }

    async fn wait_for_reads(&self) -> Result<(), SkillsError> {
        self.sleep(self.config.service.read_lag).await
    }

    async fn sleep(&self, mut rest: Duration) -> Result<(), SkillsError> {
        while !rest.is_zero() {
            if self.stop.load(Ordering::Relaxed) {
                return Err(SkillsError::Stopped);
            }
            let piece = rest.min(STOP_INTERVAL);
            tokio::time::sleep(piece).await;
            rest -= piece;
        }
        Ok(())
    }
}

fn changed(mut tree: Tree, changes: &Changes) -> Tree {
    tree.retain(|path, _| !changes.removed.contains(path));
    tree.extend(changes.files.clone());
    tree
}

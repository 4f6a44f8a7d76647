//! From what is written to what runs: references, paths and pipelines.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::exporters::parquet;
use crate::journal;
use crate::receivers::ConnectionBounds;
use crate::receivers::auth::Rate;
use crate::receivers::hooks;
use crate::skillify;

use super::Given;
use super::components::type_of;
use super::credentials::{tenants_of, verified};
use super::embeddings;
use super::forward::forwarded;
use super::layers::defined;
use super::proposer;
use super::raw::{self, Connector, Exporter, Pipeline, Processor, Raw};
use super::resolver::{BaseFolders, ResolveError, Resolver, usize_of};
use super::settings::Outline;
use super::settings::{
    ProcessorSettings, Reach, ReceiverSettings, Schedule, SessionsPipeline, SessionsTable, Settings,
    SkillsPipeline,
};
use super::tree::Node;

/// How long a stop waits for the table; what is left then waits in the journal.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(15);

/// As `default.yaml` writes it.
const DEFAULT_MEMORY_LIMIT: u64 = 512 << 20;

/// The pipeline whose journal lies in `service.journal.path` itself.
const SESSIONS: &str = "sessions";

/// The sections whose parts pipelines use.
const USED: [&str; 5] = ["extensions", "receivers", "processors", "exporters", "connectors"];

/// `refused` are the paths of what was taken out of the tree because it is wrong.
pub(super) fn resolve(
    raw: Raw,
    tree: &Node,
    refused: &[Vec<String>],
    places: &BaseFolders,
) -> Result<Settings, ResolveError> {
    Resolver {
        raw,
        tree,
        refused,
        places,
        used: BTreeSet::new(),
        followed: BTreeSet::new(),
        default_workspaces: BTreeMap::new(),
        tenants: Vec::new(),
        verified: Arc::default(),
        warnings: Vec::new(),
    }
    .settings()
}

impl Resolver<'_> {
    fn settings(mut self) -> Result<Settings, ResolveError> {
        let credentials = self.credentials()?;
        self.tenants = tenants_of(credentials.as_deref());
        self.verified = Arc::new(verified(credentials.as_deref()));
        let pipelines = self.raw.service.pipelines.take().unwrap_or_default().0;
        let outlines = pipelines.iter().map(|(name, pipeline)| self.outline(name, pipeline)).collect();
        self.default_workspaces = self.default_workspaces_of(&pipelines);
        let mut receivers = Vec::new();
        let mut sessions = Vec::new();
        let mut skills = Vec::new();
        let mut followers = Vec::new();
        for (name, pipeline) in &pipelines {
            match type_of(name) {
                SESSIONS if self.only_follows(pipeline) => self.refuse_processors(name, pipeline)?,
                SESSIONS => {
                    self.receivers(name, pipeline, &mut receivers)?;
                    sessions.push(self.sessions(name, pipeline)?);
                }
                _ if forwarded(name).is_some() => {}
                _ => skills.push(self.skills(name, pipeline)?),
            }
        }
        let mut forwards = Vec::new();
        for (name, pipeline) in &pipelines {
            if let Some(signal) = forwarded(name) {
                self.forwards((name, pipeline), signal, &receivers, &sessions, &mut forwards)?;
            }
        }
        for (name, pipeline) in pipelines.iter().filter(|(name, _)| type_of(name) == SESSIONS) {
            followers.extend(self.followers(name, pipeline)?);
        }
        self.check_that_tenants_do_not_meet(&followers, &skills)?;
        if pipelines.is_empty() {
            return Err(self.invalid(&["service", "pipelines"], "no pipeline is written here"));
        }
        let memory_limit = self.memory_limit(&receivers)?;
        let (table, more_tables) = self.tables(&sessions, &followers, &skills)?;
        self.check_that_mappings_agree(&receivers, &sessions)?;
        self.warn_of_what_is_stored_twice(&receivers, &sessions);
        self.warn_of_what_is_unused(!sessions.is_empty());
        let health = self.raw.extensions.health.as_ref().map(|health| health.endpoint.0);
        let console = self.console()?;
        self.check_that_addresses_differ(&receivers, health, console.as_ref())?;
        Ok(Settings {
            given: Given::default(),
            outlines,
            credentials,
            health,
            console,
            table,
            hook_spools: self.places.data.as_deref().map(hooks::folder),
            more_tables,
            receivers,
            journals: if sessions.is_empty() { None } else { Some(self.journals()?) },
            memory_limit,
            connections: self.connections()?,
            idle: self.raw.service.connections.unwrap_or_default().idle.0,
            sessions,
            followers,
            forwards,
            skills,
            logs: self.logs(),
            metrics: self.metrics()?,
            warnings: self.warnings,
        })
    }

    fn sessions(&mut self, name: &str, pipeline: &Pipeline) -> Result<SessionsPipeline, ResolveError> {
        let mappings = self.mappings(name, pipeline)?;
        let processors = self.processors(name, pipeline)?;
        if !processors.iter().any(|processor| matches!(processor, ProcessorSettings::Redact { .. })) {
            self.warnings.push(format!(
                "service.pipelines.{name}.processors: without `redact`, credentials in sessions are stored as they are"
            ));
        }
        let (parquet, zstd_level, table) = self.parquet(name, pipeline)?;
        let (requests, bytes) = self.rates(pipeline);
        Ok(SessionsPipeline {
            name: name.to_owned(),
            requests,
            bytes,
            mappings,
            processors,
            journal: self.journal(name)?,
            zstd_level,
            parquet,
            table,
        })
    }

    fn connections(&self) -> Result<ConnectionBounds, ResolveError> {
        let raw = self.raw.service.connections.unwrap_or_default();
        let at = |key: &'static str| ["service", "connections", key];
        for (key, count) in [("max", raw.max), ("per_address", raw.per_address)] {
            if count == 0 {
                return Err(self.invalid(&at(key), "with none, nobody could send anything"));
            }
        }
        if raw.idle.0.is_zero() {
            return Err(self.invalid(&at("idle"), "every connection is idle before its first request"));
        }
        Ok(ConnectionBounds { max: usize_of(raw.max), per_address: usize_of(raw.per_address) })
    }

    /// A request that is within its own limit must fit, decompressed and mapped, into what the exporter
    /// leaves.
    fn memory_limit(&self, receivers: &[ReceiverSettings]) -> Result<usize, ResolveError> {
        let memory_limit = self.raw.service.memory_limit.map_or(DEFAULT_MEMORY_LIMIT, |limit| limit.0);
        let memory_limit = usize_of(memory_limit);
        let limits =
            receivers.iter().map(|receiver| receiver.limits.max_message.max(receiver.limits.max_body));
        let largest = limits.max().unwrap_or_default();
        if memory_limit / 8 < largest {
            let message = format!(
                "too small for one request of {largest} bytes; raise it to eight times that, or lower max_message and max_body"
            );
            return Err(self.invalid(&["service", "memory_limit"], &message));
        }
        Ok(memory_limit)
    }

    fn rates(&self, pipeline: &Pipeline) -> (Option<Rate>, Option<Rate>) {
        let mut limits =
            pipeline.processors.iter().rev().filter_map(|id| match self.raw.processors.0.get(id) {
                Some(Processor::Limits(limits)) => Some(limits.per_tenant),
                _ => None,
            });
        let raw::PerTenant { requests, bytes } = limits.next().unwrap_or_default();
        (requests.map(|rate| Rate(rate.0)), bytes.map(|rate| Rate(rate.0)))
    }

    fn parquet(
        &mut self,
        name: &str,
        pipeline: &Pipeline,
    ) -> Result<(parquet::Config, u8, SessionsTable), ResolveError> {
        let at = ["service", "pipelines", name, "exporters"];
        let is_forwarder = |id: &&String| matches!(self.raw.exporters.0.get(*id), Some(Exporter::Otlp(_)));
        if let Some(id) = pipeline.exporters.iter().find(is_forwarder) {
            let message = format!("{id} forwards bodies: name it in a pipeline traces, logs or metrics");
            return Err(self.invalid(&at, &message));
        }
        let exporters: Vec<&String> = pipeline.exporters.iter().filter(|id| !self.follows(id)).collect();
        let [id] = exporters.as_slice() else {
            let message = "a sessions pipeline has one exporter that fills the table, such as parquet";
            return Err(self.invalid(&at, message));
        };
        let id = id.as_str();
        let parquet = match self.raw.exporters.0.get(id) {
            Some(Exporter::Parquet(parquet)) => parquet,
            Some(_) => {
                return Err(
                    self.invalid(&at, &format!("{id} exports skills; a sessions pipeline needs parquet"))
                );
            }
            None => return Err(self.no_such(&at, 0, id, "exporters", self.raw.exporters.0.keys())),
        };
        let table = self.table(&parquet.table, &["exporters", id, "table"])?;
        let config = parquet::Config {
            rows: usize_of(parquet.flush.rows),
            bytes: parquet.flush.bytes.0,
            age: parquet.flush.age.0,
            on_session_end: parquet.flush.on_session_end,
            drain_timeout: DRAIN_TIMEOUT,
        };
        let zstd_level = parquet.compression.0;
        self.used.insert(format!("extensions.{}", table.id));
        self.used.insert(format!("exporters.{id}"));
        Ok((config, zstd_level, table))
    }

    fn skills(&mut self, name: &str, pipeline: &Pipeline) -> Result<SkillsPipeline, ResolveError> {
        let at = ["service", "pipelines", name, "receivers"];
        let [id] = pipeline.receivers.as_slice() else {
            return Err(self.invalid(&at, "a skills pipeline has one receiver, such as skillify"));
        };
        let Some(Connector::Skillify(skillify)) = self.raw.connectors.0.get(id) else {
            return Err(self.no_such(&at, 0, id, "connectors", self.raw.connectors.0.keys()));
        };
        let table = self.table(&skillify.table, &["connectors", id, "table"])?;
        if !pipeline.processors.is_empty() {
            return Err(self.invalid(
                &["service", "pipelines", name, "processors"],
                "a skills pipeline has no processors",
            ));
        }
        let mining = skillify::Config {
            publish: skillify::PublishRule {
                sessions: usize_of(skillify.publish.sessions),
                people: usize_of(skillify.publish.people),
                skills: usize_of(skillify.publish.skills),
                alone: self.is_one_persons_machine(),
                allow: skillify.publish.allow,
                verified: skillify.publish.verified,
                rules: skillify.rules,
            },
            ..skillify::Config::default()
        };
        self.check_that_people_are_named(id, skillify.publish.verified)?;
        let schedule = Schedule {
            every_turns: skillify.every_turns,
            idle: skillify.idle.0,
            min_interval: skillify.min_interval.0,
        };
        let memory = skillify.memory.0;
        let window =
            Reach { events: skillify.window.events, age: skillify.window.age.as_ref().map(|age| age.0) };
        for (key, is_none) in
            [("events", window.events == Some(0)), ("age", window.age.is_some_and(|age| age.is_zero()))]
        {
            if is_none {
                return Err(self.invalid(&["connectors", id, "window", key], "expected at least 1"));
            }
        }
        self.used.insert(format!("extensions.{}", table.id));
        let model = self.model(id, &skillify.proposer)?;
        self.used.insert(format!("connectors.{id}"));
        if skillify.publish.sessions < 2 {
            self.warnings.push(format!(
                "connectors.{id}.publish.sessions: what is counted needs three sessions whatever stands here; only what \
                 people say in words is content with fewer"
            ));
        }
        self.warnings.extend(model.as_ref().and_then(|model| proposer::warning(id, model)));
        let embeddings = self.embeddings(id, skillify.embeddings.as_ref())?;
        let digests = match &skillify.digests {
            None if self.places.data.is_none() => None,
            path => Some(self.local_path(path.clone(), "digests", &["connectors", id, "digests"])?),
        };
        self.warnings.extend(embeddings.as_ref().and_then(|settings| embeddings::warning(id, settings)));
        let coordination = skillify.coordination;
        let targets = self.targets(name, pipeline)?;
        self.check_several_workers(id, coordination, &table.location, &targets)?;
        let name = name.to_owned();
        let verified = Arc::clone(&self.verified);
        Ok(SkillsPipeline {
            name,
            table,
            mining,
            verified,
            schedule,
            model,
            embeddings,
            digests,
            memory,
            window,
            coordination,
            targets,
        })
    }

    pub(super) fn journals(&self) -> Result<PathBuf, ResolveError> {
        let written = self.raw.service.journal.as_ref().and_then(|journal| journal.path.clone());
        self.local_path(written, "journal", &["service", "journal", "path"])
    }

    /// A pipeline's own journal: in the configured folder itself, or in `sessions/<name>` below it.
    fn journal(&self, pipeline: &str) -> Result<journal::Config, ResolveError> {
        let unwritten = raw::Journal::default();
        let journal = self.raw.service.journal.as_ref().unwrap_or(&unwritten);
        if journal.segment.0.saturating_mul(2) > journal.max_size.0 {
            return Err(self.invalid(
                &["service", "journal"],
                "max_size has room for less than two segments; raise max_size or lower segment",
            ));
        }
        let mut path = self.journals()?;
        if let Some((kind, name)) = pipeline.split_once('/') {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(plain) {
                let message = "the name becomes a folder of the journal: letters and digits, then also `-`, `_` and `.`";
                return Err(self.invalid(&["service", "pipelines", pipeline], message));
            }
            path.extend([kind, name]);
        }
        Ok(journal::Config {
            path,
            max_size: journal.max_size.0,
            segment_size: journal.segment.0,
            durability: self.durability(),
        })
    }

    /// What an acknowledgement promises to clients.
    pub(super) fn durability(&self) -> journal::Durability {
        match self.raw.service.journal.as_ref().map(|journal| journal.durability).unwrap_or_default() {
            raw::Durability::Fsync => journal::Durability::Fsync,
            raw::Durability::Os => journal::Durability::Os,
        }
    }

    fn warn_of_what_is_unused(&mut self, receives: bool) {
        let is_of_pipelines = |id: &str| match id.strip_prefix("extensions.") {
            Some(id) => type_of(id) == raw::SESSIONS_TABLE,
            None => true,
        };
        for id in defined(self.tree, &USED) {
            if is_of_pipelines(&id) && !self.used.contains(&id) {
                // Who writes a pipeline of skills alone has no other.
                let remedy = match id.starts_with("receivers.") && !receives {
                    true => "; `sessions: {}` in service.pipelines receives and stores sessions",
                    false => "",
                };
                self.warnings.push(format!("{id}: no pipeline uses it{remedy}"));
            }
        }
    }

    fn outline(&self, name: &str, pipeline: &Pipeline) -> Outline {
        Outline {
            name: name.to_owned(),
            receivers: pipeline.receivers.clone(),
            processors: pipeline.processors.clone(),
            exporters: pipeline.exporters.clone(),
            is_written: self.is_written(&["service", "pipelines", name]),
        }
    }
}

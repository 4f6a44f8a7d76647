//! The deeplake exporter, resolved: of sessions and of skills.

use crate::event::Owner;
use crate::exporters::deeplake::{Config, Pauses, Service, SkillsConfig};
use crate::exporters::target::{Target, TargetKind};
use crate::secret::Secret;

use super::raw::{self, Exporter, Pipeline, SESSIONS_TABLE};
use super::resolver::{ResolveError, Resolver, usize_of};
use super::settings::FollowerSettings;
use super::targets::{SHARED_SCOPES, folder_name};

/// PostgreSQL's limit of an identifier.
const LONGEST_TABLE_NAME: usize = 63;

impl Resolver<'_> {
    /// The deeplake exporters of a sessions pipeline, by id.
    pub(super) fn followers(
        &mut self,
        name: &str,
        pipeline: &Pipeline,
    ) -> Result<Vec<FollowerSettings>, ResolveError> {
        let filled = self.table_filled_by(pipeline).map(str::to_owned);
        let mut followers = Vec::new();
        for id in &pipeline.exporters {
            let Some(Exporter::Deeplake(raw)) = self.raw.exporters.0.get(id) else { continue };
            let follower = self.follower(id, raw, filled.as_deref())?;
            if self.followed.contains(id) {
                let at = ["service", "pipelines", name, "exporters"];
                return Err(
                    self.invalid(&at, &format!("{id} exports the sessions of another pipeline already"))
                );
            }
            let followed = &follower.table.id;
            if let Some(filled) = filled.as_ref().filter(|filled| *filled != followed) {
                self.warnings.push(format!(
                    "service.pipelines.{name}: {id} exports the sessions of {followed}, and this pipeline fills {filled}"
                ));
            }
            self.used.insert(format!("extensions.{followed}"));
            self.used.insert(format!("exporters.{id}"));
            self.followed.insert(id.clone());
            followers.push(follower);
        }
        Ok(followers)
    }

    /// Whether the pipeline reads a table that others fill: it receives nothing, and its exporters follow
    /// the table.
    pub(super) fn only_follows(&self, pipeline: &Pipeline) -> bool {
        pipeline.receivers.is_empty()
            && !pipeline.exporters.is_empty()
            && pipeline.exporters.iter().all(|id| self.follows(id))
    }

    /// Whether an exporter follows a table.
    pub(super) fn follows(&self, exporter: &str) -> bool {
        matches!(self.raw.exporters.0.get(exporter), Some(Exporter::Deeplake(_)))
    }

    /// What only follows a table has nothing to process: its rows are as they were stored.
    pub(super) fn refuse_processors(&self, name: &str, pipeline: &Pipeline) -> Result<(), ResolveError> {
        if pipeline.processors.is_empty() {
            return Ok(());
        }
        let message = "without receivers, this pipeline only reads a table: processors belong to the pipeline that fills it";
        Err(self.invalid(&["service", "pipelines", name, "processors"], message))
    }

    fn table_filled_by(&self, pipeline: &Pipeline) -> Option<&str> {
        pipeline.exporters.iter().find_map(|id| match self.raw.exporters.0.get(id)? {
            Exporter::Parquet(parquet) => Some(parquet.table.as_str()),
            _ => None,
        })
    }

    fn follower(
        &self,
        id: &str,
        raw: &raw::Deeplake,
        filled: Option<&str>,
    ) -> Result<FollowerSettings, ResolveError> {
        let table = raw.table.as_deref().or(filled).unwrap_or(SESSIONS_TABLE);
        let table = self.table(table, &["exporters", id, "table"])?;
        if raw.from.is_none() && self.tenants.len() > 1 {
            let message = "extensions.auth knows several tenants: say whose sessions go there, from: { tenant, workspace }";
            return Err(self.invalid(&["exporters", id], message));
        }
        for (number, key) in [(raw.batch.rows, "rows"), (raw.batch.concurrency, "concurrency")] {
            if number == 0 {
                return Err(self.invalid(&["exporters", id, "batch", key], "expected at least 1"));
            }
        }
        let owner =
            |from: &raw::SessionsOf| Owner { tenant: from.tenant.clone(), workspace: from.workspace.clone() };
        let place = format!("deeplake/{}", folder_name(id));
        let deeplake = Config {
            name: id.to_owned(),
            service: self.service(id, raw)?,
            sessions: self.table_name(id, "sessions", &raw.tables.sessions)?,
            org_name: raw.org_name.clone().unwrap_or_else(|| raw.org.clone()),
            from: raw.from.as_ref().map(owner),
            default_workspace: table.default_workspace.clone(),
            rows: usize_of(raw.batch.rows),
            bytes: usize_of(raw.batch.bytes.0),
            concurrency: usize_of(raw.batch.concurrency),
            settle: raw.turn.settle.0,
            idle: raw.turn.idle.0,
            interval: raw.interval.0,
            state: self.local_path(raw.state.clone(), &place, &["exporters", id, "state"])?,
        };
        Ok(FollowerSettings { table, deeplake })
    }

    /// The exporter as a target of skills.
    pub(super) fn deeplake_target(&self, id: &str, raw: &raw::Deeplake) -> Result<Target, ResolveError> {
        let config = SkillsConfig {
            service: self.service(id, raw)?,
            skills: self.table_name(id, "skills", &raw.tables.skills)?,
            library: self.table_name(id, "library", &raw.tables.library)?,
        };
        let from = raw.from.as_ref().map(|from| from.tenant.as_str());
        let tenant = raw.route.tenant.as_deref().or(from);
        let route = self.route(&["exporters", id], &raw.route, raw.limits, tenant, &SHARED_SCOPES)?;
        Ok(Target { route, place: TargetKind::Deeplake(Box::new(config)) })
    }

    fn service(&self, id: &str, raw: &raw::Deeplake) -> Result<Service, ResolveError> {
        let refused = |key: &str, message: &str| self.invalid(&["exporters", id, key], message);
        let needed =
            |key: &str, message: &str| self.invalid(&["exporters", id], &format!("{message}: {key}"));
        if raw.org.is_empty() {
            return Err(needed("org", "name the organisation's id here"));
        }
        if raw.org.chars().any(|char| !char.is_ascii_graphic()) {
            return Err(refused("org", "expected the id of an organisation"));
        }
        let is_name = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
        if raw.workspace.is_empty() || !raw.workspace.chars().all(is_name) || raw.workspace.starts_with('.') {
            return Err(refused("workspace", "expected the id of a workspace: letters, digits, - and _"));
        }
        let endpoint = raw.endpoint.trim_end_matches('/');
        if !is_endpoint(endpoint) {
            return Err(refused("endpoint", "expected https://host, or http:// for this machine only"));
        }
        let token = raw.token.as_ref().map(|token| token.reveal().trim()).unwrap_or_default();
        if token.is_empty() {
            return Err(needed("token", "an API token is needed, such as ${env:DEEPLAKE_TOKEN}"));
        }
        if token.chars().any(|char| !char.is_ascii_graphic()) {
            return Err(refused("token", "the token is more than one word"));
        }
        Ok(Service {
            endpoint: endpoint.to_owned(),
            org: raw.org.clone(),
            workspace: raw.workspace.clone(),
            token: Secret::new(token),
            timeout: raw.timeout.0,
            read_lag: raw.read_lag.0,
            pauses: Pauses::default(),
        })
    }

    fn table_name(&self, id: &str, key: &str, name: &str) -> Result<String, ResolveError> {
        let mut chars = name.chars();
        let is_first = chars.next().is_some_and(|char| char.is_ascii_alphabetic() || char == '_');
        let is_name = is_first && chars.all(|char| char.is_ascii_alphanumeric() || char == '_');
        if is_name && name.len() <= LONGEST_TABLE_NAME {
            return Ok(name.to_owned());
        }
        Err(self.invalid(
            &["exporters", id, "tables", key],
            "expected a table's name: letters, digits and _, no digit first, 63 at most",
        ))
    }
}

/// A token is only sent encrypted, or within this machine.
fn is_endpoint(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    let is_open = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    let is_loopback = match url.host_str() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback()),
        None => false,
    };
    is_open && (url.scheme() == "https" || (url.scheme() == "http" && is_loopback))
}

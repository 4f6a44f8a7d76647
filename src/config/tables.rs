//! `extensions.sessions_table:` where tables are, and who writes which.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::table::Location;

use super::decode::instead;
use super::raw::{self, Exporter, Pipeline, Processor, SESSIONS_TABLE};
use super::resolver::{ResolveError, Resolver};
use super::settings::{FollowerSettings, ReceiverSettings, SessionsPipeline, SessionsTable, SkillsPipeline};

const SHORTEST_RETENTION: Duration = Duration::from_secs(24 * 3600);

impl Resolver<'_> {
    /// The table that an exporter or a connector names.
    pub(super) fn table(&self, id: &str, at: &[&str]) -> Result<SessionsTable, ResolveError> {
        let known = &self.raw.extensions.sessions_tables;
        let Some(table) = known.get(id) else {
            let known: Vec<&str> = known.keys().map(String::as_str).collect();
            let message = format!("there is no extension `{id}`{}", instead(id, &known, "known are"));
            return Err(self.unless_refused(&["extensions", id], self.invalid(at, &message)));
        };
        let retention = table.retention.map(|span| span.0);
        if retention.is_some_and(|kept| kept < SHORTEST_RETENTION) {
            let message = "sessions are kept by the day of their ingestion: at least 1d";
            return Err(self.invalid(&["extensions", id, "retention"], message));
        }
        let location = self.table_location(id, table.path.clone())?;
        let default_workspace = self.default_workspace(id);
        Ok(SessionsTable { id: id.to_owned(), location, retention, default_workspace })
    }

    /// The default workspaces of tables, as the `workspace` processors of those who write them say.
    pub(super) fn default_workspaces_of(
        &self,
        pipelines: &BTreeMap<String, Pipeline>,
    ) -> BTreeMap<String, String> {
        let mut workspaces = BTreeMap::new();
        for pipeline in pipelines.values() {
            let written = pipeline.exporters.iter().filter_map(|id| match self.raw.exporters.0.get(id) {
                Some(Exporter::Parquet(parquet)) => Some(&parquet.table),
                _ => None,
            });
            for table in written {
                let named = pipeline.processors.iter().find_map(|id| self.workspace(id));
                if let Some(workspace) = named {
                    workspaces.entry(table.clone()).or_insert_with(|| workspace.to_owned());
                }
            }
        }
        workspaces
    }

    /// Of a table that only others write: as any `workspace` processor here says.
    fn default_workspace(&self, table: &str) -> String {
        let any = || self.raw.processors.0.keys().find_map(|id| self.workspace(id)).map(str::to_owned);
        let own = self.default_workspaces.get(table).cloned();
        own.or_else(any).unwrap_or_else(|| raw::Workspace::default().default)
    }

    fn workspace(&self, processor: &str) -> Option<&str> {
        match self.raw.processors.0.get(processor)? {
            Processor::Workspace(workspace) => Some(&workspace.default),
            _ => None,
        }
    }

    /// The tables of all pipelines: the one that commands read, and the others.
    pub(super) fn tables(
        &self,
        sessions: &[SessionsPipeline],
        followers: &[FollowerSettings],
        skills: &[SkillsPipeline],
    ) -> Result<(SessionsTable, Vec<SessionsTable>), ResolveError> {
        let written = sessions.iter().map(|pipeline| &pipeline.table);
        let followed = followers.iter().map(|follower| &follower.table);
        let mined = skills.iter().map(|pipeline| &pipeline.table);
        let tables: BTreeMap<&str, &SessionsTable> =
            written.chain(followed).chain(mined).map(|table| (table.id.as_str(), table)).collect();
        let mut tables = tables.into_values().cloned();
        match tables.next() {
            Some(first) => Ok((first, tables.collect())),
            None => Ok((self.table(SESSIONS_TABLE, &["extensions"])?, Vec::new())),
        }
    }

    /// A folder, or a bucket.
    fn table_location(&self, id: &str, path: Option<String>) -> Result<Location, ResolveError> {
        let at = ["extensions", id, "path"];
        match path {
            Some(url) if url.contains("://") => {
                Location::parse(&url).map_err(|error| self.invalid(&at, &error.to_string()))
            }
            None if id != SESSIONS_TABLE => {
                Err(self.invalid(&["extensions", id], "say where this table is: path"))
            }
            path => Ok(Location::Folder(self.local_path(path, "sessions", &at)?)),
        }
    }

    /// One request to two pipelines with one table is two rows a fact.
    pub(super) fn warn_of_what_is_stored_twice(
        &mut self,
        receivers: &[ReceiverSettings],
        sessions: &[SessionsPipeline],
    ) {
        for (index, second) in sessions.iter().enumerate() {
            let earlier = sessions.iter().take(index);
            for first in earlier.filter(|first| first.table.location == second.table.location) {
                let feeds_both = |receiver: &&ReceiverSettings| {
                    [first, second].iter().all(|pipeline| receiver.feeds(pipeline))
                };
                if let Some(receiver) = receivers.iter().find(feeds_both) {
                    self.warnings.push(format!(
                        "service.pipelines.{}: {} feeds {} as well, which writes the same table: every event is stored twice there, and counted once",
                        second.name, receiver.id, first.name
                    ));
                }
            }
        }
    }
}

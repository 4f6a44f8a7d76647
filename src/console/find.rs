//! Single sessions: by their id, and by the hash that published files name them by.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::App;
use super::access::Reader;
use super::days::{Day, Row};
use super::problem::Problem;
use crate::event::Owner;
use crate::library::Library;
use crate::table::{Filter, Session};
use crate::views::whole::MOST_HELD;

/// A session of which a page links to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) tenant: String,
    pub(super) id: String,
    pub(super) user: String,
    pub(super) title: String,
    pub(super) feedback: String,
}

/// Of a session that is shown so many bytes of rows are read: some ten thousand rows.
const MOST_SHOWN: usize = MOST_HELD / 2;

/// On so many days sessions are looked for by their hash, beside those on which they began.
const MOST_DAYS: usize = 60;

impl App {
    /// Whose a library is: it knows its tenant by a hash. `""` if that is none of whom this configuration speaks.
    pub(super) fn tenant_of(&self, library: &Library) -> String {
        let of_tokens =
            self.settings.credentials.iter().flatten().map(|credential| &credential.owner().tenant);
        let by_default = Owner::default().tenant;
        let mut tenants = of_tokens.chain([&by_default]);
        tenants.find(|tenant| library.is_of(tenant)).cloned().unwrap_or_default()
    }

    /// The session with this id, if the reader may see it. With a UTC date, files from before the previous day are not
    /// read. The flag says that the session is too large, so that only its first part is here.
    pub(super) async fn session(
        &self,
        reader: &Reader,
        (tenant, id): (&str, &str),
        since: Option<&str>,
    ) -> Result<Option<(Session, bool)>, Problem> {
        let filter = Filter { owner: None, since: day_before(since) };
        for days in &self.days {
            let failed = |error: &dyn std::fmt::Display| Problem::failed("The table", error.to_string());
            let table = days.table().await.map_err(|error| failed(&error))?;
            let Some(table) = table else { continue };
            let (wanted, filter, options) = (id.to_owned(), filter.clone(), days.options());
            let reading = self.readers.look_up(move || async move {
                table.sessions_called_within(&wanted, &filter, &options, MOST_SHOWN).await
            });
            let found = reading.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
            let is_it = |session: &Session| {
                session.id == id
                    && (tenant.is_empty() || session.tenant == tenant)
                    && reader.sees(&session.tenant, &session.workspace)
            };
            let is_cut = found.is_cut;
            if let Some(session) = found.sessions.into_iter().find(is_it) {
                return Ok(Some((session, is_cut)));
            }
        }
        Ok(None)
    }

    /// Sessions of a tenant by their ids, read at once, as far as the reader may see them.
    pub(super) async fn sessions(
        &self,
        reader: &Reader,
        tenant: &str,
        ids: &BTreeSet<String>,
        since: Option<&str>,
    ) -> Result<Vec<Session>, Problem> {
        let filter = Filter { owner: None, since: day_before(since) };
        let mut sessions = Vec::new();
        for days in &self.days {
            let table = days.table().await.map_err(|error| Problem::failed("The table", error))?;
            let Some(table) = table else { continue };
            let (ids, filter, options) = (ids.clone(), filter.clone(), days.options());
            let reading = self
                .readers
                .look_up(move || async move { table.sessions_all_called(&ids, &filter, &options).await });
            let found = reading.await.map_err(|error| Problem::failed("The table", error))?;
            sessions.extend(found.map_err(|error| Problem::failed("The table", error))?.sessions);
        }
        sessions.retain(|one| one.tenant == tenant && reader.sees(&one.tenant, &one.workspace));
        Ok(sessions)
    }

    /// Sessions by their hash, each with the UTC date on which it began, as far as they are known by then. A session
    /// arrives when it begins or later (an import brings what began long ago), so it is looked for on its own day,
    /// the next one, and then on all later ones, the newest first.
    pub(super) async fn by_hash(
        &self,
        reader: &Reader,
        wanted: impl Iterator<Item = (&str, &str)>,
        until: Instant,
    ) -> BTreeMap<String, Known> {
        let (mut dates, mut hashes) = (BTreeSet::new(), BTreeSet::new());
        for (date, hash) in wanted {
            dates.insert(date.to_owned());
            dates.extend(day_after(date));
            hashes.insert(hash.to_owned());
        }
        let mut known = BTreeMap::new();
        let Some(first) = dates.first().cloned() else { return known };
        for days in &self.days {
            // What cannot be read, or not yet, has no link.
            let Ok(all) = days.dates().await else { continue };
            let (own, later): (Vec<String>, Vec<String>) =
                all.into_iter().filter(|date| *date >= first).partition(|date| dates.contains(date));
            for date in own.into_iter().chain(later.into_iter().take(MOST_DAYS)) {
                if hashes.is_empty() {
                    return known;
                }
                let Ok(Day::Read(rows)) = days.day(&date, until).await else { continue };
                for row in rows.iter().filter(|row| reader.sees(&row.tenant, &row.workspace)) {
                    if hashes.remove(&row.hash) {
                        known.insert(row.hash.clone(), Known::of(row));
                    }
                }
            }
        }
        known
    }
}

/// Clocks differ.
fn day_before(date: Option<&str>) -> Option<String> {
    Some(date?.parse::<jiff::civil::Date>().ok()?.yesterday().ok()?.to_string())
}

fn day_after(date: &str) -> Option<String> {
    Some(date.parse::<jiff::civil::Date>().ok()?.tomorrow().ok()?.to_string())
}

/// Whether the reader may see skills of the library that are of that workspace.
pub(super) fn sees(reader: &Reader, library: &Library, workspace: &str) -> bool {
    let is_of_tenant = reader.tenant.as_deref().is_none_or(|tenant| library.is_of(tenant));
    is_of_tenant && reader.workspace.as_deref().is_none_or(|bound| bound == workspace)
}

impl Known {
    fn of(row: &Row) -> Self {
        Self {
            tenant: row.tenant.clone(),
            id: row.id.clone(),
            user: row.user.clone(),
            title: row.title.clone(),
            feedback: row.feedback.clone(),
        }
    }
}

//! Sessions that were listed, read whole.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crate::event::Timestamp;
use crate::service::free_memory::GivingBack;
use crate::skillify::SharedCommands;
use crate::table::{
    Cursor, Filter, MOST_LISTINGS, ReadError, ResolveOptions, Session, Table, overtaken, resolve,
};

/// Up to this many sessions are looked up one by one; for more, one pass reads the table.
const LOOKED_UP: usize = 64;

/// So many bytes of rows are held, about, until sessions are complete. Of a session that has more than half of that the
/// first rows are read, some ten thousand.
pub(crate) const MOST_HELD: usize = 64 << 20;

const A_DAY: Duration = Duration::from_secs(24 * 3600);

/// Which session of which tenant and workspace.
pub(crate) type Place = (String, String, String);

pub(crate) fn place<F>(session: &Session<F>) -> Place {
    (session.tenant.clone(), session.workspace.clone(), session.id.clone())
}

/// Sessions that are to be read whole.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    places: BTreeSet<Place>,
    oldest: Option<Timestamp>,
}

impl Wanted {
    pub(crate) fn add<F>(&mut self, session: &Session<F>) {
        self.places.insert(place(session));
        self.oldest = Some(self.oldest.map_or(session.started_at, |oldest| oldest.min(session.started_at)));
    }
}

/// Reads sessions whole and hands over one after the other, each once: of a table there is no more in memory than
/// the rows that are not complete yet.
pub(crate) async fn read_whole<F>(
    table: &Table,
    options: &ResolveOptions,
    sessions: &[Session<F>],
    take: impl FnMut(Session),
) -> Result<(), ReadError> {
    let mut wanted = Wanted::default();
    sessions.iter().for_each(|session| wanted.add(session));
    read_wanted(table, options, wanted, take).await
}

/// The same for a caller that knows only their ids.
pub(crate) async fn read_wanted(
    table: &Table,
    options: &ResolveOptions,
    wanted: Wanted,
    mut take: impl FnMut(Session),
) -> Result<(), ReadError> {
    let Wanted { places: mut missing, oldest } = wanted;
    // Rows do not arrive long before they happen: files from before the oldest session have none of these.
    let since = oldest.unwrap_or_default().saturating_sub(A_DAY).date();
    let mut keep = |session: Session, missing: &mut BTreeSet<Place>| {
        if missing.remove(&place(&session)) {
            take(session);
        }
    };
    if missing.len() > LOOKED_UP {
        read_since(table, options, &since, |session| keep(session, &mut missing)).await?;
    } else {
        look_up(table, options, &mut missing, Some(since), &mut keep).await?;
    }
    // They do where a machine's clock was wrong: what was not found is looked for in all files.
    if missing.len() <= LOOKED_UP {
        look_up(table, options, &mut missing, None, &mut keep).await?;
    }
    Ok(())
}

/// Reads what arrived on a UTC date or later, and hands over the sessions that it makes one after the other, each once.
///
/// A month takes minutes, in which upkeep, here or in another process, puts new files in the place of those that are
/// still to be read. Then it begins anew with what is there now, and leaves out what was handed over.
pub(crate) async fn read_since(
    table: &Table,
    options: &ResolveOptions,
    since: &str,
    mut take: impl FnMut(Session),
) -> Result<(), ReadError> {
    let mut before: BTreeSet<u64> = BTreeSet::new();
    for attempt in 1.. {
        let mut now = Vec::new();
        let read = read_once(table, options, since, |session| {
            let hash = hash_of(&session);
            if !before.contains(&hash) {
                now.push(hash);
                take(session);
            }
        });
        match read.await {
            Err(error) if error.is_overtaken() && attempt < MOST_LISTINGS => overtaken(attempt).await,
            done => return done,
        }
        before.extend(now);
    }
    Ok(())
}

async fn read_once(
    table: &Table,
    options: &ResolveOptions,
    since: &str,
    mut take: impl FnMut(Session),
) -> Result<(), ReadError> {
    let standing = table.standing(&Cursor::default()).await?.since(since);
    let mut groups = table.new_groups(standing, &[], &BTreeSet::new()).await?.within(MOST_HELD);
    let (mut commands, mut memory) = (SharedCommands::default(), GivingBack::default());
    while let Some(complete) = groups.next().await? {
        memory.go_on();
        // Sessions run the same command lines again and again: each is read once.
        (_, commands) = commands.within(|| {
            complete.into_iter().flat_map(|group| resolve(group.events, options)).for_each(&mut take);
        });
    }
    Ok(())
}

/// In the place of a session's own names, of which there may be a million.
fn hash_of(session: &Session) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&session.tenant, &session.workspace, &session.id).hash(&mut hasher);
    hasher.finish()
}

/// Reads the sessions one by one, from the files of the days since then.
async fn look_up(
    table: &Table,
    options: &ResolveOptions,
    missing: &mut BTreeSet<Place>,
    since: Option<String>,
    keep: &mut impl FnMut(Session, &mut BTreeSet<Place>),
) -> Result<(), ReadError> {
    let filter = Filter { owner: None, since };
    let ids: BTreeSet<String> = missing.iter().map(|(_, _, id)| id.clone()).collect();
    for id in ids {
        for session in table.session(&id, &filter, options).await?.sessions {
            keep(session, missing);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Kind, Owner, SessionEvent};
    use crate::table::FileIdentity;

    fn row(session: &str, number: u64) -> SessionEvent {
        SessionEvent {
            event_id: format!("{session}-{number}"),
            session_id: session.to_owned(),
            kind: Kind::Prompt,
            tenant: "default".to_owned(),
            fact_key: format!("{session}-{number}"),
            timestamp: Timestamp::now(),
            ingested_at: Timestamp::now(),
            text: "make the tests pass ".repeat(50),
            ..SessionEvent::default()
        }
    }

    #[tokio::test]
    async fn a_file_that_upkeep_replaces_while_others_are_read_is_read_where_it_is_now() {
        let folder = tempfile::tempdir().unwrap();
        let table = Table::open(folder.path()).unwrap();
        for file in 1..4_u64 {
            let identity = FileIdentity {
                owner: Owner::default(),
                ingest_date: "2026-11-22".to_owned(),
                journal_id: "0b5f".to_owned(),
                batch_id: format!("batch-{file}"),
                first: file,
                last: file,
                part: 0,
            };
            let session = format!("s-{file}");
            let rows: Vec<SessionEvent> = (0..40).map(|number| row(&session, number)).collect();
            let _ = table.write(&identity, rows).await.unwrap();
        }
        let paths = table.paths(&Filter::default()).await.unwrap();
        assert_eq!(paths.len(), 3);
        let mut found = Vec::new();
        let options = ResolveOptions::default();
        let read = read_since(&table, &options, "2000-01-01", |session| {
            if found.is_empty() {
                // What another process does: the last file is another one now.
                let last = folder.path().join(paths.last().unwrap());
                std::fs::rename(&last, last.with_file_name("merged.parquet")).unwrap();
            }
            found.push((session.id.clone(), session.facts.len()));
        });
        read.await.unwrap();
        found.sort();
        let expected: Vec<(String, usize)> = (1..4).map(|file| (format!("s-{file}"), 40)).collect();
        assert_eq!(found, expected, "each once, none left out");
    }
}

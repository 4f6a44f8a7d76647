//! Sessions that were listed, read whole.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::event::Timestamp;
use crate::service::free_memory::GivingBack;
use crate::skillify::SharedCommands;
use crate::table::{Cursor, Filter, ReadError, ResolveOptions, Session, Table, resolve};

/// So many sessions are looked up one by one; for more of them the table is read once.
const LOOKED_UP: usize = 64;

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

/// The same for who knows no more of them.
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

/// Reads what arrived on a UTC date or later, and hands over the sessions that it makes one after the other.
pub(crate) async fn read_since(
    table: &Table,
    options: &ResolveOptions,
    since: &str,
    mut take: impl FnMut(Session),
) -> Result<(), ReadError> {
    let standing = table.standing(&Cursor::default()).await?.since(since);
    let mut groups = table.new_groups(standing, &[], &BTreeSet::new()).await?;
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

//! Sessions that were listed, read whole.

use std::collections::BTreeSet;
use std::time::Duration;

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

/// Reads sessions whole and hands over one after the other, each once: of a table there is no more in memory than
/// the rows that are not complete yet.
pub(crate) async fn read_whole<F>(
    table: &Table,
    options: &ResolveOptions,
    wanted: &[Session<F>],
    mut take: impl FnMut(Session),
) -> Result<(), ReadError> {
    // Rows do not arrive long before they happen: files from before the oldest session have none of these.
    let oldest = wanted.iter().map(|session| session.started_at).min().unwrap_or_default();
    let since = oldest.saturating_sub(A_DAY).date();
    let mut missing: BTreeSet<Place> = wanted.iter().map(place).collect();
    let mut keep = |session: Session, missing: &mut BTreeSet<Place>| {
        if missing.remove(&place(&session)) {
            take(session);
        }
    };
    if missing.len() > LOOKED_UP {
        let standing = table.standing(&Cursor::default()).await?.since(&since);
        let mut groups = table.new_groups(standing, &[], &BTreeSet::new()).await?;
        let mut commands = SharedCommands::default();
        while let Some(complete) = groups.next().await? {
            // Sessions run the same command lines again and again: each is read once.
            (_, commands) = commands.within(|| {
                for session in complete.into_iter().flat_map(|group| resolve(group.events, options)) {
                    keep(session, &mut missing);
                }
            });
        }
    } else {
        look_up(table, options, &mut missing, Some(since), &mut keep).await?;
    }
    // They do where a machine's clock was wrong: what was not found is looked for in all files.
    if missing.len() <= LOOKED_UP {
        look_up(table, options, &mut missing, None, &mut keep).await?;
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

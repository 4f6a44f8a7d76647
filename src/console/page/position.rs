//! Where a page of sessions stands among all that is asked for, and the way back.
//!
//! A large table has more days than are in memory, and none is read to count: then nothing of this is said.

use std::time::Instant;

use super::link::encoded;
use super::search::{ON_A_PAGE, Place, Wanted, dates};
use super::who::People;
use crate::console::App;
use crate::console::access::Reader;
use crate::console::days::Row;

/// So many days are read in the background to say where a page stands.
const FEW: usize = 31;

/// Where a page stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// So many come before it.
    before: usize,
    /// So many are on it.
    here: usize,
    /// So many there are.
    all: usize,
    /// The page before it; `None` on the first.
    pub(super) newer: Option<String>,
}

impl Position {
    /// `51 to 100 of 136`
    pub(super) fn told(&self) -> String {
        let Self { before, here, all, .. } = self;
        if here == all {
            format!("all {all}")
        } else {
            format!("{} to {} of {all}", before + 1, before + here)
        }
    }
}

/// Its place on a page of the wanted sessions, if every day on which one may have arrived is in memory.
pub(super) async fn of(app: &App, reader: &Reader, wanted: &Wanted, here: usize) -> Option<Position> {
    if here == 0 {
        return None;
    }
    let after = Place::parse(&wanted.after);
    let people = People::of(app, reader).await.ok()?;
    let (mut before, mut all) = (0_usize, 0);
    // Those that the page before this one goes on behind, the newest first.
    let mut behind: Vec<String> = Vec::new();
    let dates = dates(app, wanted, None).await.ok()?;
    if dates.len() <= FEW {
        // They are read for the overview as well; whoever looks again sees how many there are.
        for date in &dates {
            for days in &app.days {
                let _ = days.day(date, Instant::now()).await;
            }
        }
    }
    let of_day = |date: String| {
        let known: Option<Vec<_>> = app.days.iter().map(|days| days.known(&date)).collect();
        known.map(|known| (date, known))
    };
    // Nothing is counted where something is missing.
    let days: Option<Vec<_>> = dates.into_iter().map(of_day).collect();
    for (date, known) in days? {
        let rows = known.iter().flat_map(|rows| rows.iter());
        let rows = rows.filter(|row| reader.sees(&row.tenant, &row.workspace));
        let mut rows: Vec<&Row> = rows.filter(|row| wanted.wants(&people, row)).collect();
        all += rows.len();
        let Some(after) = &after else { continue };
        rows.sort_by(|a, b| (b.started_at, &a.id).cmp(&(a.started_at, &b.id)));
        for row in rows.iter().filter(|row| !after.is_before(&date, row)) {
            before += 1;
            behind.push(Place::of(&date, row).told());
        }
    }
    let newer = after.is_some().then(|| {
        let query = wanted.query(&wanted.asked(), "");
        let place = before.checked_sub(ON_A_PAGE + 1).and_then(|at| behind.get(at));
        place.map_or_else(
            || format!("/sessions?{query}"),
            |place| format!("/sessions?{query}after={}", encoded(place)),
        )
    });
    Some(Position { before, here, all, newer })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_which_of_all_it_has() {
        let at = |before, here, all| Position { before, here, all, newer: None }.told();
        assert_eq!(at(50, 50, 136), "51 to 100 of 136");
        assert_eq!(at(0, 7, 7), "all 7");
        assert_eq!(at(0, 50, 51), "1 to 50 of 51");
    }
}

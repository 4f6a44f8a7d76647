//! `skillspan skillify --learn-until`: learns from the sessions before a day, and tests the result on those after it.
//!
//! Nothing is published and no model is asked. Skills are mined from the sessions that began before the day; each of
//! their claims is then looked for in the sessions that began on it or later. The table ranks claims by how many calls
//! mining expects them to save, and says beside it what later sessions lost by not knowing them, and the place by that.

use std::borrow::Borrow;
use std::fmt::Write;
use std::str::FromStr;

use crate::event::{counted, visible_line};
use crate::skillify::{
    Candidate, Claim, Config, Digest, Later, Offline, Recently, SupportedClaim, Watched, mine_digests,
};

use super::columns::{Column, fitted, one_line, room};

/// A line is shown so long where nothing limits it.
const LONGEST: usize = 160;

/// The day at which learning ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Until {
    /// That day, as `2026-11-22`.
    Day(String),
    /// The day before which half of a workspace's sessions began.
    Median,
}

impl FromStr for Until {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "median" => Ok(Self::Median),
            day if day.parse::<jiff::civil::Date>().is_ok() => Ok(Self::Day(day.to_owned())),
            _ => Err("expected a date such as 2026-11-22, or median".to_owned()),
        }
    }
}

impl Until {
    fn day<D: Borrow<Digest>>(&self, digests: &[D]) -> String {
        match self {
            Self::Day(day) => day.clone(),
            Self::Median => {
                let mut days: Vec<String> =
                    digests.iter().map(|digest| digest.borrow().started_at.date()).collect();
                days.sort_unstable();
                days.get(days.len() / 2).cloned().unwrap_or_default()
            }
        }
    }
}

/// A claim of a skill, and its counts in later sessions.
struct Row {
    /// Thousandths of a call for each session.
    worth: u64,
    skill: String,
    /// Whether it waits for a person.
    waits: bool,
    line: String,
    later: Later,
    /// Calls that later sessions lost.
    lost: f64,
}

/// One workspace, as a text.
pub(super) fn looked_at<D: Borrow<Digest>>(
    workspace: &str,
    digests: &[D],
    config: &Config<'_>,
    until: &Until,
) -> String {
    let day = until.day(digests);
    let (before, after): (Vec<&Digest>, Vec<&Digest>) =
        digests.iter().map(Borrow::borrow).partition(|digest| digest.started_at.date() < day);
    let mined = mine_digests(workspace, &before, config).worded(&Offline);
    let shown =
        mined.candidates.iter().filter(|candidate| candidate.is_published() || candidate.is_proposed());
    let mut rows: Vec<Row> = shown.flat_map(|candidate| rows_of(candidate, &after)).collect();
    // Stable: equal ones keep the order of their skills.
    rows.sort_by_key(|row| std::cmp::Reverse(row.worth));
    let mut text = format!(
        "{}: learned from {} before {day}, looked at in {} since\n",
        visible_line(workspace),
        counted(before.len(), "session", "sessions"),
        after.len()
    );
    if rows.is_empty() {
        text.push_str("no skill was learned\n");
        return text;
    }
    text.push_str(&table(&rows, after.len()));
    let met = rows.iter().filter(|row| row.later.met() > 0).count();
    let sum = |count: fn(&Later) -> u64| rows.iter().map(|row| count(&row.later)).sum::<u64>();
    let _ = writeln!(
        text,
        "{}; later sessions met {met} of them, {}: followed {}, broken {}",
        counted(rows.len(), "claim", "claims"),
        counted(sum(Later::met), "time", "times"),
        sum(|later| later.followed),
        sum(|later| later.broken),
    );
    text
}

fn rows_of(candidate: &Candidate, after: &[&Digest]) -> Vec<Row> {
    let steps: Vec<_> = candidate.claims.iter().filter_map(|claim| claim.claim.step()).collect();
    let row = |claim: &SupportedClaim| {
        let watched = Watched { claim: &claim.claim, failures: &claim.failures, steps: &steps };
        let mut later = Later::default();
        for seen in after.iter().filter_map(|digest| watched.seen_in(digest)) {
            later.add(seen);
        }
        let known = candidate.recently.iter().find(|(own, _)| *own == claim.claim);
        Row {
            worth: known.map_or(0, |(_, recently)| recently.saves),
            skill: candidate.wording.name.clone(),
            waits: candidate.is_proposed(),
            line: claim.claim.told(),
            lost: Recently::lost(&claim.claim, &later),
            later,
        }
    };
    candidate.claims.iter().filter(|claim| !matches!(claim.claim, Claim::Edit(_))).map(row).collect()
}

/// Numbers of calls are for a hundred sessions.
#[allow(clippy::cast_precision_loss, reason = "numbers of sessions")]
fn table(rows: &[Row], sessions: usize) -> String {
    let columns = [
        Column::number("PLACE"),
        Column::number("RECURRED"),
        Column::number("SAVES"),
        Column::number("LOST"),
        Column::text("SKILL", 6),
        Column::text("CLAIM", 14),
        Column::number("MET"),
        Column::number("BROKEN"),
        Column::whole("WELL"),
    ];
    let places = places_by(rows, |row| row.lost);
    let cells: Vec<Vec<String>> = rows
        .iter()
        .enumerate()
        .map(|(at, row)| {
            let Later { followed_well, followed_ill, broken_well, broken_ill, .. } = row.later;
            let well = [(followed_well, followed_ill), (broken_well, broken_ill)].map(|(well, ill)| {
                if well + ill == 0 { "–".to_owned() } else { format!("{well}/{}", well + ill) }
            });
            let mark = if row.waits { " (waits)" } else { "" };
            vec![
                (at + 1).to_string(),
                places.get(at).copied().flatten().map_or_else(|| "–".to_owned(), |place| place.to_string()),
                format!("{:.1}", row.worth as f64 / 10.0),
                format!("{:.0}", row.lost * 100.0 / sessions.max(1) as f64),
                one_line(&format!("{}{mark}", row.skill), LONGEST),
                one_line(&row.line, LONGEST),
                row.later.met().to_string(),
                row.later.broken.to_string(),
                well.join(", "),
            ]
        })
        .collect();
    fitted(&columns, &cells, room())
}

/// The place of each row by a count, the largest first; those of equal counts share one, those of none have none.
fn places_by(rows: &[Row], count: impl Fn(&Row) -> f64) -> Vec<Option<usize>> {
    let place = |row: &Row| {
        let own = count(row);
        (own > 0.0).then(|| 1 + rows.iter().filter(|other| count(other) > own).count())
    };
    rows.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_or_the_median() {
        assert_eq!("median".parse(), Ok(Until::Median));
        assert_eq!("2026-02-28".parse(), Ok(Until::Day("2026-02-28".to_owned())));
        for wrong in ["", "2026-02-30", "yesterday", "2026-2-1x"] {
            assert!(wrong.parse::<Until>().is_err(), "{wrong}");
        }
        assert_eq!(Until::Median.day::<Digest>(&[]), "");
    }

    #[test]
    fn places_are_shared_and_nothing_has_none() {
        let row = |lost| Row {
            worth: 0,
            skill: String::new(),
            waits: false,
            line: String::new(),
            later: Later::default(),
            lost,
        };
        let rows = [row(0.0), row(5.0), row(2.0), row(5.0)];
        assert_eq!(places_by(&rows, |row| row.lost), [None, Some(1), Some(3), Some(1)]);
    }
}

//! What sessions showed of a skill: before it was published, and later with it and without it, as a whole and week by
//! week.
//!
//! Every session of a year has to be read, so that is done in the background, once
//! for all skills that somebody may see, and anew from time to time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use jiff::{Span, ToSpan};
use serde::Serialize;

use super::report::skills_of;
use crate::console::App;
use crate::console::access::Reader;
use crate::console::background::Background;
use crate::console::chart::{self, Part};
use crate::event::Timestamp;
use crate::library::{Library, Listed, Side, WatchedSkill, Week};
use crate::table::Session;
use crate::views::report::{Published, add_to_skills, tenths as report_tenths};
use crate::views::whole::read_since;

/// So many weeks are looked at.
const WEEKS: i64 = 52;
const A_DAY: Duration = Duration::from_secs(24 * 3600);

/// What sessions showed of the skills that stand.
pub(in crate::console) struct Made(Vec<Published>);

/// What one session cost on average, on one side.
#[derive(Debug, Serialize)]
pub(super) struct Measured {
    pub(super) side: &'static str,
    #[serde(flatten)]
    pub(super) cost: Cost,
}

/// How many sessions there are, and the average cost of one.
#[derive(Debug, Serialize)]
pub(super) struct Cost {
    pub(super) sessions: u64,
    pub(super) failures: f64,
    pub(super) tool_calls: f64,
    pub(super) minutes: f64,
}

/// A week.
#[derive(Debug, Serialize)]
pub(super) struct OfWeek {
    /// Its Monday, a UTC date.
    pub(super) monday: String,
    /// Sessions that loaded the skill.
    pub(super) with: Cost,
    /// The others, those before it was published as well.
    pub(super) without: Cost,
    /// Whether the skill was published in it.
    pub(super) is_of_publishing: bool,
}

impl OfWeek {
    /// Each side under its name.
    pub(super) fn sides(&self) -> [(&'static str, &Cost); 2] {
        [("Without", &self.without), ("With", &self.with)]
    }
}

/// A skill is counted that came to stand since the last count, if that was so long ago.
const SOON: Duration = Duration::from_secs(20);

/// What is known about a skill's effect.
pub(super) enum Counted {
    /// It was counted.
    Seen(Box<WatchedSkill>),
    /// The sessions are being counted.
    Pending,
    /// That failed.
    Failed(String),
}

impl Counted {
    pub(super) fn seen(&self) -> Option<&WatchedSkill> {
        match self {
            Self::Seen(skill) => Some(skill),
            Self::Pending | Self::Failed(_) => None,
        }
    }
}

/// What sessions showed of a skill that stands; they are counted now, where that had not begun.
pub(super) fn watched(app: &Arc<App>, reader: &Reader, library: &Library, name: &str) -> Counted {
    let ask = || Background::ask(app, |app| &app.effects, reader, make);
    let made = match ask() {
        Ok(Some(made)) => made,
        Ok(None) => return Counted::Pending,
        Err(error) => return Counted::Failed(error),
    };
    let own = made.0.iter().filter(|one| one.library.tenant() == library.tenant());
    match own.flat_map(|one| &one.skills).find(|skill| skill.name == name) {
        Some(skill) => Counted::Seen(Box::new(skill.clone())),
        None => {
            // It stands since the others were counted.
            app.effects.renew(reader, SOON);
            ask().map_or_else(Counted::Failed, |_| Counted::Pending)
        }
    }
}

async fn make(app: Arc<App>, reader: Reader) -> Result<Made, String> {
    let mut skills = skills_of(&app, &reader);
    let since = since(Timestamp::now());
    if skills.iter().all(|one| one.skills.is_empty()) {
        return Ok(Made(skills));
    }
    for days in &app.days {
        let Some(table) = days.table().await.map_err(|error| error.to_string())? else { continue };
        // What began since then arrived since then.
        let (options, first) = (days.options(), since.date());
        let read = read_since(&table, &options, &first, |session| {
            if session.started_at >= since && is_watched(&skills, &session) {
                add_to_skills(&mut skills, &session);
            }
        });
        read.await.map_err(|error| error.to_string())?;
    }
    Ok(Made(skills))
}

/// Whether there is a skill of the session's workspace.
fn is_watched(skills: &[Published], session: &Session) -> bool {
    skills.iter().any(|one| {
        one.library.is_of(&session.tenant)
            && one.skills.iter().any(|skill| skill.workspace == session.workspace)
    })
}

/// Since when sessions are looked at: imported ones began long before they arrived.
fn since(now: Timestamp) -> Timestamp {
    now.saturating_sub(A_DAY * 7 * u32::try_from(WEEKS).unwrap_or_default())
}

/// The counts so far; until they are ready, those of the last mining run.
pub(super) fn effect(watched: Option<&WatchedSkill>, skill: &Listed) -> Vec<Measured> {
    let (with, without) = ("later, with the skill", "later, without it");
    let sides = match (watched, &skill.effect) {
        (Some(seen), _) => {
            vec![("before it was published", seen.before), (with, seen.with), (without, seen.without)]
        }
        (None, Some(effect)) => vec![(with, effect.with), (without, effect.without)],
        (None, None) => Vec::new(),
    };
    if sides.iter().all(|(_, sums)| sums.sessions == 0) {
        return Vec::new();
    }
    sides.into_iter().map(|(side, sums)| Measured { side, cost: Cost::of(&sums) }).collect()
}

/// The weeks from some before it was published to the last one with sessions, none left out.
pub(super) fn weeks(watched: &WatchedSkill) -> Vec<OfWeek> {
    let published: Option<Date> = watched.published.parse().ok();
    let of_publishing = published.and_then(monday);
    let known: BTreeMap<Date, &Week> =
        watched.weeks.iter().filter_map(|(monday, week)| Some((monday.parse().ok()?, week))).collect();
    let (Some(first), Some(last)) = (known.keys().next(), known.keys().last()) else { return Vec::new() };
    let last = of_publishing.map_or(*last, |week| week.max(*last));
    let first = of_publishing.map_or(*first, |week| week.min(*first));
    let first = last.checked_sub((WEEKS).weeks()).map_or(first, |oldest| first.max(oldest));
    let mondays = (0..=WEEKS).map_while(|week| first.checked_add(week.weeks()).ok());
    let weeks = mondays.take_while(|monday| *monday <= last).map(|monday| {
        let week = known.get(&monday).map(|week| **week).unwrap_or_default();
        OfWeek {
            monday: monday.to_string(),
            with: Cost::of(&week.with),
            without: Cost::of(&week.without),
            is_of_publishing: of_publishing == Some(monday),
        }
    });
    weeks.collect()
}

fn monday(date: Date) -> Option<Date> {
    date.checked_sub(Span::new().days(i64::from(date.weekday().to_monday_zero_offset()))).ok()
}

/// Failed calls a session week by week, with the skill and without, and the day of publishing.
pub(super) fn weeks_chart(weeks: &[OfWeek], published: &str) -> String {
    let value = |cost: &Cost| (cost.sessions > 0).then(|| tenths(cost.failures));
    let bars: Vec<(String, Vec<Option<u64>>)> = weeks
        .iter()
        .map(|week| (format!("week of {}", week.monday), vec![value(&week.without), value(&week.with)]))
        .collect();
    let at = weeks.iter().position(|week| week.is_of_publishing);
    let day = published.parse().ok().map_or(0, |date: Date| date.weekday().to_monday_zero_offset());
    let mark = at.map(|at| (at, u64::try_from(day).unwrap_or_default()));
    let parts = [Part { name: "without it", class: "s6" }, Part { name: "with it", class: "s1" }];
    let caption =
        "Failed calls of a session by week, with the skill and without; the table below says the same";
    chart::beside(&bars, &parts, mark, caption)
}

fn tenths(measure: f64) -> u64 {
    (measure * 10.0) as u64
}

/// A measure of a side, beside those of the others.
fn bar(all: &[Measured], side: &Measured, measure: impl Fn(&Measured) -> f64, class: &str) -> String {
    // One bar alone compares nothing.
    if all.iter().filter(|side| side.cost.sessions > 0).count() < 2 {
        return String::new();
    }
    let most = all.iter().map(|side| tenths(measure(side))).max().unwrap_or_default();
    chart::bar(tenths(measure(side)), most, class)
}

impl Measured {
    pub(super) fn failures_bar(&self, all: &[Self]) -> String {
        bar(all, self, |side| side.cost.failures, "bad")
    }

    pub(super) fn calls_bar(&self, all: &[Self]) -> String {
        bar(all, self, |side| side.cost.tool_calls, "s1")
    }

    pub(super) fn minutes_bar(&self, all: &[Self]) -> String {
        bar(all, self, |side| side.cost.minutes, "s2")
    }
}

impl Cost {
    fn of(sums: &Side) -> Self {
        Self {
            sessions: sums.sessions,
            failures: mean(sums.failures, sums.sessions),
            tool_calls: mean(sums.tool_calls, sums.sessions),
            minutes: mean(sums.seconds / 60, sums.sessions),
        }
    }

    /// A measure, `–` without any session.
    pub(super) fn told(&self, measure: &f64) -> String {
        if self.sessions == 0 { "–".to_owned() } else { format!("{measure:.1}") }
    }
}

/// Tenths, rounded as the report does.
#[expect(clippy::cast_precision_loss, reason = "it is shown with one digit")]
fn mean(sum: u64, count: u64) -> f64 {
    report_tenths(sum, count).map_or(0.0, |tenths| tenths as f64 / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(sessions: u64, failures: u64) -> Side {
        Side { sessions, failures, ..Side::default() }
    }

    fn skill(published: &str, weeks: &[(&str, Week)]) -> WatchedSkill {
        let mut skill = WatchedSkill::default();
        skill.published = published.to_owned();
        skill.weeks = weeks.iter().map(|(monday, week)| ((*monday).to_owned(), *week)).collect();
        skill
    }

    #[test]
    fn weeks_without_sessions_are_there_as_well() {
        let before = Week { without: side(4, 8), ..Week::default() };
        let after = Week { with: side(2, 1), without: side(1, 3) };
        let skill = skill("2026-11-11", &[("2026-10-26", before), ("2026-11-16", after)]);
        let weeks = weeks(&skill);
        let told: Vec<(&str, u64, u64, bool)> = weeks
            .iter()
            .map(|one| (one.monday.as_str(), one.without.sessions, one.with.sessions, one.is_of_publishing))
            .collect();
        assert_eq!(
            told,
            [
                ("2026-10-26", 4, 0, false),
                ("2026-11-02", 0, 0, false),
                ("2026-11-09", 0, 0, true),
                ("2026-11-16", 1, 2, false)
            ]
        );
        let svg = weeks_chart(&weeks, &skill.published);
        assert!(svg.contains("<title>week of 2026-11-16: 3.0 without it, 0.5 with it</title>"), "{svg}");
        assert!(svg.contains("class=\"mark\""), "{svg}");
        assert!(super::weeks(&WatchedSkill::default()).is_empty());
    }

    #[test]
    fn no_more_than_a_year_is_read() {
        let now = Timestamp::parse_rfc3339("2026-11-30T12:00:00Z").unwrap();
        assert_eq!(since(now).date(), "2025-12-01");
    }
}

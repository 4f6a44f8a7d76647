//! A report, made of what was summed.

use crate::event::Timestamp;

use super::names::Names;
use super::sections;
use super::tally::{Cost, Tally};
use super::view::{View, duration, grouped, percent, tenths};

/// More days than these are summed by week.
const MOST_DAYS: usize = 31;

impl View {
    /// What the sums say; people are named only if they shall be.
    pub(crate) fn of(tally: &Tally, since: Timestamp, until: Timestamp, people: bool) -> Self {
        let names = if people { Names::shown() } else { Names::of(&tally.names) };
        let (times, is_weekly) = times(tally);
        let mut sections = sections::all(tally, &names);
        sections.extend(people.then(|| sections::persons(tally)));
        Self { since, until, sessions: tally.all.sessions, facts: facts(tally), times, is_weekly, sections }
    }
}

fn facts(tally: &Tally) -> Vec<(&'static str, String)> {
    let Cost { sessions, prompts, calls, failed, refused, stopped, seconds, input, cached, output } =
        tally.all;
    let per = |count: u64| match tenths(count, sessions) {
        Some(tenths) => format!(" ({}.{} a session)", tenths / 10, tenths % 10),
        None => String::new(),
    };
    let share = |part: u64, all: u64| match percent(part, all) {
        Some(percent) => format!(" ({percent} %)"),
        None => String::new(),
    };
    let mut facts = vec![
        ("Sessions", grouped(sessions)),
        ("People", grouped(tally.known_people())),
        ("Prompts", format!("{}{}", grouped(prompts), per(prompts))),
        ("Tool calls", format!("{}{}", grouped(calls), per(calls))),
        ("Failed calls", format!("{}{}", grouped(failed), share(failed, calls))),
        ("Refused calls", grouped(refused)),
        ("Times stopped", grouped(stopped)),
        ("Time at work", duration(seconds)),
    ];
    // Not every client says what it costs.
    if input > 0 || output > 0 {
        facts.push(("Tokens read", format!("{}{}", grouped(input), cached_of(cached, input))));
        facts.push(("Tokens written", grouped(output)));
    }
    facts
}

fn cached_of(cached: u64, input: u64) -> String {
    match percent(cached, input) {
        Some(percent) if cached > 0 => format!(" ({percent} % from a cache)"),
        _ => String::new(),
    }
}

/// By day where there are few, else by the week's Monday.
fn times(tally: &Tally) -> (Vec<(String, Cost)>, bool) {
    let date = |day: &String| day.parse::<jiff::civil::Date>().ok();
    let days = || tally.days.keys().filter_map(date);
    let span = days().min().zip(days().max());
    let Some((first, last)) = span else { return (Vec::new(), false) };
    let length = first.until(last).map_or(i32::MAX, |span| span.get_days());
    let is_weekly = usize::try_from(length).unwrap_or(usize::MAX) >= MOST_DAYS;
    let start = |date: jiff::civil::Date| {
        let back = if is_weekly { i64::from(date.weekday().to_monday_zero_offset()) } else { 0 };
        date.checked_sub(jiff::Span::new().days(back)).unwrap_or(date)
    };
    let mut sums: std::collections::BTreeMap<jiff::civil::Date, Cost> = std::collections::BTreeMap::new();
    for (day, cost) in &tally.days {
        if let Some(day) = date(day) {
            sums.entry(start(day)).or_default().add(*cost);
        }
    }
    // A day without sessions is a day as well.
    let step = if is_weekly { 7 } else { 1 };
    let mut at = start(first);
    for _ in 0..MOST_DAYS * 12 {
        sums.entry(at).or_default();
        match at.checked_add(jiff::Span::new().days(step)) {
            Ok(next) if next <= last => at = next,
            _ => break,
        }
    }
    (sums.into_iter().map(|(date, cost)| (date.to_string(), cost)).collect(), is_weekly)
}

//! What is looked for among sessions, and the places in the list of them.

use std::collections::BTreeSet;

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::link::encoded;
use super::who::People;
use crate::console::App;
use crate::console::days::Row;
use crate::console::problem::Problem;
use crate::console::troubles::{Trouble, told};

/// What stands for a repository that no client names.
const UNKNOWN: &str = "unknown";

/// So many sessions are on a page.
pub(super) const ON_A_PAGE: usize = 50;

/// The filters of a search. Empty ones do not count.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub(in crate::console) struct Wanted {
    pub(super) workspace: String,
    pub(super) project: String,
    pub(super) person: String,
    pub(super) assistant: String,
    /// Those that began on this UTC date or later.
    pub(super) from: String,
    /// Those that began on this UTC date or earlier.
    pub(super) until: String,
    /// `failed`, `corrected`, `refused`, `stopped` or `errors`: sessions with such a thing.
    pub(super) outcome: String,
    /// What failed in it: a kind, a command or a tool, as a report names them.
    pub(super) failing: String,
    /// What a person was against in it: an act, as a report names it.
    pub(super) against: String,
    /// Words that all stand in its prompts.
    pub(super) words: String,
    /// Where the page before ended.
    #[serde(skip_serializing)]
    pub(super) after: String,
}

/// What may have gone wrong in a session, and how a page calls it.
pub(super) const OUTCOMES: [(&str, &str); 5] = [
    ("failed", "failed calls"),
    ("corrected", "corrections"),
    ("refused", "refused calls"),
    ("stopped", "stopped"),
    ("errors", "its own errors"),
];
/// Where a page ends: the day, and the session in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    day: String,
    started: i64,
    id: String,
}

impl Place {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '~');
        let (day, started, id) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { day: day.to_owned(), started: started.parse().ok()?, id: id.to_owned() })
    }

    pub(super) fn of(day: &str, row: &Row) -> Self {
        Self { day: day.to_owned(), started: row.started_at.as_micros(), id: row.id.clone() }
    }

    pub(super) fn told(&self) -> String {
        format!("{}~{}~{}", self.day, self.started, self.id)
    }

    /// Whether a row of a day comes behind it.
    pub(super) fn is_before(&self, day: &str, row: &Row) -> bool {
        let started = row.started_at.as_micros();
        let is_later = started < self.started || (started == self.started && row.id > self.id);
        day < self.day.as_str() || (day == self.day && is_later)
    }
}

/// The days that may be on the page, the newest first.
pub(super) async fn dates(app: &App, wanted: &Wanted, after: Option<&Place>) -> Result<Vec<String>, Problem> {
    let mut dates = BTreeSet::new();
    for days in &app.days {
        dates.extend(days.dates().await.map_err(|error| Problem::failed("The table", error))?);
    }
    let is_wanted = |date: &String| {
        (wanted.from.is_empty() || *date >= wanted.from) && after.is_none_or(|after| *date <= after.day)
    };
    Ok(dates.into_iter().rev().filter(is_wanted).collect())
}

/// Whether a text is a date, `2026-11-22`.
fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

impl Wanted {
    /// Rejects a filter that nothing can match, instead of ignoring it.
    pub(super) fn check(&self) -> Result<(), Problem> {
        let bad = |says: &str| Err(Problem::new(StatusCode::BAD_REQUEST, says));
        if [&self.from, &self.until].into_iter().any(|date| !date.is_empty() && !is_date(date)) {
            return bad("Began from and Began until (`from`, `until`) are dates, such as 2026-11-22.");
        }
        if !self.from.is_empty() && !self.until.is_empty() && self.from > self.until {
            return bad(
                "Began from (`from`) is later than Began until (`until`): no session is between them.",
            );
        }
        if !self.outcome.is_empty() && !OUTCOMES.iter().any(|(name, _)| *name == self.outcome) {
            return bad("Trouble (`outcome`) is one of failed, corrected, refused, stopped, errors.");
        }
        Ok(())
    }

    pub(super) fn wants(&self, people: &People, row: &Row) -> bool {
        let is = |wanted: &str, value: &str| wanted.is_empty() || wanted.eq_ignore_ascii_case(value);
        let is_of_project = || {
            (self.project == UNKNOWN && row.project.is_empty())
                || is(&crate::dialects::project_of(&self.project), &row.project)
                || row.project.to_lowercase().ends_with(&self.project.to_lowercase())
        };
        let began = || row.started_at.date();
        is(&self.workspace, &row.workspace)
            && (self.project.is_empty() || is_of_project())
            && is(&self.assistant, &row.assistant)
            && (self.from.is_empty() || began() >= self.from)
            && (self.until.is_empty() || began() <= self.until)
            && (self.person.is_empty() || people.is(&self.person, (&row.tenant, &row.user), &row.assistant))
            && match self.outcome.as_str() {
                "failed" => row.failed > 0,
                "corrected" => row.corrected > 0,
                "refused" => row.refused > 0,
                "stopped" => row.stopped > 0,
                "errors" => row.errors > 0,
                _ => true,
            }
            && self.is_troubled(people, row)
            && self.is_said(people, row)
    }

    /// Whether the searched failure is among those that the reader may see.
    fn is_troubled(&self, people: &People, row: &Row) -> bool {
        let is = |wanted: &str, own: &str| wanted.eq_ignore_ascii_case(&people.without(own));
        let failed = |trouble: Trouble<'_>| match trouble {
            Trouble::Failed(kind, what) => {
                kind.eq_ignore_ascii_case(&self.failing) || is(&self.failing, what)
            }
            Trouble::Against(_) => false,
        };
        let against =
            |trouble: Trouble<'_>| matches!(trouble, Trouble::Against(act) if is(&self.against, act));
        (self.failing.is_empty() || told(&row.troubles).any(failed))
            && (self.against.is_empty() || told(&row.troubles).any(against))
    }

    /// Whether its words stand in what the reader is shown: no search tells whether a name is in a prompt.
    fn is_said(&self, people: &People, row: &Row) -> bool {
        let words = self.words.to_lowercase();
        let all = |said: &str| words.split_whitespace().all(|word| said.contains(word));
        // Taking names out takes time and adds no word that anybody said.
        all(&row.said) && (words.is_empty() || all(&people.without(&row.said)))
    }

    /// What is asked for by name.
    pub(super) fn asked(&self) -> Vec<(&'static str, &str)> {
        let Self {
            workspace,
            project,
            person,
            assistant,
            from,
            until,
            outcome,
            failing,
            against,
            words,
            after: _,
        } = self;
        let pairs: [(&'static str, &str); 10] = [
            ("words", words),
            ("workspace", workspace),
            ("project", project),
            ("person", person),
            ("assistant", assistant),
            ("from", from),
            ("until", until),
            ("outcome", outcome),
            ("failing", failing),
            ("against", against),
        ];
        pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// As the beginning of a query, but for one of them.
    pub(super) fn query(&self, asked: &[(&'static str, &str)], but: &str) -> String {
        let asked = asked.iter().filter(|(name, _)| *name != but);
        asked.map(|(name, value)| format!("{name}={}&", encoded(value))).collect()
    }

    /// What is asked for, in words, each with the address that asks for the others.
    pub(super) fn in_words(&self) -> Vec<(String, String)> {
        let asked = self.asked();
        let told = asked.iter().map(|(name, value)| {
            let (what, value) = match *name {
                "words" => ("words in prompts", *value),
                "project" => ("repository", *value),
                "from" => ("began from", *value),
                "until" => ("began until", *value),
                "failing" => ("failed", *value),
                "against" => ("against", *value),
                "outcome" => (
                    "trouble",
                    OUTCOMES.iter().find(|(known, _)| known == value).map_or(*value, |(_, label)| *label),
                ),
                other => (other, *value),
            };
            (format!("{what}: {value}"), format!("/sessions?{}", self.query(&asked, name)))
        });
        told.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;

    #[test]
    fn a_page_begins_behind_the_last_session_of_the_one_before() {
        let row = |started: i64, id: &str| Row {
            started_at: Timestamp::from_micros(started),
            id: id.to_owned(),
            ..Row::default()
        };
        let place = Place::of("2026-11-02", &row(50, "m~1"));
        assert_eq!(Place::parse(&place.told()), Some(place.clone()));
        for (day, started, id, is_before) in [
            ("2026-11-01", 90, "a", true),
            ("2026-11-02", 49, "a", true),
            ("2026-11-02", 50, "n", true),
            ("2026-11-02", 50, "m~1", false),
            ("2026-11-02", 50, "l", false),
            ("2026-11-02", 51, "z", false),
        ] {
            assert_eq!(place.is_before(day, &row(started, id)), is_before, "{day} {started} {id}");
        }
        for wrong in ["", "x", "2026-11-02~x~y", "~~"] {
            assert_eq!(Place::parse(wrong), None, "{wrong}");
        }
    }
}

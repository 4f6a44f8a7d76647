//! Published skills, watched over the sessions of a table. For each skill: what sessions did in its situation before it was
//! published, and since then with it and without it; which of its lines they met, followed and broke.
//!
//! A watched skill reads one session after the other, so no table has to be in memory.

use std::collections::BTreeMap;

use super::Library;
use super::effect::{Episode, Side, situations};
use crate::skillify::{Claim, Digest, Later, Watched};

/// A published skill, and its counts in later sessions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WatchedSkill {
    /// Its folder's name.
    pub name: String,
    /// The workspace whose sessions it is for.
    pub workspace: String,
    /// The repository, `""` if it is for all of the workspace.
    pub project: String,
    /// The date of the evidence with which it was first published.
    pub published: String,
    /// Sessions that met the situation of one of its lines, or ran what it is about, up to that day.
    pub before: Side,
    /// Later ones that loaded it.
    pub with: Side,
    /// Later ones that did not.
    pub without: Side,
    /// The sessions that met its situation, by the Monday of the week in which they began.
    pub weeks: BTreeMap<String, Week>,
    /// What it says.
    pub lines: Vec<WatchedLine>,
    /// The commands that tell that a session is in its situation.
    about: Vec<String>,
}

/// The sessions of a week.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Week {
    /// Those that loaded the skill.
    pub with: Side,
    /// The others, before it was published as well.
    pub without: Side,
}

/// A claim of a published skill, and its counts in later sessions.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchedLine {
    /// What it says.
    pub claim: Claim,
    /// Sessions up to the day on which the skill was published.
    pub before: Later,
    /// Later ones.
    pub after: Later,
    failures: Vec<String>,
}

impl Library {
    /// The skills that stand, to be watched.
    pub fn watched(&self) -> Vec<WatchedSkill> {
        let standing = self.state.skills.values().filter(|skill| skill.stands());
        let watched = standing.map(|skill| WatchedSkill {
            name: skill.name.clone(),
            workspace: skill.workspace.clone(),
            project: skill.content.project.clone(),
            published: skill.published().unwrap_or_default().to_owned(),
            before: Side::default(),
            with: Side::default(),
            without: Side::default(),
            weeks: BTreeMap::new(),
            about: situations(&skill.content),
            lines: skill
                .content
                .claims
                .iter()
                .map(|record| WatchedLine {
                    claim: record.claim.clone(),
                    before: Later::default(),
                    after: Later::default(),
                    failures: record.failures.clone(),
                })
                .collect(),
        });
        watched.collect()
    }
}

impl WatchedSkill {
    /// Takes one more session of the library's tenant, if it is of the skill's workspace and repository.
    pub fn add(&mut self, digest: &Digest, episode: &Episode) {
        let is_elsewhere = !self.project.is_empty() && self.project != digest.project;
        if digest.workspace != self.workspace || is_elsewhere {
            return;
        }
        let is_later = episode.date > self.published;
        let claims: Vec<Claim> = self.lines.iter().map(|line| line.claim.clone()).collect();
        let steps: Vec<_> = claims.iter().filter_map(Claim::step).collect();
        let mut is_met = false;
        for line in &mut self.lines {
            let watched = Watched { claim: &line.claim, failures: &line.failures, steps: &steps };
            if let Some(seen) = watched.seen_in(digest) {
                is_met = true;
                if is_later { line.after.add(seen) } else { line.before.add(seen) }
            }
        }
        // A session is in the skill's situation if it meets one of its lines or runs what the skill is about.
        if is_met || episode.meets(&self.about) {
            let side = match (is_later, episode.loaded.contains(&self.name)) {
                (false, _) => &mut self.before,
                (true, true) => &mut self.with,
                (true, false) => &mut self.without,
            };
            side.add(episode);
            if let Some(monday) = monday_of(&episode.date) {
                let week = self.weeks.entry(monday).or_default();
                let has_it = is_later && episode.loaded.contains(&self.name);
                if has_it { week.with.add(episode) } else { week.without.add(episode) }
            }
        }
    }
}

/// The Monday of the week of a date, `2026-11-16`.
fn monday_of(date: &str) -> Option<String> {
    let date: jiff::civil::Date = date.parse().ok()?;
    let days = i64::from(date.weekday().to_monday_zero_offset());
    Some(date.checked_sub(jiff::Span::new().days(days)).ok()?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_begins_on_monday() {
        for (date, monday) in
            [("2026-11-30", "2026-11-30"), ("2026-11-29", "2026-11-23"), ("2027-01-01", "2026-12-28")]
        {
            assert_eq!(monday_of(date).as_deref(), Some(monday), "{date}");
        }
        assert_eq!(monday_of("someday"), None);
    }
}

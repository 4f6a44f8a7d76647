//! What of a session a model is shown: what people said, what failed and what ended it, what was refused, where things
//! were not. Bounded, cleaned, the text of tools marked.
//!
//! A session is worth reading by its corrections, refusals, failures and long repairs; of many that are alike one is
//! read. Of a workspace at most [`CHARACTERS_A_SESSION`] a session are shown.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::super::kind::files::is_of_repository;
use super::super::look::Found;
use super::super::predicate::{Beat, Class, Happened, Track};
use super::super::segment::short_hash;
use super::clean::Cleaner;
use super::told::{new_lines, telling_lines};
use crate::event::Status;
use crate::shell::command::Command;
use crate::shell::refusal::was_not_run;

/// Raised when excerpts are made otherwise: then what was read of the old ones is read again.
const VERSION: &str = "3";
/// So many characters of one session are shown.
const MOST_CHARACTERS: usize = 1_900;
/// So many of a workspace, for each of its sessions; a small workspace is shown as one of twenty.
pub(super) const CHARACTERS_A_SESSION: usize = 1_000;
const FEWEST_SESSIONS: usize = 20;
const LONGEST_PROMPT: usize = 420;
const LONGEST_COMMAND: usize = 160;
const LONGEST_PRINTED: usize = 140;
const LONGEST_WRITTEN: usize = 200;
/// How many of each kind.
const MOST_PROMPTS: usize = 14;
const MOST_FAILURES: usize = 8;
const MOST_RUNS: usize = 10;
const MOST_EDITS: usize = 8;
const MOST_MISSES: usize = 5;
const MOST_REPAIRS: usize = 3;
const MOST_FAILED_EDITS: usize = 2;
/// What ran so soon after a failure may have to do with it.
const AFTER_A_FAILURE: usize = 6;
/// Sessions that share so much are alike.
const ALIKE: f64 = 0.8;

/// What of one session is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Excerpt {
    /// The session's tenant.
    pub tenant: String,
    /// Its id.
    pub session: String,
    /// Of what is shown: what was read of another text is read again.
    pub hash: String,
    pub(super) person: String,
    pub(super) items: Vec<Item>,
    worth: u32,
    /// What it is compared with others by.
    features: BTreeSet<String>,
    order: usize,
}

/// One event, as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    /// Its fields, without its id.
    pub(super) shown: Map<String, Value>,
    /// The texts that may be quoted: what a person said, what was run, what was written. Never what a tool printed.
    pub(super) own: Vec<String>,
    /// The lines that a tool printed.
    pub(super) printed: Vec<String>,
    /// The events of the table.
    pub(super) events: Vec<String>,
    /// The least first.
    priority: u8,
    at: usize,
}

impl Excerpt {
    /// What tools printed, of all that is shown.
    pub(super) fn printed(&self) -> impl Iterator<Item = &str> {
        self.items.iter().flat_map(|item| &item.printed).map(String::as_str)
    }

    pub(super) fn characters(&self) -> usize {
        self.items.iter().map(Item::characters).sum()
    }
}

impl Item {
    fn characters(&self) -> usize {
        Value::from(self.shown.clone()).to_string().chars().count() + 14
    }
}

/// The excerpts of the sessions that are worth reading, in the order of the tracks.
pub(super) fn chosen(tracks: &[Track<'_>], clean: &Cleaner) -> Vec<Excerpt> {
    let there: BTreeSet<String> = tracks.iter().flat_map(Track::there).collect();
    let all = tracks.iter().enumerate().filter_map(|(order, track)| of(track, order, clean, &there));
    let mut all: Vec<Excerpt> = all.filter(|excerpt| excerpt.worth > 0).collect();
    all.sort_by_key(|excerpt| (Reverse(excerpt.worth), excerpt.order));
    let mut left = tracks.len().max(FEWEST_SESSIONS) * CHARACTERS_A_SESSION;
    let mut chosen: Vec<Excerpt> = Vec::new();
    for excerpt in all {
        let characters = excerpt.characters();
        if characters > left || chosen.iter().any(|known| are_alike(known, &excerpt)) {
            continue;
        }
        left -= characters;
        chosen.push(excerpt);
    }
    chosen.sort_by_key(|excerpt| excerpt.order);
    chosen
}

fn are_alike(one: &Excerpt, other: &Excerpt) -> bool {
    let shared = one.features.intersection(&other.features).count();
    let all = one.features.len() + other.features.len() - shared;
    #[expect(clippy::cast_precision_loss, reason = "a session has few features")]
    let share = shared as f64 / all.max(1) as f64;
    share >= ALIKE
}

/// What was taken up of each kind.
#[derive(Default)]
struct Taken {
    prompts: usize,
    failures: usize,
    runs: usize,
    edits: BTreeSet<String>,
    misses: BTreeSet<String>,
    repairs: usize,
    failed_edits: usize,
    edit_failed: String,
    said: BTreeSet<String>,
    /// How often each command failed.
    failed: BTreeMap<String, usize>,
    ran: BTreeSet<String>,
    since_failure: Option<usize>,
    /// What the last check that failed printed.
    failure: String,
}

/// What one session shows; `there` are the paths that any session knows.
fn of(track: &Track<'_>, order: usize, clean: &Cleaner, there: &BTreeSet<String>) -> Option<Excerpt> {
    let mut taken = Taken::default();
    let (mut items, mut features, mut worth) = (Vec::new(), BTreeSet::new(), 0);
    for (at, beat) in track.beats.iter().enumerate() {
        worth += worth_of(beat);
        if matches!(&beat.what, Happened::Look(Found::Missing(path) | Found::InVain(path)) if there.contains(path))
        {
            continue;
        }
        let Some(mut item) = item(track, at, beat, clean, &mut taken) else { continue };
        if item.priority <= 3 {
            features.insert(item.own.join(" ").to_lowercase());
        }
        item.at = at;
        items.push(item);
    }
    // Of what there is no room for, the least telling is left out.
    let mut kept: Vec<Item> = Vec::new();
    let mut left = MOST_CHARACTERS;
    items.sort_by_key(|item| (item.priority, item.at));
    for item in items {
        if item.characters() <= left {
            left -= item.characters();
            kept.push(item);
        }
    }
    kept.sort_by_key(|item| item.at);
    let text: Vec<String> = kept.iter().map(|item| Value::from(item.shown.clone()).to_string()).collect();
    (!kept.is_empty()).then(|| Excerpt {
        tenant: track.tenant.to_owned(),
        session: track.session.to_owned(),
        hash: short_hash(&[VERSION, &text.join("\n")], 8),
        person: track.person.clone(),
        items: kept,
        worth,
        features,
        order,
    })
}

/// What an event says of how much there is to learn.
fn worth_of(beat: &Beat<'_>) -> u32 {
    match &beat.what {
        Happened::Prompt { classes, .. } => {
            3 * u32::from(classes.contains(&Class::Correction))
                + 2 * u32::from(classes.contains(&Class::Interrupt))
        }
        Happened::Statement(statement) => 2 * u32::from(!statement.act.is_empty()),
        Happened::Act { action, .. } => {
            let refused = if action.said.is_some() { 4 } else { u32::from(action.refused) };
            refused + u32::from(action.status == Status::Error && action.run().is_some())
        }
        Happened::Look(found) => u32::from(matches!(found, Found::Missing(_))),
    }
}

fn item(track: &Track<'_>, at: usize, beat: &Beat<'_>, clean: &Cleaner, taken: &mut Taken) -> Option<Item> {
    match &beat.what {
        Happened::Prompt { text, classes, .. } => prompt(text, classes, beat, clean, taken),
        Happened::Look(found @ (Found::Missing(path) | Found::InVain(path))) => {
            if taken.misses.len() >= MOST_MISSES || !taken.misses.insert(path.clone()) {
                return None;
            }
            let path = clean.line(path, LONGEST_COMMAND)?;
            let field = if matches!(found, Found::Missing(_)) { "missing" } else { "found_nothing_in" };
            Some(made(json!({ field: path }), vec![path], beat, 3))
        }
        Happened::Look(_) | Happened::Statement(_) => None,
        Happened::Act { action, .. } => {
            if action.refused {
                return refused(beat, clean);
            }
            match beat.edited() {
                Some(path) => edit(track, at, path, beat, clean, taken),
                None if action.edits().is_some() => failed_edit(beat, clean, taken),
                None => run(beat, clean, taken),
            }
        }
    }
}

fn made(shown: Value, own: Vec<String>, beat: &Beat<'_>, priority: u8) -> Item {
    let Value::Object(mut shown) = shown else { return made(json!({}), own, beat, priority) };
    shown.retain(|_, value| !value.is_null());
    Item { shown, own, printed: Vec::new(), events: beat.events.clone(), priority, at: 0 }
}

/// What a person did not allow. Who leaves a plan or a question says something only by his words.
fn refused(beat: &Beat<'_>, clean: &Cleaner) -> Option<Item> {
    let Happened::Act { action, path, input, .. } = &beat.what else { return None };
    let said = action.said.as_deref().and_then(|said| clean.both_ends(said, LONGEST_PROMPT));
    let is_told = said.is_some();
    let (what, wrote) = match action.run() {
        Some(run) => (shown_command(&run.text(), clean)?, None),
        None if is_of_repository(path) => {
            let wrote = is_told.then(|| new_lines(input)).filter(|text| !text.is_empty());
            let wrote = wrote.and_then(|text| clean.line(&text, LONGEST_WRITTEN));
            (format!("edit {}", clean.line(path, LONGEST_COMMAND)?), wrote)
        }
        None => {
            let said = said?;
            return Some(made(json!({ "person": said }), vec![said.clone()], beat, 0));
        }
    };
    let own: Vec<String> = [Some(what.clone()), said.clone(), wrote.clone()].into_iter().flatten().collect();
    let shown = json!({ "refused": what, "person": said, "wrote": wrote });
    Some(made(shown, own, beat, if is_told { 0 } else { 2 }))
}

fn prompt(
    text: &str,
    classes: &[Class],
    beat: &Beat<'_>,
    clean: &Cleaner,
    taken: &mut Taken,
) -> Option<Item> {
    if classes.contains(&Class::Interrupt) {
        return Some(made(json!({ "person": "[interrupts]" }), Vec::new(), beat, 1));
    }
    taken.prompts += 1;
    let is_correction = classes.contains(&Class::Correction);
    if taken.prompts > MOST_PROMPTS && !is_correction {
        return None;
    }
    let text = super::super::prompt::visible(text);
    if was_not_run(&text) {
        return None;
    }
    let said = clean.both_ends(without_notes(&text), LONGEST_PROMPT)?;
    let shown = json!({ "person": said });
    (!said.is_empty() && taken.said.insert(said.clone()))
        .then(|| made(shown, vec![said.clone()], beat, u8::from(!is_correction)))
}

/// A prompt without what a client writes behind it.
fn without_notes(text: &str) -> &str {
    const NOTES: [&str; 1] = ["If you need specific details from before exiting plan mode"];
    let end = NOTES.iter().filter_map(|note| text.find(note)).min().unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}

/// A command as it is shown: of a text that is handed to it the first line.
fn shown_command(text: &str, clean: &Cleaner) -> Option<String> {
    let lines = text.lines().take(if text.contains("<<") { 2 } else { usize::MAX });
    let text = lines.collect::<Vec<_>>().join("\n");
    clean.command(&text, LONGEST_COMMAND)
}

fn edit(
    track: &Track<'_>,
    at: usize,
    path: &str,
    beat: &Beat<'_>,
    clean: &Cleaner,
    taken: &mut Taken,
) -> Option<Item> {
    let Happened::Act { input, .. } = &beat.what else { return None };
    let repairs = is_of_repository(path) && taken.is_repaired_by(path);
    let is_known = taken.edits.contains(path);
    if !is_of_repository(path) || (!repairs && (is_known || taken.edits.len() >= MOST_EDITS)) {
        return None;
    }
    taken.edits.insert(path.to_owned());
    let shown = clean.line(path, LONGEST_COMMAND)?;
    let turn = |other: &&Beat<'_>| other.turn == beat.turn;
    let is_corrected = track.beats.iter().take(at).rev().take_while(turn).any(|other| {
        matches!(&other.what, Happened::Prompt { classes, .. } if classes.contains(&Class::Correction))
    });
    let wrote = (is_corrected || repairs).then(|| new_lines(input)).filter(|text| !text.is_empty());
    let wrote = wrote.and_then(|text| clean.line(&text, LONGEST_WRITTEN));
    let is_news = wrote.as_ref().is_some_and(|text| taken.said.insert(text.clone()));
    if is_known && !is_news {
        return None;
    }
    taken.repairs += usize::from(repairs);
    let mut own = vec![shown.clone()];
    own.extend(wrote.clone());
    Some(made(json!({ "edit": shown, "wrote": wrote }), own, beat, if repairs { 2 } else { 4 }))
}

impl Taken {
    /// Whether an edit so soon after a failure is of a file that the failure names.
    fn is_repaired_by(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.repairs < MOST_REPAIRS
            && self.since_failure.is_some_and(|since| since <= AFTER_A_FAILURE)
            && !self.failure.is_empty()
            && self.failure.contains(name)
    }
}

/// An edit that could not be made: what it was to replace is not there, or nobody read the file before.
fn failed_edit(beat: &Beat<'_>, clean: &Cleaner, taken: &mut Taken) -> Option<Item> {
    let Happened::Act { action, path, output, .. } = &beat.what else { return None };
    if action.status != Status::Error || !is_of_repository(path) || taken.failed_edits >= MOST_FAILED_EDITS {
        return None;
    }
    if taken.failed_edits > 0 && taken.edit_failed == *path {
        return None;
    }
    taken.failed_edits += 1;
    taken.edit_failed.clone_from(path);
    let shown = clean.line(path, LONGEST_COMMAND)?;
    let first = telling_lines(output).into_iter().next()?;
    let printed = vec![clean.both_ends(first, LONGEST_PRINTED)?];
    let item = made(json!({ "edit": shown, "ended": "failed", "printed": printed }), vec![shown], beat, 4);
    Some(Item { printed, ..item })
}

fn run(beat: &Beat<'_>, clean: &Cleaner, taken: &mut Taken) -> Option<Item> {
    let Happened::Act { action, output, .. } = &beat.what else { return None };
    let command = action.run()?;
    let text = command.text();
    if let Some(since) = &mut taken.since_failure {
        *since += 1;
    }
    if action.status == Status::Error {
        taken.since_failure = Some(0);
        if command.is_check() {
            (*output).clone_into(&mut taken.failure);
        }
        let times = taken.failed.entry(text.clone()).or_default();
        *times += 1;
        taken.failures += 1;
        if *times > 2 || taken.failures > MOST_FAILURES {
            return None;
        }
        let shown = shown_command(&text, clean)?;
        let printed = telling_lines(output).into_iter();
        let printed: Vec<String> =
            printed.filter_map(|line| clean.both_ends(line, LONGEST_PRINTED)).collect();
        let rules = (!action.rules.is_empty()).then(|| action.rules.to_vec());
        let fields = json!({ "run": shown, "ended": "failed", "printed": printed, "rules": rules });
        let item = made(fields, vec![shown], beat, 2);
        return Some(Item { printed, ..item });
    }
    let is_near = taken.since_failure.is_some_and(|since| since <= AFTER_A_FAILURE);
    if action.status == Status::Ok && command.is_check() {
        taken.failure.clear();
    }
    let ends_a_failure = action.status == Status::Ok && taken.failed.remove(&text).is_some();
    let hands_over = hands_over(command);
    let is_telling =
        ends_a_failure || hands_over || (!command.is_trivial() && (is_near || command.is_check()));
    // The numbers of what is handed over are those of one day: `gh pr view 7`.
    let kind = if hands_over { text.replace(|char: char| char.is_ascii_digit(), "") } else { text.clone() };
    if !is_telling || (!ends_a_failure && (taken.runs >= MOST_RUNS || !taken.ran.insert(kind))) {
        return None;
    }
    taken.runs += 1;
    let shown = shown_command(&text, clean)?;
    let ended = if action.status == Status::Ok { "passed" } else { "unknown" };
    let priority = match (ends_a_failure, hands_over) {
        (true, _) => 2,
        (false, true) => 3,
        (false, false) => 5,
    };
    Some(made(json!({ "run": shown, "ended": ended }), vec![shown], beat, priority))
}

/// Whether a command changes what others see, or the checkout, or speaks to the place where the code is kept: what people
/// have rules for.
fn hands_over(command: &Command) -> bool {
    let is_told = matches!(command.verb().as_slice(), ["gh" | "glab" | "hub", ..] | ["git", "tag", ..]);
    let changes = command.is_delivery() || command.is_version_control();
    is_told || (changes && !command.is_trivial())
}

#[cfg(test)]
mod tests {
    use super::hands_over;
    use crate::shell::command::single;

    #[test]
    fn what_others_will_see_is_handed_over() {
        for (line, hands) in [
            ("gh pr view 7", true),
            ("gh api repos/a/b/pulls/7/comments", true),
            ("git commit -m x", true),
            ("git push origin main", true),
            ("git tag release/1.2.0", true),
            ("git status --short", false),
            ("make test", false),
            ("ls src", false),
        ] {
            assert_eq!(single(line).is_some_and(|command| hands_over(&command)), hands, "{line}");
        }
    }
}

//! What of a session a model is shown: what people said, what failed and what ended it, what was refused, where things
//! were not. Bounded, cleaned, the text of tools marked.
//!
//! A session is worth reading by its corrections, refusals, failures and long repairs; of many that are alike one is
//! read. Of a workspace at most [`CHARACTERS_A_SESSION`] a session are shown.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::super::predicate::{Beat, Class, Happened, Track};
use super::super::session::search_result::Found;
use super::super::session::short_hash::short_hash;
use super::super::session::work_tree::is_of_repository;
use super::clean::Cleaner;
use super::recurring::Recurring;
use super::shown::{
    LONGEST_COMMAND, agrees, from_the_root, hands_over, kind_of, shown_command, speaks_to_the_forge,
    without_notes,
};
use super::told::{new_lines, telling_lines};
use crate::event::Status;
use crate::shell::refusal::was_not_run;

/// Raised when excerpts are made otherwise: then what was read of the old ones is read again.
const VERSION: &str = "5";
/// So many characters of one session are shown.
const MOST_CHARACTERS: usize = 1_900;
/// The most tokens of an excerpt that go to people's words, as long as there is something else to show.
const MOST_OF_TALK: usize = 1_150;
/// So many of a workspace, for each of its sessions; a small workspace is shown as one of twenty.
pub(super) const CHARACTERS_A_SESSION: usize = 1_000;
const FEWEST_SESSIONS: usize = 20;
const LONGEST_CORRECTION: usize = 420;
const LONGEST_PROMPT: usize = 300;
const LONGEST_PRINTED: usize = 120;
const LONGEST_WRITTEN: usize = 200;
/// How many of each kind.
const MOST_PROMPTS: usize = 14;
const MOST_FAILURES: usize = 8;
const MOST_RUNS: usize = 6;
const MOST_HANDED_OVER: usize = 6;
const MOST_EDITS: usize = 8;
const MOST_MISSES: usize = 5;
const MOST_REPAIRS: usize = 3;
const MOST_FAILED_EDITS: usize = 2;
/// What ran so soon after a failure may have to do with it.
const AFTER_A_FAILURE: usize = 6;
/// The priority of what a person says without correcting anything.
const TALK: u8 = 1;
/// Sessions that share so much are alike.
const ALIKE: f64 = 0.8;

/// What of one session is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Excerpt {
    /// The session's tenant.
    pub tenant: String,
    /// Its id.
    pub session: String,
    /// The hash of the excerpt: if its text changes, it is read again.
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
    /// The texts that may be quoted: people's words, commands and edits; never a tool's output.
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
    let mut recurring = Recurring::default();
    let all = tracks.iter().enumerate().filter_map(|(order, track)| {
        let marked = recurring.of_next(track);
        of(track, order, clean, &there, &marked)
    });
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

/// How many items of each kind were taken.
#[derive(Default)]
struct Taken {
    prompts: usize,
    failures: usize,
    runs: usize,
    handed_over: usize,
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
fn of(
    track: &Track<'_>,
    order: usize,
    clean: &Cleaner,
    there: &BTreeSet<String>,
    marked: &BTreeMap<usize, usize>,
) -> Option<Excerpt> {
    let mut taken = Taken::default();
    let (mut items, mut features, mut worth) = (Vec::new(), BTreeSet::new(), 0);
    for (at, beat) in track.beats.iter().enumerate() {
        worth += worth_of(beat);
        if matches!(&beat.what, Happened::Look(Found::Missing(path) | Found::InVain(path)) if there.contains(path))
        {
            continue;
        }
        let told = item(track, at, beat, clean, &mut taken);
        let Some(mut item) = with_count(told, marked.get(&at), track, beat, clean) else { continue };
        worth += u32::from(marked.contains_key(&at));
        if item.priority <= 3 {
            features.insert(item.own.join(" ").to_lowercase());
        }
        item.at = at;
        items.push(item);
    }
    let kept = with_room(items);
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

/// An item with the number of sessions that show the like, where that is told; else as it is.
fn with_count(
    item: Option<Item>,
    sessions: Option<&usize>,
    track: &Track<'_>,
    beat: &Beat<'_>,
    clean: &Cleaner,
) -> Option<Item> {
    let Some(sessions) = sessions else { return item };
    let mut item = match (item, &beat.what) {
        (Some(item), _) => item,
        (None, Happened::Look(Found::Declared { name, file })) => {
            let (name, file) = (clean.line(name, LONGEST_WRITTEN)?, clean.line(file, LONGEST_COMMAND)?);
            made(json!({ "search": name, "found": file }), vec![name, file], beat, TALK)
        }
        (None, Happened::Act { action, .. }) => {
            let shown = shown_command(&action.run()?.text(), track, clean)?;
            let ended = if action.status == Status::Ok { "passed" } else { "unknown" };
            made(json!({ "run": shown, "ended": ended }), vec![shown], beat, TALK)
        }
        (None, _) => return None,
    };
    item.shown.insert("sessions".to_owned(), (*sessions).into());
    item.priority = item.priority.min(TALK);
    Some(item)
}

/// The items that there is room for, in their order. Of what there is none for, the least telling is left out; of
/// talk the longest, which tells of one day's work.
fn with_room(mut items: Vec<Item>) -> Vec<Item> {
    let is_talk = |item: &Item| item.priority <= TALK && item.shown.keys().eq(["person"]);
    let length = |item: &Item| if item.priority <= TALK { item.characters() } else { 0 };
    items.sort_by_key(|item| (item.priority, length(item), item.at));
    let (mut left, mut talk) = (MOST_CHARACTERS, MOST_OF_TALK);
    let (mut kept, mut waits): (Vec<Item>, Vec<Item>) = (Vec::new(), Vec::new());
    for item in items {
        let characters = item.characters();
        if is_talk(&item) && characters > talk {
            waits.push(item);
        } else if characters <= left {
            left -= characters;
            talk -= if is_talk(&item) { characters } else { 0 };
            kept.push(item);
        }
    }
    for item in waits {
        if item.characters() <= left {
            left -= item.characters();
            kept.push(item);
        }
    }
    kept.sort_by_key(|item| item.at);
    kept
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
            let is_told = action.run().is_some_and(speaks_to_the_forge);
            refused + u32::from(action.status == Status::Error && action.run().is_some()) + u32::from(is_told)
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
                return refused(track, beat, clean);
            }
            match beat.edited() {
                Some(path) => edit(track, at, path, beat, clean, taken),
                None if action.edits().is_some() => failed_edit(track, beat, clean, taken),
                None => run(track, beat, clean, taken),
            }
        }
    }
}

fn made(shown: Value, own: Vec<String>, beat: &Beat<'_>, priority: u8) -> Item {
    let Value::Object(mut shown) = shown else { return made(json!({}), own, beat, priority) };
    shown.retain(|_, value| !value.is_null());
    Item { shown, own, printed: Vec::new(), events: beat.events.clone(), priority, at: 0 }
}

/// A refusal by a person. Leaving a plan or a question counts only if the person says why.
fn refused(track: &Track<'_>, beat: &Beat<'_>, clean: &Cleaner) -> Option<Item> {
    let Happened::Act { action, path, input, .. } = &beat.what else { return None };
    let said = action.said.as_deref().and_then(|said| clean.both_ends(said, LONGEST_CORRECTION));
    let is_told = said.is_some();
    let (what, wrote) = match action.run() {
        Some(run) => (shown_command(&run.text(), track, clean)?, None),
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
    Some(made(shown, own, beat, if is_told || action.run().is_some() { 0 } else { 2 }))
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
    if was_not_run(&text) || agrees(&text) {
        return None;
    }
    let longest = if is_correction { LONGEST_CORRECTION } else { LONGEST_PROMPT };
    let said = clean.both_ends(without_notes(&text), longest)?;
    let shown = json!({ "person": said });
    (!said.is_empty() && taken.said.insert(said.clone()))
        .then(|| made(shown, vec![said.clone()], beat, if is_correction { 0 } else { TALK }))
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
fn failed_edit(track: &Track<'_>, beat: &Beat<'_>, clean: &Cleaner, taken: &mut Taken) -> Option<Item> {
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
    let printed = vec![clean.both_ends(&from_the_root(first, track), LONGEST_PRINTED)?];
    let item = made(json!({ "edit": shown, "ended": "failed", "printed": printed }), vec![shown], beat, 4);
    Some(Item { printed, ..item })
}

fn run(track: &Track<'_>, beat: &Beat<'_>, clean: &Cleaner, taken: &mut Taken) -> Option<Item> {
    let Happened::Act { action, output, .. } = &beat.what else { return None };
    let command = action.run()?;
    let text = command.text();
    let hands_over = hands_over(command);
    // What is handed over differs each time (`gh pr view 7`): its kind is shown, not its words.
    let kind = if hands_over { kind_of(&text) } else { text.clone() };
    if let Some(since) = &mut taken.since_failure {
        *since += 1;
    }
    if action.status == Status::Error {
        taken.since_failure = Some(0);
        if command.is_check() {
            (*output).clone_into(&mut taken.failure);
        }
        let times = taken.failed.entry(kind).or_default();
        *times += 1;
        taken.failures += 1;
        if *times > 2 || taken.failures > MOST_FAILURES {
            return None;
        }
        let shown = shown_command(&text, track, clean)?;
        let printed = telling_lines(output).into_iter();
        let printed: Vec<String> = printed
            .filter_map(|line| clean.both_ends(&from_the_root(line, track), LONGEST_PRINTED))
            .collect();
        let rules = (!action.rules.is_empty()).then(|| action.rules.to_vec());
        let fields = json!({ "run": shown, "ended": "failed", "printed": printed, "rules": rules });
        let item = made(fields, vec![shown], beat, 2);
        return Some(Item { printed, ..item });
    }
    let is_near = taken.since_failure.is_some_and(|since| since <= AFTER_A_FAILURE);
    if action.status == Status::Ok && command.is_check() {
        taken.failure.clear();
    }
    let ends_a_failure = action.status == Status::Ok && taken.failed.remove(&kind).is_some();
    let is_telling =
        ends_a_failure || hands_over || (!command.is_trivial() && (is_near || command.is_check()));
    let (many, most) = match hands_over {
        true => (&mut taken.handed_over, MOST_HANDED_OVER),
        false => (&mut taken.runs, MOST_RUNS),
    };
    if !is_telling || (!ends_a_failure && (*many >= most || !taken.ran.insert(kind))) {
        return None;
    }
    *many += 1;
    let shown = shown_command(&text, track, clean)?;
    let ended = if action.status == Status::Ok { "passed" } else { "unknown" };
    let priority = match (ends_a_failure, hands_over) {
        (true, _) => 2,
        (false, true) => 3,
        // A command that is no check and runs near a failure may be the remedy.
        (false, false) if is_near && !command.is_check() => 3,
        (false, false) => 5,
    };
    Some(made(json!({ "run": shown, "ended": ended }), vec![shown], beat, priority))
}

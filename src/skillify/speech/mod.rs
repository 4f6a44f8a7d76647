//! What people say to their agents: statements of what they want from then on.
//!
//! A [`Statement`] holds no words of a person. What they want is one of the acts that [`acts`] lists, in our words, or
//! the use of something that has a name. Whoever may read the session sees the sentence itself ([`quotation`]).
//!
//! | file | reads |
//! |---|---|
//! | `own_words.rs` | a prompt without what was pasted, quoted or printed |
//! | `tokens.rs` | a sentence as clauses of words and names |
//! | `mood.rs` | whether a sentence asks, tells, jests, quotes; for how long it holds |
//! | `wants.rs`, `phrases.rs` | what a clause wants; the words that tell |
//! | `acts.rs`, `act_list.rs`, `act.rs` | what it is about |
//! | `forms.rs` | what the whole sentence tells |
//! | `quotation.rs` | the sentences behind a rule, for who may read the session |
//! | `feedback.rs` | what was done beside it: refused calls, failing checks, ordered commits |
//!
//! Invariants: only prompts of the main agent and what a person said who refused a call are read, never an
//! output; a sentence that is not understood is no statement.

pub(super) mod act;
mod act_list;
pub(super) mod acts;
mod feedback;
mod forms;
mod mood;
pub(super) mod own_words;
mod phrases;
pub(super) mod quotation;
mod tokens;
mod wants;

#[cfg(test)]
mod acts_tests;
#[cfg(test)]
mod labelled_tests;

use serde::{Deserialize, Serialize};

use super::prompt::Role;
use super::session::action::Action;
use super::session::segment::{Segment, Turn};
use super::session::short_hash::short_hash;
use crate::event::Timestamp;
use act::Told;
use feedback::Deeds;
use mood::Context;

/// A report of a failing check has no more words.
const REPORT: usize = 25;
/// A sentence of more words is not read at one look.
const CLEAR: usize = 25;

/// What a person wants of an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Want {
    /// That it is done.
    Do,
    /// That it is not done.
    Not,
    /// That he is asked before it is done.
    Ask,
    /// That it may be done, or need not: what was said before no longer holds.
    Free,
}

/// How much a sentence says by itself that it holds from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Strength {
    /// It asks for something now.
    Plain,
    /// It forbids something, or prefers one thing to another.
    Standing,
    /// It says so: always, never, from now on.
    Lasting,
}

/// One thing that a person said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Statement {
    pub(super) want: Want,
    /// One of the acts of [`acts`], `""` for another.
    pub(super) act: String,
    /// The verb and the object that it was understood by, in words of the lists: for exchanging them.
    pub(super) verb: String,
    pub(super) object: String,
    /// The command, path or name that it is about; `""` where the act says all.
    pub(super) name: String,
    pub(super) strength: Strength,
    /// It is what a session begins with: its work.
    pub(super) begins: bool,
    /// He said it when he refused a call.
    pub(super) refuses: bool,
    /// The event that holds it.
    pub(super) event: String,
    /// Of the sentence, to know it where it is pasted again.
    pub(super) hash: String,
    /// How many words the sentence has, 255 at most.
    pub(super) words: u8,
}

impl Statement {
    /// The same as one among all that was asked for, and no more.
    fn of_no_act(self) -> Self {
        Self { act: String::new(), name: String::new(), ..self }
    }
}

/// A statement with its sentence; `""` for none.
struct Spoken {
    statement: Statement,
    sentence: String,
    at: Timestamp,
}

/// What people said in the segments of one session, a list a segment.
pub(super) fn of_session(segments: &[Segment<'_>]) -> Vec<Vec<Statement>> {
    let spoken = spoken(segments).into_iter();
    spoken.map(|spoken| spoken.into_iter().map(|spoken| spoken.statement).collect()).collect()
}

fn spoken(segments: &[Segment<'_>]) -> Vec<Vec<Spoken>> {
    let deeds = Deeds::of(segments);
    let mut worked = false;
    let of_segment = |segment: &Segment<'_>| {
        let mut spoken = Vec::new();
        for turn in &segment.turns {
            spoken.extend(of_prompt(turn, worked, &deeds));
            worked |= turn.actions.iter().any(|action| action.edited().is_some());
            spoken.extend(of_refusals(turn));
        }
        spoken
    };
    segments.iter().map(of_segment).collect()
}

/// What a prompt says. What it asks for first is its work; what it asks for besides, or after work was done, says how
/// work is to be done. A way to work is never the work.
fn of_prompt(turn: &Turn<'_>, worked: bool, deeds: &Deeds<'_>) -> Vec<Spoken> {
    let Some(event) = turn.prompt else { return Vec::new() };
    let is_besides = worked || turn.role == Role::Correction;
    let mut all = heard(&event.text);
    let commit = feedback::commit_of(turn);
    let order = commit.as_ref().and_then(|_| all.iter().find_map(feedback::ordered));
    let mut spoken = Vec::new();
    let reported = reports(&event.text).into_iter().find_map(|sentence| {
        let told = deeds.reported(&sentence)?;
        Some(Heard { sentence, want: Want::Do, strength: Strength::Plain, told })
    });
    if let Some((commit, None)) = commit.as_ref().map(|commit| (commit, &order)) {
        spoken.push(feedback::unordered().spoken(commit, event.timestamp, false));
    }
    let works = all.len();
    all.extend(order);
    all.extend(reported);
    for (place, heard) in all.into_iter().enumerate() {
        let is_the_work = heard.strength == Strength::Plain
            && place == 0
            && works > 0
            && !is_besides
            && !acts::is_never_the_work(heard.told.act);
        let is_known = deeds.knows(&heard.told);
        let mut one = heard.spoken(&event.event_id, event.timestamp, false);
        if is_the_work {
            one.statement = Statement { begins: true, ..one.statement.of_no_act() };
        } else if !is_known {
            one.statement = one.statement.of_no_act();
        }
        spoken.push(one);
    }
    spoken
}

/// Where a report may stand: what a person says, and a short line as it is, since names of commands stand in quotes.
fn reports(text: &str) -> Vec<String> {
    let is_short = text.lines().count() == 1 && text.split_whitespace().count() <= REPORT;
    let line = is_short.then(|| text.trim().to_owned());
    line.into_iter().chain(own_words::sentences(text)).collect()
}

fn of_refusals(turn: &Turn<'_>) -> Vec<Spoken> {
    let mut spoken = Vec::new();
    let mut seen: Vec<Vec<String>> = Vec::new();
    let at = turn.prompt.map_or_else(Timestamp::default, |event| event.timestamp);
    for action in &turn.actions {
        let said = action.said.as_deref().or(action.said_first.as_deref());
        let (Some(said), events) = (said, action.events.to_vec()) else { continue };
        // The commands of one call are refused at once.
        if seen.contains(&events) {
            continue;
        }
        let calls: Vec<&Action> =
            turn.actions.iter().filter(|other| other.events.to_vec() == events).collect();
        let event = events.last().map_or("", String::as_str);
        let heard = feedback::refused(said, &calls);
        spoken.extend(heard.into_iter().map(|heard| heard.spoken(event, at, true)));
        seen.push(events);
    }
    spoken
}

/// A sentence that tells what a person wants.
pub(super) struct Heard {
    pub(super) sentence: String,
    pub(super) want: Want,
    pub(super) strength: Strength,
    /// What it is about.
    pub(super) told: Told,
}

impl Heard {
    /// Whether it is a rule by what it says.
    #[cfg(test)]
    fn is_rule(&self) -> bool {
        self.want != Want::Free
            && (self.strength == Strength::Lasting
                || (self.strength == Strength::Standing && self.told.is_known()))
    }

    /// Who refuses a call and wants to talk wants to be asked first.
    fn of_a_refusal(self) -> Self {
        if self.told.is_talk() { Self { want: Want::Ask, told: Told::consent(), ..self } } else { self }
    }

    fn spoken(self, event: &str, at: Timestamp, refuses: bool) -> Spoken {
        let sentence = self.sentence.clone();
        Spoken { statement: self.statement(event, refuses), sentence, at }
    }

    fn statement(self, event: &str, refuses: bool) -> Statement {
        let told = self.told;
        let forbids = matches!(self.want, Want::Not | Want::Ask);
        let is_order = self.strength == Strength::Plain && !told.is_of_work() && !forbids;
        let words = normalised(&self.sentence);
        let statement = Statement {
            want: self.want,
            act: told.act.to_owned(),
            name: told.name,
            verb: told.verb,
            object: told.object,
            strength: self.strength,
            begins: false,
            refuses,
            event: event.to_owned(),
            hash: short_hash(&[&words], 8),
            words: u8::try_from(words.split(' ').count()).unwrap_or(u8::MAX),
        };
        if is_order { statement.of_no_act() } else { statement }
    }
}

/// What a text of a person says, in order.
pub(super) fn heard(text: &str) -> Vec<Heard> {
    heard_at(text, false)
}

/// The same for words with which a person `refuses` a call.
fn heard_at(text: &str, refuses: bool) -> Vec<Heard> {
    let sentences = own_words::sentences(text);
    let mut heard = Vec::new();
    for (at, sentence) in sentences.iter().enumerate() {
        let next = sentences.get(at + 1).map_or("", String::as_str);
        let before = at.checked_sub(1).and_then(|before| sentences.get(before)).map_or("", String::as_str);
        if mood::jests(before) || mood::jests(next) {
            continue;
        }
        heard.extend(mood::read(sentence, Context { before, refuses }));
    }
    heard
}

/// Whether a statement says this.
fn states(statement: &Statement, want: Want, act: &str, name: &str) -> bool {
    let is_against = |want: Want| matches!(want, Want::Not | Want::Ask);
    let orders = acts::plain(act) == "commit" && statement.act == "commit-order";
    is_against(statement.want) == is_against(want)
        && statement.want != Want::Free
        && (acts::plain(&statement.act) == acts::plain(act) || orders)
        && statement.name.eq_ignore_ascii_case(name)
}

fn normalised(sentence: &str) -> String {
    let words = sentence.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

//! What people say to their agents: statements of what they want from then on.
//!
//! A [`Statement`] holds no words of a person: what he wants is one of the acts that [`acts`] lists, in words of
//! ours, or the use of something that has a name. The sentence itself is looked for again where somebody who may
//! read the session wants to see it ([`quoted`]).
//!
//! | file | reads |
//! |---|---|
//! | `own.rs` | a prompt without what was pasted, quoted or printed |
//! | `tokens.rs` | a sentence as clauses of words and names |
//! | `mood.rs` | whether a sentence asks, tells, jests, quotes; for how long it holds |
//! | `wants.rs`, `phrases.rs` | what a clause wants; the words that tell |
//! | `acts.rs` | what it is about |
//!
//! Invariants: only prompts of the main agent and what a person said who refused a call are read, never an
//! output; a sentence that is not understood is no statement.

pub(super) mod acts;
mod mood;
pub(super) mod own;
mod phrases;
mod tokens;
mod wants;

#[cfg(test)]
mod labelled_tests;

use serde::{Deserialize, Serialize};

use super::claim::Claim;
use super::prompt::Role;
use super::segment::{Segment, Turn, short_hash};
use crate::event::{Kind, Timestamp};
use crate::shell::refusal::words_of;
use crate::table::Session;
use acts::Told;

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

/// What people said in the segments of one session, a list a segment.
pub(super) fn of_session(segments: &[Segment<'_>]) -> Vec<Vec<Statement>> {
    let mut worked = false;
    segments
        .iter()
        .map(|segment| {
            let mut statements = Vec::new();
            for turn in &segment.turns {
                statements.extend(of_prompt(turn, worked));
                worked |= turn.actions.iter().any(|action| action.edited().is_some());
                statements.extend(of_refusals(turn));
            }
            statements
        })
        .collect()
}

/// What a prompt says. What it asks for first is its work; what it asks for besides, or after work was done, says how
/// work is to be done.
fn of_prompt(turn: &Turn<'_>, worked: bool) -> Vec<Statement> {
    let Some(event) = turn.prompt else { return Vec::new() };
    let is_besides = worked || turn.role == Role::Correction;
    let mut statements = Vec::new();
    for (place, heard) in heard(&event.text).into_iter().enumerate() {
        let is_the_work = heard.strength == Strength::Plain && place == 0 && !is_besides;
        let statement = heard.statement(&event.event_id, false);
        statements.push(if is_the_work {
            Statement { begins: true, ..statement.of_no_act() }
        } else {
            statement
        });
    }
    statements
}

fn of_refusals(turn: &Turn<'_>) -> Vec<Statement> {
    let mut statements = Vec::new();
    for action in turn.actions.iter().filter(|action| action.refused) {
        let Some(said) = action.said.as_deref() else { continue };
        let events = action.events.to_vec();
        let event = events.last().map_or("", String::as_str);
        statements.extend(
            heard(said).into_iter().map(Heard::of_a_refusal).map(|heard| heard.statement(event, true)),
        );
    }
    statements
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

    fn statement(self, event: &str, refuses: bool) -> Statement {
        let told = self.told;
        let is_order = self.strength == Strength::Plain && !told.is_of_work();
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
    let sentences = own::sentences(text);
    let mut heard = Vec::new();
    for (at, sentence) in sentences.iter().enumerate() {
        let next = sentences.get(at + 1).map_or("", String::as_str);
        let before = at.checked_sub(1).and_then(|before| sentences.get(before)).map_or("", String::as_str);
        if mood::jests(before) || mood::jests(next) {
            continue;
        }
        heard.extend(mood::read(sentence));
    }
    heard
}

/// A sentence of a person that states a rule: for who may read the session, and for nobody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quotation {
    /// When it was said.
    pub at: Timestamp,
    /// The shortest sentence of the prompt, or of the refusal, that says it.
    pub sentence: String,
}

/// What people said in a session that states the claim, in their words; nothing for claims that are no rules.
pub fn quotations(session: &Session, claim: &Claim) -> Vec<Quotation> {
    let Claim::Rule { want, act, name } = claim else { return Vec::new() };
    let name = name.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut found: Vec<Quotation> = Vec::new();
    for event in session.facts.iter().map(|fact| &fact.event).filter(|event| event.agent.is_empty()) {
        let refused = || words_of(&event.output).or_else(|| words_of(&event.text));
        let said = match event.kind {
            Kind::Prompt => Some(event.text.clone()),
            Kind::ToolResult | Kind::Decision => refused(),
            _ => None,
        };
        let sentence = said.and_then(|said| quoted(&said, *want, act, &name));
        let quotation = sentence.map(|sentence| Quotation { at: event.timestamp, sentence });
        found.extend(quotation.filter(|new| !found.iter().any(|known| known.sentence == new.sentence)));
    }
    found.sort_by_key(|quotation| quotation.at);
    found
}

/// The shortest sentence of a text that says this.
fn quoted(text: &str, want: Want, act: &str, name: &str) -> Option<String> {
    let is_against = |want: Want| matches!(want, Want::Not | Want::Ask);
    let says = |heard: &Heard| {
        let told = &heard.told;
        is_against(heard.want) == is_against(want)
            && heard.want != Want::Free
            && told.act == act
            && told.name.eq_ignore_ascii_case(name)
    };
    let sentences = heard(text).into_iter().filter(says).map(|heard| heard.sentence);
    sentences.min_by_key(|sentence| sentence.chars().count())
}

fn normalised(sentence: &str) -> String {
    let words = sentence.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

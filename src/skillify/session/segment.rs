//! Segments: a prompt of the main agent and what was done until the next prompt that starts something new.
//!
//! A segment has one turn for each of its prompts. A prompt that corrects or continues adds a turn to the segment that it is
//! about. A prompt also continues a segment, whatever its words and language, if its turn runs again what had failed before.

use super::claimable::claimable;
use super::short_hash::short_hash;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::super::prompt::keywords::keywords;
use super::super::prompt::{self, Before, Role};
use super::action::{Action, Calls, What};
use super::checkout::Checkout;
use super::endings::Endings;
use super::search::Look;
use super::tree::Tree;
use crate::event::tokens::Tokens;
use crate::event::{Kind, SessionEvent, Status, Timestamp};
use crate::shell::command::Command;
use crate::table::{Fact, Session};

/// One piece of work within a session.
#[derive(Debug, Clone)]
pub(in crate::skillify) struct Segment<'a> {
    /// 16 hex digits, the same whenever the same prompt is read.
    pub(in crate::skillify) id: String,
    /// When its prompt was given.
    pub(in crate::skillify) started_at: Timestamp,
    /// At least one.
    pub(in crate::skillify) turns: Vec<Turn<'a>>,
    /// Whether another prompt of the session came after it.
    pub(super) moved_on: bool,
}

/// A prompt and what was done for it.
#[derive(Debug, Clone)]
pub(in crate::skillify) struct Turn<'a> {
    /// `None` for what was done before any prompt.
    pub(in crate::skillify) prompt: Option<&'a SessionEvent>,
    /// What the prompt does to the turn before it.
    pub(in crate::skillify) role: Role,
    pub(in crate::skillify) actions: Vec<Action>,
    /// What was learned of where things are.
    pub(in crate::skillify) looks: Vec<Look>,
    /// The changed files that it saw.
    pub(in crate::skillify) trees: Vec<Tree>,
    /// Scores that were given to it.
    pub(in crate::skillify) scores: Vec<f64>,
    /// The person stopped the assistant.
    pub(in crate::skillify) interrupted: bool,
    /// The event that tells so first.
    pub(super) stop: Option<&'a SessionEvent>,
    /// What it took.
    pub(in crate::skillify) cost: Cost,
}

/// What a turn took.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::skillify) struct Cost {
    /// Tokens that were read and written, as far as clients say.
    pub(in crate::skillify) tokens: u64,
    /// The time in which something happened: [`LONGEST_PAUSE`].
    pub(in crate::skillify) time: Duration,
    last: Option<Timestamp>,
}

impl Cost {
    /// Events come in order.
    fn add(&mut self, event: &SessionEvent) {
        self.tokens = self.tokens.saturating_add(u64::try_from(Tokens::of(event).all()).unwrap_or_default());
        let gap = self.last.map_or(Duration::ZERO, |last| event.timestamp.since(last));
        if gap <= LONGEST_PAUSE {
            self.time += gap;
        }
        self.last = Some(event.timestamp);
    }
}

impl Segment<'_> {
    /// Whether a skill was loaded in it. Then it shows what the skill says, not what people do by themselves.
    pub(in crate::skillify) fn loaded_a_skill(&self) -> bool {
        self.turns
            .iter()
            .flat_map(|turn| &turn.actions)
            .any(|action| action.what == What::Skill && action.status != Status::Error)
    }

    /// Every action with the index of its turn, in order.
    pub(in crate::skillify) fn actions(&self) -> impl Iterator<Item = (usize, &Action)> {
        self.turns
            .iter()
            .enumerate()
            .flat_map(|(index, turn)| turn.actions.iter().map(move |action| (index, action)))
    }

    /// The telling words of the prompt that starts it, in order: what corrects or goes on says how.
    pub(in crate::skillify) fn words(&self) -> Vec<String> {
        let prompt = self.turns.first().and_then(|turn| turn.prompt);
        prompt.map(|prompt| keywords(&prompt.text)).unwrap_or_default()
    }
}

/// The segments of one session, in order.
pub(in crate::skillify) fn segments<'a>(session: &'a Session, endings: &mut Endings<'a>) -> Vec<Segment<'a>> {
    let mut facts: Vec<&Fact> = session.facts.iter().collect();
    facts.sort_by(|a, b| order(&a.event).cmp(&order(&b.event)));
    let checkout = Checkout::of(session);
    let calls = Calls::join(&facts, checkout.folder());
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for fact in facts {
        add_fact(&mut turns, fact, &calls, &checkout, endings);
    }
    group(session, turns)
}

fn order(event: &SessionEvent) -> (Timestamp, i64, &str) {
    (event.timestamp, event.seq, &event.event_id)
}

fn add_fact<'a>(
    turns: &mut Vec<Turn<'a>>,
    fact: &'a Fact,
    calls: &Calls<'a>,
    checkout: &Checkout<'_>,
    endings: &mut Endings<'a>,
) {
    let event = &fact.event;
    let is_prompt = event.kind == Kind::Prompt && event.agent.is_empty();
    if is_prompt && prompt::is_interrupt(&event.text) {
        if let Some(turn) = turns.last_mut() {
            turn.interrupted = true;
            turn.stop.get_or_insert(event);
        }
        return;
    }
    if is_prompt || turns.is_empty() {
        let prompt = is_prompt.then_some(event);
        turns.push(Turn {
            prompt,
            role: Role::New,
            actions: Vec::new(),
            looks: Vec::new(),
            trees: Vec::new(),
            scores: Vec::new(),
            interrupted: false,
            stop: None,
            cost: Cost::default(),
        });
    }
    let Some(turn) = turns.last_mut() else { return };
    turn.cost.add(event);
    turn.scores.extend(signed(event));
    if event.decision_source == "user_abort" {
        turn.interrupted = true;
        turn.stop.get_or_insert(event);
    }
    turn.actions.extend(calls.actions_at(fact, endings));
    turn.looks.extend(calls.looks_at(fact, checkout));
    let at = u32::try_from(turn.actions.len()).unwrap_or(u32::MAX);
    turn.trees.extend(calls.tree_at(fact, checkout).map(|tree| Tree { at, ..tree }));
}

/// A score whose sign tells: 0, or no number, with a word for failure is a bad one.
fn signed(event: &SessionEvent) -> Option<f64> {
    const FAILED: [&str; 8] = ["fail", "failed", "failure", "false", "incorrect", "wrong", "bad", "rejected"];
    let label = event.attributes.get("gen_ai.evaluation.score.label").and_then(Value::as_str);
    let words = [event.text.as_str(), label.unwrap_or_default()];
    let is_bad = || words.iter().any(|word| FAILED.contains(&word.trim().to_lowercase().as_str()));
    let is_feedback = event.kind == Kind::Feedback;
    let says_little = is_feedback && event.score.unwrap_or_default() == 0.0;
    if says_little && is_bad() { Some(-1.0) } else { event.score }
}

/// Puts each turn into the segment it belongs to.
fn group<'a>(session: &'a Session, turns: Vec<Turn<'a>>) -> Vec<Segment<'a>> {
    let mut segments: Vec<Segment<'a>> = Vec::new();
    for mut turn in turns {
        if turn.prompt.is_none() && turn.actions.is_empty() {
            continue; // the client's own start-up
        }
        if let Some(segment) = segments.last_mut() {
            turn.role = role(&turn, segment);
            if turn.role != Role::New {
                segment.turns.push(turn);
                continue;
            }
            segment.moved_on = true;
        }
        let started_at = turn.prompt.map_or(session.started_at, |event| event.timestamp);
        let id = segment_id(session, turn.prompt);
        segments.push(Segment { id, started_at, turns: vec![turn], moved_on: false });
    }
    segments
}

fn role(turn: &Turn<'_>, segment: &Segment<'_>) -> Role {
    let Some(last) = segment.turns.last().filter(|last| last.prompt.is_some()) else { return Role::New };
    let failures = open_failures(segment);
    let text = turn.prompt.map_or("", |event| event.text.as_str());
    let targets = last.actions.iter().filter_map(Action::command).flat_map(Command::verb);
    let before = Before {
        prompt: last.prompt.map_or("", |event| event.text.as_str()),
        open_failure: !failures.is_empty(),
        targets: targets.collect(),
        commands: last.actions.iter().filter_map(claimable).collect(),
        telling: OnceCell::new(),
    };
    let role = prompt::role(text, &before);
    let repeats = || {
        turn.actions
            .iter()
            .filter_map(Action::run)
            .any(|command| failures.contains(command.core().as_slice()))
    };
    if role == Role::New && repeats() { Role::Correction } else { role }
}

/// The commands of the segment whose last known run failed.
fn open_failures<'a>(segment: &'a Segment<'_>) -> BTreeSet<Vec<&'a str>> {
    let mut last: BTreeMap<Vec<&str>, Status> = BTreeMap::new();
    for (_, action) in segment.actions() {
        if let Some(command) = action.run().filter(|command| !command.is_trivial())
            && action.status != Status::Unknown
        {
            last.insert(command.core(), action.status);
        }
    }
    last.into_iter().filter(|(_, status)| *status == Status::Error).map(|(core, _)| core).collect()
}

/// The fact's own key where it has one: further observations of the prompt must not change the id.
fn segment_id(session: &Session, prompt: Option<&SessionEvent>) -> String {
    let prompt = prompt.map_or("", |event| {
        if event.fact_key.is_empty() { event.event_id.as_str() } else { event.fact_key.as_str() }
    });
    short_hash(&[&session.tenant, &session.id, prompt], 8)
}

/// Who is silent for longer is not at work.
pub(in crate::skillify) const LONGEST_PAUSE: Duration = Duration::from_secs(10 * 60);

//! Digests: what mining needs of a session, and nothing more.
//!
//! A [`Digest`] holds a session's segments: canonical commands, edited files, outcomes, error signatures, the names that
//! a session's own scripts call, the keywords of prompts, what people want as acts of a closed list, and the ids of the
//! events behind them. It holds no prompt, no response and no output. It depends on the session alone, so a cache can keep
//! it as long as the session's events stay the same.
//!
//! | file | holds |
//! |---|---|
//! | `kept_action.rs` | an action as a digest keeps it |
//! | `arrow.rs` | segments as rows for other engines |
//!
//! Its serde form is what a cache keeps, field after field without names; [`VERSION`] says which fields
//! there are, what they mean and how they were made.

pub(super) mod arrow;
mod kept_action;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::prompt::asked;
use super::prompt::{self, Role};
use super::session::acceptance;
use super::session::action::Action;
use super::session::checkout::Checkout;
use super::session::choice;
use super::session::claimable::{claimable, repairable};
use super::session::endings::Endings;
use super::session::exposure;
use super::session::lines::Line;
use super::session::outcome::Outcome;
use super::session::search::Look;
use super::session::search_result::Found;
use super::session::segment::{self, Segment, Turn};
use super::session::tree::Tree;
use super::speech::{self, Statement};
use super::template::version::version_of;
use crate::event::{Kind, SessionEvent, Status, Timestamp, person};
use crate::shell::class::fetched_by;
use crate::shell::command::Command;
use crate::shell::status::is_poll;
use crate::table::{Session, sessions};

/// What the fields of a digest mean and how they are made: raised with every change to segmentation,
/// canonical commands, signatures, outcomes or fields. Digests of another version are made anew.
pub const VERSION: u32 = 22;

/// What mining needs of one session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    /// The tenant.
    pub tenant: String,
    /// The session's id.
    pub session: String,
    /// The workspace.
    pub workspace: String,
    /// The repository, `""` if unknown.
    pub project: String,
    /// The person, by what people are counted by ([`person::joined`]), `""` if unknown.
    pub person: String,
    /// The assistant, `""` if unknown.
    pub assistant: String,
    /// The earliest event time.
    #[serde(with = "micros")]
    pub started_at: Timestamp,
    /// The latest event time.
    #[serde(with = "micros")]
    pub last_event_at: Timestamp,
    /// When its latest observation was accepted.
    #[serde(with = "micros")]
    pub last_ingested_at: Timestamp,
    /// Whether the client said that it ended.
    pub ended: bool,
    /// Prompts of the main agent.
    pub prompts: u64,
    /// Tool calls.
    pub tool_calls: u64,
    /// Tool calls that failed.
    pub failures: u64,
    /// The skills that it loaded or was shown, by name, and the last date of each.
    pub loaded: BTreeMap<String, String>,
    /// The files that it fetched from elsewhere.
    fetched: BTreeSet<String>,
    /// Its segments, in order.
    pub(in crate::skillify) segments: Vec<SegmentDigest>,
    /// The bytes that it was read from.
    #[serde(skip)]
    source: Source,
}

/// The SHA-256 of the bytes that the digest was read from, if it was read. Not a part of its content.
#[derive(Debug, Clone, Default)]
struct Source(Option<[u8; 32]>);

impl PartialEq for Source {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What mining needs of one segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::skillify) struct SegmentDigest {
    /// 16 hex digits, the same whenever the same prompt is read.
    pub(in crate::skillify) id: String,
    /// When its prompt was given.
    #[serde(with = "micros")]
    pub(in crate::skillify) started_at: Timestamp,
    /// The telling words of the prompt that starts it, in order, each once, with a space between.
    words: String,
    /// The versions in its commands that its first prompt names; `None` without a prompt.
    given_versions: Option<BTreeSet<String>>,
    /// Whether a skill was loaded in it. Then it shows what the skill says, not what people do by themselves.
    pub(in crate::skillify) loaded_a_skill: bool,
    /// The outcome of each of its turns.
    pub(in crate::skillify) turns: Vec<TurnDigest>,
    /// What was done and tells of the work, in order, with the index of its turn.
    actions: Vec<(u32, Action)>,
    /// The choices that people made: indices of the action that was wanted and of the other one.
    pub(in crate::skillify) choices: Vec<(usize, usize)>,
    /// What it learned about where things are, in order; each read file once.
    pub(in crate::skillify) looks: Vec<Look>,
    /// The changed files that were seen, in order.
    pub(in crate::skillify) trees: Vec<Tree>,
    /// What people said that they want from then on, in order.
    pub(in crate::skillify) statements: Vec<Statement>,
    /// Tokens that were read and written for it, as far as clients say.
    pub(in crate::skillify) tokens: u64,
    /// How long it took, pauses left out.
    pub(in crate::skillify) seconds: u64,
}

/// What mining needs of one turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::skillify) struct TurnDigest {
    pub(in crate::skillify) outcome: Outcome,
    /// It was scored badly, and no person stopped or corrected it.
    pub(in crate::skillify) only_scored_badly: bool,
    /// The next prompt corrects it, and nobody stopped it.
    pub(in crate::skillify) only_corrected: bool,
}

impl Digest {
    /// The digest of a session.
    pub fn of(session: &Session) -> Self {
        let events = || session.facts.iter().map(|fact| &fact.event);
        let count = |wanted: fn(&SessionEvent) -> bool| {
            u64::try_from(events().filter(|event| wanted(event)).count()).unwrap_or(u64::MAX)
        };
        let mut loaded: BTreeMap<String, String> = BTreeMap::new();
        let by_loading = events().filter_map(|event| Some((loaded_skill(event)?, event)));
        for (name, event) in by_loading.chain(exposure::shown(session)) {
            let last = loaded.entry(name).or_default();
            *last = event.timestamp.date().max(std::mem::take(last));
        }
        let checkout = Checkout::of(session);
        let mut endings = Endings::default();
        let segments = segment::segments(session, &mut endings);
        let said = speech::of_session(&segments);
        let mut digests: Vec<SegmentDigest> = segments
            .iter()
            .zip(said)
            .map(|(segment, said)| SegmentDigest::of(segment, &checkout, said))
            .collect();
        forget_what_never_failed(&mut digests);
        Self {
            tenant: session.tenant.clone(),
            session: session.id.clone(),
            workspace: session.workspace.clone(),
            project: session.project.clone(),
            person: person::joined(&session.user_id, &session.assistant),
            assistant: session.assistant.clone(),
            started_at: session.started_at,
            last_event_at: session.last_event_at,
            last_ingested_at: session.last_ingested_at,
            ended: session.ended,
            prompts: count(|event| event.kind == Kind::Prompt && event.agent.is_empty()),
            tool_calls: count(|event| event.kind == Kind::ToolCall),
            failures: u64::try_from(failures(session, &mut endings)).unwrap_or(u64::MAX),
            loaded,
            fetched: fetched(session),
            segments: digests,
            source: Source::default(),
        }
    }

    /// The digest that these bytes are, a [`postcard`]; `None` if they are none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut digest: Self = postcard::from_bytes(bytes).ok()?;
        digest.source = Source(Some(Sha256::digest(bytes).into()));
        Some(digest)
    }

    /// The SHA-256 of the bytes that it was read from; `None` where it was made.
    pub fn source(&self) -> Option<&[u8; 32]> {
        self.source.0.as_ref()
    }

    /// [`Session::is_closed`].
    pub fn is_closed(&self, now: Timestamp, idle: Duration) -> bool {
        sessions::is_closed(self.ended, self.last_event_at, self.last_ingested_at, now, idle)
    }

    /// [`Session::closes_at`].
    pub fn closes_at(&self, idle: Duration) -> Timestamp {
        sessions::closes_at(self.ended, self.last_event_at, self.last_ingested_at, idle)
    }

    /// The telling words of its prompts, each as often as segments have it.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().flat_map(SegmentDigest::words)
    }

    /// The commands that it ran and that a claim can speak of, as a person would type them, and how
    /// each ended at best. What was not allowed was not run.
    pub fn commands(&self) -> BTreeMap<String, Status> {
        let mut commands: BTreeMap<String, Status> = BTreeMap::new();
        for action in self.all_actions().filter(|action| !action.refused) {
            let Some(command) = repairable(action) else { continue };
            let known = commands.entry(command.text()).or_default();
            *known = known.at_best(action.status);
        }
        commands
    }

    /// Every action that tells of the work, in order.
    pub(in crate::skillify) fn all_actions(&self) -> impl Iterator<Item = &Action> {
        self.segments.iter().flat_map(SegmentDigest::actions).map(|(_, action)| action)
    }

    /// The files that it fetched from elsewhere.
    pub(in crate::skillify) fn fetched(&self) -> impl Iterator<Item = &String> {
        self.fetched.iter()
    }

    /// The tools that its assistant has beside the shell, by name.
    pub(in crate::skillify) fn tools(&self) -> impl Iterator<Item = String> {
        self.all_actions()
            .filter(|action| action.command().is_none())
            .filter_map(Action::run)
            .map(Command::text)
    }

    /// The skills that it asked its assistant for and got, by name.
    pub(in crate::skillify) fn skills(&self) -> impl Iterator<Item = String> {
        let found = self.segments.iter().flat_map(|segment| &segment.looks).map(|look| &look.found);
        found.filter_map(|found| match found {
            Found::Skill { name, known: true } => Some(name.clone()),
            _ => None,
        })
    }

    /// The commands among them that failed, whatever came later.
    pub fn failed(&self) -> BTreeSet<String> {
        let failed = self.all_actions().filter(|action| !action.refused && action.status == Status::Error);
        failed.filter_map(repairable).map(Command::text).collect()
    }
}

/// How many calls failed: by their exit status, or by what they printed. A call that looked after a command tells
/// of the same failure again.
fn failures<'a>(session: &'a Session, endings: &mut Endings<'a>) -> usize {
    let events = || session.facts.iter().map(|fact| &fact.event);
    let calls = events().filter(|event| event.kind == Kind::ToolCall);
    let inputs: BTreeMap<&str, &str> =
        calls.map(|call| (call.tool_call_id.as_str(), call.input.as_str())).collect();
    let results = events().filter(|event| event.kind == Kind::ToolResult && !is_poll(&event.tool));
    results
        .filter(|event| {
            let input = inputs.get(event.tool_call_id.as_str()).copied().unwrap_or_default();
            let ended = match Line::of_call(&event.tool, input) {
                Some(line) => endings.of_line(&line, event.status, &event.output),
                None => event.status,
            };
            ended == Status::Error
        })
        .count()
}

/// Drops the calls of scripts that never failed: they show nothing.
fn forget_what_never_failed(segments: &mut [SegmentDigest]) {
    let failed = |action: &Action| !action.calls.is_empty() && action.status == Status::Error;
    if segments.iter().flat_map(SegmentDigest::actions).any(|(_, action)| failed(action)) {
        return;
    }
    for action in segments.iter_mut().flat_map(SegmentDigest::actions_mut) {
        action.calls = Box::default();
    }
}

/// The skill's own name: assistants name a plugin's skill `plugin:skill`.
fn loaded_skill(event: &SessionEvent) -> Option<String> {
    let is_load = event.kind == Kind::SkillUse && !event.skill.is_empty();
    is_load.then(|| event.skill.rsplit(':').next().unwrap_or_default().to_owned())
}

/// The files that a session fetched from elsewhere, and the files made from them.
fn fetched(session: &Session) -> BTreeSet<String> {
    let calls = session.facts.iter().map(|fact| &fact.event).filter(|event| event.kind == Kind::ToolCall);
    let lines: Vec<_> = calls.filter_map(|event| Line::of_call(&event.tool, &event.input)).collect();
    // Files that were made before the first fetch come from no fetched one.
    fetched_by(lines.iter().skip_while(|line| !line.may_fetch()).map(|line| line.text()))
}

impl SegmentDigest {
    fn of(segment: &Segment<'_>, checkout: &Checkout<'_>, statements: Vec<Statement>) -> Self {
        let outcomes = acceptance::outcomes(segment);
        let mut actions = Vec::new();
        // Where each action stands in the digest.
        let mut places = Vec::new();
        for (turn, action) in segment.actions() {
            let outcome = acceptance::of_action(segment, &outcomes, turn, action);
            let mut digested = action.digested(outcome, checkout);
            if let Some(digested) = digested.as_mut() {
                digested.against |= is_forbidden(segment, turn, action);
                digested.asked = is_asked_for(segment, turn, action);
            }
            places.push(digested.is_some().then_some(actions.len()));
            actions.extend(digested.map(|action| (u32::try_from(turn).unwrap_or(u32::MAX), action)));
        }
        let place = |at: usize| places.get(at).copied().flatten();
        let choices = choice::chosen(segment).into_iter();
        let choices = choices.filter_map(|(wanted, unwanted)| Some((place(wanted)?, place(unwanted)?)));
        Self {
            id: segment.id.clone(),
            started_at: segment.started_at,
            words: segment.words().join(" "),
            given_versions: given_versions(segment, &actions),
            loaded_a_skill: segment.loaded_a_skill(),
            turns: turns(segment, &outcomes),
            choices: choices.collect(),
            looks: looks(segment),
            trees: trees(segment, &places),
            statements,
            tokens: segment.turns.iter().map(|turn| turn.cost.tokens).fold(0, u64::saturating_add),
            seconds: segment.turns.iter().map(|turn| turn.cost.time).sum::<Duration>().as_secs(),
            actions,
        }
    }

    /// The telling words of its prompts, in order, each once.
    pub(in crate::skillify) fn words(&self) -> impl Iterator<Item = &str> {
        self.words.split(' ').filter(|word| !word.is_empty())
    }

    /// Every action that tells of the work with the index of its turn, in order.
    pub(in crate::skillify) fn actions(&self) -> impl DoubleEndedIterator<Item = (usize, &Action)> + Clone {
        self.actions.iter().map(|(turn, action)| (*turn as usize, action))
    }

    /// The commands that a claim can speak of, as a person would type them, in order.
    pub(in crate::skillify) fn commands(&self) -> impl Iterator<Item = String> {
        self.actions().filter_map(|(_, action)| action.command()).map(Command::text)
    }

    /// Every action, to be changed.
    pub(in crate::skillify) fn actions_mut(&mut self) -> impl Iterator<Item = &mut Action> {
        self.actions.iter_mut().map(|(_, action)| action)
    }

    /// Takes everything that was done out of it.
    pub(in crate::skillify) fn take_actions(&mut self) -> Vec<(u32, Action)> {
        self.choices.clear();
        std::mem::take(&mut self.actions)
    }

    /// Puts other things that were done in it.
    pub(in crate::skillify) fn give_actions(&mut self, actions: Vec<(u32, Action)>) {
        let last = u32::try_from(self.turns.len()).unwrap_or(u32::MAX).saturating_sub(1);
        self.actions = actions.into_iter().map(|(turn, action)| (turn.min(last), action)).collect();
    }

    /// The action at an index that [`SegmentDigest::choices`] gives.
    pub(in crate::skillify) fn action(&self, at: usize) -> Option<(usize, &Action)> {
        self.actions.get(at).map(|(turn, action)| (*turn as usize, action))
    }

    /// Whether the first prompt names this version of a command; also where there is no prompt.
    pub(in crate::skillify) fn is_given(&self, version: &str) -> bool {
        self.given_versions.as_ref().is_none_or(|given| given.contains(version))
    }
}

/// What a segment learned about where things are. Reading a file again adds nothing.
fn looks(segment: &Segment<'_>) -> Vec<Look> {
    let mut read = BTreeSet::new();
    let looks = segment.turns.iter().flat_map(|turn| &turn.looks);
    let is_usual = |found: &Found| matches!(found, Found::Present(_) | Found::Takes { .. });
    let news = looks.filter(|look| !is_usual(&look.found) || read.insert(&look.found));
    news.cloned().collect()
}

/// The changed files that a segment saw, each time behind so many actions of the digest. `places` tells where each
/// action of the segment stands there.
fn trees(segment: &Segment<'_>, places: &[Option<usize>]) -> Vec<Tree> {
    let mut seen = Vec::new();
    let mut before = 0;
    for turn in &segment.turns {
        for tree in &turn.trees {
            let earlier = places.get(..before + tree.at as usize).unwrap_or(places);
            let at = u32::try_from(earlier.iter().flatten().count()).unwrap_or(u32::MAX);
            seen.push(Tree { at, ..tree.clone() });
        }
        before += turn.actions.len();
    }
    seen
}

/// Whether the prompt of its turn asks for the command by name.
fn is_asked_for(segment: &Segment<'_>, turn: usize, action: &Action) -> bool {
    let prompt = segment.turns.get(turn).and_then(|turn| turn.prompt).map(|prompt| prompt.text.as_str());
    prompt.zip(claimable(action)).is_some_and(|(said, command)| asked::asks_for(said, command))
}

/// Whether the next prompt speaks against the command: one that corrects the turn, or any where it was refused.
fn is_forbidden(segment: &Segment<'_>, turn: usize, action: &Action) -> bool {
    let correction =
        segment.turns.get(turn + 1).filter(|next| action.refused || next.role == Role::Correction);
    let said = correction.and_then(|next| next.prompt).map(|prompt| prompt.text.as_str());
    said.zip(action.command()).is_some_and(|(said, command)| prompt::forbids(said, command))
}

fn turns(segment: &Segment<'_>, outcomes: &[Outcome]) -> Vec<TurnDigest> {
    let scored_badly = |turn: &Turn<'_>| turn.scores.iter().any(|score| *score < 0.0);
    let corrected = |at: usize| segment.turns.get(at + 1).is_some_and(|next| next.role == Role::Correction);
    let turns = segment.turns.iter().zip(outcomes).enumerate();
    turns
        .map(|(at, (turn, outcome))| TurnDigest {
            outcome: *outcome,
            only_scored_badly: scored_badly(turn) && !turn.interrupted && !corrected(at),
            only_corrected: corrected(at) && !turn.interrupted,
        })
        .collect()
}

fn given_versions(segment: &Segment<'_>, actions: &[(u32, Action)]) -> Option<BTreeSet<String>> {
    let prompt = segment.turns.first()?.prompt?;
    let words = actions.iter().filter_map(|(_, action)| action.command()).flat_map(|command| command.words());
    let versions = words.filter_map(|word| version_of(&word.value));
    Some(versions.filter(|version| prompt.text.contains(version)).map(str::to_owned).collect())
}

/// Timestamps as microseconds since the epoch.
pub(in crate::skillify) mod micros {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::event::Timestamp;

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
    pub(in crate::skillify) fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(time.as_micros())
    }

    pub(in crate::skillify) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Timestamp, D::Error> {
        i64::deserialize(from).map(Timestamp::from_micros)
    }
}

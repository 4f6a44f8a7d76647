//! What is sent: claims with their counts, and the offline text line by line.

use serde_json::{Value, json};

use super::super::claim::{Claim, SupportedClaim};
use super::super::session::short_hash::short_hash;
use super::super::word::propose::Material;
use super::super::word::wording::{Line, Wording};
use super::question;

/// Raised when the instructions or the checks change: then old answers are answers to another question.
const VERSION: &str = "1";
/// Room for the frame of an answer, and for each of its lines; no skill needs more than the most.
const FRAME_TOKENS: u64 = 256;
const LINE_TOKENS: u64 = 160;
const MOST_TOKENS: u64 = 4_096;

/// One question to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The same for the same claims, words and model, whatever the counts.
    pub key: String,
    /// The instructions to the model, and its input.
    pub system: &'static str,
    /// The claims and lines, as JSON text.
    pub content: String,
    /// The shape of an answer, as JSON schema.
    pub schema: Value,
    /// What it is about, for people: the skill's name.
    pub about: String,
    /// How long an answer may be.
    pub(super) answer_tokens: u64,
    /// The lines as they stand offline, by id.
    pub(super) lines: Vec<AskedLine>,
    /// The words that prompts share.
    pub(super) words: Vec<String>,
}

/// A line of the offline text that may be worded anew.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AskedLine {
    pub(super) id: String,
    pub(super) kind: LineKind,
    pub(super) text: String,
    /// The ids of the claims that it rests on.
    pub(super) claims: Vec<String>,
}

const SYSTEM: &str = "\
You edit skills: short instructions for coding agents, mined from sessions of a team.
Every line below is proven by sessions. Word each line so that an agent acts on it at once: imperative, \
specific, short. Keep its meaning, its order and every command in backquotes exactly as it stands. \
Add no command, fact, reason, link or condition that is not in the line. Leave a line as it is if it \
is already plain. Answer with the JSON that the schema asks for, and cite the claims of each line by their ids.";

impl Question {
    /// The question about a material that the offline proposer worded as `offline`.
    pub(super) fn of(model: &str, material: &Material, offline: &Wording) -> Self {
        let lines = asked_lines(offline);
        let shown: Vec<Value> = lines
            .iter()
            .map(|line| {
                json!({ "id": line.id, "kind": line.kind.as_str(), "text": line.text, "claims": line.claims })
            })
            .collect();
        let counted: Vec<Value> =
            material.claims.iter().enumerate().map(|(at, claim)| show(at, claim)).collect();
        let plain: Vec<String> = material.claims.iter().map(|claim| format!("{:?}", claim.claim)).collect();
        let shown = Value::from(shown);
        let known = json!({ "lines": shown, "words": material.words, "signatures": material.signatures() });
        let key = short_hash(&[VERSION, model, &plain.join("\n"), &known.to_string()], 16);
        let content = json!({
            "claims": counted,
            "lines": shown,
            "words_of_the_prompts": material.words,
            "error_signatures": material.signatures(),
        });
        Self {
            key,
            system: SYSTEM,
            content: content.to_string(),
            schema: question::schema(),
            about: offline.name.clone(),
            answer_tokens: answer_tokens(lines.len()),
            lines,
            words: material.words.clone(),
        }
    }

    /// A question of another kind: whoever asks it reads its answer.
    pub(in super::super) fn plain(
        key: String,
        system: &'static str,
        content: String,
        schema: Value,
        about: String,
        answer_tokens: u64,
    ) -> Self {
        Self { key, system, content, schema, about, answer_tokens, lines: Vec::new(), words: Vec::new() }
    }

    /// Whether it asks for a judgement and not for lines.
    pub(super) fn is_a_judgement(&self) -> bool {
        self.lines.is_empty()
    }
}

/// The title and the lines of a wording.
fn asked_lines(wording: &Wording) -> Vec<AskedLine> {
    let line = |kind: LineKind, number: usize, line: &Line| {
        let claims = line.claims.iter().map(|claim| claim_id(*claim)).collect();
        AskedLine { id: format!("{}{number}", kind.prefix()), kind, text: line.text.clone(), claims }
    };
    let all: Vec<usize> = {
        let mut all: Vec<usize> = wording.lines().flat_map(|line| line.claims.clone()).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let title = Line { text: wording.title.clone(), claims: all };
    [(LineKind::Title, 0, &title)]
        .into_iter()
        .chain(wording.lessons.iter().enumerate().map(|(at, line)| (LineKind::Lesson, at, line)))
        .chain(wording.steps.iter().enumerate().map(|(at, line)| (LineKind::Step, at, line)))
        .chain(wording.if_it_fails.iter().enumerate().map(|(at, line)| (LineKind::IfItFails, at, line)))
        .chain(wording.avoid.iter().enumerate().map(|(at, line)| (LineKind::Avoid, at, line)))
        .map(|(kind, at, text)| line(kind, at + 1, text))
        .collect()
}

/// A model that rambles is cut off, and budgets reserve no more than an answer may need.
fn answer_tokens(lines: usize) -> u64 {
    let lines = u64::try_from(lines).unwrap_or(u64::MAX);
    lines.saturating_mul(LINE_TOKENS).saturating_add(FRAME_TOKENS).min(MOST_TOKENS)
}

/// How a question names a claim.
fn claim_id(index: usize) -> String {
    format!("C{}", index + 1)
}

/// A claim as a model sees it: commands and counts, no session and no person.
pub(super) fn show(at: usize, claim: &SupportedClaim) -> Value {
    let people: std::collections::BTreeSet<&str> = claim
        .support
        .iter()
        .map(|evidence| evidence.person.as_str())
        .filter(|person| !person.is_empty())
        .collect();
    let commands: Vec<String> = claim.claim.templates().into_iter().map(ToString::to_string).collect();
    let kind = match claim.claim {
        Claim::Run(_) => "run",
        Claim::Repair { .. } => "repair",
        Claim::Prevent { .. } => "prevent",
        Claim::Edit(_) => "edit",
        Claim::Avoid(_) => "avoid",
        Claim::Instead { .. } => "instead",
        Claim::Prefer { .. } => "prefer",
        Claim::Check { .. } => "check",
        Claim::Together { .. } => "together",
        Claim::Declared { .. } => "declared",
        Claim::Missing { .. } => "missing",
        Claim::Rejects { .. } => "rejects",
        Claim::Changes { .. } => "changes",
        Claim::Piped { .. } => "piped",
        Claim::NoFlag { .. } => "noflag",
        Claim::NoSkill { .. } => "noskill",
        Claim::Leftover { .. } => "leftover",
        Claim::Asked { .. } => "asked",
        Claim::Slow { .. } => "slow",
        Claim::Flaky { .. } => "flaky",
        Claim::Hook { .. } => "hook",
        Claim::Snippet { .. } => "snippet",
        Claim::Rule { .. } => "rule",
        Claim::Lesson { .. } => "lesson",
    };
    json!({
        "id": claim_id(at),
        "type": kind,
        "commands": commands,
        "sessions": claim.sessions().len(),
        "people": people.len(),
        "against": claim.against.len(),
    })
}

/// Where a line stands in a skill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::skillify) enum LineKind {
    Title,
    Lesson,
    Step,
    IfItFails,
    Avoid,
}

impl LineKind {
    pub(in crate::skillify) const fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Lesson => "lesson",
            Self::Step => "step",
            Self::IfItFails => "if_it_fails",
            Self::Avoid => "avoid",
        }
    }

    pub(in crate::skillify) const fn prefix(self) -> &'static str {
        match self {
            Self::Title => "T",
            Self::Lesson => "L",
            Self::Step => "S",
            Self::IfItFails => "F",
            Self::Avoid => "A",
        }
    }
}

/// The shape of an answer.
pub(in crate::skillify) fn schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["lines"],
        "properties": {
            "lines": {
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["id", "text", "claims"],
                    "properties": {
                        "id": { "type": "string" },
                        "text": { "type": "string" },
                        "claims": { "type": "array", "items": { "type": "string" } }
                    }
                }
            }
        }
    })
}

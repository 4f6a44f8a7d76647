//! What may come back: each line is checked against its claims, or falls back to the offline text.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::claim::{Line, Wording};
use super::super::guard;
use super::super::propose::Material;
use super::question::{AskedLine, Question, asked_lines, claim_id};
use super::words::{keeps_to_the_vocabulary, skeleton};

/// Longer lines are not read.
const LONGEST_LINE: usize = 240;
/// An answer larger than any good one.
const LONGEST_ANSWER: usize = 64 << 10;

/// Where a line stands in a skill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineKind {
    Title,
    Step,
    IfItFails,
    Avoid,
}

impl LineKind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Step => "step",
            Self::IfItFails => "if_it_fails",
            Self::Avoid => "avoid",
        }
    }

    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Title => "T",
            Self::Step => "S",
            Self::IfItFails => "F",
            Self::Avoid => "A",
        }
    }
}

/// The shape of an answer.
pub(super) fn schema() -> Value {
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

#[derive(Debug, Deserialize)]
struct Answer {
    lines: Vec<AnsweredLine>,
}

#[derive(Debug, Clone, Deserialize)]
struct AnsweredLine {
    id: String,
    text: String,
    claims: Vec<String>,
}

/// A wording with whatever of an answer stood its checks.
pub(super) struct Applied {
    pub(super) wording: Wording,
}

/// Puts the lines of an answer that stand into the offline wording.
pub(super) fn apply(text: &str, offline: &Wording, material: &Material<'_>) -> Applied {
    let mut wording = offline.clone();
    let asked = asked_lines(offline);
    for answered in read(text).unwrap_or_default() {
        let Some((line, claims)) = asked.iter().find(|(line, _)| line.id == answered.id) else { continue };
        let expected: Vec<String> = claims.iter().map(|claim| claim_id(*claim)).collect();
        if cites(&answered.claims, &expected) && refusal(line, &answered.text, material.words).is_none() {
            put(&mut wording, line, answered.text);
        }
    }
    Applied { wording }
}

/// Why lines of an answer fall back, a reason each; for a wholly bad answer one reason.
pub(super) fn refusals(text: &str, question: &Question) -> Vec<&'static str> {
    let Ok(answered) = read(text) else { return vec!["not the JSON that was asked for"] };
    let mut reasons = Vec::new();
    for line in &question.lines {
        match answered.iter().find(|answered| answered.id == line.id) {
            None => reasons.push("line missing"),
            Some(answered) => reasons.extend(refusal(line, &answered.text, &question.words)),
        }
    }
    let unknown = answered.iter().filter(|answered| question.lines.iter().all(|line| line.id != answered.id));
    reasons.extend(unknown.map(|_| "line nobody asked for"));
    reasons
}

/// The lines of an answer; models sometimes fence their JSON.
fn read(text: &str) -> Result<Vec<AnsweredLine>, serde_json::Error> {
    let text = text.get(..LONGEST_ANSWER.min(text.len())).unwrap_or_default().trim();
    let text = text.strip_prefix("```json").or_else(|| text.strip_prefix("```")).unwrap_or(text);
    let text = text.strip_suffix("```").unwrap_or(text);
    serde_json::from_str::<Answer>(text).map(|answer| answer.lines)
}

/// Exactly the claims of the line: fewer would be uncited, more would be invented.
fn cites(cited: &[String], expected: &[String]) -> bool {
    let sorted = |ids: &[String]| {
        let mut ids = ids.to_vec();
        ids.sort();
        ids.dedup();
        ids
    };
    sorted(cited) == sorted(expected)
}

/// Why a line may not stand, if it may not.
fn refusal(line: &AskedLine, text: &str, words: &[String]) -> Option<&'static str> {
    if text.trim() != text || text.is_empty() {
        return Some("empty or padded");
    }
    if text.chars().count() > LONGEST_LINE {
        return Some("too long");
    }
    if text.chars().any(char::is_control) || !text.chars().all(is_plain) {
        return Some("invisible or unusual characters");
    }
    if guard::objection(text).is_some() || guard::names_a_host(text) {
        return Some("refused by the guard");
    }
    if !text.matches('`').count().is_multiple_of(2) || skeleton(text) != skeleton(&line.text) {
        return Some("other commands, order or conditions");
    }
    if !keeps_to_the_vocabulary(text, &line.text, words) {
        return Some("says more than its claims");
    }
    None
}

fn is_plain(c: char) -> bool {
    c.is_ascii() || c.is_alphabetic()
}

fn put(wording: &mut Wording, line: &AskedLine, text: String) {
    let at = line
        .id
        .get(1..)
        .and_then(|number| number.parse::<usize>().ok())
        .and_then(|number| number.checked_sub(1));
    let lines: &mut Vec<Line> = match line.kind {
        LineKind::Title => {
            wording.title = text;
            return;
        }
        LineKind::Step => &mut wording.steps,
        LineKind::IfItFails => &mut wording.if_it_fails,
        LineKind::Avoid => &mut wording.avoid,
    };
    if let Some(line) = at.and_then(|at| lines.get_mut(at)) {
        line.text = text;
    }
}

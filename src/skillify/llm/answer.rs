//! What may come back: each line is checked against its claims, or falls back to the offline text.

use serde::{Deserialize, Serialize};

use super::super::withheld_text;
use super::super::word::wording::{Line, Wording};
use super::question::LineKind;
use super::question::{AskedLine, Question};
use super::words::{keeps_to_the_vocabulary, skeleton};

/// Longer lines are not read.
const LONGEST_LINE: usize = 240;
/// An answer larger than any good one.
const LONGEST_ANSWER: usize = 64 << 10;

/// Why a line of an answer does not stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// The whole answer is not the JSON that was asked for.
    NotTheSchema,
    /// The answer has no such line.
    Missing,
    /// Nobody asked for a line of that id.
    Unknown,
    /// It cites other claims than the line rests on, or none.
    Citation,
    /// It is empty or padded.
    Empty,
    /// It is too long.
    TooLong,
    /// It has invisible or unusual characters.
    Characters,
    /// The guard found a secret, a host, a harmful command or an instruction.
    Guard,
    /// It has other commands, another order or another condition, or turns the meaning round.
    Meaning,
    /// It says more than its claims.
    Vocabulary,
}

impl Refusal {
    /// The value of the metric's `reason` label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotTheSchema => "not_the_schema",
            Self::Missing => "line_missing",
            Self::Unknown => "line_unknown",
            Self::Citation => "citation",
            Self::Empty => "empty",
            Self::TooLong => "too_long",
            Self::Characters => "characters",
            Self::Guard => "guard",
            Self::Meaning => "meaning",
            Self::Vocabulary => "vocabulary",
        }
    }
}

/// What is left of an answer after its checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sifted {
    /// An answer of the lines that stand and differ from the offline text, and nothing else.
    pub answer: String,
    /// Why other lines fall back, a reason each; for a wholly bad answer one reason.
    pub refusals: Vec<Refusal>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
struct Answer {
    lines: Vec<AnsweredLine>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
struct AnsweredLine {
    id: String,
    text: String,
    claims: Vec<String>,
}

/// Puts the lines of an answer that stand into the offline wording.
pub(super) fn apply(text: &str, offline: &Wording, question: &Question) -> Wording {
    let mut wording = offline.clone();
    for answered in standing(&read(text).unwrap_or_default(), question) {
        if let Some(line) = question.lines.iter().find(|line| line.id == answered.id) {
            put(&mut wording, line, answered.text.clone());
        }
    }
    wording
}

/// Checks an answer line by line.
pub(super) fn sift(text: &str, question: &Question) -> Sifted {
    let Ok(answered) = read(text) else {
        return Sifted { answer: render(Vec::new()), refusals: vec![Refusal::NotTheSchema] };
    };
    let mut refusals = Vec::new();
    for line in &question.lines {
        match answered.iter().find(|answered| answered.id == line.id) {
            None => refusals.push(Refusal::Missing),
            Some(answered) => refusals.extend(refusal(line, answered, &question.words)),
        }
    }
    let unknown = answered.iter().filter(|answered| question.lines.iter().all(|line| line.id != answered.id));
    refusals.extend(unknown.map(|_| Refusal::Unknown));
    Sifted { answer: render(standing(&answered, question).cloned().collect()), refusals }
}

/// The lines that stand and say it in other words than the offline text.
fn standing<'a>(
    answered: &'a [AnsweredLine],
    question: &'a Question,
) -> impl Iterator<Item = &'a AnsweredLine> {
    question.lines.iter().filter_map(|line| {
        let answered = answered.iter().find(|answered| answered.id == line.id)?;
        let stands = refusal(line, answered, &question.words).is_none() && answered.text != line.text;
        stands.then_some(answered)
    })
}

fn render(lines: Vec<AnsweredLine>) -> String {
    // Strings alone: nothing that serde_json could refuse.
    serde_json::to_string(&Answer { lines }).unwrap_or_default()
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
fn refusal(line: &AskedLine, answered: &AnsweredLine, words: &[String]) -> Option<Refusal> {
    let text = answered.text.as_str();
    if !cites(&answered.claims, &line.claims) {
        return Some(Refusal::Citation);
    }
    if text.trim() != text || text.is_empty() {
        return Some(Refusal::Empty);
    }
    if text.chars().count() > LONGEST_LINE {
        return Some(Refusal::TooLong);
    }
    if text.chars().any(char::is_control) || !text.chars().all(is_plain) {
        return Some(Refusal::Characters);
    }
    if withheld_text::objection(text).is_some() || withheld_text::names_a_host(text) {
        return Some(Refusal::Guard);
    }
    if !text.matches('`').count().is_multiple_of(2) || skeleton(text) != skeleton(&line.text) {
        return Some(Refusal::Meaning);
    }
    if !keeps_to_the_vocabulary(text, &line.text, words) {
        return Some(Refusal::Vocabulary);
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
        LineKind::Lesson => &mut wording.lessons,
        LineKind::Step => &mut wording.steps,
        LineKind::IfItFails => &mut wording.if_it_fails,
        LineKind::Avoid => &mut wording.avoid,
    };
    if let Some(line) = at.and_then(|at| lines.get_mut(at)) {
        line.text = text;
    }
}

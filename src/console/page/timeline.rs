//! A session's facts as a person reads them: prompts, calls with what came of them, answers, refusals; what a
//! sub-agent did is folded.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::counted;
use super::when::When;
use super::who::People;
use crate::event::{Decision, Kind, SessionEvent, Status};
use crate::table::{Fact, Session};
use crate::views::feedback::evaluation;
use crate::views::figures::is_interrupt;
use crate::views::phrases::{argument, fields, length};

/// So many characters of a text are shown; the rest is on the event's own page.
const LONGEST: usize = 2_000;
/// The most characters of a call's subject.
const LONGEST_TITLE: usize = 300;
/// So many anchors an item has: other observations of the same fact.
const MOST_ANCHORS: usize = 8;

/// One thing that happened.
#[derive(Debug, Default, Serialize)]
pub(super) struct Item {
    /// `prompt`, `response`, `call`, `refusal`, `stop`, `feedback`, `skill`, `error`, `agent`.
    pub(super) kind: &'static str,
    /// The ids of the observations that tell it, the first of them the event's own.
    pub(super) anchors: Vec<String>,
    pub(super) at: Option<When>,
    /// The tool, or the sub-agent.
    pub(super) title: String,
    /// The subject of a call, or a message.
    pub(super) text: String,
    /// `ok`, `error`, `refused` or `""`.
    pub(super) status: &'static str,
    pub(super) took: String,
    pub(super) input: String,
    pub(super) output: String,
    /// Whether more of it is on its own page.
    pub(super) is_cut: bool,
    /// What a sub-agent did.
    pub(super) items: Vec<Item>,
    /// The input of a call as a person reads it.
    #[serde(skip)]
    pub(super) fields: String,
    /// Whether a prompt corrects what was done before it.
    #[serde(skip)]
    pub(super) corrects: bool,
    /// Whether it tells that a person stopped the assistant.
    #[serde(skip)]
    pub(super) stops: bool,
    /// The ways to the next and the previous one that went wrong in the same way in this part: what they are called,
    /// and its anchor.
    #[serde(skip)]
    pub(super) ways: Vec<(String, String)>,
}

/// What a timeline is made with.
pub(super) struct Timeline<'s> {
    session: &'s Session,
    people: &'s People,
    results: BTreeMap<&'s str, &'s Fact>,
    decisions: BTreeMap<&'s str, &'s Fact>,
    calls: BTreeMap<&'s str, &'s Fact>,
}

impl<'s> Timeline<'s> {
    pub(super) fn of(session: &'s Session, people: &'s People) -> Self {
        let of = |kind: Kind| {
            let facts = session.facts.iter().rev();
            let facts = facts.filter(|fact| fact.event.kind == kind && !fact.event.tool_call_id.is_empty());
            facts.map(|fact| (fact.event.tool_call_id.as_str(), fact)).collect()
        };
        Self {
            session,
            people,
            results: of(Kind::ToolResult),
            decisions: of(Kind::Decision),
            calls: of(Kind::ToolCall),
        }
    }

    /// The facts as items; those of a sub-agent that stand together are one.
    pub(super) fn items(&self, facts: impl Iterator<Item = &'s Fact>) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::new();
        for fact in facts {
            let Some(item) = self.item(fact) else { continue };
            let agent = fact.event.agent.as_str();
            if agent.is_empty() {
                items.push(item);
                continue;
            }
            match items.last_mut() {
                Some(last) if last.kind == "agent" && last.title == agent => last.items.push(item),
                _ => items.push(Item {
                    kind: "agent",
                    at: item.at,
                    title: agent.to_owned(),
                    items: vec![item],
                    ..Item::default()
                }),
            }
        }
        for item in items.iter_mut().filter(|item| item.kind == "agent") {
            item.text = summary(&item.items);
        }
        items
    }

    fn item(&self, fact: &'s Fact) -> Option<Item> {
        let event = &fact.event;
        let item = match event.kind {
            Kind::Prompt => self.said("prompt", event, &event.text),
            Kind::Response if event.text.trim().is_empty() => return None,
            Kind::Response => self.said("response", event, &event.text),
            Kind::ToolCall => return Some(self.call(fact)),
            Kind::ToolResult if self.calls.contains_key(event.tool_call_id.as_str()) => return None,
            Kind::ToolResult => self.result_alone(event),
            Kind::Decision if is_interrupt(event) => {
                self.said("stop", event, "The person stopped the assistant.")
            }
            // A refusal stands with its call, if that is told.
            Kind::Decision if event.decision == Decision::Reject => {
                if self.calls.contains_key(event.tool_call_id.as_str()) {
                    return None;
                }
                let item = self.said("refusal", event, &event.text);
                Item { title: self.people.line(&event.tool, LONGEST_TITLE), status: "refused", ..item }
            }
            Kind::Feedback => Item {
                title: self.people.line(&evaluation(event), LONGEST_TITLE),
                ..self.said("feedback", event, &event.text)
            },
            Kind::SkillUse => self.said("skill", event, &event.skill),
            Kind::Error => self.said("error", event, &event.text),
            Kind::Decision | Kind::SessionStart | Kind::SessionEnd => return None,
        };
        Some(Item { anchors: anchors(fact), ..item })
    }

    fn said(&self, kind: &'static str, event: &SessionEvent, text: &str) -> Item {
        let (text, is_cut) = self.cut(text);
        Item { kind, at: Some(When(event.timestamp)), text, is_cut, ..Item::default() }
    }

    fn call(&self, fact: &Fact) -> Item {
        let event = &fact.event;
        let id = event.tool_call_id.as_str();
        let result = self.results.get(id).map(|fact| &fact.event);
        let refusal = self.decisions.get(id).map(|fact| &fact.event);
        let refusal = refusal.filter(|decision| decision.decision == Decision::Reject);
        let status = match (refusal, result.map(|result| self.session.status_of(result))) {
            (Some(_), _) => "refused",
            (None, Some(status)) => status.as_str(),
            (None, None) => Status::Unknown.as_str(),
        };
        let took = result.map_or(0, |result| result.duration_us).max(event.duration_us);
        let took = if took > 0 { length(Duration::from_micros(took.unsigned_abs())) } else { String::new() };
        let about = argument(&event.input);
        let (input, cut_input) = self.cut(&event.input);
        let why = refusal.map(|refusal| refusal.text.as_str()).filter(|text| !text.is_empty());
        let (output, cut_output) =
            self.cut(why.or(result.map(|result| result.output.as_str())).unwrap_or_default());
        let mut anchors = anchors(fact);
        for other in [self.results.get(id), self.decisions.get(id)].into_iter().flatten() {
            anchors.extend(other.event_ids.iter().take(MOST_ANCHORS).cloned());
        }
        Item {
            kind: "call",
            anchors,
            at: Some(When(event.timestamp)),
            title: self.people.line(&event.tool, LONGEST_TITLE),
            text: self.people.line(&about, LONGEST_TITLE),
            status,
            took,
            fields: self.cut(&fields(&event.input)).0,
            // What the heading says already is not said again.
            input: if about == event.input && about.chars().count() <= LONGEST_TITLE {
                String::new()
            } else {
                input
            },
            output,
            is_cut: cut_input || cut_output,
            ..Item::default()
        }
    }

    fn result_alone(&self, event: &SessionEvent) -> Item {
        let (output, is_cut) = self.cut(&event.output);
        Item {
            kind: "call",
            at: Some(When(event.timestamp)),
            title: self.people.line(&event.tool, LONGEST_TITLE),
            text: "the call itself was not seen".to_owned(),
            status: self.session.status_of(event).as_str(),
            output,
            is_cut,
            ..Item::default()
        }
    }

    /// The beginning of a text, without names that the reader may not see, and whether it is cut.
    fn cut(&self, text: &str) -> (String, bool) {
        let (mut begin, is_cut) = self.people.beginning(text, LONGEST);
        begin = lines_of(&begin);
        if is_cut {
            begin.push('…');
        }
        (begin, is_cut)
    }
}

/// The text with lines that end in one way.
pub(super) fn lines_of(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Of a text with more lines, so many are shown at once.
const LINES: usize = 20;
/// A longer text has as many lines in a page, wherever it breaks them.
const WIDTH: usize = 100;

impl Item {
    /// What went wrong in it, in a word; `""` if nothing did.
    pub(super) fn trouble(&self) -> &'static str {
        match (self.kind, self.status) {
            (_, "refused") => "refusal",
            ("call", "error") => "failure",
            _ if self.stops => "stop",
            _ if self.corrects => "correction",
            _ => "",
        }
    }

    /// What is shown of a text at once, the rest, and how many lines that has.
    pub(super) fn parts(&self, text: &str) -> (String, String, usize) {
        let (mut height, mut end) = (0, 0);
        for line in text.split_inclusive('\n') {
            let lines = line.chars().count().div_ceil(WIDTH).max(1);
            if height > 0 && height + lines > LINES {
                break;
            }
            (height, end) = (height + lines, end + line.len());
        }
        let (shown, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        // A line or two are no reason to fold.
        if rest.lines().count() < 3 && rest.chars().count() < 3 * WIDTH {
            return (text.to_owned(), String::new(), 0);
        }
        (shown.trim_end_matches('\n').to_owned(), rest.to_owned(), rest.lines().count())
    }
}

fn anchors(fact: &Fact) -> Vec<String> {
    fact.event_ids.iter().take(MOST_ANCHORS).cloned().collect()
}

fn summary(items: &[Item]) -> String {
    let of = |kind: &str| items.iter().filter(|item| item.kind == kind).count() as u64;
    let failed = items.iter().filter(|item| item.kind == "call" && item.status == "error").count();
    let mut told = vec![counted(of("call"), "call")];
    told.extend((failed > 0).then(|| format!("{failed} failed")));
    told.extend((of("response") > 0).then(|| counted(of("response"), "answer")));
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_fold_behind_twenty_lines() {
        let item = Item::default();
        let text: String = (0..61).map(|line| format!("{line}\n")).collect();
        let (shown, rest, lines) = item.parts(&text);
        assert_eq!((shown.lines().count(), lines), (20, 41));
        assert_eq!(format!("{shown}\n{rest}"), text, "nothing is lost");
        assert_eq!(item.parts("a\nb"), ("a\nb".to_owned(), String::new(), 0));
        let short: String = (0..22).map(|line| format!("{line}\n")).collect();
        assert_eq!(item.parts(&short).2, 0);
    }
}

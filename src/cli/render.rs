//! A session as people like to read it: its head, then its turns.
//!
//! ```text
//! session    4f1c9a02-…
//! who        ada · claude-code 2.1.0
//! where      shop · github.com/acme/shop
//! when       2026-11-22 09:30 to 10:02 (32 min), ended
//! what       2 turns, 14 calls (1 failed, 1 refused), 18 200 tokens read, 2 100 written
//!
//! turn 1                                                                    09:30:12
//!   > fix the failing test
//!   ok      Bash cargo test                                                     2.3 s
//!   failed  Bash cargo test --all                                              12.0 s
//!           | error[E0308]: mismatched types
//!   < The test failed because …
//! ```

use std::fmt::Write;
use std::time::Duration;

use crate::event::tokens::Tokens;
use crate::event::{Decision, Kind, SessionEvent, Status, Timestamp};
use crate::table::Session;
use crate::views::figures::{Figures, is_interrupt};
use crate::views::phrases::{argument, last_words, length};

use super::columns::{counted, cut, one_line, parted, room, width};

/// Where a line's time or duration ends, where there is room for it.
const RIGHT: usize = 100;
const LONGEST_TEXT: usize = 160;
const LONGEST_TOOL: usize = 40;
/// What stands before the head's parts.
const LABEL: usize = 11;

pub(super) fn show(session: &Session) -> String {
    let mut text = head(session);
    let mut prompts = 0;
    for turn in session.turns() {
        let lines: Vec<String> =
            turn.facts.iter().flat_map(|fact| fact_lines(&fact.event, session)).collect();
        let title = if turn.prompt().is_some() {
            prompts += 1;
            format!("turn {prompts}")
        } else if lines.is_empty() {
            continue; // the client's own start-up
        } else {
            "without a prompt".to_owned()
        };
        let start = turn.facts.first().map(|fact| clock(fact.event.timestamp)).unwrap_or_default();
        let _ = writeln!(text, "\n{}", ended_by(&title, &start));
        for line in lines {
            let _ = writeln!(text, "{}", within(&line));
        }
    }
    text
}

fn head(session: &Session) -> String {
    let mut text = String::new();
    let mut line = |name: &str, parts: &[&str]| {
        let parts: Vec<String> =
            parts.iter().filter(|part| !part.is_empty()).map(|part| one_line(part, 80)).collect();
        if !parts.is_empty() {
            let _ = writeln!(text, "{name:<10} {}", wrapped(&parts.join(" · "), LABEL));
        }
    };
    line("session", &[&session.id]);
    let figures = Figures::of(session);
    line("who", &[&session.user_id, format!("{} {}", session.assistant, figures.assistant_version).trim()]);
    let model = most_recent(session, |event| &event.model);
    line("model", &[model]);
    line("where", &[&session.workspace, &session.project]);
    line("when", &[&when(session)]);
    line("what", &[&what(&figures)]);
    text
}

fn most_recent(session: &Session, column: fn(&SessionEvent) -> &String) -> &str {
    let values = session.facts.iter().rev().map(|fact| column(&fact.event));
    values.map(String::as_str).find(|value| !value.is_empty()).unwrap_or_default()
}

fn when(session: &Session) -> String {
    let (start, end) = (minute(session.started_at), minute(session.last_event_at));
    let same_day = start.get(..10) == end.get(..10);
    let until = if same_day { end.get(11..).unwrap_or_default() } else { &end };
    let took = length(session.last_event_at.since(session.started_at));
    format!("{start} to {until} UTC ({took}){}", if session.ended { ", ended" } else { "" })
}

fn what(figures: &Figures) -> String {
    let Figures { prompts, calls, failed, refused, interrupts, errors, ref agents, .. } = *figures;
    let mut asides = Vec::new();
    asides.extend((failed > 0).then(|| format!("{failed} failed")));
    asides.extend((refused > 0).then(|| format!("{refused} refused")));
    asides.extend((interrupts > 0).then(|| format!("{interrupts} interrupted")));
    let asides = if asides.is_empty() { String::new() } else { format!(" ({})", asides.join(", ")) };
    let mut parts = vec![counted(prompts, "turn"), format!("{}{asides}", counted(calls, "call"))];
    parts.extend((!agents.is_empty()).then(|| counted(agents.len(), "sub-agent")));
    parts.extend((errors > 0).then(|| counted(errors, "error")));
    let tokens = figures.tokens();
    let cached =
        if tokens.cache_read > 0 { format!(" ({} from a cache)", tokens.cache_read) } else { String::new() };
    let Tokens { input, output, .. } = tokens;
    parts.extend((!tokens.is_nothing()).then(|| format!("{input} tokens read{cached}, {output} written")));
    parts.join(", ")
}

/// A call is shown with its result; what automatic approval decided says nothing.
fn fact_lines(event: &SessionEvent, session: &Session) -> Vec<String> {
    let agent =
        if event.agent.is_empty() { String::new() } else { format!("[{}] ", one_line(&event.agent, 24)) };
    let said = |mark: &str, text: &str| vec![format!("  {mark} {agent}{}", one_line(text, LONGEST_TEXT))];
    match event.kind {
        Kind::Prompt => said(">", &event.text),
        Kind::Response if event.text.trim().is_empty() => Vec::new(),
        Kind::Response => said("<", &event.text),
        Kind::ToolCall => call_lines(event, session, &agent),
        Kind::ToolResult if session.of_call(Kind::ToolCall, &event.tool_call_id).is_some() => Vec::new(),
        Kind::ToolResult => {
            let tool = one_line(&event.tool, LONGEST_TOOL);
            vec![format!("  {} {agent}{tool} (call not seen)", mark(session.status_of(event)))]
        }
        Kind::Decision if is_interrupt(event) => said("!", "interrupted by the person"),
        Kind::Decision if event.decision == Decision::Reject => {
            let why = if event.text.is_empty() { String::new() } else { format!(": {}", event.text) };
            said("!", &format!("{} refused by {}{why}", event.tool, event.decision_source))
        }
        Kind::Feedback => said("*", &format!("{} {}", event.score.unwrap_or_default(), event.text)),
        Kind::SkillUse => said("+", &format!("skill {}", event.skill)),
        Kind::Error => said("!", &event.text),
        Kind::Decision | Kind::SessionStart | Kind::SessionEnd => Vec::new(),
    }
}

fn call_lines(call: &SessionEvent, session: &Session, agent: &str) -> Vec<String> {
    let result = session.of_call(Kind::ToolResult, &call.tool_call_id);
    let refused = session
        .of_call(Kind::Decision, &call.tool_call_id)
        .is_some_and(|decision| decision.decision == Decision::Reject);
    let status = result.map_or(Status::Unknown, |result| session.status_of(result));
    let outcome = if refused { "refused" } else { mark(status) };
    let (tool, argument) = (one_line(&call.tool, LONGEST_TOOL), argument(&call.input));
    let line = format!("  {outcome} {agent}{tool} {}", one_line(&argument, RIGHT));
    let took = result.map_or(0, |result| result.duration_us).max(call.duration_us);
    let took = if took > 0 { length(Duration::from_micros(took.unsigned_abs())) } else { String::new() };
    let mut lines = vec![ended_by(&line, &took)];
    if let Some(result) = result.filter(|result| status == Status::Error && !result.output.is_empty()) {
        lines.push(format!("          | {}", one_line(last_words(&result.output), LONGEST_TEXT)));
    }
    lines
}

const fn mark(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok     ",
        Status::Error => "failed ",
        Status::Unknown => "?      ",
    }
}

/// A line with a short word at its right end.
fn ended_by(line: &str, word: &str) -> String {
    if word.is_empty() {
        return line.to_owned();
    }
    let right = room().map_or(RIGHT, |room| room.min(RIGHT));
    let before = right.saturating_sub(width(word) + 2).max(20);
    // What one_line cuts it also trims: the indentation stays.
    let indentation = line.len() - line.trim_start().len();
    let line = format!("{}{}", " ".repeat(indentation), one_line(line, before - indentation));
    let blanks = right.saturating_sub(width(&line) + width(word)).max(2);
    format!("{line}{}{word}", " ".repeat(blanks))
}

/// A line of which no more is shown than the terminal has room for.
fn within(line: &str) -> String {
    let line = line.trim_end();
    room().map_or_else(|| line.to_owned(), |room| cut(line, room))
}

/// Words over as many lines as the terminal makes of them, the later ones indented as the first.
fn wrapped(text: &str, indentation: usize) -> String {
    let Some(room) = room() else { return text.to_owned() };
    let room = room.saturating_sub(indentation).max(20);
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split(' ').flat_map(|word| parted(word, room)) {
        if !line.is_empty() && width(&line) + 1 + width(word) > room {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines.join(&format!("\n{}", " ".repeat(indentation)))
}

/// `2026-11-22 09:30`
pub(super) fn minute(time: Timestamp) -> String {
    let text = time.to_string();
    text.get(..16).map_or(text.clone(), |minutes| minutes.replace('T', " "))
}

/// `09:30:12`
fn clock(time: Timestamp) -> String {
    time.to_string().get(11..19).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Fact, SessionSource};

    fn session(facts: Vec<(i64, SessionEvent)>) -> Session {
        let fact = |(second, event): (i64, SessionEvent)| {
            let timestamp = Timestamp::from_micros(second * 1_000_000);
            Fact { event: SessionEvent { timestamp, ..event }, event_ids: Vec::new() }
        };
        Session {
            tenant: "acme".into(),
            id: "s".into(),
            source: SessionSource::Attribute,
            workspace: "shop".into(),
            project: String::new(),
            user_id: String::new(),
            assistant: String::new(),
            started_at: Timestamp::from_micros(0),
            last_event_at: Timestamp::from_micros(9_000_000),
            last_ingested_at: Timestamp::from_micros(9_000_000),
            ended: false,
            facts: facts.into_iter().map(fact).collect(),
        }
    }

    fn said(text: &str) -> SessionEvent {
        SessionEvent { kind: Kind::Prompt, text: text.into(), ..SessionEvent::default() }
    }

    fn of_call(kind: Kind, call: &str) -> SessionEvent {
        SessionEvent { kind, tool: "Bash".into(), tool_call_id: call.into(), ..SessionEvent::default() }
    }

    #[test]
    fn a_result_after_the_next_prompt_is_shown_with_its_call() {
        let input = r#"{"command":"make all"}"#.to_owned();
        let result = SessionEvent { status: Status::Ok, ..of_call(Kind::ToolResult, "c1") };
        let shown = show(&session(vec![
            (1, said("Build it")),
            (2, SessionEvent { input, ..of_call(Kind::ToolCall, "c1") }),
            (4, said("Only the docs")),
            (6, result),
        ]));
        let lines: Vec<&str> = shown.lines().collect();
        let at = |text: &str| lines.iter().position(|line| line.contains(text)).unwrap();
        assert!(lines[at("make all")].starts_with("  ok "), "{shown}");
        assert!(at("make all") < at("Only the docs") && !shown.contains("call not seen"), "{shown}");
    }

    #[test]
    fn what_a_filter_hides_of_a_failure_and_what_a_person_did_is_shown() {
        let input = r#"{"command":"npx jest | tail -5"}"#.to_owned();
        let output = "Tests:       1 failed, 3 passed, 4 total".to_owned();
        let reject = |source: &str, event: SessionEvent| SessionEvent {
            decision: Decision::Reject,
            decision_source: source.into(),
            ..event
        };
        let shown = show(&session(vec![
            (1, said("Test it")),
            (2, SessionEvent { input, ..of_call(Kind::ToolCall, "c1") }),
            (3, SessionEvent { output, status: Status::Ok, ..of_call(Kind::ToolResult, "c1") }),
            (4, of_call(Kind::ToolCall, "c2")),
            (
                4,
                reject(
                    "user_reject",
                    SessionEvent { text: "not on Fridays".into(), ..of_call(Kind::Decision, "c2") },
                ),
            ),
            (5, reject("user_abort", SessionEvent { kind: Kind::Decision, ..SessionEvent::default() })),
        ]));
        assert!(shown.contains("(1 failed, 1 refused, 1 interrupted)"), "{shown}");
        assert!(shown.contains("  failed  Bash npx jest | tail -5"), "{shown}");
        assert!(shown.contains("refused by user_reject: not on Fridays"), "{shown}");
        assert!(shown.contains("! interrupted by the person"), "{shown}");
    }
}

//! Whether a line says what its claims count: their condition, the directive that silenced a finding, that two files only
//! may belong together. Who drops the condition says more than anybody counted.

use super::super::predicate::{Event, Predicate, Relation};
use super::mends::{directives, silences};
use super::spoken::leave;
use super::stems::stems;
use super::stood::{Stood, is_by_words};

/// A shorter part of a command says nothing of it.
const SHORTEST_TOKEN: usize = 3;
/// Words of commands that say nothing of them.
const COMMON: [&str; 4] = ["run", "the", "exec", "task"];
/// Words that begin a condition.
const CONDITIONS: [&str; 8] = ["when", "if", "after", "before", "once", "where", "for", "while"];

/// Whether a line says no more than all of its claims.
pub(super) fn is_faithful(text: &str, claims: &[&Stood]) -> bool {
    let all = |is_so: &dyn Fn(&Stood) -> bool| claims.iter().all(|one| is_so(one));
    all(&|one| names_its_condition(text, &one.when))
        && all(&|one| directives(&one.when).is_empty() || silences(text))
        && all(&|one| !one.loose || is_hedged(text, is_together(&one.when)))
        && !(all(&Stood::is_said) && waits_to_be_asked(text))
}

/// Whether it says that it is not always so.
fn is_hedged(text: &str, is_together: bool) -> bool {
    let lower = text.to_lowercase();
    lower.contains("whether")
        || (!is_together && ["usually", "mostly"].iter().any(|word| lower.contains(word)))
}

fn names_its_condition(text: &str, when: &Predicate) -> bool {
    let lower = text.to_lowercase();
    match &when.situation {
        Event::Edit { path, .. } | Event::Look { path, .. } => {
            let part = |part: &&str| !part.is_empty() && !part.contains(['*', '?', '{']);
            let mut named = path.rsplit('/').filter(part);
            named.next().is_none_or(|part| lower.contains(&part.to_lowercase()))
        }
        Event::Run { command, saying, .. } => {
            let is_word = |text: &&String| !text.contains(char::is_whitespace);
            let mut causes = saying.iter().filter(is_word).peekable();
            let is_cause = |cause: &String| lower.contains(&cause.to_lowercase());
            (causes.peek().is_none() || causes.any(is_cause) || saying.len() > 1)
                && names_a_part(&lower, &command.text)
        }
        Event::Prompt { saying, .. } if !saying.is_empty() && !is_by_words(when) => {
            let own: Vec<String> = stems(&lower).collect();
            let is_conditional = lower.split(|char: char| !char.is_alphanumeric());
            is_conditional.into_iter().any(|word| CONDITIONS.contains(&word))
                && saying.iter().flat_map(|text| stems(text)).any(|stem| own.contains(&stem))
        }
        Event::Prompt { .. } | Event::Search { .. } | Event::Want { .. } => true,
    }
}

/// Whether a text has a part of a command that tells it from others.
fn names_a_part(text: &str, command: &str) -> bool {
    let tokens = command.split(|char: char| !char.is_alphanumeric());
    let mut telling = tokens
        .filter(|token| token.len() >= SHORTEST_TOKEN && !COMMON.contains(&token.to_lowercase().as_str()))
        .peekable();
    telling.peek().is_none() || telling.any(|token| text.contains(&token.to_lowercase()))
}

impl Stood {
    /// Whether it counts what people say, where silence says nothing.
    pub(super) fn is_said(&self) -> bool {
        self.when.is_said()
    }

    /// Whether it states people's wishes rather than facts of the repository.
    pub(super) fn is_wanted(&self) -> bool {
        is_by_words(&self.when) || leave(&self.when).is_some()
    }
}

/// Whether it says of two files that they change together; of all files of a kind that says nothing.
pub(super) fn is_together(when: &Predicate) -> bool {
    let is_edit = |event: &&Event| matches!(event, Event::Edit { path, .. } if !path.contains('*'));
    when.relation != Relation::Before && when.expected.is_none() && {
        let events = when.events();
        events.len() == 2 && events.iter().all(is_edit)
    }
}

/// Whether a sentence says no more than that what people ask for is done when they ask for it.
fn waits_to_be_asked(text: &str) -> bool {
    const WHEN: [&str; 8] = [
        "when a person",
        "when people",
        "when somebody",
        "when someone",
        "when the user",
        "when asked",
        "if asked",
        "that a person hands",
    ];
    let text = text.to_lowercase();
    WHEN.iter().any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_condition_that_is_counted() {
        for (predicate, text, is_one) in [
            (
                r#"after prompt saying "the changelog" edit "CHANGELOG.md""#,
                "Add the change to `CHANGELOG.md`.",
                false,
            ),
            (
                r#"after prompt saying "the changelog" edit "CHANGELOG.md""#,
                "When a person speaks of the changelog, edit `CHANGELOG.md`.",
                true,
            ),
            (r#"after edit "web/styles.css" run "make css""#, "Run `make css` before a commit.", false),
            (
                r#"after edit "web/styles.css" run "make css""#,
                "After editing `web/styles.css`, run `make css`.",
                true,
            ),
            (r#"after edit "*.go" run "make lint""#, "Run `make lint`.", true),
            (
                r#"after fail "make lint" saying "errcheck" edit "*.go" expect pass "make lint""#,
                "Check the errors of calls, or `make lint` fails.",
                false,
            ),
            (
                r#"after fail "make lint" saying "errcheck" edit "*.go" expect pass "make lint""#,
                "Check the errors of calls: `make lint` rejects them as `errcheck`.",
                true,
            ),
            (r#"before run "git push ..." prompt saying "push""#, "Wait until a person has asked.", false),
        ] {
            assert_eq!(
                names_its_condition(text, &Predicate::parse(predicate).unwrap()),
                is_one,
                "{predicate}: {text}"
            );
        }
    }

    #[test]
    fn files_that_change_together_are_two_edits() {
        let is = |line: &str| is_together(&Predicate::parse(line).unwrap());
        assert!(is(r#"after edit "a.ts" edit "b.ts""#) && is(r#"with edit "a.ts" edit "b.ts""#));
        assert!(!is(r#"after edit "a.ts" run "make b""#) && !is(r#"after edit "a/*.ts" edit "b.ts""#));
    }
}

//! What a predicate says against statements of people: a command that does not work here, a path that is not there.

use crate::shell::command::single;

use super::ast::{Action, Ending, Event, Expected, Pattern, Predicate, Relation};
use super::matching::Compiled;

/// What a failure prints whose command can never work.
const NEVER_WORKS: [&str; 7] =
    ["unknown", "not found", "no such", "unrecognized", "unrecognised", "invalid option", "not installed"];

impl Predicate {
    /// The path that it says is not there.
    pub fn refuted_path(&self) -> Option<&str> {
        match (&self.situation, &self.action, &self.expected) {
            (Event::Look { path, .. }, None, Some(Expected::Missing)) if !path.contains(['*', '?', '{']) => {
                Some(path)
            }
            _ => None,
        }
    }

    /// Whether it says that a failure of a command ends when others run.
    pub(in super::super) fn repairs_by_runs(&self) -> bool {
        let runs = matches!(&self.action, Some(Action::Steps(steps))
            if steps.iter().all(|step| matches!(step, Event::Run { .. })));
        runs && matches!(&self.situation, Event::Run { ending: Ending::Fail, .. })
            && matches!(&self.expected, Some(Expected::Ends { passes: true, command: Some(_), .. }))
    }

    /// The same where nothing may change the work tree meanwhile.
    pub(in super::super) fn cleaned(&self) -> Self {
        let mut cleaned = self.clone();
        if let Some(Expected::Ends { clean, .. }) = &mut cleaned.expected {
            *clean = true;
        }
        cleaned
    }

    /// Whether it says that a command fails, whatever is done.
    pub(in super::super) fn expected_to_fail(&self) -> bool {
        self.action.is_none() && matches!(self.expected, Some(Expected::Ends { passes: false, .. }))
    }

    /// Whether it says of a path or a command that it is of no use here.
    pub fn refutes(&self) -> bool {
        self.refuted_path().is_some() || self.refuted().is_some()
    }

    /// Whether it says that this command line does not work here, or that people do not want it.
    pub fn refutes_command(&self, line: &str) -> bool {
        self.refuted().is_some_and(|(pattern, _)| self.is_run(pattern, line))
    }

    /// What to run instead of this command line, if it says so.
    pub fn instead_of(&self, line: &str) -> Option<String> {
        let (refuted, instead) = self.refuted()?;
        let instead = instead.filter(|instead| instead.more == refuted.more && is_plain(&instead.text))?;
        let rest = line.strip_prefix(refuted.text.as_str()).filter(|_| self.is_run(refuted, line))?;
        (rest.is_empty() || rest.starts_with(' ')).then(|| format!("{}{rest}", instead.text))
    }

    /// Every command and path that it names, as a text would write them: placeholders stand for what varies. A path
    /// without a folder means any file of its kind, so it is left out.
    pub fn named(&self) -> Vec<String> {
        let commands = self.commands().into_iter().map(|command| command.text.clone());
        let paths = self.paths().into_iter().filter(|path| path.contains('/')).map(str::to_owned);
        let mut named: Vec<String> = Vec::new();
        for text in commands.chain(paths) {
            let text = text.replace("**", "*").replace(['*', '?'], "{name}");
            if !named.contains(&text) {
                named.push(text);
            }
        }
        named
    }

    /// Whether this command line is one of its commands.
    pub fn names_command(&self, line: &str) -> bool {
        self.commands().into_iter().any(|pattern| self.is_run(pattern, line))
    }

    /// The texts that people say where it is about what they say and nothing else.
    pub fn said(&self) -> Vec<&str> {
        let events = self.events();
        if !events.iter().all(|event| event.is_of_a_person()) {
            return Vec::new();
        }
        self.sayings().into_iter().flatten().map(String::as_str).collect()
    }

    fn is_run(&self, pattern: &Pattern, line: &str) -> bool {
        single(line).is_some_and(|command| Compiled::of(self).runs(pattern, &command))
    }

    /// The command that it is against, and what works in its place.
    pub(in super::super) fn refuted(&self) -> Option<(&Pattern, Option<&Pattern>)> {
        let Event::Run { ending, command, .. } = &self.situation else { return None };
        if self.relation != Relation::After {
            return None;
        }
        match (ending, &self.action, &self.expected) {
            (_, None, Some(Expected::Refuse)) => Some((command, None)),
            (Ending::Any, None, Some(Expected::Ends { passes: false, command: None, saying, .. })) => {
                let never = |text: &String| {
                    let text = text.to_lowercase();
                    NEVER_WORKS.iter().any(|words| text.contains(words))
                };
                (saying.is_empty() || saying.iter().all(never)).then_some((command, None))
            }
            // A repaired command works afterwards; a replaced one does not.
            (
                Ending::Fail,
                Some(Action::Steps(steps)),
                Some(Expected::Ends { passes: true, command: None, .. }),
            ) => match steps.as_slice() {
                [Event::Run { command: instead, .. }] if instead != command => Some((command, Some(instead))),
                _ => None,
            },
            _ => None,
        }
    }
}

fn is_plain(text: &str) -> bool {
    !text.contains(['*', '{'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predicate(line: &str) -> Predicate {
        Predicate::parse(line).unwrap()
    }

    #[test]
    fn what_does_not_work_is_refuted_and_what_is_repaired_is_not() {
        for (line, command, refutes, instead) in [
            (r#"after run "gh pr diff --stat ..." expect fail"#, "gh pr diff 3 --stat", true, None),
            (r#"after run "gh pr diff --stat ..." expect fail"#, "gh pr diff 3", false, None),
            (r#"after run "make lint" expect fail saying "errcheck""#, "make lint", false, None),
            (r#"after run "rg ..." expect fail saying "command not found""#, "rg x", true, None),
            (r#"after run "git push --force ..." expect refuse"#, "git push --force origin", true, None),
            (
                r#"after fail "pytest ..." run "bin/test ..." within turn expect pass"#,
                "pytest a/b.py",
                true,
                Some("bin/test a/b.py"),
            ),
            (
                r#"after fail "make itest" run "make db-up" expect pass "make itest""#,
                "make itest",
                false,
                None,
            ),
            (r#"before run "git commit ..." prompt saying "commit""#, "git commit -m x", false, None),
        ] {
            let read = predicate(line);
            assert_eq!(read.refutes_command(command), refutes, "{line}");
            assert_eq!(read.instead_of(command).as_deref(), instead, "{line}");
        }
        let missing = predicate(r#"after look "src/commands" expect missing"#);
        assert_eq!(missing.refuted_path(), Some("src/commands"));
        assert_eq!(predicate(r#"after look "src/*.go" expect missing"#).refuted_path(), None);
    }

    #[test]
    fn what_a_predicate_names_is_told_as_a_text_would() {
        let named = |line: &str| predicate(line).named();
        assert_eq!(named(r#"after edit "*.go" run "make lint""#), ["make lint"]);
        assert_eq!(
            named(r#"after edit "src/**/*.ts" run "make lint""#),
            ["make lint", "src/{name}/{name}.ts"]
        );
        assert_eq!(
            predicate(r#"with prompt prompt saying "reuse" or "existing helper""#).said(),
            ["reuse", "existing helper"]
        );
        assert!(predicate(r#"before run "git commit ..." prompt saying "commit""#).said().is_empty());
    }
}

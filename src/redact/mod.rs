//! Redaction: credentials leave a text before it is written anywhere.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Redactor`]: all rules over one text |
//! | `rules.rs` | the rules for credentials with a known form, as data |
//! | `rule.rs` | [`RuleSpec`]: one rule, as written and compiled |
//! | `marks.rs` | one pass over a text for everything that a rule begins with |
//! | `assignment.rs`, `name.rs` | `KEY=value` where the key names a secret |
//! | `entropy.rs` | words that look drawn at random |
//! | `key.rs` | [`Key`]: what makes equal secrets comparable and nothing more |
//! | `text.rs` | words among escapes |
//!
//! A text is read twice, at memory speed: once for marks (the fixed beginnings of credentials, and
//! the names that are given secrets), once for long words. Patterns run only around marks, anchored.
//!
//! Invariants: redaction is a pure function of text and key. What it puts in a secret's place names the
//! rule, and a keyed hash of the secret: `[redacted:github-token:3f9a1c]`. The same secret has the same
//! placeholder wherever the same key is used; without the key, nothing about the secret can be tried
//! out. Redacting twice changes nothing more.

mod assignment;
mod entropy;
mod key;
mod marks;
mod name;
mod rule;
mod rules;
mod text;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

pub use key::{Key, KeyError};
pub use rule::{Check, Choice, RuleSpec, Start};

use marks::Marks;
use rule::Rule;
use rules::{ARGUMENTS, RULES};

/// The rule of values whose key names a secret.
const ASSIGNED: &str = "assigned-secret";
/// The rule of words that look drawn at random.
const HIGH_ENTROPY: &str = "high-entropy";

/// How every placeholder begins.
pub const PLACEHOLDER: &str = "[redacted:";
/// Names have up to 40 letters, and hashes a few.
const LONGEST_PLACEHOLDER: usize = 64;

/// Why rules cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Placeholders are made of names.
    #[error("a rule's name has up to 40 lower-case letters, digits and `-`, not {0:?}")]
    Name(String),
    /// A mark that stands everywhere is none.
    #[error("the rule {0} has an empty mark")]
    EmptyMark(String),
    /// The pattern is no regular expression, or one that cannot be used.
    #[error("the pattern of the rule {rule} cannot be used: {message}")]
    Pattern {
        /// The rule.
        rule: String,
        /// What is wrong with it.
        message: String,
    },
}

/// What is redacted besides credentials of known forms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Rules of the installation's own, applied before the built-in ones.
    pub rules: Vec<RuleSpec>,
    /// E-mail addresses too.
    pub emails: bool,
    /// The names in paths of home directories too.
    pub home_directories: bool,
}

/// The marks of the rules that are always on, and of names that are given secrets: one search for all
/// redactors of a process.
static ALWAYS: LazyLock<[Marks; 2]> = LazyLock::new(|| {
    let always = RULES.iter().enumerate().filter(|(_, rule)| rule.option == Choice::Always);
    let marks = always.flat_map(|(number, rule)| rule.marks.iter().map(move |mark| (*mark, number)));
    let (forms, arguments): (Vec<_>, Vec<_>) = marks.partition(|(_, number)| *number < ARGUMENTS);
    [Marks::new(forms), Marks::with_assignments(arguments, RULES.len())]
});

/// The rules, and a key.
///
/// Rules are numbered in order of precedence: the installation's own, those of this version, and the two
/// that are code.
#[derive(Debug, Clone)]
pub struct Redactor {
    own: Vec<Rule>,
    /// Rules without a mark: searched in every text.
    everywhere: Vec<usize>,
    /// The marks of rules that not everybody has.
    optional: Arc<Marks>,
    key: Key,
}

/// A secret in a text.
struct Finding {
    start: usize,
    end: usize,
    /// Place in `Redactor::rules`, or beyond it for the two rules that are code.
    rule: usize,
}

impl Redactor {
    /// The built-in rules and a random key: placeholders can be compared with each other, and with no
    /// other redactor's.
    ///
    /// # Errors
    /// None: rules of the installation's own are what can be wrong.
    pub fn built_in() -> Result<Self, Error> {
        Self::new(&Options::default(), Key::random())
    }

    /// The built-in rules and what `options` add.
    ///
    /// # Errors
    /// If a rule of the options cannot be used.
    pub fn new(options: &Options, key: Key) -> Result<Self, Error> {
        let is_wanted = |option: Choice| match option {
            Choice::Always => true,
            Choice::Emails => options.emails,
            Choice::HomeDirectories => options.home_directories,
        };
        let specs: Vec<&RuleSpec> = options.rules.iter().filter(|spec| is_wanted(spec.option)).collect();
        let own = specs.iter().map(|spec| Rule::compile(spec)).collect::<Result<Vec<_>, _>>()?;
        let built_in = (own.len()..).zip(&RULES);
        let optional = built_in.filter(|(_, rule)| rule.option != Choice::Always && is_wanted(rule.option));
        let marks = specs
            .iter()
            .enumerate()
            .flat_map(|(number, spec)| spec.marks.iter().map(move |mark| (mark.as_str(), number)))
            .chain(optional.flat_map(|(number, rule)| rule.marks.iter().map(move |mark| (*mark, number))));
        let optional = Arc::new(Marks::new(marks));
        let everywhere = (0..).zip(&specs).filter(|(_, spec)| spec.marks.is_empty());
        let everywhere = everywhere.map(|(number, _)| number).collect();
        Ok(Self { own, everywhere, optional, key })
    }

    /// The rule of a number; `None` for those that are code.
    fn rule(&self, number: usize) -> Option<&Rule> {
        let built_in = || RULES.get(number.checked_sub(self.own.len())?).map(|built_in| &built_in.rule);
        self.own.get(number).or_else(built_in)
    }

    fn rules(&self) -> usize {
        self.own.len() + RULES.len()
    }

    /// The text without credentials; borrowed if there are none.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.replace(text, self.findings(text, true))
    }

    /// An identifier without credentials: words that look drawn at random are what identifiers are. What
    /// has spaces or quotation marks is no identifier, wherever it stands.
    pub fn redact_identifier<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let is_text =
            text.bytes().any(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'='));
        self.replace(text, self.findings(text, is_text))
    }

    /// The value of an attribute or a JSON field without credentials: if the name is one of secrets,
    /// the whole value is one.
    pub fn redact_value<'t>(&self, name: &str, value: &'t str) -> Cow<'t, str> {
        if assignment::names_secret(name, value) {
            return Cow::Owned(self.placeholder(ASSIGNED, value));
        }
        self.redact(value)
    }

    /// Whether [`Redactor::redact`] would change the text.
    pub fn finds(&self, text: &str) -> bool {
        !self.findings(text, true).is_empty()
    }

    /// Every secret in the text, by place; they do not overlap.
    fn findings(&self, text: &str, random_words: bool) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut assigned_up_to = 0;
        let mut look = |rule: usize, at| {
            if rule < self.rules() {
                let found = self.rule(rule).and_then(|rule| rule.around(text, at));
                findings.extend(found.map(|(start, end)| Finding { start, end, rule }));
            } else if at >= assigned_up_to
                && let Some((start, end)) = assignment::assigned(text, at)
            {
                assigned_up_to = end;
                findings.push(Finding { start, end, rule });
            }
        };
        self.optional.for_each_hit(text, &mut look);
        for marks in ALWAYS.iter() {
            marks.for_each_hit(text, |rule, at| look(self.own.len() + rule, at));
        }
        for rule in &self.everywhere {
            self.find_everywhere(*rule, text, &mut findings);
        }
        if random_words {
            let rule = self.rules() + 1;
            entropy::random_words(text, |start, end| findings.push(Finding { start, end, rule }));
        }
        findings.retain(|found| {
            let secret = text.get(found.start..found.end).unwrap_or_default();
            !assignment::is_placeholder(secret) && !is_in_placeholder(text, found.start)
        });
        merge(findings)
    }

    fn find_everywhere(&self, rule: usize, text: &str, findings: &mut Vec<Finding>) {
        let mut from = 0;
        while let Some((start, end)) = self.rule(rule).and_then(|rule| rule.anywhere(text, from)) {
            findings.push(Finding { start, end, rule });
            from = end;
        }
    }

    fn replace<'t>(&self, text: &'t str, findings: Vec<Finding>) -> Cow<'t, str> {
        if findings.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut redacted = String::with_capacity(text.len() + findings.len() * 40);
        let mut from = 0;
        for Finding { start, end, rule } in findings {
            redacted.push_str(text.get(from..start).unwrap_or_default());
            redacted.push_str(&self.placeholder(self.name(rule), text.get(start..end).unwrap_or_default()));
            from = end;
        }
        redacted.push_str(text.get(from..).unwrap_or_default());
        Cow::Owned(redacted)
    }

    fn name(&self, rule: usize) -> &str {
        match self.rule(rule) {
            Some(rule) => &rule.name,
            None if rule == self.rules() => ASSIGNED,
            None => HIGH_ENTROPY,
        }
    }

    fn placeholder(&self, rule: &str, secret: &str) -> String {
        format!("{PLACEHOLDER}{rule}:{}]", self.key.tag(secret))
    }
}

/// Whether `at` is inside of what redaction put in a secret's place: some rules' names are names that
/// are given secrets.
fn is_in_placeholder(text: &str, at: usize) -> bool {
    let from = text.floor_char_boundary(at.saturating_sub(LONGEST_PLACEHOLDER));
    let before = text.get(from..at).unwrap_or_default();
    before.rfind(PLACEHOLDER).is_some_and(|start| before.get(start..).is_some_and(|name| !name.contains(']')))
}

/// What overlaps becomes one finding, under the name of the rule that comes first.
fn merge(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_unstable_by_key(|found| (found.start, found.rule));
    let mut merged: Vec<Finding> = Vec::with_capacity(findings.len());
    for found in findings {
        match merged.last_mut().filter(|last| found.start < last.end) {
            Some(last) => {
                last.end = last.end.max(found.end);
                last.rule = last.rule.min(found.rule);
            }
            None => merged.push(found),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_twice_for_marks() {
        assert_eq!(ALWAYS.iter().map(Marks::searches).sum::<usize>(), 2);
    }
}

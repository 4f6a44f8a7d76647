//! Redaction: credentials leave a text before it is written anywhere.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Redactor`]: all rules over one text |
//! | `search.rs` | one text: what is found in it, and what that may take |
//! | `finding.rs` | what is found in a text |
//! | `rules.rs` | the rules for credentials with a known form, as data |
//! | `rule.rs` | [`RuleSpec`]: one rule, as written and compiled |
//! | `pattern.rs`, `automaton.rs` | its pattern, and a search that counts what it looks at |
//! | `spares.rs` | the working memory of searches |
//! | `marks.rs`, `filter.rs` | one pass over a text for everything that a rule begins with |
//! | `assignment.rs`, `name.rs` | `KEY=value` where the key names a secret |
//! | `value.rs`, `judgement.rs` | where the value ends, and whether it is one |
//! | `indirect.rs` | values within an object, a call, the variables of a query |
//! | `spoken.rs`, `cells.rs`, `columns.rs`, `fed.rs` | secrets in sentences, in tables, fed to a program |
//! | `elsewhere.rs` | what a password is called in other languages, as data |
//! | `cut_key.rs` | private keys whose beginning was cut away |
//! | `runs.rs`, `words.rs`, `prefixes.rs` | long words: where they are, how credentials begin, as data |
//! | `entropy.rs` | words that look drawn at random |
//! | `key.rs` | [`Key`]: what makes equal secrets comparable and nothing more |
//! | `text.rs` | words among escapes |
//! | `escapes.rs` | escaped texts as what they mean |
//!
//! A text is read twice: once for marks (the fixed beginnings of credentials, and the names that are given
//! secrets), once for long words. Patterns run only around marks, anchored.
//!
//! Invariants: redaction is a pure function of text and key. It is linear in the text, whatever the text and
//! whatever the rules (`search.rs` says how, `linear_tests.rs` counts). What it puts in a secret's place names the
//! rule, and a keyed hash of the secret: `[redacted:github-token:3f9a1c]`. The same secret has the same
//! placeholder wherever the same key is used; without the key, nothing about the secret can be tried
//! out. Redacting twice changes nothing more.

mod assignment;
mod automaton;
mod cells;
mod columns;
mod cut_key;
mod elsewhere;
mod entropy;
mod escapes;
mod fed;
mod filter;
mod finding;
mod indirect;
mod judgement;
mod key;
#[cfg(test)]
mod linear_tests;
mod marks;
mod name;
mod pattern;
mod prefixes;
mod rule;
mod rules;
mod runs;
mod search;
mod spares;
mod spoken;
mod text;
mod value;
mod words;

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

pub use key::{Key, KeyError, create as create_secret};
pub use rule::{Check, Choice, RuleSpec, Start};

use finding::Finding;
use marks::Marks;
use rule::Rule;
use rules::RULES;
use search::Search;

/// The rule of values whose key names a secret.
const ASSIGNED: &str = "assigned-secret";
/// The rule of words that look drawn at random.
const HIGH_ENTROPY: &str = "high-entropy";
/// The rule of what could not be looked at.
const UNEXAMINED: &str = "unexamined";

/// How every placeholder begins.
pub const PLACEHOLDER: &str = "[redacted:";

/// So much of a text is seen behind the place where it is cut, to tell what stands there.
const BEHIND_A_CUT: usize = 4 << 10;
/// Shorter texts are looked at however late it is: they hold what an event is about.
const SHORT: usize = 4 << 10;

/// Why rules cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Placeholders are made of names.
    #[error("a rule's name has up to 40 lower-case letters, digits and `-`, not {0:?}")]
    Name(String),
    /// A mark that occurs everywhere is useless.
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

/// `sessionId`, `tool_use_id`, `session.id`, `id` and their like, whose values may be random words without being keys.
pub fn names_identifier(name: &str) -> bool {
    name == "id" || ["_id", ".id", "Id", "ID"].iter().any(|end| name.ends_with(end))
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
static ALWAYS: LazyLock<Marks> = LazyLock::new(|| {
    let always = RULES.iter().enumerate().filter(|(_, rule)| rule.option == Choice::Always);
    let marks = always.flat_map(|(number, rule)| rule.marks.iter().map(move |mark| (*mark, number)));
    Marks::with_assignments(marks, RULES.len())
});

/// The rules, and a key.
///
/// Rules are numbered in order of precedence: the installation's own, those of this version, and three that
/// are code: names that are given secrets, words that look drawn at random, and what could not be looked at.
#[derive(Debug, Clone)]
pub struct Redactor {
    own: Vec<Rule>,
    /// Rules without a mark: searched in every text.
    everywhere: Vec<usize>,
    /// The marks of rules that not everybody has.
    optional: Arc<Marks>,
    key: Key,
    hurry: Option<Hurry>,
}

/// Redaction that somebody waits for.
#[derive(Debug, Clone)]
struct Hurry {
    until: Instant,
    /// Texts that took longer.
    left_out: Arc<AtomicUsize>,
}

impl Hurry {
    fn is_late(&self) -> bool {
        Instant::now() >= self.until
    }
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
        Ok(Self { own, everywhere, optional, key, hurry: None })
    }

    /// The same, for somebody who waits: a longer text whose secrets are not found by `until` becomes a
    /// placeholder as a whole.
    #[must_use]
    pub fn until(self, until: Instant) -> Self {
        Self { hurry: Some(Hurry { until, left_out: Arc::default() }), ..self }
    }

    /// How many texts became placeholders because time was up, by this redactor and its clones.
    pub fn left_out(&self) -> usize {
        self.hurry.as_ref().map_or(0, |hurry| hurry.left_out.load(Ordering::Relaxed))
    }

    /// The rule of a number; `None` for those that are code.
    fn rule(&self, number: usize) -> Option<&Rule> {
        let built_in = || RULES.get(number.checked_sub(self.own.len())?).map(|built_in| &built_in.rule);
        self.own.get(number).or_else(built_in)
    }

    /// The number of the rule of names that are given secrets.
    fn rules(&self) -> usize {
        self.own.len() + RULES.len()
    }

    fn high_entropy(&self) -> usize {
        self.rules() + 1
    }

    fn unexamined(&self) -> usize {
        self.rules() + 2
    }

    /// The text without credentials; borrowed if there are none.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.replace(text, self.findings(text, true), text.len())
    }

    /// What [`Redactor::redact`] makes of the first `limit` bytes of the text, where the rest is not wanted.
    /// Of a secret that goes on behind them nothing is left.
    pub fn redact_up_to<'t>(&self, text: &'t str, limit: usize) -> Cow<'t, str> {
        let limit = text.floor_char_boundary(limit);
        let seen = text.floor_char_boundary(limit.saturating_add(BEHIND_A_CUT));
        let mut findings = self.findings(text.get(..seen).unwrap_or(text), true);
        findings.retain(|found| found.start < limit);
        self.replace(text, findings, limit)
    }

    /// An identifier without credentials: words that look drawn at random are what identifiers are. What
    /// has spaces or quotation marks is no identifier, wherever it stands.
    pub fn redact_identifier<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let is_text =
            text.bytes().any(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'='));
        self.replace(text, self.findings(text, is_text), text.len())
    }

    /// The value of an attribute or a JSON field without credentials: if the name is one of secrets,
    /// the whole value is one.
    pub fn redact_value<'t>(&self, name: &str, value: &'t str) -> Cow<'t, str> {
        self.redact_value_up_to(name, value, value.len())
    }

    /// The same for the first `limit` bytes of a value, as [`Redactor::redact_up_to`].
    pub fn redact_value_up_to<'t>(&self, name: &str, value: &'t str, limit: usize) -> Cow<'t, str> {
        if assignment::names_secret(name, value) {
            return Cow::Owned(self.placeholder(ASSIGNED, value));
        }
        self.redact_up_to(value, limit)
    }

    /// Whether [`Redactor::redact`] would change the text.
    pub fn finds(&self, text: &str) -> bool {
        !self.findings(text, true).is_empty()
    }

    /// How many bytes redaction looks at, each counted as often as it is looked at. It grows with the length
    /// of the text alone, whatever stands in it.
    pub fn steps(&self, text: &str) -> usize {
        let steps = |text: &str| {
            let mut search = Search::new(self, text);
            search.run(true);
            search.steps()
        };
        steps(text)
            + escapes::views(text).iter().map(|view| view.text.len() + steps(&view.text)).sum::<usize>()
    }

    /// Every secret, by place; they do not overlap.
    fn findings(&self, text: &str, random_words: bool) -> Vec<Finding> {
        let mut late = false;
        let mut found = |text: &str| {
            let mut search = Search::new(self, text);
            search.run(random_words);
            late |= search.is_late();
            search.findings()
        };
        let mut findings = found(text);
        for view in escapes::views(text) {
            let placed = |found: Finding| Finding {
                start: view.place(found.start),
                end: view.place(found.end),
                ..found
            };
            findings.extend(found(&view.text).into_iter().map(placed));
        }
        if let Some(hurry) = self.hurry.as_ref().filter(|_| late) {
            hurry.left_out.fetch_add(1, Ordering::Relaxed);
            return vec![Finding { start: 0, end: text.len(), rule: self.unexamined(), name: None }];
        }
        search::merge(findings, self.unexamined())
    }

    /// The first `limit` bytes with placeholders for what was found in them.
    fn replace<'t>(&self, text: &'t str, findings: Vec<Finding>, limit: usize) -> Cow<'t, str> {
        if findings.is_empty() {
            return Cow::Borrowed(text.get(..limit).unwrap_or(text));
        }
        let mut redacted = String::with_capacity(limit.min(text.len()) + findings.len() * 40);
        let mut from = 0;
        for Finding { start, end, rule, name } in findings {
            let name = name.unwrap_or_else(|| self.name(rule));
            redacted.push_str(text.get(from..start).unwrap_or_default());
            redacted.push_str(&self.placeholder(name, text.get(start..end).unwrap_or_default()));
            from = end;
        }
        redacted.push_str(text.get(from..limit).unwrap_or_default());
        Cow::Owned(redacted)
    }

    fn name(&self, rule: usize) -> &str {
        match self.rule(rule) {
            Some(rule) => &rule.name,
            None if rule == self.rules() => ASSIGNED,
            None if rule == self.high_entropy() => HIGH_ENTROPY,
            None => UNEXAMINED,
        }
    }

    fn placeholder(&self, rule: &str, secret: &str) -> String {
        format!("{PLACEHOLDER}{rule}:{}]", self.key.tag(secret))
    }
}

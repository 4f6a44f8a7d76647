//! One kind of credential: how it is written down, and how it is recognised around a mark.

use std::borrow::Cow;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use regex_automata::meta::{BuildError, Regex};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};
use serde::Deserialize;

use super::Error;
use super::assignment::stands_for_a_secret;
use super::text::{begins_word, word_start};

/// The group of a pattern that is the secret.
const SECRET: &str = "secret";
/// A pattern that would need more memory than this is refused.
const SIZE_LIMIT: usize = 8 << 20;

/// A rule as it is written down in a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// What the placeholder says: lower-case letters, digits and `-`.
    pub name: String,
    /// Texts of which one stands in every match. The pattern is tried only where one of them stands;
    /// without any, it is searched in the whole text, which costs more than all other rules together.
    #[serde(default)]
    pub marks: Vec<String>,
    /// A regular expression; its group `secret`, or all of it, is the secret.
    pub pattern: String,
    /// Where a match begins.
    #[serde(default)]
    pub start: Start,
    /// Whether a match begins a word: `sk-…` does, the same letters inside `task-…` do not.
    #[serde(default)]
    pub word: bool,
    /// What the secret must look like besides.
    #[serde(default)]
    pub check: Check,
    /// The option without which the rule is off.
    #[serde(default)]
    pub option: Choice,
    /// Why the rule is as it is.
    #[serde(default)]
    pub about: String,
}

/// Where a match begins, seen from its mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Start {
    /// At the mark.
    #[default]
    Mark,
    /// At the beginning of the word that the mark stands in or behind.
    Word,
}

/// What a secret must look like besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// Anything.
    #[default]
    None,
    /// A digit, or letters of both cases behind the first: no word of a language.
    Mixed,
    /// Base64 of `user:password`.
    Basic,
    /// What a person may have chosen: no port, and no word that stands for a password.
    Chosen,
}

/// What is redacted only if it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Always.
    #[default]
    Always,
    /// With `emails: true`.
    Emails,
    /// With `home_directories: true`.
    HomeDirectories,
}

/// A rule that comes with this version.
#[derive(Debug)]
pub(super) struct BuiltIn {
    pub(super) rule: Rule,
    pub(super) marks: &'static [&'static str],
    pub(super) option: Choice,
}

impl BuiltIn {
    /// A rule whose pattern is compiled when its mark is first seen: most texts have none of most marks,
    /// and a process that redacts one text is not to pay for all patterns. A test compiles each of them.
    pub(super) const fn new(
        name: &'static str,
        marks: &'static [&'static str],
        pattern: &'static str,
    ) -> Self {
        let rule = Rule {
            name: Cow::Borrowed(name),
            pattern: Cow::Borrowed(pattern),
            regex: OnceLock::new(),
            start: Start::Mark,
            word: false,
            check: Check::None,
        };
        Self { rule, marks, option: Choice::Always }
    }

    /// Its match begins with the word that the mark stands in or behind.
    pub(super) const fn at_word_start(mut self) -> Self {
        self.rule.start = Start::Word;
        self
    }

    /// Its match begins a word.
    pub(super) const fn a_word(mut self) -> Self {
        self.rule.word = true;
        self
    }

    pub(super) const fn checked(mut self, check: Check) -> Self {
        self.rule.check = check;
        self
    }

    pub(super) const fn only_with(mut self, option: Choice) -> Self {
        self.option = option;
        self
    }
}

/// A rule that can be applied.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) name: Cow<'static, str>,
    pub(super) pattern: Cow<'static, str>,
    regex: OnceLock<Option<Regex>>,
    start: Start,
    word: bool,
    check: Check,
}

impl Rule {
    pub(super) fn compile(spec: &RuleSpec) -> Result<Self, Error> {
        let regex = OnceLock::from(Some(checked(&spec.name, &spec.marks, &spec.pattern)?));
        let RuleSpec { start, word, check, .. } = *spec;
        let (name, pattern) = (spec.name.clone().into(), spec.pattern.clone().into());
        Ok(Self { name, pattern, regex, start, word, check })
    }

    /// The pattern, compiled; always there, because every pattern compiles.
    fn regex(&self) -> Option<&Regex> {
        self.regex.get_or_init(|| compile(&self.pattern).ok()).as_ref()
    }

    /// The secret around a mark of this rule that stands at `mark`.
    pub(super) fn around(&self, text: &str, mark: usize) -> Option<(usize, usize)> {
        let start = match self.start {
            Start::Mark => mark,
            Start::Word => first_letter(text.as_bytes(), word_start(text.as_bytes(), mark), mark),
        };
        if self.word && !begins_word(text.as_bytes(), start) {
            return None;
        }
        self.matched(text, Input::new(text).range(start..).anchored(Anchored::Yes))
    }

    /// The first secret at or behind `from`, wherever it stands.
    pub(super) fn anywhere(&self, text: &str, from: usize) -> Option<(usize, usize)> {
        self.matched(text, Input::new(text).range(from..))
    }

    fn matched(&self, text: &str, input: Input<'_>) -> Option<(usize, usize)> {
        // Most places are none; finding that out needs no groups.
        let regex = self.regex()?;
        regex.search_half(&input)?;
        let mut captures = regex.create_captures();
        regex.search_captures(&input, &mut captures);
        let whole = captures.get_match()?;
        let secret = captures.get_group_by_name(SECRET).unwrap_or(whole.span());
        let found = text.get(secret.start..secret.end)?;
        (!found.is_empty() && self.check.passes(found)).then_some((secret.start, secret.end))
    }
}

/// The pattern of a rule that can be applied.
pub(super) fn checked(name: &str, marks: &[impl AsRef<str>], pattern: &str) -> Result<Regex, Error> {
    let named = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
    if name.is_empty() || name.len() > 40 || !name.chars().all(named) {
        return Err(Error::Name(name.to_owned()));
    }
    if marks.iter().any(|mark| mark.as_ref().is_empty()) {
        return Err(Error::EmptyMark(name.to_owned()));
    }
    let failed = |message: String| Error::Pattern { rule: name.to_owned(), message };
    let regex = compile(pattern).map_err(|error| failed(error.to_string()))?;
    if regex.is_match("") {
        return Err(failed("it matches the empty text".to_owned()));
    }
    Ok(regex)
}

fn compile(pattern: &str) -> Result<Regex, Box<BuildError>> {
    Regex::builder()
        .syntax(syntax::Config::new().utf8(true))
        .configure(Regex::config().nfa_size_limit(Some(SIZE_LIMIT)))
        .build(pattern)
        .map_err(Box::new)
}

/// Words may stand behind what joins names: the `-` of a patch, a flag.
fn first_letter(bytes: &[u8], start: usize, mark: usize) -> usize {
    let word = bytes.get(start..mark).unwrap_or_default();
    start + word.iter().take_while(|byte| !byte.is_ascii_alphanumeric()).count()
}

impl Check {
    fn passes(self, secret: &str) -> bool {
        match self {
            Self::None => true,
            Self::Mixed => is_mixed(secret),
            Self::Basic => is_basic(secret),
            Self::Chosen => is_chosen(secret),
        }
    }
}

/// A digit, or letters of both cases behind the first.
pub(super) fn is_mixed(text: &str) -> bool {
    let rest = text.as_bytes().get(1..).unwrap_or_default();
    text.bytes().any(|byte| byte.is_ascii_digit())
        || (rest.iter().any(u8::is_ascii_uppercase) && rest.iter().any(u8::is_ascii_lowercase))
}

fn is_chosen(text: &str) -> bool {
    let text = text.trim_end_matches([';', ')', ',']);
    let port = |part: &str| (1..=5).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let ports = text.split_once('/').map_or(text, |(ports, _)| ports);
    !ports.rsplit(':').next().is_some_and(port) && !stands_for_a_secret(text)
}

fn is_basic(text: &str) -> bool {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);
    STANDARD.decode(text).is_ok_and(|bytes| {
        bytes.contains(&b':') && bytes.iter().all(|byte| (0x20..0x7f).contains(byte) || *byte >= 0x80)
    })
}

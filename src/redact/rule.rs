//! One kind of credential: how it is written down, and how it is recognised around a mark.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::Error;
use super::automaton::{Automaton, Found, Fuel, Spent};
use super::judgement::stands_for_a_secret;
use super::pattern::{self, MOST_PLACES};
use super::spoken::looks_drawn;
use super::text::{begins_word, is_mixed, word_start};
use super::value;

/// A rule as it is written down in a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// What the placeholder says: lower-case letters, digits and `-`.
    pub name: String,
    /// Texts of which every match contains one. The pattern is tried only near one of them. Without any, it is
    /// searched in the whole text, which costs more than all other rules together.
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
    /// What the secret must look like in addition.
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
    /// What a person may have chosen: no port, and no word that only represents a password.
    Chosen,
    /// Letters with digits or signs, as no word of a language and no name of a thing is written.
    Drawn,
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

/// What has to stand behind a mark before the pattern is tried: marks of some rules stand in ordinary text, and one look
/// at what follows tells most of them from secrets. It asks for no more than the pattern does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// Nothing.
    Nothing,
    /// A quotation mark, or the backslash before it, where the name ends that the mark stands in.
    QuoteBehindName,
    /// The `@` behind the login of a URL.
    LoginOfUrl,
}

/// Names and logins of more ASCII letters match no pattern that needs one.
const LONGEST_NEEDED_NAME: usize = 100;
const LONGEST_NEEDED_LOGIN: usize = 410;

impl Needs {
    /// Whether it stands behind the mark at `mark`, or may do so: letters that are not ASCII are left to the pattern.
    fn are_met(self, text: &[u8], mark: usize, fuel: &mut Fuel) -> Result<bool, Spent> {
        let rest = text.get(mark..).unwrap_or_default();
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(byte);
        let is_login =
            |byte: &u8| byte.is_ascii() && !byte.is_ascii_whitespace() && !b"/?#\"'<>@".contains(byte);
        let length = match self {
            Self::Nothing => return Ok(true),
            Self::QuoteBehindName => {
                rest.iter().take(LONGEST_NEEDED_NAME).take_while(|byte| is_name(byte)).count()
            }
            Self::LoginOfUrl => {
                let login = rest.iter().skip(URL_MARK.len()).take(LONGEST_NEEDED_LOGIN);
                URL_MARK.len() + login.take_while(|byte| is_login(byte)).count()
            }
        };
        fuel.burn(length)?;
        Ok(match (self, rest.get(length)) {
            (_, None) => false,
            (_, Some(0x80..)) => true,
            (Self::LoginOfUrl, Some(byte)) => *byte == b'@',
            (_, Some(byte)) => matches!(byte, b'"' | b'\\'),
        })
    }
}

/// The mark of URLs.
const URL_MARK: &str = "://";

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
            automaton: OnceLock::new(),
            start: Start::Mark,
            word: false,
            check: Check::None,
            needs: Needs::Nothing,
            argument: false,
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

    /// Its match has a name around the mark, and a quotation mark behind that.
    pub(super) const fn of_quoted_name(mut self) -> Self {
        self.rule.needs = Needs::QuoteBehindName;
        self
    }

    /// Its mark is [`URL_MARK`], and its match goes on to an `@`.
    pub(super) const fn of_url_login(mut self) -> Self {
        self.rule.needs = Needs::LoginOfUrl;
        self
    }

    /// Its secret is a word of a command line, and goes on as far as that does.
    pub(super) const fn argument(mut self) -> Self {
        self.rule.argument = true;
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
    automaton: OnceLock<Option<Arc<Automaton>>>,
    start: Start,
    word: bool,
    check: Check,
    needs: Needs,
    argument: bool,
}

impl Rule {
    pub(super) fn compile(spec: &RuleSpec) -> Result<Self, Error> {
        let automaton = checked(&spec.name, &spec.marks, &spec.pattern)?;
        let automaton = OnceLock::from(Some(Arc::new(automaton)));
        let RuleSpec { start, word, check, .. } = *spec;
        let (name, pattern) = (spec.name.clone().into(), spec.pattern.clone().into());
        Ok(Self { name, pattern, automaton, start, word, check, needs: Needs::Nothing, argument: false })
    }

    /// The pattern, compiled; always there, because every pattern compiles.
    fn automaton(&self) -> Option<&Automaton> {
        let compile = || Automaton::new(&pattern::parsed(&self.pattern).ok()?, false, 1).ok().map(Arc::new);
        self.automaton.get_or_init(compile).as_deref()
    }

    /// The secret around a mark of this rule that stands at `mark`.
    pub(super) fn around(&self, text: &str, mark: usize, fuel: &mut Fuel) -> Result<Option<Found>, Spent> {
        if !self.needs.are_met(text.as_bytes(), mark, fuel)? {
            return Ok(None);
        }
        let start = match self.start {
            Start::Mark => mark,
            Start::Word => first_letter(text.as_bytes(), word_start(text.as_bytes(), mark), mark),
        };
        fuel.burn(mark - start)?;
        if self.word && !begins_word(text.as_bytes(), start) {
            return Ok(None);
        }
        let Some(automaton) = self.automaton() else { return Ok(None) };
        let found = automaton.at(text, start, fuel)?;
        let found = found.filter(|found| self.passes(text, found));
        match found.filter(|_| self.argument) {
            None => Ok(found),
            Some(found) => {
                let end = value::end_of_word(text, found);
                fuel.burn(end - found.start)?;
                Ok(Some(Found { end, ..found }))
            }
        }
    }

    /// The first match at or behind `from`, wherever it stands, and whether it is a secret.
    pub(super) fn anywhere(
        &self,
        text: &str,
        from: usize,
        fuel: &mut Fuel,
    ) -> Result<Option<(Found, bool)>, Spent> {
        let Some(automaton) = self.automaton() else { return Ok(None) };
        let found = automaton.behind(text, from, fuel)?;
        Ok(found.map(|found| (found, self.passes(text, &found))))
    }

    fn passes(&self, text: &str, found: &Found) -> bool {
        let secret = text.get(found.start..found.end).unwrap_or_default();
        !secret.is_empty() && self.check.passes(secret)
    }
}

/// The pattern of an installation's own rule, compiled.
pub(super) fn checked(name: &str, marks: &[impl AsRef<str>], written: &str) -> Result<Automaton, Error> {
    let named = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
    if name.is_empty() || name.len() > 40 || !name.chars().all(named) {
        return Err(Error::Name(name.to_owned()));
    }
    if marks.iter().any(|mark| mark.as_ref().is_empty()) {
        return Err(Error::EmptyMark(name.to_owned()));
    }
    let failed = |message: String| Error::Pattern { rule: name.to_owned(), message };
    let parsed = pattern::parsed(written).map_err(failed)?;
    let places = pattern::places(&parsed);
    if places > MOST_PLACES {
        return Err(failed(format!(
            "its repetitions make {places} places, and every byte of a text may touch each of them; make the \
             numbers in `{{…}}` smaller, or write `+` or `*`, until there are at most {MOST_PLACES}"
        )));
    }
    if parsed.properties().minimum_len() == Some(0) {
        return Err(failed("it matches the empty text".to_owned()));
    }
    Automaton::new(&parsed, marks.is_empty(), pattern::weight(places)).map_err(failed)
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
            Self::Drawn => is_chosen(secret) && is_mixed_twice(secret) && looks_drawn(secret),
        }
    }
}

/// More than a number behind a word.
fn is_mixed_twice(text: &str) -> bool {
    let cases = text.bytes().any(|byte| byte.is_ascii_uppercase())
        && text.bytes().any(|byte| byte.is_ascii_lowercase());
    cases || text.bytes().filter(u8::is_ascii_digit).count() > 1
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::rules::RULES;
    use super::*;

    proptest! {
        #[test]
        fn a_rule_needs_no_more_than_its_pattern(
            parts in prop::collection::vec(prop::sample::select(vec![
                "sess", "SESSION", "id", "sid", "_auth", "xsrf", "remember_", "\u{17f}", "\u{e9}", "\"", "\\", "\",", "\", ",
                " ", "\n", "value", "\"value\": \"", "aB3dE5fG7hI9jK1lM3nO5", "https", "://", ":", "@", "/", "?", "host", ".",
            ]), 0..24),
            name in "[a-z0-9_.]{0,60}",
            end in prop::sample::select(vec!["\",\"value\":\"aB3dE5fG7hI9jK1lM3nO5\"", ":pa5sWord@host/", "aB3dE5fG7hI9jK1lM3nO5@x"]),
        ) {
            let text = parts.concat();
            for text in [format!("{text}{name}sess{name}{end}"), format!("{text} a://{name}{end}"), text] {
                for BuiltIn { rule, marks, .. } in RULES.iter().filter(|built_in| built_in.rule.needs != Needs::Nothing) {
                    let without = Rule { needs: Needs::Nothing, ..rule.clone() };
                    for (at, _) in marks.iter().flat_map(|mark| text.match_indices(mark)) {
                        let found = |rule: &Rule| rule.around(&text, at, &mut Fuel::new(1 << 20));
                        prop_assert_eq!(found(rule), found(&without), "{} at {} in {:?}", rule.name, at, text);
                    }
                }
            }
        }
    }

    #[test]
    fn what_rules_need_stands_behind_their_marks() {
        for (text, name) in [
            (r#""name":"connect.session_id","value":"aB3dE5fG7hI9jK1lM3nO5""#, "cookie"),
            ("https://bob:pa5sWord9@host/", "url-password"),
            ("https://aB3dE5fG7hI9jK1lM3nO5@host/", "url-token"),
        ] {
            let mut rules = RULES.iter().filter(|built_in| built_in.rule.needs != Needs::Nothing);
            let rule = rules.find(|built_in| built_in.rule.name == name).unwrap();
            let at = rule.marks.iter().find_map(|mark| text.find(mark)).unwrap();
            assert!(rule.rule.around(text, at, &mut Fuel::new(1 << 20)).unwrap().is_some(), "{name}");
        }
    }
}

//! Parameters: what stands in a template for what varies from run to run.

use std::fmt;
use std::sync::LazyLock;

use regex::Regex;

use super::version::version_in;
use crate::shell::command::looks_like_file;
use crate::shell::flag::is_flag;

/// What kind of word varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::skillify) enum Kind {
    /// A version number such as `1.4.2`.
    Version,
    /// A day, with or without a time: `2026-10-01`.
    Date,
    /// Digits.
    Number,
    /// The hash of a commit, whole or shortened.
    Sha,
    /// A file or a folder.
    Path,
    /// Any other single word.
    Name,
    /// A quoted text.
    Text,
}

/// A parameter of a template: equal parameters of one template hold the same in a run, others need not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::skillify) struct Parameter {
    /// What fills it.
    pub(in crate::skillify) kind: Kind,
    /// Counts the parameters of one kind, from 1.
    pub(in crate::skillify) number: u8,
}

static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let day = r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])";
    Regex::new(&format!(r"^{day}(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$")).ok()
});

impl Kind {
    /// Those that say most come first.
    pub(in crate::skillify) const ALL: [Self; 7] =
        [Self::Version, Self::Date, Self::Number, Self::Sha, Self::Path, Self::Name, Self::Text];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Date => "date",
            Self::Number => "number",
            Self::Sha => "sha",
            Self::Path => "path",
            Self::Name => "name",
            Self::Text => "text",
        }
    }

    /// Whether the text can fill such a parameter.
    pub(super) fn admits(self, text: &str) -> bool {
        let is_word = || !text.is_empty() && !text.contains(char::is_whitespace);
        match self {
            Self::Version => {
                version_in(text).is_some_and(|(before, after)| before.is_empty() && after.is_empty())
            }
            Self::Date => {
                let may_be = text.len() >= 10 && text.as_bytes().get(4) == Some(&b'-');
                may_be && DATE.as_ref().is_some_and(|date| date.is_match(text))
            }
            Self::Number => !text.is_empty() && text.chars().all(|char| char.is_ascii_digit()),
            Self::Sha => {
                (7..=64).contains(&text.len())
                    && text.chars().any(|char| char.is_ascii_digit())
                    && text.chars().all(|char| matches!(char, '0'..='9' | 'a'..='f'))
            }
            Self::Path => looks_like_file(text) && is_word() && !is_flag(text),
            Self::Name => is_word() && !is_flag(text),
            Self::Text => !text.is_empty(),
        }
    }

    /// The kind of parameter that all of the texts can fill, the most telling one.
    pub(in crate::skillify) fn of_all(texts: &[&str]) -> Option<Self> {
        let is_number = |text: &&str| Self::Number.admits(text);
        Self::ALL.into_iter().find(|kind| match kind {
            // Hashes that are all digits are numbers.
            Self::Sha if texts.iter().all(is_number) => false,
            Self::Version if texts.iter().all(|text| is_address(text)) => false,
            kind => texts.iter().all(|text| kind.admits(text)),
        })
    }
}

/// Whether it is the address of a machine rather than a version of four numbers.
pub(in crate::skillify) fn is_address(text: &str) -> bool {
    text.parse::<std::net::Ipv4Addr>().is_ok()
}

impl Parameter {
    /// The first parameter of its kind.
    pub(in crate::skillify) const fn first(kind: Kind) -> Self {
        Self { kind, number: 1 }
    }

    /// The parameter that is written so, without its braces.
    pub(in crate::skillify) fn parse(text: &str) -> Option<Self> {
        let name = text.trim_end_matches(|char: char| char.is_ascii_digit());
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == name)?;
        let parameter = match text.get(name.len()..)? {
            "" => Self::first(kind),
            number => Self { kind, number: number.parse().ok().filter(|number| *number > 1)? },
        };
        (parameter.to_string().trim_matches(['{', '}']) == text).then_some(parameter)
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.kind.as_str();
        if self.number > 1 { write!(f, "{{{name}{}}}", self.number) } else { write!(f, "{{{name}}}") }
    }
}

//! The command line of a hook.

use std::env::VarError;
use std::ffi::OsString;

use clap::{Args, Parser};

use super::ENDPOINT;

const ENDPOINT_VARIABLE: &str = "SKILLSPAN_ENDPOINT";

/// The command line of a hook, without the subcommands of all others: making those takes longer than
/// keeping the event.
#[derive(Debug, Parser)]
#[command(name = "skillspan hook", bin_name = "skillspan hook")]
struct Alone {
    #[command(flatten)]
    arguments: Arguments,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(in crate::cli) struct Arguments {
    /// Whose hook calls: claude, cline, copilot, cursor, hermes or pi
    #[arg(value_name = "ASSISTANT")]
    pub(super) assistant: String,
    /// The base of the collector's HTTP addresses
    #[arg(long, value_name = "URL", env = ENDPOINT_VARIABLE, default_value = ENDPOINT)]
    pub(super) endpoint: String,
    /// Say on standard error what happened
    #[arg(long, short)]
    pub(super) verbose: bool,
}

impl Arguments {
    /// Of the words behind `skillspan hook`.
    pub(super) fn parse(words: impl Iterator<Item = OsString> + Clone) -> Result<Self, clap::Error> {
        match Self::of_plain(words.clone(), std::env::var(ENDPOINT_VARIABLE)) {
            Some(arguments) => Ok(arguments),
            None => Alone::try_parse_from(std::iter::once("skillspan hook".into()).chain(words))
                .map(|Alone { arguments }| arguments),
        }
    }

    /// Of words as nearly every hook has them. Reading those with the parser that knows the rest takes
    /// a twentieth of the whole process; what it alone can read, or has to refuse, is `None`.
    fn of_plain(words: impl Iterator<Item = OsString>, variable: Result<String, VarError>) -> Option<Self> {
        let mut words = words.map(|word| word.into_string().ok());
        let (mut assistant, mut endpoint, mut verbose) = (None, None, false);
        while let Some(word) = words.next() {
            let word = word?;
            match word.as_str() {
                "--verbose" | "-v" if !verbose => verbose = true,
                "--endpoint" if endpoint.is_none() => {
                    endpoint = Some(words.next()??).filter(|url| !url.starts_with('-'));
                    endpoint.as_ref()?;
                }
                _ if word.starts_with('-') || assistant.is_some() => return None,
                _ => assistant = Some(word),
            }
        }
        let endpoint = match (endpoint, variable) {
            (Some(endpoint), _) | (None, Ok(endpoint)) => endpoint,
            (None, Err(VarError::NotPresent)) => ENDPOINT.to_owned(),
            (None, Err(VarError::NotUnicode(_))) => return None,
        };
        Some(Self { assistant: assistant?, endpoint, verbose })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn plain_words_mean_what_the_parser_reads(
            words in prop::collection::vec(
                "claude|pi|--verbose|-v|-vv|--endpoint|--endpoint=http://b|http://a|--|-|--help||[a-z-]{0,4}",
                0..5,
            ),
        ) {
            let words = words.iter().map(OsString::from);
            if let Some(plain) = Arguments::of_plain(words.clone(), Err(VarError::NotPresent)) {
                let all = std::iter::once("skillspan hook".into()).chain(words);
                let parsed = Alone::try_parse_from(all).map(|alone| alone.arguments);
                prop_assert_eq!(Some(plain), parsed.ok());
            }
        }
    }

    #[test]
    fn what_hooks_are_written_with_is_plain() {
        let plain = |words: &str, variable: Result<String, VarError>| {
            Arguments::of_plain(words.split(' ').map(OsString::from), variable)
        };
        let of = |endpoint: &str, verbose| {
            Some(Arguments { assistant: "claude".to_owned(), endpoint: endpoint.to_owned(), verbose })
        };
        let unset = || Err(VarError::NotPresent);
        assert_eq!(plain("claude", unset()), of(ENDPOINT, false));
        assert_eq!(plain("claude", Ok("http://a".to_owned())), of("http://a", false));
        assert_eq!(plain("claude --endpoint http://b", Ok("http://a".to_owned())), of("http://b", false));
        assert_eq!(plain("-v --endpoint http://b claude", unset()), of("http://b", true));
        assert_eq!(plain("claude --help", unset()), None);
        assert_eq!(plain("claude pi", unset()), None);
    }
}

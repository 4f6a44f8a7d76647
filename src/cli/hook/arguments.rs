//! The command line of a hook.

use std::env::VarError;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser};

use super::ENDPOINT;

const ENDPOINT_VARIABLE: &str = "SKILLSPAN_ENDPOINT";

/// The command line of a hook, without the subcommands of all others: making those takes longer than
/// keeping the event.
#[derive(Debug, Parser)]
#[command(
    name = "skillspan hook",
    bin_name = "skillspan hook",
    about = "Called by the hooks of assistants; people use `skillspan connect`",
    long_about = None
)]
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
    #[arg(long, value_name = "URL", env = ENDPOINT_VARIABLE, hide_env_values = true, default_value = ENDPOINT)]
    pub(super) endpoint: String,
    /// The workspace, if nothing nearer to the session names one
    #[arg(long, value_name = "NAME")]
    pub(super) workspace: Option<String>,
    /// The person, if the environment names none: an e-mail address or a login
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,
    /// A file with the collector's token, if SKILLSPAN_TOKEN is not set
    #[arg(long, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// Report on standard error what happened
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
        let (mut workspace, mut user, mut token_file) = (None, None, None);
        while let Some(word) = words.next() {
            let word = word?;
            match word.as_str() {
                "--verbose" | "-v" if !verbose => verbose = true,
                "--endpoint" | "--workspace" | "--user" | "--token-file" => {
                    let value =
                        Some(words.next()??).filter(|value| !value.is_empty() && !value.starts_with('-'))?;
                    let place = match word.as_str() {
                        "--endpoint" => &mut endpoint,
                        "--workspace" => &mut workspace,
                        "--user" => &mut user,
                        _ => &mut token_file,
                    };
                    if place.replace(value).is_some() {
                        return None;
                    }
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
        let (assistant, token_file) = (assistant?, token_file.map(PathBuf::from));
        Some(Self { assistant, endpoint, workspace, user, token_file, verbose })
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
                "claude|pi|--verbose|-v|-vv|--endpoint|--user|--workspace|--token-file|--user=a|--endpoint=http://b|http://a|--|-|--help||[a-z-]{0,4}",
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
        assert_eq!(plain("claude --token-file ", Err(VarError::NotPresent)), None, "no name of a file");
        let of = |endpoint: &str, verbose| {
            let (workspace, user, token_file) = (None, None, None);
            Some(Arguments {
                assistant: "claude".to_owned(),
                endpoint: endpoint.to_owned(),
                workspace,
                user,
                token_file,
                verbose,
            })
        };
        let unset = || Err(VarError::NotPresent);
        assert_eq!(plain("claude", unset()), of(ENDPOINT, false));
        assert_eq!(plain("claude", Ok("http://a".to_owned())), of("http://a", false));
        assert_eq!(plain("claude --endpoint http://b", Ok("http://a".to_owned())), of("http://b", false));
        assert_eq!(plain("-v --endpoint http://b claude", unset()), of("http://b", true));
        assert_eq!(plain("claude --help", unset()), None);
        let named = plain("claude --workspace shop --user ana@example.com", unset()).unwrap();
        assert_eq!(
            (named.workspace.as_deref(), named.user.as_deref()),
            (Some("shop"), Some("ana@example.com"))
        );
        assert_eq!(plain("claude pi", unset()), None);
    }
}

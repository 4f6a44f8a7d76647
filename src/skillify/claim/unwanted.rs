//! Commands that a skill speaks against, in words.
//!
//! What fetches code from elsewhere is not spelled out where a skill is against it: "not `npm`", "before
//! you install `charts` with `npm`". An assistant that skims a text for commands, and a scanner that does
//! nothing else, would take `npm install charts` for one to run. Any other command is named as it is.

use std::fmt;

use super::super::template::Template;
use crate::shell::vocabulary::FETCHING;

/// A command that a skill is against.
pub(in crate::skillify) enum Unwanted {
    /// Named as it is.
    Command(String),
    /// A command that fetches: its verb, its object and its source.
    Fetching { tool: String, verb: String, what: String },
}

impl Unwanted {
    /// The command, which `wanted` is to be run in place of, if anything is.
    pub(in crate::skillify) fn of(command: &Template, wanted: Option<&Template>) -> Self {
        let line = command.to_string();
        Self::fetching(&command.words_alone())
            // "`npm ci`, not `npm`" would tell nobody anything.
            .filter(|_| wanted.and_then(Template::program) != command.program())
            .unwrap_or(Self::Command(line))
    }

    fn fetching(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let known = |pair: &[&str]| FETCHING.contains(&pair.join(" ").as_str());
        let at = words.windows(2).position(known)? + 1;
        let (tool, rest) = words.split_at_checked(at)?;
        let (verb, what) = rest.split_first()?;
        let verb = if *verb == "i" { "install" } else { verb };
        Some(Self::Fetching { tool: tool.join(" "), verb: verb.to_owned(), what: what.join(" ") })
    }

    pub(in crate::skillify) fn fetches(&self) -> bool {
        matches!(self, Self::Fetching { .. })
    }

    /// The code in the reason.
    pub(in crate::skillify) fn into_codes(self) -> Vec<String> {
        match self {
            Self::Command(line) => vec![line],
            Self::Fetching { tool, what, .. } => vec![tool, what],
        }
    }

    /// What is not wanted, as code: the command, or the tool.
    pub(in crate::skillify) fn code(&self) -> String {
        match self {
            Self::Command(line) => format!("`{line}`"),
            Self::Fetching { tool, .. } => format!("`{tool}`"),
        }
    }
}

impl fmt::Display for Unwanted {
    /// What is done, after "before you" or "do not".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(line) => write!(f, "run `{line}`"),
            Self::Fetching { tool, verb, what } if what.is_empty() => write!(f, "{verb} with `{tool}`"),
            Self::Fetching { tool, verb, what } => write!(f, "{verb} `{what}` with `{tool}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(line: &str, wanted: Option<&str>) -> (String, String) {
        let template = |line: &str| Template::parse(line).unwrap();
        let unwanted = Unwanted::of(&template(line), wanted.map(template).as_ref());
        (unwanted.code(), unwanted.to_string())
    }

    #[test]
    fn what_fetches_is_told_in_words_and_anything_else_as_it_is() {
        for (line, code, done) in [
            ("make reset", "`make reset`", "run `make reset`"),
            ("npm run install", "`npm run install`", "run `npm run install`"),
            ("npm install {name}", "`npm`", "install `{name}` with `npm`"),
            ("npm i -D charts", "`npm`", "install `-D charts` with `npm`"),
            ("npm install", "`npm`", "install with `npm`"),
            ("python3 -m pip install charts", "`python3 -m pip`", "install `charts` with `python3 -m pip`"),
            ("docker run {name}", "`docker`", "run `{name}` with `docker`"),
        ] {
            assert_eq!(named(line, None), (code.to_owned(), done.to_owned()));
            assert_eq!(named(line, Some("uv add charts")), (code.to_owned(), done.to_owned()));
        }
    }

    #[test]
    fn a_tool_that_is_wanted_as_well_is_told_apart_by_the_whole_command() {
        let same = ("`npm install`".to_owned(), "run `npm install`".to_owned());
        assert_eq!(named("npm install", Some("npm ci")), same);
    }
}

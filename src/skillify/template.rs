//! Command templates: what several runs of a command have in common, with typed holes for the rest.

use std::fmt;
use std::sync::LazyLock;

use regex::Regex;

use super::command::{Command, is_flag, looks_like_file};
use super::shell::Word;

/// What varies from run to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hole {
    /// A version number such as `1.4.2`.
    Version,
    /// A file or a folder.
    Path,
    /// Any other single word.
    Name,
    /// A quoted text.
    Text,
}

/// One word of a template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Literal(Word),
    Hole { before: String, hole: Hole, after: String },
}

/// A command with typed holes: `git tag v{version}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Template(Vec<Piece>);

static VERSION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\d+(?:\.\d+)+(?:-[0-9A-Za-z.]+)?").ok());

impl Template {
    /// What the commands have in common: equal words stay, differing ones become holes, flags that
    /// not all have are left out. `None` if they differ in more than that.
    pub(super) fn of(commands: &[&Command]) -> Option<Self> {
        let first = commands.first()?;
        if commands.iter().any(|command| command.core().len() != first.core().len()) {
            return None;
        }
        let aligned: Vec<Vec<&Word>> =
            commands.iter().map(|command| without_uncommon_flags(command, commands)).collect();
        let width = aligned.first()?.len();
        if aligned.iter().any(|words| words.len() != width) {
            return None;
        }
        let pieces = (0..width)
            .map(|column| {
                piece(&aligned.iter().filter_map(|words| words.get(column).copied()).collect::<Vec<_>>())
            })
            .collect::<Option<Vec<_>>>()?;
        let template = Self(pieces);
        let fixed = first.verb().len();
        template.is_specific(fixed).then_some(template)
    }

    /// Enough of it is literal: its verb, and at least as many words as there are holes.
    fn is_specific(&self, verb: usize) -> bool {
        let holes = self.0.iter().filter(|piece| matches!(piece, Piece::Hole { .. })).count();
        let literals = self.0.len() - holes;
        literals >= holes && self.0.iter().take(verb).all(|piece| matches!(piece, Piece::Literal(_)))
    }

    /// Whether the command is a run of this template. Flags that the template lacks do not matter.
    pub(super) fn matches(&self, command: &Command) -> bool {
        let mut pieces = self.0.iter();
        let own: Vec<&str> = self.literals().collect();
        for word in command.words() {
            if is_flag(&word.value) && !own.contains(&word.value.as_str()) {
                continue;
            }
            if !pieces.next().is_some_and(|piece| piece.matches(&word.value)) {
                return false;
            }
        }
        pieces.next().is_none()
    }

    /// Whether nothing in it varies.
    pub fn is_literal(&self) -> bool {
        self.0.iter().all(|piece| matches!(piece, Piece::Literal(_)))
    }

    /// The literal words, flags included.
    pub(super) fn literals(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Literal(word) => Some(word.value.as_str()),
            Piece::Hole { .. } => None,
        })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, piece) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            match piece {
                Piece::Literal(word) => f.write_str(&word.raw)?,
                Piece::Hole { before, hole, after } => {
                    let spaced = *hole == Hole::Text || [before, after].iter().any(|text| text.contains(' '));
                    let quote = if spaced { "\"" } else { "" };
                    write!(f, "{quote}{before}{{{hole}}}{after}{quote}")?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Hole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "version",
            Self::Path => "path",
            Self::Name => "name",
            Self::Text => "text",
        })
    }
}

impl Piece {
    fn matches(&self, word: &str) -> bool {
        match self {
            Self::Literal(literal) => literal.value == word,
            Self::Hole { before, hole, after } => word
                .strip_prefix(before.as_str())
                .and_then(|rest| rest.strip_suffix(after.as_str()))
                .is_some_and(|middle| hole.admits(middle)),
        }
    }
}

impl Hole {
    fn admits(self, word: &str) -> bool {
        match self {
            Self::Version => {
                version_in(word).is_some_and(|(before, after)| before.is_empty() && after.is_empty())
            }
            Self::Path => looks_like_file(word) && !word.contains(char::is_whitespace),
            Self::Name => !word.is_empty() && !is_flag(word) && !word.contains(char::is_whitespace),
            Self::Text => !word.is_empty(),
        }
    }
}

fn without_uncommon_flags<'a>(command: &'a Command, all: &[&Command]) -> Vec<&'a Word> {
    let common = |flag: &str| all.iter().all(|other| other.words().iter().any(|word| word.value == flag));
    command.words().iter().filter(|word| !is_flag(&word.value) || common(&word.value)).collect()
}

/// The piece that stands for the words of one column.
fn piece(words: &[&Word]) -> Option<Piece> {
    let first = *words.first()?;
    if words.iter().all(|word| word.value == first.value) {
        // The least spelling, so that the order of the commands does not show.
        return words.iter().min().map(|word| Piece::Literal((*word).clone()));
    }
    if words.iter().any(|word| is_flag(&word.value)) {
        return None;
    }
    if let Some((before, after)) = version_in(&first.value)
        && words.iter().all(|word| version_in(&word.value) == Some((before, after)))
    {
        return Some(Piece::Hole { before: before.to_owned(), hole: Hole::Version, after: after.to_owned() });
    }
    let hole = [Hole::Path, Hole::Name, Hole::Text]
        .into_iter()
        .find(|hole| words.iter().all(|word| hole.admits(&word.value)))?;
    Some(Piece::Hole { before: String::new(), hole, after: String::new() })
}

/// What stands before and after the only version number in a word.
fn version_in(word: &str) -> Option<(&str, &str)> {
    let regex = VERSION.as_ref()?;
    let mut found = regex.find_iter(word);
    let version = found.next()?;
    if found.next().is_some() {
        return None;
    }
    Some((word.get(..version.start())?, word.get(version.end()..)?))
}

#[cfg(test)]
mod tests {
    use super::super::command::commands;
    use super::*;

    fn command(line: &str) -> Command {
        commands(line).remove(0).command
    }

    fn template(lines: &[&str]) -> Option<String> {
        let commands: Vec<Command> = lines.iter().map(|line| command(line)).collect();
        let template = Template::of(&commands.iter().collect::<Vec<_>>())?;
        assert!(
            commands.iter().all(|command| template.matches(command)),
            "{template} matches its own commands"
        );
        Some(template.to_string())
    }

    #[test]
    fn what_differs_becomes_a_typed_hole() {
        assert_eq!(template(&["git tag v0.4.2", "git tag v1.10.0"]).unwrap(), "git tag v{version}");
        assert_eq!(template(&["pytest -x tests/a.py", "pytest tests/b.py"]).unwrap(), "pytest {path}");
        assert_eq!(template(&["make deploy", "make deploy"]).unwrap(), "make deploy");
        assert_eq!(
            template(&["cargo test --test api", "cargo test --test web"]).unwrap(),
            "cargo test --test {name}"
        );
        assert_eq!(
            template(&["git commit -m \"Release 0.4.2\"", "git commit -m 'Release 0.5.0'"]).unwrap(),
            "git commit -m \"Release {version}\""
        );
    }

    #[test]
    fn what_differs_in_its_verb_has_no_template() {
        assert_eq!(template(&["make a", "make b"]), None);
        assert_eq!(template(&["pytest a.py", "pytest a.py b.py"]), None);
    }

    #[test]
    fn a_template_matches_no_other_command() {
        let commands = [command("git tag v0.4.2"), command("git tag v0.5.0")];
        let template = Template::of(&commands.iter().collect::<Vec<_>>()).unwrap();
        assert!(template.matches(&command("git tag -s v9.9.9")));
        assert!(!template.matches(&command("git tag latest")));
        assert!(!template.matches(&command("git tag v9.9.9 HEAD")));
    }
}

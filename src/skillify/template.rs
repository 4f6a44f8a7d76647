//! Command templates: what several runs of a command have in common, with typed holes for the rest.

use std::fmt;

use super::command::{Command, looks_like_file, single};
use super::flag::{
    deciding_flags, flag_key, has_value, is_flag, is_manner, usual_flags, without_uncommon_flags,
};
use super::setting::Setting;
use super::shell::Word;
use super::version::{version_in, version_of};

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

/// A command with typed holes: `git tag v{version}`, and the setting that it is run in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Template(Vec<Piece>, Setting);

/// How much of an edited file's path a template names at most.
const EDIT_DEPTH: usize = 3;

impl Template {
    /// What the commands have in common: equal words stay, differing ones become holes. Its flags are
    /// those that most of them agree in. `None` if they differ in more than that.
    pub(super) fn of(commands: &[&Command]) -> Option<Self> {
        Self::of_runs(&commands.iter().map(|command| (*command, 1)).collect::<Vec<_>>())
    }

    /// [`Template::of`] the commands, each with how often it was run.
    pub(super) fn of_runs(runs: &[(&Command, usize)]) -> Option<Self> {
        if let [(only, _)] = runs {
            let words = only.words().iter().cloned().map(Piece::Literal);
            return Some(Self(words.collect(), only.setting().clone()));
        }
        let commands = || runs.iter().map(|(command, _)| *command);
        let width = commands().next()?.core().len();
        if commands().any(|command| command.core().len() != width) {
            return None;
        }
        let flags = usual_flags(runs);
        let having: Vec<&Command> =
            commands().filter(|command| flags.is_subset(&deciding_flags(command))).collect();
        let aligned: Vec<Vec<&Word>> =
            having.iter().map(|command| without_uncommon_flags(command, &flags, &having)).collect();
        let width = aligned.first()?.len();
        if aligned.iter().any(|words| words.len() != width) {
            return None;
        }
        let pieces = (0..width)
            .map(|column| {
                piece(&aligned.iter().filter_map(|words| words.get(column).copied()).collect::<Vec<_>>())
            })
            .collect::<Option<Vec<_>>>()?;
        let template = Self(pieces, Setting::usual(runs));
        let fixed = having.first()?.verb().len();
        template.is_specific(fixed).then_some(template)
    }

    /// The template of a command that prints like this; `None` if that is no single command.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let command = single(text)?;
        Some(Self(command.words().iter().map(Piece::parse).collect(), command.setting().clone()))
    }

    /// The template of an edited file that prints like this.
    pub(super) fn parse_path(text: &str) -> Self {
        Self::of_path(Piece::parse(&Word { raw: text.to_owned(), value: text.to_owned() }))
    }

    fn of_path(piece: Piece) -> Self {
        Self(vec![piece], Setting::default())
    }

    /// What edited files have in common: the end of their paths, or a folder and an ending with a
    /// hole between. `None` if they share less than a file's name or a folder.
    pub(super) fn of_paths(paths: &[&str]) -> Option<Self> {
        let first = paths.first()?;
        let tails = |path: &str| path.split('/').rev().map(str::to_owned).collect::<Vec<_>>();
        let mut shared: Vec<String> = tails(first).into_iter().take(EDIT_DEPTH).collect();
        for path in paths {
            let own = tails(path);
            let common = shared.iter().zip(&own).take_while(|(a, b)| a == b).count();
            shared.truncate(common);
        }
        if !shared.is_empty() {
            let path: Vec<&str> = shared.iter().rev().map(String::as_str).collect();
            let path = path.join("/");
            return Some(Self::of_path(Piece::Literal(Word { raw: path.clone(), value: path })));
        }
        let within = |path: &str| -> Option<(String, String)> {
            let (folders, name) = path.rsplit_once('/')?;
            let folder = folders.rsplit('/').next().filter(|folder| !folder.is_empty())?;
            Some((format!("{folder}/"), format!(".{}", name.rsplit_once('.')?.1)))
        };
        let (before, after) = within(first)?;
        let alike = paths.iter().all(|path| within(path).as_ref() == Some(&(before.clone(), after.clone())));
        alike.then(|| Self::of_path(Piece::Hole { before, hole: Hole::Name, after }))
    }

    /// Whether the file is one that this template of an edit speaks of.
    pub(super) fn matches_path(&self, path: &str) -> bool {
        let [piece] = self.0.as_slice() else { return false };
        let depth = match piece {
            Piece::Literal(word) => word.value.split('/').count(),
            Piece::Hole { before, .. } => before.split('/').count(),
        };
        let parts: Vec<&str> = path.split('/').collect();
        let tail = parts.get(parts.len().saturating_sub(depth)..).unwrap_or_default().join("/");
        piece.matches(&tail)
    }

    /// Enough of it is literal: its verb, and at least as many words as there are holes.
    fn is_specific(&self, verb: usize) -> bool {
        let holes = self.0.iter().filter(|piece| matches!(piece, Piece::Hole { .. })).count();
        let literals = self.0.len() - holes;
        literals >= holes && self.0.iter().take(verb).all(|piece| matches!(piece, Piece::Literal(_)))
    }

    /// Whether the command runs the same program in the same way, on whatever.
    pub(super) fn runs_as(&self, command: &Command) -> bool {
        let program = self.0.iter().enumerate().map_while(|(at, piece)| match piece {
            Piece::Literal(word) if at == 0 || !looks_like_file(&word.value) => Some(word),
            _ => None,
        });
        let mut words = command.words().iter();
        program.into_iter().all(|own| words.next().is_some_and(|word| word.value == own.value))
    }

    /// With holes for the versions that people gave with every request: `given` tells of each.
    pub(super) fn with_given_versions(mut self, given: impl Fn(&str) -> bool) -> Self {
        for piece in &mut self.0 {
            let Piece::Literal(word) = piece else { continue };
            let Some((before, after)) = version_in(&word.value) else { continue };
            if version_of(&word.value).is_some_and(&given) {
                *piece =
                    Piece::Hole { before: before.to_owned(), hole: Hole::Version, after: after.to_owned() };
            }
        }
        self
    }

    /// Whether the command is a run of this template. Of the flags that the template lacks only
    /// those do not matter that change nothing in what is done.
    pub(super) fn matches(&self, command: &Command) -> bool {
        self.1.admits(command.setting()) && self.matches_without(command, is_manner)
    }

    /// [`Template::matches`], in the same folder.
    pub(super) fn is_as_it_is(&self, command: &Command) -> bool {
        self.1.directory == command.setting().directory && self.matches(command)
    }

    /// Whether both differ in flags and setting alone.
    pub(super) fn is_same_but_for_flags(&self, other: &Self) -> bool {
        let no_flag = |piece: &&Piece| match piece {
            Piece::Literal(word) => !is_flag(&word.value),
            Piece::Hole { before, .. } => !is_flag(before),
        };
        self.0.iter().filter(no_flag).eq(other.0.iter().filter(no_flag))
    }

    /// Whether the command is a run of this template but for its flags and its setting: one that could
    /// not even start would have failed with any.
    pub(super) fn matches_but_for_flags(&self, command: &Command) -> bool {
        self.matches_without(command, |_| true)
    }

    /// Whether the command without the flags that the template lacks and that are `idle` is a run of it.
    fn matches_without(&self, command: &Command, idle: impl Fn(&str) -> bool) -> bool {
        let mut pieces = self.0.iter();
        for word in command.words() {
            if is_flag(&word.value) && idle(&word.value) && !self.has_flag(&word.value) {
                continue;
            }
            if !pieces.next().is_some_and(|piece| piece.matches(&word.value)) {
                return false;
            }
        }
        pieces.next().is_none()
    }

    /// The words that are no flags, if nothing varies: a command that it matches has the same core.
    pub(super) fn literal_core(&self) -> Option<Vec<&str>> {
        let literal = |piece: &'_ Piece| matches!(piece, Piece::Literal(_));
        let words = self.0.iter().filter_map(|piece| match piece {
            Piece::Literal(word) => Some(word.value.as_str()),
            Piece::Hole { .. } => None,
        });
        self.0.iter().all(literal).then(|| words.filter(|word| !is_flag(word)).collect())
    }

    /// As it prints without its setting.
    pub(super) fn words_alone(&self) -> String {
        Self(self.0.clone(), Setting::default()).to_string()
    }

    /// Whether the command line is a run of this template, and of nothing else.
    pub fn is_run_by(&self, line: &str) -> bool {
        single(line).is_some_and(|command| self.matches(&command))
    }

    /// Whether its runs test, build or check something: they fail in ordinary work.
    pub fn is_check(&self) -> bool {
        single(&self.to_string()).is_some_and(|command| command.is_check())
    }

    /// The word that a command which it matches begins with; `None` if that varies.
    pub fn program(&self) -> Option<&str> {
        match self.0.first() {
            Some(Piece::Literal(word)) if !is_flag(&word.value) => Some(&word.value),
            _ => None,
        }
    }

    /// Whether nothing in it varies.
    pub fn is_literal(&self) -> bool {
        self.0.iter().all(|piece| matches!(piece, Piece::Literal(_)))
    }

    /// Whether one of its words is this flag, with whatever value.
    fn has_flag(&self, flag: &str) -> bool {
        self.0.iter().any(|piece| match piece {
            Piece::Literal(word) => word.value == flag || has_value(flag, &word.value),
            Piece::Hole { before, .. } => has_value(flag, before),
        })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(pieces, setting) = self;
        write!(f, "{setting}")?;
        for (index, piece) in pieces.iter().enumerate() {
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
    /// The piece that prints like this word.
    fn parse(word: &Word) -> Self {
        let holes = [Hole::Version, Hole::Path, Hole::Name, Hole::Text];
        let found = holes.into_iter().find_map(|hole| {
            let (before, after) = word.value.split_once(&format!("{{{hole}}}"))?;
            Some(Self::Hole { before: before.to_owned(), hole, after: after.to_owned() })
        });
        found.unwrap_or_else(|| Self::Literal(word.clone()))
    }

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

/// The piece that stands for the words of one column.
fn piece(words: &[&Word]) -> Option<Piece> {
    let first = *words.first()?;
    if words.iter().all(|word| word.value == first.value) {
        // The least spelling, so that the order of the commands does not show.
        return words.iter().min().map(|word| Piece::Literal((*word).clone()));
    }
    let key = flag_key(&first.value);
    if words.iter().any(|word| is_flag(&word.value)) && !words.iter().all(|word| has_value(&word.value, key))
    {
        return None;
    }
    if let Some((before, after)) = version_in(&first.value)
        && words.iter().all(|word| version_in(&word.value) == Some((before, after)))
    {
        return Some(Piece::Hole { before: before.to_owned(), hole: Hole::Version, after: after.to_owned() });
    }
    if let Some(piece) = within_a_folder(words, key) {
        return Some(piece);
    }
    if is_flag(&first.value) {
        return Some(Piece::Hole { before: key.to_owned(), hole: Hole::Text, after: String::new() });
    }
    let hole = [Hole::Path, Hole::Name, Hole::Text]
        .into_iter()
        .find(|hole| words.iter().all(|word| hole.admits(&word.value)))?;
    Some(Piece::Hole { before: String::new(), hole, after: String::new() })
}

/// `db/{name}.sql` for files of one ending in one folder; `--file=db/{name}.sql` as well.
fn within_a_folder(words: &[&Word], key: &str) -> Option<Piece> {
    let flagged = is_flag(key);
    let split = |word: &str| -> Option<(String, String)> {
        let path = if flagged { word.strip_prefix(key)? } else { word };
        let (folder, name) = path.rsplit_once('/')?;
        let (_, ending) = name.rsplit_once('.')?;
        let plain = |text: &str| !text.contains(|char: char| char.is_whitespace() || "*?[{".contains(char));
        let key = if flagged { key } else { "" };
        (!folder.is_empty() && plain(path)).then(|| (format!("{key}{folder}/"), format!(".{ending}")))
    };
    let (before, after) = split(&words.first()?.value)?;
    let alike =
        words.iter().all(|word| split(&word.value).as_ref() == Some(&(before.clone(), after.clone())));
    alike.then_some(Piece::Hole { before, hole: Hole::Name, after })
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
        let own = commands.iter().filter(|command| template.matches(command)).count();
        assert!(own * 2 >= commands.len(), "{template} matches most of its own commands");
        Some(template.to_string())
    }

    #[test]
    fn what_differs_becomes_a_typed_hole() {
        assert_eq!(template(&["git tag v0.4.2", "git tag v1.10.0"]).unwrap(), "git tag v{version}");
        assert_eq!(
            template(&["pytest -x tests/a.py", "pytest tests/b.py"]).unwrap(),
            "pytest tests/{name}.py"
        );
        assert_eq!(template(&["pytest tests/a.py", "pytest b.py"]).unwrap(), "pytest {path}");
        assert_eq!(
            template(&["psql -f db/a/x.sql", "psql -f db/a/y.sql"]).unwrap(),
            "psql -f db/a/{name}.sql"
        );
        assert_eq!(
            template(&["terraform apply -var-file=env/a.tfvars", "terraform apply -var-file=env/b.tfvars"])
                .unwrap(),
            "terraform apply -var-file=env/{name}.tfvars"
        );
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
    fn edited_files_share_the_end_of_their_paths_or_their_folder() {
        let of = |paths: &[&str]| {
            let template = Template::of_paths(paths)?;
            assert!(paths.iter().all(|path| template.matches_path(path)), "{template}");
            Some(template.to_string())
        };
        assert_eq!(of(&["/srv/app/docs/CHANGELOG.md", "docs/CHANGELOG.md"]).unwrap(), "docs/CHANGELOG.md");
        assert_eq!(of(&["a/CHANGELOG.md", "b/CHANGELOG.md"]).unwrap(), "CHANGELOG.md");
        assert_eq!(of(&["db/migrations/1.sql", "migrations/2.sql"]).unwrap(), "migrations/{name}.sql");
        assert_eq!(of(&["a/b.py", "c/d.py"]), None);
    }

    #[test]
    fn a_template_is_read_back_from_what_it_prints() {
        for lines in [
            &["git tag v0.4.2", "git tag v1.10.0"][..],
            &["pytest -x tests/a.py", "pytest tests/b.py"],
            &["pytest tests/a.py", "pytest b.py"],
            &["terraform apply -var-file=env/a.tfvars", "terraform apply -var-file=env/b.tfvars"],
            &["make deploy", "make deploy"],
            &["cargo test --test api", "cargo test --test web"],
            &["git commit -m \"Release 0.4.2\"", "git commit -m 'Release 0.5.0'"],
            &["git commit -m \"one thing\"", "git commit -m 'another'"],
            &["npx prisma migrate deploy", "npx prisma migrate deploy"],
            &["cat dump.sql | psql shop", "cat dump.sql | psql shop"],
        ] {
            let commands: Vec<Command> = lines.iter().map(|line| command(line)).collect();
            let template = Template::of(&commands.iter().collect::<Vec<_>>()).unwrap();
            let parsed = Template::parse(&template.to_string()).unwrap();
            assert_eq!(parsed, template, "{template}");
            assert!(lines.iter().any(|line| parsed.is_run_by(line)), "{template}");
        }
        let path = Template::of_paths(&["db/migrations/1.sql", "migrations/2.sql"]).unwrap();
        assert_eq!(Template::parse_path(&path.to_string()), path);
        assert_eq!(Template::parse("make a && make b"), None);
        assert_eq!(Template::parse(""), None);
    }

    #[test]
    fn what_differs_in_its_verb_has_no_template() {
        assert_eq!(template(&["make a", "make b"]), None);
        assert_eq!(template(&["pytest a.py", "pytest a.py b.py"]), None);
    }

    #[test]
    fn flags_are_those_that_most_runs_agree_in() {
        let up = "docker compose up -d db";
        assert_eq!(template(&[up, up, "docker compose up db"]).unwrap(), up);
        assert_eq!(template(&["make a", "make -B a"]).unwrap(), "make a");
        assert_eq!(template(&["make -s -j4 a", "make -j8 a", "make -s a"]).unwrap(), "make -s a");
    }

    #[test]
    fn a_template_matches_no_other_command() {
        let commands = [command("git tag v0.4.2"), command("git tag v0.5.0")];
        let template = Template::of(&commands.iter().collect::<Vec<_>>()).unwrap();
        assert!(template.matches(&command("git tag -q v9.9.9")));
        assert!(!template.matches(&command("git tag -d v9.9.9")));
        assert!(template.matches_but_for_flags(&command("git tag -d v9.9.9")));
        assert!(!template.matches(&command("git tag latest")));
        assert!(!template.matches(&command("git tag v9.9.9 HEAD")));
    }
}

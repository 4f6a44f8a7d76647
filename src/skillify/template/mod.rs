//! Command templates: what several runs of a command have in common, with typed parameters for the rest.
//!
//! | file | what it decides |
//! |---|---|
//! | `pattern.rs` | words that vary, with parameters for the part that does |
//! | `boundary.rs` | where a part of a word can end, as after `TARGET=`, `HEAD:release/` or before `_spec.rb` |
//! | `parameter.rs` | what stands in a template for what varies from run to run |
//! | `version.rs` | version numbers in the words of commands |
//! | `matcher.rs` | which commands a template matches; each pair is matched once and remembered |

pub(super) mod boundary;
pub(super) mod matcher;
pub(super) mod parameter;
pub(super) mod pattern;
pub(super) mod version;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::shell::command::{Command, looks_like_file, single};
use crate::shell::deciding_flags::{deciding_flags, usual_flags, without_uncommon_flags};
use crate::shell::flag::{flag_key, has_value, is_flag, is_manner};
use crate::shell::parse::Word;
use crate::shell::setting::Setting;
use parameter::{Kind, Parameter};
use pattern::{Filled, Numbering, Pattern};
use version::{version_in, version_of};

/// One word of a template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Literal(Word),
    Varying(Pattern),
}

/// A command with typed parameters: `git tag v{version}`, and the setting that it is run in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Template {
    pieces: Vec<Piece>,
    setting: Setting,
}

/// How much of an edited file's path a template names at most.
const EDIT_DEPTH: usize = 3;

impl Template {
    /// What the commands have in common: equal words stay, differing ones become parameters. Its flags are
    /// those that most of them agree in. `None` if they differ in more than that.
    pub(super) fn of(commands: &[&Command]) -> Option<Self> {
        Self::of_runs(&commands.iter().map(|command| (*command, 1)).collect::<Vec<_>>())
    }

    /// [`Template::of`] the commands, each with how often it was run.
    pub(super) fn of_runs(runs: &[(&Command, usize)]) -> Option<Self> {
        if let [(only, _)] = runs {
            let words = only.words().iter().cloned().map(Piece::Literal);
            return Some(Self { pieces: words.collect(), setting: only.setting().clone() });
        }
        let commands = || runs.iter().map(|(command, _)| *command);
        let width = commands().next()?.core().len();
        if commands().any(|command| command.core().len() != width) {
            return None;
        }
        let flags = usual_flags(runs);
        let with_flags = |command: &Command| flags.is_subset(&deciding_flags(command));
        let having: Vec<&Command> = commands().filter(|command| with_flags(command)).collect();
        let times: Vec<usize> =
            runs.iter().filter(|(command, _)| with_flags(command)).map(|(_, times)| *times).collect();
        let aligned: Vec<Vec<&Word>> =
            having.iter().map(|command| without_uncommon_flags(command, &flags, &having)).collect();
        let width = aligned.first()?.len();
        if aligned.iter().any(|words| words.len() != width) {
            return None;
        }
        let mut numbering = Numbering::default();
        let mut pieces = Vec::with_capacity(width);
        for column in 0..width {
            let words: Vec<&Word> = aligned.iter().filter_map(|words| words.get(column).copied()).collect();
            pieces.push(piece(&words, &times, &mut numbering)?);
        }
        let template = Self { pieces, setting: Setting::usual(runs) };
        template.is_specific(having.first()?, aligned.first()?).then_some(template)
    }

    /// The template of a command that prints like this; `None` if that is no single command.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let command = single(text)?;
        Some(Self {
            pieces: command.words().iter().map(Piece::parse).collect(),
            setting: command.setting().clone(),
        })
    }

    /// The first words of a command, whatever comes behind them; `None` without any.
    pub(super) fn of_words(words: &[String]) -> Option<Self> {
        let word = |word: &String| Piece::Literal(Word { raw: word.clone(), value: word.clone() });
        let pieces: Vec<Piece> = words.iter().map(word).collect();
        (!pieces.is_empty()).then(|| Self { pieces, setting: Setting::default() })
    }

    /// Whether each command begins with it, wrappers included that run a command in an environment.
    pub(super) fn begins_all<'c>(&self, mut commands: impl Iterator<Item = &'c Command>) -> bool {
        commands.all(|command| self.begins(command))
    }

    /// Whether the command begins with its words and has more.
    pub(super) fn begins(&self, command: &Command) -> bool {
        let words = command.whole_words();
        let same =
            |(piece, word): (&Piece, &&str)| matches!(piece, Piece::Literal(own) if own.value == *word);
        self.setting == Setting::default()
            && words.len() > self.pieces.len()
            && self.pieces.iter().zip(&words).all(same)
    }

    /// The template of an edited file that prints like this.
    pub(super) fn parse_path(text: &str) -> Self {
        Self::of_path(Piece::parse(&Word { raw: text.to_owned(), value: text.to_owned() }))
    }

    fn of_path(piece: Piece) -> Self {
        Self { pieces: vec![piece], setting: Setting::default() }
    }

    /// What edited files have in common: the end of their paths, or a folder and what their names begin
    /// and end with. `None` if they share less than a file's name or a folder.
    pub(super) fn of_paths(paths: &[&str]) -> Option<Self> {
        let first = *paths.first()?;
        let mut shared = paths.iter().skip(1).fold(first, |shared, path| common_end(shared, path));
        // Where nobody tells where the repository begins, a whole path would name somebody's folders.
        if paths.iter().all(|path| is_absolute(path)) {
            shared = last_parts(shared, EDIT_DEPTH);
        }
        if !shared.is_empty() {
            let word = Word { raw: shared.to_owned(), value: shared.to_owned() };
            return Some(Self::of_path(Piece::Literal(word)));
        }
        let split: Vec<(&str, &str)> =
            paths.iter().map(|path| path.rsplit_once('/')).collect::<Option<Vec<_>>>()?;
        let (first, _) = *split.first()?;
        let mut folder = split.iter().skip(1).fold(first, |shared, (folder, _)| common_end(shared, folder));
        if paths.iter().all(|path| is_absolute(path)) {
            folder = last_parts(folder, EDIT_DEPTH - 1);
        }
        let names: Vec<&str> = split.iter().map(|(_, name)| *name).collect();
        let ending = |name: &str| name.rsplit_once('.').map(|(_, ending)| ending.to_owned());
        let kind = ending(names.first()?)?;
        if folder.is_empty() || !names.iter().all(|name| ending(name).as_ref() == Some(&kind)) {
            return None;
        }
        let name = Pattern::of(&names, &mut Numbering::default())?;
        Some(Self::of_path(Piece::Varying(name.after(&format!("{folder}/")))))
    }

    /// Whether the file is one that this template of an edit speaks of.
    pub(super) fn matches_path(&self, path: &str) -> bool {
        self.fits_path(path, &mut Filled::default())
    }

    fn fits_path<'w>(&self, path: &'w str, filled: &mut Filled<'w>) -> bool {
        let [piece] = self.pieces.as_slice() else { return false };
        let depth = match piece {
            Piece::Literal(word) => word.value.split('/').count(),
            Piece::Varying(pattern) => pattern.unquoted().split('/').count(),
        };
        let tail = last_parts(path, depth);
        tail.split('/').count() == depth && piece.matches(tail, filled)
    }

    /// Whether the names of its files are more than a parameter and an ending: `V{number}__{name}.sql`.
    pub(super) fn names_have_a_form(&self) -> bool {
        let text = self.to_string();
        let name = text.rsplit('/').next().unwrap_or_default();
        !name.starts_with('{') || name.matches('{').count() > 1 || name.contains(['-', '_'])
    }

    /// Enough of it is literal: its program and verb, and at least as many words as there are parameters.
    fn is_specific(&self, command: &Command, words: &[&Word]) -> bool {
        let varying = self.pieces.iter().filter(|piece| matches!(piece, Piece::Varying(_))).count();
        let is_literal = |at: usize| matches!(self.pieces.get(at), Some(Piece::Literal(_)));
        let mut places = words.iter().enumerate();
        let mut verb = command.verb().into_iter();
        let says_what = verb.all(|own| {
            // The program may stand with the path of its folder.
            let place = places.find(|(_, word)| word.value.ends_with(own));
            place.is_some_and(|(at, _)| is_literal(at))
        });
        is_literal(0) && says_what && self.pieces.len() >= 2 * varying
    }

    /// Whether the command runs the same program in the same way, on whatever.
    pub(super) fn runs_as(&self, command: &Command) -> bool {
        let program = self.pieces.iter().enumerate().map_while(|(at, piece)| match piece {
            Piece::Literal(word) if at == 0 || !looks_like_file(&word.value) => Some(word),
            _ => None,
        });
        let mut words = command.words().iter();
        program.into_iter().all(|own| words.next().is_some_and(|word| word.value == own.value))
    }

    /// With parameters for the versions that people gave with every request: `given` tells of each.
    pub(super) fn with_given_versions(mut self, given: impl Fn(&str) -> bool) -> Self {
        let parameters = self.pieces.iter().filter_map(Piece::pattern).flat_map(Pattern::parameters);
        let versions =
            parameters.filter(|parameter| parameter.kind == Kind::Version).map(|parameter| parameter.number);
        let mut number = versions.max().unwrap_or_default();
        let mut numbers: BTreeMap<String, u8> = BTreeMap::new();
        for piece in &mut self.pieces {
            let Piece::Literal(word) = piece else { continue };
            let Some((before, after)) = version_in(&word.value) else { continue };
            let Some(version) = version_of(&word.value).filter(|version| given(version)) else { continue };
            let number = *numbers.entry(version.to_owned()).or_insert_with(|| {
                number = number.saturating_add(1);
                number
            });
            let parameter = Parameter { kind: Kind::Version, number };
            *piece = Piece::Varying(Pattern::around(before, parameter, after));
        }
        self
    }

    /// Whether the command is a run of this template. Of the flags that the template lacks only
    /// those do not matter that change nothing in what is done.
    pub(super) fn matches(&self, command: &Command) -> bool {
        self.setting.admits(command.setting()) && self.matches_without(command, is_manner)
    }

    /// [`Template::matches`], in the same folder.
    pub(super) fn is_as_it_is(&self, command: &Command) -> bool {
        self.setting.directory == command.setting().directory && self.matches(command)
    }

    /// Whether both differ in flags and setting alone.
    pub(super) fn is_same_but_for_flags(&self, other: &Self) -> bool {
        let no_flag = |piece: &&Piece| match piece {
            Piece::Literal(word) => !is_flag(&word.value),
            Piece::Varying(pattern) => !is_flag(pattern.beginning()),
        };
        self.pieces.iter().filter(no_flag).eq(other.pieces.iter().filter(no_flag))
    }

    /// Whether the command without the flags that the template lacks and that are `idle` is a run of it.
    fn matches_without(&self, command: &Command, idle: impl Fn(&str) -> bool) -> bool {
        self.fits(command, idle, &mut Filled::default())
    }

    fn fits<'w>(&self, command: &'w Command, idle: impl Fn(&str) -> bool, filled: &mut Filled<'w>) -> bool {
        let mut pieces = self.pieces.iter();
        for word in command.words() {
            if is_flag(&word.value) && idle(&word.value) && !self.has_flag(&word.value) {
                continue;
            }
            if !pieces.next().is_some_and(|piece| piece.matches(&word.value, filled)) {
                return false;
            }
        }
        pieces.next().is_none()
    }

    /// Whether the command is a run of this template that belongs to a file of another one: parameters of both are one.
    pub(super) fn goes_with<'w>(&self, edited: &Self, path: &'w str, command: &'w Command) -> bool {
        let mut filled = Filled::default();
        edited.fits_path(path, &mut filled)
            && self.setting.admits(command.setting())
            && self.fits(command, is_manner, &mut filled)
    }

    /// Whether the command begins with the words of this template and has its flags, whatever else it has.
    pub(super) fn opens(&self, command: &Command) -> bool {
        let is_flag_piece = |piece: &&Piece| match piece {
            Piece::Literal(word) => is_flag(&word.value),
            Piece::Varying(pattern) => is_flag(pattern.beginning()),
        };
        let (flags, words): (Vec<&Piece>, Vec<&Piece>) = self.pieces.iter().partition(is_flag_piece);
        let mut filled = Filled::default();
        let mut own = command.words().iter().filter(|word| !is_flag(&word.value));
        let begins =
            words.iter().all(|piece| own.next().is_some_and(|word| piece.matches(&word.value, &mut filled)));
        begins
            && self.setting.admits(command.setting())
            && flags
                .iter()
                .all(|flag| command.words().iter().any(|word| flag.matches(&word.value, &mut filled)))
    }

    /// The words that are no flags, if nothing varies: a command that it matches has the same core.
    pub(super) fn literal_core(&self) -> Option<Vec<&str>> {
        let literal = |piece: &'_ Piece| matches!(piece, Piece::Literal(_));
        let words = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Literal(word) => Some(word.value.as_str()),
            Piece::Varying(_) => None,
        });
        self.pieces.iter().all(literal).then(|| words.filter(|word| !is_flag(word)).collect())
    }

    /// Its words with those of what puts it into an environment, if nothing varies.
    pub(super) fn literal_words(&self) -> Option<Vec<&str>> {
        let wrapper = self.setting.wrapper.iter().flat_map(|wrapper| wrapper.split(' '));
        let words = self.pieces.iter().map(|piece| match piece {
            Piece::Literal(word) => Some(word.value.as_str()),
            Piece::Varying(_) => None,
        });
        wrapper.map(Some).chain(words).collect()
    }

    /// The variables of its setting that hold a secret, by name.
    pub(super) fn secrets(&self) -> Vec<&str> {
        self.setting.secrets()
    }

    /// As a reader is told it: a variable that holds a secret is named and not set.
    pub fn told(&self) -> String {
        let mut text =
            Self { pieces: self.pieces.clone(), setting: self.setting.without_secrets() }.to_string();
        if self.setting.directory.is_some() {
            // Else the next command would run in that folder as well.
            text = format!("({text})");
        }
        match self.secrets().as_slice() {
            [] => format!("`{text}`"),
            names => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                format!("`{text}` with {} set", names.join(" and "))
            }
        }
    }

    /// As it prints without its setting.
    pub(super) fn words_alone(&self) -> String {
        Self { pieces: self.pieces.clone(), setting: Setting::default() }.to_string()
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
        match self.pieces.first() {
            Some(Piece::Literal(word)) if !is_flag(&word.value) => Some(&word.value),
            _ => None,
        }
    }

    /// Whether nothing in it varies.
    pub fn is_literal(&self) -> bool {
        self.pieces.iter().all(|piece| matches!(piece, Piece::Literal(_)))
    }

    /// Whether one of its words is this flag, with whatever value.
    fn has_flag(&self, flag: &str) -> bool {
        self.pieces.iter().any(|piece| match piece {
            Piece::Literal(word) => word.value == flag || has_value(flag, &word.value),
            Piece::Varying(pattern) => has_value(flag, pattern.beginning()),
        })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pieces, setting } = self;
        write!(f, "{setting}")?;
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            match piece {
                Piece::Literal(word) => f.write_str(&word.raw)?,
                Piece::Varying(pattern) => pattern.fmt(f)?,
            }
        }
        Ok(())
    }
}

impl Serialize for Template {
    /// As it prints.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Template {
    /// A command; a path is read by [`a_path`].
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom(format_args!("{text:?} is no single command")))
    }
}

/// Reads the template of an edited file.
pub(super) fn a_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Template, D::Error> {
    Ok(Template::parse_path(&String::deserialize(deserializer)?))
}

/// Reads the template of a path that need not be there.
pub(super) fn perhaps_a_path<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Template>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(|path| Template::parse_path(&path)))
}

impl Piece {
    /// The piece that prints like this word.
    fn parse(word: &Word) -> Self {
        Pattern::parse(&word.value).map_or_else(|| Self::Literal(word.clone()), Self::Varying)
    }

    fn pattern(&self) -> Option<&Pattern> {
        if let Self::Varying(pattern) = self { Some(pattern) } else { None }
    }

    fn matches<'w>(&self, word: &'w str, filled: &mut Filled<'w>) -> bool {
        match self {
            Self::Literal(literal) => literal.value == word,
            Self::Varying(pattern) => pattern.matches(word, filled),
        }
    }
}

/// The piece that stands for the words of one column, each with how often it was run.
fn piece<'w>(words: &[&'w Word], times: &[usize], numbering: &mut Numbering<'w>) -> Option<Piece> {
    let first = *words.first()?;
    if words.iter().all(|word| word.value == first.value) {
        return Some(Piece::Literal(usual_spelling(words, times)?.clone()));
    }
    let key = flag_key(&first.value);
    if words.iter().any(|word| is_flag(&word.value)) && !words.iter().all(|word| has_value(&word.value, key))
    {
        return None;
    }
    let values: Vec<&str> = words.iter().map(|word| word.value.as_str()).collect();
    Pattern::of(&values, numbering).map(Piece::Varying)
}

/// How most runs spell a word: `bin/test` or `./bin/test`. Of two that are as usual it is the least, so
/// that the order of the commands does not show.
fn usual_spelling<'w>(words: &[&'w Word], times: &[usize]) -> Option<&'w Word> {
    let mut spellings: BTreeMap<&Word, usize> = BTreeMap::new();
    for (word, times) in words.iter().zip(times) {
        *spellings.entry(word).or_default() += times;
    }
    let usual = |a: &(&Word, usize), b: &(&Word, usize)| a.1.cmp(&b.1).then_with(|| b.0.cmp(a.0));
    spellings.into_iter().max_by(usual).map(|(word, _)| word)
}

/// The parts that both paths end with.
fn common_end<'p>(path: &'p str, other: &str) -> &'p str {
    let common = path.rsplit('/').zip(other.rsplit('/')).take_while(|(a, b)| a == b).count();
    last_parts(path, common)
}

/// The last parts of a path, as many as it has.
fn last_parts(path: &str, count: usize) -> &str {
    let start = path.rmatch_indices('/').nth(count.saturating_sub(1)).map_or(0, |(at, _)| at + 1);
    if count == 0 { "" } else { path.get(start..).unwrap_or_default() }
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || path.as_bytes().get(1) == Some(&b':')
}

#[cfg(test)]
mod tests;

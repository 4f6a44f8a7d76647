//! Whether something that happened is what an event of a predicate names.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::session::edits::written;
use super::super::session::search_result::Found;
use super::super::template::Template;
use crate::event::Status;
use crate::shell::command::{Command, single};
use crate::shell::flag::{is_flag, is_manner};

use super::ast::{Action, Ending, Event, Expected, Look, Pattern, Predicate};
use super::track::{Beat, Happened};

/// A predicate whose commands and paths are read.
pub(in super::super) struct Compiled<'p> {
    pub(super) predicate: &'p Predicate,
    commands: BTreeMap<&'p str, Run>,
    paths: BTreeMap<&'p str, Path>,
}

/// A command with parameters, or with stars in its words.
enum Run {
    Stars(Vec<String>),
    Template(Template),
}

/// A path with parameters or stars.
enum Path {
    Stars(Vec<char>),
    Template(Template),
}

impl<'p> Compiled<'p> {
    pub(in super::super) fn of(predicate: &'p Predicate) -> Self {
        let mut compiled = Self { predicate, commands: BTreeMap::new(), paths: BTreeMap::new() };
        compiled.read(&predicate.situation);
        match &predicate.action {
            Some(Action::No(event)) => compiled.read(event),
            Some(Action::Steps(steps)) => steps.iter().for_each(|step| compiled.read(step)),
            None => {}
        }
        match &predicate.expected {
            Some(Expected::Ends { command: Some(command), .. }) => compiled.read_command(command),
            Some(Expected::Found(path)) => compiled.read_path(path),
            _ => {}
        }
        compiled
    }

    fn read(&mut self, event: &'p Event) {
        match event {
            Event::Edit { path, .. } | Event::Look { path, .. } => self.read_path(path),
            Event::Run { command, .. } => self.read_command(command),
            Event::Search { .. } | Event::Prompt { .. } | Event::Want { .. } => {}
        }
    }

    fn read_command(&mut self, command: &'p Pattern) {
        // What cannot be read is no predicate that was parsed; it matches nothing.
        let read = if command.text.contains('*') {
            let words = single(&command.text);
            words.map(|words| Run::Stars(words.words().iter().map(|word| word.value.clone()).collect()))
        } else {
            Template::parse(&command.text).map(Run::Template)
        };
        if let Some(read) = read {
            self.commands.insert(&command.text, read);
        }
    }

    fn read_path(&mut self, path: &'p str) {
        let read = if path.contains(['*', '?']) {
            Path::Stars(path.chars().collect())
        } else {
            Path::Template(Template::parse_path(path))
        };
        self.paths.insert(path, read);
    }

    /// Whether a command is a run of the pattern.
    pub(in super::super) fn runs(&self, pattern: &Pattern, command: &Command) -> bool {
        match self.commands.get(pattern.text.as_str()) {
            Some(Run::Template(template)) if pattern.more => template.opens(command),
            Some(Run::Template(template)) => template.matches(command),
            Some(Run::Stars(words)) => runs_as(words, pattern.more, command),
            None => false,
        }
    }

    /// Whether a file is one of those that the path names.
    pub(in super::super) fn is_file(&self, path: &str, file: &str) -> bool {
        match self.paths.get(path) {
            Some(Path::Stars(stars)) => matches_stars(stars, file),
            Some(Path::Template(template)) => template.matches_path(file),
            None => false,
        }
    }

    /// Whether a path that was looked for is the one that is named, or lies below it.
    pub(in super::super) fn is_looked_for(&self, path: &str, looked: &str) -> bool {
        let below = looked.strip_prefix(path.trim_end_matches('/'));
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) || self.is_file(path, looked)
    }

    /// Whether the command belongs to the file: parameters of both patterns are one.
    fn goes_with(&self, path: &str, file: &str, pattern: &Pattern, command: &Command) -> bool {
        match (self.paths.get(path), self.commands.get(pattern.text.as_str())) {
            (Some(Path::Template(edited)), Some(Run::Template(run))) => run.goes_with(edited, file, command),
            _ => false,
        }
    }

    /// Whether this happened. `of` is the edit that it belongs to: as the predicate names it, and as the session made it.
    pub(super) fn meets(&self, event: &Event, beat: &Beat<'_>, of: Option<(&str, &str)>) -> bool {
        match (event, &beat.what) {
            (
                Event::Edit { ending, path, saying },
                Happened::Act { action, path: file, input, output, .. },
            ) => {
                let is_named = action.edits().is_some() && self.is_file(path, file);
                let is_refused = action.refused && is_named;
                match ending {
                    Ending::Any | Ending::Pass => {
                        (action.edited().is_some() && is_named || self.counts_refused() && is_refused)
                            && writes(saying, input)
                    }
                    Ending::Fail => {
                        is_named && !action.refused && action.status == Status::Error && says(saying, output)
                    }
                    Ending::Refuse => is_refused && (writes(saying, input) || self.is_told(beat, saying, "")),
                }
            }
            (Event::Run { ending, command, saying }, Happened::Act { action, output, .. }) => {
                let Some(run) = action.run() else { return false };
                let ends = match ending {
                    Ending::Any => self.counts_refused() || !action.refused,
                    Ending::Pass => action.status == Status::Ok,
                    Ending::Fail => action.status == Status::Error,
                    Ending::Refuse => action.refused,
                };
                let has_holes = |text: &str| text.contains('{');
                let is_bound =
                    |(path, _): &(&str, &str)| has_holes(path) && has_holes(&command.text) && !command.more;
                let is_it = || match of.filter(is_bound) {
                    Some((path, file)) => self.goes_with(path, file, command, run),
                    None => self.runs(command, run),
                };
                ends && is_it() && self.is_told(beat, saying, output)
            }
            (Event::Look { found, path }, Happened::Look(seen)) => {
                let is_wanted = |is_there: bool| match found {
                    Look::Any => true,
                    Look::Found => is_there,
                    Look::Missed => !is_there,
                };
                match seen {
                    Found::Present(looked) => is_wanted(true) && self.is_looked_for(path, looked),
                    Found::Missing(looked) | Found::InVain(looked) => {
                        is_wanted(false) && self.is_looked_for(path, looked)
                    }
                    _ => false,
                }
            }
            (Event::Search { name }, Happened::Look(Found::Declared { name: own, .. })) => own == name,
            (Event::Prompt { class, saying }, Happened::Prompt { text, classes, .. }) => {
                class.is_none_or(|class| classes.contains(&class)) && says(saying, text)
            }
            // Who refuses with words says something, too.
            (Event::Prompt { class: None, saying }, Happened::Act { action, .. }) => {
                !saying.is_empty() && action.said.as_deref().is_some_and(|said| says(saying, said))
            }
            (Event::Want { want, act, name }, Happened::Statement(statement)) => {
                statement.want == *want
                    && statement.act == *act
                    && name.as_ref().is_none_or(|name| statement.name.eq_ignore_ascii_case(name))
            }
            _ => false,
        }
    }

    /// Whether a refused run is a run: where what is expected is a refusal.
    fn counts_refused(&self) -> bool {
        self.predicate.expected == Some(Expected::Refuse)
    }

    /// Whether a run's output, its failure's signature or the person who refused it says one of the texts.
    pub(super) fn is_told(&self, beat: &Beat<'_>, saying: &[String], output: &str) -> bool {
        let Happened::Act { action, .. } = &beat.what else { return false };
        let own = action.signature.as_deref().into_iter().chain(action.said.as_deref());
        saying.is_empty()
            || (!action.refused && says(saying, output))
            || own.chain(action.rules.iter().map(AsRef::as_ref)).any(|text| says(saying, text))
    }
}

/// Whether a command has these words, of which each may have stars; its flags may stand anywhere.
fn runs_as(words: &[String], more: bool, command: &Command) -> bool {
    let (flags, words): (Vec<&String>, Vec<&String>) = words.iter().partition(|word| is_flag(word));
    let own = || command.words().iter().map(|word| word.value.as_str());
    let mut things = own().filter(|word| !is_flag(word));
    let begins = words.iter().all(|word| things.next().is_some_and(|own| is_word(word, own)));
    let has_flags = flags.iter().all(|flag| own().any(|own| has_stars(flag, own)));
    let mut is_whole = || {
        let others = own().filter(|word| is_flag(word) && !is_manner(word));
        others.count() <= flags.len() && things.next().is_none()
    };
    begins && has_flags && (more || is_whole())
}

/// Whether a word is the other one; a path from the root of the disk is also the one that its end is.
fn is_word(pattern: &str, word: &str) -> bool {
    let is_below = |pattern: &str| {
        let ends = word.match_indices('/').filter_map(|(at, _)| word.get(at + 1..));
        ends.into_iter().any(|end| has_stars(pattern, end))
    };
    has_stars(pattern, word)
        || (word.starts_with('/')
            && pattern.starts_with(|char: char| char.is_ascii_alphanumeric())
            && pattern.contains('/')
            && is_below(pattern))
}

/// Whether a word is the other one, in which each star stands for any characters.
fn has_stars(pattern: &str, word: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = word.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

/// Whether an edit writes one of the texts.
fn writes(saying: &[String], input: &str) -> bool {
    saying.is_empty() || {
        let fields: Option<Value> = serde_json::from_str(input).ok();
        says(saying, &written(fields.as_ref(), input))
    }
}

/// Whether one of the texts stands in another, as whole words, whatever the case and the white space.
pub(in super::super) fn says(saying: &[String], text: &str) -> bool {
    if saying.is_empty() {
        return true;
    }
    let folded = folded(text);
    saying.iter().any(|wanted| stands_in(&folded, &self::folded(wanted)))
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn stands_in(text: &str, wanted: &str) -> bool {
    let is_inside = |inner: Option<char>, outer: Option<char>| {
        let goes_on = |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || char == '_');
        goes_on(inner) && goes_on(outer)
    };
    text.match_indices(wanted).any(|(at, found)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + found.len()..).and_then(|after| after.chars().next());
        !is_inside(found.chars().next(), before) && !is_inside(found.chars().next_back(), after)
    })
}

/// `*` stands for any part of a name, `**/` for any folders, `?` for one character; a pattern without a folder is one of
/// names, wherever they are.
fn matches_stars(pattern: &[char], file: &str) -> bool {
    let file = if pattern.contains(&'/') { file } else { file.rsplit('/').next().unwrap_or_default() };
    let file: Vec<char> = file.chars().collect();
    // Which beginnings of the file the pattern so far matches.
    let mut reached = vec![false; file.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    let mut at = 0;
    while let Some(char) = pattern.get(at) {
        let is_folders = *char == '*' && pattern.get(at + 1) == Some(&'*');
        let mut next = vec![false; reached.len()];
        if *char == '*' {
            let mut open = false;
            for (place, slot) in next.iter_mut().enumerate() {
                open |= reached.get(place) == Some(&true);
                *slot = open;
                open &= is_folders || file.get(place) != Some(&'/');
            }
        } else {
            for (place, own) in file.iter().enumerate() {
                let fits = *own == *char || (*char == '?' && *own != '/');
                if fits
                    && reached.get(place) == Some(&true)
                    && let Some(slot) = next.get_mut(place + 1)
                {
                    *slot = true;
                }
            }
        }
        at += 1;
        if is_folders {
            at += 1;
            if pattern.get(at) == Some(&'/') {
                // No folder at all, or whole ones.
                at += 1;
                for (place, slot) in next.iter_mut().enumerate() {
                    let is_start = place.checked_sub(1).is_none_or(|before| file.get(before) == Some(&'/'));
                    *slot &= is_start || reached.get(place) == Some(&true);
                }
            }
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_names_and_folders() {
        for (pattern, file, is_one) in [
            ("src/**/*.rs", "src/a.rs", true),
            ("src/**/*.rs", "src/a/b/c.rs", true),
            ("src/**/*.rs", "lib/src/a.rs", false),
            ("src/*.rs", "src/a/b.rs", false),
            ("src/*.rs", "src/b.rs", true),
            ("*.rs", "src/a/b.rs", true),
            ("*.rs", "src/a/b.rsx", false),
            ("src/**", "src/a/b.rs", true),
            ("src/**", "source/a.rs", false),
            ("**/tests/*.py", "tests/a.py", true),
            ("**/tests/*.py", "a/tests/b.py", true),
            ("**/tests/*.py", "a/mytests/b.py", false),
            ("src/**/x.rs", "src/ax.rs", false),
            ("a?.md", "ab.md", true),
            ("a?.md", "a.md", false),
            ("docs/?/a", "docs///a", false),
        ] {
            let pattern: Vec<char> = pattern.chars().collect();
            assert_eq!(matches_stars(&pattern, file), is_one, "{} {file}", String::from_iter(&pattern));
        }
    }

    #[test]
    fn stars_stand_for_parts_of_the_words_of_a_command() {
        let runs = |pattern: &str, more: bool, line: &str| {
            let words: Vec<String> = pattern.split(' ').map(str::to_owned).collect();
            runs_as(&words, more, &single(line).unwrap())
        };
        assert!(runs(
            "gh api *pulls/*/comments/*/replies",
            true,
            "gh api repos/a/b/pulls/3/comments/7/replies -f body=x"
        ));
        assert!(!runs("gh api *pulls/*/comments/*/replies", true, "gh api repos/a/b/pulls/3/comments"));
        assert!(
            runs("make test-*", false, "make test-unit") && !runs("make test-*", false, "make test-unit all")
        );
        assert!(
            runs("go test -run *", true, "go test ./... -run TestA")
                == runs("go test -run", true, "go test ./... -run TestA")
        );
        assert!(has_stars("*", "") && has_stars("a*a", "aba") && !has_stars("a*a", "a"));
    }

    #[test]
    fn a_text_stands_as_whole_words() {
        let says = |wanted: &str, text: &str| says(&[wanted.to_owned()], text);
        assert!(says("commit", "Please Commit this"));
        assert!(!says("commit", "it is committed"));
        assert!(says("connection  refused", "dial tcp: Connection\n refused"));
        assert!(says("//nolint", "x() //nolint:errcheck"));
        assert!(says("no-verify", "git commit --no-verify"));
        assert!(!says("err", "errcheck"));
    }
}

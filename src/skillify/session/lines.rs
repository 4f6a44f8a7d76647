//! Command lines, each read once.
//!
//! A call's line is asked for by whoever looks at the call, and sessions run the same lines again and again. Who
//! makes many digests within [`super::super::SharedCommands::within`] has each line once; anyone else reads it anew.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::super::hash_index::{HashIndex, hash_of};
use super::interner::SharedCommand;
use crate::shell::class::may_fetch;
use crate::shell::command::{Listed, commands};
use crate::shell::tool::{is_shell, line_in, name_words};

thread_local! {
    /// The lines of [`super::sharing::SharedCommands::within`]; `None` outside of it.
    static KNOWN: RefCell<Option<Lines>> = const { RefCell::new(None) };
}

/// Shares lines on this thread from now on.
pub(super) fn share(lines: Lines) {
    KNOWN.set(Some(lines));
}

/// Shares no more; the lines that are known by now.
pub(super) fn shared() -> Lines {
    KNOWN.take().unwrap_or_default()
}

/// What `work` makes of the lines that are known; `None` where none are kept.
fn with_lines<T>(work: impl FnOnce(&mut Lines) -> T) -> Option<T> {
    KNOWN.with_borrow_mut(|known| known.as_mut().map(work))
}

/// A command line, and what it runs.
pub(in crate::skillify) struct Line {
    text: Box<str>,
    listed: Vec<Listed>,
    shared: OnceLock<Vec<SharedCommand>>,
    may_fetch: OnceLock<bool>,
}

impl Line {
    /// The line of a shell tool's call; `None` for any other tool.
    pub(in crate::skillify) fn of_call(tool: &str, input: &str) -> Option<Arc<Self>> {
        if !with_lines(|lines| lines.runs(tool)).unwrap_or_else(|| is_shell(&name_words(tool))) {
            return None;
        }
        let known = with_lines(|lines| lines.of_input(input)).flatten();
        if let Some(line) = known {
            return line;
        }
        let line = line_in(input).map(|line| Self::read(&line));
        with_lines(|lines| lines.keep_input(input, line.clone()));
        line
    }

    /// The line, read.
    pub(in crate::skillify) fn read(text: &str) -> Arc<Self> {
        if let Some(line) = with_lines(|lines| lines.of_text(text)).flatten() {
            return line;
        }
        let line = Arc::new(Self {
            text: text.into(),
            listed: commands(text),
            shared: OnceLock::new(),
            may_fetch: OnceLock::new(),
        });
        with_lines(|lines| lines.keep(Arc::clone(&line)));
        line
    }

    /// As it was given.
    pub(in crate::skillify) fn text(&self) -> &str {
        &self.text
    }

    /// What it runs, in order.
    pub(in crate::skillify) fn listed(&self) -> &[Listed] {
        &self.listed
    }

    /// The commands of [`Line::listed`], as actions have them.
    pub(in crate::skillify) fn commands(&self) -> &[SharedCommand] {
        self.shared.get_or_init(|| self.listed.iter().map(|listed| listed.command.clone().into()).collect())
    }

    /// Whether it may fetch something from elsewhere.
    pub(in crate::skillify) fn may_fetch(&self) -> bool {
        *self.may_fetch.get_or_init(|| may_fetch(&self.text))
    }
}

/// The lines that were read.
#[derive(Default)]
pub(in crate::skillify) struct Lines {
    /// Whether tools run command lines, by their names.
    tools: BTreeMap<Box<str>, bool>,
    inputs: Vec<(Box<str>, Option<Arc<Line>>)>,
    places_of_inputs: HashIndex,
    lines: Vec<Arc<Line>>,
    places: HashIndex,
    bytes: usize,
}

/// So many bytes of text are kept; then all begins anew.
const MOST_BYTES: usize = 2 << 20;
/// Longer texts come but once.
const LONGEST: usize = 4 << 10;
/// Nobody has so many tools.
const MOST_TOOLS: usize = 1 << 10;

impl Lines {
    fn runs(&mut self, tool: &str) -> bool {
        if let Some(runs) = self.tools.get(tool) {
            return *runs;
        }
        let runs = is_shell(&name_words(tool));
        if self.tools.len() < MOST_TOOLS && tool.len() <= LONGEST {
            self.tools.insert(tool.into(), runs);
        }
        runs
    }

    fn of_input(&self, input: &str) -> Option<Option<Arc<Line>>> {
        let is = |at: usize| self.inputs.get(at).is_some_and(|(known, _)| **known == *input);
        let place = self.places_of_inputs.find(hash_of(input), is)?;
        self.inputs.get(place as usize).map(|(_, line)| line.clone())
    }

    fn keep_input(&mut self, input: &str, line: Option<Arc<Line>>) {
        if self.makes_room(input) {
            self.places_of_inputs.insert(hash_of(input), self.inputs.len());
            self.inputs.push((input.into(), line));
        }
    }

    fn of_text(&self, text: &str) -> Option<Arc<Line>> {
        let is = |at: usize| self.lines.get(at).is_some_and(|line| *line.text == *text);
        let place = self.places.find(hash_of(text), is)?;
        self.lines.get(place as usize).cloned()
    }

    fn keep(&mut self, line: Arc<Line>) {
        if self.makes_room(&line.text) {
            self.places.insert(hash_of(&*line.text), self.lines.len());
            self.lines.push(line);
        }
    }

    /// Whether a text may be kept.
    fn makes_room(&mut self, text: &str) -> bool {
        if text.len() > LONGEST {
            return false;
        }
        if self.bytes + text.len() > MOST_BYTES {
            *self = Self { tools: std::mem::take(&mut self.tools), ..Self::default() };
        }
        self.bytes += text.len();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::SharedCommands;
    use super::super::endings::Endings;
    use super::*;
    use crate::event::Status;

    #[test]
    fn a_line_is_read_once_within_and_the_same_without() {
        let line = || Line::of_call("Bash", r#"{"command":"cd api && make test"}"#).unwrap();
        let ((first, second), _) = SharedCommands::default().within(|| (line(), line()));
        assert!(Arc::ptr_eq(&first, &second) && Arc::ptr_eq(&first, &first.clone()));
        let alone = line();
        assert!(!Arc::ptr_eq(&first, &alone));
        assert_eq!((alone.text(), alone.listed()), (first.text(), first.listed()));
        assert_eq!(alone.commands(), first.commands());
        assert!(Line::of_call("Read", r#"{"command":"make"}"#).is_none());
        let text = |input: &str| Line::of_call("Bash", input).map(|line| line.text().to_owned());
        let (known, _) = SharedCommands::default().within(|| [text("{}"), text("{}"), text("make a")]);
        assert_eq!(known, [None, None, Some("make a".to_owned())]);
    }

    #[test]
    fn however_many_lines_there_are_what_is_kept_is_bounded() {
        let read = |number: usize| Line::read(&format!("make {number} {}", "x".repeat(1_000)));
        let mut lines = Lines::default();
        for number in 0..3 * MOST_BYTES / 1_000 {
            lines.keep(read(number));
        }
        assert!(lines.bytes <= MOST_BYTES && lines.lines.len() * 1_000 <= MOST_BYTES);
        let last = lines.lines.last().map(|line| line.text().to_owned()).unwrap();
        assert!(lines.of_text(&last).is_some());
        lines.keep(Line::read(&"x".repeat(LONGEST + 1)));
        assert!(lines.of_text(&"x".repeat(LONGEST + 1)).is_none());
    }

    #[test]
    fn a_call_ends_alike_for_all_who_ask() {
        let line = Line::read("make test");
        let output = "1 failed".to_owned();
        let mut endings = Endings::default();
        let first = endings.of(&line, Status::Error, &output);
        assert!(Arc::ptr_eq(&first, &endings.of(&line, Status::Error, &output)));
        assert_eq!(endings.of_line(&line, Status::Error, &output), Status::Error);
        assert_eq!(endings.of_line(&line, Status::Ok, &output), Status::Ok);
    }
}

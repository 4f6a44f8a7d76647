//! Command lines as a POSIX shell splits them, as far as mining needs it.
//!
//! Quotes, escapes, substitutions, comments, redirections and here-documents are understood well
//! enough to find the simple commands of a line and their words; nothing is expanded. Any text
//! gives a result: an unclosed quote ends with the text.

use serde::{Deserialize, Serialize};

/// One word of a command.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "StoredWord", into = "StoredWord")]
pub(crate) struct Word {
    /// As written, quotes included.
    pub(crate) raw: String,
    /// With quotes and escapes removed.
    pub(crate) value: String,
}

impl std::hash::Hash for Word {
    /// Equal words are written equally.
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.raw.hash(state);
    }
}

/// A word as it is stored: as written, and its value where that is another.
#[derive(Serialize, Deserialize)]
struct StoredWord(String, Option<String>);

impl From<StoredWord> for Word {
    fn from(StoredWord(raw, value): StoredWord) -> Self {
        Self { value: value.unwrap_or_else(|| raw.clone()), raw }
    }
}

impl From<Word> for StoredWord {
    fn from(Word { raw, value }: Word) -> Self {
        let value = (value != raw).then_some(value);
        Self(raw, value)
    }
}

/// How a pipeline is joined to the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connector {
    /// First, or after `;`, a line end or a parenthesis.
    Sequence,
    /// After `&&`.
    And,
    /// After `||`.
    Or,
    /// After `(…) |`, `done |` and the like: it reads what the group before prints.
    Pipe,
}

/// Where a stream of a command goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Stream {
    /// To the pipe behind it, or to who reads the call's output.
    #[default]
    Kept,
    /// To `/dev/null`.
    Dropped,
    /// To a file.
    Filed,
}

/// Where what a simple command prints goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Streams {
    /// Its output.
    pub(crate) out: Stream,
    /// Its errors.
    pub(crate) errors: Stream,
    /// The files that it writes by redirection.
    pub(crate) writes: Vec<String>,
}

/// One redirection that waits for its target.
#[derive(Clone, Copy)]
enum Redirection {
    /// Of a file that is read, a here-document, or a descriptor that no one looks at.
    Other,
    Out,
    Errors,
    Both,
    /// `>&` of the output, `2>&` of the errors.
    CopyOut,
    CopyErrors,
}

/// Simple commands joined by `|`; never without a stage, no stage without a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pipeline {
    /// What joins it to the pipeline before.
    pub(crate) connector: Connector,
    /// The words of each simple command.
    pub(crate) stages: Vec<Vec<Word>>,
    /// Where each simple command's output goes.
    pub(crate) streams: Vec<Streams>,
    /// Whether it runs in the background (`&`).
    pub(crate) is_background: bool,
    /// Whether text written into the line itself, or a file, is fed to it (`<<EOF`, `< dump.sql`).
    pub(crate) is_fed: bool,
    /// In how many subshells it runs.
    pub(crate) subshells: usize,
    /// The fewest that the line was in since the pipeline before.
    pub(crate) left_to: usize,
}

/// Splits a command line into its pipelines.
pub(crate) fn parse(line: &str) -> Vec<Pipeline> {
    let mut lexer = Lexer::new(line);
    lexer.run();
    lexer.pipelines
}

struct Lexer {
    chars: Vec<char>,
    position: usize,
    word: Option<Word>,
    stage: Vec<Word>,
    stages: Vec<Vec<Word>>,
    stage_streams: Streams,
    streams: Vec<Streams>,
    connector: Connector,
    is_fed: bool,
    subshells: usize,
    left_to: usize,
    /// A subshell ended, and nothing came since.
    after_group: bool,
    /// The next word is this redirection's target.
    target_of: Option<Redirection>,
    /// The next word is a here-document's delimiter.
    delimiter_next: bool,
    delimiters: Vec<String>,
    pipelines: Vec<Pipeline>,
}

impl Lexer {
    fn new(line: &str) -> Self {
        Self {
            chars: line.chars().collect(),
            position: 0,
            word: None,
            stage: Vec::new(),
            stages: Vec::new(),
            stage_streams: Streams::default(),
            streams: Vec::new(),
            connector: Connector::Sequence,
            is_fed: false,
            subshells: 0,
            left_to: 0,
            after_group: false,
            target_of: None,
            delimiter_next: false,
            delimiters: Vec::new(),
            pipelines: Vec::new(),
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.position + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let char = self.peek(0)?;
        self.position += 1;
        Some(char)
    }

    fn run(&mut self) {
        while let Some(char) = self.next() {
            match char {
                '\n' => self.end_line(),
                // Other spaces are letters to a shell.
                ' ' | '\t' | '\r' => self.end_word(),
                '\\' => self.escape(),
                '\'' => self.single_quoted(),
                '"' => self.double_quoted(),
                '$' if self.peek(0) == Some('(') => self.substitution(),
                '`' => self.backquoted(),
                '#' if self.word.is_none() => self.comment(),
                ';' => self.end_pipeline(Connector::Sequence),
                '(' | ')' => self.parenthesis(char),
                '&' => self.ampersand(),
                '|' => self.bar(),
                '<' | '>' => self.redirection(char),
                _ => self.push(char, char),
            }
        }
        self.end_pipeline(Connector::Sequence);
    }

    fn current(&mut self) -> &mut Word {
        self.word.get_or_insert_with(|| Word { raw: String::new(), value: String::new() })
    }

    fn push(&mut self, raw: char, value: char) {
        let word = self.current();
        word.raw.push(raw);
        word.value.push(value);
    }

    fn escape(&mut self) {
        match self.next() {
            None | Some('\n') => {}
            Some(char) => {
                self.current().raw.push('\\');
                self.push(char, char);
            }
        }
    }

    fn single_quoted(&mut self) {
        self.current().raw.push('\'');
        while let Some(char) = self.next() {
            if char == '\'' {
                self.current().raw.push('\'');
                return;
            }
            self.push(char, char);
        }
    }

    fn double_quoted(&mut self) {
        self.current().raw.push('"');
        while let Some(char) = self.next() {
            match char {
                '"' => {
                    self.current().raw.push('"');
                    return;
                }
                '\\' if matches!(self.peek(0), Some('"' | '\\' | '$' | '`' | '\n')) => self.escape(),
                _ => self.push(char, char),
            }
        }
    }

    fn substitution(&mut self) {
        self.push('$', '$');
        let mut depth = 0_usize;
        while let Some(char) = self.next() {
            self.push(char, char);
            match char {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn backquoted(&mut self) {
        self.push('`', '`');
        while let Some(char) = self.next() {
            self.push(char, char);
            if char == '`' {
                return;
            }
        }
    }

    fn comment(&mut self) {
        while self.peek(0).is_some_and(|char| char != '\n') {
            self.position += 1;
        }
    }

    fn parenthesis(&mut self, char: char) {
        // `a && (b` joins as `a && b` does.
        let opens = char == '(' && self.stage.is_empty() && self.stages.is_empty() && self.word.is_none();
        let next = if opens { self.connector } else { Connector::Sequence };
        self.end_pipeline(next);
        self.after_group = char == ')';
        self.subshells = if char == '(' { self.subshells + 1 } else { self.subshells.saturating_sub(1) };
        self.left_to = self.left_to.min(self.subshells);
    }

    fn ampersand(&mut self) {
        match self.peek(0) {
            Some('&') => {
                self.position += 1;
                self.end_pipeline(Connector::And);
            }
            Some('>') => {
                self.position += 1;
                self.redirection('>');
            }
            _ => {
                self.end_pipeline(Connector::Sequence);
                self.send_to_background();
            }
        }
    }

    /// The list that ended last runs in the background.
    fn send_to_background(&mut self) {
        for pipeline in self.pipelines.iter_mut().rev() {
            pipeline.is_background = true;
            if pipeline.connector == Connector::Sequence {
                break;
            }
        }
    }

    fn bar(&mut self) {
        if self.peek(0) == Some('|') {
            self.position += 1;
            return self.end_pipeline(Connector::Or);
        }
        if self.peek(0) == Some('&') {
            self.position += 1;
        }
        if self.after_group && self.stage.is_empty() && self.word.is_none() && self.stages.is_empty() {
            return self.end_pipeline(Connector::Pipe);
        }
        self.end_stage();
    }

    fn redirection(&mut self, first: char) {
        let is_descriptor =
            self.word.as_ref().is_some_and(|word| word.raw.chars().all(|char| char.is_ascii_digit()));
        let descriptor = if is_descriptor { self.word.take() } else { None };
        let mut of = match descriptor.as_ref().map(|word| word.raw.as_str()) {
            None if self.chars.get(self.position.wrapping_sub(2)) == Some(&'&') => Redirection::Both,
            None | Some("1") => Redirection::Out,
            Some("2") => Redirection::Errors,
            Some(_) => Redirection::Other,
        };
        self.end_word();
        let mut arrows = 1;
        while self.peek(0) == Some(first) {
            self.position += 1;
            arrows += 1;
        }
        if first == '<' {
            of = Redirection::Other;
        }
        if first == '<' && arrows >= 2 {
            self.is_fed = true;
            self.delimiter_next = arrows == 2;
            if self.peek(0) == Some('-') {
                self.position += 1;
            }
        } else if matches!(self.peek(0), Some('&' | '|' | '>')) {
            of = match (self.peek(0), of) {
                (Some('&'), Redirection::Out) => Redirection::CopyOut,
                (Some('&'), Redirection::Errors) => Redirection::CopyErrors,
                (_, of) => of,
            };
            self.position += 1;
        } else {
            self.is_fed |= first == '<' && !self.is_nothing_ahead();
        }
        self.target_of = Some(of);
    }

    fn redirect(&mut self, of: Redirection, target: &str) {
        let streams = &mut self.stage_streams;
        let stream = match target {
            "/dev/null" | "-" => Stream::Dropped,
            "/dev/stdout" | "/dev/stderr" | "/dev/tty" => Stream::Kept,
            _ => Stream::Filed,
        };
        match of {
            Redirection::Other => return,
            Redirection::CopyErrors if target == "1" => return streams.errors = streams.out,
            Redirection::CopyOut if target == "2" => return streams.out = streams.errors,
            Redirection::CopyErrors if target == "2" => return,
            Redirection::CopyOut if target == "1" => return,
            Redirection::Out => streams.out = stream,
            Redirection::Errors | Redirection::CopyErrors => streams.errors = stream,
            Redirection::Both | Redirection::CopyOut => {
                streams.out = stream;
                streams.errors = stream;
            }
        }
        if stream == Stream::Filed {
            streams.writes.push(target.to_owned());
        }
    }

    /// Whether `/dev/null` comes next.
    fn is_nothing_ahead(&self) -> bool {
        let ahead = self.chars.iter().skip(self.position).skip_while(|char| **char == ' ');
        ahead.take("/dev/null".len()).copied().eq("/dev/null".chars())
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        if let Some(of) = self.target_of.take() {
            if std::mem::take(&mut self.delimiter_next) {
                self.delimiters.push(word.value);
            } else {
                self.redirect(of, &word.value);
            }
            return;
        }
        self.after_group = false;
        self.stage.push(word);
    }

    fn end_stage(&mut self) {
        self.end_word();
        self.target_of = None;
        let stage = std::mem::take(&mut self.stage);
        let streams = std::mem::take(&mut self.stage_streams);
        if !stage.is_empty() {
            self.stages.push(stage);
            self.streams.push(streams);
        }
    }

    fn end_pipeline(&mut self, next: Connector) {
        self.end_stage();
        let stages = std::mem::take(&mut self.stages);
        let streams = std::mem::take(&mut self.streams);
        let is_fed = std::mem::take(&mut self.is_fed);
        let is_background = false;
        if !stages.is_empty() {
            let Self { connector, subshells, left_to, .. } = *self;
            let pipeline = Pipeline { connector, stages, streams, is_background, is_fed, subshells, left_to };
            self.pipelines.push(pipeline);
            self.left_to = subshells;
        }
        self.after_group = false;
        self.connector = next;
    }

    fn end_line(&mut self) {
        // A line may end within a list (`a &&` or `a |`): only a finished command ends it.
        self.end_word();
        if !self.stage.is_empty() {
            self.end_pipeline(Connector::Sequence);
        }
        for delimiter in std::mem::take(&mut self.delimiters) {
            self.skip_here_document(&delimiter);
        }
    }

    fn skip_here_document(&mut self, delimiter: &str) {
        while self.position < self.chars.len() {
            let line: String =
                self.chars.iter().skip(self.position).take_while(|char| **char != '\n').collect();
            self.position += line.chars().count() + 1;
            if line.trim() == delimiter {
                return;
            }
        }
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;

//! YAML documents as a tree that knows the position of each node, also after several documents were merged.
//!
//! Scalars keep their text and whether it was plain, so that `default: 0123` is a text where a text
//! is wanted and `rows: ${env:ROWS}` a number where a number is wanted.

use std::collections::BTreeMap;
use std::fmt;

use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span};

/// The layer of the built-in configuration.
pub(crate) const BUILT_IN: usize = 0;

/// What a tab is refused with.
const TAB: &str = "a tab stands here; indent with blanks";

/// More nodes than any configuration has; aliases cannot multiply beyond it.
const MAX_NODES: usize = 100_000;
/// Deeper than any configuration is.
const MAX_DEPTH: usize = 64;

/// A place in one of the texts that a configuration is made of; line and column count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    /// The text's place in the order of merging; [`BUILT_IN`] is the first.
    pub(crate) layer: usize,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A node and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) position: Position,
    pub(crate) value: Value,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Scalar(Scalar),
    Sequence(Vec<Node>),
    /// In the order of the file; no key twice.
    Mapping(Vec<(Key, Node)>),
    /// Wrong, and told already: reading passes it over.
    Refused,
}

/// A text as it stands in the file, and what it means.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scalar {
    /// What it means, `${…}` replaced.
    pub(crate) text: String,
    /// Not quoted: may be a number or a boolean where one is wanted.
    pub(crate) plain: bool,
    /// As written, for messages: what replaced a `${…}` may be a secret.
    pub(crate) written: String,
}

/// A mapping's key and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    pub(crate) position: Position,
    pub(crate) name: String,
}

/// Why a text is no tree.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SyntaxError {
    pub(crate) position: Position,
    pub(crate) message: String,
}

impl Node {
    /// Parses one YAML document, the text of `layer`. An empty one is null. Keys that stand twice are told in
    /// `repeated`; the first of them counts.
    pub(crate) fn parse(
        text: &str,
        layer: usize,
        repeated: &mut Vec<SyntaxError>,
    ) -> Result<Self, SyntaxError> {
        let mut options = Options::default();
        options.emit_comments = false;
        let mut loader = Loader {
            events: Parser::new_from_str_with_options(text.trim_start_matches('\u{feff}'), options),
            anchors: BTreeMap::new(),
            nodes: 0,
            layer,
            repeated: Vec::new(),
        };
        let document = loader.document().map_err(|error| error.of(text));
        repeated.append(&mut loader.repeated);
        document
    }

    /// The place of the node at `path`, or of the nearest one above it that somebody wrote.
    pub(crate) fn place(&self, path: &[String]) -> Position {
        let mut place = self.position;
        let mut node = self;
        for name in path {
            let Some(child) = node.child(name) else { break };
            node = child;
            if node.position.layer != BUILT_IN {
                place = node.position;
            }
        }
        // What is built in stands somewhere as well, if nothing else does.
        if place.layer == BUILT_IN { node.position } else { place }
    }

    /// What stands below this node under a name, or in a list at an index.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        match &self.value {
            Value::Mapping(entries) => entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| node),
            Value::Sequence(items) => name.parse::<usize>().ok().and_then(|index| items.get(index)),
            Value::Null | Value::Scalar(_) | Value::Refused => None,
        }
    }

    /// The same, to change it.
    pub(crate) fn child_mut(&mut self, name: &str) -> Option<&mut Self> {
        match &mut self.value {
            Value::Mapping(entries) => {
                entries.iter_mut().find(|(key, _)| key.name == name).map(|(_, node)| node)
            }
            Value::Sequence(items) => name.parse::<usize>().ok().and_then(|index| items.get_mut(index)),
            Value::Null | Value::Scalar(_) | Value::Refused => None,
        }
    }

    /// What stands below this node, if it is a mapping.
    pub(crate) fn entries(&self) -> &[(Key, Self)] {
        match &self.value {
            Value::Mapping(entries) => entries,
            Value::Null | Value::Scalar(_) | Value::Sequence(_) | Value::Refused => &[],
        }
    }

    fn size(&self) -> usize {
        match &self.value {
            Value::Null | Value::Scalar(_) | Value::Refused => 1,
            Value::Sequence(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            Value::Mapping(entries) => 1 + entries.iter().map(|(_, node)| node.size()).sum::<usize>(),
        }
    }
}

impl SyntaxError {
    /// A tab in the indentation is the reason of many an error, whatever the parser calls it.
    fn of(self, text: &str) -> Self {
        // The parser tells of the line before where the value that it reads began there.
        let lines = text.lines().enumerate().skip(self.position.line.saturating_sub(1)).take(2);
        let mut tabs = lines.filter_map(|(index, line)| {
            let indentation = line.len() - line.trim_start().len();
            line.get(..indentation)?.find('\t').map(|tab| (index + 1, tab + 1))
        });
        match tabs.next() {
            Some((line, column)) => Self {
                position: Position { line, column, ..self.position },
                message: format!("not YAML: {TAB}"),
            },
            None => self,
        }
    }
}

struct Loader<'input> {
    events: Parser<'input, granit_parser::StrInput<'input>>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    layer: usize,
    repeated: Vec<SyntaxError>,
}

impl<'input> Loader<'input> {
    fn document(&mut self) -> Result<Node, SyntaxError> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(..) if root.is_some() => {
                    return Err(
                        self.error(span, "a configuration is one YAML document; a second one begins here")
                    );
                }
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                event => root = Some(self.node(event, span, 0)?),
            }
        }
        let start = Position { layer: self.layer, line: 1, column: 1 };
        Ok(root.unwrap_or(Node { position: start, value: Value::Null }))
    }

    fn next(&mut self) -> Result<(Event<'input>, Span), SyntaxError> {
        match self.events.next() {
            Some(Ok(next)) => Ok(next),
            Some(Err(scan)) => Err(scan_error(&scan, self.layer)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'input>, span: Span, depth: usize) -> Result<Node, SyntaxError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES || depth > MAX_DEPTH {
            return Err(self.error(span, "larger or deeper than a configuration can be"));
        }
        let position = self.position(span);
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let null = plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let text = text.into_owned();
                let scalar = Scalar { written: text.clone(), text, plain };
                (if null { Value::Null } else { Value::Scalar(scalar) }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.sequence(depth)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.mapping(depth)?, anchor),
            Event::Alias(anchor) => return self.alias(anchor, span, position),
            _ => return Err(self.error(span, "a value was expected here")),
        };
        let node = Node { position, value };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, span: Span, position: Position) -> Result<Node, SyntaxError> {
        let Some(target) = self.anchors.get(&anchor) else {
            return Err(self.error(span, "this alias refers to nothing above it"));
        };
        self.nodes += target.size();
        if self.nodes > MAX_NODES {
            return Err(self.error(span, "aliases make this larger than a configuration can be"));
        }
        Ok(Node { position, value: target.value.clone() })
    }

    fn sequence(&mut self, depth: usize) -> Result<Value, SyntaxError> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd | Event::StreamEnd) {
                return Ok(Value::Sequence(items));
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, SyntaxError> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd | Event::StreamEnd) {
                return Ok(Value::Mapping(entries));
            }
            let key = self.node(event, span, depth + 1)?;
            let Value::Scalar(Scalar { text: name, .. }) = key.value else {
                return Err(self.error(span, "a key is a text"));
            };
            if let Some((first, _)) = entries.iter().find(|(entry, _)| entry.name == name) {
                let message = format!("the key {name:?} is written twice, first at {}", first.position);
                self.repeated.push(self.error(span, &message));
                let (event, span) = self.next()?;
                self.node(event, span, depth + 1)?;
                continue;
            }
            let (event, span) = self.next()?;
            let node = self.node(event, span, depth + 1)?;
            entries.push((Key { position: key.position, name }, node));
        }
    }

    fn position(&self, span: Span) -> Position {
        Position { layer: self.layer, line: span.start.line().max(1), column: span.start.col() + 1 }
    }

    fn error(&self, span: Span, message: &str) -> SyntaxError {
        SyntaxError { position: self.position(span), message: message.to_owned() }
    }
}

fn scan_error(scan: &ScanError, layer: usize) -> SyntaxError {
    let marker = scan.marker();
    SyntaxError {
        position: Position { layer, line: marker.line().max(1), column: marker.col() + 1 },
        message: format!("not YAML: {}", reason(scan)),
    }
}

/// Why it is no YAML, and what to do where people do it most.
fn reason(scan: &ScanError) -> String {
    let info = scan.info();
    match info.as_str() {
        tab if tab.contains("tabs ") => TAB.to_owned(),
        "" => "something here cannot be read; look at quotes, brackets and colons".to_owned(),
        _ => info.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The document, or what is wrong with it first.
    fn parse(text: &str) -> Result<Node, SyntaxError> {
        let mut repeated = Vec::new();
        let node = Node::parse(text, 1, &mut repeated)?;
        repeated.into_iter().next().map_or(Ok(node), Err)
    }

    fn place(text: &str, path: &[&str]) -> String {
        let path: Vec<String> = path.iter().map(|&part| part.to_owned()).collect();
        parse(text).unwrap().place(&path).to_string()
    }

    #[test]
    fn knows_where_nodes_stand() {
        let text = "a:\n  b: [x, 'y']\n  c: &c {d: 1}\ne: *c\n";
        assert_eq!(place(text, &["a", "b", "1"]), "2:10");
        assert_eq!(place(text, &["a", "c", "d"]), "3:13");
        assert_eq!(place(text, &["a", "nothing", "below"]), "2:3", "the nearest that exists");
        assert_eq!(place(text, &["e"]), "4:4", "an alias stands where it is used");
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (text, expected) in [
            ("a: 1\na: 2\n", "2:1 the key \"a\" is written twice, first at 1:1"),
            ("a: *b\n", "1:4"),
            ("a: 1\n---\nb: 2\n", "2:1 a configuration is one YAML document; a second one begins here"),
            ("a: [1, 2\n", "1:4 not YAML"),
            ("[1]: 2\n", "1:1 a key is a text"),
            ("a:\n\tb: 1\n", "2:1 not YAML: a tab stands here; indent with blanks"),
            ("a:\n  b: 1\n\tc: 2\n", "3:1 not YAML: a tab stands here; indent with blanks"),
            ("a: \"b\n", "2:1 not YAML: "),
        ] {
            let SyntaxError { position, message } = parse(text).unwrap_err();
            let found = format!("{position} {message}");
            assert!(found.starts_with(expected), "{text:?} gave {found:?}");
        }
    }

    #[test]
    fn bounds_what_aliases_multiply() {
        let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..10 {
            let item = format!("*a{}", level - 1);
            text += &format!("a{level}: &a{level} [{}]\n", vec![item; 10].join(","));
        }
        assert!(parse(&text).unwrap_err().message.contains("aliases make this larger"));
        assert!(parse(&"[".repeat(10_000)).is_err());
    }
}

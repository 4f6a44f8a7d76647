//! The managed block of a file that people write: where it is, and the file with another one.
//!
//! ```text
//! <!-- skillspan:facts: learned from sessions; edit or delete what you like -->
//! ## Facts about this repository
//!
//! - Use `bin/test {path}`; `pytest {path}` fails here with "command not found".
//! <!-- /skillspan:facts -->
//! ```
//!
//! Marks are whole lines. What is outside of them is not changed by a byte.

/// How the first line of a block begins: what stands behind it may be changed.
const BEGIN: &str = "<!-- skillspan:facts";
const END: &str = "<!-- /skillspan:facts -->";
const FIRST: &str = "<!-- skillspan:facts: learned from sessions; edit or delete what you like -->";
/// What stands above the facts where people left it.
pub(super) const HEADING: [&str; 2] = ["## Facts about this repository", ""];

/// A file, and its block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File<'t> {
    text: &'t str,
    found: Found<'t>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Found<'t> {
    None,
    /// Where the block is in the text, with both marks, and the lines between them.
    One {
        start: usize,
        end: usize,
        first: &'t str,
        lines: Vec<&'t str>,
    },
    /// A mark without its other, or several blocks.
    Unclear,
}

impl<'t> File<'t> {
    pub(super) fn read(text: &'t str) -> Self {
        let mut at = 0;
        let (mut begins, mut ends) = (Vec::new(), Vec::new());
        for line in text.split_inclusive('\n') {
            let mark = line.trim();
            if mark.starts_with(BEGIN) && mark.ends_with("-->") {
                begins.push((at, at + line.len(), line));
            } else if mark == END {
                ends.push((at, at + line.len()));
            }
            at += line.len();
        }
        let found = match (begins.as_slice(), ends.as_slice()) {
            ([], []) => Found::None,
            ([(start, inner, first)], [(outer, end)]) if inner <= outer => {
                let within = text.get(*inner..*outer).unwrap_or_default();
                Found::One { start: *start, end: *end, first, lines: within.lines().collect() }
            }
            _ => Found::Unclear,
        };
        Self { text, found }
    }

    /// The lines of its block, if it has one.
    pub(super) fn lines(&self) -> Option<&[&'t str]> {
        match &self.found {
            Found::One { lines, .. } => Some(lines),
            Found::None | Found::Unclear => None,
        }
    }

    /// Whether nobody can say where its block is.
    pub(super) fn is_unclear(&self) -> bool {
        self.found == Found::Unclear
    }

    /// The lines that people wrote outside of the block, each with its number.
    pub(super) fn outside(&self) -> impl Iterator<Item = (usize, &'t str)> {
        let (start, end) = match &self.found {
            Found::One { start, end, .. } => (*start, *end),
            Found::None | Found::Unclear => (usize::MAX, usize::MAX),
        };
        let mut at = 0;
        self.text.split_inclusive('\n').enumerate().filter_map(move |(number, line)| {
            let here = at;
            at += line.len();
            (here < start || here >= end).then(|| (number + 1, line.trim_end_matches(['\r', '\n'])))
        })
    }

    /// The text with these lines in its block; without any line, without a block.
    pub(super) fn with(&self, lines: &[String]) -> String {
        let newline = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
        let block = |first: &str, last: &str| {
            let mut block = format!("{first}{newline}");
            for line in lines {
                block.push_str(line);
                block.push_str(newline);
            }
            block + END + last
        };
        match &self.found {
            Found::Unclear => self.text.to_owned(),
            Found::None if lines.is_empty() => self.text.to_owned(),
            Found::None => {
                let gap = match () {
                    () if self.text.is_empty() => String::new(),
                    () if self.text.ends_with('\n') => newline.to_owned(),
                    () => newline.repeat(2),
                };
                format!("{}{gap}{}", self.text, block(FIRST, newline))
            }
            Found::One { start, end, first, .. } => {
                let (before, behind) = (self.text.get(..*start), self.text.get(*end..));
                let (before, behind) = (before.unwrap_or_default(), behind.unwrap_or_default());
                let had_end = self.text.get(*start..*end).is_some_and(|own| own.ends_with('\n'));
                let own = if lines.is_empty() {
                    String::new()
                } else {
                    block(first.trim_end_matches(['\r', '\n']), if had_end { newline } else { "" })
                };
                format!("{before}{own}{behind}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[&str]) -> Vec<String> {
        text.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn what_people_wrote_stays_byte_for_byte() {
        for text in ["", "# Shop\n", "# Shop", "# Shop\r\nA\r\n", "\u{feff}# Shop\n\n\n", "a\r\nb"] {
            let with = File::read(text).with(&lines(&["- one"]));
            assert!(with.starts_with(text), "{text:?} {with:?}");
            assert_eq!(File::read(&with).lines(), Some(["- one"].as_slice()), "{with:?}");
            let again = File::read(&with).with(&lines(&["- one"]));
            assert_eq!(again, with, "nothing new changes nothing");
            let without = File::read(&with).with(&[]);
            assert!(without.starts_with(text) && without.trim_end() == text.trim_end(), "{without:?}");
        }
    }

    #[test]
    fn a_block_between_texts_is_replaced_where_it_is() {
        for newline in ["\n", "\r\n"] {
            let text = "# Shop\n\n<!-- skillspan:facts: ours -->\n- one\n- mine\n<!-- /skillspan:facts -->\n\nmore\t \n  x";
            let text = text.replace('\n', newline);
            let next = File::read(&text).with(&lines(&["- two", "- mine"]));
            assert_eq!(next, text.replace("- one", "- two"), "its first mark stays as people left it");
            let without = File::read(&text).with(&[]);
            assert_eq!(without, format!("# Shop{newline}{newline}{newline}more\t {newline}  x"));
        }
        let open = "a\n<!-- skillspan:facts -->\n- one\n<!-- /skillspan:facts -->";
        assert_eq!(
            File::read(open).with(&lines(&["- two"])),
            open.replace("one", "two"),
            "no line end is added"
        );
    }

    #[test]
    fn marks_that_do_not_pair_are_nobodys() {
        for text in [
            "<!-- skillspan:facts -->\n- one\n",
            "- one\n<!-- /skillspan:facts -->\n",
            "<!-- /skillspan:facts -->\n<!-- skillspan:facts -->\n",
            "<!-- skillspan:facts -->\n<!-- /skillspan:facts -->\n<!-- skillspan:facts -->\n<!-- /skillspan:facts -->\n",
        ] {
            let file = File::read(text);
            assert!(file.is_unclear() && file.lines().is_none(), "{text}");
            assert_eq!(file.with(&lines(&["- two"])), text);
        }
        let told = "Skillspan writes `<!-- skillspan:facts -->` here.\n";
        assert_eq!(File::read(told).lines(), None, "a mark within a line is none");
        assert!(!File::read(told).is_unclear());
    }

    #[test]
    fn lines_outside_of_the_block_have_their_numbers() {
        let text = "a\r\n<!-- skillspan:facts -->\nb\n<!-- /skillspan:facts -->\nc\n";
        assert_eq!(File::read(text).outside().collect::<Vec<_>>(), [(1, "a"), (5, "c")]);
        assert_eq!(File::read("a\nb").outside().collect::<Vec<_>>(), [(1, "a"), (2, "b")]);
    }
}

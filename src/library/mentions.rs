//! Whether a text names a command.

/// Whether a line of the text has the command as whole words; what fills a placeholder is free.
pub(super) fn mentions(text: &str, command: &str) -> bool {
    let mut literals = Vec::new();
    let mut rest = command;
    let mut begins_in_a_word = false;
    while let Some((before, placeholder)) = rest.split_once('{') {
        literals.push(Literal::new(before, begins_in_a_word, !before.ends_with(' ')));
        rest = placeholder.split_once('}').map_or("", |(_, after)| after);
        begins_in_a_word = !rest.starts_with(' ');
    }
    literals.push(Literal::new(rest, begins_in_a_word, false));
    literals.retain(|literal| !literal.text.is_empty());
    text.lines().any(|line| {
        let mut rest = line;
        !literals.is_empty()
            && literals.iter().all(|literal| match literal.find(rest) {
                Some(end) => {
                    rest = rest.get(end..).unwrap_or_default();
                    true
                }
                None => false,
            })
    })
}

/// A part of a command between its placeholders.
struct Literal<'a> {
    text: &'a str,
    /// Whether a placeholder stands before it in the same word.
    begins_in_a_word: bool,
    /// Whether a placeholder stands behind it in the same word.
    ends_in_a_word: bool,
}

impl<'a> Literal<'a> {
    fn new(text: &'a str, begins_in_a_word: bool, ends_in_a_word: bool) -> Self {
        Self { text: text.trim(), begins_in_a_word, ends_in_a_word }
    }

    /// Where the words end that are not a part of longer ones, but for what fills a placeholder beside them.
    fn find(&self, line: &str) -> Option<usize> {
        let part_of_word = |char: char| char.is_alphanumeric() || "-_:/.".contains(char);
        line.match_indices(self.text)
            .find(|(start, _)| {
                let before = line.get(..*start).and_then(|before| before.chars().next_back());
                let after = line.get(start + self.text.len()..).unwrap_or_default();
                let mut after = after.chars();
                let (next, second) = (after.next(), after.next());
                // A full stop or a colon ends a sentence, not a word, where nothing follows it.
                let goes_on = match next {
                    Some('.' | ':') => second.is_some_and(part_of_word),
                    other => other.is_some_and(part_of_word),
                };
                (self.begins_in_a_word || !before.is_some_and(part_of_word))
                    && (self.ends_in_a_word || !goes_on)
            })
            .map(|(start, _)| start + self.text.len())
    }
}

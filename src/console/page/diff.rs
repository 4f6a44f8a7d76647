//! What changes between two texts, line by line.

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

/// A line of a diff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    /// `+`, `-`, ` `, or `…` where lines that stay are left out.
    pub(super) mark: char,
    pub(super) text: String,
}

/// How many unchanged lines are shown around each change.
const AROUND: usize = 3;

/// The lines that change, with some around them.
pub(super) fn lines(before: &str, after: &str) -> Vec<Line> {
    let diff = TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    for (number, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if number > 0 {
            lines.push(Line { mark: '…', text: String::new() });
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let mark = match change.tag() {
                ChangeTag::Insert => '+',
                ChangeTag::Delete => '-',
                ChangeTag::Equal => ' ',
            };
            lines.push(Line { mark, text: change.value().trim_end_matches('\n').to_owned() });
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_stay_are_left_out() {
        let before: String = (0..20).map(|line| format!("{line}\n")).collect();
        let after = before.replace("10\n", "ten\n");
        let shown: Vec<String> =
            lines(&before, &after).iter().map(|line| format!("{}{}", line.mark, line.text)).collect();
        assert_eq!(shown, [" 7", " 8", " 9", "-10", "+ten", " 11", " 12", " 13"]);
        assert!(lines("a\n", "a\n").is_empty());
    }
}

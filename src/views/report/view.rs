//! What a report is made of, the same for a terminal, a page and JSON, and how its numbers are written.

use crate::event::Timestamp;

use super::tally::Cost;

/// The most rows of a table that are shown at first; a line says how many more there are.
pub(crate) const MOST_ROWS: usize = 15;

/// A report, ready to be shown.
pub(crate) struct View {
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) sessions: u64,
    /// Names and values.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// What sessions cost, day by day or week by week.
    pub(crate) times: Vec<(String, Cost)>,
    pub(crate) is_weekly: bool,
    pub(crate) sections: Vec<Section>,
}

/// One table with what it says.
pub(crate) struct Section {
    /// A word for links and JSON.
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    /// What the numbers mean.
    pub(crate) says: &'static str,
    pub(crate) columns: Vec<Heading>,
    /// The first of them; of a table that may grow without end no more than a few hundred.
    pub(crate) rows: Vec<Vec<Cell>>,
    /// The skill that each row is of, where it is of one; pages lead to it.
    pub(crate) of: Vec<String>,
    /// How many rows there are, shown or not.
    pub(crate) total: usize,
    /// The column that the charts draw, and the one within it.
    pub(crate) drawn: Option<(usize, Option<usize>)>,
    /// What is said where there is no row.
    pub(crate) none: &'static str,
}

pub(crate) struct Heading {
    pub(crate) title: &'static str,
    /// Where it is text: it is cut to no less than this.
    pub(crate) least: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Text(String),
    Count(u64),
    /// Tenths.
    Tenths(u64),
    /// Nothing to count.
    None,
}

impl Section {
    /// The rows that are shown at first.
    pub(crate) fn first(&self) -> &[Vec<Cell>] {
        self.rows.get(..MOST_ROWS).unwrap_or(&self.rows)
    }

    /// Those behind them, with the place of the first of them.
    pub(crate) fn others(&self) -> &[Vec<Cell>] {
        self.rows.get(MOST_ROWS..).unwrap_or_default()
    }
}

/// So many per cent, rounded; `None` of nothing.
pub(crate) fn percent(part: u64, all: u64) -> Option<u64> {
    rounded(part.saturating_mul(100), all)
}

/// How many tenths each of so many has on average, rounded; `None` of nothing.
pub(crate) fn tenths(sum: u64, count: u64) -> Option<u64> {
    rounded(sum.saturating_mul(10), count)
}

fn rounded(part: u64, all: u64) -> Option<u64> {
    part.saturating_add(all / 2).checked_div(all)
}

/// Numbers are for people and for programs that cut at blanks.
pub(crate) fn plain(value: &str) -> String {
    value.replace('\u{a0}', " ")
}

/// Digits in groups of three.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

/// A cell as a page shows it.
pub(crate) fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Count(count) => grouped(*count),
        Cell::Tenths(tenths) => format!("{}.{}", grouped(tenths / 10), tenths % 10),
        Cell::None => "–".to_owned(),
    }
}

pub(crate) fn duration(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{} h {minutes:02} min", grouped(hours)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_at_a_glance() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1\u{a0}234\u{a0}567");
        assert_eq!(duration(59), "0 min");
        assert_eq!(duration(3_600 * 26 + 180), "26 h 03 min");
    }

    #[test]
    fn shares_and_means_are_rounded_and_not_cut() {
        for ((part, all), shown) in [
            ((555, 5_766), 10),
            ((9, 17), 53),
            ((2, 7), 29),
            ((9, 114), 8),
            ((1, 200), 1),
            ((1, 201), 0),
            ((7, 7), 100),
        ] {
            assert_eq!(percent(part, all), Some(shown), "{part} of {all}");
        }
        assert_eq!(percent(0, 0), None);
        assert_eq!(tenths(29, 3), Some(97));
        assert_eq!(percent(u64::MAX, u64::MAX), Some(1), "too much to count is no panic");
    }
}

//! Persons' names, taken out of what is shown.
//!
//! A report names nobody unless it is asked to. The texts that it shows are made of what programs are called and where
//! files are, and people's names are in both: `github.com/ana/notes`, `./deploy-ana.sh`. What clients call a person is
//! known, so it is taken out: the whole, and what stands before the `@` of an address.

use std::collections::BTreeSet;

/// What stands for a name.
const SOMEBODY: &str = "[person]";
/// A shorter name is a word like any other.
const SHORTEST: usize = 3;

pub(crate) struct Names {
    /// Lower-case, the longest first.
    names: Vec<String>,
}

impl Names {
    /// Those that are taken out.
    pub(crate) fn of(ids: &BTreeSet<String>) -> Self {
        let parts = |id: &String| {
            let whole = id.to_ascii_lowercase();
            let local = whole.split('@').next().unwrap_or_default();
            let mailbox = local.split('+').next().unwrap_or_default().to_owned();
            [whole.clone(), local.to_owned(), mailbox]
        };
        let mut names: Vec<String> =
            ids.iter().flat_map(parts).filter(|name| name.len() >= SHORTEST).collect();
        names.sort_by(|a, b| (b.len(), a).cmp(&(a.len(), b)));
        names.dedup();
        Self { names }
    }

    /// Those of a report that names people: none is taken out.
    pub(crate) fn shown() -> Self {
        Self { names: Vec::new() }
    }

    /// The text without them.
    pub(crate) fn without(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for name in &self.names {
            let mut from = 0;
            while let Some(at) = text.to_ascii_lowercase().get(from..).and_then(|rest| rest.find(name)) {
                let (start, end) = (from + at, from + at + name.len());
                let before = text.get(..start).and_then(|before| before.chars().next_back());
                let after = text.get(end..).and_then(|after| after.chars().next());
                let is_part = [before, after].into_iter().flatten().any(char::is_alphanumeric);
                if is_part {
                    from = text.ceil_char_boundary(start + 1);
                } else {
                    text.replace_range(start..end, SOMEBODY);
                    from = start + SOMEBODY.len();
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_out_wherever_they_stand() {
        let ids = ["Ana.Lee+ci@example.com", "bo", "jürgen", "müller-x"].map(str::to_owned);
        let names = Names::of(&ids.into_iter().collect());
        for (text, shown) in [
            ("github.com/ana.lee/notes", "github.com/[person]/notes"),
            ("run deploy-ANA.LEE.sh", "run deploy-[person].sh"),
            ("Ana.Lee+ci@example.com", "[person]"),
            ("banana.leeway", "banana.leeway"),
            ("bo/a", "bo/a"),
            ("home/jürgen", "home/[person]"),
            ("ana.lee/ana.lee", "[person]/[person]"),
            ("日本ana.lee", "日本ana.lee"),
            ("日本/müller-x", "日本/[person]"),
        ] {
            assert_eq!(names.without(text), shown, "{text}");
        }
        assert_eq!(Names::shown().without("ana.lee"), "ana.lee");
    }
}

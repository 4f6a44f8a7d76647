//! Persons' names, taken out of what is shown.
//!
//! A report names nobody unless it is asked to. The texts that it shows are made of what programs are called and where
//! files are, and people's names are in both: `github.com/ana/notes`, `./deploy-ana.sh`. What clients call a person is
//! known, so it is taken out:
//!
//! | known | taken out |
//! |---|---|
//! | `ana.lopez+ci@example.com` | the whole, `ana.lopez+ci`, `ana.lopez`, `Ana Lopez` |
//! | `Ana Lopez` | the whole, `Lopez, Ana`, `Lopez Ana`, `ana.lopez`, `ana_lopez`, `ana-lopez` |
//! | `ana` | the word |
//!
//! A name within a word (`banana`) is none. [`without_homes`] takes out who a home folder is of, known or not.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::{Captures, Regex};

/// What stands for a name.
const SOMEBODY: &str = "[person]";
/// A shorter name is a word like any other.
const SHORTEST: usize = 3;
/// Home folders of nobody.
const NOBODY: [&str; 6] = ["shared", "public", "default", "runner", "linuxbrew", "[person]"];

pub(crate) struct Names {
    /// Of every way to write every name; `None` where none is taken out.
    automaton: Option<AhoCorasick>,
}

impl Names {
    /// Those that are taken out: logins, addresses, full names.
    pub(crate) fn of(ids: &BTreeSet<String>) -> Self {
        let written: BTreeSet<String> =
            ids.iter().flat_map(|id| ways_to_write(id)).filter(|name| name.len() >= SHORTEST).collect();
        if written.is_empty() {
            return Self::shown();
        }
        // More names than an automaton has room for are more than a table has people.
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(&written);
        Self { automaton: automaton.ok() }
    }

    /// Those of a report that names people: none is taken out.
    pub(crate) const fn shown() -> Self {
        Self { automaton: None }
    }

    /// The text without them.
    pub(crate) fn without(&self, text: &str) -> String {
        let Some(automaton) = &self.automaton else { return text.to_owned() };
        let found = automaton.find_overlapping_iter(text).map(|found| (found.start(), found.end()));
        let mut found: Vec<(usize, usize)> = found.filter(|place| !is_part(text, *place)).collect();
        found.sort_unstable_by_key(|(start, end)| (*start, std::cmp::Reverse(*end)));
        let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
        for (start, end) in found {
            if start < at {
                continue;
            }
            shown.push_str(text.get(at..start).unwrap_or_default());
            shown.push_str(SOMEBODY);
            at = end;
        }
        shown.push_str(text.get(at..).unwrap_or_default());
        shown
    }
}

/// Whether what was found is part of a word.
fn is_part(text: &str, (start, end): (usize, usize)) -> bool {
    let before = text.get(..start).and_then(|before| before.chars().next_back());
    let after = text.get(end..).and_then(|after| after.chars().next());
    [before, after].into_iter().flatten().any(char::is_alphanumeric)
}

/// The ways to write a name. ASCII letters are found in either case; of others, as a whole and at the beginning.
fn ways_to_write(id: &str) -> Vec<String> {
    let whole = id.trim().to_lowercase();
    let local = whole.split('@').next().unwrap_or_default();
    let mailbox = local.split('+').next().unwrap_or_default();
    let mut ways = vec![whole.clone(), local.to_owned(), mailbox.to_owned()];
    let is_word = |word: &&str| word.chars().count() > 1;
    let of_address: Vec<&str> = mailbox.split('.').filter(is_word).collect();
    let full: Vec<&str> = if whole.contains('@') || !whole.contains(' ') {
        of_address
    } else {
        whole.split([' ', ',']).filter(|word| !word.is_empty()).collect()
    };
    if let [first, .., last] = full.as_slice() {
        ways.push(full.join(" "));
        ways.extend([", ", " "].map(|between| format!("{last}{between}{first}")));
        ways.extend([".", "_", "-"].map(|between| format!("{first}{between}{last}")));
    }
    let capital = |way: &String| {
        let words = way.split(' ').map(|word| {
            let mut chars = word.chars();
            chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
        });
        words.collect::<Vec<String>>().join(" ")
    };
    let others: Vec<String> = ways.iter().filter(|way| !way.is_ascii()).cloned().collect();
    ways.extend(others.iter().flat_map(|way| [way.to_uppercase(), capital(way)]));
    ways
}

/// A folder that holds home folders, and the one that stands in it.
static HOMES: LazyLock<Option<[Regex; 2]>> = LazyLock::new(|| {
    let path = concat!(
        r"((?:^|[^\w.-])/+(?:var/|export/|mnt/[a-z]/|[a-z]/)?(?:Users|home)/+",
        r"|(?i:\b[a-z]:(?:\\{1,4}|/)Users(?:\\{1,4}|/)))",
        r#"([^/\\\s"'`<>|:;,()\[\]{}]+)"#
    );
    // What assistants call the folder of a project: `/Users/ana/src` as one name.
    let name = r#"((?:^|[/\s"'=])-(?:Users|home)-)([^-/\\\s"'.]+)"#;
    Some([Regex::new(path).ok()?, Regex::new(name).ok()?])
});

/// The text without the names of home folders: `/home/[person]/src`.
pub(crate) fn without_homes(text: &str) -> String {
    let Some(patterns) = HOMES.as_ref() else { return String::new() };
    let mut text = text.to_owned();
    for pattern in patterns {
        let masked = pattern.replace_all(&text, |found: &Captures<'_>| {
            let part = |at| found.get(at).map_or("", |part: regex::Match<'_>| part.as_str());
            let is_nobody = NOBODY.iter().any(|nobody| part(2).eq_ignore_ascii_case(nobody));
            format!("{}{}", part(1), if is_nobody { part(2) } else { SOMEBODY })
        });
        text = masked.into_owned();
    }
    text
}

/// Who a folder is of, by the home folder that it is in.
pub(crate) fn of_home(folder: &str) -> Option<&str> {
    let found = HOMES.as_ref()?.iter().find_map(|pattern| pattern.captures(folder))?.get(2)?.as_str();
    (!NOBODY.iter().any(|nobody| found.eq_ignore_ascii_case(nobody))).then_some(found)
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

    #[test]
    fn full_names_are_names() {
        let ids = ["Bea Miller", "jo.van.dyke@example.com", "Jürgen Groß"].map(str::to_owned);
        let names = Names::of(&ids.into_iter().collect());
        for (text, shown) in [
            ("ask BEA MILLER or Miller, Bea", "ask [person] or [person]"),
            ("bea.miller and bea_miller", "[person] and [person]"),
            ("Jo Van Dyke said", "[person] said"),
            ("JÜRGEN GROSS, Jürgen Groß", "[person], [person]"),
            ("a bea is no name, nor is a miller", "a bea is no name, nor is a miller"),
        ] {
            assert_eq!(names.without(text), shown, "{text}");
        }
    }

    #[test]
    fn home_folders_are_of_nobody() {
        for (text, shown) in [
            ("cd /Users/p8/src && ls", "cd /Users/[person]/src && ls"),
            ("/home/ana", "/home/[person]"),
            ("file:///home/ana/x:3", "file:///home/[person]/x:3"),
            (r"C:\Users\ana\x and c:\\Users\\ana\\x", r"C:\Users\[person]\x and c:\\Users\\[person]\\x"),
            ("/mnt/c/Users/ana/x", "/mnt/c/Users/[person]/x"),
            ("~/.claude/projects/-Users-ana-src-x", "~/.claude/projects/-Users-[person]-src-x"),
            ("/home/runner/work", "/home/runner/work"),
            ("src/home/index.ts /users/42 smart-home-app", "src/home/index.ts /users/42 smart-home-app"),
            ("/home/[person]/x", "/home/[person]/x"),
        ] {
            assert_eq!(without_homes(text), shown, "{text}");
        }
        assert_eq!(
            (of_home("/Users/p8/src"), of_home("/srv/x"), of_home("/home/runner")),
            (Some("p8"), None, None)
        );
    }
}

//! People as the reader may see them: by name, or as somebody who is told from others.
//!
//! Who may not see names sees no text before everybody is known whom the table names: a text may name anybody.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::patience;
use crate::console::App;
use crate::console::access::Reader;
use crate::console::days::names_of;
use crate::console::problem::Problem;
use crate::event::person;
use crate::skillify::short_hash;
use crate::table::Session;
use crate::views::phrases::first_line;
use crate::views::report::{Names, without_homes};

/// A text is cut behind so many characters more than are shown, before names are taken out: none is cut in two.
const LONGEST_NAME: usize = 200;

/// Everybody's names, and the readings that they are of.
#[derive(Default)]
pub(in crate::console) struct Everybody(Mutex<Option<(Vec<u64>, Arc<Names>)>>);

/// How people are called for a reader.
#[derive(Clone)]
pub(super) struct People {
    are_named: bool,
    /// Those that are taken out of texts: everybody's, and those of the session that is shown.
    names: Vec<Arc<Names>>,
}

impl People {
    /// For who may see names, or with everybody's names taken out of every text.
    ///
    /// # Errors
    /// If not everybody is known yet.
    pub(super) async fn of(app: &App, reader: &Reader) -> Result<Self, Problem> {
        if reader.sees_people {
            return Ok(Self { are_named: true, names: Vec::new() });
        }
        let until = patience();
        let (mut stamps, mut known) = (Vec::new(), Vec::new());
        for days in &app.days {
            let names = days.names(until).await.map_err(|error| Problem::failed("The table", error))?;
            let Some((stamp, names)) = names else {
                let failing = days.failing().map(|error| format!(" The last try failed: {error}"));
                let says = "Whom the sessions name is still being read, so that no name is shown to you. This page comes \
                            again by itself.";
                return Err(Problem::soon(format!("{says}{}", failing.unwrap_or_default())));
            };
            stamps.push(stamp);
            known.extend(names);
        }
        let names =
            app.everybody.names(stamps, || known.iter().flat_map(|names| names.iter().cloned()).collect());
        Ok(Self { are_named: false, names: vec![names] })
    }

    /// The same with the people of this session added: it may be newer than the last reading.
    pub(super) fn and_of(&self, session: &Session) -> Self {
        let mut people = self.clone();
        if !people.are_named {
            people.names.push(Arc::new(Names::of(&names_of(session))));
        }
        people
    }

    /// `ana@example.com`, or `person 3f9a12` in all places the same; `""` for nobody known.
    pub(super) fn name(&self, tenant: &str, user: &str) -> String {
        match user {
            "" => String::new(),
            user if self.are_named => user.to_owned(),
            user => format!("person {}", short_hash(&[tenant, user], 3)),
        }
    }

    /// Whether a person whom the reader asks for is the user of a session.
    pub(super) fn is(&self, wanted: &str, (tenant, user): (&str, &str), assistant: &str) -> bool {
        let is_named = self.are_named && person::is_same(wanted, user, assistant);
        is_named || (!user.is_empty() && self.name(tenant, user) == wanted)
    }

    /// A text without their names and home folders, unless these may be seen.
    pub(super) fn without(&self, text: &str) -> String {
        if self.are_named {
            return text.to_owned();
        }
        self.names.iter().fold(without_homes(text), |text, names| names.without(&text))
    }

    /// At most `most` characters of a text, and whether it is cut.
    pub(super) fn beginning(&self, text: &str, most: usize) -> (String, bool) {
        let at = |most: usize| text.char_indices().nth(most).map(|(end, _)| end);
        let Some(end) = at(most) else { return (self.without(text), false) };
        if self.are_named {
            return (text.get(..end).unwrap_or_default().to_owned(), true);
        }
        let long = text.get(..at(most + LONGEST_NAME).unwrap_or(text.len())).unwrap_or_default();
        (self.without(long).chars().take(most).collect(), true)
    }

    /// The first line of a text, cut at so many characters.
    pub(super) fn line(&self, text: &str, most: usize) -> String {
        first_line(&self.beginning(text.trim_start(), most + LONGEST_NAME).0, most)
    }

    /// The first line of a text, cut at a word: `it appears that the code…`. Line ends of any kind are spaces.
    pub(super) fn title(&self, text: &str, most: usize) -> String {
        title(&self.without(text), most)
    }
}

/// See [`People::title`].
pub(super) fn title(text: &str, most: usize) -> String {
    let mut lines =
        text.trim().lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("```"));
    let mut line = lines.next().unwrap_or_default().to_owned();
    // A line that ends in a colon introduces the subject and is not it.
    if line.ends_with(':')
        && let Some(more) = lines.next()
    {
        line = format!("{line} {more}");
    }
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_all = lines.next().is_none();
    if line.chars().count() <= most {
        return if is_all || line.ends_with('…') { line } else { format!("{line} …") };
    }
    let cut: String = line.chars().take(most).collect();
    let at_word = cut.rsplit_once(' ').map(|(head, _)| head).filter(|head| head.len() * 2 > cut.len());
    format!("{}…", at_word.unwrap_or(&cut).trim_end_matches([',', ';', ':', '.']))
}

impl Everybody {
    fn names(&self, stamps: Vec<u64>, known: impl FnOnce() -> BTreeSet<String>) -> Arc<Names> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((then, names)) = &*kept
            && *then == stamps
        {
            return Arc::clone(names);
        }
        let names = Arc::new(Names::of(&known()));
        *kept = Some((stamps, Arc::clone(&names)));
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> People {
        let names = Names::of(&BTreeSet::from(["bea.miller@example.com".to_owned()]));
        People { are_named: false, names: vec![Arc::new(names)] }
    }

    #[test]
    fn titles_are_cut_at_words_and_lines_end_in_any_way() {
        for (text, shown) in [
            ("it appears that the code is not there", "it appears that the code…"),
            ("one\r\ntwo", "one …"),
            ("\r\n```\nfix it\n```", "fix it"),
            ("short", "short"),
            ("Do this plan:\n\n# Tidy up\nmore", "Do this plan: # Tidy up …"),
            ("abcdefghijklmnopqrstuvwxyzabcdefghijklmnop", "abcdefghijklmnopqrstuvwxyz…"),
        ] {
            assert_eq!(people().title(text, 26), shown, "{text:?}");
        }
    }

    #[test]
    fn no_name_is_cut_in_two_and_shown() {
        let text = format!("{} bea.miller@example.com", "x".repeat(20));
        assert_eq!(people().beginning(&text, 25), (format!("{} [per", "x".repeat(20)), true));
    }
}

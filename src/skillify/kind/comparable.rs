//! Which runs one claim can speak of.

use std::collections::{BTreeMap, BTreeSet};

use super::super::template::Template;
use super::super::template::version;
use crate::shell::command::Command;

/// Two commands that were run for one another, and the session.
pub(in super::super) trait Pair<'a> {
    fn one(&self) -> &'a Command;
    fn other(&self) -> &'a Command;
    fn session(&self) -> usize;
}

/// Parts that one pair of templates can speak of: runs that agree in every word where two sessions have
/// them, else all the remaining ones together if they can be generalised.
pub(in super::super) fn parts<'a, T: Pair<'a>>(items: Vec<T>) -> Vec<Vec<T>> {
    let mut groups: BTreeMap<(&str, &str), Vec<T>> = BTreeMap::new();
    for item in items {
        groups.entry((item.one().token(), item.other().token())).or_default().push(item);
    }
    groups.into_values().flat_map(of_one_verb).collect()
}

/// [`parts`], but where all runs of one verb can be generalised they are one part.
pub(in super::super) fn wholes<'a, T: Pair<'a> + Clone>(items: Vec<T>) -> Vec<Vec<T>> {
    let mut groups: BTreeMap<(&str, &str), Vec<T>> = BTreeMap::new();
    for item in items {
        groups.entry((item.one().token(), item.other().token())).or_default().push(item);
    }
    let whole = |group: Vec<T>| if templates(&group).is_some() { vec![group] } else { of_one_verb(group) };
    groups.into_values().flat_map(whole).collect()
}

fn of_one_verb<'a, T: Pair<'a>>(items: Vec<T>) -> Vec<Vec<T>> {
    let mut exact: BTreeMap<(Vec<&str>, Vec<&str>), Vec<T>> = BTreeMap::new();
    for item in items {
        exact.entry((item.one().core(), item.other().core())).or_default().push(item);
    }
    let sessions = |items: &[T]| items.iter().map(Pair::session).collect::<BTreeSet<_>>().len();
    let words = |(one, other): &(Vec<&str>, Vec<&str>)| {
        one.iter().chain(&["|"]).chain(other).map(|word| (*word).to_owned()).collect()
    };
    let (mut parts, single): (Vec<_>, Vec<_>) = version::join_versions(exact, words, sessions)
        .into_iter()
        .map(|(_, items)| items)
        .partition(|items| sessions(items) >= 2);
    let mut by_shape: BTreeMap<(usize, usize), Vec<T>> = BTreeMap::new();
    for item in single.into_iter().flatten() {
        by_shape.entry((item.one().core().len(), item.other().core().len())).or_default().push(item);
    }
    parts.extend(by_shape.into_values());
    parts
}

/// The templates of a part; `None` where the runs differ in more than a placeholder can say.
pub(in super::super) fn templates<'a, T: Pair<'a>>(part: &[T]) -> Option<(Template, Template)> {
    let one = Template::of(&part.iter().map(Pair::one).collect::<Vec<_>>())?;
    let other = Template::of(&part.iter().map(Pair::other).collect::<Vec<_>>())?;
    Some((one, other))
}

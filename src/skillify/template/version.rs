//! Version numbers in the words of commands.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

static VERSION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\d+(?:\.\d+)+(?:-[0-9A-Za-z.]+)?").ok());

/// The only version number in a word.
pub(in crate::skillify) fn version_of(word: &str) -> Option<&str> {
    let (before, after) = version_in(word)?;
    word.get(before.len()..word.len() - after.len())
}

/// What stands before and after the only version number in a word.
pub(super) fn version_in(word: &str) -> Option<(&str, &str)> {
    let may_be = word.contains('.') && word.contains(|char: char| char.is_ascii_digit());
    let regex = VERSION.as_ref().filter(|_| may_be)?;
    let mut found = regex.find_iter(word);
    let version = found.next()?;
    if found.next().is_some() {
        return None;
    }
    Some((word.get(..version.start())?, word.get(version.end()..)?))
}

/// Joins runs that differ in nothing but a version, where it varies: at least two sessions have another
/// than the most usual one. `exact` are runs by their words, `words` gives those of a key.
pub(in crate::skillify) fn join_versions<K: Ord, T>(
    exact: BTreeMap<K, Vec<T>>,
    words: impl Fn(&K) -> Vec<String>,
    sessions: impl Fn(&[T]) -> usize,
) -> Vec<(K, Vec<T>)> {
    if exact.len() < 2 {
        return exact.into_iter().collect();
    }
    let mut alike: BTreeMap<Vec<String>, Vec<(K, Vec<T>)>> = BTreeMap::new();
    for (key, runs) in exact {
        let kind = words(&key).iter().map(|word| without_version(word)).collect();
        alike.entry(kind).or_default().push((key, runs));
    }
    let mut joined = Vec::new();
    for mut group in alike.into_values() {
        let by_sessions: Vec<usize> = group.iter().map(|(_, runs)| sessions(runs)).collect();
        let usual = by_sessions.iter().copied().max().unwrap_or_default();
        if by_sessions.iter().sum::<usize>() - usual >= 2
            && let Some((key, mut runs)) = group.pop()
        {
            runs.extend(group.into_iter().flat_map(|(_, runs)| runs));
            group = vec![(key, runs)];
        }
        joined.extend(group);
    }
    joined
}

/// The word with a parameter for its only version number.
fn without_version(word: &str) -> String {
    match version_in(word) {
        Some((before, after)) => format!("{before}{{version}}{after}"),
        None => word.to_owned(),
    }
}

/// What stays of a word where versions and the names of files in one folder may vary.
pub(in crate::skillify) fn kind_of(word: &str) -> String {
    if version_in(word).is_some() {
        return without_version(word);
    }
    match word.rsplit_once('/').zip(word.rsplit_once('.')) {
        Some(((folder, _), (_, ending))) if !ending.contains('/') => format!("{folder}/*.{ending}"),
        _ => word.to_owned(),
    }
}

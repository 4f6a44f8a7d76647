//! Boundaries: where a part of a word can end, as after `TARGET=`, `HEAD:release/` or before `_spec.rb`.
//!
//! Within numbers, versions and times there are none.

/// Boundaries within names, beside the capital letters of `InvoiceTest`: of two words that share a part of a
/// name, that may be an accident. At any other sign a part of a word always ends.
pub(super) const NAME_BOUNDARIES: &[char] = &['.', '-', '_', ','];

/// How many bytes all of the words begin with.
pub(super) fn shared_beginning(words: &[&str]) -> usize {
    let Some((first, others)) = words.split_first() else { return 0 };
    others.iter().fold(first.len(), |shared, word| {
        let both = first.char_indices().zip(word.chars());
        let end = both.take_while(|((_, a), b)| a == b).last();
        shared.min(end.map_or(0, |((at, char), _)| at + char.len_utf8()))
    })
}

/// A sign at which a part of a word always ends.
pub(super) fn is_sign(char: char) -> bool {
    char.is_ascii_punctuation() && !NAME_BOUNDARIES.contains(&char)
}

/// Whether names have a boundary at a sign that stands between these two.
fn joins(sign: char, before: Option<char>, after: Option<char>) -> bool {
    let digit = |char: Option<char>| char.is_some_and(|char| char.is_ascii_digit());
    let within_a_number = (NAME_BOUNDARIES.contains(&sign) || sign == ':') && digit(before) && digit(after);
    let within_a_scheme = sign == ':' && after == Some('/');
    !within_a_number && !within_a_scheme
}

/// Whether a name goes on with a capital letter: `InvoiceTest`.
fn is_hump(before: Option<char>, next: Option<char>) -> bool {
    before.is_some_and(char::is_lowercase) && next.is_some_and(char::is_uppercase)
}

fn first_char(text: Option<&str>) -> Option<char> {
    text?.chars().next()
}

fn last_char(text: Option<&str>) -> Option<char> {
    text?.chars().next_back()
}

/// Where the shared beginning ends behind its last boundary, 0 if there is none.
pub(super) fn joint_before(
    words: &[&str],
    shared: usize,
    by_name: bool,
    is_sign: impl Fn(char) -> bool,
) -> Option<usize> {
    let first = *words.first()?;
    let is_joint = |(at, char): &(usize, char)| {
        let end = at + char.len_utf8();
        let next = |word: &&str| first_char(word.get(end..));
        let by_sign = is_sign(*char) || by_name && NAME_BOUNDARIES.contains(char);
        let before = last_char(first.get(..*at));
        by_sign && words.iter().all(|word| joins(*char, before, next(word)))
            || by_name && words.iter().all(|word| is_hump(Some(*char), next(word)))
    };
    let boundary = first.get(..shared)?.char_indices().rev().find(is_joint);
    Some(boundary.map_or(0, |(at, char)| at + char.len_utf8()))
}

/// Where numbers begin behind letters that all words begin with: `py39`, `V12__orders`.
pub(super) fn number_at(words: &[&str], shared: usize) -> Option<usize> {
    let letters = words.first()?.get(..shared)?.trim_end_matches(|char: char| char.is_ascii_digit());
    let at = letters.len();
    let behind_a_letter = letters.ends_with(|char: char| char.is_ascii_alphabetic());
    let is_number = |word: &&str| {
        let rest = word.get(at..).unwrap_or_default();
        let after = rest.trim_start_matches(|char: char| char.is_ascii_digit());
        after.len() < rest.len() && after.chars().next().is_none_or(|char| NAME_BOUNDARIES.contains(&char))
    };
    (behind_a_letter && words.iter().all(is_number)).then_some(at)
}

/// What all of the words end with, from its first boundary on.
pub(super) fn shared_ending<'w>(words: &[&'w str], by_name: bool) -> Option<&'w str> {
    let (first, others) = words.split_first()?;
    let shared = others.iter().fold(first.len(), |shared, word| {
        let both = first.chars().rev().zip(word.chars().rev());
        shared.min(both.take_while(|(a, b)| a == b).map(|(char, _)| char.len_utf8()).sum())
    });
    let start = first.len() - shared;
    let is_joint = |(at, char): &(usize, char)| {
        let before = |word: &&str| last_char(word.get(..word.len() + at - shared));
        let by_sign = is_sign(*char) || by_name && NAME_BOUNDARIES.contains(char);
        let after = first_char(first.get(start + at + char.len_utf8()..));
        by_sign && words.iter().all(|word| joins(*char, before(word), after))
            || by_name && words.iter().all(|word| is_hump(before(word), Some(*char)))
    };
    let boundary = first.get(start..)?.char_indices().find(is_joint);
    first.get(start + boundary?.0..)
}

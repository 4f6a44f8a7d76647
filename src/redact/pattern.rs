//! A pattern before it becomes an automaton: how large it is, and what of it is written otherwise.

use regex_automata::util::syntax;
use regex_syntax::hir::{Hir, HirKind, Look};

/// An installation's own pattern with more places is refused: every byte may touch each of them.
pub(super) const MOST_PLACES: usize = 2_000;
/// So many places cost as little as one.
const CHEAP_PLACES: usize = 128;

/// The pattern; word boundaries are those of ASCII, because an automaton can tell those in one look. Beside
/// a letter that is not ASCII a rule may find more for it, never less of a secret.
pub(super) fn parsed(pattern: &str) -> Result<Hir, String> {
    let parsed = syntax::parse_with(pattern, &syntax::Config::new().utf8(true));
    parsed.map(with_ascii_boundaries).map_err(|error| error.to_string())
}

/// How many letters a pattern says, each as often as it says it.
pub(super) fn places(pattern: &Hir) -> usize {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(_) => 1,
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.max(1));
            places(&repetition.sub).saturating_mul(usize::try_from(times).unwrap_or(usize::MAX))
        }
        HirKind::Capture(capture) => places(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(places).fold(0, usize::saturating_add)
        }
    }
}

/// What examining a byte costs with a pattern of this many positions.
pub(super) const fn weight(places: usize) -> usize {
    1 + places / CHEAP_PLACES
}

fn with_ascii_boundaries(pattern: Hir) -> Hir {
    match pattern.into_kind() {
        HirKind::Look(look) => Hir::look(match look {
            Look::WordUnicode => Look::WordAscii,
            Look::WordUnicodeNegate => Look::WordAsciiNegate,
            Look::WordStartUnicode => Look::WordStartAscii,
            Look::WordEndUnicode => Look::WordEndAscii,
            Look::WordStartHalfUnicode => Look::WordStartHalfAscii,
            Look::WordEndHalfUnicode => Look::WordEndHalfAscii,
            other => other,
        }),
        HirKind::Repetition(mut repetition) => {
            repetition.sub = Box::new(with_ascii_boundaries(*repetition.sub));
            Hir::repetition(repetition)
        }
        HirKind::Capture(mut capture) => {
            capture.sub = Box::new(with_ascii_boundaries(*capture.sub));
            Hir::capture(capture)
        }
        HirKind::Concat(parts) => Hir::concat(parts.into_iter().map(with_ascii_boundaries).collect()),
        HirKind::Alternation(parts) => {
            Hir::alternation(parts.into_iter().map(with_ascii_boundaries).collect())
        }
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_places_as_often_as_they_are_said() {
        for (pattern, expected) in
            [("abc", 3), ("a|bc", 3), (r"\w{2,5}", 5), ("(?:ab{3}){4}", 16), ("a*b+c{7,}", 9), (r"\b^a$", 1)]
        {
            assert_eq!(places(&parsed(pattern).unwrap()), expected, "{pattern}");
        }
        let nested = parsed("(?:(?:a{0,50}){0,50}){0,50}").unwrap();
        assert_eq!(places(&nested), 125_000);
    }
}

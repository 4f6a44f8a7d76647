//! Whether a word looks random, as keys without a known prefix do.
//!
//! Two things distinguish such words from names: they split into many short pieces, and they contain pairs of letters
//! that no language has.

/// Shorter words cannot be told from abbreviations, longer ones are data, not keys.
const LENGTHS: std::ops::RangeInclusive<usize> = 20..=200;
/// This many lower-case letters in a row are not random: a word of a language does not occur inside a key.
const LONGEST_LOWER_RUN: usize = 9;
/// Of how many of a hundred places a new piece must begin. Chance evens out in longer words, so less is
/// enough to tell them from names: of words drawn at random, 91 % of 20 letters are found, 99 % of 40.
const SHARE_OF_SHORT: usize = 30;
const SHARE_OF_LONG: usize = 26;
const LONG: usize = 32;
/// Of how many of a hundred pairs of letters in a name each is one of [`PAIRS`]: 97 % of 150,000 names in
/// source code have so many, of words drawn at random less than 1 %.
const SHARE_OF_PAIRS: usize = 80;
/// Fewer pairs say nothing.
const FEWEST_PAIRS: usize = 6;
/// Which letters stand behind which in nine of ten pairs of 150,000 names in source code: a row for each
/// first letter, a bit for each second one.
#[rustfmt::skip] // Words, many a line.
const PAIRS: [u32; 26] = [
    0x1bebd6e, 0x1164b11, 0x01e4d9d, 0x016493b, 0x1eff97f, 0x01a4935, 0x0162991, 0x0084111, 0x2aef87f,
    0x0000000, 0x0040110, 0x11cc91d, 0x014d913, 0x03ced7d, 0x07efd6f, 0x11ec991, 0x0100000, 0x13e7d5d,
    0x11ccd95, 0x11ed9bd, 0x00eb937, 0x0000111, 0x0024191, 0x0088035, 0x00c8000, 0x0000010,
];

#[derive(PartialEq, Eq, Clone, Copy)]
enum Class {
    Lower,
    Upper,
    Digit,
    Other,
}

/// A word needs at least this many letters of each case, and as many digits.
const LEAST_LETTERS: usize = 3;
const LEAST_DIGITS: usize = 1;

/// Whether [`is_random`] may be true of a word or of a part of it: it has the letters and digits.
pub(super) fn may_be_random(word: &[u8]) -> bool {
    let count = |is_one: fn(&u8) -> bool| word.iter().filter(|byte| is_one(byte)).count();
    count(u8::is_ascii_digit) >= LEAST_DIGITS
        && count(u8::is_ascii_uppercase) >= LEAST_LETTERS
        && count(u8::is_ascii_lowercase) >= LEAST_LETTERS
}

/// Whether a word falls into pieces as short as a word drawn at random does (a new one at 44 % of its
/// places), and not into words as a name does (about 20 %). A piece is letters of one case, a capital
/// with the small letters behind it, or digits.
pub(super) fn is_random(word: &[u8]) -> bool {
    let joined = |byte: &u8| !byte.is_ascii_alphanumeric();
    let from = word.iter().position(|byte| !joined(byte)).unwrap_or(word.len());
    let to = word.iter().rposition(|byte| !joined(byte)).map_or(from, |last| last + 1);
    let word = word.get(from..to).unwrap_or_default();
    if !LENGTHS.contains(&word.len()) {
        return false;
    }
    let (mut lower, mut upper, mut digits, mut changes) = (0, 0, 0, 0);
    let (mut run, mut longest) = (0, 0);
    let mut previous = None;
    for byte in word {
        let class = match byte {
            b'a'..=b'z' => Class::Lower,
            b'A'..=b'Z' => Class::Upper,
            b'0'..=b'9' => Class::Digit,
            _ => Class::Other,
        };
        lower += usize::from(class == Class::Lower);
        upper += usize::from(class == Class::Upper);
        digits += usize::from(class == Class::Digit);
        let continues = match previous {
            None | Some(Class::Other) => true,
            Some(Class::Upper) => class == Class::Upper || class == Class::Lower,
            Some(previous) => class == previous,
        };
        changes += usize::from(!continues);
        run = if class == Class::Lower { run + 1 } else { 0 };
        longest = longest.max(run);
        previous = Some(class);
    }
    let share = if word.len() < LONG { SHARE_OF_SHORT } else { SHARE_OF_LONG };
    let often = changes * 100 >= (word.len() - 1) * share;
    let mixed = lower >= LEAST_LETTERS && upper >= LEAST_LETTERS && digits >= LEAST_DIGITS;
    mixed && often && longest <= LONGEST_LOWER_RUN && !is_spoken(word)
}

/// Whether letters without a digit change their case as no name does; some providers draw keys from letters alone.
///
/// Less than [`is_random`] says, so it is asked only of what stands behind a known beginning.
pub(super) fn is_of_random_letters(word: &[u8]) -> bool {
    const LEAST_OF_EACH_CASE: usize = 6;
    const SHARE_OF_CAPITALS: usize = 12;
    let capitals = word.iter().filter(|byte| byte.is_ascii_uppercase()).count();
    let starts = word.windows(2).filter(
        |pair| matches!(pair, [first, second] if first.is_ascii_lowercase() && second.is_ascii_uppercase()),
    );
    word.iter().all(u8::is_ascii_alphabetic)
        && capitals >= LEAST_OF_EACH_CASE
        && word.len() - capitals >= LEAST_OF_EACH_CASE
        && starts.count() * 100 >= word.len() * SHARE_OF_CAPITALS
        && !is_spoken(word)
}

/// Whether the letters of a word stand beside each other as in names.
fn is_spoken(word: &[u8]) -> bool {
    let letter =
        |byte: &u8| byte.is_ascii_alphabetic().then(|| usize::from(byte.to_ascii_lowercase() - b'a'));
    let (mut pairs, mut usual) = (0, 0);
    for pair in word.windows(2) {
        if let [Some(first), Some(second)] = [pair.first().and_then(letter), pair.last().and_then(letter)] {
            pairs += 1;
            usual += usize::from(PAIRS.get(first).is_some_and(|row| (row >> second) & 1 == 1));
        }
    }
    pairs >= FEWEST_PAIRS && usual * 100 >= pairs * SHARE_OF_PAIRS
}

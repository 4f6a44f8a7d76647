//! Word vectors: how near words are in meaning, as somebody else has learned it.
//!
//! Mining does without any; with them, prompts that ask for the same in other words are alike.
//! Vectors come from a file in the text format of word2vec, GloVe and fastText, or from a server
//! ([`super::super::llm::Embedder`]). Either way they are an input of mining like the sessions: the same
//! vectors give the same bytes.
//!
//! ```text
//! 400000 300                    word2vec and fastText: how many, and their dimension
//! database 0.021 -0.173 …       a word and its numbers, with one space between them
//! ```
//!
//! Words with spaces in them, as GloVe has a few, and words that nobody asks for are passed over; a
//! word that stands there twice has its first vector, in whatever case: such files have the commonest
//! spelling first.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Read};

/// The most numbers that a vector may have.
pub const MOST_DIMENSIONS: usize = 8192;
/// The longest line of a file, in bytes.
const LONGEST_LINE: u64 = 1 << 18;
/// A vector of 32-bit numbers that was scaled to 1 is as near to it.
const SCALED: f64 = 1e-6;

/// Vectors of words, all of one dimension and of length 1.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vectors {
    dimensions: usize,
    by_word: BTreeMap<String, Vec<f32>>,
}

/// Why numbers are no vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VectorError {
    /// The others have another dimension.
    #[error("{found} numbers, where the others have {expected}")]
    Dimensions {
        /// What the others have.
        expected: usize,
        /// What it has.
        found: usize,
    },
    /// None, or too many of them.
    #[error("{0} numbers; expected 1 to {MOST_DIMENSIONS}")]
    Length(usize),
    /// Infinite, not a number, or out of range.
    #[error("numbers that are not finite")]
    NotFinite,
    /// It points nowhere.
    #[error("nothing but zeros")]
    Zero,
}

/// Why a file of word vectors cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VectorsError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    /// Nothing stands in it.
    #[error("holds no vectors; expected lines of a word and its numbers, as GloVe and fastText write them")]
    Empty,
    /// A line is of another kind of file.
    #[error(
        "line {line} is no word with its numbers; expected the text format of GloVe, word2vec and fastText, not compressed"
    )]
    NotVectors {
        /// From 1.
        line: u64,
    },
    /// A line's numbers are no vector.
    #[error("line {line} has {error}")]
    Vector {
        /// From 1.
        line: u64,
        /// What is wrong with them.
        error: VectorError,
    },
}

impl Vectors {
    /// The vectors of the words in `wanted` (in lower case) that a file's text has. Only they are kept;
    /// of other lines only the count of their fields is looked at.
    ///
    /// # Errors
    ///
    /// [`VectorsError`], with the line.
    pub fn read_text(mut text: impl BufRead, wanted: &BTreeSet<&str>) -> Result<Self, VectorsError> {
        let mut reading = Reading { wanted, announced: 0, vectors: Self::default() };
        let mut bytes = Vec::new();
        for line in 1.. {
            bytes.clear();
            let read = (&mut text).take(LONGEST_LINE + 1).read_until(b'\n', &mut bytes)?;
            if read == 0 {
                break;
            }
            if read as u64 > LONGEST_LINE {
                return Err(VectorsError::NotVectors { line });
            }
            reading.line(bytes.trim_ascii(), line)?;
        }
        if reading.announced == 0 { Err(VectorsError::Empty) } else { Ok(reading.vectors) }
    }

    /// Adds the vector of a word, or replaces it.
    ///
    /// # Errors
    ///
    /// [`VectorError`]: nothing is changed.
    pub fn insert(&mut self, word: &str, mut numbers: Vec<f32>) -> Result<(), VectorError> {
        let found = numbers.len();
        if !(1..=MOST_DIMENSIONS).contains(&found) {
            return Err(VectorError::Length(found));
        }
        if !self.by_word.is_empty() && self.dimensions != found {
            return Err(VectorError::Dimensions { expected: self.dimensions, found });
        }
        scale_to_one(&mut numbers)?;
        self.dimensions = found;
        self.by_word.insert(word.to_owned(), numbers);
        Ok(())
    }

    /// The vector of a word in lower case.
    pub fn get(&self, word: &str) -> Option<&[f32]> {
        self.by_word.get(word).map(Vec::as_slice)
    }

    /// How many words have one.
    pub fn len(&self) -> usize {
        self.by_word.len()
    }

    /// Whether no word has one.
    pub fn is_empty(&self) -> bool {
        self.by_word.is_empty()
    }

    /// Every word and its vector, by word.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[f32])> {
        self.by_word.iter().map(|(word, vector)| (word.as_str(), vector.as_slice()))
    }

    /// How many numbers each has; 0 while there are none.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }
}

/// Makes the length of a vector 1.
pub(super) fn scale_to_one(vector: &mut [f32]) -> Result<(), VectorError> {
    let length = dot(vector, vector).sqrt();
    if !length.is_finite() {
        return Err(VectorError::NotFinite);
    }
    if length <= f64::from(f32::MIN_POSITIVE) {
        return Err(VectorError::Zero);
    }
    // A vector that was scaled before keeps its bits, so that a cache returns exactly what the server returned.
    if (length - 1.0).abs() < SCALED {
        return Ok(());
    }
    #[expect(clippy::cast_possible_truncation, reason = "a share of the length, -1 to 1")]
    vector.iter_mut().for_each(|number| *number = (f64::from(*number) / length) as f32);
    Ok(())
}

/// The dot product.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// A file that is being read.
struct Reading<'w> {
    wanted: &'w BTreeSet<&'w str>,
    /// The dimension, by the header or the first line; 0 before.
    announced: usize,
    vectors: Vectors,
}

impl Reading<'_> {
    fn line(&mut self, bytes: &[u8], line: u64) -> Result<(), VectorsError> {
        let wrong = |error| VectorsError::Vector { line, error };
        let (first, fields) = fields_of(bytes);
        if fields == 0 || (self.announced == 0 && self.begins_with(bytes, line)?) {
            return Ok(());
        }
        if fields != self.announced + 1 {
            let has_spaces_in_its_word = fields > self.announced + 1 && !second_is_a_number(bytes);
            let found = fields.saturating_sub(1);
            let error = VectorError::Dimensions { expected: self.announced, found };
            return if has_spaces_in_its_word { Ok(()) } else { Err(wrong(error)) };
        }
        // A word in another encoding is none that anybody asks for.
        let Ok(word) = std::str::from_utf8(first).map(str::to_lowercase) else { return Ok(()) };
        if !self.wanted.contains(word.as_str()) || self.vectors.get(&word).is_some() {
            return Ok(());
        }
        let numbers = numbers_of(bytes).ok_or(VectorsError::NotVectors { line })?;
        match self.vectors.insert(&word, numbers) {
            // Files that were made of a larger model may have words of which it knew nothing.
            Err(VectorError::Zero) => Ok(()),
            inserted => inserted.map_err(wrong),
        }
    }

    /// Takes the dimension from the first line that is not empty; says whether it is a header.
    fn begins_with(&mut self, bytes: &[u8], line: u64) -> Result<bool, VectorsError> {
        let header = header(bytes);
        self.announced = match header {
            Some(dimensions) => dimensions,
            None => numbers_of(bytes).map_or(0, |numbers| numbers.len()),
        };
        match (self.announced, header) {
            (1..=MOST_DIMENSIONS, header) => Ok(header.is_some()),
            (0, None) => Err(VectorsError::NotVectors { line }),
            (other, _) => Err(VectorsError::Vector { line, error: VectorError::Length(other) }),
        }
    }
}

/// The first field of a line, and how many there are.
fn fields_of(line: &[u8]) -> (&[u8], usize) {
    let mut fields = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
    let first = fields.next().unwrap_or_default();
    (first, usize::from(!first.is_empty()) + fields.count())
}

/// The dimension that a header announces.
fn header(line: &[u8]) -> Option<usize> {
    let mut numbers = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    let (count, dimensions) = (numbers.next()?, numbers.next()?);
    count.parse::<u64>().ok()?;
    let dimensions = dimensions.parse().ok()?;
    numbers.next().is_none().then_some(dimensions)
}

fn second_is_a_number(line: &[u8]) -> bool {
    let second = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).nth(1);
    second.and_then(number).is_some()
}

/// The numbers behind the word of a line.
fn numbers_of(line: &[u8]) -> Option<Vec<f32>> {
    line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).skip(1).map(number).collect()
}

fn number(field: &[u8]) -> Option<f32> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

//! Retrieval by BM25 over descriptions: what an assistant does that sees descriptions only.

use std::collections::{BTreeMap, BTreeSet};

/// Descriptions, ready to be asked.
pub(crate) struct Index {
    documents: Vec<BTreeMap<String, f64>>,
    frequencies: BTreeMap<String, f64>,
    average: f64,
}

const STOP: &str = "a about all also an and any are as asked asks at be before by can could do does during fails \
for from go hey how i if in into is it its let me my need not now of on once or our out please run running \
s should so some somebody t tell that the their them then there they thing this to today tomorrow too up us \
use want was we went when will with working would you your";

fn words(text: &str) -> Vec<String> {
    text.split(|char: char| !char.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .filter(|word| !STOP.split_whitespace().any(|stop| stop == word))
        .collect()
}

impl Index {
    pub(crate) fn new<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut documents = Vec::new();
        let mut frequencies: BTreeMap<String, f64> = BTreeMap::new();
        let mut total = 0.0;
        for text in texts {
            let mut counts: BTreeMap<String, f64> = BTreeMap::new();
            for word in words(text) {
                *counts.entry(word).or_default() += 1.0;
                total += 1.0;
            }
            for word in counts.keys() {
                *frequencies.entry(word.clone()).or_default() += 1.0;
            }
            documents.push(counts);
        }
        let average = total / documents.len().max(1) as f64;
        Self { documents, frequencies, average }
    }

    fn score(&self, prompt: &BTreeSet<String>, document: &BTreeMap<String, f64>) -> f64 {
        let (k, b) = (1.2, 0.75);
        let length: f64 = document.values().sum();
        let count = self.documents.len() as f64;
        let term = |word: &String| {
            let within = document.get(word).copied().unwrap_or_default();
            let having = self.frequencies.get(word).copied().unwrap_or_default();
            let rarity = (1.0 + (count - having + 0.5) / (having + 0.5)).ln();
            rarity * within * (k + 1.0) / (within + k * (1.0 - b + b * length / self.average))
        };
        prompt.iter().map(term).sum()
    }

    /// The best description; the first of equals, none if no word is shared.
    pub(crate) fn best(&self, prompt: &str) -> Option<usize> {
        let prompt: BTreeSet<String> = words(prompt).into_iter().collect();
        let mut best = None;
        let mut most = 0.0;
        for (at, document) in self.documents.iter().enumerate() {
            let score = self.score(&prompt, document);
            if score > most {
                most = score;
                best = Some(at);
            }
        }
        best
    }

    /// Whether the best description shares two words and a third of all the prompt's words.
    pub(crate) fn fires(&self, prompt: &str) -> bool {
        let Some(best) = self.best(prompt).and_then(|at| self.documents.get(at)) else { return false };
        let prompt: BTreeSet<String> = words(prompt).into_iter().collect();
        let shared = prompt.iter().filter(|word| best.contains_key(*word)).count();
        shared >= 2 && shared * 3 >= prompt.len()
    }
}

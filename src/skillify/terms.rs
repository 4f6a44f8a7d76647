//! The terms of a workspace: what its segments did and were asked for, each text made and numbered once.
//!
//! A term is an action's token (`run make db-up`), a command word by word (`= make db-up`) or a word of
//! prompts (`? database`). Numbers ascend with the texts, so that they do not depend on the order of
//! the segments.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::segment::repairable;
use super::verify::Work;

/// A term's number in its workspace.
pub(super) type Term = u32;

/// The terms of one action.
#[derive(Debug, Clone, Copy)]
pub(super) struct ActionTerms {
    /// Of its token; `None` for what every work has.
    pub(super) token: Option<Term>,
    /// Of the words of what was run, if a claim can speak of it.
    pub(super) core: Option<Term>,
}

/// The terms of one segment.
#[derive(Debug)]
pub(super) struct WorkTerms {
    /// Of each of its actions, in order.
    pub(super) actions: Vec<ActionTerms>,
    /// Of the words of its prompts, in order.
    pub(super) words: Vec<Term>,
}

/// The terms of a workspace.
#[derive(Debug)]
pub(super) struct Terms {
    /// Ascending.
    texts: Vec<String>,
    works: Vec<WorkTerms>,
}

impl Terms {
    pub(super) fn of(works: &[Work<'_>]) -> Self {
        let mut numbering = Numbering::default();
        let works = works.iter().map(|work| numbering.work(work)).collect();
        numbering.sorted(works)
    }

    /// Every text, by its number.
    pub(super) fn texts(&self) -> &[String] {
        &self.texts
    }

    /// The terms of each segment, in the order of the segments.
    pub(super) fn works(&self) -> &[WorkTerms] {
        &self.works
    }

    /// The number of a text.
    pub(super) fn find(&self, text: &str) -> Option<usize> {
        self.texts.binary_search_by(|known| known.as_str().cmp(text)).ok()
    }
}

/// The term of a command whose words do not vary.
pub(super) fn command_key(core: &[&str]) -> String {
    format!("= {}", core.join(" "))
}

/// The term of a word of prompts.
pub(super) fn word_key(word: &str) -> String {
    format!("? {word}")
}

/// Numbers in the order of appearance.
#[derive(Default)]
struct Numbering {
    /// By the hash of the text, or the next free one where two texts share it.
    by_hash: BTreeMap<u64, Term>,
    texts: Vec<String>,
}

impl Numbering {
    fn work(&mut self, work: &Work<'_>) -> WorkTerms {
        let actions = work.segment.actions().map(|(_, action)| ActionTerms {
            token: action.token().map(|token| self.number(token)),
            core: repairable(action).map(|command| self.number(command_key(&command.core()))),
        });
        let actions = actions.collect();
        WorkTerms {
            actions,
            words: work.segment.words.iter().map(|word| self.number(word_key(word))).collect(),
        }
    }

    fn number(&mut self, text: String) -> Term {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let mut hash = hasher.finish();
        while let Some(term) = self.by_hash.get(&hash) {
            if self.texts.get(*term as usize) == Some(&text) {
                return *term;
            }
            hash = hash.wrapping_add(1);
        }
        let term = Term::try_from(self.texts.len()).unwrap_or(Term::MAX);
        self.by_hash.insert(hash, term);
        self.texts.push(text);
        term
    }

    /// With the numbers in the order of the texts.
    fn sorted(self, mut works: Vec<WorkTerms>) -> Terms {
        let mut texts: Vec<(String, usize)> = self.texts.into_iter().zip(0..).collect();
        texts.sort_unstable();
        let mut places: Vec<Term> = vec![0; texts.len()];
        for (place, (_, term)) in (0..).zip(&texts) {
            if let Some(entry) = places.get_mut(*term) {
                *entry = place;
            }
        }
        let renumber = |term: &mut Term| *term = places.get(*term as usize).copied().unwrap_or_default();
        for work in &mut works {
            work.words.iter_mut().for_each(renumber);
            for action in &mut work.actions {
                action.token.iter_mut().chain(&mut action.core).for_each(renumber);
            }
        }
        Terms { texts: texts.into_iter().map(|(text, _)| text).collect(), works }
    }
}

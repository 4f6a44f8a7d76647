//! The terms of a workspace: what its segments did and were asked for, each text made and numbered once.
//!
//! A term is an action's token (`run make db-up`), a command word by word (`= make db-up`), its program
//! (`$ make`), a kind of file that was edited (`~ app/models/*.rb`) or a word of prompts (`? database`). Numbers ascend with the texts, so that they do not
//! depend on the order of the segments. What was done is numbered too, in no particular order: most
//! actions were done before, word for word, and their terms are then not made again.

use super::super::hash_index::{HashIndex, hash_of, spread};
use super::super::session::action::{Action, What};
use super::super::session::claimable::repairable;
use super::segment_ref::SegmentRef;
use super::segment_ref::session_of;
use crate::shell::command::Command;

/// A term's number in its workspace.
pub(in crate::skillify) type Term = u32;

/// The terms of one action.
#[derive(Debug, Default, Clone, Copy)]
pub(in crate::skillify) struct ActionTerms {
    /// Of its token; `None` for what every work has.
    pub(in crate::skillify) token: Option<Term>,
    /// The term of its command, if a claim can state it.
    pub(in crate::skillify) core: Option<Term>,
    /// Of its first word, likewise.
    pub(in crate::skillify) program: Option<Term>,
    /// Of the kind of file that was edited.
    pub(in crate::skillify) kind: Option<Term>,
    /// The number of what was done, which actions share that did the same in the same words.
    pub(in crate::skillify) deed: u32,
}

/// The terms of one segment.
#[derive(Debug)]
pub(in crate::skillify) struct WorkTerms {
    /// The number of its session, in no particular order.
    pub(in crate::skillify) session: u32,
    /// Of each of its actions, in order.
    pub(in crate::skillify) actions: Vec<ActionTerms>,
    /// Of the words of its prompts, in order.
    pub(in crate::skillify) words: Vec<Term>,
}

/// The terms of a workspace.
#[derive(Debug)]
pub(in crate::skillify) struct Terms {
    /// Ascending.
    texts: Vec<String>,
    works: Vec<WorkTerms>,
}

impl Terms {
    pub(in crate::skillify) fn of(works: &[SegmentRef<'_>]) -> Self {
        let mut numbering = Numbering::default();
        let works = works.iter().map(|work| numbering.work(work)).collect();
        numbering.sorted(works)
    }

    /// The word of prompts of this number.
    pub(in crate::skillify) fn word(&self, term: Term) -> Option<&str> {
        self.texts.get(term as usize)?.strip_prefix(WORD)
    }

    /// Every text, by its number.
    pub(in crate::skillify) fn texts(&self) -> &[String] {
        &self.texts
    }

    /// The terms of each segment, in the order of the segments.
    pub(in crate::skillify) fn works(&self) -> &[WorkTerms] {
        &self.works
    }

    /// The number of a text.
    pub(in crate::skillify) fn find(&self, text: &str) -> Option<usize> {
        self.texts.binary_search_by(|known| known.as_str().cmp(text)).ok()
    }
}

/// The term of a command whose words do not vary.
pub(in crate::skillify) fn command_key(core: &[&str]) -> String {
    format!("= {}", core.join(" "))
}

/// The term of a program.
pub(in crate::skillify) fn program_key(program: &str) -> String {
    format!("$ {program}")
}

/// The term of the files of one ending in one folder; `None` for a file without either.
fn kind_of_file(path: &str) -> Option<String> {
    let (folders, name) = path.rsplit_once('/')?;
    let (_, ending) = name.rsplit_once('.')?;
    // What stands above may be another on each machine.
    let folder = folders
        .rmatch_indices('/')
        .nth(1)
        .map_or(folders, |(at, _)| folders.get(at + 1..).unwrap_or(folders));
    Some(format!("~ {folder}/*.{ending}"))
}

/// The hash of the place where a command stands, and of whether it was a tool of the assistant's own.
fn address(what: &What) -> Option<u64> {
    let (command, tool) = match what {
        What::Command(command) => (command, 0),
        What::Tool(command) => (command, 1),
        _ => return None,
    };
    Some(spread(command.address() as u64 | tool))
}

/// How the term of a word of prompts begins.
const WORD: &str = "? ";

/// Numbers in the order of appearance.
#[derive(Default)]
struct Numbering<'a> {
    texts: Vec<String>,
    places_of_texts: HashIndex,
    deeds: Vec<(&'a What, ActionTerms)>,
    places_of_deeds: HashIndex,
    /// Of deeds whose command is shared in memory, which need not be read to be known.
    places_of_addresses: HashIndex,
    sessions: Vec<(&'a str, &'a str)>,
    places_of_sessions: HashIndex,
}

impl<'a> Numbering<'a> {
    fn work(&mut self, work: &SegmentRef<'a>) -> WorkTerms {
        WorkTerms {
            session: self.session(session_of(work)),
            actions: work.segment.actions().map(|(_, action)| self.action(action)).collect(),
            words: work.segment.words().map(|word| self.number(WORD, word)).collect(),
        }
    }

    fn session(&mut self, session: (&'a str, &'a str)) -> u32 {
        let hash = hash_of(session);
        let known = self.places_of_sessions.find(hash, |at| self.sessions.get(at) == Some(&session));
        known.unwrap_or_else(|| {
            self.sessions.push(session);
            self.places_of_sessions.insert(hash, self.sessions.len() - 1)
        })
    }

    fn action(&mut self, action: &'a Action) -> ActionTerms {
        let Some(address) = address(&action.what) else { return self.deed(action) };
        // Different addresses have different hashes.
        let known = self.places_of_addresses.find(address, |_| true);
        if let Some((_, terms)) = known.and_then(|place| self.deeds.get(place as usize)) {
            return *terms;
        }
        let terms = self.deed(action);
        self.places_of_addresses.insert(address, terms.deed as usize);
        terms
    }

    fn deed(&mut self, action: &'a Action) -> ActionTerms {
        let same = |at: usize| self.deeds.get(at).is_some_and(|(what, _)| **what == action.what);
        let hash = hash_of(&action.what);
        let known = self.places_of_deeds.find(hash, same);
        if let Some((_, terms)) = known.and_then(|place| self.deeds.get(place as usize)) {
            return *terms;
        }
        let run = repairable(action).map(Command::core);
        let terms = ActionTerms {
            token: action.token().map(|token| self.number("", &token)),
            core: run.as_ref().map(|core| self.number("", &command_key(core))),
            program: run.map(|core| self.number("", &program_key(core.first().copied().unwrap_or_default()))),
            kind: action.edited().and_then(kind_of_file).map(|kind| self.number("", &kind)),
            deed: self.places_of_deeds.insert(hash, self.deeds.len()),
        };
        self.deeds.push((&action.what, terms));
        terms
    }

    /// The number of the text that begins and goes on so.
    fn number(&mut self, beginning: &str, rest: &str) -> Term {
        let same = |at: usize| {
            self.texts.get(at).and_then(|text| text.strip_prefix(beginning)).is_some_and(|text| text == rest)
        };
        let hash = hash_of((beginning, rest));
        self.places_of_texts.find(hash, same).unwrap_or_else(|| {
            self.texts.push(format!("{beginning}{rest}"));
            self.places_of_texts.insert(hash, self.texts.len() - 1)
        })
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
                let ActionTerms { token, core, program, kind, deed: _ } = action;
                [token, core, program, kind].into_iter().flatten().for_each(renumber);
            }
        }
        Terms { texts: texts.into_iter().map(|(text, _)| text).collect(), works }
    }
}

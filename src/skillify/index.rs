//! An index of works by the commands that they ran, so that a claim is looked for where it can be.

use std::collections::BTreeMap;

use super::claim::Claim;
use super::segment::repairable;
use super::template::Template;
use super::terms::{self, Terms};
use super::verify::Work;

/// Where commands were run: places among the works, ascending.
pub(super) struct Index<'a> {
    terms: &'a Terms,
    /// By the term of the words of what was run.
    by_core: Vec<Vec<usize>>,
    by_program: BTreeMap<&'a str, Vec<usize>>,
    all: Vec<usize>,
}

impl<'a> Index<'a> {
    pub(super) fn of(works: &[Work<'a>], terms: &'a Terms) -> Self {
        let mut index = Self {
            terms,
            by_core: vec![Vec::new(); terms.texts().len()],
            by_program: BTreeMap::new(),
            all: (0..works.len()).collect(),
        };
        for (at, (work, terms)) in works.iter().zip(terms.works()).enumerate() {
            for ((_, action), terms) in work.segment.actions().zip(&terms.actions) {
                let (Some(command), Some(core)) = (repairable(action), terms.core) else { continue };
                let program = command.core().first().copied().unwrap_or_default();
                add(index.by_program.entry(program).or_default(), at);
                if let Some(places) = index.by_core.get_mut(core as usize) {
                    add(places, at);
                }
            }
        }
        index
    }

    /// The places of works that can show a claim, for or against it: all others do not.
    pub(super) fn that_may_show(&self, claim: &Claim) -> Vec<usize> {
        match claim {
            Claim::Fix { command, repair } => {
                let (fewer, more) = (self.running(command), self.running(repair));
                let (fewer, more) = if fewer.len() < more.len() { (fewer, more) } else { (more, fewer) };
                fewer.iter().copied().filter(|at| more.binary_search(at).is_ok()).collect()
            }
            Claim::Run(command) | Claim::Avoid(command) => self.running(command).to_vec(),
            Claim::Prefer { over, .. } => self.running(over).to_vec(),
            // That the program works here speaks against it.
            Claim::Instead { failed, .. } => self.of_program(failed).to_vec(),
            Claim::Edit(_) => self.all.clone(),
        }
    }

    /// Where runs of a template may be.
    fn running(&self, template: &Template) -> &[usize] {
        match template.literal_core() {
            Some(core) => {
                let term = self.terms.find(&terms::command_key(&core));
                term.and_then(|term| self.by_core.get(term)).map_or(&[], Vec::as_slice)
            }
            None => self.of_program(template),
        }
    }

    fn of_program(&self, template: &Template) -> &[usize] {
        match template.program() {
            Some(program) => self.by_program.get(program).map_or(&[], Vec::as_slice),
            None => &self.all,
        }
    }
}

fn add(places: &mut Vec<usize>, at: usize) {
    if places.last() != Some(&at) {
        places.push(at);
    }
}

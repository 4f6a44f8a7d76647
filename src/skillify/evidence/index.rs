//! An index of segments by the commands that they ran, so that a claim is looked for only in segments that can show it.

use super::super::claim::Claim;
use super::super::template::Template;
use super::segment_ref::SegmentRef;
use super::terms::{self, Term, Terms};

/// Where commands were run: places among the works, ascending.
pub(in crate::skillify) struct Index<'a> {
    terms: &'a Terms,
    /// By the term of the words of what was run.
    by_core: Vec<Vec<usize>>,
    /// By the term of its first word.
    by_program: Vec<Vec<usize>>,
    all: Vec<usize>,
    /// How many repositories there are.
    pub(in crate::skillify) projects: usize,
}

impl<'a> Index<'a> {
    pub(in crate::skillify) fn of(works: &[SegmentRef<'_>], terms: &'a Terms) -> Self {
        let mut by_core = vec![Vec::new(); terms.texts().len()];
        let mut by_program = by_core.clone();
        for (at, work) in terms.works().iter().enumerate() {
            for action in &work.actions {
                add(&mut by_core, action.core, at);
                add(&mut by_program, action.program, at);
            }
        }
        let mut projects: Vec<&str> = works.iter().map(|work| work.session.project.as_str()).collect();
        projects.sort_unstable();
        projects.dedup();
        Self { terms, by_core, by_program, all: (0..works.len()).collect(), projects: projects.len() }
    }

    /// The places of works that can show a claim, for or against it: all others do not.
    pub(in crate::skillify) fn that_may_show(&self, claim: &Claim) -> Vec<usize> {
        match claim {
            Claim::Run(command) | Claim::Avoid(command) => self.running(command).to_vec(),
            Claim::Prefer { over, .. } => self.running(over).to_vec(),
            _ => self.all.clone(),
        }
    }

    /// Where runs of a template may be.
    fn running(&self, template: &Template) -> &[usize] {
        match template.literal_core() {
            Some(core) => self.places(&self.by_core, &terms::command_key(&core)),
            None => self.of_program(template),
        }
    }

    fn of_program(&self, template: &Template) -> &[usize] {
        match template.program() {
            Some(program) => self.places(&self.by_program, &terms::program_key(program)),
            None => &self.all,
        }
    }

    fn places<'i>(&self, by_term: &'i [Vec<usize>], text: &str) -> &'i [usize] {
        self.terms.find(text).and_then(|term| by_term.get(term)).map_or(&[], Vec::as_slice)
    }
}

fn add(places: &mut [Vec<usize>], term: Option<Term>, at: usize) {
    let places = term.and_then(|term| places.get_mut(term as usize));
    if let Some(places) = places.filter(|places| places.last() != Some(&at)) {
        places.push(at);
    }
}

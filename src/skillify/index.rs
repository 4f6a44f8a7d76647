//! An index of works by the commands that they ran, so that a claim is looked for where it can be.

use std::collections::BTreeMap;

use super::claim::Claim;
use super::segment::repairable;
use super::template::Template;
use super::verify::Work;

/// Where commands were run: places among the works, ascending.
pub(super) struct Index<'a> {
    by_core: BTreeMap<String, Vec<usize>>,
    by_program: BTreeMap<&'a str, Vec<usize>>,
    all: Vec<usize>,
}

impl<'a> Index<'a> {
    pub(super) fn of(works: &[Work<'a>]) -> Self {
        let mut index =
            Self { by_core: BTreeMap::new(), by_program: BTreeMap::new(), all: (0..works.len()).collect() };
        for (at, work) in works.iter().enumerate() {
            for command in work.segment.actions().filter_map(|(_, action)| repairable(action)) {
                let core = command.core();
                add(&mut index.by_program, core.first().copied().unwrap_or_default(), at);
                add(&mut index.by_core, core.join(" "), at);
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
            Some(core) => self.by_core.get(&core.join(" ")).map_or(&[], Vec::as_slice),
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

fn add<K: Ord>(index: &mut BTreeMap<K, Vec<usize>>, key: K, at: usize) {
    let places = index.entry(key).or_default();
    if places.last() != Some(&at) {
        places.push(at);
    }
}

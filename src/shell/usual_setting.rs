//! The setting that the runs of one command have in common.

use std::collections::BTreeMap;

use super::command::Command;
use super::parse::Word;
use super::setting::Setting;

impl Setting {
    /// What runs, each with how often it was run, have in common: the variables that most agree in (of
    /// several that as many do, the fewest), the folder and privilege of more than half, and what puts all of
    /// them into an environment.
    pub(crate) fn usual(runs: &[(&Command, usize)]) -> Self {
        let mut variables: BTreeMap<&[Word], usize> = BTreeMap::new();
        let (mut directories, mut privileges) = (BTreeMap::new(), BTreeMap::new());
        let mut wrappers: BTreeMap<&Option<String>, usize> = BTreeMap::new();
        for (command, times) in runs {
            let Self { variables: own, directory, privilege, wrapper } = command.setting();
            *variables.entry(own).or_default() += times;
            *directories.entry(directory).or_default() += times;
            *privileges.entry(privilege).or_default() += times;
            *wrappers.entry(wrapper).or_default() += times;
        }
        let all: usize = runs.iter().map(|(_, times)| times).sum();
        let of_most = |counted: BTreeMap<&Option<String>, usize>| {
            counted.into_iter().find(|(_, times)| times * 2 > all).and_then(|(one, _)| one.clone())
        };
        let usual = variables.into_iter().max_by(|(a, of_a), (b, of_b)| {
            of_a.cmp(of_b).then_with(|| b.len().cmp(&a.len())).then_with(|| b.cmp(a))
        });
        Self {
            variables: usual.map(|(variables, _)| variables.to_vec()).unwrap_or_default(),
            directory: of_most(directories),
            privilege: of_most(privileges),
            // A command that some ran without needs none.
            wrapper: wrappers.into_keys().min().cloned().flatten(),
        }
    }
}

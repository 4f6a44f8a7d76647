//! The options of a command that decide what it does.

use std::collections::{BTreeMap, BTreeSet};

use super::command::Command;
use super::flag::{flag_key, is_flag, is_manner};
use super::parse::Word;

/// The flags of a command that decide what it does, without their values.
pub(crate) fn deciding_flags(command: &Command) -> BTreeSet<&str> {
    let flags = command.words().iter().map(|word| word.value.as_str());
    flags.filter(|word| is_flag(word) && !is_manner(word)).map(flag_key).collect()
}

/// The deciding flags that most runs of the commands agree in; of several that as many do, the fewest.
/// Each command stands with its number of runs.
pub(crate) fn usual_flags<'a>(commands: &[(&'a Command, usize)]) -> BTreeSet<&'a str> {
    let mut runs: BTreeMap<BTreeSet<&str>, usize> = BTreeMap::new();
    for (command, times) in commands {
        *runs.entry(deciding_flags(command)).or_default() += times;
    }
    let usual = runs.into_iter().max_by(|(a, of_a), (b, of_b)| {
        of_a.cmp(of_b).then_with(|| b.len().cmp(&a.len())).then_with(|| b.cmp(a))
    });
    usual.map(|(flags, _)| flags).unwrap_or_default()
}

/// The words of a command but for its flags that are neither among these nor, if they decide nothing,
/// had by all.
pub(crate) fn without_uncommon_flags<'a>(
    command: &'a Command,
    flags: &BTreeSet<&str>,
    all: &[&Command],
) -> Vec<&'a Word> {
    let has = |other: &Command, flag: &str| other.words().iter().any(|word| word.value == flag);
    let stays = |flag: &str| {
        if is_manner(flag) {
            all.iter().all(|other| has(other, flag))
        } else {
            flags.contains(flag_key(flag))
        }
    };
    command.words().iter().filter(|word| !is_flag(&word.value) || stays(&word.value)).collect()
}

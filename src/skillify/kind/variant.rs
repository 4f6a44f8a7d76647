//! What makes a command another one: a flag, a variable or a folder that is added to it.
//!
//! Some flags make a command pass by doing less, by overruling a safeguard or by accepting what failed: `--dry-run`,
//! `--no-verify`, `--update-snapshots`. They are no replacement. Nor is a single letter, which may be any of those.

use std::collections::BTreeSet;

use crate::shell::command::Command;
use crate::shell::flag::{is_flag, is_manner};

/// Parts of the names of flags and variables that make a command do less, overrule a safeguard or accept
/// what failed.
const EVASIONS: &[&str] = &[
    "accept",
    "allow",
    "bless",
    "check",
    "collect",
    "continue",
    "deselect",
    "diff",
    "disable",
    "dry",
    "dryrun",
    "exclude",
    "exit",
    "fail",
    "failed",
    "filter",
    "fix",
    "force",
    "forced",
    "help",
    "husky",
    "ignore",
    "insecure",
    "keep",
    "lf",
    "list",
    "noop",
    "only",
    "overwrite",
    "passwithnotests",
    "plan",
    "preview",
    "print",
    "show",
    "simulate",
    "skip",
    "trust",
    "trusted",
    "unauthorized",
    "unsafe",
    "update",
    "updatesnapshot",
    "verify",
    "version",
    "warn",
    "whatif",
    "write",
];

/// What decides how a command does its work: its flags, with their values, and its setting.
fn deciding(command: &Command) -> BTreeSet<&str> {
    let flags = command.words().iter().map(|word| word.value.as_str());
    let setting = command.setting();
    let variables = setting.variables.iter().map(|variable| variable.value.as_str());
    let flags = flags.filter(|word| is_flag(word) && !is_manner(word));
    flags.chain(variables).chain(setting.directory.as_deref()).collect()
}

/// The words that a run has beyond a failed run of the same command, if they can be a repair.
pub(super) fn added<'w>(by: &'w Command, failed: &'w Command) -> Option<Vec<&'w str>> {
    let (own, theirs) = (deciding(by), deciding(failed));
    let added: Vec<&str> = own.difference(&theirs).copied().collect();
    let is_more = !added.is_empty() && theirs.is_subset(&own);
    (is_more && by.core() == failed.core() && !added.iter().any(|word| evades(word))).then_some(added)
}

/// Whether an added word may make a command pass by doing less or by ignoring the failure.
fn evades(added: &str) -> bool {
    let name = added.split_once('=').map_or(added, |(name, _)| name);
    let mut parts = name.split(|char: char| !char.is_alphanumeric()).filter(|part| !part.is_empty());
    let is_letter = is_flag(added) && added.len() <= 2;
    is_letter || parts.any(|part| EVASIONS.contains(&part.to_lowercase().as_str()))
}

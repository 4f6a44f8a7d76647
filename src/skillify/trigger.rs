//! Which of the words that prompts share say when to use a skill.

use std::collections::BTreeSet;

use super::action::Action;
use super::claim::SupportedClaim;
use super::steps::Member;

/// What people ask an assistant to do. A word that opens prompts and is none of these is a thing.
#[rustfmt::skip]
const IMPERATIVES: &[&str] = &[
    "accept", "activate", "add", "adjust", "analyse", "analyze", "anonymise", "anonymize", "answer", "apply",
    "approve", "archive", "assign", "attach", "audit", "back", "backfill", "backport", "bake", "benchmark", "block",
    "bootstrap", "bring", "build", "bump", "bundle", "calculate", "calibrate", "cancel", "capture", "change", "check",
    "clean", "clear", "clone", "close", "collect", "commit", "compare", "compile", "compress", "compute",
    "configure", "connect", "convert", "copy", "count", "create", "cut", "debug", "delete", "deploy", "describe",
    "destroy", "detect", "diagnose", "disable", "discard", "dispatch", "document", "download", "draft", "draw", "drop",
    "dump", "edit", "empty", "enable", "encrypt", "erase", "evaluate", "execute", "explain", "export", "extend",
    "extract", "fetch", "fill", "filter", "find", "finish", "fix", "flash", "flush", "format", "freeze", "generate",
    "grant", "handle", "hide", "implement", "import", "improve", "increase", "index", "initialise", "initialize",
    "insert", "inspect", "install", "introduce", "investigate", "invite", "issue", "kill", "label", "launch", "lint",
    "list", "load", "lock", "log", "maintain", "mark", "measure", "merge", "migrate", "mirror", "monitor", "mount",
    "move", "notify", "offer", "open", "optimise", "optimize", "order", "pack", "package", "paint", "patch", "pin",
    "plan", "plot", "post", "prepare", "print", "process", "produce", "profile", "promote", "propagate", "provision",
    "prune", "publish", "pull", "purge", "push", "put", "queue", "read", "rebase", "rebuild", "recalculate", "recompute",
    "reconcile", "record", "recover", "recreate", "reduce", "refactor", "refresh", "refund", "regenerate", "register",
    "reimport", "reindex", "reinstall", "release", "reload", "remove", "rename", "render", "renew", "repair",
    "replace", "replay", "replicate", "report", "reproduce", "request", "rerun", "reset", "resize", "resolve", "restart",
    "restore", "retry", "review", "revoke", "rewrite", "roll", "rotate", "run", "sanitise", "sanitize", "scaffold",
    "scale", "scan", "schedule", "seal", "search", "seed", "send", "set", "setup", "ship", "show", "shrink", "sign",
    "simplify", "simulate", "skip", "snapshot", "sort", "speed", "split", "squash", "stage", "start", "store",
    "submit", "summarise", "summarize", "support", "switch", "sync", "synchronise", "synchronize", "tag", "tear", "test",
    "tidy", "train", "transfer", "translate", "trigger", "trim", "tune", "turn", "unlock", "unpack", "update",
    "upgrade", "upload", "vacuum", "validate", "vendor", "verify", "version", "view", "warm", "wipe", "write",
    // German.
    "aktualisiere", "analysiere", "ändere", "baue", "behebe", "benenne", "erkläre", "erstelle", "erzeuge", "führe",
    "füge", "installiere", "lade", "lösche", "mache", "mach", "nimm", "prüfe", "schreibe", "setze", "spiele", "starte",
    "teste", "veröffentliche", "verschiebe", "zeige", "übersetze",
];

/// Whether the word, where it opens a prompt, asks to do something.
pub(super) fn is_imperative(word: &str) -> bool {
    IMPERATIVES.contains(&word)
}

/// The words of commands that the claims leave open: what was given to one piece of work, not what all
/// of them are about.
pub(super) fn values(claims: &[SupportedClaim], members: &[Member<'_, '_>]) -> BTreeSet<String> {
    let commands = members.iter().flat_map(|(work, _)| work.segment.actions());
    let commands = commands.filter_map(|(_, action)| Action::command(action));
    let mut values: BTreeSet<String> = commands.flat_map(|command| command.core()).flat_map(parts).collect();
    for part in claims.iter().flat_map(|claim| parts(&claim.claim.to_string())) {
        values.remove(&part);
    }
    values
}

/// Verbs and things, without those that tell nothing: what a command of the skill is called, where it is
/// the command that says when; and a verb for everything without a thing.
pub(super) fn telling(
    verbs: Vec<String>,
    mut things: Vec<String>,
    claims: &[SupportedClaim],
) -> (Vec<String>, Vec<String>) {
    if claims.iter().any(|claim| claim.claim.names_a_command()) {
        let names: BTreeSet<String> =
            claims.iter().flat_map(|claim| parts(&claim.claim.to_string())).collect();
        things.retain(|thing| !names.contains(thing));
    }
    if things.is_empty() { (Vec::new(), things) } else { (verbs, things) }
}

/// A word, and the words that it is made of.
fn parts(text: &str) -> Vec<String> {
    let whole = text.split_whitespace().map(|word| word.trim_matches(|char: char| !char.is_alphanumeric()));
    let pieces = text.split(|char: char| !char.is_alphanumeric());
    whole.chain(pieces).filter(|part| part.len() > 1).map(str::to_lowercase).collect()
}

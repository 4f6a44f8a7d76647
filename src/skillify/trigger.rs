//! Which of the words that prompts share say when to use a skill.

use std::collections::BTreeSet;

use super::candidate::{Workspace, shared, shown_by};
use super::claim::SupportedClaim;
use super::guard;
use super::steps::Member;
use super::template::Template;
use super::terms::Term;

/// How many shared words a trigger names at most.
const TRIGGER_WORDS: usize = 8;

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

impl Workspace<'_> {
    /// The words that tell this work from others, the most telling ones: what people call the doing,
    /// and what they do it to.
    pub(super) fn trigger(
        &self,
        claims: &[SupportedClaim],
        supporting: &[Member<'_, '_>],
    ) -> (Vec<String>, Vec<String>) {
        let words = shared(supporting, |(_, terms)| terms.words.clone());
        // Where a command says when to use a skill, only what most people say adds to it.
        let names_a_command = claims.iter().any(|claim| claim.claim.names_a_command());
        let shown_by = shown_by(supporting);
        let all = supporting.len();
        let mut weighed: Vec<(f64, Term)> = Vec::new();
        for word in &words {
            let shown = shown_by.get(word).copied().unwrap_or_default();
            if !self.background.tells_apart(*word, shown, all) {
                continue; // the words of an issue's form, say
            }
            let surprise = self.background.surprise(*word, shown, all);
            let enough = if names_a_command { shown * 2 > all } else { shown * 4 >= all };
            let tells = enough && (surprise > 0.0 || shown * 2 > all);
            let is_sound = |text| guard::objection(text).is_none();
            if tells && self.terms.word(*word).is_some_and(is_sound) {
                weighed.push((surprise, *word));
            }
        }
        let most = |word: &Term| shown_by.get(word).is_some_and(|shown| shown * 2 > all);
        let text = |word: Term| self.terms.word(word).unwrap_or_default();
        let doubtful =
            weighed.iter().map(|(_, word)| word).filter(|word| !most(word)).map(|word| text(*word));
        let of_holes = values(doubtful, claims, supporting);
        weighed.retain(|(_, word)| !of_holes.contains(text(*word)));
        weighed.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        weighed.truncate(TRIGGER_WORDS);
        weighed.sort_by_key(|(_, word)| words.iter().position(|other| other == word));
        let opens = |word: &Term| {
            let having = supporting.iter().filter(|(_, terms)| terms.words.contains(word)).count();
            let opening = supporting.iter().filter(|(_, terms)| terms.words.first() == Some(word)).count();
            opening * 2 > having && is_imperative(text(*word))
        };
        let (verbs, things): (Vec<Term>, Vec<Term>) =
            weighed.into_iter().map(|(_, word)| word).partition(opens);
        let texts = |words: Vec<Term>| words.into_iter().map(|word| text(word).to_owned()).collect();
        telling(texts(verbs), texts(things), claims)
    }
}

/// Verbs that tell nothing without the thing: they are asked for everywhere.
const BROAD: &[&str] = &[
    "add", "change", "check", "create", "edit", "fix", "put", "rename", "run", "set", "show", "test",
    "update", "write",
];

/// Whether the word, where it opens a prompt, asks to do something.
pub(crate) fn is_imperative(word: &str) -> bool {
    IMPERATIVES.contains(&word)
}

/// Which of these words fill a hole of the claims' commands: they were given to one piece of work, and are
/// not what all of them are about.
fn values<'w>(
    words: impl Iterator<Item = &'w str>,
    claims: &[SupportedClaim],
    members: &[Member<'_, '_>],
) -> BTreeSet<&'w str> {
    let said = |word: &&str| claims.iter().any(|claim| is_in(word, &claim.claim.to_string()));
    let words: Vec<&str> = words.filter(|word| !said(word)).collect();
    let mut values = BTreeSet::new();
    if words.is_empty() {
        return values;
    }
    let templates: Vec<&Template> = claims.iter().flat_map(|claim| claim.claim.templates()).collect();
    let commands = members.iter().flat_map(|(work, _)| work.segment.actions());
    for command in commands.filter_map(|(_, action)| action.command()) {
        let core = command.core();
        let given = words.iter().copied().filter(|word| core.iter().any(|argument| is_in(word, argument)));
        let mut given = given.peekable();
        if given.peek().is_some() && templates.iter().any(|template| template.matches(command)) {
            values.extend(given);
        }
    }
    values
}

/// Whether a text has the word, as one of its own or as a part of one.
fn is_in(word: &str, text: &str) -> bool {
    let is_part = |part: &str| part.eq_ignore_ascii_case(word);
    text.split(|char: char| !char.is_alphanumeric() && char != '-').any(is_part)
        || text.split(|char: char| !char.is_alphanumeric()).any(is_part)
}

/// Verbs and things, without those that tell nothing: a program's name, where a command of the skill says
/// when to use it; and without a thing a verb that is said of anything.
fn telling(
    mut verbs: Vec<String>,
    mut things: Vec<String>,
    claims: &[SupportedClaim],
) -> (Vec<String>, Vec<String>) {
    if claims.iter().any(|claim| claim.claim.names_a_command()) {
        let commands: Vec<String> =
            claims.iter().flat_map(|claim| claim.claim.templates()).map(ToString::to_string).collect();
        let names: BTreeSet<&str> =
            commands.iter().filter_map(|command| command.split_whitespace().next()).collect();
        things.retain(|thing| !names.contains(thing.as_str()) && thing != "run");
    }
    if things.is_empty() {
        verbs.retain(|verb| !BROAD.contains(&verb.as_str()));
    }
    (verbs, things)
}

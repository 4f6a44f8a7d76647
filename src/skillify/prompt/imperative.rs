//! Verbs that open a prompt and ask to do something.

/// Verbs of requests to an assistant. Any other word that opens a prompt is taken for a noun.
#[rustfmt::skip]
pub(super) const IMPERATIVES: &[&str] = &[
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
pub(crate) fn is_imperative(word: &str) -> bool {
    IMPERATIVES.contains(&word)
}

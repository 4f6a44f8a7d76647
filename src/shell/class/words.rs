//! What the words of a line say, whatever program gets them: arguments that read as a sentence, what throws away,
//! what assistants are told or may do, and protections that a variable or an option switches off.
//!
//! A program of the project takes any argument, so its own class says nothing of these. Each of them needs a person.

use std::sync::LazyLock;

use regex::Regex;

use super::{Class, Judgement};
use crate::shell::flag::is_flag;
use crate::shell::tool::name_words;

/// Words that tell somebody what to do; no task is called so.
const ORDERS: &[&str] = &[
    "always",
    "approve",
    "assistant",
    "disregard",
    "forget",
    "ignore",
    "instructions",
    "must",
    "never",
    "obey",
    "please",
    "pretend",
    "sandbox",
    "trust",
];
/// Words that hold a sentence together.
const JOINTS: &[&str] = &[
    "after",
    "again",
    "all",
    "and",
    "ask",
    "before",
    "every",
    "everything",
    "into",
    "is",
    "it",
    "needed",
    "not",
    "now",
    "tell",
    "that",
    "the",
    "then",
    "this",
    "to",
    "user",
    "you",
    "your",
];
/// Words that no list of targets has.
const LINKING: &[&str] = &[
    "and", "anyone", "as", "asking", "at", "be", "because", "before", "but", "do", "for", "from", "in", "is",
    "it", "not", "of", "on", "or", "so", "that", "the", "then", "this", "to", "was", "with", "without",
    "you", "your",
];
/// Words that say that something is thrown away.
const DESTROYS: &[&str] = &[
    "destroy",
    "drop",
    "dropdb",
    "dropuser",
    "flushall",
    "flushdb",
    "nuke",
    "obliterate",
    "purge",
    "truncate",
    "wipe",
];

/// Where a command begins: at the start of a line, behind another command, in a block or a subshell.
const COMMAND_START: &str = r"(?:^|\n|;|&&|\|\|?|&\s|\(|\{\s|\b(?:then|do|else)\s)\s*";

/// Subcommands of public tools that throw away what nothing brings back.
static THROWS_AWAY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r"(?x)
        --force-reset\b | --accept-data-loss\b | BEGINsupabase\s+db\s+reset\b | manage\.py\s+(?:flush|reset_db)\b | \balembic\s+downgrade\b
        | BEGIN(?:docker|podman)\s+volume\s+(?:rm|prune)\b | BEGINfind\b.*\s-delete\b
        | BEGIN(?:kind|k3d|minikube|influx|vault|consul|etcdctl|nats|rabbitmqctl)\b.*\s(?:delete|delete-[a-z]+|del)\b
        | \bmigrate[:\s](?:fresh|reset|refresh|rollback)\b | \bdb:(?:drop|reset|wipe|rollback|migrate:down)\b | BEGINgoose\b.*\s(?:down|down-to|reset)\b | \bredis-cli\b.*\s(?:del|unlink)\b | \becto\.(?:drop|reset|rollback)\b
        | \bdb\s+downgrade\b | BEGIN(?:flyway|liquibase)\b.*\s(?:clean|dropAll|drop-all)\b | manage\.py\s+migrate\s+\S+\s+zero\b
        | (?i:\b(?:delete\s+from|truncate\s+(?:table\s+)?\w|drop\s+(?:table|database|schema|index|role|user|view|column))\b)
        | \.(?:deleteMany|drop|dropDatabase|dropIndexes)\( | BEGIN(?::|true|cat\s+/dev/null)?\s*>\s*[^&>\s]
        | (?:^|\s)(?:FORCE|YES|CONFIRM|ASSUME_YES|AUTO_APPROVE|NO_CONFIRM)=(?i:1|true|yes|y|on)\b
        ";
    Regex::new(&pattern.replace("BEGIN", COMMAND_START)).ok()
});

/// Files that instruct assistants, and files that a repository runs by itself.
static RULES_OF_OTHERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)(?:^|[\s/='\x22])(?:\.claude|\.codex|\.gemini|\.qwen|\.cursor|\.opencode|\.mcp\.json|claude\.md|agents\.md|gemini\.md|\.cursorrules|\.github/workflows|\.git/hooks|\.githooks|\.husky|\.gitlab-ci\.yml|\.circleci|jenkinsfile|\.vscode/tasks\.json|\.devcontainer|lefthook\.yml|\.(?:bash|zsh|k?sh)rc|\.bash_profile|\.z?profile|\.zshenv|\.envrc|\.gitattributes|\.gitmodules)(?:[/\s'\x22]|$)",
    )
    .ok()
});

/// Variables and options that switch a protection off.
static UNPROTECTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)
        (?:^|\s)\w*(?:auth|verify|check|strict|secur|ssl|tls|sandbox|validat|guard)\w*=['\x22]?(?:0|false|off|no|none|disabled)\b
        | (?:^|\s)\w*(?:auth|verif|check|secur|ssl|tls|sandbox|validat|guard|sign|review)\w*_?(?:disabled?|off|skip)=['\x22]?(?:1|true|on|yes)\b
        | (?:^|\s)\w*(?:disable|skip|bypass|no)_\w*(?:auth|verif|secur|ssl|tls|sandbox|validat|guard|sign|review|hook)\w*=['\x22]?(?:1|true|on|yes)\b
        | (?:^|\s)--(?:skip|no|disable|without|bypass)-\w*(?:verif|auth|secur|sandbox|validat|tls|ssl|sign|review|approv|permission)[\w-]*
        ",
    )
    .ok()
});

/// Whether the arguments of a task read as a sentence: many plain words, some that hold a sentence together, or one
/// argument of several words that no option asks for.
pub(super) fn is_sentence(arguments: &[&str]) -> bool {
    let is_plain = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic() || b"',.".contains(&byte))
    };
    let (mut plain, mut joints, mut told) = (0, 0, "");
    for word in arguments {
        let option = std::mem::replace(&mut told, word);
        let words = word.split(' ').filter(|word| is_plain(word)).count();
        if !is_flag(option) && !word.contains('=') && words >= 4 {
            return true;
        }
        plain += usize::from(is_plain(word) && !is_flag(option));
        joints += usize::from(LINKING.contains(word));
    }
    plain >= 7 || (plain >= 4 && joints > 0)
}

/// Adds what the words of a line say to its classes.
pub(super) fn line(line: &str, judged: &mut Judgement) {
    // `approve-all` and `approveAll` are two words.
    let parts: Vec<String> =
        line.split_whitespace().filter(|word| !is_flag(word)).flat_map(name_words).collect();
    let count = |known: &[&str]| parts.iter().filter(|part| known.contains(&part.as_str())).count();
    let (orders, joints) = (count(ORDERS), count(JOINTS));
    if (orders > 0 && orders + joints > 1) || joints > 2 {
        judged.add(Class::Unknown, "its words read as a sentence");
    }
    let matches = |rule: &LazyLock<Option<Regex>>| rule.as_ref().is_none_or(|rule| rule.is_match(line));
    if count(DESTROYS) > 0 || matches(&THROWS_AWAY) {
        judged.add(Class::Administer, "it throws away what nothing brings back");
    }
    let only_looks = judged.classes.keys().all(|class| *class == Class::Read);
    if !only_looks && matches(&RULES_OF_OTHERS) {
        judged.add(Class::Administer, "it concerns what assistants or hooks are told");
    }
    if matches(&UNPROTECTS) {
        judged.add(Class::Administer, "it switches a protection off");
    }
}

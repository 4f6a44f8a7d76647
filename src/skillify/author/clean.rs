//! What of a text may leave the machine.
//!
//! Credentials are taken out once more, though they were when the text came. Addresses, hosts, folders of people and the
//! names of those whom sessions name are replaced by what they are. What is not known to be a name stays: a person
//! who is spoken of in a prompt and never works here.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::super::withheld_text as guard;
use crate::event::visible_line;
use crate::redact::Redactor;
use crate::table::Session;

static REDACTOR: LazyLock<Option<Redactor>> = LazyLock::new(|| Redactor::built_in().ok());

/// Words that may be part of an id and are no names.
const NO_NAMES: &[&str] = &[
    "admin",
    "anonymous",
    "bot",
    "build",
    "com",
    "default",
    "dev",
    "example",
    "github",
    "gmail",
    "local",
    "localhost",
    "mail",
    "main",
    "net",
    "org",
    "root",
    "test",
    "user",
    "users",
    "users.noreply",
];
/// How files end that people mention.
const FILE_ENDINGS: &[&str] = &[
    "c", "cpp", "css", "go", "h", "html", "java", "js", "json", "jsx", "kt", "lock", "md", "mod", "php",
    "proto", "py", "rb", "rs", "scss", "sh", "sql", "svg", "swift", "toml", "ts", "tsx", "txt", "vue", "xml",
    "yaml", "yml",
];
/// Of a longer text the end is not read.
const MOST_OF_A_TEXT: usize = 4_000;
/// A shorter part of an id is no name that can be told from a word.
const SHORTEST_NAME: usize = 3;

/// What is replaced wherever it stands, in this order.
static FORMS: LazyLock<Option<Vec<(Regex, &'static str)>>> = LazyLock::new(|| {
    [
        // The door's own marks are keyed by a process; the kind says enough.
        (r"\[redacted:[^\]]*\]", "[redacted]"),
        // More is taken here than at the door: what is left out of an excerpt is no loss.
        (
            r"(?i)\b(pass(?:word|wd|phrase)?|pwd|pin|secret|token|api[-_ ]?key|credentials?)(?:\s+is\s+|\s*[=:]\s*)[^\s\d]*\d\S*",
            "$1 [redacted]",
        ),
        (
            r"(?im)^\s*(?:co-authored-by|signed-off-by|reviewed-by|acked-by|author|committer|from|to|cc):.*$",
            "[people]",
        ),
        (r"(?:\p{Lu}[\p{L}'.-]+\s+){1,3}<[^<>\s]*@[^<>\s]*>", "[person]"),
        (r"(?i)\bhttps?://(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?(?:/[^\s]*)?", "[local link]"),
        (r"(?i)\b[a-z][a-z0-9+.-]*://[^\s'\x22`)>]+", "[link]"),
        (r"(?i)[\w.+%-]+@[\w-]+(?:\.[\w-]+)+(?::[^\s'\x22]*)?", "[address]"),
        (r"\b[\w.-]+@[\w-]{3,}(?::[^\s'\x22]*)?", "[address]"),
        (r"(?:/home/|/Users/|[A-Z]:\\Users\\)[^/\\\s'\x22]+", "~"),
    ]
    .into_iter()
    .map(|(form, instead)| Some((Regex::new(form).ok()?, instead)))
    .collect()
});

/// Takes out what must not leave.
pub(super) struct Cleaner {
    /// The names of the people whom sessions name.
    names: Option<Regex>,
}

impl Cleaner {
    pub(super) fn of(sessions: &[Session]) -> Self {
        let mut names: BTreeSet<String> = BTreeSet::new();
        for session in sessions {
            names.extend(names_in(&session.user_id));
            names.extend(names_in(&session.tenant));
        }
        let mut names: Vec<String> = names.iter().map(|name| regex::escape(name)).collect();
        // The longest first: a part of a name says nothing where the whole one stands.
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        let form = format!(r"(?i)(?:^|\b)(?:{})(?:\b|$)", names.join("|"));
        Self { names: if names.is_empty() { None } else { Regex::new(&form).ok() } }
    }

    /// The text on one line, cut to so many characters; `None` where it cannot be cleaned.
    pub(super) fn line(&self, text: &str, longest: usize) -> Option<String> {
        let flat = self.flat(text, longest)?;
        let mut line: String = flat.chars().take(longest).collect();
        if flat.chars().nth(longest).is_some() {
            line.push('…');
        }
        Some(visible_line(&line).into_owned())
    }

    /// The text on one line; of a longer one its beginning and its end, which often says what is wanted.
    pub(super) fn both_ends(&self, text: &str, longest: usize) -> Option<String> {
        let whole = self.flat(text, MOST_OF_A_TEXT)?;
        if whole.chars().nth(longest).is_none() {
            return Some(visible_line(&whole).into_owned());
        }
        let (tail, head) = (longest / 3, longest - longest / 3);
        let first: String = whole.chars().take(head).collect();
        let behind = whole.chars().count() - tail;
        let last: String = whole.chars().skip(behind).collect();
        Some(visible_line(&format!("{} … {}", first.trim_end(), last.trim_start())).into_owned())
    }

    /// A command; of one that names a host, or that no skill may say, its program, subcommand, flags and folders.
    pub(super) fn command(&self, text: &str, longest: usize) -> Option<String> {
        let flat = self.flat(text, longest)?;
        if guard::names_a_host(text) || guard::objection(&flat).is_some() {
            return outline(&flat, longest);
        }
        self.line(text, longest)
    }

    /// The cleaned text on one line, and a little more of it than is wanted: what is cut at the end of a credential would
    /// not be known as one.
    fn flat(&self, text: &str, longest: usize) -> Option<String> {
        let near = text.char_indices().nth(longest * 2 + 200).map_or(text.len(), |(at, _)| at);
        let cleaned = self.text(text.get(..near)?)?;
        Some(cleaned.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    fn text(&self, text: &str) -> Option<String> {
        let mut text = REDACTOR.as_ref()?.redact(text).into_owned();
        text = without_mentions(&text)?;
        for (form, instead) in FORMS.as_ref()? {
            text = form.replace_all(&text, *instead).into_owned();
        }
        if let Some(names) = &self.names {
            text = names.replace_all(&text, "[person]").into_owned();
        }
        let hidden = |line: &str| -> String {
            line.split(' ')
                .map(|word| if is_host(word) { "[host]" } else { word })
                .collect::<Vec<_>>()
                .join(" ")
        };
        Some(text.lines().map(hidden).collect::<Vec<_>>().join("\n"))
    }
}

/// Programs whose next words say what they do.
const WITH_SUBCOMMANDS: &[&str] = &[
    "bun",
    "cargo",
    "docker",
    "gh",
    "git",
    "go",
    "just",
    "kubectl",
    "make",
    "mise",
    "npm",
    "npx",
    "pip",
    "pnpm",
    "poetry",
    "rtk",
    "terraform",
    "uv",
    "yarn",
];
/// Programs whose arguments are files.
const OF_FILES: &[&str] = &["cat", "cp", "ls", "mkdir", "mv", "rm", "touch"];

/// The part of a command that is safe to show without its arguments: `git commit --no-verify …`, `rm -rf tmp/clones/…`.
fn outline(line: &str, longest: usize) -> Option<String> {
    let mut words = line.split(' ').skip_while(|word| word.contains('='));
    let is_word = |word: &str, signs: &str| {
        let is_plain = |char: char| char.is_ascii_alphabetic() || signs.contains(char);
        !word.is_empty() && word.len() <= 24 && word.chars().all(is_plain)
    };
    let program = words.next()?;
    let is_plain = program.chars().all(|char| char.is_ascii_alphanumeric() || "-_./".contains(char));
    if !is_plain {
        return None;
    }
    let mut told = vec![program.to_owned()];
    let (mut before_flags, mut subcommands) = (true, 0);
    let leave_out = |told: &mut Vec<String>| {
        if told.last().is_none_or(|last| !last.ends_with('…')) {
            told.push("…".to_owned());
        }
    };
    for word in words {
        let name = word.split('=').next().unwrap_or_default();
        let long = name.strip_prefix("--").is_some_and(|name| is_word(name, "-"));
        let short = name.strip_prefix('-').is_some_and(|name| name.len() <= 3 && is_word(name, ""));
        let is_subcommand = WITH_SUBCOMMANDS.contains(&program)
            && before_flags
            && subcommands < 2
            && word.len() <= 16
            && word.chars().all(|char| char.is_ascii_lowercase() || char == '-');
        if long || short {
            before_flags = false;
            told.push(name.to_owned());
            if name.len() < word.len() {
                leave_out(&mut told);
            }
        } else if is_subcommand && !word.starts_with('-') {
            subcommands += 1;
            told.push(word.to_owned());
        } else if OF_FILES.contains(&program)
            && let Some((folder, _)) = word.rsplit_once('/')
            && folder.split('/').all(|part| is_word(part, "-_"))
        {
            told.push(format!("{folder}/…"));
        } else {
            leave_out(&mut told);
        }
    }
    leave_out(&mut told);
    Some(told.join(" ").chars().take(longest).collect())
}

/// The text without the people whom it mentions; a file that is mentioned (`@CHANGELOG.md`) stays.
fn without_mentions(text: &str) -> Option<String> {
    static MENTIONS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(^|\s)@([\w-]{3,}(?:[./][\w.-]+)*/?)").ok());
    let is_file = |name: &str| {
        let ending = name.rsplit('.').next().filter(|ending| ending.len() < name.len());
        name.ends_with('/')
            || name.matches('/').count() > 1
            || ending.is_some_and(|ending| FILE_ENDINGS.contains(&ending))
    };
    let replaced = MENTIONS.as_ref()?.replace_all(text, |found: &regex::Captures<'_>| {
        let part = |at| found.get(at).map_or("", |part| part.as_str());
        let (before, name) = (part(1), part(2));
        match is_file(name) {
            true => format!("{before}@{name}"),
            false => " @[person]".to_owned(),
        }
    });
    Some(replaced.into_owned())
}

fn is_host(word: &str) -> bool {
    word.contains('.') && guard::names_a_host(word)
}

/// The names that an id of a person is made of.
fn names_in(id: &str) -> Vec<String> {
    let (local, domain) = id.split_once('@').unwrap_or((id, ""));
    let company = domain.split('.').next().unwrap_or_default();
    let parts = local.split(['.', '_', '-', '+', ' ', '/', '\\']).chain([local, company, id]);
    let is_name = |part: &&str| {
        part.chars().count() >= SHORTEST_NAME
            && part.chars().any(char::is_alphabetic)
            && !NO_NAMES.contains(&part.to_lowercase().as_str())
    };
    parts.filter(is_name).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaner(ids: &[&str]) -> Cleaner {
        let names: Vec<String> =
            ids.iter().flat_map(|id| names_in(id)).map(|name| regex::escape(&name)).collect();
        let form = format!(r"(?i)(?:^|\b)(?:{})(?:\b|$)", names.join("|"));
        Cleaner { names: (!names.is_empty()).then(|| Regex::new(&form).unwrap()) }
    }

    #[test]
    fn people_hosts_and_credentials_are_taken_out_and_work_stays() {
        let clean = cleaner(&["ann.smith@acme.example"]);
        for (text, left) in [
            ("ask Ann Smith <a@b.example> about make test", "ask [person] about make test"),
            ("Ann says run `make test`", "[person] says run `make test`"),
            ("cd /home/bob/src/shop && make", "cd ~/src/shop && make"),
            ("see https://ci.acme.example/job/1 please", "see [link] please"),
            ("curl http://localhost:8080/health", "curl [local link]"),
            ("mail carol@corp.example now", "mail [address] now"),
            ("push to 10.1.2.3 fails", "push to [host] fails"),
            ("token ghp_0123456789abcdefABCDEF0123456789abcd", "token [redacted]"),
            ("edit src/app.py and api.yaml", "edit src/app.py and api.yaml"),
            ("my password is PwD47hyFRQVQ7!; go on", "my password [redacted] go on"),
            ("error: password=PwDH2wmqnNSM7! refused", "error: password=[redacted] refused"),
            ("the token is missing", "the token is missing"),
            ("@carol what about src/a.rs?", "@[person] what about src/a.rs?"),
        ] {
            assert_eq!(clean.line(text, 200).as_deref(), Some(left), "{text}");
        }
        for (text, left) in [
            ("ssh deploy@edge-7 restart", "ssh …"),
            ("git commit --no-verify -m 'token: ab12cd34ef'", "git commit --no-verify -m …"),
            ("rtk git push --force origin 9f8e7d6c5b4a39281706f5e4d3c2", "rtk git push --force …"),
            ("rm -rf ~/x tmp/clones/agents-9f8e7d6c5b4a39281706f5e4d3c2", "rm -rf … tmp/clones/…"),
            ("redis-cli -a Rosebud1941 PING", "redis-cli -a [redacted] PING"),
            ("git -C /home/bob/src/shop status --short", "git -C ~/src/shop status --short"),
        ] {
            assert_eq!(clean.command(text, 80).as_deref(), Some(left), "{text}");
        }
        for (text, left) in [
            ("see @CHANGELOG.md and @src/tax/ please", "see @CHANGELOG.md and @src/tax/ please"),
            ("ask @ann.smith or @acme/payments", "ask @[person] or @[person]"),
        ] {
            assert_eq!(cleaner(&[]).line(text, 80).as_deref(), Some(left), "{text}");
        }
        let long = format!("{} keep it", "why? ".repeat(80));
        assert!(clean.both_ends(&long, 60).is_some_and(|line| line.ends_with("keep it") && line.len() < 80));
        assert_eq!(clean.command("make test", 80).as_deref(), Some("make test"));
        assert_eq!(clean.line(&"a".repeat(300), 10).as_deref(), Some("aaaaaaaaaa…"));
    }
}

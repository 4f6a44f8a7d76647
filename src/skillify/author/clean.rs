//! What of a text may leave the machine.
//!
//! Credentials are taken out once more, though they were when the text came. Addresses, hosts, folders of people and the
//! names of those whom sessions name are replaced by what they are. What is not known to be a name stays: a person
//! who is spoken of in a prompt and never works here.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::super::guard;
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
        (r"(?:^|\s)@[\w-]{3,}", " @[person]"),
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
        // What is cut at the end of a credential would not be known as one.
        let near = text.char_indices().nth(longest * 2 + 200).map_or(text.len(), |(at, _)| at);
        let cleaned = self.text(text.get(..near)?)?;
        let flat = cleaned.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut line: String = flat.chars().take(longest).collect();
        if flat.chars().nth(longest).is_some() {
            line.push('…');
        }
        Some(visible_line(&line).into_owned())
    }

    /// A command; one that names a host, or that no skill may say, is its program alone.
    pub(super) fn command(&self, text: &str, longest: usize) -> Option<String> {
        let line = self.line(text, longest)?;
        if guard::names_a_host(text) || guard::objection(text).is_some() {
            let program = line.split(' ').find(|word| !word.contains('=')).unwrap_or_default();
            let is_plain = program.chars().all(|char| char.is_ascii_alphanumeric() || "-_./".contains(char));
            return is_plain.then(|| format!("{program} …"));
        }
        Some(line)
    }

    fn text(&self, text: &str) -> Option<String> {
        let mut text = REDACTOR.as_ref()?.redact(text).into_owned();
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
        assert_eq!(clean.command("ssh deploy@edge-7 restart", 80).as_deref(), Some("ssh …"));
        assert_eq!(clean.command("make test", 80).as_deref(), Some("make test"));
        assert_eq!(clean.line(&"a".repeat(300), 10).as_deref(), Some("aaaaaaaaaa…"));
    }
}

//! A sentence as clauses of words and names.

use super::own_words::QUOTE;

/// A word in lower case, or a name as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    /// A command, a path, an identifier: not a word of the language.
    pub(super) is_name: bool,
}

/// What stands between two signs that part a sentence.
pub(super) type Clause = Vec<Token>;

/// Words that are no names though they look like ones.
const NO_NAMES: &[&str] = &[
    "and/or",
    "e.g",
    "i.e",
    "he/she",
    "his/her",
    "w/o",
    "n/a",
    "etc",
    "a.k.a",
    "vs.",
    "true/false",
    "on/off",
    "yes/no",
];

/// Programs that people name without any sign that it is a name.
#[rustfmt::skip]
const PROGRAMS: &[&str] = &[
    "ava", "aws", "bash", "bazel", "biome", "bunx", "bundler", "cargo", "clippy", "conda", "curl", "cypress", "deno",
    "direnv", "docker", "eslint", "fish", "gh", "git", "glab", "golangci-lint", "gradle", "grep", "gulp", "helm", "isort",
    "jest", "jq", "kubectl", "ktlint", "lerna", "maven", "mise", "mocha", "mvn", "mypy", "nodemon", "npm", "npx",
    "nx", "perl", "phpunit", "pip", "pipenv", "playwright", "pnpm", "podman", "poetry", "prettier", "pylint", "pyright",
    "pytest", "python", "python3", "ripgrep", "rg", "rspec", "rtk", "rubocop", "rubygems", "ruff", "rustfmt", "sed",
    "ssh", "sudo", "terraform", "tox", "tsc", "tsx", "turbo", "unittest", "uv", "venv", "vite", "vitest", "webpack",
    "yarn", "zsh",
];

/// What begins another clause where it stands behind "and".
#[rustfmt::skip]
const BEHIND_AND: &[&str] = &[
    "add", "always", "answer", "commit", "create", "delete", "deploy", "do", "don't", "fix", "make", "merge", "never", "open",
    "push", "reference", "remove", "rename", "reply", "respond", "run", "then", "update", "use", "write", "draft", "give", "include",
];

/// The clauses of a sentence, without those that are empty.
pub(super) fn clauses(sentence: &str) -> Vec<Clause> {
    let mut clauses: Vec<Clause> = vec![Vec::new()];
    for (at, part) in sentence.replace('’', "'").split('`').enumerate() {
        if at % 2 == 1 {
            let name = part.trim();
            if let Some(clause) = clauses.last_mut().filter(|_| !name.is_empty()) {
                clause.push(Token { text: name.to_owned(), is_name: true });
            }
            continue;
        }
        for word in part.split_whitespace() {
            add_word(&mut clauses, word);
        }
    }
    clauses.retain(|clause| !clause.is_empty());
    let is_never = |clause: &Clause| matches!(clause.as_slice(), [only] if only.text == "never");
    // "Never, ever push" is one clause.
    if let Some(at) = clauses.iter().position(is_never)
        && clauses.get(at + 1).is_some_and(|next| next.first().is_some_and(|first| first.text == "ever"))
    {
        let mut rest = clauses.remove(at + 1);
        if let Some(never) = clauses.get_mut(at) {
            never.append(&mut rest);
        }
    }
    clauses
}

fn add_word(clauses: &mut Vec<Clause>, word: &str) {
    let opens = word.starts_with(['(', '[']);
    let is_dash = matches!(word, "-" | "–" | "—" | "--");
    let ends = word.ends_with([',', ';', ':', ')', ']', '—']) || is_dash;
    let bare = word.trim_matches(|char: char| ".,;:!?()[]*—–\"".contains(char) && char != '.');
    // Clients write `@path` for a file.
    let bare = bare.trim_end_matches('.').trim_start_matches('@');
    let lower = bare.to_lowercase();
    let parts = lower == "but" || (follows_and(clauses) && BEHIND_AND.contains(&lower.as_str()));
    if opens || parts {
        clauses.push(Vec::new());
    }
    if let Some(clause) = clauses.last_mut().filter(|_| !bare.is_empty() && !is_dash) {
        // "Double check", "double-check".
        let doubled = lower == "check" && clause.last().is_some_and(|last| last.text == "double");
        if doubled && let Some(last) = clause.last_mut() {
            last.text = lower;
        } else if lower == "double-check" {
            clause.push(Token { text: "check".to_owned(), is_name: false });
        } else if bare == QUOTE || is_name(bare, &lower) {
            clause.push(Token { text: bare.to_owned(), is_name: bare != QUOTE });
        } else {
            clause.extend(spelled_out(&lower).into_iter().map(|text| Token { text, is_name: false }));
        }
    }
    if ends {
        clauses.push(Vec::new());
    }
}

fn follows_and(clauses: &[Clause]) -> bool {
    clauses.last().and_then(|clause| clause.last()).is_some_and(|token| token.text == "and")
}

fn is_name(word: &str, lower: &str) -> bool {
    if NO_NAMES.contains(&lower) || lower.contains("://") {
        return false;
    }
    if PROGRAMS.contains(&lower) {
        return true;
    }
    let inner = |sign: char| {
        word.char_indices().any(|(at, char)| {
            let (before, after) = (word.get(..at), word.get(at + char.len_utf8()..));
            let letter = |text: Option<&str>, last: bool| {
                let mut chars = text.unwrap_or_default().chars();
                let char = if last { chars.next_back() } else { chars.next() };
                char.is_some_and(|char| char.is_ascii_alphabetic() || char == '_' || char == '*')
            };
            char == sign && letter(before, true) && letter(after, false)
        })
    };
    let is_flag = word.starts_with("--") && word.len() > 3;
    let is_folder = word.len() > 2 && word.ends_with('/') && !lower.contains("//");
    let is_dotted =
        word.starts_with('.') && word.len() > 2 && word.chars().nth(1).is_some_and(char::is_alphabetic);
    let is_plural = word.strip_suffix('s').is_some_and(|one| one.chars().all(char::is_uppercase));
    let is_camel = !is_plural
        && word.chars().skip(1).any(char::is_uppercase)
        && word.chars().any(char::is_lowercase)
        && word.chars().all(|char| char.is_ascii_alphanumeric());
    is_flag || is_folder || is_dotted || inner('/') || inner('.') || inner('_') || is_camel
}

/// "don't" as "do not".
fn spelled_out(word: &str) -> Vec<String> {
    let two = |one: &str, other: &str| vec![one.to_owned(), other.to_owned()];
    match word {
        "dont" => return two("do", "not"),
        "cannot" | "can't" => return two("can", "not"),
        "won't" => return two("will", "not"),
        "let's" | "lets" => return two("let", "us"),
        "gonna" => return two("going", "to"),
        _ => {}
    }
    if let Some(verb) = word.strip_suffix("n't") {
        return two(verb, "not");
    }
    for (ending, whole) in
        [("'s", "is"), ("'re", "are"), ("'ve", "have"), ("'ll", "will"), ("'d", "would"), ("'m", "am")]
    {
        if let Some(subject) = word.strip_suffix(ending)
            && ["i", "you", "we", "they", "it", "that", "this", "there", "he", "she", "what", "who", "how"]
                .contains(&subject)
        {
            return two(subject, whole);
        }
    }
    vec![word.to_owned()]
}

pub(in crate::skillify) fn has_any(text: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| {
        let mut rest = text;
        while let Some(at) = rest.find(phrase) {
            let before = rest.get(..at).and_then(|text| text.chars().next_back());
            let after = rest.get(at + phrase.len()..).and_then(|text| text.chars().next());
            if before.is_none_or(|char| char == ' ') && after.is_none_or(|char| char == ' ') {
                return true;
            }
            rest = rest.get(at + phrase.len()..).unwrap_or_default();
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_words() {
        let names = |sentence: &str| -> Vec<String> {
            clauses(sentence)
                .concat()
                .into_iter()
                .filter(|token| token.is_name)
                .map(|token| token.text)
                .collect()
        };
        assert_eq!(
            names("Use `make db` in src/api, never --no-verify."),
            ["make db", "src/api", "--no-verify"]
        );
        assert_eq!(names("don't edit vendor/ or .env and pnpm"), ["vendor/", ".env", "pnpm"]);
        assert_eq!(names("Keep and/or in e.g. 3.5 words, PRs and APIs. Done."), Vec::<String>::new());
        assert_eq!(names("https://example.com/never is a page"), Vec::<String>::new());
    }

    #[test]
    fn a_sentence_falls_into_clauses() {
        let texts = |sentence: &str| -> Vec<String> {
            let join =
                |clause: Clause| clause.into_iter().map(|token| token.text).collect::<Vec<_>>().join(" ");
            clauses(sentence).into_iter().map(join).collect()
        };
        assert_eq!(texts("No, don't push; wait."), ["no", "do not push", "wait"]);
        assert_eq!(texts("Run it and don't stop"), ["run it and", "do not stop"]);
        assert_eq!(texts("commit and update @notes"), ["commit and", "update notes"]);
    }
}

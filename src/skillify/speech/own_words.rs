//! A prompt without what its author did not say: code, logs, quotations, long pasted texts, what a line that ends
//! in a colon brings in.

use std::sync::LazyLock;

use regex::Regex;

use super::super::prompt::{sentences as split, visible};

/// Longer prompts hold pasted text: of them the first and the last paragraph are read, if those are short.
pub(in super::super) const LONG: usize = 120;
/// A paragraph that a person typed has no more words.
const TYPED: usize = 60;
/// What stands in the place of a quotation.
pub(super) const QUOTE: &str = "QUOTED";

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(Patterns::new);

struct Patterns {
    /// What other people, pages or programs said follows.
    brings_in: Regex,
    /// A line that a program printed, or code.
    printed: Regex,
    quote: Regex,
}

impl Patterns {
    fn new() -> Option<Self> {
        Some(Self {
            brings_in: Regex::new(
                r"(?i)\b(?:feedback|comments?|commented|reviews?|reviewer|errors?|outputs?|logs?|messages?|says?|said|wrote|writes|states?|reads?|docs?|documentation|readme|page|article|guide|following|plans?|issue|ticket|task|spec|description|policy|guidelines?|prompt|instructions?|suggest(?:s|ed|ion)|copilot|bot|claude|gpt|from [\w.@/-]+|regarding|this|here|text|file|email|mail|slack|transcript|answer|response|result|string|copy|pasted?)\s*(?:is|was|are)?\s*(?:\([^)]*\)\s*)?:(?:\s|$)",
            )
            .ok()?,
            printed: Regex::new(
                r"^(?:\s*(?:[>|#$%❯⏺⎿│├└┌✓✗✔✘]|diff |@@|\+\+\+|---|\+\s|[-+]\s{2,}\S|Traceback|\d{4}-\d\d-\d\d[T ]|\[\w+\]|(?:error|warning|info|debug|note|fatal|hint)(?:\[\w+\])?:|(?:ERROR|WARN|INFO|DEBUG|FAIL|PASS|FATAL)\b|\w+ (?:ERR|WARN)!|//|/\*|<!--|at \S+ ?\(|File \x22|<\w)|(?: {4}|\t)\S|\S+:\d+(?::\d+)?:)|[{};]\s*$|:=|=>|\)\s*\{",
            )
            .ok()?,
            quote: Regex::new(r#""[^"\n]*"|“[^”\n]*”|„[^“”\n]*[“”]|«[^»\n]*»|(?:^|\s)'[^'\n]+\s[^'\n]*'|(?:^|\s)‘[^’\n]+\s[^’\n]*’"#)
                .ok()?,
        })
    }
}

/// The sentences of a prompt that its author says himself, in order.
pub(in super::super) fn sentences(text: &str) -> Vec<String> {
    let Some(patterns) = PATTERNS.as_ref() else { return Vec::new() };
    let text = visible(text);
    let typed = typed(&text, patterns);
    let mut sentences = Vec::new();
    for line in &typed {
        let unquoted = unquoted(line, patterns);
        sentences.extend(split(&unquoted).into_iter().map(|sentence| sentence.trim().to_owned()));
    }
    sentences.retain(|sentence| !sentence.is_empty());
    sentences
}

/// The lines that were typed.
fn typed(text: &str, patterns: &Patterns) -> Vec<String> {
    let mut paragraphs: Vec<Vec<String>> = vec![Vec::new()];
    let mut fenced = false;
    for line in text.lines() {
        let bare = line.trim();
        if bare.starts_with("```") || bare.starts_with("~~~") {
            fenced = !fenced;
            continue;
        }
        if fenced || patterns.printed.is_match(line) {
            continue;
        }
        if bare.is_empty() {
            paragraphs.push(Vec::new());
            continue;
        }
        // "Evaluate this feedback:" is the person's own; the text after it is pasted.
        let brought = patterns.brings_in.find(bare);
        let colon = brought.and_then(|found| Some(found.start() + found.as_str().find(':')?));
        let own = colon.map_or(bare, |colon| bare.get(..colon).unwrap_or_default());
        if let Some(paragraph) = paragraphs.last_mut() {
            paragraph.push(bullet(own).to_owned());
        }
        if brought.is_some() {
            break;
        }
    }
    // A fence that never closes leaves nothing to tell code from words.
    paragraphs.retain(|lines| !lines.is_empty());
    let words = |lines: &[String]| lines.iter().flat_map(|line| line.split_whitespace()).count();
    let all: usize = text.split_whitespace().count();
    if all > LONG {
        let last = paragraphs.len().saturating_sub(1);
        let mut at = 0;
        paragraphs.retain(|lines| {
            let is_end = at == 0 || at == last;
            at += 1;
            is_end && words(lines) <= TYPED
        });
    }
    paragraphs.into_iter().flatten().collect()
}

fn bullet(line: &str) -> &str {
    let rest = line.trim_start_matches(['-', '*', '•']);
    let rest = rest.trim_start_matches(|char: char| char.is_ascii_digit());
    let rest = if rest.len() < line.len() { rest.trim_start_matches(['.', ')']) } else { rest };
    // Only a marker with a blank behind it is one: `--force`, `3rd`.
    if rest.starts_with(' ') { rest.trim_start() } else { line }
}

/// The line with a mark in the place of each quotation; a name in quotes stays, as a name.
fn unquoted(line: &str, patterns: &Patterns) -> String {
    let replaced = patterns.quote.replace_all(line, |found: &regex::Captures<'_>| {
        let quote = found.get(0).map_or("", |found| found.as_str());
        let blank = if quote.starts_with(char::is_whitespace) { " " } else { "" };
        let inner = quote.trim().trim_matches(|char| "\"“”„«»'‘’".contains(char));
        let is_name = inner.len() <= 40
            && !inner.contains(char::is_whitespace)
            && inner.chars().any(|char| char.is_ascii_alphanumeric());
        if is_name { format!("{blank}`{inner}`") } else { format!("{blank}{QUOTE}") }
    });
    replaced.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pasted_is_not_said() {
        for text in [
            "```\nnever commit\n```",
            "```sh\nnever commit",
            "> never commit",
            "I got this feedback: never commit",
            "The reviewer wrote:\nnever commit\n\nnever push",
            "    never commit",
            "2026-01-02T10:00:00Z never commit",
            "[WARN] never commit",
            "error: never commit",
            "src/a.rs:12:4: never commit",
            "the label is \"never commit\"",
            "<system-reminder>never commit</system-reminder>",
            "Implement the following plan:\n\n- never commit",
        ] {
            let said = sentences(text).join(" ");
            assert!(!said.contains("never"), "{text}: {said}");
        }
        let pasted = format!("look at it\n\n{}never commit\n\n{0}", "many words of a page. ".repeat(40));
        assert_eq!(sentences(&pasted), ["look at it"]);
    }

    #[test]
    fn what_a_person_types_is_said() {
        assert_eq!(sentences("- never commit\n- use \"pnpm\""), ["never commit", "use `pnpm`"]);
        assert_eq!(sentences("Fix it. Never use `a.b`!"), ["Fix it.", "Never use `a.b`!"]);
        assert_eq!(sentences("--force is not allowed"), ["--force is not allowed"]);
    }
}

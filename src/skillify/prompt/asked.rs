//! Whether a prompt asks for a command by name.
//!
//! Read strictly: the whole command, or a name of its task that nobody writes by accident (`test:ci`, `e2e-local`).
//! What the prompt forbids it does not ask for.

use super::super::prompt;
use crate::shell::command::Command;

/// Longer prompts hold plans and pasted text, and name a command by the way.
const LONGEST: usize = 600;

/// Whether the prompt names the command and does not speak against it.
pub(in crate::skillify) fn asks_for(said: &str, command: &Command) -> bool {
    if said.len() > LONGEST {
        return false;
    }
    let visible = prompt::visible(said).to_lowercase();
    let whole = command.words().iter().map(|word| word.value.as_str()).collect::<Vec<_>>().join(" ");
    let named = stands_in(&visible, &whole.to_lowercase()) && whole.contains(' ')
        || command
            .core()
            .iter()
            .skip(1)
            .any(|word| is_a_name(word) && stands_in(&visible, &word.to_lowercase()));
    named && !prompt::forbids(said, command)
}

/// Whether a word can only be the name of a task.
fn is_a_name(word: &str) -> bool {
    let is_joint = |char: char| ":-_".contains(char);
    word.len() >= 5
        && word.starts_with(|char: char| char.is_ascii_alphabetic())
        && word.trim_matches(is_joint).contains(is_joint)
        && word.chars().all(|char| char.is_ascii_alphanumeric() || is_joint(char))
}

/// Whether a text holds a name, and no longer one around it.
fn stands_in(text: &str, name: &str) -> bool {
    let goes_on = |char: char| char.is_alphanumeric() || ":-_/".contains(char);
    text.match_indices(name).any(|(at, found)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let mut after = text.get(at + found.len()..).unwrap_or_default().chars();
        let next = after.next();
        // A colon or a hyphen that ends a clause belongs to no name.
        let ends = next.is_none_or(|char| {
            !goes_on(char) || (":-".contains(char) && after.next().is_none_or(char::is_whitespace))
        });
        before.is_none_or(|char| !goes_on(char)) && ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::command::single;

    #[test]
    fn a_prompt_asks_for_a_command_by_its_words_or_by_a_name_of_its_own() {
        let command = single("mise run test:ci").unwrap();
        for said in [
            "mise run test:ci fails",
            "please run test:ci as well",
            "still red: \"Mise run test:ci\"",
            "test:ci: three failures",
        ] {
            assert!(asks_for(said, &command), "{said}");
        }
        for said in [
            "the tests in ci fail",
            "run the tests",
            "never run test:ci here",
            "test:ci-all is slow",
            "see mise run test:cicd",
            &"mise run test:ci ".repeat(60),
        ] {
            assert!(!asks_for(said, &command), "{said}");
        }
        let plain = single("make check").unwrap();
        assert!(asks_for("run make check too", &plain) && !asks_for("check this", &plain));
        assert!(!asks_for("pytest is slow", &single("pytest").unwrap()));
    }
}

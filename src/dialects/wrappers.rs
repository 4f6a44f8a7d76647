//! What clients wrap around a person's words before they send them to a model.

/// Elements that a client writes, not the person: the time, the workspace, reminders. They are
/// dropped where they stand before or after the person's text, never within it.
const CONTEXT: &[&str] = &[
    "attachments",
    "context",
    "current_datetime",
    "editorContext",
    "environment_context",
    "environment_info",
    "instructions",
    "reminder",
    "reminderInstructions",
    "repoContext",
    "session_context",
    "system-reminder",
    "system_reminder",
    "user_info",
    "user_instructions",
    "workspace_info",
];

/// Elements that hold the person's own words.
const WORDS: &[&str] = &["userRequest", "user_query", "user_request"];

/// A person's words without what the client wrapped around them; `""` if nothing else was there.
pub(super) fn without(text: &str) -> &str {
    let mut rest = text.trim();
    loop {
        let stripped = CONTEXT.iter().find_map(|name| strip(rest, name));
        match stripped.or_else(|| WORDS.iter().find_map(|name| only(rest, name))) {
            Some(shorter) => rest = shorter.trim(),
            None => return rest,
        }
    }
}

/// The text without a leading or a trailing element of the given name.
fn strip<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    if text.starts_with(&open) {
        return text.split_once(&close).map(|(_, rest)| rest);
    }
    let body = text.strip_suffix(&close)?;
    body.rsplit_once(&open).map(|(before, _)| before)
}

/// The content of the one element of the given name that is all of the text.
fn only<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix(&format!("<{name}>"))?.strip_suffix(&format!("</{name}>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_persons_words_remain() {
        for wrapped in [
            "Fix it",
            " Fix it\n",
            "<current_datetime>2026-11-22T09:26:49Z</current_datetime>\n\nFix it",
            "<system-reminder>\na\n</system-reminder>\n<system-reminder>b</system-reminder>Fix it",
            "Fix it\n<system-reminder>c</system-reminder>",
            "<context>d</context><reminder>e</reminder><userRequest>\nFix it\n</userRequest>",
        ] {
            assert_eq!(without(wrapped), "Fix it", "{wrapped}");
        }
    }

    #[test]
    fn what_a_person_wrote_about_a_wrapper_stays() {
        for words in ["why is <context> here?", "<div>hi</div>", "a <context>b</context> c", "</context>"] {
            assert_eq!(without(words), words);
        }
        assert_eq!(without("<session_context>x</session_context>"), "");
        assert_eq!(without("<context>unclosed"), "<context>unclosed");
    }
}

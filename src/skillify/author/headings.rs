//! Heads of the skills that hold what no line of an answer says.

/// Name, title and description of the skill for what no line of an answer says; by kind, or by that name.
pub(super) fn heading(kind: &str) -> (&'static str, &'static str, &'static str) {
    match kind {
        "check" | "check-the-changes" => (
            "check-the-changes",
            "Check the changes",
            "Which checks belong to which changes here. Use before saying that a change is done.",
        ),
        "repair" | "instead" | "flag" | "use-working-commands" => (
            "use-working-commands",
            "Use the commands that work",
            "Which commands work here, and what ends their failures. Use when a command fails.",
        ),
        "where" | "find-the-code" => (
            "find-the-code",
            "Find the code",
            "Where things are here. Use when looking for a file or a name.",
        ),
        "procedure" | "follow-the-procedures" => (
            "follow-the-procedures",
            "Follow the procedures",
            "How recurring work is done here. Use before work that the team has done before.",
        ),
        "rule" | "keep-to-the-rules" => (
            "keep-to-the-rules",
            "Keep to the rules of the team",
            "What people here asked for, or refused. Use before doing what nobody asked for.",
        ),
        "other" | "know-the-project" => (
            "know-the-project",
            "Know the project",
            "What holds for this project and is not to be seen in its code. Use before planning a change.",
        ),
        _ => (
            "keep-to-conventions",
            "Keep to the conventions",
            "What people ask for in every change here. Use before adding or changing code.",
        ),
    }
}

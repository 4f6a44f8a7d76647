use super::marks::OPENINGS;
use super::*;
use crate::event::Status;

fn said(text: &str) -> Heard<'_> {
    Heard::Words(Cow::Borrowed(text))
}

#[test]
fn only_the_persons_words_remain() {
    for wrapped in [
        "Fix it",
        "<current_datetime>2026-11-22T09:26:49Z</current_datetime>\n\nFix it",
        "<system-reminder>\na\n</system-reminder>\n<system-reminder>b</system-reminder>Fix it",
        "Fix it\n<system-reminder>c</system-reminder>",
        "# Context from my IDE setup:\n\n## Open tabs:\n- a.rs\n\n## My request for Codex:\nFix it",
        "<context>d</context><reminder>e</reminder><userRequest>\nFix it\n</userRequest>",
        "<ide_opened_file>The user opened /srv/a.rs in the IDE.</ide_opened_file>\nFix it",
        "<ide_selection>lines 1 to 3 of a.rs</ide_selection>Fix it",
        "# AGENTS.md instructions for /srv/shop\n\n<INSTRUCTIONS>\nUse make.\n</INSTRUCTIONS>\n<environment_context>\n  <cwd>/srv</cwd>\n</environment_context>\nFix it",
        "<task>\nFix it\n</task>\n\n<environment_details>\n# Time\n</environment_details>",
        "<user_info>\nOS: linux\n</user_info>\n<user_query>\nFix it\n</user_query>",
        "<task-notification>\n<task-id>b1</task-id>\n<status>completed</status>\n</task-notification>\nFix it",
        "<environment_context kind=\"full\">x</environment_context>Fix it",
    ] {
        assert_eq!(hear(wrapped), said("Fix it"), "{wrapped}");
    }
    assert_eq!(hear(" Fix it\n"), said(" Fix it\n"), "what nobody wrapped stays as it was typed");
}

#[test]
fn what_a_person_wrote_about_machine_text_stays() {
    for words in [
        "why is <context> here?",
        "<div>hi</div>",
        "a <context>b</context> c",
        "</context>",
        "<context>unclosed",
        "Why do I see \"Stop hook feedback:\" all the time?",
        "What does <task-notification> mean?",
        "The tests fail.\n\nFix the errors and try again.",
        "Fix the errors and try again.",
        "summary: write one",
        "SessionStart hook does not run, why?",
        "Continue from where you left off.",
        "[WIP] Result: see below, but first fix it",
    ] {
        let expected = if words.starts_with("[WIP]") { Heard::Machine } else { said(words) };
        assert_eq!(hear(words), expected, "{words}");
    }
    assert_eq!(hear(""), said(""));
    assert_eq!(hear("<session_context>x</session_context>"), Heard::Machine);
}

#[test]
fn what_a_client_begins_so_is_no_persons() {
    assert!(OPENINGS.iter().all(|mark| !mark.by.is_empty()));
    for mark in OPENINGS {
        for text in [mark.text.to_owned(), format!("\n{} and more\nof it", mark.text)] {
            assert_eq!(words(&text), "", "{text}");
        }
        let quoted = format!("It says: {}", mark.text);
        assert_eq!(words(&quoted), quoted);
    }
}

#[test]
fn what_frameworks_ask_for_again_is_no_persons() {
    for text in [
        "Validation feedback:\n1 validation error: `sum`: not a number\n\nFix the errors and try again.",
        "1 validation errors: [{\"loc\": [\"sum\"]}]\n\nFix the errors and try again.",
        "Unknown tool name: 'seek'. Available tools: 'find'\n\nFix the errors and try again.",
        "Error:\nno such name\nNow let's retry: take care not to repeat previous errors!",
        "[execute_command for 'make'] Result:\nok",
        "<local-command-stdout>Set model</local-command-stdout>",
        "<bash-input>make</bash-input><bash-stdout>ok</bash-stdout>",
        "<skill>\n<name>release</name>\nTag it.\n</skill>",
        "<state_snapshot>\n<goal>x</goal>\n</state_snapshot>",
    ] {
        assert_eq!(hear(text), Heard::Machine, "{text}");
    }
}

#[test]
fn a_slash_command_is_what_was_typed() {
    let release = "<command-message>release is running…</command-message>\n<command-name>/release</command-name>\n<command-args>1.2 now</command-args>";
    assert_eq!(words(release), "/release 1.2 now");
    assert_eq!(
        words("<command-name>/check</command-name>\n<command-message>check</command-message>"),
        "/check"
    );
    assert_eq!(hear("<command-name>/clear</command-name>\n<command-args></command-args>"), Heard::Machine);
}

#[test]
fn an_interrupt_is_one() {
    for text in [
        "[Request interrupted by user]",
        "[Request interrupted by user for tool use]",
        "<turn_aborted>\nThe user interrupted the previous turn on purpose.\n</turn_aborted>",
    ] {
        assert_eq!(hear(text), Heard::Interrupt, "{text}");
    }
}

#[test]
fn a_notification_says_how_what_ended() {
    let notified = |inside: &str| format!("<task-notification>\n{inside}\n</task-notification>");
    let failed = notified(
        "<task-id>b7</task-id>\n<tool-use-id>t1</tool-use-id>\n<status>completed</status>\n<summary>Background command \"make\" failed with exit code 2</summary>",
    );
    let ending = |call: &str, task: &str, status, said: &str| Ending {
        call: call.to_owned(),
        task: task.to_owned(),
        status,
        said: said.to_owned(),
    };
    let said = "Background command \"make\" failed with exit code 2";
    assert_eq!(hear(&failed), Heard::Ended(vec![ending("t1", "b7", Status::Error, said)]));
    let passed = notified(
        "<task-id>b8</task-id><status>completed</status><summary>Background command \"echo exit code 3\" completed (exit code 0)</summary>",
    );
    let both = format!("{failed}\n{passed}");
    let Heard::Ended(endings) = hear(&both) else { panic!("{both}") };
    assert_eq!(endings.iter().map(|ending| ending.status).collect::<Vec<_>>(), [Status::Error, Status::Ok]);
    let status = |inside: &str| match hear(&notified(inside)) {
        Heard::Ended(endings) => endings.first().map(|ending| ending.status),
        other => panic!("{other:?}"),
    };
    assert_eq!(status("<task-id>b</task-id><status>failed</status>"), Some(Status::Error));
    assert_eq!(status("<task-id>b</task-id><status>killed</status>"), Some(Status::Unknown));
    assert_eq!(status("<task-id>b</task-id><status>running</status>"), None);
    assert_eq!(status("nothing that is known"), None);
}

#[test]
fn elements_that_people_write_are_words_where_nothing_else_is_said() {
    let own = "<context>We use pnpm here.</context>\n<instructions>Fix the build</instructions>";
    assert_eq!(words(own), own);
    assert_eq!(words(&format!("<system-reminder>x</system-reminder>\n{own}")), own);
    assert_eq!(words(&format!("{own}\nThanks")), "Thanks", "an editor's context stands beside words");
    assert_eq!(hear("<environment_context>x</environment_context>"), Heard::Machine);
}

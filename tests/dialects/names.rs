//! Whom records name: one way of writing for one person, and nobody where a client names itself.

use serde_json::json;

use crate::records::{attribute, events, map_log, string};

/// Scope, event name and what says which session it is, of a prompt of each client that sends logs.
const CLIENTS: &[(&str, &str, &str, &str)] = &[
    ("com.anthropic.claude_code.events", "user_prompt", "session.id", "user.id"),
    ("gemini-cli", "gemini_cli.user_prompt", "session.id", "installation.id"),
    ("qwen-code", "qwen-code.user_prompt", "session.id", "installation.id"),
    ("codex_otel.log_only", "codex.user_prompt", "conversation.id", "installation.id"),
];

fn user((scope, event, session, _): (&str, &str, &str, &str), said: &[(&str, &str)]) -> String {
    let own =
        [("event.name", event), (session, "s"), ("prompt", "hi"), ("prompt.id", "p"), ("prompt_id", "p")];
    let attributes = own.iter().chain(said).map(|(key, text)| attribute(key, string(text))).collect();
    events(map_log(scope, attributes)).remove(0).user_id
}

#[test]
fn one_person_is_written_one_way_in_every_client() {
    for client in CLIENTS {
        for written in
            ["Ana@Example.com", " ana@example.com", "mailto:ana@example.com", "Ana <ana@example.com>"]
        {
            for name in ["user.email", "enduser.id"] {
                assert_eq!(
                    user(*client, &[(name, written)]),
                    "ana@example.com",
                    "{client:?} {name} {written}"
                );
            }
        }
    }
}

#[test]
fn an_installation_is_nobody_and_stays_an_attribute() {
    for client in CLIENTS {
        for id in ["c4f47ab2-79a4-4a31-b52c-f152f5f60597", &"9ce0".repeat(16), "hash"] {
            assert_eq!(user(*client, &[(client.3, id)]), "", "{client:?}");
            let named = [(client.3, id), ("user.email", "ana@example.com")];
            assert_eq!(user(*client, &named), "ana@example.com", "{client:?}");
        }
    }
}

#[test]
fn a_name_that_names_nobody_gives_way_to_one_that_names_somebody() {
    for client in CLIENTS {
        for nobody in ["unknown", "Anonymous", "null", "-", " "] {
            assert_eq!(user(*client, &[("enduser.id", nobody)]), "", "{client:?}");
            let named = [("enduser.id", nobody), ("user.email", "ana@example.com")];
            assert_eq!(user(*client, &named), "ana@example.com", "{client:?} {nobody}");
        }
    }
}

/// Hooks have their fields where each assistant puts them; what `connect --user` wrote comes first.
#[test]
fn hooks_name_people_the_same_way() {
    let cases = [
        (json!({"user_email": "Ana@Example.com"}), "ana@example.com"),
        (json!({"user_email": "ana@example.com", "enduser.id": "MAILTO:bo@example.com"}), "bo@example.com"),
        (json!({"user_email": "unknown", "user.name": "Ana"}), "ana"),
        (json!({"user_email": "unknown"}), ""),
    ];
    for (fields, person) in cases {
        let mut hook =
            json!({"hook_event_name": "beforeSubmitPrompt", "conversation_id": "c", "prompt": "hi"});
        hook.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        assert_eq!(crate::hooks::user("cursor", &hook), person, "{hook}");
    }
    for (id, person) in
        [("unknown", ""), ("c4f47ab2-79a4-4a31-b52c-f152f5f60597", ""), ("dev-Carol", "dev-carol")]
    {
        let hook = json!({"hookName": "agent_start", "taskId": "t", "userId": id});
        assert_eq!(crate::hooks::user("cline", &hook), person, "{id}");
    }
}

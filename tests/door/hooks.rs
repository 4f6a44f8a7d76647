//! The door of hooks: the gate of every other door before it, hostile bodies in front of it, nothing
//! secret behind it.

use std::io::Write;
use std::process::Stdio;
use std::sync::LazyLock;

use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};

use crate::corpus::planted;
use crate::leaks::Search;
use crate::site::{Site, eventually, skillspan};
use crate::support::{files, site, table_texts};

const ASSISTANTS: [&str; 6] = ["claude", "cline", "copilot", "cursor", "hermes", "pi"];
const TOKEN: &str = "shop-token-0123456789abcdef";

/// One for all requests: each client reads this machine's certificates.
static CLIENT: LazyLock<Client> = LazyLock::new(crate::site::client);

fn post(site: &Site, assistant: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Response {
    let url = format!("http://127.0.0.1:{}/v1/hooks/{assistant}", site.http);
    let mut request = CLIENT.post(url).body(body.into());
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().unwrap()
}

/// (status, message) of an answer.
fn said(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().unwrap();
    (status, body["message"].as_str().unwrap_or_default().to_owned())
}

fn prompt(session: &str, text: &str) -> String {
    json!({ "hook_event_name": "UserPromptSubmit", "session_id": session, "prompt": text }).to_string()
}

fn prompts(site: &Site) -> u64 {
    site.sessions().iter().filter_map(|session| session["events"]["prompt"].as_u64()).sum()
}

#[test]
fn the_gate_of_otlp_is_that_of_hooks() {
    let auth =
        format!("  auth: {{ tokens: [{{ id: pk, secret: {TOKEN}, tenant: acme, workspace: shop }}] }}\n");
    let site = site(&[("  sessions_table:", &format!("{auth}  sessions_table:"))], "");
    let running = site.start();
    let bearer = format!("Bearer {TOKEN}");
    let authorization = ("authorization", bearer.as_str());
    // A session that opts out is forgotten for good: it is not the one that is looked for.
    let other = prompt("opts-out", "words that are looked for");
    for (headers, status) in [
        (vec![], 401),
        (vec![("authorization", "Bearer wrong-token-0123456789")], 401),
        (vec![authorization, ("origin", "https://evil.example")], 403),
        (vec![authorization, ("content-type", "text/plain")], 415),
        (vec![authorization, ("content-type", "application/x-www-form-urlencoded")], 415),
        (vec![authorization, ("content-type", "multipart/form-data")], 415),
        (vec![authorization, ("content-encoding", "br")], 415),
        (vec![authorization, ("x-skillspan-capture", "false")], 200),
    ] {
        let (found, message) = said(post(&site, "claude", &headers, other.clone()));
        assert_eq!(found, status, "{headers:?}");
        assert_eq!(message.is_empty(), status == 200, "{headers:?}");
    }
    let out = json!({ "hook_event_name": "UserPromptSubmit", "session_id": "opts-out", "prompt": "x",
        "skillspan.capture": false });
    assert_eq!(post(&site, "claude", &[authorization], out.to_string()).status(), 200);
    assert_eq!(prompts(&site), 0);
    let answer = post(&site, "claude", &[authorization], prompt("s", "words that are looked for"));
    assert_eq!((answer.status().as_u16(), answer.text().unwrap().as_str()), (200, "{}"));
    assert_eq!(prompts(&site), 1);
    assert!(site.path("sessions/v1/owner_tenant=acme/owner_workspace=shop").exists());
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn hostile_bodies_get_a_clear_answer_and_nothing_of_them_is_stored() {
    let site = site(&[("http: { endpoint", "http: { max_body: 1MiB, endpoint")], "");
    let running = site.start();
    let good = prompt("s", "stored");
    let lines = [("content-type", "application/x-ndjson")];
    let deep = |open: &str, close: &str| format!("{{\"a\":{}{}}}", open.repeat(2_000), close.repeat(2_000));
    let many = format!("{{\"a\":[{}1]}}", "1,".repeat(200_000));
    for (body, why) in [
        (String::new(), "EOF"),
        ("null".to_owned(), "no object"),
        ("[]".to_owned(), "no object"),
        ("\"text\"".to_owned(), "no object"),
        ("{".to_owned(), "EOF"),
        (format!("{good}{good}"), "trailing"),
        ("{\"a\":1e999}".to_owned(), "out of range"),
        ("{'a':1}".to_owned(), "key must be"),
        ("{\"a\":NaN}".to_owned(), "expected"),
        ("{\"a\":\"\u{1}\"}".to_owned(), "control character"),
        (deep("[", "]"), "nested"),
        (deep("{\"a\":", "}").replacen("}}", "1}}", 1), "nested"),
        (many, "more than"),
    ] {
        for assistant in ASSISTANTS {
            let (status, message) = said(post(&site, assistant, &[], body.clone()));
            assert_eq!(status, 400, "{}", body.chars().take(40).collect::<String>());
            let fits = message.contains(why) || message.contains("recursion");
            assert!(fits && message.len() < 300, "{why}: {message}");
        }
    }
    let (status, message) = said(post(&site, "claude", &[], b"{\"a\":\"\xff\"}".to_vec()));
    assert_eq!((status, message.contains("unicode")), (400, true), "{message}");
    let (status, message) = said(post(&site, "claude", &lines, format!("{good}\n{good}\n{{\n{good}")));
    assert_eq!((status, message.contains("line 3")), (400, true), "{message}");
    let (status, _) = said(post(&site, "claude", &[], format!("{{\"a\":\"{}\"}}", "x".repeat(3 << 20))));
    assert_eq!(status, 413);
    let (status, _) = said(post(&site, "claude", &[("content-encoding", "gzip")], good.clone()));
    assert_eq!(status, 400);
    for unknown in ["emacs", "Claude", "..%2Fclaude", "%00", "claude%0a"] {
        let (status, message) = said(post(&site, unknown, &[], good.clone()));
        assert_eq!((status, message.contains("known are claude")), (404, true), "{unknown}: {message}");
    }
    assert_eq!(prompts(&site), 0, "nothing of any of them");

    assert_eq!(post(&site, "claude", &[], good.clone()).status(), 200);
    assert_eq!(post(&site, "claude", &lines, format!("\n{good}\r\n{}\n", prompt("t", "2"))).status(), 200);
    assert_eq!(prompts(&site), 2, "the first of the two was here before");
    // Any object may come in, whatever it says.
    for assistant in ASSISTANTS {
        let object = json!({ "hook_event_name": ["x"], "session_id": {}, "timestamp": -1, "traceparent": "00",
            "skillspan.observed_at": "never", "payload": [null], "extra": "text", "toolResult": 7 });
        assert_eq!(post(&site, assistant, &[], object.to_string()).status(), 200, "{assistant}");
    }
    let half =
        "{\"hook_event_name\":\"UserPromptSubmit\",\"session_id\":\"half\",\"prompt\":\"cut \\ud83d\"}";
    assert_eq!(post(&site, "claude", &[], half).status(), 200, "JavaScript cuts characters in two");
    assert_eq!(prompts(&site), 3);
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn only_posts_are_hooks() {
    let site = site(&[], "");
    let running = site.start();
    let client = crate::site::client();
    let answer = client.get(format!("http://127.0.0.1:{}/v1/hooks/claude", site.http)).send().unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["allow"].to_str().unwrap()), (405, "POST"));
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn a_pipeline_without_hooks_has_no_door_for_them() {
    let pipelines =
        "  pipelines:\n    sessions: { receivers: [otlp], processors: [redact], exporters: [parquet] }\n";
    let site = site(&[], pipelines);
    let running = site.start();
    let (status, message) = said(post(&site, "claude", &[], prompt("s", "x")));
    assert_eq!((status, message.contains("there is nothing at")), (404, true));
    assert_eq!(running.terminate(), Some(0));
}

/// A hook of the assistant with a text in every place that people and tools fill.
fn object(assistant: &str, index: usize, text: &str) -> Value {
    let (session, canary) = (format!("session-{index}"), format!("canary-{index}."));
    let arguments = json!({ "command": text, "nested": [{ "deep": text }] });
    match assistant {
        "claude" => json!({ "hook_event_name": "PostToolUse", "session_id": session, "tool_name": "Bash",
            "tool_use_id": format!("toolu_{index}"), "tool_input": arguments, "tool_response": { "stdout": text },
            "custom": { "note": text }, "canary": canary }),
        "cline" => json!({ "hookName": "tool_result", "taskId": session, "canary": canary, "note": text,
            "tool_result": { "id": format!("c{index}"), "name": "run", "input": arguments,
                "output": [{ "result": text, "success": true }] } }),
        "copilot" => json!({ "sessionId": session, "timestamp": 1_795_339_689_372_i64 + index as i64,
            "toolName": "bash", "toolArgs": arguments, "canary": canary, "list": ["a", text],
            "toolResult": { "resultType": "success", "textResultForLlm": text } }),
        "cursor" => {
            json!({ "hook_event_name": "beforeSubmitPrompt", "conversation_id": session, "prompt": text,
            "generation_id": format!("g{index}"), "attachments": [{ "file": text }], "canary": canary,
            "user_email": text })
        }
        "hermes" => json!({ "hook_event_name": "post_llm_call", "session_id": session, "canary": canary,
            "note": text, "extra": { "assistant_response": text, "turn_id": format!("t{index}"), "more": text } }),
        _ => json!({ "event": "input", "session_id": session, "canary": canary, text: "as a name",
            "payload": { "text": text } }),
    }
}

#[test]
fn no_planted_secret_comes_through_the_hooks_or_stays_where_they_wait() {
    // Nothing leaves the journal before it has been searched.
    let late = "exporters:\n  parquet: { flush: { age: 1h, bytes: 1GiB, on_session_end: false } }";
    // And none of it outlives a power failure: six hundred requests would wait for the disk one by one.
    let fast = "journal: { durability: os, path";
    let site = site(&[("exporters:", late), ("journal: { path", fast)], "");
    let data = site.path("data");
    let (posted, kept) = (planted(21), planted(22));
    let all = [posted.clone(), kept.clone()].concat();
    let search = Search::new(&all);
    assert_eq!(search.leaked(posted[0].text.as_bytes())[0], posted[0].kind, "the search finds what is there");

    // The spool, while no collector is there.
    let of = |index: usize| ASSISTANTS[index % ASSISTANTS.len()];
    let endpoint = format!("http://127.0.0.1:{}", site.http);
    let hook = |index: usize| {
        let mut command = skillspan();
        command.args(["hook", of(index), "--endpoint", &endpoint]).env("XDG_DATA_HOME", &data);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let object = object(of(index), posted.len() + index, &kept[index].text).to_string();
        child.stdin.take().unwrap().write_all(object.as_bytes()).unwrap();
        child
    };
    for first in (0..kept.len()).step_by(25) {
        let hooks: Vec<_> = (first..kept.len().min(first + 25)).map(hook).collect();
        hooks.into_iter().for_each(|mut hook| assert!(hook.wait().unwrap().success()));
    }
    let spooled: Vec<u8> = files(&data).iter().flat_map(|path| std::fs::read(path).unwrap()).collect();
    for index in 0..kept.len() {
        let canary = format!("canary-{}.", posted.len() + index);
        assert!(memchr::memmem::find(&spooled, canary.as_bytes()).is_some(), "{canary} waits");
    }
    assert_eq!(search.leaked(&spooled), Vec::<&str>::new(), "where hooks wait");

    let running = site.start_with(&[("XDG_DATA_HOME", &data)]);
    for (index, one) in posted.iter().enumerate() {
        let answer = post(&site, of(index), &[], object(of(index), index, &one.text).to_string());
        assert_eq!(answer.status(), 200);
    }
    // What is refused must not be in the log either.
    for one in posted.iter().take(20) {
        let (status, message) = said(post(&site, "claude", &[], format!("{{\"x{}", one.text)));
        assert_eq!(status, 400);
        assert_eq!(search.leaked(message.as_bytes()), Vec::<&str>::new());
    }
    eventually("what waited is sent", || {
        files(&data).iter().all(|path| !path.ends_with("pending") && !path.ends_with("sending"))
    });
    assert_eq!(running.terminate(), Some(0));
    let table = table_texts(&site.path("sessions"));
    for index in 0..all.len() {
        assert!(table.contains(&format!("canary-{index}.")), "{index} is missing");
    }
    for path in files(site.folder.path()) {
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(search.leaked(&bytes), Vec::<&str>::new(), "in {}", path.display());
    }
    assert_eq!(search.leaked(table.as_bytes()), Vec::<&str>::new(), "in the table");
}

/// The key of placeholders is what a hook writes first.
#[test]
fn the_folders_of_what_waits_are_closed_to_other_users_from_the_first_file_on() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let root = skillspan::receivers::hooks::folder(&folder.path().join("data"));
    skillspan::redact::Key::from_file(&root.join("redaction.key")).unwrap();
    for path in root.ancestors().take(3) {
        let mode = std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o700, "{}", path.display());
    }
}

//! Rows are exactly the turns, each once, whatever the service does.

use std::time::Duration;

use serde_json::json;
use skillspan::event::{Kind, SessionEvent};

use crate::harness::{PATIENCE, Site, assert_rows, conversation, event, eventually, expected, said};
use crate::standin::{Faults, StandIn, TOKEN};

/// Everything that the service is known to do, at once.
pub(crate) fn every_fault(staleness: Duration) -> Faults {
    Faults {
        rates: vec![
            ("429", 0.05),
            ("500", 0.05),
            ("502-after-commit", 0.05),
            ("403-html", 0.02),
            ("slow", 0.01),
            ("cut", 0.02),
        ],
        slow: Duration::from_millis(50),
        staleness,
        ..Faults::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_turn_is_there_once_whatever_fails_and_however_often_the_exporter_is_interrupted() {
    let standin = StandIn::start(every_fault(Duration::from_millis(100))).await;
    let site = Site::new();
    let sessions: Vec<String> = (0..25).map(|number| format!("s{number:03}")).collect();
    for some in sessions.chunks(5) {
        site.write(some.iter().flat_map(|session| conversation(session, 8)).collect()).await;
    }
    let wanted: Vec<_> = sessions.iter().flat_map(|session| expected(session, 8)).collect();
    let config = || skillspan::exporters::deeplake::Config { rows: 8, ..site.config(&standin) };
    for round in 1..=4 {
        let running = site.start(config());
        let some = wanted.len() * round / 5;
        eventually("some rows", || standin.rows("sessions").len() >= some).await;
        running.stop().await;
    }
    let running = site.start(config());
    eventually("all rows", || standin.rows("sessions").len() >= wanted.len()).await;
    // What would be written twice is written by then.
    site.settled().await;
    running.stop().await;
    assert_rows(&standin.rows("sessions"), wanted);
    let injected = standin.injected();
    assert!(
        ["429", "500", "502-after-commit"].iter().all(|kind| injected.contains_key(kind)),
        "{injected:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_too_late_is_looked_for_and_not_sent_again() {
    let faults = Faults {
        rates: vec![("late", 0.3)],
        late: Duration::from_millis(700),
        staleness: Duration::from_millis(100),
        ..Faults::default()
    };
    let standin = StandIn::start(faults).await;
    let site = Site::new();
    site.write((0..6).flat_map(|number| conversation(&format!("s{number}"), 10)).collect()).await;
    let mut config = site.config(&standin);
    config.service.timeout = Duration::from_millis(300);
    config.rows = 10;
    let running = site.start(config);
    let wanted: Vec<_> = (0..6).flat_map(|number| expected(&format!("s{number}"), 10)).collect();
    eventually("all rows are known", || running.handle.status().rows >= wanted.len() as u64).await;
    let status = running.handle.status();
    running.stop().await;
    assert!(status.found > 0, "{status:?}");
    assert_rows(&standin.rows("sessions"), wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_later_is_added_and_nothing_is_sent_again() {
    let standin = StandIn::start(Faults::default()).await;
    let site = Site::new();
    site.write(conversation("s", 2)).await;
    let running = site.start(site.config(&standin));
    eventually("two turns", || standin.rows("sessions").len() == 10).await;
    site.write(conversation("s", 3).split_off(16)).await;
    eventually("the third turn", || standin.rows("sessions").len() == 15).await;
    site.settled().await;
    running.stop().await;
    // Nor after a restart, nor where the cursor is lost.
    std::fs::remove_file(site.folder.path().join("state/cursor.json")).unwrap();
    let running = site.start(site.config(&standin));
    eventually("a look at all rows", || running.handle.status().found == 15).await;
    running.stop().await;
    assert_rows(&standin.rows("sessions"), expected("s", 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_go_many_in_a_statement_by_rows_and_by_bytes() {
    let standin = StandIn::start(Faults::default()).await;
    let site = Site::new();
    let mut events = conversation("s", 40);
    let long = "x".repeat(150_000);
    for event in events.iter_mut().filter(|event| event.kind == Kind::Prompt).take(3) {
        event.text.clone_from(&long);
    }
    site.write(events).await;
    let running = site.start(site.config(&standin));
    eventually("all rows", || standin.rows("sessions").len() == 200).await;
    let inserts = running.handle.status().inserts;
    running.stop().await;
    // 200 rows by 50, and no two of the three long ones together; one more finds that there is no table.
    assert!((4..=12).contains(&inserts), "{inserts} statements");
    assert!(standin.traffic().2 < 400_000, "{:?}", standin.traffic());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_is_not_over_waits() {
    let standin = StandIn::start(Faults::default()).await;
    let site = Site::new();
    let now = skillspan::event::Timestamp::now();
    let fresh = |event: SessionEvent| SessionEvent { timestamp: now, ingested_at: now, ..event };
    let mut events = conversation("s", 1);
    let prompt = SessionEvent { text: "and now?".to_owned(), ..fresh(event("s", 8, Kind::Prompt)) };
    events.push(prompt);
    site.write(events).await;
    let running = site.start(site.config(&standin));
    eventually("the first turn", || standin.rows("sessions").len() == 5).await;
    eventually("the second is waited for", || running.handle.status().open_sessions == 1).await;
    assert_rows(&standin.rows("sessions"), expected("s", 1));
    site.write(vec![SessionEvent { text: "done".to_owned(), ..fresh(event("s", 9, Kind::Response)) }]).await;
    eventually("the second turn", || standin.rows("sessions").len() == 7).await;
    running.stop().await;
    let contents: Vec<String> = standin.rows("sessions").iter().map(|row| said(row).2).collect();
    assert!(contents.contains(&"and now?".to_owned()) && contents.contains(&"done".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_that_break_statements_come_back_as_they_were() {
    let standin = StandIn::start(Faults::default()).await;
    let site = Site::new();
    let texts = [
        r"\d+ \\ \u0041 \x00 \'",
        "it's ''quoted'' \"twice\" `thrice` $1 ?1 -- ; DROP TABLE sessions",
        "line\r\nbreak\ttab \u{1b}[0m \u{7f} \u{85} \u{2028}",
        "🦀 ünï \u{fffd} \u{feff} \u{10ffff}",
        r#"{"text":"\ud800 \u0000"}"#,
        "').'::jsonb) AS v(",
    ];
    let mut events = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let at = number as u64 * 4;
        let id = format!("c{number}");
        let tool = |kind, at| SessionEvent {
            tool_call_id: id.clone(),
            fact_key: id.clone(),
            tool: (*text).to_owned(),
            ..event("s", at, kind)
        };
        events.push(SessionEvent { text: (*text).to_owned(), ..event("s", at, Kind::Prompt) });
        events.push(SessionEvent { input: (*text).to_owned(), ..tool(Kind::ToolCall, at + 1) });
        events.push(SessionEvent { output: (*text).to_owned(), ..tool(Kind::ToolResult, at + 2) });
    }
    events.push(SessionEvent { text: "nul \0 byte".to_owned(), ..event("s", 90, Kind::Response) });
    for event in &mut events {
        event.user_id = "o'ada/\\\0".to_owned();
        event.cwd = "/home/it's\\here".to_owned();
    }
    site.write(events).await;
    let running = site.start(site.config(&standin));
    eventually("all rows", || standin.rows("sessions").len() == texts.len() * 2 + 1).await;
    let status = running.handle.status();
    running.stop().await;
    assert_eq!((status.refused, status.failures.len()), (0, 1), "only the missing table: {status:?}");
    let rows = standin.rows("sessions");
    for text in texts {
        let prompt = |row: &&crate::standin::Row| row["message"]["content"] == text;
        assert_eq!(rows.iter().filter(prompt).count(), 1, "{text:?}");
        let as_json = if text.starts_with('{') { text.to_owned() } else { json!(text).to_string() };
        let tool = |row: &&crate::standin::Row| row["message"]["tool_input"] == as_json;
        let row = rows.iter().find(tool).unwrap_or_else(|| panic!("{text:?}"));
        assert_eq!(row["message"]["tool_response"], as_json);
        assert_eq!(row["message"]["tool_name"], text);
    }
    assert!(rows.iter().any(|row| row["message"]["content"] == "nul ␀ byte"));
    assert_eq!(rows[0]["author"], "o'ada/\\␀");
    assert_eq!(rows[0]["project"], "it's\\here".rsplit('\\').next().unwrap());
    assert_eq!(rows[0]["path"], "/sessions/o'ada___/o'ada____acme_shop_s.jsonl");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_created_and_healed() {
    let standin = StandIn::start(Faults::default()).await;
    let site = Site::new();
    site.write(conversation("s", 1)).await;
    let running = site.start(site.config(&standin));
    eventually("rows", || standin.rows("sessions").len() == 5).await;
    assert_eq!(
        standin.columns("sessions"),
        [
            "id",
            "path",
            "filename",
            "message",
            "message_embedding",
            "author",
            "mime_type",
            "size_bytes",
            "project",
            "description",
            "agent",
            "plugin_version",
            "creation_date",
            "last_update_date"
        ]
    );
    site.settled().await;
    running.stop().await;
    // A table of an earlier version of the reference, without two of the columns.
    standin.drop_table("sessions");
    standin.execute("CREATE TABLE IF NOT EXISTS \"sessions\" (id TEXT, path TEXT, filename TEXT, message JSONB, author TEXT, size_bytes BIGINT, project TEXT, description TEXT, creation_date TEXT, last_update_date TEXT) USING deeplake");
    site.write(conversation("t", 1)).await;
    let running = site.start(site.config(&standin));
    eventually("rows", || standin.rows("sessions").len() == 5).await;
    running.stop().await;
    assert!(standin.columns("sessions").contains(&"plugin_version".to_owned()));
    assert_rows(&standin.rows("sessions"), expected("t", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn states_that_need_a_person_are_told_and_end_by_themselves() {
    let standin = StandIn::start(Faults::default()).await;
    let site = Site::new();
    site.write(conversation("s", 1)).await;
    let balance = r#"{"balance_cents":0,"error":"insufficient balance, please top up"}"#;
    for (status, body, kind, words) in [
        (402, balance, "out_of_credit", "insufficient balance, please top up"),
        (401, r#"{"error":"expired"}"#, "credentials", "expired"),
        (403, r#"{"error":"organization mismatch"}"#, "credentials", "organization mismatch"),
        (403, "<html>", "gateway", "status 403"),
        (404, r#"{"error":"workspace not found"}"#, "no_workspace", "no workspace shop"),
        (429, "", "busy", "status 429"),
        (503, "", "server", "status 503"),
        (200, "not json", "unreadable", "cannot be understood"),
    ] {
        standin.set(|faults| faults.always = Some((status, body)));
        let running = site.start(site.config(&standin));
        eventually(kind, || {
            let failing = running.handle.status().failing;
            failing.is_some_and(|failing| failing.kind == kind && failing.error.contains(words))
        })
        .await;
        running.stop().await;
    }
    assert!(standin.rows("sessions").is_empty());
    let mut config = site.config(&standin);
    config.service.endpoint = "http://127.0.0.1:9".to_owned();
    let running = site.start(config);
    eventually("unreachable", || {
        running.handle.status().failing.is_some_and(|failing| failing.kind == "unreachable")
    })
    .await;
    running.stop().await;
    standin.set(|faults| faults.always = Some((402, balance)));
    let running = site.start(site.config(&standin));
    eventually("out of credit", || running.handle.status().failing.is_some()).await;
    standin.set(|faults| faults.always = None);
    eventually("it goes on", || standin.rows("sessions").len() == 5).await;
    eventually("it says so", || running.handle.status().failing.is_none()).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_never_shown_even_where_the_service_repeats_it() {
    let standin = StandIn::start(Faults::default()).await;
    let site = Site::new();
    site.write(conversation("s", 1)).await;
    let mut config = site.config(&standin);
    assert!(!format!("{config:?}").contains(TOKEN));
    standin.set(|faults| {
        faults.always = Some((401, r#"{"error":"bad token dl-token-THAT-NOBODY-SHOWS given"}"#));
    });
    config.service.pauses.person = PATIENCE;
    let running = site.start(config);
    eventually("refused", || running.handle.status().failing.is_some()).await;
    let shown = format!("{:?}", running.handle.status());
    assert!(shown.contains("bad token [redacted] given") && !shown.contains(TOKEN), "{shown}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_service_refuses_holds_up_no_other() {
    let standin = StandIn::start(Faults { poison: Some("prompt 3 of s"), ..Faults::default() }).await;
    let site = Site::new();
    site.write(conversation("s", 10)).await;
    let running = site.start(site.config(&standin));
    eventually("the others", || standin.rows("sessions").len() == 49).await;
    eventually("it is told", || running.handle.status().refused == 1).await;
    let refusal = running.handle.status().refusal.unwrap();
    assert!(refusal.contains("vector::at out of range"), "{refusal}");
    running.stop().await;
    let wanted = expected("s", 10).into_iter().filter(|(_, _, content)| !content.starts_with("prompt 3 "));
    assert_rows(&standin.rows("sessions"), wanted.collect());
    // A service that takes nothing at all refuses no row.
    let standin = StandIn::start(Faults { poison: Some("sessions"), ..Faults::default() }).await;
    let other = Site::new();
    other.write(conversation("t", 1)).await;
    let running = other.start(other.config(&standin));
    eventually("it is tried again", || {
        running.handle.status().failures.get("query").is_some_and(|n| *n > 30)
    })
    .await;
    assert_eq!(running.handle.status().refused, 0);
    standin.set(|faults| faults.poison = None);
    eventually("it goes on", || standin.rows("sessions").len() == 5).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_exporter_with_the_same_state_is_refused() {
    let standin = StandIn::start(Faults::default()).await;
    let site = Site::new();
    let _first = site.exporter(site.config(&standin));
    let location = skillspan::table::Location::Folder(site.location());
    let second = skillspan::exporters::deeplake::Deeplake::new(site.config(&standin), location, None);
    let error = second.unwrap_err().to_string();
    assert!(error.contains("another process exports with the state in"), "{error}");
}

//! `skillspan compact`, `skillspan erase`, and a table in a bucket.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use skillspan::journal::{Config, Durability, Journal};

use crate::support::{Site, fixtures, outcome, skillspan};

fn send(site: &Site, name: &str) {
    let body = std::fs::read(fixtures().join("captures/claude-code").join(name)).unwrap();
    assert_eq!(site.post("/v1/logs", "application/json", body), 200);
}

#[test]
fn a_session_is_erased_beside_the_running_collector_and_does_not_come_back() {
    let site = Site::new("default");
    let running = site.start();
    let session = "ecf0032b-cc57-4cf8-9c95-05dec2413dd5";
    send(&site, "s03-dbup-widgets-httpjson/0002-logs.json");
    assert!(site.run(&["sessions", "list", "--since", "7d"]).contains(session));
    assert_eq!(site.run(&["sessions", "list", "--user", "nobody"]), "no sessions\n");

    // What a list shows of an id is its beginning: nothing is erased by that, and the whole id is named.
    let (code, _, stderr) =
        outcome(skillspan().args(["erase", "--session", &session[..8], "--config"]).arg(site.config()));
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains(&format!("one session begins so: --session {session}")), "{stderr}");
    let looked = site.run(&["erase", "--session", session, "--dry-run"]);
    assert_eq!(looked, format!("1 session would be erased:\n- {session}\n"));
    assert!(site.run(&["sessions", "list", "--since", "7d"]).contains(session));

    let report = site.run(&["erase", "--session", session]);
    assert!(report.contains(&format!("erased     session {session} of default")), "{report}");
    assert!(report.contains("Still to be looked at:") && report.contains("backups"), "{report}");
    assert!(!site.run(&["sessions", "list"]).contains(session));

    // The client sends it again.
    send(&site, "s03-dbup-widgets-httpjson/0002-logs.json");
    assert!(!site.run(&["sessions", "list"]).contains(session));
    assert_eq!(site.run(&["compact"]), "no closed day has files to merge\n");
    drop(running);

    let (code, _, stderr) =
        outcome(skillspan().args(["erase", "--user", "nobody", "--config"]).arg(site.config()));
    assert_eq!(code, 1);
    assert!(stderr.contains("nothing of \"nobody\" is in"), "{stderr}");
    let (code, _, stderr) = outcome(skillspan().args(["erase", "--config"]).arg(site.config()));
    assert_eq!(code, 64, "{stderr}");
}

/// `--user "$PERSON"` where no such variable is set.
#[test]
fn nobody_is_erased_for_want_of_a_name() {
    let site = Site::new("default");
    let _running = site.start();
    send(&site, "s03-dbup-widgets-httpjson/0002-logs.json");
    let before = site.sessions();
    assert_eq!(before.len(), 1);
    for subject in ["--user", "--session"] {
        for nameless in ["", " "] {
            let (code, _, stderr) =
                outcome(skillspan().args(["erase", subject, nameless, "--config"]).arg(site.config()));
            assert_eq!(code, 64, "{subject} {nameless:?}: {stderr}");
            assert!(stderr.contains(subject), "{stderr}");
        }
    }
    assert_eq!(site.sessions(), before);
}

/// A prompt of a session of Ada's.
fn send_prompt(site: &Site, session: &str, number: usize, text: &str) {
    send_prompt_of(site, "ada@acme.example", session, number, text);
}

/// A prompt of a session of somebody's.
fn send_prompt_of(site: &Site, person: &str, session: &str, number: usize, text: &str) {
    let attribute = |key: &str, value: &str| serde_json::json!({"key": key, "value": {"stringValue": value}});
    let record = serde_json::json!({
        "timeUnixNano": format!("{}", 1_795_340_125_502_000_000_u64 + number as u64),
        "attributes": [
            attribute("event.name", "user_prompt"), attribute("session.id", session),
            attribute("user.email", person), attribute("prompt.id", &format!("{session}-{number}")),
            attribute("prompt", text),
        ],
    });
    let scope = serde_json::json!({"name": "com.anthropic.claude_code.events"});
    let body = serde_json::json!({
        "resourceLogs": [{"scopeLogs": [{"scope": scope, "logRecords": [record]}]}]
    });
    assert_eq!(site.post("/v1/logs", "application/json", body.to_string().into_bytes()), 200);
}

/// The files below a folder that hold a text, or the compressed rows of a session.
fn files_with(folder: &Path, text: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_with(&path, text, found);
        } else if memchr::memmem::find(&std::fs::read(&path).unwrap(), text.as_bytes()).is_some() {
            found.push(path);
        }
    }
}

fn journal_files_with(site: &Site, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    files_with(&site.path("journal"), text, &mut found);
    found
}

#[test]
fn no_byte_of_an_erased_session_stays_in_the_journal_of_a_running_process() {
    let site = Site::new("default");
    let _running = site.start();
    for number in 0..20 {
        send_prompt(&site, "to-be-erased", number, "the words of ada");
        send_prompt(&site, "to-be-kept", number, "the words of bob");
    }
    assert!(!journal_files_with(&site, "the words of ada").is_empty());
    site.run(&["erase", "--session", "to-be-erased"]);
    assert_eq!(journal_files_with(&site, "the words of ada"), Vec::<PathBuf>::new());
    let ids: Vec<_> = site.sessions().into_iter().map(|session| session["id"].clone()).collect();
    assert_eq!(ids, ["to-be-kept"]);
    // It goes on, in files that were begun anew; and who asks again is told that it is done.
    send_prompt(&site, "to-be-kept", 20, "more words of bob");
    let again = site.run(&["erase", "--session", "to-be-erased"]);
    assert!(again.contains("erased     before"), "{again}");
    assert_eq!(site.sessions()[0]["events"]["prompt"], 21);
}

/// Whoever asks to forget Ada means Ada, however her clients wrote her; `ada` without an address may be another.
#[test]
fn a_person_is_erased_in_every_way_of_writing_that_counts_as_one() {
    let names = [
        "ada@acme.example",
        "ada+claude@acme.example",
        "Ada@ACME.example.",
        "\u{430}da@acme.example",
        "(work) ada@acme.example",
    ];
    let others = ["ada", "adam@acme.example", "ada@other.example"];
    for asked in ["ada@acme.example", "ada+codex@acme.example", "Ada <ada@acme.example>"] {
        let site = Site::new("default");
        let running = site.start();
        for (number, name) in names.iter().chain(&others).enumerate() {
            send_prompt_of(&site, name, &format!("s-{number}"), number, &format!("cobalt{number} things"));
        }
        assert_eq!(site.sessions().len(), names.len() + others.len());
        let report = site.run(&["erase", "--user", asked]);
        assert!(report.contains("names      ") && report.contains("ada+claude@acme.example"), "{report}");
        let left = site.sessions();
        let people: BTreeSet<&str> =
            left.iter().map(|session| session["user_id"].as_str().unwrap()).collect();
        assert_eq!(people, BTreeSet::from(others), "{asked}");
        running.terminate();
        for number in 0..names.len() {
            assert_eq!(
                journal_files_with(&site, &format!("cobalt{number}")),
                Vec::<PathBuf>::new(),
                "{asked}"
            );
        }
        assert!(site.run(&["erase", "--user", asked]).contains("before"), "{asked}: once more");
    }
}

#[test]
fn what_a_killed_process_left_in_its_journal_is_erased_without_it() {
    let site = Site::new("default");
    let running = site.start();
    for number in 0..20 {
        send_prompt(&site, "to-be-erased", number, "the words of ada");
        send_prompt(&site, "to-be-kept", number, "the words of bob");
    }
    running.kill();
    let report = site.run(&["erase", "--session", "to-be-erased"]);
    assert!(report.contains("erased     session to-be-erased of default"), "{report}");
    assert_eq!(journal_files_with(&site, "the words of ada"), Vec::<PathBuf>::new());
    let ids: Vec<_> = site.sessions().into_iter().map(|session| session["id"].clone()).collect();
    assert_eq!(ids, ["to-be-kept"], "what else the journal held is in the table");
    let _running = site.start();
    assert_eq!(site.sessions().len(), 1);
}

#[test]
fn an_erasure_that_cannot_reach_a_journal_says_so_and_hides_the_session_all_the_same() {
    let site = Site::new("default");
    let running = site.start();
    send_prompt(&site, "to-be-erased", 0, "the words of ada");
    assert_eq!(running.terminate(), Some(0));
    // Somebody has it open and answers nobody.
    let path = site.path("journal");
    let (max_size, segment_size) = (64 << 20, 4 << 20);
    let journal =
        Journal::open(Config { path: path.clone(), max_size, segment_size, durability: Durability::Fsync });
    let journal = journal.unwrap();
    let erase = || {
        let arguments = ["erase", "--session", "to-be-erased", "--config"];
        outcome(skillspan().args(arguments).arg(site.config()))
    };
    let (code, report, error) = erase();
    assert_eq!(code, 1, "{report}{error}");
    assert!(error.contains("not erased everywhere yet"), "{error}");
    assert!(error.contains(&path.display().to_string()) && error.contains("then erase again"), "{error}");
    assert!(site.sessions().is_empty());
    drop(journal);
    let (code, report, error) = erase();
    assert_eq!((code, error.as_str()), (0, ""), "{report}");
}

#[test]
fn many_erasures_at_once_beside_a_busy_collector_do_not_fail_one_another() {
    const SESSIONS: usize = 4;
    let site = Site::new("default");
    site.edit_config(&[("exporters:\n", "exporters:\n  parquet: { flush: { age: 50ms } }\n")]);
    let _running = site.start();
    for number in 0..60 {
        send_prompt(&site, &format!("session-{}", number % SESSIONS), number, "words");
        if number % 10 == 0 {
            std::thread::sleep(Duration::from_millis(60));
        }
    }
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let erasing: Vec<_> = (0..2 * (SESSIONS - 1))
            .map(|number| {
                let session = format!("session-{}", number / 2);
                let site = &site;
                scope.spawn(move || {
                    let arguments = ["erase", "--session", &session, "--config"];
                    outcome(skillspan().args(arguments).arg(site.config()))
                })
            })
            .collect();
        (60..100).for_each(|number| send_prompt(&site, "session-3", number, "words"));
        erasing.into_iter().map(|erasing| erasing.join().unwrap()).collect()
    });
    for (code, _, error) in outcomes {
        assert_eq!(code, 0, "{error}");
    }
    let ids: Vec<_> = site.sessions().into_iter().map(|session| session["id"].clone()).collect();
    assert_eq!(ids, ["session-3"]);
    assert_eq!(site.sessions()[0]["events"]["prompt"], 15 + 40);
}

//! The journal from outside: who may open it, what is said of it, and getting things out of it.

use std::time::Duration;

use serde_json::Value;
use skillspan::journal::{Config, Durability, Journal};

use crate::support::{Site, eventually, outcome, skillspan};

fn body() -> Vec<u8> {
    let capture = "captures/claude-code/s03-dbup-widgets-httpjson/0002-logs.json";
    std::fs::read(crate::support::fixtures().join(capture)).unwrap()
}

/// A site whose table is written only when it is asked for.
fn slow_site() -> Site {
    site_with_flush("{ age: 1h, on_session_end: false }")
}

fn site_with_flush(flush: &str) -> Site {
    let site = Site::new("default");
    let config = std::fs::read_to_string(site.config()).unwrap();
    let parquet = format!("exporters:\n  parquet: {{ flush: {flush} }}\n");
    let config = config.replace("exporters:\n", &parquet);
    std::fs::write(site.config(), config).unwrap();
    site
}

fn status(site: &Site) -> Value {
    serde_json::from_str(&site.run(&["status", "--json"])).unwrap()
}

#[test]
fn a_second_process_on_the_same_journal_is_refused_with_the_way_out() {
    let site = Site::new("default");
    let _running = site.start();
    let other = Site::new("default");
    let config = std::fs::read_to_string(other.config()).unwrap();
    let theirs = format!("path: {}/journal", other.folder.path().display());
    let ours = format!("path: {}/journal", site.folder.path().display());
    std::fs::write(other.config(), config.replace(&theirs, &ours)).unwrap();
    let (code, _, stderr) = outcome(skillspan().args(["run", "--config"]).arg(other.config()));
    assert_eq!(code, 1);
    assert!(
        stderr.contains("is in use by another process; stop it, or give this one a journal of its own"),
        "{stderr}"
    );
    assert_eq!(site.post("/v1/logs", "application/json", body()), 200, "the first one goes on");
}

/// `status`, `sessions` and the like have the journal of a stopped process open for a moment.
#[test]
fn who_looks_into_a_journal_for_a_moment_keeps_no_service_from_starting() {
    let site = Site::new("default");
    assert_eq!(site.start().terminate(), Some(0));
    let looking = Journal::open(Config {
        path: site.path("journal"),
        max_size: 64 << 20,
        segment_size: 4 << 20,
        durability: Durability::Fsync,
    });
    let looking = looking.unwrap();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| site.start());
        // Time enough to give up, for who does not wait.
        std::thread::sleep(Duration::from_millis(500));
        drop(looking);
        assert_eq!(running.join().unwrap().terminate(), Some(0));
    });
}

#[test]
fn a_killed_replicas_journal_is_drained_into_the_table() {
    let site = slow_site();
    let running = site.start();
    assert_eq!(site.post("/v1/logs", "application/json", body()), 200);
    running.kill();
    let journal = site.path("journal");
    let said = site.run(&["drain", "--journal", journal.to_str().unwrap()]);
    assert!(said.starts_with("1 records of journal ") && said.contains("it can be deleted"), "{said}");
    std::fs::remove_dir_all(&journal).unwrap();
    assert_eq!(site.sessions()[0]["events"]["tool_call"], 5);

    let nothing = site.path("nothing");
    let mut drain = skillspan();
    drain.args(["drain", "--journal"]).arg(&nothing).arg("--config").arg(site.config());
    let (code, _, stderr) = outcome(&mut drain);
    assert_eq!(code, 64);
    assert!(stderr.contains("holds no journal"), "{stderr}");
    assert!(!nothing.exists(), "looking does not create one");
}

#[test]
fn status_says_what_listens_what_lags_and_what_to_do() {
    let site = slow_site();
    let stopped = status(&site);
    assert_eq!((&stopped["running"], &stopped["ready"]), (&false.into(), &false.into()));

    let running = site.start();
    assert_eq!(site.post("/v1/logs", "application/json", body()), 200);
    eventually("the exporter has read the request", || {
        status(&site)["pipelines"][0]["table"]["lag_events"].as_u64() > Some(0)
    });
    let report = status(&site);
    assert_eq!((&report["running"], &report["ready"]), (&true.into(), &true.into()));
    assert_eq!(report["pipelines"][0]["table"]["lag_requests"], 1);
    let http = format!("127.0.0.1:{}", site.http);
    assert!(report["listening"].as_array().unwrap().iter().any(|port| port["address"] == http), "{report}");
    let text = site.run(&["status"]);
    for said in ["takes requests\n", "1 request behind", "nothing fails\n", &http] {
        assert!(text.contains(said), "{said:?} is missing in {text}");
    }
    running.kill();

    let text = site.run(&["status"]);
    for said in [
        "not running\n",
        "! 1 accepted requests of sessions are not in the table yet",
        "to do: `skillspan run` writes them",
    ] {
        assert!(text.contains(said), "{said:?} is missing in {text}");
    }
}

#[test]
fn a_failing_table_is_told_by_status_and_nothing_is_lost() {
    let site = site_with_flush("{ age: 50ms }");
    let obstacle = site.path("sessions/v1");
    std::fs::create_dir_all(site.path("sessions")).unwrap();
    std::fs::write(&obstacle, "").unwrap();
    let running = site.start();
    assert_eq!(site.post("/v1/logs", "application/json", body()), 200);
    let problem = || status(&site)["problems"][0].clone();
    eventually("the table fails", || {
        problem()["what"]
            .as_str()
            .is_some_and(|what| what.contains("the table of sessions cannot be written"))
    });
    assert!(
        problem()["todo"].as_str().unwrap().contains("the journal keeps what was accepted"),
        "{}",
        problem()
    );
    std::fs::remove_file(&obstacle).unwrap();
    assert_eq!(site.sessions()[0]["events"]["tool_call"], 5);
    eventually("all is well again", || problem().is_null());
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn dead_letters_are_listed_and_replayed_once_they_can_be_read() {
    let site = slow_site();
    assert_eq!(site.run(&["deadletters", "list"]), "no dead letters\n");
    let running = site.start();
    assert_eq!(site.post("/v1/logs", "application/json", body()), 200);
    running.kill();
    // As if an earlier version could not read the record: it is among the dead letters, with another one.
    let letters = site.path("journal/dead-letters");
    std::fs::create_dir(&letters).unwrap();
    let segment = std::fs::read_dir(site.path("journal")).unwrap().map(|entry| entry.unwrap().path());
    let segment =
        segment.into_iter().find(|path| path.extension().is_some_and(|end| end == "segment")).unwrap();
    let bytes = std::fs::read(segment).unwrap();
    let length = u32::from_le_bytes(bytes[128..132].try_into().unwrap()) as usize;
    std::fs::write(letters.join("00000000000000000001.record"), &bytes[148..148 + length]).unwrap();
    std::fs::write(letters.join("00000000000000000001.reason.txt"), "too new").unwrap();
    std::fs::write(letters.join("00000000000000000002.record"), b"\xff\xff").unwrap();
    std::fs::write(letters.join("00000000000000000002.reason.txt"), "not an event batch").unwrap();

    let listed = site.run(&["deadletters", "list"]);
    assert!(listed.contains("too new") && listed.contains("00000000000000000002.record"), "{listed}");
    let replayed = site.run(&["deadletters", "replay"]);
    assert!(replayed.contains("00000000000000000001  replayed as record 2"), "{replayed}");
    assert!(replayed.contains("00000000000000000002  stays: not an event batch"), "{replayed}");
    assert_eq!(std::fs::read_dir(&letters).unwrap().count(), 2);
    let said = site.run(&["drain", "--journal", site.path("journal").to_str().unwrap()]);
    assert!(said.starts_with("2 records") && said.contains("1 dead letters stay"), "{said}");
    assert_eq!(site.sessions()[0]["events"]["tool_call"], 5, "what is stored twice counts once");
}

#[test]
fn a_journal_restored_from_an_old_copy_is_refused_and_explained() {
    let site = site_with_flush("{ age: 50ms }");
    let running = site.start();
    assert_eq!(site.post("/v1/logs", "application/json", body()), 200);
    assert_eq!(running.terminate(), Some(0));
    let (journal, copy) = (site.path("journal"), site.path("copy"));
    let copied = std::process::Command::new("cp").arg("-r").args([&journal, &copy]).status().unwrap();
    assert!(copied.success());
    let running = site.start();
    assert_eq!(site.post("/v1/logs", "application/json", body()), 200);
    assert_eq!(running.terminate(), Some(0));

    std::fs::remove_dir_all(&journal).unwrap();
    std::fs::rename(&copy, &journal).unwrap();
    let (code, _, stderr) = outcome(skillspan().args(["run", "--config"]).arg(site.config()));
    assert_eq!(code, 1);
    assert!(
        stderr.contains("restored from an old copy") && stderr.contains("move the folder away"),
        "{stderr}"
    );
    std::fs::remove_dir_all(&journal).unwrap();
    let running = site.start();
    assert_eq!(site.post("/v1/logs", "application/json", body()), 200, "an empty one will do");
    assert_eq!(running.terminate(), Some(0));
}

//! A model that words skills, through the binary: what is sent where, what is counted, what is said when
//! it does not work, and that its key is nowhere.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::captures::{claude_code, post};
use crate::model_server::{Behaviour, KEY, Server, reworded};
use crate::support::{Site, client, eventually, outcome, skillspan};

const SKILL: &str = "skills/run-the-integration-tests/SKILL.md";

fn well(question: &Value) -> String {
    reworded(question, |text| text.replace("run `", "first run `"))
}

/// A site whose skills are worded by `server`; the key comes from a file.
fn site(server: &Server, more: &str) -> Site {
    let site = Site::new("shop");
    let key = site.path("key");
    fs::write(&key, format!("{KEY}\n")).unwrap();
    let proposer = format!(
        "connectors:\n  skillify:\n    min_interval: 1s\n    every_turns: 1\n    proposer:\n      openai:\n        endpoint: http://{}/v1\n        model: small\n        api_key: ${{file:{}}}\n        timeout: 60s\n{more}",
        server.address,
        key.display(),
    );
    let config = fs::read_to_string(site.config()).unwrap();
    let config = config
        .replace("exporters:\n", "exporters:\n  parquet: { flush: { age: 1h, on_session_end: false } }\n");
    fs::write(site.config(), config + &proposer).unwrap();
    site
}

/// All of it is in the table at once, so that it is mined once, however long a busy machine takes.
fn record(site: &Site) {
    for body in &claude_code() {
        post(site, body);
    }
    site.run(&["sessions", "list"]);
}

fn get(site: &Site, path: &str) -> String {
    client().get(format!("http://127.0.0.1:{}{path}", site.health)).send().unwrap().text().unwrap()
}

/// Every file below a folder that holds the key, the key's own file apart.
fn leaks(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(leaks(&path));
        } else if path.file_name().unwrap() != "key" {
            let bytes = fs::read(&path).unwrap();
            if bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[test]
fn a_running_service_words_skills_counts_what_it_costs_and_keeps_the_key() {
    let server = Server::start(vec![Behaviour::Words(well)]);
    let site = site(&server, "");
    let running = site.start();
    for said in [
        "Nothing leaves this machine.",
        "sent to small at http://127.0.0.1",
        "No transcript, no prompt, no tool's output",
    ] {
        eventually(said, || site.log().contains(said));
    }
    record(&site);
    let skill = site.path("skills").join(SKILL);
    eventually("the skill", || skill.exists());
    let text = fs::read_to_string(&skill).unwrap();
    assert!(text.contains("1. If `make test-integration` fails, first run `make db-up`."), "{text}");
    let metrics = get(&site, "/metrics");
    for line in [
        "skillspan_model_requests_total 1",
        "skillspan_model_tokens_total{direction=\"input\"} 300",
        "skillspan_model_tokens_total{direction=\"output\"} 50",
        "skillspan_model_cost_dollars_total 0.0",
        "skillspan_model_answers_total{source=\"model\"} 1",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is missing in {metrics}");
    }
    assert!(!metrics.contains(KEY) && !get(&site, "/status").contains(KEY));
    assert_eq!(running.terminate(), Some(0));
    assert_eq!(server.requests()[0].0["authorization"], format!("Bearer {KEY}"));
    assert_eq!(leaks(site.folder.path()), Vec::<String>::new());

    let said = site.run(&["skillify", "--explain"]);
    assert!(said.contains("small: 0 questions") && said.contains("1 answers known before"), "{said}");
    assert_eq!(server.calls(), 1, "another process finds the answer in the library's state");
    assert!(!site.run(&["validate"]).contains(KEY));
}

#[test]
fn a_refused_key_is_a_problem_that_status_names_and_no_lost_skill() {
    let server = Server::start(vec![Behaviour::Status(401, None)]);
    let site = site(&server, "");
    let _running = site.start();
    record(&site);
    eventually("the skill", || site.path("skills").join(SKILL).exists());
    eventually("the problem", || {
        site.run(&["status"]).contains("! the model's server refuses the key; skills words skills offline")
    });
    let metrics = get(&site, "/metrics");
    let fallback = "skillspan_model_fallbacks_total{what=\"skill\",reason=\"credentials\"} 1";
    assert!(metrics.lines().any(|line| line == fallback), "{metrics}");
    assert!(!site.log().contains(KEY) && !site.run(&["status", "--json"]).contains(KEY));
}

#[test]
fn a_spent_budget_is_a_problem_that_status_names() {
    let server = Server::start(vec![Behaviour::Words(well)]);
    let site = site(&server, "        budget: { calls: 0/run }\n");
    let _running = site.start();
    record(&site);
    eventually("the skill", || site.path("skills").join(SKILL).exists());
    eventually("the problem", || site.run(&["status"]).contains("! the model's budget is spent"));
    assert_eq!(server.calls(), 0);
}

#[test]
fn a_dry_run_shows_what_would_be_sent_and_calls_nobody() {
    let server = Server::start(vec![Behaviour::Words(well)]);
    let site = site(&server, "");
    let offline = fs::read_to_string(site.config()).unwrap();
    let (offline, _) = offline.split_once("connectors:").unwrap();
    let worded = fs::read_to_string(site.config()).unwrap();
    fs::write(site.config(), offline).unwrap();
    let running = site.start();
    record(&site);
    assert_eq!(running.terminate(), Some(0));
    let _ = fs::remove_dir_all(site.path("skills"));
    assert!(site.run(&["skillify", "--dry-run", "--show-prompt"]).contains("nothing is sent"));

    fs::write(site.config(), worded).unwrap();
    let said = site.run(&["skillify", "--dry-run", "--explain"]);
    assert!(said.contains("sent to small at http://127.0.0.1"), "{said}");
    assert!(said.contains("would ask: run-the-integration-tests"), "{said}");
    let shown = site.run(&["skillify", "--dry-run", "--show-prompt"]);
    assert_eq!(server.calls(), 0);
    assert!(!site.path("skills").join(SKILL).exists());
    let (_, request) =
        shown.split_once(&format!("POST http://{}/v1/chat/completions\n", server.address)).unwrap();
    let request = serde_json::Deserializer::from_str(request).into_iter::<Value>().next().unwrap().unwrap();
    site.run(&["skillify"]);
    assert_eq!(server.requests()[0].1, request, "what is shown is what is sent");
    for private in [KEY, "alice", "connection refused on"] {
        assert!(!shown.contains(private), "{private} is in {shown}");
    }
    let (code, ..) = outcome(skillspan().args(["skillify", "--show-prompt", "--config"]).arg(site.config()));
    assert_eq!(code, 64, "--show-prompt belongs to --dry-run");
}

#[test]
fn a_model_that_sees_excerpts_is_announced_and_a_dry_run_says_what_it_takes() {
    let server = Server::start(vec![Behaviour::Words(well)]);
    let site = site(&server, "        sees: excerpts\n        price: { input: 1.00, output: 5.00 }\n");
    let shown = fs::read_to_string(site.config()).unwrap();
    let running = site.start();
    for said in [
        "Excerpts of sessions are sent to small at http://127.0.0.1",
        "Credentials, links, hosts, addresses",
        "1000000 tokens a day",
    ] {
        eventually(said, || site.log().contains(said));
    }
    assert_eq!(running.terminate(), Some(0));
    let (offline, _) = shown.split_once("connectors:").unwrap();
    fs::write(site.config(), offline).unwrap();
    let running = site.start();
    record(&site);
    assert_eq!(running.terminate(), Some(0));
    let _ = fs::remove_dir_all(site.path("skills"));
    fs::write(site.config(), &shown).unwrap();
    let said = site.run(&["skillify", "--dry-run", "--explain"]);
    assert!(said.contains("Excerpts of sessions are sent"), "{said}");
    assert!(said.contains("would ask: excerpts of "), "{said}");
    assert!(said.contains("that takes at most ") && said.contains("at the configured price"), "{said}");
    assert!(said.contains("sessions would be read for the first time"), "{said}");
    let shown = site.run(&["skillify", "--dry-run", "--show-prompt"]);
    assert!(shown.contains("# excerpts of ") && shown.contains("\\\"person\\\""), "{shown}");
    assert!(!shown.contains(KEY) && !shown.contains("alice"), "{shown}");
    assert_eq!(server.calls(), 0);
}

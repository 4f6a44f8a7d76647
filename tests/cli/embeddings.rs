//! Vectors of words, through the binary: which words are sent where, what is kept, and that nothing is
//! lost without them.

use std::fs;

use crate::captures::{claude_code, post};
use crate::model_server::{Behaviour, KEY, Server, embedded};
use crate::support::{Site, client, eventually, outcome, skillspan};

const SKILL: &str = "skills/run-the-integration-tests/SKILL.md";

/// A site whose skillify has such embeddings, and digests of its own.
fn site(embeddings: &str) -> Site {
    let site = Site::new("shop");
    let digests = site.path("digests");
    let connector = format!(
        "connectors:\n  skillify:\n    min_interval: 1s\n    every_turns: 1\n    digests: {}\n    embeddings: {embeddings}\n",
        digests.display(),
    );
    let config = fs::read_to_string(site.config()).unwrap();
    let config = config
        .replace("exporters:\n", "exporters:\n  parquet: { flush: { age: 1h, on_session_end: false } }\n");
    fs::write(site.config(), config + &connector).unwrap();
    site
}

fn of(server: &Server) -> String {
    let address = server.address;
    format!("{{ endpoint: \"http://{address}/v1/embeddings\", model: small, api_key: {KEY}, timeout: 60s }}")
}

/// Sessions are recorded and no service runs; nobody has been asked.
fn recorded(embeddings: &str) -> Site {
    let site = site(embeddings);
    let with = fs::read_to_string(site.config()).unwrap();
    fs::write(site.config(), with.split_once("connectors:").unwrap().0).unwrap();
    let running = site.start();
    claude_code().iter().for_each(|body| post(&site, body));
    site.run(&["sessions", "list"]);
    assert_eq!(running.terminate(), Some(0));
    fs::write(site.config(), with).unwrap();
    site
}

fn kept(site: &Site) -> Vec<String> {
    let names = fs::read_dir(site.path("digests")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("embeddings-")).collect()
}

#[test]
fn words_are_asked_for_once_and_kept() {
    let server = Server::start(vec![Behaviour::Body(embedded)]);
    let site = recorded(&of(&server));
    let dry = site.run(&["skillify", "--dry-run", "--explain"]);
    assert!(dry.contains("Single words of prompts"), "{dry}");
    assert!(dry.contains("0 with a vector") && dry.contains("nobody was asked"), "{dry}");
    assert_eq!(server.calls(), 0, "a dry run calls nobody");

    let said = site.run(&["skillify"]);
    assert!(said.contains("words of prompts") && !said.contains("not answered"), "{said}");
    assert!(site.path("skills").join(SKILL).exists());
    let calls = server.calls();
    assert!(calls > 0);
    let mut heard = false;
    for (headers, body) in server.requests() {
        assert_eq!(headers["authorization"], format!("Bearer {KEY}").as_str());
        let words: Vec<&str> =
            body["input"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        assert!(words.is_sorted(), "{words:?}");
        heard |= words.contains(&"integration");
        let plain = |word: &&str| word.chars().all(|char| char.is_alphabetic() || char == '-');
        assert!(words.iter().all(plain), "{words:?}");
    }
    assert!(heard);
    let [name] = kept(&site).try_into().unwrap();
    let bytes = fs::read(site.path("digests").join(&name)).unwrap();
    for private in ["integration", KEY] {
        assert!(!bytes.windows(private.len()).any(|window| window == private.as_bytes()), "{private}");
    }

    let again = site.run(&["skillify"]);
    assert!(again.contains("; 0 requests\n") && again.contains("unchanged"), "{again}");
    assert_eq!(server.calls(), calls, "another process finds every answer");

    fs::write(site.path("digests").join(&name), b"damaged").unwrap();
    site.run(&["skillify"]);
    assert!(server.calls() > calls, "what is damaged is asked again");
}

#[test]
fn erasure_takes_the_kept_vectors_too() {
    let server = Server::start(vec![Behaviour::Body(embedded)]);
    let site = recorded(&of(&server));
    site.run(&["skillify"]);
    assert_eq!(kept(&site).len(), 1);
    site.run(&["erase", "--session", "ecf0032b-cc57-4cf8-9c95-05dec2413dd5"]);
    assert_eq!(kept(&site), Vec::<String>::new());
}

#[test]
fn a_server_that_is_down_costs_no_skill_and_status_names_it() {
    let server = Server::start(vec![Behaviour::Status(401, None)]);
    let site = site(&of(&server));
    let running = site.start();
    eventually("what is sent", || site.log().contains("Single words of prompts"));
    claude_code().iter().for_each(|body| post(&site, body));
    // All of it is in the table at once, so that it is mined once, however long a busy machine takes.
    site.run(&["sessions", "list"]);
    eventually("the skill", || site.path("skills").join(SKILL).exists());
    eventually("the problem", || {
        site.run(&["status"])
            .contains("! the server of word vectors refuses the key; skills compares new words as words")
    });
    let metrics =
        client().get(format!("http://127.0.0.1:{}/metrics", site.health)).send().unwrap().text().unwrap();
    for line in [
        "skillspan_embedding_requests_total 1",
        "skillspan_embedding_failures_total{reason=\"credentials\"} 1",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is missing in {metrics}");
    }
    assert_eq!(site.log().matches("no vectors of new words").count(), 1, "{}", site.log());
    assert!(!site.log().contains(KEY) && !metrics.contains(KEY));
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn a_file_of_vectors_is_read_and_what_is_wrong_with_it_is_said_with_its_line() {
    let site = recorded("{ file: VECTORS }");
    let file = site.path("vectors.vec");
    let config = fs::read_to_string(site.config()).unwrap();
    fs::write(site.config(), config.replace("VECTORS", &file.display().to_string())).unwrap();
    let run = || outcome(skillspan().args(["skillify", "--config"]).arg(site.config()));

    let (code, _, stderr) = run();
    assert_eq!(code, 1);
    assert!(stderr.contains("vectors.vec") && stderr.contains("No such file"), "{stderr}");
    let (code, _, stderr) = outcome(skillspan().args(["run", "--config"]).arg(site.config()));
    assert_eq!(code, 1, "no service starts without it");
    assert!(stderr.contains("connectors.skillify.embeddings") && stderr.contains("vectors.vec"), "{stderr}");

    fs::write(&file, "tests 1 0\nintegration 1 0 0\n").unwrap();
    let (code, _, stderr) = run();
    assert_eq!(code, 1);
    assert!(stderr.contains("vectors.vec") && stderr.contains("line 2 has 3 numbers"), "{stderr}");

    fs::write(&file, "tests 1 0\nintegration 0.9 0.1\nunheard 0 1\n").unwrap();
    let (code, said, stderr) = run();
    assert_eq!(code, 0, "{stderr}");
    assert!(said.contains(" 2 with a vector; 0 requests"), "{said}");
    assert!(site.path("skills").join(SKILL).exists());
}

//! What hooks leave for a collector that does not know their token: it is sent once the token is right, wherever that
//! is put right, and nothing of it is forgotten in silence.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::connect_all::Machine;
use crate::support::{Site, give, skillspan};

const RIGHT: &str = "a-right-token-of-enough-length";
const WRONG: &str = "a-wrong-token-of-enough-length";

/// A collector that asks for a token, and an assistant's machine whose data folder it knows nothing of.
struct Team {
    site: Site,
    machine: Machine,
}

impl Team {
    fn asking_for(token: &str) -> Self {
        let team = Self { site: Site::new("default"), machine: Machine::with(&[], &[]) };
        team.ask_for(token, "extensions:\n");
        team
    }

    fn ask_for(&self, token: &str, instead_of: &str) {
        self.site.edit_config(&[(instead_of, &auth(token))]);
    }

    fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.site.http)
    }

    fn connect(&self, client: &str, token: Option<&str>) -> String {
        let endpoint = self.endpoint();
        let mut words = vec!["connect", client, "--write", "--endpoint", &endpoint];
        words.extend(token.into_iter().flat_map(|token| ["--token", token]));
        let (code, said) = self.machine.run(&words);
        assert_eq!(code, 0, "{said}");
        assert!(!said.contains("enough-length"), "a token is never printed: {said}");
        said
    }

    /// A prompt, as the assistant's hook says it: with the command line that was written.
    fn prompt(&self, client: &str, text: &str) {
        let mut command = skillspan();
        let token = self.machine.home().join(".config/skillspan/tokens").join(client);
        command.args(["hook", client.trim_end_matches("-hooks"), "--endpoint", &self.endpoint()]);
        if token.exists() {
            command.arg("--token-file").arg(token);
        }
        command.env("HOME", self.machine.home());
        let object = match client {
            "pi" => json!({"event": "input", "session_id": client, "payload": {"text": text}}),
            _ => json!({"hook_event_name": "UserPromptSubmit", "session_id": client, "prompt": text}),
        };
        let output = give(command, &object.to_string()).wait_with_output().unwrap();
        assert!(output.status.success());
    }

    /// The prompts of a client's session that the collector has.
    fn stored(&self, client: &str) -> Vec<String> {
        let sessions = self.site.sessions();
        let Some(_) = sessions.iter().find(|session| session["id"] == client) else { return Vec::new() };
        let shown = self.site.session(client);
        let facts = shown["facts"].as_array().unwrap().iter().filter(|fact| fact["kind"] == "prompt");
        let mut texts: Vec<String> = facts.map(|fact| fact["text"].as_str().unwrap().to_owned()).collect();
        texts.sort();
        texts
    }

    fn status(&self) -> String {
        let config = self.site.config().display().to_string();
        self.machine.run(&["status", "--config", &config]).1
    }

    /// The folders that hold what waits.
    fn spools(&self) -> Vec<PathBuf> {
        let root = self.machine.home().join(".local/share/skillspan/hooks");
        let entries = fs::read_dir(root).into_iter().flatten().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_dir()).collect()
    }
}

fn auth(token: &str) -> String {
    format!("extensions:\n  auth: {{ tokens: [{{ id: ana, secret: {token}, tenant: acme }}] }}\n")
}

#[test]
fn what_waits_with_a_wrong_token_goes_with_the_right_one() {
    let team = Team::asking_for(RIGHT);
    let _running = team.site.start();
    team.connect("claude-hooks", Some(WRONG));
    team.connect("pi", Some(WRONG));
    for text in ["one", "two"] {
        team.prompt("claude-hooks", text);
    }
    team.prompt("pi", "three");
    assert_eq!(team.stored("claude-hooks"), Vec::<String>::new());
    let status = team.status();
    assert!(
        status.contains("3 events of hooks wait for") && status.contains("answered 401 Unauthorized"),
        "{status}"
    );
    assert!(status.contains("sends what waits as well"), "{status}");

    let said = team.connect("claude-hooks", Some(RIGHT));
    assert!(said.contains("2 events of hooks that waited with another token go with this one"), "{said}");
    assert!(said.contains("sent 2 events of hooks that waited"), "{said}");
    assert_eq!(team.stored("claude-hooks"), ["one", "two"]);
    // What another assistant left is sent with its own.
    assert_eq!(team.stored("pi"), Vec::<String>::new());
    assert!(team.status().contains("1 event of hooks waits for"), "{}", team.status());
    let said = team.connect("pi", Some(RIGHT));
    assert!(said.contains("1 event of hooks that waited with another token"), "{said}");
    assert_eq!(team.stored("pi"), ["three"]);
    assert!(!team.status().contains("of hooks"), "{}", team.status());
    let said = team.connect("pi", Some(RIGHT));
    assert!(!said.contains("waited"), "nothing waits any more: {said}");
}

#[test]
fn what_waits_without_a_token_goes_with_the_first_one() {
    let team = Team::asking_for(RIGHT);
    let _running = team.site.start();
    team.connect("claude-hooks", None);
    team.prompt("claude-hooks", "one");
    let said = team.connect("claude-hooks", Some(WRONG));
    assert!(
        said.contains("1 event of hooks that waited with another token") && said.contains("401"),
        "{said}"
    );
    let said = team.connect("claude-hooks", Some(RIGHT));
    assert!(said.contains("sent 1 event of hooks that waited"), "{said}");
    assert_eq!(team.stored("claude-hooks"), ["one"]);
}

#[test]
fn what_waits_goes_once_the_server_knows_the_token() {
    let team = Team::asking_for(RIGHT);
    let running = team.site.start();
    team.connect("claude-hooks", Some(WRONG));
    team.prompt("claude-hooks", "one");
    team.prompt("claude-hooks", "two");
    assert_eq!(running.terminate(), Some(0));
    team.ask_for(WRONG, &auth(RIGHT));
    let _running = team.site.start();
    // By hand, without another hook.
    let said = team.connect("claude-hooks", Some(WRONG));
    assert!(said.contains("sent 2 events of hooks that waited"), "{said}");
    assert_eq!(team.stored("claude-hooks"), ["one", "two"]);
}

#[test]
fn the_next_hook_sends_what_waits_once_the_server_knows_the_token() {
    let team = Team::asking_for(RIGHT);
    let running = team.site.start();
    team.connect("claude-hooks", Some(WRONG));
    team.prompt("claude-hooks", "one");
    assert_eq!(running.terminate(), Some(0));
    team.ask_for(WRONG, &auth(RIGHT));
    let _running = team.site.start();
    let mut given = vec!["one".to_owned()];
    crate::support::eventually("a hook sends what waits", || {
        given.push(format!("prompt {}", given.len()));
        team.prompt("claude-hooks", given.last().unwrap());
        !team.status().contains("of hooks")
    });
    given.sort();
    assert_eq!(team.stored("claude-hooks"), given);
}

/// Another tenant's: what a token was good for is not sent with another.
#[test]
fn what_waits_for_a_server_that_is_away_keeps_its_token_unless_the_assistant_has_another() {
    let team = Team::asking_for(RIGHT);
    let mut command = skillspan();
    command.args(["hook", "claude", "--endpoint", &team.endpoint()]).env("HOME", team.machine.home());
    command.env("SKILLSPAN_TOKEN", "the-token-of-another-tenant");
    let object = json!({"hook_event_name": "UserPromptSubmit", "session_id": "other", "prompt": "x"});
    assert!(give(command, &object.to_string()).wait_with_output().unwrap().status.success());
    let _running = team.site.start();
    let said = team.connect("claude-hooks", Some(RIGHT));
    assert!(!said.contains("waited"), "{said}");
    assert_eq!(team.stored("other"), Vec::<String>::new());
    assert!(team.status().contains("1 event of hooks waits for"), "{}", team.status());
}

#[test]
fn taking_hooks_out_names_what_was_not_sent_and_connecting_again_sends_it() {
    let team = Team::asking_for(RIGHT);
    team.connect("claude-hooks", Some(WRONG));
    for text in ["one", "two"] {
        team.prompt("claude-hooks", text);
    }
    let [spool] = &team.spools()[..] else { panic!("{:?}", team.spools()) };
    for words in [&["connect", "claude-hooks", "--remove"][..], &["connect", "--all", "--remove"]] {
        let (code, said) = team.machine.run(words);
        assert_eq!(code, 0, "{said}");
        assert!(
            said.contains("2 events of its hooks") && said.contains(&spool.display().to_string()),
            "{said}"
        );
        assert!(said.contains("`skillspan connect claude-hooks --write`"), "{said}");
        team.connect("claude-hooks", Some(WRONG));
    }
    assert_eq!(team.machine.run(&["connect", "claude-hooks", "--remove"]).0, 0);
    let status = team.status();
    assert!(
        status.contains("2 events of hooks wait") && status.contains("its hooks were taken out"),
        "{status}"
    );
    let _running = team.site.start();
    let said = team.connect("claude-hooks", Some(RIGHT));
    assert!(said.contains("sent 2 events of hooks that waited"), "{said}");
    assert_eq!(team.stored("claude-hooks"), ["one", "two"]);
    let (_, said) = team.machine.run(&["connect", "claude-hooks", "--remove"]);
    assert!(!said.contains("events of its hooks"), "nothing waits: {said}");
}

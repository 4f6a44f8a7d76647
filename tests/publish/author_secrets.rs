//! What an author is shown: 600 secrets and names are planted, and every request is read.

use serde_json::json;
use skillspan::event::Status;
use skillspan::service::wording::Step;
use skillspan::skillify::llm::Budget;
use skillspan::table::Session;

use super::author::{nonsense, run, settings};
use super::model_server::{Behaviour, Server};
use super::sessions::session;

/// Credentials, names, addresses, hosts and folders, each once, in every place that a session has.
fn planted() -> (Vec<Session>, Vec<String>) {
    let letters = |seed: usize, length: usize| -> String {
        const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
        let mut state = (seed as u64 + 7).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (0..length)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ALPHABET[(state >> 33) as usize % ALPHABET.len()] as char
            })
            .collect()
    };
    let word = |seed: usize| -> String {
        letters(seed, 9).to_lowercase().replace(|char: char| char.is_ascii_digit(), "x")
    };
    let (mut sessions, mut secrets) = (Vec::new(), Vec::new());
    for number in 0..60 {
        let base = number * 10;
        let person = format!("{}.{}@{}.example", word(base), word(base + 1), word(base + 2));
        let github = format!("ghp_{}", letters(base + 3, 36));
        let openai = format!("sk-{}", letters(base + 4, 40));
        let password = format!("Pw{}7!", letters(base + 5, 10));
        let address = format!("{}@{}.example", word(base + 6), word(base + 7));
        let host = format!("https://{}.internal.example/x", word(base + 8));
        let home = word(base + 9);
        secrets.extend([
            word(base),
            word(base + 1),
            github.clone(),
            openai.clone(),
            password.clone(),
            address.clone(),
            format!("{}.internal", word(base + 8)),
            format!("/home/{home}"),
            word(base + 6),
            word(base + 2),
        ]);
        let first = format!("{}{}", word(base)[..1].to_uppercase(), &word(base)[1..]);
        sessions.push(
            session(&format!("p{number:02}"))
                .by(&person)
                .on(number as i64)
                .prompt(&format!("Deploy the topic{number} and the thing{number} with {github}, says {first}. Ask {address} or see {host}"))
                .run_with_output(
                    &format!("make deploy TOKEN={openai}"),
                    Status::Error,
                    &format!("error: password={password} refused for {person} at {host}"),
                )
                .edit(&format!("/home/{home}/src/shop/app{number}.py"))
                .refused_with(&format!("curl -H 'Authorization: Bearer {github}' {host}"), &format!("no, never send topic{number} or {openai} to {host}, {first}"))
                .prompt(&format!("No, that's wrong for topic{number}. My password is {password}; write to {address} in /home/{home}/notes"))
                .tool(
                    "Write",
                    &json!({ "file_path": format!("cfg/{number}.env"), "content": format!("password={password}\nkey={github}") }).to_string(),
                    Status::Ok,
                    "",
                )
                .run_with_output("make check", Status::Error, &format!("fatal: {home} {person}: error {openai}"))
                .ok("make check")
                .build(),
        );
    }
    (sessions, secrets)
}

#[test]
fn six_hundred_planted_secrets_and_names_are_in_no_request() {
    let server = Server::start(vec![Behaviour::Words(nonsense)]);
    let step = Step::new(&settings(&server, Budget::default()), None).unwrap();
    let (sessions, secrets) = planted();
    assert_eq!(secrets.len(), 600);
    let (_, tally) = run(&step, &sessions);
    let requests: Vec<String> =
        server.requests().iter().map(|(_, body)| body.to_string().to_lowercase()).collect();
    assert!(requests.len() >= 3, "{tally}");
    assert!(requests.iter().any(|request| request.contains("make check")), "the excerpts are there");
    let told: Vec<&String> = secrets
        .iter()
        .filter(|secret| requests.iter().any(|request| request.contains(&secret.to_lowercase())))
        .collect();
    assert_eq!(told, Vec::<&String>::new());
    for id in ["p00", "acme", "git.example.com"] {
        assert!(requests.iter().all(|request| !request.contains(&format!("\"{id}"))), "{id}");
    }
}

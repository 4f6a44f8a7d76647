//! Texts that are made to keep redaction busy: others are served beside them, and a stop is obeyed.

use crate::support::{pair, prompt, site, text};

fn request(session: &str, words: &str) -> Vec<u8> {
    serde_json::to_vec(&prompt(session, vec![pair("prompt", text(words))])).unwrap()
}

/// What took redaction longest for each of its letters.
const PIECES: [&str; 8] =
    ["sig=", "pypi-", "login -a ", "eyJ", "curl ('", "xoxb-", "AccountKey=", "-----BEGIN PRIVATE KEY-----"];

#[test]
fn hostile_texts_are_answered_and_keep_nobody_from_being_served() {
    let site = site(&[], "");
    let running = site.start();
    let hostile: Vec<Vec<u8>> =
        PIECES.iter().map(|piece| request("hostile", &piece.repeat((300 << 10) / piece.len()))).collect();
    std::thread::scope(|scope| {
        for body in &hostile {
            scope.spawn(|| assert_eq!(site.post("/v1/logs", "application/json", body.clone()), 200));
        }
        for number in 0..20 {
            let body = request(&format!("ordinary-{number}"), "Add a retry to the billing client.");
            assert_eq!(site.post("/v1/logs", "application/json", body), 200);
        }
    });
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn a_stop_is_obeyed_while_hostile_texts_are_redacted() {
    let site = site(&[], "");
    let running = site.start();
    let words: Vec<String> = PIECES.iter().map(|piece| piece.repeat((250 << 10) / piece.len())).collect();
    let attributes = (0..8).flat_map(|copy| {
        words
            .iter()
            .enumerate()
            .map(move |(number, words)| pair(format!("note.{copy}.{number}"), text(words)))
    });
    let body = serde_json::to_vec(&prompt("hostile", attributes.collect())).unwrap();
    let url = format!("http://127.0.0.1:{}/v1/logs", site.http);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (url, body) = (&url, body.clone());
            scope.spawn(move || {
                let request = crate::site::client().post(url).header("content-type", "application/json");
                // Answered or cut: the client sends it again.
                let _ = request.body(body).send();
            });
        }
        assert_eq!(running.terminate(), Some(0));
    });
}

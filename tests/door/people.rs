//! Who sends: where a credential names a person, the payload does not.

use reqwest::blocking::Client;

use crate::site::Site;
use crate::support::{pair, prompt, site, text};

const AUTH: &str = "  auth:
    tokens:
      - { id: ana, secret: token-of-ana-0123456789abcdef, tenant: acme, user: 'Ana <Ana@Example.com>' }
      - { id: ci, secret: token-of-ci-0123456789abcdef, tenant: acme }
      - { id: far, secret: token-of-far-0123456789abcdef, tenant: other }
  sessions_table:";

/// Sends a session that calls its person `says`.
fn send(site: &Site, token: &str, session: &str, says: Option<&str>) {
    let mut attributes = vec![pair("prompt", text("hello"))];
    attributes.extend(says.map(|says| pair("user.email", text(says))));
    let body = serde_json::to_vec(&prompt(session, attributes)).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("http://127.0.0.1:{}/v1/logs", site.http)).body(body);
    let request = request.header("content-type", "application/json").bearer_auth(token);
    assert_eq!(request.send().unwrap().status(), 200, "{session}");
}

#[test]
fn a_credential_that_names_a_person_is_that_person_and_no_other_credential_is() {
    let site = site(&[("  sessions_table:", AUTH)], "");
    let running = site.start();
    let (ana, ci, far) =
        ("token-of-ana-0123456789abcdef", "token-of-ci-0123456789abcdef", "token-of-far-0123456789abcdef");
    let cases = [
        ("silent", ana, None, "ana@example.com"),
        ("says-bob", ana, Some("bob@example.com"), "ana@example.com"),
        ("says-ana", ana, Some("ana@example.com"), "ana@example.com"),
        ("bob", ci, Some("bob@example.com"), "bob@example.com"),
        ("nobody", ci, None, ""),
        ("forged", ci, Some("ana@example.com"), ""),
        ("forged-case", ci, Some("ANA@example.COM"), ""),
        ("forged-tag", ci, Some("ana+ci@example.com"), ""),
        ("forged-form", ci, Some("Me <ana@example.com>"), ""),
        ("elsewhere", far, Some("ana@example.com"), "ana@example.com"),
    ];
    for (session, token, says, _) in &cases {
        send(&site, token, session, *says);
    }
    assert_eq!(running.terminate(), Some(0));
    let listed = site.sessions();
    for (session, _, says, person) in &cases {
        let found = listed.iter().find(|listed| listed["id"] == *session);
        let found = found.unwrap_or_else(|| panic!("{session} is not in {listed:?}"));
        assert_eq!(found["user_id"], *person, "{session} says {says:?}: {found}");
    }
}

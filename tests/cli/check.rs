//! `connect --check`: what a client sends arrives, or why it does not; and nothing of it is kept.

use std::fs;
use std::io::Read;
use std::net::TcpListener;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::connect_all::Machine;
use crate::support::{Site, eventually};

const TOKEN: &str = "a-token-of-enough-length";
const WHOSE: [&str; 4] = ["--workspace", "my shop", "--user", "Ana@Example.com"];

/// What connects by a file of its own.
const CLIENTS: &[&str] = &[
    "claude-code",
    "codex",
    "gemini-cli",
    "qwen",
    "openclaw",
    "hermes",
    "claude-hooks",
    "hermes-hooks",
    "cursor",
    "cline",
    "pi",
    "copilot-hooks",
];
/// Whose settings have no place for a person.
const NAMELESS: &[&str] = &["openclaw", "hermes"];

#[test]
fn every_client_is_told_what_arrives_and_nothing_of_it_is_kept() {
    let site = Site::new("default");
    site.edit_config(&[("from: []", "from: [skillspan.workspace, workspace]")]);
    let _running = site.start();
    let endpoint = format!("http://127.0.0.1:{}", site.http);
    for client in CLIENTS {
        let machine = Machine::with(&[], &[]);
        let (code, said) = machine.run(&["connect", client, "--check"]);
        assert_eq!(code, 1, "{client} is not connected: {said}");
        let write = ["connect", client, "--write", "--endpoint", &endpoint];
        let (code, said) = machine.run(&[&write[..], &WHOSE[..]].concat());
        assert_eq!(code, 0, "{said}");
        let (code, said) = machine.run(&["connect", client, "--check"]);
        assert_eq!(code, 0, "{said}");
        assert!(
            said.contains(&format!("arrived at {endpoint}")) && said.contains("content    prompt"),
            "{said}"
        );
        let is_named = said.contains("workspace  my shop") && said.contains("person     ana@example.com");
        assert_eq!(is_named, !NAMELESS.contains(client), "{said}");
    }
    assert_eq!(site.sessions(), Vec::<serde_json::Value>::new(), "nothing is stored");
}

#[test]
fn clients_of_the_environment_are_asked_as_their_variables_say() {
    let site = Site::new("default");
    let _running = site.start();
    let endpoint = format!("http://127.0.0.1:{}", site.http);
    for client in ["copilot", "opencode", "langfuse", "otel-python", "otel-js"] {
        let machine = Machine::with(&[], &[]);
        let mut variables = vec![("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), endpoint.clone())];
        if client == "opencode" {
            assert_eq!(machine.run(&["connect", client, "--write"]).0, 0);
        } else {
            let (_, shown) = machine.run(&["connect", client, "--endpoint", &endpoint]);
            let lines = shown.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
            variables =
                lines.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect();
        }
        let (code, said) = machine.run_with(&["connect", client, "--check"], &variables);
        assert_eq!(code, 0, "{client}: {said}");
        assert!(said.contains("arrived") && said.contains("prompt"), "{said}");
        let (code, said) = machine.run(&["connect", client, "--check"]);
        let lacks = if client == "opencode" { "is not set, as in this shell" } else { "does not set" };
        assert!(code == 1 && said.contains(lacks), "{client}: {said}");
    }
}

/// A team's server: TLS by an authority of its own, and a token.
fn team(token: &str) -> (Site, String) {
    let site = Site::new("default");
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    fs::write(site.path("ca.pem"), authority.pem()).unwrap();
    fs::write(site.path("tls.pem"), certificate.pem()).unwrap();
    fs::write(site.path("tls.key"), key.serialize_pem()).unwrap();
    let root = site.folder.path().display();
    let plain = format!("endpoint: 127.0.0.1:{}", site.http);
    let tls = format!("{plain}, tls: {{ cert_file: {root}/tls.pem, key_file: {root}/tls.key }}");
    let auth = format!(
        "extensions:\n  auth: {{ tokens: [{{ id: ana, secret: {token}, tenant: acme, workspace: shop }}] }}"
    );
    site.edit_config(&[(plain.as_str(), tls.as_str()), ("extensions:", auth.as_str())]);
    let endpoint = format!("https://localhost:{}", site.http);
    (site, endpoint)
}

#[test]
fn a_laptop_is_told_what_the_teams_server_makes_of_it() {
    let (site, endpoint) = team(TOKEN);
    let _running = site.start();
    let authority = site.path("ca.pem").display().to_string();
    let trusted = |name: &str| vec![(name.to_owned(), authority.clone())];
    for client in ["claude-code", "gemini-cli", "codex", "claude-hooks"] {
        let machine = Machine::with(&[], &[]);
        // What a client of the system trusts, and what one of Node's does.
        let trusts =
            if ["codex", "claude-hooks"].contains(&client) { "SSL_CERT_FILE" } else { "NODE_EXTRA_CA_CERTS" };
        let write = ["connect", client, "--write", "--endpoint", &endpoint, "--user", "ana@example.com"];
        let check = ["connect", client, "--check"];
        assert_eq!(machine.run(&write).0, 0);
        let (code, said) = machine.run(&check);
        assert!(
            code == 1 && said.contains("certificate") && said.contains("not trusted"),
            "{client}: {said}"
        );
        let (code, said) = machine.run_with(&check, &trusted(trusts));
        assert!(code == 1 && said.contains("asks for a token (401)"), "{client}: {said}");
        for (token, arrives) in [("another-token-of-enough-length", false), (TOKEN, true)] {
            let (code, said) = machine.run(&[&write[..], &["--token", token]].concat());
            assert_eq!(code, 0, "{said}");
            let (code, said) = machine.run_with(&check, &trusted(trusts));
            assert_eq!(code, i32::from(!arrives), "{client}: {said}");
            assert!(!said.contains("enough-length"), "a token is never printed: {said}");
            match arrives {
                true => {
                    assert!(said.contains("workspace  shop") && said.contains("tenant     acme"), "{said}")
                }
                false => assert!(said.contains("does not know the token (401)"), "{client}: {said}"),
            }
        }
        // What the check trusts and the client does not.
        let (_, said) = machine.run_with(&check, &trusted("SSL_CERT_FILE"));
        let is_told = said.contains("it trusts public authorities alone");
        assert_eq!(is_told, client == "gemini-cli", "{client}: {said}");
        // A name that the certificate is not for.
        let other = endpoint.replace("localhost", "127.0.0.1");
        assert_eq!(machine.run(&["connect", client, "--write", "--replace", "--endpoint", &other]).0, 0);
        let (code, said) = machine.run_with(&check, &trusted(trusts));
        assert!(code == 1 && said.contains("is for another name"), "{client}: {said}");
        // The wrong scheme.
        let plain = endpoint.replace("https", "http");
        assert_eq!(machine.run(&["connect", client, "--write", "--replace", "--endpoint", &plain]).0, 0);
        let (code, said) = machine.run(&check);
        assert!(code == 1 && said.contains("https://"), "{client}: {said}");
    }
}

#[test]
fn what_stands_in_the_way_is_named() {
    let machine = Machine::with(&[], &[]);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let told = |endpoint: &str| {
        for client in ["codex", "claude-hooks"] {
            let write = ["connect", client, "--write", "--replace", "--endpoint", endpoint];
            assert_eq!(machine.run(&write).0, 0);
        }
        ["codex", "claude-hooks"].map(|client| {
            let (code, said) = machine.run(&["connect", client, "--check"]);
            assert_eq!(code, 1, "{said}");
            said
        })
    };
    for said in told(&format!("http://{closed}")) {
        assert!(said.contains("nothing listens at"), "{said}");
    }
    for said in told("http://no-such-machine.invalid:4318") {
        assert!(said.contains("no machine is known"), "{said}");
    }
    // Something else answers.
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in other.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let answer = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _ = std::io::Write::write_all(&mut stream, answer.as_bytes());
        }
    });
    for said in told(&format!("http://{address}")) {
        assert!(said.contains("no skillspan listens there"), "{said}");
    }
    for said in told(&format!("https://{address}")) {
        assert!(said.contains("speaks no TLS"), "{said}");
    }
}

#[test]
fn a_switch_that_withholds_is_named_and_so_is_an_opt_out() {
    let site = Site::new("default");
    let _running = site.start();
    let endpoint = format!("http://127.0.0.1:{}", site.http);
    let machine = Machine::with(&[], &[]);
    assert_eq!(machine.run(&["connect", "claude-code", "--write", "--endpoint", &endpoint]).0, 0);
    let path = ".claude/settings.json";
    let written = machine.read(path);
    machine.write(
        path,
        &written.replace("\"OTEL_LOG_USER_PROMPTS\": \"1\"", "\"OTEL_LOG_USER_PROMPTS\": \"0\""),
    );
    let (code, said) = machine.run(&["connect", "claude-code", "--check"]);
    assert!(code == 0 && said.contains("content    none: OTEL_LOG_USER_PROMPTS is not on"), "{said}");
    assert!(said.contains("person     nobody"), "{said}");
    let out = vec![("OTEL_RESOURCE_ATTRIBUTES".to_owned(), "skillspan.capture=false".to_owned())];
    let (code, said) = machine.run_with(&["connect", "claude-code", "--check"], &out);
    assert!(code == 1 && said.contains("leaves its sessions out"), "{said}");
    assert_eq!(machine.run(&["connect", "cursor", "--write", "--endpoint", &endpoint]).0, 0);
    machine.write(".skillspan.yaml", "capture: false\n");
    let (code, said) = machine.run(&["connect", "cursor", "--check"]);
    assert!(code == 1 && said.contains(".skillspan.yaml"), "{said}");
}

/// A collector of a version without checks stores what it is sent, unless the record forbids it.
#[test]
fn a_marked_record_forbids_to_be_stored_whoever_gets_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let machine = Machine::with(&[], &[]);
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = vec![0; 65_536];
            let mut length = 0;
            // Head and body may come apart.
            while !bytes[..length].windows(17).any(|window| window == b"skillspan.capture") {
                let read = stream.read(&mut bytes[length..]).unwrap();
                if read == 0 {
                    break;
                }
                length += read;
            }
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
            let _ = std::io::Write::write_all(&mut stream, answer.as_bytes());
            sender.send(String::from_utf8_lossy(&bytes[..length]).into_owned()).unwrap();
        }
    });
    for client in ["claude-code", "gemini-cli", "openclaw", "cursor"] {
        assert_eq!(machine.run(&["connect", client, "--write", "--endpoint", &endpoint]).0, 0);
        let (code, said) = machine.run(&["connect", client, "--check"]);
        assert!(code == 1 && said.contains("said nothing of the check"), "{said}");
        let sent = receiver.recv_timeout(std::time::Duration::from_secs(30)).unwrap();
        assert!(sent.contains("skillspan.capture") && sent.contains("false"), "{client}: {sent}");
    }
    // And one of ours that is sent the same without the question stores nothing.
    let site = Site::new("default");
    let _running = site.start();
    let prompt =
        r#"{"hook_event_name":"UserPromptSubmit","session_id":"s","prompt":"x","skillspan.capture":"false"}"#;
    assert_eq!(site.post("/v1/hooks/claude", "application/json", prompt.into()), 200);
    eventually("an empty table", || site.sessions().is_empty());
}

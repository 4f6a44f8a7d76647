//! Who gets in over HTTP and gRPC, and what their credential decides.

use std::time::Duration;

use base64::Engine;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use prost::Message;
use reqwest::blocking::{Client, Response};
use tonic::metadata::MetadataValue;
use tonic::{Code, Request};
use tonic_types::{StatusExt, pb};

use crate::site::{Site, eventually, outcome, skillspan};
use crate::support::{files, pair, prompt, site, span, table_texts, text};

const SHOP: &str = "shop-token-0123456789abcdef";
const SHOP_NEXT: &str = "shop-token-next-0123456789";
const OTHER: &str = "other-token-0123456789abcd";
const AUTH: &str = "  auth:
    tokens:
      - { id: pk-shop, secret: \"${file:{root}/shop.token}\", tenant: acme, workspace: shop }
      - { id: pk-next, secret: \"${file:{root}/next.token}\", tenant: acme, workspace: shop }
      - { id: pk-other, secret: \"${file:{root}/other.token}\", tenant: \"../other\", workspace: \"a/b\" }
  sessions_table:";

fn guarded(more: &str) -> Site {
    let site = site(&[("  sessions_table:", AUTH)], more);
    for (name, token) in [("shop", SHOP), ("next", SHOP_NEXT), ("other", OTHER)] {
        std::fs::write(site.path(&format!("{name}.token")), format!("{token}\n")).unwrap();
    }
    site
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn basic(pair: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

/// Posts a prompt as JSON with these headers.
fn post(site: &Site, headers: &[(&str, &str)], note: &str) -> Response {
    post_of(site, headers, "s", note)
}

fn post_of(site: &Site, headers: &[(&str, &str)], session: &str, note: &str) -> Response {
    let body = serde_json::to_vec(&prompt(session, vec![pair("prompt", text(note))])).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().build().unwrap();
    let mut request = client.post(format!("http://127.0.0.1:{}/v1/logs", site.http)).body(body);
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().unwrap()
}

/// Exports a prompt over gRPC with these headers.
fn export(site: &Site, headers: &[(&'static str, &str)], note: &str) -> Result<(), tonic::Status> {
    let mut request = Request::new(prompt("s", vec![pair("prompt", text(note))]));
    for (name, value) in headers {
        request.metadata_mut().insert(*name, MetadataValue::try_from(*value).unwrap());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut client = LogsServiceClient::connect(format!("http://127.0.0.1:{}", site.grpc)).await.unwrap();
        client.export(request).await.map(drop)
    })
}

#[test]
fn only_a_known_credential_gets_in_over_either_protocol() {
    let site = guarded("");
    let running = site.start();
    let matrix = [
        ("no credential", None, false),
        ("an empty one", Some("Bearer ".to_owned()), false),
        ("a wrong token", Some(bearer("wrong-token-0123456789abcdef")), false),
        ("a token wrong at its end", Some(bearer(&SHOP.replace("ef", "e0"))), false),
        ("a token cut short", Some(bearer(&SHOP[..20])), false),
        ("a token with more behind it", Some(bearer(&format!("{SHOP}x"))), false),
        ("another scheme", Some(format!("Digest {SHOP}")), false),
        ("the token alone", Some(SHOP.to_owned()), false),
        ("a pair with another's id", Some(basic(&format!("pk-other:{SHOP}"))), false),
        ("a pair without a colon", Some(basic(SHOP)), false),
        ("no base64", Some("Basic %%%".to_owned()), false),
        ("the token", Some(bearer(SHOP)), true),
        ("the scheme in lower case", Some(format!("bearer {SHOP}")), true),
        ("the next token of the same tenant", Some(bearer(SHOP_NEXT)), true),
        ("the pair", Some(basic(&format!("pk-shop:{SHOP}"))), true),
    ];
    for (what, credential, gets_in) in &matrix {
        let headers: Vec<(&'static str, &str)> =
            credential.iter().map(|value| ("authorization", value.as_str())).collect();
        let note = format!("{} http", what.replace(' ', "-"));
        let answer = post(&site, &headers, &note);
        let rpc = export(&site, &headers, &note.replace("http", "grpc"));
        if *gets_in {
            assert_eq!((answer.status().as_u16(), rpc.is_ok()), (200, true), "{what}");
            continue;
        }
        assert_eq!(answer.status(), 401, "{what}");
        assert!(answer.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer"), "{what}");
        let status: serde_json::Value = answer.json().unwrap();
        assert_eq!(status["code"], i32::from(Code::Unauthenticated), "{what}: {status}");
        assert_eq!(rpc.unwrap_err().code(), Code::Unauthenticated, "{what}");
    }
    assert_eq!(running.terminate(), Some(0));
    let table = table_texts(&site.path("sessions"));
    for (what, _, gets_in) in &matrix {
        let what = what.replace(' ', "-");
        for protocol in ["http", "grpc"] {
            assert_eq!(table.contains(&format!("{what} {protocol}\n")), *gets_in, "{what} over {protocol}");
        }
    }
    // The start's notice names the option.
    let log = site.log().replace("--token-file", "");
    assert!(!log.contains("-token-"), "{log}");
}

#[test]
fn a_refusal_has_the_encoding_of_its_request() {
    let site = guarded("");
    let _running = site.start();
    let answer = post(&site, &[("content-type", "application/x-protobuf")], "x");
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (401, &"application/x-protobuf".parse().unwrap())
    );
    let status = pb::Status::decode(answer.bytes().unwrap()).unwrap();
    assert_eq!(status.code, i32::from(Code::Unauthenticated));
}

#[test]
fn the_credential_decides_where_and_the_payload_only_narrows() {
    let site = guarded("").with_workspaces();
    let running = site.start();
    let long = "w".repeat(300);
    let workspaces =
        ["billing", "../x", "a/b", "/etc", "%2e%2e", "..", "日本語", "a\u{0}b", "owner_tenant=other", &long];
    for workspace in workspaces {
        for (token, id) in [(SHOP, "acme"), (OTHER, "other")] {
            let request = span(&format!("{id}-{workspace}"), 7, |span, resource| {
                span.attributes.push(pair("workspace", text(workspace)));
                span.attributes.push(pair("tenant", text("nobody")));
                resource.attributes.push(pair("owner_tenant", text("nobody")));
            });
            let _ = rustls::crypto::ring::default_provider().install_default();
            let client = Client::builder().no_proxy().build().unwrap();
            let answer = client
                .post(format!("http://127.0.0.1:{}/v1/traces", site.http))
                .header("authorization", bearer(token))
                .header("x-scope-orgid", "nobody")
                .header("content-type", "application/x-protobuf")
                .body(request.encode_to_vec())
                .send()
                .unwrap();
            assert_eq!(answer.status(), 200, "{workspace}");
        }
    }
    assert_eq!(running.terminate(), Some(0));
    let root = site.path("sessions").join("v1");
    let mut owners: Vec<String> = files(&root)
        .iter()
        .map(|path| {
            path.strip_prefix(&root)
                .unwrap()
                .iter()
                .take(2)
                .map(|part| part.to_string_lossy())
                .collect::<Vec<_>>()
                .join("/")
        })
        .collect();
    owners.sort();
    owners.dedup();
    assert_eq!(
        owners,
        ["owner_tenant=..%2Fother/owner_workspace=a%2Fb", "owner_tenant=acme/owner_workspace=shop"]
    );
    let acme = table_texts(&root.join("owner_tenant=acme"));
    let other = table_texts(&root.join("owner_tenant=..%2Fother"));
    for workspace in workspaces {
        assert!(acme.contains(&format!("acme-{workspace}\n")) && !acme.contains("other-"), "{workspace}");
        assert!(other.contains(&format!("other-{workspace}\n")) && !other.contains("acme-"), "{workspace}");
    }
    assert!(!acme.contains("\nnobody\n../other"), "the tenant's column is the credential's");
    site.run(&["skillify"]);
    let outside: Vec<_> = files(site.folder.path())
        .into_iter()
        .filter(|path| {
            !["sessions", "journal", "skills"].iter().any(|known| path.starts_with(site.path(known)))
        })
        .map(|path| path.file_name().unwrap().to_owned())
        .collect();
    assert_eq!(outside.len(), 5, "configuration, log and three tokens: {outside:?}");
}

#[test]
fn a_token_is_revoked_and_another_given_without_a_restart() {
    let site = guarded("");
    let _running = site.start();
    let status = |token: &str| post(&site, &[("authorization", &bearer(token))], "x").status().as_u16();
    let new = "shop-token-renewed-0123456789";
    assert_eq!((status(SHOP), status(new)), (200, 401));
    std::fs::write(site.path("shop.token"), new).unwrap();
    eventually("the new token", || status(new) == 200);
    assert_eq!((status(SHOP), status(OTHER)), (401, 200));
    // What cannot be read changes nothing.
    std::fs::write(site.path("shop.token"), "short").unwrap();
    eventually("a warning", || site.log().contains("the tokens of before stay"));
    assert_eq!(status(new), 200);
    assert!(!site.log().contains(new) && !site.log().contains("`short`"), "{}", site.log());
}

#[test]
fn one_tenants_load_does_not_touch_another() {
    let rates = "  limits: { attribute: 256KiB, per_tenant: { requests: 1/s, bytes: 50MiB/s } }\nexporters:";
    let site = site(&[("  sessions_table:", AUTH), ("exporters:", rates)], "");
    for (name, token) in [("shop", SHOP), ("next", SHOP_NEXT), ("other", OTHER)] {
        std::fs::write(site.path(&format!("{name}.token")), token).unwrap();
    }
    let _running = site.start();
    let authorization = bearer(SHOP);
    let refused = (0..40)
        .map(|_| post(&site, &[("authorization", &authorization)], "x"))
        .find(|answer| answer.status() != 200)
        .expect("forty requests within forty seconds");
    assert_eq!(refused.status(), 429);
    assert!(refused.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    let status: serde_json::Value = refused.json().unwrap();
    assert_eq!(status["code"], i32::from(Code::ResourceExhausted), "{status}");
    assert!(status["details"][0]["retryDelay"].is_string(), "{status}");
    let refused =
        (0..40).find_map(|_| export(&site, &[("authorization", &authorization)], "x").err()).unwrap();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(refused.get_details_retry_info().unwrap().retry_delay.unwrap() >= Duration::from_secs(1));
    assert_eq!(post(&site, &[("authorization", &bearer(OTHER))], "x").status(), 200);
}

#[test]
fn what_asks_not_to_be_stored_is_not() {
    let site = site(&[], "");
    let running = site.start();
    let off = || pair("skillspan.capture", text("false"));
    assert_eq!(post(&site, &[("x-skillspan-capture", "false")], "note-of-header").status(), 200);
    export(&site, &[("x-skillspan-capture", "false")], "note-of-metadata").unwrap();
    // Another session: the one that opted out is forgotten as a whole.
    let yes = post_of(&site, &[("x-skillspan-capture", "true")], "kept", "note-of-yes");
    assert_eq!(yes.status(), 200);
    let json = |body| site.post("/v1/logs", "application/json", serde_json::to_vec(&body).unwrap());
    assert_eq!(json(prompt("s", vec![off(), pair("prompt", text("note-of-record"))])), 200);
    let mut of_resource =
        prompt("s", vec![pair("prompt", text("note-of-resource")), pair("skillspan.capture", text("true"))]);
    of_resource.resource_logs[0].resource.as_mut().unwrap().attributes.push(off());
    assert_eq!(json(of_resource), 200);
    assert_eq!(json(prompt("kept", vec![pair("prompt", text("note-of-nothing"))])), 200);
    assert_eq!(running.terminate(), Some(0));
    let table = table_texts(&site.path("sessions"));
    assert!(table.contains("note-of-nothing") && table.contains("note-of-yes"), "{table}");
    for path in files(site.folder.path()) {
        let bytes = std::fs::read(&path).unwrap();
        for note in ["header", "metadata", "record", "resource"] {
            let note = format!("note-of-{note}");
            assert!(memchr::memmem::find(&bytes, note.as_bytes()).is_none(), "{note} in {}", path.display());
            assert!(!table.contains(&note), "{note} in the table");
        }
    }
}

#[test]
fn web_pages_cannot_write() {
    let site = guarded("");
    let _running = site.start();
    let authorization = bearer(SHOP);
    for headers in [
        &[("origin", "https://evil.example"), ("authorization", &authorization)][..],
        &[("origin", "null")],
        &[("origin", "http://127.0.0.1:4318"), ("authorization", &authorization)],
    ] {
        assert_eq!(post(&site, headers, "x").status(), 403, "{headers:?}");
        assert_eq!(export(&site, headers, "x").unwrap_err().code(), Code::PermissionDenied, "{headers:?}");
    }
    for simple in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
        let answer = post(&site, &[("content-type", simple), ("authorization", &authorization)], "x");
        assert_eq!(answer.status(), 415, "{simple}");
    }
}

#[test]
fn a_token_that_is_none_is_refused_and_never_shown() {
    let token = "a-secret-that-must-not-be-shown";
    for (auth, expected) in [
        ("{ tokens: [] }", "extensions.auth: nobody could send"),
        (
            "{ tokens: [{ id: a, secret: short, tenant: t }] }",
            "extensions.auth.tokens.0: a token has at least 16 characters",
        ),
        (
            "{ tokens: [{ id: a, tenant: t }] }",
            "extensions.auth.tokens.0: write either `secret` or `secret_sha256`",
        ),
        (
            "{ tokens: [{ id: a, secret_sha256: TOKEN, tenant: t }] }",
            "extensions.auth.tokens.0: a hash is 64 hex digits",
        ),
        (
            "{ tokens: [{ id: a, secret: TOKEN, tenant: '' }] }",
            "extensions.auth.tokens.0.tenant: a name has 1 to 200 bytes",
        ),
        (
            "{ tokens: [{ id: 'a:b', secret: TOKEN, tenant: t }] }",
            "extensions.auth.tokens.0.id: a `:` ends the id",
        ),
        (
            "{ tokens: [{ id: a, secret: TOKEN, tenant: t }, { id: b, secret: TOKEN, tenant: u }] }",
            "extensions.auth.tokens.1: another entry has the same token",
        ),
        (
            "{ tokens: [{ id: a, secret: TOKEN, tenant: t, user: unknown }] }",
            "extensions.auth.tokens.0.user: it names nobody",
        ),
        (
            "{ tokens: [{ id: a, secret: TOKEN, tenant: t, user: 0f8fad5b-d9cb-469f-a165-70867728950e }] }",
            "extensions.auth.tokens.0.user: it names nobody",
        ),
        ("{ tokens: TOKEN }", "extensions.auth.tokens: expected a list"),
        ("{ tokens: [TOKEN] }", "extensions.auth.tokens.0: expected"),
        ("TOKEN", "extensions.auth: expected"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.yaml");
        std::fs::write(&file, format!("extensions: {{ auth: {} }}\n", auth.replace("TOKEN", token))).unwrap();
        let (code, stdout, stderr) = outcome(skillspan().arg("validate").arg("--config").arg(&file));
        assert_eq!(code, 64, "{auth}: {stderr}");
        assert!(stderr.contains(expected), "{auth}: {stderr}");
        assert!(!format!("{stdout}{stderr}").contains(token), "{auth}: {stderr}");
    }
}

#[test]
fn doors_are_open_on_loopback_only_unless_it_is_said_otherwise() {
    let validate = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.yaml");
        std::fs::write(&file, text).unwrap();
        let (code, stdout, stderr) = outcome(skillspan().arg("validate").arg("--config").arg(&file));
        (code, stdout + &stderr)
    };
    let open = "receivers: { otlp: { protocols: { http: { endpoint: 0.0.0.0:4318 } } } }\n";
    let (code, said) = validate(open);
    assert!(code == 64 && said.contains("write extensions.auth, or say `insecure: true`"), "{said}");
    let auth = format!("extensions: {{ auth: {{ tokens: [{{ id: a, secret: {SHOP}, tenant: t }}] }} }}\n");
    let (code, said) = validate(&(auth + open));
    assert!(code == 0 && said.contains("tokens cross the network in clear text"), "{said}");
    assert!(!said.contains(SHOP), "{said}");
    let (code, _) = validate(
        "receivers: { otlp: { insecure: true, protocols: { http: { endpoint: 0.0.0.0:4318 } } } }\n",
    );
    assert_eq!(code, 0);
}

trait WithWorkspaces {
    fn with_workspaces(self) -> Self;
}

impl WithWorkspaces for Site {
    /// The payload's workspaces are read, as they are by default.
    fn with_workspaces(self) -> Self {
        let config = std::fs::read_to_string(self.config()).unwrap();
        std::fs::write(self.config(), config.replace("{ from: [], default: default }", "{}")).unwrap();
        self
    }
}

#[test]
fn a_web_page_gets_in_only_where_cors_names_it() {
    let cors = "http: { cors: { allowed_origins: [\"https://*.example.com\"], allowed_headers: [x-app] }, ";
    let site = site(&[("http: { ", cors)], "");
    let _running = site.start();
    let allowed = ("origin", "https://app.example.com");
    let answer = post(&site, &[allowed], "from an allowed page");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["access-control-allow-origin"], "https://app.example.com");
    assert_eq!(post(&site, &[("origin", "https://example.com.evil.org")], "from another").status(), 403);
    assert_eq!(post(&site, &[allowed, ("content-type", "text/plain")], "unasked").status(), 415);

    let ask = |origin: &str| {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().build().unwrap();
        let asking =
            client.request(reqwest::Method::OPTIONS, format!("http://127.0.0.1:{}/v1/logs", site.http));
        asking
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type, x-app")
            .send()
            .unwrap()
    };
    let granted = ask("https://app.example.com");
    assert_eq!(granted.headers()["access-control-allow-origin"], "https://app.example.com");
    assert_eq!(granted.headers()["access-control-allow-methods"], "POST");
    assert_eq!(granted.headers()["access-control-max-age"], "7200");
    let headers = granted.headers()["access-control-allow-headers"].to_str().unwrap();
    assert_eq!(headers, "authorization,content-encoding,content-type,x-app");
    assert!(!ask("https://evil.org").headers().contains_key("access-control-allow-origin"));

    let mut sessions = site.sessions();
    assert_eq!(sessions.len(), 1);
    let id = sessions.remove(0)["id"].as_str().unwrap().to_owned();
    assert!(!site.session(&id).to_string().contains("from another"));
}

//! Who comes in.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use crate::site::outcome;
use crate::visitor::{House, stories};

const PAGES: [&str; 6] = ["/", "/sessions", "/work", "/skills", "/review", "/report"];

#[test]
fn nobody_gets_in_without_a_key_or_a_session() {
    let house = House::open();
    house.send(&stories("s", "shop", "make db-up"));
    let stranger = house.stranger();
    for path in
        PAGES.iter().copied().chain(["/sessions/s-1", "/api/v1/sessions", "/api/v1/openapi.json", "/nothing"])
    {
        let answer = stranger.get_with(path, &[]);
        assert_eq!(answer.status, 401, "{path}");
        assert!(!answer.text.contains("integration tests"), "{path}: {}", answer.text);
    }
    let mut guessing = house.stranger();
    guessing.cookie = format!("skillspan-{}=0123456789abcdef", house.port);
    assert_eq!(guessing.get_with("/", &[]).status, 401);
    assert_eq!(stranger.get_with("/open?key=a.9999999999.b", &[]).status, 403);
    // The owner of the data does.
    assert!(house.owner().page("/sessions").contains("integration tests"));
}

#[test]
fn a_key_lets_in_once_and_its_secret_is_the_owners_alone() {
    let house = House::open();
    let secret = house.home().join("skillspan/console/secret");
    assert_eq!(std::fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
    let (_, address, _) = house.command(&["open", "--print"]);
    let path = address.trim().split_once(&format!(":{}", house.port)).unwrap().1;
    assert_eq!(house.stranger().get_with(path, &[]).status, 200);
    assert_eq!(house.stranger().get_with(path, &[]).status, 403, "a key lets in once");
    // Who knows another secret is told that it is not their console.
    let other = house.site.path("other");
    let mut command = crate::site::skillspan();
    let made = other.join("skillspan/console");
    std::fs::create_dir_all(&made).unwrap();
    std::fs::write(made.join("secret"), "0".repeat(64)).unwrap();
    std::fs::set_permissions(made.join("secret"), PermissionsExt::from_mode(0o600)).unwrap();
    command.env("XDG_DATA_HOME", &other).args(["open", "--print", "--config"]).arg(house.site.config());
    let (code, stdout, stderr) = outcome(&mut command);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("not a console of yours"), "{stderr}");
    // Who has never started one is told how.
    let mut command = crate::site::skillspan();
    let fresh = house.site.path("fresh");
    command.env("XDG_DATA_HOME", &fresh).args(["open", "--print", "--config"]).arg(house.site.config());
    let (code, _, stderr) = outcome(&mut command);
    assert_eq!(code, 1);
    assert!(
        stderr.contains("no skillspan has run with the data folder") && stderr.contains("fresh/skillspan"),
        "{stderr}"
    );
}

#[test]
fn a_session_ends_when_its_person_says_so() {
    let house = House::open();
    let owner = house.owner();
    let csrf = owner.csrf();
    assert_eq!(owner.post("/sign-out", &[("csrf", "wrong")]).status, 403);
    assert_eq!(owner.get("/").status, 200);
    assert_eq!(owner.post("/sign-out", &[("csrf", &csrf)]).status, 200);
    assert_eq!(owner.get("/").status, 401);
}

#[test]
fn forms_of_other_pages_and_other_names_are_refused() {
    let house = House::open();
    let owner = house.owner();
    let (csrf, own) = (owner.csrf(), format!("http://127.0.0.1:{}", house.port));
    let fields = [("csrf", csrf.as_str())];
    for headers in [
        vec![],
        vec![("origin", "null")],
        vec![("origin", "http://evil.example")],
        vec![("origin", "https://127.0.0.1")],
        vec![("origin", "http://127.0.0.1:1")],
    ] {
        assert_eq!(owner.post_with("/report", &fields, &headers).status, 403, "{headers:?}");
    }
    assert_eq!(owner.post_with("/report", &fields, &[("origin", &own)]).status, 303);
    for host in ["evil.example", "127.0.0.1.evil.example", ""] {
        assert_eq!(owner.get_with("/", &[("host", host)]).status, 421, "{host:?}");
    }
    assert_eq!(owner.get_with("/", &[("origin", "http://evil.example")]).status, 403);
    assert_eq!(owner.post("/api/v1/review/x", &fields).status, 403, "a program's request needs its token");
}

#[test]
fn what_cannot_be_answered_is_a_page_like_the_others_or_json() {
    let house = House::open();
    let owner = house.owner();
    for (path, status) in [
        ("/nothing", 404),
        ("/sessions/none", 404),
        ("/sessions/x?part=abc", 400),
        ("/sessions?outcome=banana", 400),
        ("/sessions?from=banana", 400),
        ("/sessions?after=nowhere", 400),
        ("/skills/x/claims/abc", 404),
        ("/skills/x/claims/-1", 404),
        ("/sessions/%FF", 404),
    ] {
        let answer = owner.get(path);
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        assert!(answer.text.contains("<nav aria-label=\"Pages\">"), "{path}: {}", answer.text);
        let own =
            ["deserialize", "Cannot parse", "invalid digit"].iter().all(|word| !answer.text.contains(word));
        assert!(own, "{path} speaks of Rust: {}", answer.text);
        let answer = owner.get(&format!("/api/v1{path}"));
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        let error: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
        assert!(error["error"].is_string(), "{path}: {error}");
    }
    let answer = owner.post("/api/v1/sessions", &[]);
    assert_eq!(answer.status, 403, "a program's request needs its token");
    let stranger = house.stranger();
    assert_eq!(stranger.post("/api/v1/review/x", &[]).status, 401, "who it is comes first");
    let answer = owner.post("/skills", &[("csrf", &owner.csrf())]);
    assert_eq!(answer.status, 405);
    assert!(answer.text.contains("<nav"), "{}", answer.text);
}

#[test]
fn every_answer_says_what_a_browser_may_do_with_it() {
    let house = House::open();
    let (owner, stranger) = (house.owner(), house.stranger());
    let answers = [
        owner.get("/"),
        owner.get("/nothing"),
        owner.get("/api/v1/skills"),
        stranger.get_with("/", &[]),
        stranger.get_with("/sign-in", &[]),
        stranger.get_with("/static/console.css", &[]),
        stranger.get_with("/", &[("host", "evil.example")]),
    ];
    for answer in &answers {
        let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert_eq!(
            (header("x-frame-options").as_str(), header("x-content-type-options").as_str()),
            ("DENY", "nosniff")
        );
        let caching = header("cache-control");
        assert!(["no-store", "no-cache"].contains(&caching.as_str()), "{caching}");
    }
    assert_eq!(answers[0].headers["cache-control"], "no-store");
}

#[test]
fn a_port_that_is_taken_is_said_and_ends_the_start_only_where_somebody_chose_it() {
    let house = House::new();
    let listening = TcpListener::bind(("127.0.0.1", house.port));
    let listening = listening.unwrap_or_else(|error| panic!("{error}"));
    let (code, _, stderr) = house.command(&["run"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("extensions.console.endpoint") && stderr.contains("cannot listen"), "{stderr}");
    drop(listening);
    // Nobody chose it: whether the built-in port is free here or not, everything else runs.
    let _taken = TcpListener::bind("127.0.0.1:4320");
    house.site.edit_config(&[(&format!("  console: {{ endpoint: 127.0.0.1:{} }}\n", house.port), "")]);
    let mut house = house;
    house.start();
    assert!(
        house.site.log().contains("There is no console: cannot listen on 127.0.0.1:4320"),
        "{}",
        house.site.log()
    );
    house.send(&stories("s", "shop", "make db-up"));
    house.stop();
}

#[test]
fn there_is_none_where_nobody_wants_one() {
    let mut house = House::new();
    let endpoint = format!("endpoint: 127.0.0.1:{}", house.port);
    house.site.edit_config(&[(&format!("console: {{ {endpoint} }}"), "console: { enabled: false }")]);
    house.start();
    assert!(!house.site.log().contains("console"), "{}", house.site.log());
    let (code, _, stderr) = house.command(&["open", "--print"]);
    assert_eq!(code, 64);
    assert!(stderr.contains("there is no console"), "{stderr}");
}

#[test]
fn beyond_this_machine_it_takes_tokens_and_certificates() {
    let house = House::new();
    let own = format!("endpoint: 127.0.0.1:{}", house.port);
    house.site.edit_config(&[(&own, "endpoint: 0.0.0.0:0")]);
    let (code, _, stderr) = house.command(&["validate"]);
    assert_eq!(code, 64);
    assert!(stderr.contains("extensions.console.endpoint") && stderr.contains("extensions.auth"), "{stderr}");
    let tokens = "auth: { tokens: [ { id: a, secret: 0123456789abcdef0123, tenant: acme, roles: [read] } ] }";
    house.site.edit_config(&[("  sessions_table:", &format!("  {tokens}\n  sessions_table:"))]);
    let (code, _, stderr) = house.command(&["validate"]);
    assert_eq!(code, 64);
    assert!(stderr.contains("clear text"), "{stderr}");
}

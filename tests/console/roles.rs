//! What a token shows, and whom it names.

use crate::visitor::{House, Story, saying, stories};

pub(crate) const WRITE: &str = "write-token-0123456789ab";
pub(crate) const READ: &str = "read-token-0123456789abc";
pub(crate) const SHOP: &str = "shop-token-0123456789abc";
pub(crate) const NAMES: &str = "names-token-0123456789ab";
const REVIEW: &str = "review-token-0123456789a";
pub(crate) const OTHER: &str = "other-token-0123456789ab";

fn team() -> House {
    team_with(&[])
}

/// The same with changes of its configuration.
pub(crate) fn team_with(edits: &[(&str, &str)]) -> House {
    let mut house = House::new();
    house.site.edit_config(edits);
    let token =
        |id: &str, secret: &str, more: &str| format!("      - {{ id: {id}, secret: {secret}, {more} }}\n");
    let tokens = [
        token("w", WRITE, "tenant: acme"),
        token("r", READ, "tenant: acme, roles: [read]"),
        token("s", SHOP, "tenant: acme, workspace: shop, roles: [read]"),
        token("n", NAMES, "tenant: acme, roles: [read, people]"),
        token("v", REVIEW, "tenant: acme, roles: [review]"),
        token("o", OTHER, "tenant: other, roles: [write, review]"),
    ];
    let auth = format!("  auth:\n    tokens:\n{}  sessions_table:", tokens.concat());
    house.site.edit_config(&[("  sessions_table:", &auth)]);
    house.start();
    house.send_with(&stories("a", "shop", "ssh build-host make db-up"), Some(WRITE));
    house.send_with(&stories("k", "kitchen", "make db-up"), Some(WRITE));
    house.send_with(&stories("o", "shop", "make db-up"), Some(OTHER));
    house.mine();
    house
}

#[test]
fn a_token_shows_its_tenant_and_workspace_and_nothing_to_who_may_only_send() {
    let house = team();
    let stranger = house.stranger();
    let refused = stranger.post("/sign-in", &[("token", WRITE)]);
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("shows nothing") && !refused.headers.contains_key("set-cookie"));
    assert_eq!(stranger.post("/sign-in", &[("token", "wrong-token-0123456789")]).status, 403);
    let ids = |token: &str| -> Vec<String> {
        let list = house.with_token(token).json("/sessions");
        let days = list["days"].as_array().unwrap().iter();
        let sessions = days.flat_map(|day| day["sessions"].as_array().unwrap());
        let mut ids: Vec<String> = sessions.map(|one| one["id"].as_str().unwrap()[..1].to_owned()).collect();
        ids.sort();
        ids.dedup();
        ids
    };
    assert_eq!(ids(READ), ["a", "k"]);
    assert_eq!(ids(SHOP), ["a"]);
    assert_eq!(ids(OTHER), ["o"]);
    let shop = house.with_token(SHOP);
    for path in ["/sessions/k-1", "/sessions/o-1", "/sessions/o-1?tenant=other", "/api/v1/sessions/k-1"] {
        assert_eq!(shop.get(path).status, 404, "{path}");
    }
    assert_eq!(shop.get("/sessions/a-1").status, 200);
    // How the process does, with its paths, is its owner's to see.
    let overview = shop.json("/overview");
    assert!(
        overview.get("process").is_none() && overview["skills"]["unreadable"].as_array().unwrap().is_empty()
    );
    assert!(house.owner().json("/overview").get("process").is_some());
    assert_eq!(house.with_token(OTHER).json("/review")["proposals"].as_array().unwrap().len(), 0);
}

#[test]
fn people_are_named_only_to_who_may_see_them() {
    let house = team();
    let reader = house.with_token(READ);
    for path in ["/", "/sessions", "/sessions/a-1", "/report", "/api/v1/sessions", "/api/v1/sessions/a-1"] {
        let page = reader.page(path);
        assert!(!page.contains("ana@") && !page.contains("ben@"), "{path}: {page}");
    }
    let list = reader.json("/sessions");
    let person = list["days"][0]["sessions"][0]["person"].as_str().unwrap();
    assert!(person.starts_with("person "), "{person}");
    let own = reader.json(&format!("/sessions?person={}", crate::visitor::encoded(person)));
    assert_eq!(
        own["days"][0]["sessions"].as_array().unwrap().len(),
        4,
        "a person is found by what stands for them"
    );
    assert!(house.with_token(NAMES).page("/sessions").contains("ana@example.com"));
}

#[test]
fn deciding_takes_the_role_and_sending_another() {
    let house = team();
    let reader = house.with_token(READ);
    let proposals = reader.json("/review");
    let name = proposals["proposals"][0]["name"].as_str().unwrap().to_owned();
    assert!(!reader.page(&format!("/review/{name}")).contains(">Accept<"));
    let decide = |token: &str| {
        let visitor = house.with_token(token);
        let seen = visitor.json(&format!("/review/{name}"))["seen"].as_str().unwrap().to_owned();
        let csrf = visitor.csrf();
        let fields = [("csrf", csrf.as_str()), ("tenant", "acme"), ("seen", &seen), ("action", "refuse")];
        visitor.post(&format!("/review/{name}"), &fields).status
    };
    assert_eq!(decide(READ), 403);
    assert_eq!(decide(REVIEW), 303);
    let client = crate::site::client();
    let sent = client.post(format!("http://127.0.0.1:{}/v1/logs", house.site.http)).bearer_auth(READ);
    let sent = sent.json(&stories("x", "shop", "make db-up")[0]).send().unwrap();
    assert_eq!(sent.status(), 403, "a token that reads does not send");
}

#[test]
fn a_program_shows_its_token_with_each_request() {
    let house = team();
    let stranger = house.stranger();
    let bearer = format!("Bearer {READ}");
    let answer = stranger.get_with("/api/v1/skills", &[("authorization", &bearer)]);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(
        stranger.get_with("/skills", &[("authorization", &bearer)]).status,
        401,
        "pages take a session"
    );
    let write = format!("Bearer {WRITE}");
    assert_eq!(stranger.get_with("/api/v1/skills", &[("authorization", &write)]).status, 403);
}

#[test]
fn nobody_is_named_in_a_text_of_another_persons_session() {
    let house = team();
    let more = " ask bea@example.com or Bea Miller, it is in /Users/p8/src";
    let of = |id: &str, person: &str, everywhere: &str| {
        Story { id, person, workspace: "shop", repair: "make db-up", everywhere }.body()
    };
    let bodies = [
        of("n-1", "ana@example.com", more),
        saying(of("n-2", "bea@example.com", ""), "user.name", "Bea Miller"),
    ];
    house.send_with(&bodies, Some(WRITE));
    let (reader, named) = (house.with_token(READ), house.with_token(NAMES));
    let events = reader.json("/sessions/n-1")["items"].clone();
    let event = events[0]["anchors"][0].as_str().unwrap().to_owned();
    let paths = [
        "/".to_owned(),
        "/sessions".to_owned(),
        "/work".to_owned(),
        "/sessions/n-1".to_owned(),
        format!("/sessions/n-1/events/{event}"),
        "/api/v1/sessions".to_owned(),
        "/api/v1/sessions/n-1".to_owned(),
        format!("/api/v1/sessions/n-1/events/{event}"),
    ];
    for path in &paths {
        let page = reader.page(path).to_lowercase();
        for name in ["bea@", "bea miller", "ana@", "/p8"] {
            assert!(!page.contains(name), "{path} names {name}: {page}");
        }
    }
    assert!(reader.page("/sessions/n-1").contains("/Users/[person]/src"), "what is left can be read");
    let page = named.page("/sessions/n-1");
    assert!(page.contains("Bea Miller") && page.contains("/Users/p8/src"), "{page}");
    // Nor does a search tell that a name is there.
    let found = |reader: &crate::visitor::Visitor, words: &str| {
        reader.json(&format!("/sessions?words={}", crate::visitor::encoded(words)))["days"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!((found(&reader, "ask or"), found(&reader, "miller"), found(&reader, "bea@")), (1, 0, 0));
    assert_eq!(found(&named, "bea miller"), 1);
}

#[test]
fn wrong_tokens_keep_nobody_out() {
    let house = team();
    let stranger = house.stranger();
    let with = |token: &str| {
        let bearer = format!("Bearer {token}");
        stranger.get_with("/api/v1/skills", &[("authorization", &bearer)])
    };
    let mut told = Vec::new();
    for number in 0..60 {
        told.push(with(&format!("wrong-token-0123456789-{number}")));
    }
    assert!(told.iter().all(|answer| answer.status == 401 || answer.status == 429));
    let last = told.last().unwrap();
    assert_eq!(last.status, 429, "{}", last.text);
    let seconds: u64 = last.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=61).contains(&seconds), "{seconds}");
    // The same address, with what is right.
    assert_eq!(with(READ).status, 200);
    assert_eq!(house.with_token(REVIEW).get("/").status, 200);
    assert_eq!(house.owner().get("/").status, 200);
    let refused = stranger.post("/sign-in", &[("token", "wrong-token-0123456789")]);
    assert_eq!(refused.status, 429);
    assert!(refused.headers.contains_key("retry-after"));
}

#[test]
fn signing_in_leads_to_the_page_that_was_wanted() {
    let house = team();
    let stranger = house.stranger();
    let page = "/sessions/a-1?tenant=acme&part=1";
    let answer = stranger.get_with(page, &[]);
    assert_eq!(answer.status, 401);
    assert!(answer.text.contains("href=\"/sessions/a-1?tenant=acme&amp;part=1\""), "{}", answer.text);
    assert!(
        answer.text.contains("name=\"next\" value=\"/sessions/a-1?tenant=acme&amp;part=1\""),
        "{}",
        answer.text
    );
    let led = |next: &str| {
        let answer = stranger.post("/sign-in", &[("token", READ), ("next", next)]);
        assert_eq!(answer.status, 303);
        answer.headers["location"].to_str().unwrap().to_owned()
    };
    assert_eq!(led(page), page);
    for elsewhere in
        ["", "//evil.example/", "https://evil.example/", "/\\evil.example", "/x\r\nset-cookie: a=b"]
    {
        assert_eq!(led(elsewhere), "/", "{elsewhere:?}");
    }
    let wrong = stranger.post("/sign-in", &[("token", "wrong-token-0123456789"), ("next", page)]);
    assert!(wrong.text.contains("part=1"), "a second try leads there as well: {}", wrong.text);
}

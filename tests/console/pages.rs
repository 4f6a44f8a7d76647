//! Every page, with and without sessions; lists that go on.

use std::collections::BTreeSet;

use crate::visitor::{House, Story, stories};

const PAGES: [(&str, &str); 6] = [
    ("/", "No session came in"),
    ("/sessions", "No session yet"),
    ("/work", "No run has left a record"),
    ("/skills", "No skill yet"),
    ("/review", "Nothing waits for a decision"),
    ("/report", "No sessions"),
];

#[test]
fn every_page_is_there_before_anything_came_in() {
    let house = House::open();
    let owner = house.owner();
    for (path, says) in PAGES {
        let page = owner.page(path);
        assert!(page.contains(says), "{path}: {page}");
        assert!(page.contains("<main") && page.contains("aria-current=\"page\""), "{path}");
    }
    assert_eq!(owner.get("/sessions/none").status, 404);
    assert_eq!(owner.get("/skills/none").status, 404);
    assert_eq!(owner.get("/review/none").status, 404);
}

#[test]
fn sessions_are_seen_with_what_came_of_them() {
    let house = House::open();
    house.send(&stories("s", "shop", "make db-up"));
    let owner = house.owner();
    let overview = owner.json("/overview");
    assert_eq!(
        (&overview["sessions"], &overview["people"], &overview["calls"]),
        (&6.into(), &3.into(), &18.into())
    );
    assert_eq!(overview["failed"], 6);
    assert!(owner.page("/").contains("run the integration tests"));
    let list = owner.page("/sessions");
    assert!(list.contains("/sessions/s-1?tenant=default\""), "{list}");
    let session = owner.page("/sessions/s-1");
    for says in ["make itest", "connection refused", "make db-up", "ben@example.com", "1 failed", "1.5 s"] {
        assert!(session.contains(says), "{says}: {session}");
    }
    let shown = owner.json("/sessions/s-1");
    let items = shown["items"].as_array().unwrap();
    let call = items.iter().find(|item| item["text"] == "make db-up").unwrap();
    assert_eq!((&call["status"], &call["took"]), (&"ok".into(), &"1.5 s".into()));
    let event = call["anchors"][0].as_str().unwrap();
    assert!(owner.page(&format!("/sessions/s-1/events/{event}")).contains("make db-up"));
    assert!(owner.page(&format!("/sessions/s-1?event={event}")).contains(&format!("id=\"e-{event}\"")));
}

#[test]
fn a_list_goes_on_where_it_ended_and_shows_every_session_once() {
    let house = House::open();
    let ids: Vec<String> = (0..120).map(|number| format!("p-{number:03}")).collect();
    let bodies: Vec<_> = ids
        .iter()
        .map(|id| {
            Story { id, person: "ana@example.com", workspace: "shop", repair: "make db-up", everywhere: "" }
                .body()
        })
        .collect();
    house.send(&bodies);
    let owner = house.owner();
    let (mut after, mut seen, mut pages) = (String::new(), BTreeSet::new(), 0);
    loop {
        let list = owner.json(&format!("/sessions?after={after}"));
        for session in
            list["days"].as_array().unwrap().iter().flat_map(|day| day["sessions"].as_array().unwrap())
        {
            assert!(seen.insert(session["id"].as_str().unwrap().to_owned()), "{session} was shown before");
        }
        pages += 1;
        match list["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    assert_eq!((seen.len(), pages), (120, 3));
    assert_eq!(owner.get("/sessions?after=nowhere").status, 400);
}

#[test]
fn filters_leave_out_what_nobody_asked_for() {
    let house = House::open();
    house.send(&stories("s", "shop", "make db-up"));
    house.send(&stories("k", "kitchen", "make db-up"));
    let owner = house.owner();
    for (query, count) in [
        ("", 12),
        ("workspace=kitchen", 6),
        ("person=ana@example.com", 4),
        ("assistant=claude-code", 12),
        ("assistant=codex", 0),
        ("project=till", 12),
        ("project=menu", 0),
        ("outcome=failed", 12),
        ("outcome=refused", 0),
        ("words=INTEGRATION+tests", 12),
        ("words=integration+nothing", 0),
        ("day=2001-01-01", 0),
    ] {
        let list = owner.json(&format!("/sessions?{query}"));
        let found: usize = list["days"]
            .as_array()
            .unwrap()
            .iter()
            .map(|day| day["sessions"].as_array().unwrap().len())
            .sum();
        assert_eq!(found, count, "{query}");
    }
}

#[test]
fn a_skill_is_seen_with_what_each_line_rests_on() {
    let house = House::open();
    house.send(&stories("s", "shop", "make db-up"));
    house.mine();
    let owner = house.owner();
    let skills = owner.json("/skills");
    let name = skills["targets"][0]["skills"][0]["name"].as_str().unwrap().to_owned();
    let skill = owner.json(&format!("/skills/{name}"));
    let lines = skill["lines"].as_array().unwrap();
    let line = lines.iter().find(|line| line["text"].as_str().unwrap().contains("make db-up")).unwrap();
    let line = if line["claims"].as_array().unwrap().is_empty() {
        lines.iter().find(|line| !line["claims"].as_array().unwrap().is_empty()).unwrap()
    } else {
        line
    };
    let claim = &line["claims"][0];
    assert!(claim["counted"].as_str().unwrap().contains("worked"), "{claim}");
    let sessions = claim["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 6, "{claim}");
    assert!(
        sessions.iter().all(|cited| cited["link"].as_str().unwrap().starts_with("/sessions/s-")),
        "{claim}"
    );
    let number = claim["number"].as_u64().unwrap();
    let cases = owner.json(&format!("/skills/{name}/claims/{number}"));
    let supporting = cases["cases"]["supporting"].as_array().unwrap();
    assert_eq!(supporting.len(), 3, "{cases}");
    assert!(
        supporting[0]["calls"].as_array().unwrap().iter().any(|call| call["done"] == "make db-up"),
        "{cases}"
    );
    let page = owner.page(&format!("/skills/{name}"));
    assert!(page.contains("What assistants read") && page.contains("/sessions/s-"), "{page}");
    assert!(owner.page("/work").contains(&format!("/skills/{name}")));
    assert!(owner.page("/sessions/s-1").contains(&format!("/skills/{name}")), "the session names its skill");
}

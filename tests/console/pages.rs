//! Every page, with and without sessions; lists that go on.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::visitor::{House, Story, Visitor, date, earlier, saying, stories};

const PAGES: [(&str, &str); 6] = [
    ("/", "skillspan import"),
    ("/sessions", "No sessions yet"),
    ("/work", "No run has left a record"),
    ("/skills", "No skills yet"),
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
        ("workspace=KITCHEN", 6),
        ("assistant=Claude-Code", 12),
        ("until=2001-01-01", 0),
        ("from=2001-01-01", 12),
        ("from=2999-01-01", 0),
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
    // A page does not wait longer than a moment for the days of the sessions that it names.
    let skill = || owner.json(&format!("/skills/{name}"));
    let is_whole = |skill: &Value| !skill["lines"].to_string().contains("\"link\":\"\"");
    let mut tries = (0..200).map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        skill()
    });
    let skill = tries.find(is_whole).unwrap_or_else(skill);
    let lines = skill["lines"].as_array().unwrap();
    let line = lines.iter().find(|line| line["text"].as_str().unwrap().contains("make db-up")).unwrap();
    let line = if line["claims"].as_array().unwrap().is_empty() {
        lines.iter().find(|line| !line["claims"].as_array().unwrap().is_empty()).unwrap()
    } else {
        line
    };
    let claim = &line["claims"][0];
    assert!(claim["counted"].as_str().unwrap().contains("then passed: 6 sessions"), "{claim}");
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

#[test]
fn the_last_page_of_a_full_table_is_the_last() {
    let house = House::open();
    let ids: Vec<String> = (0..50).map(|number| format!("p-{number:03}")).collect();
    let body = |id: &String| {
        Story { id, person: "ana@example.com", workspace: "shop", repair: "make db-up", everywhere: "" }
            .body()
    };
    house.send(&ids.iter().map(body).collect::<Vec<_>>());
    let owner = house.owner();
    let list = owner.json("/sessions");
    assert_eq!(list["days"][0]["sessions"].as_array().unwrap().len(), 50);
    assert_eq!(list["next"], serde_json::Value::Null);
    assert!(!owner.page("/sessions").contains("Older sessions"));
    // Who goes behind it all the same is not told to connect assistants.
    let page = owner.page("/sessions?after=2001-01-01~1~x");
    assert!(page.contains("There are no older ones") && !page.contains("skillspan connect"), "{page}");
}

#[test]
fn sessions_that_were_brought_in_later_are_found_by_when_they_began() {
    let house = House::open();
    let old: Vec<_> = stories("o", "shop", "make db-up").into_iter().map(|body| earlier(body, 50)).collect();
    house.send(&old);
    house.mine();
    let owner = house.owner();
    let found = |query: &str| -> usize {
        let list = owner.json(&format!("/sessions?{query}"));
        list["days"].as_array().unwrap().iter().map(|day| day["sessions"].as_array().unwrap().len()).sum()
    };
    // A run of stories may go over midnight.
    assert_eq!(found(&format!("from={}&until={}", date(51), date(49))), 6);
    assert_eq!(found(&format!("from={}", date(49))), 0);
    assert_eq!(found(&format!("until={}", date(51 + 1))), 0);
    let overview = owner.json("/overview");
    assert_eq!((&overview["sessions"], &overview["older"]), (&0.into(), &6.into()));
    assert_eq!(overview["newest"].as_array().unwrap().len(), 6, "they are the newest there are");
    // And what a skill rests on leads to them.
    let name = owner.json("/skills")["targets"][0]["skills"][0]["name"].as_str().unwrap().to_owned();
    let skill = owner.json(&format!("/skills/{name}"));
    let cited: Vec<_> = skill["lines"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|line| line["claims"].as_array().unwrap())
        .flat_map(|claim| claim["sessions"].as_array().unwrap())
        .collect();
    assert!(!cited.is_empty());
    for one in cited {
        assert!(one["link"].as_str().unwrap().starts_with("/sessions/o-"), "{one}");
        assert!(one["title"].as_str().unwrap().contains("integration tests"), "{one}");
        assert!(one["person"].as_str().unwrap().contains("@example.com"), "{one}");
    }
}

#[test]
fn work_leads_to_what_the_library_made_of_it() {
    let house = House::open();
    house.send(&stories("s", "shop", "make db-up"));
    house.send(&stories("k", "kitchen", "make db-up"));
    house.send(&stories("c", "cellar", "ssh build-host make db-up"));
    house.mine();
    let owner = house.owner();
    let work = owner.json("/work");
    let mut led = BTreeSet::new();
    for place in work["workspaces"].as_array().unwrap() {
        let became = place["candidates"].as_array().unwrap().iter().filter(|one| one["skill"] != "");
        for candidate in became {
            let name = candidate["skill"].as_str().unwrap();
            let skill = owner.json(&format!("/skills/{name}"));
            assert_eq!(skill["workspace"], place["workspace"], "{candidate}");
            let link = candidate["link"].as_str().unwrap();
            assert_eq!(owner.get(link).status, 200, "{link}");
            led.insert(format!(
                "{} {}",
                place["workspace"].as_str().unwrap(),
                candidate["became"].as_str().unwrap()
            ));
        }
    }
    let expected = ["cellar waits for you", "kitchen published", "shop published"];
    assert_eq!(led, expected.map(str::to_owned).into_iter().collect());
    let page = owner.page("/work");
    assert!(page.contains(">waiting</span>") && page.contains("href=\"/review/"), "{page}");
    assert!(page.contains("class=\"map\""), "{page}");
}

#[test]
fn a_skill_names_those_that_are_like_it_and_what_sessions_cost_before_it() {
    let house = House::open();
    house.send(&stories("s", "shop", "make db-up"));
    house.mine();
    let owner = house.owner();
    let name = owner.json("/skills")["targets"][0]["skills"][0]["name"].as_str().unwrap().to_owned();
    let by_hand = house.site.path("skills").join("skills/by-hand");
    std::fs::create_dir_all(&by_hand).unwrap();
    let text =
        "---\nname: by-hand\ndescription: How we test.\n---\n\nRun `make db-up` ahead of `make itest`.\n";
    std::fs::write(by_hand.join("SKILL.md"), text).unwrap();
    // What stood there is believed for a second; a month's sessions are counted in the background.
    for _ in 0..300 {
        let skill = owner.json(&format!("/skills/{name}"));
        if skill["is_counting"] == false && !skill["near"].as_array().unwrap().is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let skill = owner.json(&format!("/skills/{name}"));
    let near = &skill["near"][0];
    assert_eq!((&near["name"], &near["is_hand_written"]), (&"by-hand".into(), &true.into()), "{skill}");
    assert!(near["why"].as_str().unwrap().starts_with("both say `make"), "{near}");
    let before = &skill["effect"][0];
    assert_eq!(
        (&before["side"], &before["sessions"]),
        (&"before it was published".into(), &6.into()),
        "{skill}"
    );
    assert_eq!((&before["failures"], &before["tool_calls"]), (&1.0.into(), &3.0.into()));
    let weeks = skill["weeks"].as_array().unwrap();
    let without: u64 = weeks.iter().map(|week| week["without"]["sessions"].as_u64().unwrap()).sum();
    assert_eq!(without, 6, "{skill}");
    assert_eq!(weeks.iter().filter(|week| week["is_of_publishing"] == true).count(), 1, "{skill}");
    let page = owner.page(&format!("/skills/{name}"));
    assert!(page.contains("written by people") && page.contains("before it was published"), "{page}");
}

#[test]
fn a_cluster_of_work_is_seen_with_what_it_cost_and_its_sessions() {
    let house = House::open();
    let bodies: Vec<_> = stories("s", "shop", "make db-up")
        .into_iter()
        .map(|body| saying(body, "output_tokens", "100"))
        .collect();
    house.send(&bodies);
    house.mine();
    let owner = house.owner();
    let work = owner.json("/work");
    let cluster = work["workspaces"][0]["clusters"][0].clone();
    assert!(cluster["name"].as_str().unwrap().contains("make itest"), "{cluster}");
    assert_eq!(
        (&cluster["segments"], &cluster["sessions"], &cluster["people"]),
        (&6.into(), &6.into(), &3.into())
    );
    // From the prompt to the last of three calls, two seconds apart.
    assert_eq!(cluster["seconds"], 6 * 6, "{cluster}");
    let skill = cluster["skill"].as_str().unwrap();
    assert_eq!((&cluster["became"], skill.is_empty()), (&"published".into(), false), "{cluster}");
    assert_eq!(owner.get(cluster["link"].as_str().unwrap()).status, 200);
    let whole = owner.json(&format!("/work/clusters/{}", cluster["id"].as_str().unwrap()));
    assert_eq!(whole["cluster"], cluster);
    let members = whole["members"].as_array().unwrap();
    assert_eq!(members.len(), 6);
    for member in members {
        assert_eq!((&member["segments"], &member["seconds"]), (&1.into(), &6.into()), "{member}");
        assert_eq!(owner.get(member["link"].as_str().unwrap()).status, 200, "{member}");
        assert!(member["title"].as_str().unwrap().contains("integration tests"), "{member}");
    }
    let page = owner.page(cluster["page"].as_str().unwrap());
    assert!(
        page.contains("/sessions/s-1?tenant=default") && page.contains(&format!("/skills/{skill}")),
        "{page}"
    );
    assert!(owner.page("/work?by=tokens").contains("<b>tokens</b>"));
    assert_eq!(owner.get("/work?by=colour").status, 400);
    assert_eq!(owner.get("/work/clusters/0123456789abcdef").status, 404);
    assert_eq!(owner.get("/work/clusters/0123456789abcdef?workspace=shop").status, 404);
}

#[test]
fn every_case_against_a_line_can_be_reached() {
    let house = House::open();
    house.send(&stories("s", "shop", "make db-up"));
    house.mine();
    let owner = house.owner();
    // As of a run that found 45 sessions against each claim, and kept 44 of them.
    let record = std::fs::read_dir(house.site.path("digests"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.file_name().unwrap().to_string_lossy().starts_with("run-"))
        .unwrap();
    let mut kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    for candidate in kept["candidates"].as_array_mut().unwrap() {
        for claim in candidate["claims"].as_array_mut().unwrap() {
            let cases = &mut claim["cases"];
            let one = cases["for"][0].clone();
            cases["against"] = vec![one; 44].into();
            cases["all_against"] = 45.into();
        }
    }
    std::fs::write(&record, kept.to_string()).unwrap();
    let name = owner.json("/skills")["targets"][0]["skills"][0]["name"].as_str().unwrap().to_owned();
    let (mut from, mut seen) = (0, Vec::new());
    loop {
        let cases = owner.json(&format!("/skills/{name}/claims/1?from={from}"))["cases"].clone();
        assert_eq!((&cases["all_against"], &cases["from"]), (&45.into(), &from.into()), "{cases}");
        seen.push(cases["against"].as_array().unwrap().len());
        match cases["next"].as_u64() {
            Some(next) => from = next,
            None => break,
        }
    }
    assert_eq!(seen, [20, 20, 4]);
    let page = owner.page(&format!("/skills/{name}/claims/1"));
    assert!(page.contains("20 of 45") && page.contains("More against it"), "{page}");
    assert!(owner.page(&format!("/skills/{name}/claims/1?from=40")).contains("41 to 44 of 45"));
    assert_eq!(owner.get(&format!("/skills/{name}/claims/1?from=99999999")).status, 200);
}

#[test]
fn a_form_that_asks_for_nothing_is_there_again_with_what_is_wrong() {
    let house = House::open();
    let owner = house.owner();
    for (query, says) in [
        ("from=2026-02-05&until=2026-01-05&workspace=go", "is later than Began until"),
        ("from=yesterday&workspace=go", "are dates, such as"),
        ("after=garbage&workspace=go", "is no place in the list"),
    ] {
        let answer = owner.get(&format!("/sessions?{query}"));
        assert_eq!(answer.status, 400, "{query}");
        for part in [says, "<form", "value=\"go\" selected", "role=\"alert\""] {
            assert!(answer.text.contains(part), "{part}: {}", answer.text);
        }
        assert_eq!(owner.get(&format!("/api/v1/sessions?{query}")).status, 400);
    }
    let work = owner.get("/work?by=size");
    assert_eq!(work.status, 400);
    assert!(
        work.text.contains("<code>by</code> is one of") && work.text.contains("<h1>Work"),
        "{}",
        work.text
    );
}

#[test]
fn a_page_of_a_list_says_where_it_stands_and_leads_both_ways() {
    let house = House::open();
    let body = |number: usize| {
        let id = format!("p-{number:03}");
        Story { id: &id, person: "ana@example.com", workspace: "shop", repair: "make db-up", everywhere: "" }
            .body()
    };
    house.send(&(0..120).map(body).collect::<Vec<_>>());
    let owner = house.owner();
    let link = |page: &str, rel: &str| {
        let before = page.split_once(&format!("\" rel=\"{rel}\"")).map(|(before, _)| before.to_owned());
        before.map(|before| before.rsplit_once("href=\"").unwrap().1.replace("&amp;", "&"))
    };
    let first = owner.page("/sessions");
    assert!(first.contains("1 to 50 of 120") && link(&first, "prev").is_none(), "{first}");
    let second = owner.page(&link(&first, "next").unwrap());
    assert!(second.contains("51 to 100 of 120"), "{second}");
    let third = owner.page(&link(&second, "next").unwrap());
    assert!(third.contains("101 to 120 of 120") && link(&third, "next").is_none(), "{third}");
    let back = owner.page(&link(&third, "prev").unwrap());
    assert!(back.contains("51 to 100 of 120") && back.contains("/sessions/p-0"), "{back}");
    let newest = owner.page(&link(&back, "prev").unwrap());
    assert!(newest.contains("1 to 50 of 120"), "{newest}");
}

/// A prompt of the same session, so many seconds later.
fn prompt_of(body: &Value, text: &str, seconds: u64) -> Value {
    let mut record = body["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0].clone();
    let time: u64 = record["timeUnixNano"].as_str().unwrap().parse().unwrap();
    record["timeUnixNano"] = (time + seconds * 1_000_000_000).to_string().into();
    for attribute in record["attributes"].as_array_mut().unwrap() {
        match attribute["key"].as_str().unwrap() {
            "prompt" => attribute["value"]["stringValue"] = text.into(),
            "prompt.id" => attribute["value"]["stringValue"] = format!("{text}-p").into(),
            _ => {}
        }
    }
    record
}

#[test]
fn what_a_person_corrected_is_marked_where_it_was_said() {
    let house = House::open();
    let mut body = stories("s", "shop", "make db-up").remove(1);
    let correction = prompt_of(&body, "no, that is wrong: do not start the database", 30);
    body["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array_mut().unwrap().push(correction);
    house.send(&[body]);
    let owner = house.owner();
    let list = owner.json("/sessions");
    assert_eq!(list["days"][0]["sessions"][0]["corrected"], 1, "{list}");
    assert_eq!(owner.json("/sessions/s-1")["corrected"], 1);
    let page = owner.page("/sessions/s-1");
    assert!(page.contains(">1 corrected</a>") && page.contains("corrects what came before"), "{page}");
}

#[test]
fn where_a_person_stopped_the_assistant_is_marked_and_linked() {
    let house = House::open();
    let mut body = stories("s", "shop", "make db-up").remove(1);
    let stop = prompt_of(&body, "[Request interrupted by user for tool use]", 30);
    body["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array_mut().unwrap().push(stop);
    house.send(&[body]);
    let owner = house.owner();
    assert_eq!(owner.json("/sessions")["days"][0]["sessions"][0]["stopped"], 1);
    let page = owner.page("/sessions/s-1");
    let link = page.split_once(">1 stopped</a>").unwrap_or_else(|| panic!("{page}")).0;
    let anchor = link.rsplit_once('#').unwrap().1.split('"').next().unwrap().to_owned();
    assert!(page.contains(&format!("id=\"{anchor}\"")), "{anchor}: {page}");
    assert!(page.contains(">Stopped</span>"), "{page}");
}

/// A session of one prompt of which an evaluation says how it did.
fn evaluated(label: &str) -> Value {
    let attribute = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let asked = r#"[{"role": "user", "parts": [{"type": "text", "content": "Fix the build."}]}]"#;
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos().to_string();
    json!({ "resourceSpans": [{
        "resource": { "attributes": [attribute("service.name", "mini")] },
        "scopeSpans": [{ "scope": { "name": "mini" }, "spans": [{
            "traceId": "11111111111111111111111111111111", "spanId": "2222222222222222",
            "name": "invoke_agent", "kind": 1, "startTimeUnixNano": now, "endTimeUnixNano": now,
            "attributes": [
                attribute("gen_ai.operation.name", "invoke_agent"),
                attribute("gen_ai.conversation.id", "run-1"),
                attribute("gen_ai.input.messages", asked),
            ],
            "events": [{
                "timeUnixNano": now, "name": "gen_ai.evaluation.result",
                "attributes": [
                    attribute("gen_ai.evaluation.name", "resolved"),
                    { "key": "gen_ai.evaluation.score.value", "value": { "doubleValue": 0.0 } },
                    attribute("gen_ai.evaluation.score.label", label),
                ],
            }],
            "status": {},
        }] }],
    }] })
}

#[test]
fn what_was_said_of_a_session_is_in_its_head_and_in_the_list() {
    let house = House::open();
    let traces = format!("http://127.0.0.1:{}/v1/traces", house.site.http);
    assert!(
        crate::site::client().post(traces).json(&evaluated("fail")).send().unwrap().status().is_success()
    );
    house.send(&stories("s", "shop", "make db-up"));
    let owner = house.owner();
    for (id, feedback) in [("run-1", "resolved: fail (0)"), ("s-1", "")] {
        assert_eq!(owner.json(&format!("/sessions/{id}"))["feedback"], feedback, "{id}");
        let list = owner.json("/sessions");
        let sessions = list["days"][0]["sessions"].as_array().unwrap();
        assert_eq!(sessions.iter().find(|one| one["id"] == id).unwrap()["feedback"], feedback, "{list}");
    }
    let page = owner.page("/sessions/run-1");
    let link = page.split_once(">resolved: fail (0)</a></dd>").unwrap_or_else(|| panic!("{page}")).0;
    let anchor = link.rsplit_once('#').unwrap().1.split('"').next().unwrap().to_owned();
    assert!(page.contains(&format!("id=\"{anchor}\"")), "{anchor}: {page}");
    assert!(owner.page("/sessions").contains(">resolved: fail (0)</span>"));
    assert!(!owner.page("/sessions/s-1").contains("<dt>Outcome</dt>"));
}

/// The report, once it is made.
fn report(owner: &Visitor) -> Value {
    let made = (0..200).find_map(|_| {
        let report = owner.json("/report");
        if report["made_at"].is_string() {
            return Some(report["report"].clone());
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        None
    });
    made.expect("a report is made")
}

#[test]
fn what_a_report_counts_leads_to_as_many_sessions() {
    let house = House::open();
    house.send(&stories("s", "shop", "make db-up"));
    let owner = house.owner();
    let report = report(&owner);
    let mut rows = 0;
    for (section, key) in [("failed-by-kind", "kind"), ("failed-commands", "command")] {
        for row in report["sections"][section]["rows"].as_array().unwrap() {
            let name = row[key].as_str().unwrap();
            let list = owner.json(&format!("/sessions?failing={}", name.replace(' ', "+")));
            let days = list["days"].as_array().unwrap().iter();
            let found: usize = days.map(|day| day["sessions"].as_array().unwrap().len()).sum();
            assert_eq!(row["sessions"], found, "{row}: {list}");
            assert!(found > 0);
            rows += 1;
        }
    }
    assert!(rows > 1, "{report}");
    let page = owner.page("/report");
    assert!(page.contains("href=\"/sessions?failing=make%20itest\""), "{page}");
    assert_eq!(owner.json("/sessions?failing=make+nothing")["days"], Value::Array(Vec::new()));
    // What failed is nothing that a person was against.
    assert_eq!(owner.json("/sessions?against=make+itest")["days"], Value::Array(Vec::new()));
    // And both begin with the same day.
    let first = owner.json("/overview")["days"][0]["date"].as_str().unwrap().to_owned();
    assert!(report["since"].as_str().unwrap().starts_with(&first), "{first}: {report}");
}

#[test]
fn a_version_has_the_date_of_its_own_workspaces_sessions() {
    let house = House::open();
    let old: Vec<_> = stories("o", "shop", "make db-up").into_iter().map(|body| earlier(body, 50)).collect();
    house.send(&old);
    house.send(&stories("k", "kitchen", "make queue-up"));
    house.mine();
    let owner = house.owner();
    let skills = owner.json("/skills");
    for skill in skills["targets"][0]["skills"].as_array().unwrap() {
        let shown = owner.json(&format!("/skills/{}", skill["name"].as_str().unwrap()));
        let noted = shown["history"][0]["date"].as_str().unwrap();
        let (first, last) = if shown["workspace"] == "shop" { (51, 49) } else { (1, 0) };
        assert!(noted >= date(first).as_str() && noted <= date(last).as_str(), "{noted}: {shown}");
    }
}

#[test]
fn a_report_is_shown_until_the_new_one_is_made() {
    let house = House::open();
    house.send(&stories("s", "shop", "make db-up"));
    let owner = house.owner();
    let made = || owner.json("/report")["made_at"].as_str().map(str::to_owned);
    let first = (0..200).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        made()
    });
    let csrf = owner.csrf();
    let mut latest = first.clone();
    for _ in 0..200 {
        if latest != first {
            break;
        }
        assert_eq!(owner.post("/report", &[("csrf", csrf.as_str())]).status, 303);
        let page = owner.page("/report");
        assert!(page.contains("What failed, by kind"), "a report is there all the while: {page}");
        std::thread::sleep(std::time::Duration::from_millis(50));
        latest = made();
    }
    assert_ne!(latest, first, "a new one was made");
    let page = owner.page("/report");
    assert!(page.contains("id=\"sections\"") && page.contains("href=\"#sections\""), "{page}");
}

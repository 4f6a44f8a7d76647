//! Proposals accepted, edited, refused and brought back, in a folder and a repository.

use std::process::Command;

use serde_json::Value;

use crate::visitor::{House, Visitor, bare, stories};

/// Speaks with another machine, so a person has to agree.
const FOREIGN: &str = "ssh build-host make db-up";

/// A console with one proposal, in a folder or a repository.
fn proposing(in_repository: bool) -> (House, Visitor, String) {
    let mut house = House::new();
    if in_repository {
        let remote = bare(house.site.folder.path());
        let folder = format!("  filesystem: {{ path: {}/skills }}\n", house.site.folder.path().display());
        let git = format!("  git: {{ remote: 'file://{}', branch: main, mode: direct }}\n", remote.display());
        house.site.edit_config(&[(&folder, &git)]);
        let pipelines = "service:\n  pipelines:\n    sessions: {}\n    skills: { receivers: [skillify], exporters: [git] }\n";
        house.site.edit_config(&[("service:\n", pipelines)]);
    }
    house.start();
    house.send(&stories("s", "shop", FOREIGN));
    house.mine();
    let owner = house.owner();
    let waiting = owner.json("/review");
    let [proposal]: [Value; 1] = waiting["proposals"].as_array().unwrap().clone().try_into().unwrap();
    assert_eq!(proposal["state"], "waiting");
    let name = proposal["name"].as_str().unwrap().to_owned();
    (house, owner, name)
}

/// The SKILL.md that stands at the target, if there is one.
fn standing(house: &House, name: &str, in_repository: bool) -> Option<String> {
    let path = format!("skills/{name}/SKILL.md");
    if !in_repository {
        return std::fs::read_to_string(house.site.path("skills").join(path)).ok();
    }
    let remote = house.site.path("remote.git");
    let shown =
        Command::new("git").arg("-C").arg(remote).args(["show", &format!("main:{path}")]).output().unwrap();
    shown.status.success().then(|| String::from_utf8(shown.stdout).unwrap())
}

fn messages(house: &House) -> String {
    let remote = house.site.path("remote.git");
    let log =
        Command::new("git").arg("-C").arg(remote).args(["log", "--format=%B", "main"]).output().unwrap();
    String::from_utf8(log.stdout).unwrap()
}

/// Sends a decision about what the proposal's page shows.
fn decide(owner: &Visitor, name: &str, action: &str, more: &[(&str, &str)]) -> crate::visitor::Answer {
    let (csrf, seen) = (owner.csrf(), seen(owner, name));
    let mut fields =
        vec![("csrf", csrf.as_str()), ("tenant", "default"), ("seen", seen.as_str()), ("action", action)];
    fields.extend(more);
    owner.post(&format!("/review/{name}"), &fields)
}

/// When each target was last brought up to date, as the overview says.
fn written(owner: &Visitor) -> Vec<Value> {
    let overview = owner.json("/overview");
    let targets = overview["process"]["targets"].as_array().unwrap().iter();
    targets.map(|target| target["published_at"].clone()).collect()
}

fn seen(owner: &Visitor, name: &str) -> String {
    let proposal = owner.get(&format!("/api/v1/review/{name}"));
    let value: Value = serde_json::from_str(&proposal.text).unwrap();
    value["seen"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_proposal_is_shown_with_its_cases_and_accepted() {
    for in_repository in [false, true] {
        let (house, owner, name) = proposing(in_repository);
        let page = owner.page(&format!("/review/{name}"));
        for says in [
            "speaks with another machine",
            "added: ",
            FOREIGN,
            "For it",
            "make itest",
            "Accept",
            "/sessions/s-",
        ] {
            assert!(page.contains(says), "{says}: {page}");
        }
        assert_eq!(standing(&house, &name, in_repository), None);
        assert!(!page.contains(">work "), "what holds of a line is nobody's word on the work: {page}");
        let before = written(&owner);
        let answer = decide(&owner, &name, "accept", &[("reason", "we all do it")]);
        assert_eq!(answer.status, 303, "{}", answer.text);
        assert!(standing(&house, &name, in_repository).unwrap().contains(FOREIGN));
        assert!(written(&owner) != before && written(&owner)[0].is_string(), "{before:?}");
        // It is said once.
        let page = owner.page("/review");
        assert!(page.contains("Nothing waits") && page.contains("the proposal is in place"), "{page}");
        assert!(!owner.page("/review?done=you+were+hacked").contains("hacked"));
        assert!(!owner.page("/review").contains("in place"));
        let skill = owner.json(&format!("/skills/{name}"));
        assert_eq!(skill["state"], "published");
        assert!(skill["history"][0]["what"].as_str().unwrap().ends_with(": we all do it"), "{skill}");
        if in_repository {
            assert!(messages(&house).contains("we all do it"));
        }
    }
}

#[test]
fn a_proposal_that_is_refused_is_not_made_again() {
    for in_repository in [false, true] {
        let (house, owner, name) = proposing(in_repository);
        let answer = decide(&owner, &name, "refuse", &[("reason", "that host goes away")]);
        assert_eq!(answer.status, 303, "{}", answer.text);
        house.mine();
        assert_eq!(owner.json("/review")["proposals"], Value::Array(Vec::new()));
        assert_eq!(standing(&house, &name, in_repository), None);
        let skill = owner.json(&format!("/skills/{name}"));
        assert_eq!(skill["state"], "refused");
        assert!(skill.to_string().contains("that host goes away"), "{skill}");
        // Its old address leads to what became of it.
        let old = owner.get(&format!("/review/{name}"));
        assert_eq!(old.status, 303, "{}", old.text);
        // A person's word lets it wait again. It stood nowhere, so that publishes nothing.
        let answer = decide(&owner, &name, "restore", &[]);
        assert_eq!(answer.status, 303, "{}", answer.text);
        assert_eq!(standing(&house, &name, in_repository), None);
        let page = owner.page(&format!("/skills/{name}"));
        assert!(page.contains("waits for a person again"), "{page}");
        assert_eq!(owner.json("/review")["proposals"][0]["name"], name);
        // Who decides next sees what was decided before, and why.
        let page = owner.page(&format!("/review/{name}"));
        assert!(page.contains("<dt>Before</dt>") && page.contains("that host goes away"), "{page}");
        let answer = decide(&owner, &name, "accept", &[]);
        assert_eq!(answer.status, 303, "{}", answer.text);
        assert!(standing(&house, &name, in_repository).unwrap().contains(FOREIGN));
    }
}

#[test]
fn a_skill_that_stands_is_withdrawn_with_a_reason_and_brought_back() {
    for in_repository in [false, true] {
        let (house, owner, name) = proposing(in_repository);
        assert_eq!(decide(&owner, &name, "withdraw", &[]).status, 409, "nothing stands yet");
        assert_eq!(decide(&owner, &name, "accept", &[]).status, 303);
        let page = owner.page(&format!("/skills/{name}"));
        assert!(page.contains("value=\"withdraw\""), "{page}");
        let answer = decide(&owner, &name, "withdraw", &[("reason", "that host is no more")]);
        assert_eq!(answer.status, 303, "{}", answer.text);
        assert_eq!(standing(&house, &name, in_repository), None);
        house.mine();
        assert_eq!(standing(&house, &name, in_repository), None, "mining does not make it again");
        let skill = owner.json(&format!("/skills/{name}"));
        assert_eq!(skill["state"], "refused");
        assert_eq!(skill["history"][0]["what"], "a person withdrew it: that host is no more");
        // One state has one name on all pages.
        let work = owner.json("/work");
        let candidates = work["workspaces"][0]["candidates"].as_array().unwrap();
        let own = candidates.iter().find(|one| one["skill"] == *name).unwrap_or_else(|| panic!("{work}"));
        assert_eq!(own["became"], "withdrawn");
        if in_repository {
            let messages = messages(&house);
            assert!(messages.contains("Withdraw") && messages.contains("that host is no more"), "{messages}");
        }
        assert_eq!(decide(&owner, &name, "restore", &[]).status, 303);
        assert!(standing(&house, &name, in_repository).unwrap().contains(FOREIGN));
        let skill = owner.json(&format!("/skills/{name}"));
        assert_eq!(skill["changes"], Value::Array(Vec::new()), "what comes back as it was changed nothing");
    }
}

#[test]
fn a_text_that_a_person_edits_stands_as_it_is_and_stays() {
    for in_repository in [false, true] {
        let (house, owner, name) = proposing(in_repository);
        let proposed = owner.json(&format!("/review/{name}"))["proposed"].as_str().unwrap().to_owned();
        let edited = format!("{}\nAsk the team first.\n", proposed.trim_end());
        for (wrong, fault) in [
            ("", "it is empty"),
            ("nothing of that kind", "it begins with no front matter"),
            ("---\nname: another\n---\n", "its front matter names"),
            ("---\ndescription: short\n---\n", "its front matter has no line"),
            (&"longer".repeat(11_000), "it has 6600"),
        ] {
            let answer = decide(&owner, &name, "edit", &[("text", wrong)]);
            assert_eq!(answer.status, 409, "{fault}");
            assert!(answer.text.contains(fault), "{fault}: {}", answer.text);
        }
        // What was written is there again.
        let wrong = [("text", "mine,\r\nwithout front matter"), ("reason", "it says it better")];
        let answer = decide(&owner, &name, "edit", &wrong);
        assert!(answer.text.contains("mine,\nwithout front matter</textarea>"), "{}", answer.text);
        assert!(answer.text.contains("value=\"it says it better\""), "{}", answer.text);
        let text = edited.replace('\n', "\r\n");
        let answer = decide(&owner, &name, "edit", &[("text", &text), ("reason", "it says it better")]);
        assert_eq!(answer.status, 303, "{}", answer.text);
        let skill = owner.json(&format!("/skills/{name}"));
        let what = skill["history"][0]["what"].as_str().unwrap();
        assert!(what.ends_with(", and edited the text: it says it better"), "{what}");
        let added = skill["edited"].as_array().unwrap().iter().find(|line| line["mark"] == "+");
        assert_eq!(added.unwrap()["text"], "Ask the team first.", "{skill}");
        let decision = &skill["decisions"][0];
        assert_eq!(decision["what"], "edited", "{skill}");
        let added = decision["diff"].as_array().unwrap().iter().find(|line| line["mark"] == "+");
        assert_eq!(added.unwrap()["text"], "Ask the team first.", "{skill}");
        assert_eq!(standing(&house, &name, in_repository).unwrap(), edited);
        house.mine();
        assert_eq!(standing(&house, &name, in_repository).unwrap(), edited, "mining leaves it alone");
        assert_eq!(owner.json(&format!("/skills/{name}"))["state"], "hand-edited");
        assert!(owner.page(&format!("/skills/{name}")).contains("published, edited by a person"));
        // Withdrawn it shows what it said, and it comes back with that and no other text.
        assert_eq!(decide(&owner, &name, "withdraw", &[]).status, 303);
        assert_eq!(standing(&house, &name, in_repository), None);
        let skill = owner.json(&format!("/skills/{name}"));
        let said =
            skill["lines"].as_array().unwrap().iter().any(|line| line["text"] == "Ask the team first.");
        assert!(said, "{skill}");
        assert_eq!(skill["decisions"].as_array().unwrap().len(), 1, "it is told once: {skill}");
        assert!(owner.page(&format!("/skills/{name}")).contains(">withdrawn</span>"));
        assert_eq!(decide(&owner, &name, "restore", &[]).status, 303);
        assert_eq!(standing(&house, &name, in_repository).unwrap(), edited);
        // Who did it and when stands beside it, for who may see people.
        let last = owner.json(&format!("/skills/{name}"))["history"][0].clone();
        assert_eq!(last["by"], "the owner of this machine's data", "{last}");
        assert!(last["at"].as_str().unwrap().starts_with(last["date"].as_str().unwrap()), "{last}");
    }
}

#[test]
fn a_text_that_a_person_agreed_to_comes_back_after_its_file_was_deleted() {
    let (house, owner, name) = proposing(false);
    let proposed = owner.json(&format!("/review/{name}"))["proposed"].as_str().unwrap().to_owned();
    let edited = format!("{}\nAsk the team first.\n", proposed.trim_end());
    assert_eq!(decide(&owner, &name, "edit", &[("text", &edited)]).status, 303);
    std::fs::remove_file(house.site.path("skills").join(format!("skills/{name}/SKILL.md"))).unwrap();
    house.mine();
    assert_eq!(standing(&house, &name, false), None);
    assert_eq!(decide(&owner, &name, "restore", &[]).status, 303);
    assert_eq!(standing(&house, &name, false).unwrap(), edited, "nobody agreed to another text");
}

#[test]
fn a_decision_is_about_what_was_seen_and_comes_from_a_form_of_the_session() {
    let (house, owner, name) = proposing(false);
    let (csrf, seen) = (owner.csrf(), seen(&owner, &name));
    let post = |csrf: &str, seen: &str, action: &str| {
        let fields = [("csrf", csrf), ("tenant", "default"), ("seen", seen), ("action", action)];
        owner.post(&format!("/review/{name}"), &fields).status
    };
    assert_eq!(post(&csrf, "something else", "accept"), 409);
    assert_eq!(post("", &seen, "accept"), 403);
    assert_eq!(post(&csrf, &seen, "delete"), 400);
    assert_eq!(standing(&house, &name, false), None);
    let commands = house.command(&["skills", "reject", &name, "--reason", "by command"]);
    assert_eq!(commands.0, 0, "{}", commands.2);
    assert_eq!(post(&csrf, &seen, "accept"), 409, "it is decided");
    let fields = [
        ("csrf", csrf.as_str()),
        ("seen", seen.as_str()),
        ("action", "refuse"),
        ("reason", "typed <b>here</b>"),
    ];
    let late = owner.post(&format!("/review/{name}"), &fields);
    assert_eq!(late.status, 409);
    for part in
        ["was decided meanwhile", "by command", "typed &lt;b&gt;here", &format!("href=\"/skills/{name}?")]
    {
        assert!(late.text.contains(part), "{part}: {}", late.text);
    }
}

#[test]
fn a_refused_change_is_seen_as_a_diff() {
    let house = House::open();
    house.send(&stories("s", "shop", "make db-up"));
    house.mine();
    let owner = house.owner();
    let name = owner.json("/skills")["targets"][0]["skills"][0]["name"].as_str().unwrap().to_owned();
    // A person writes in it, so what new sessions show is a proposal.
    let path = house.site.path("skills").join(format!("skills/{name}/SKILL.md"));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{}\nAsk the team first.\n", text.trim_end())).unwrap();
    house.send(&stories("t", "shop", "make db-up"));
    let more: Vec<_> = stories("u", "shop", "make queue-up").into_iter().collect();
    house.send(&more);
    house.mine();
    // What the page knows of the library is up to a second old.
    let state = || owner.json(&format!("/skills/{name}"))["state"].clone();
    let seen = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        state() == "hand-edited"
    });
    assert!(seen, "{}", state());
    assert_eq!(decide(&owner, &name, "refuse", &[("reason", "no")]).status, 303);
    let skill = owner.json(&format!("/skills/{name}"));
    let decision = &skill["decisions"][0];
    assert_eq!(decision["what"], "refused", "{skill}");
    assert!(!decision["diff"].as_array().unwrap().is_empty(), "{skill}");
    assert!(owner.page(&format!("/skills/{name}")).contains("What a person refused on"));
}

//! What mining claims, said as predicates: where both count the same thing, the counts are equal.

use skillspan::event::Status;
use skillspan::skillify::as_predicate::{of_claim, of_procedure};
use skillspan::skillify::predicate::{Followed, Predicate, Side, Track, Verdict, cases, evaluate};
use skillspan::skillify::{Claim, SupportedClaim, mine_digests};
use skillspan::skillify::{Classes, Config, Digest, Offline, PublishRule};
use skillspan::table::Session;

use super::sessions::{other_work, session};

/// Every claim of the sessions that mining looked at and that stands.
fn claims(sessions: &[Session]) -> Vec<SupportedClaim> {
    let rule = PublishRule { people: 1, allow: Classes::EVERY, ..PublishRule::default() };
    let config = Config { publish: rule, ..Config::default() };
    let digests: Vec<Digest> = sessions.iter().map(Digest::of).collect();
    let mined = mine_digests("shop", &digests, &config).worded(&Offline);
    mined.candidates.into_iter().flat_map(|candidate| candidate.claims).collect()
}

fn held(predicate: &Predicate, sessions: &[Session]) -> Verdict {
    let tracks: Vec<Track<'_>> = sessions.iter().map(Track::of).collect();
    evaluate(predicate, &tracks)
}

fn on_sessions(line: &str, sessions: &[Session]) -> Verdict {
    held(&Predicate::parse(line).unwrap(), sessions)
}

/// The claim that `is_it`, and what sessions show of its predicate.
fn both(sessions: &[Session], is_it: impl Fn(&Claim) -> bool) -> (SupportedClaim, Predicate, Verdict) {
    let all = claims(sessions);
    let claim = all.iter().find(|claim| is_it(&claim.claim));
    let mined: Vec<String> = all.iter().map(|claim| claim.claim.to_string()).collect();
    assert!(claim.is_some(), "not mined: {mined:#?}");
    let claim = claim.unwrap();
    let predicate = of_claim(&claim.claim, &claim.failures).unwrap();
    // What a person writes is what a kind compiles to.
    assert_eq!(Predicate::parse(&predicate.to_string()).as_ref(), Ok(&predicate));
    let verdict = held(&predicate, sessions);
    (claim.clone(), predicate, verdict)
}

/// The sessions of a side, each with its last event.
fn shown(verdict: &Verdict, side: Side) -> Vec<&str> {
    verdict.shown.iter().filter(|shown| shown.side == side).map(|shown| shown.session.as_str()).collect()
}

fn checked() -> Vec<Session> {
    let mut sessions = Vec::new();
    for number in 0..8 {
        let file = format!("src/tax/rate{}.py", number % 4);
        let done =
            session(&format!("c{number}")).by("ann").on(number).prompt("Change the tax rate").edit(&file);
        let done = if number == 0 { done.fails("pytest tests/tax").edit(&file) } else { done };
        let done =
            if number == 7 { done.response("Done.") } else { done.ok("pytest tests/tax").response("Done.") };
        sessions.push(done.prompt("Thanks!").build());
    }
    for number in 0..12 {
        let done = session(&format!("d{number}")).by("bob").on(number).prompt("Improve the page");
        let done = done.edit(&format!("web/page{}.ts", number % 5)).ok("npm run lint");
        sessions.push(done.response("Done.").prompt("Thanks!").build());
    }
    sessions
}

#[test]
fn a_check_has_the_counts_of_its_kind() {
    let sessions = checked();
    let (claim, predicate, verdict) = both(
        &sessions,
        |claim| matches!(claim, Claim::Check { run, .. } if run.to_string() == "pytest tests/tax"),
    );
    assert_eq!(predicate.to_string(), "after edit \"src/tax/*.py\" run \"pytest tests/tax\"");
    assert_eq!(verdict.counts, claim.counts);
    assert_eq!(verdict.counts.treated_with, 7);
    assert_eq!(shown(&verdict, Side::Against), ["c7"]);
    let supports: Vec<&str> = claim.support.iter().map(|shown| shown.session.as_str()).collect();
    let mut own = shown(&verdict, Side::For);
    own.sort_unstable();
    let mut supports = supports;
    supports.sort_unstable();
    assert_eq!(own, supports);
}

fn repaired() -> Vec<Session> {
    let mut sessions = Vec::new();
    for number in 0..6 {
        let done = session(&format!("r{number}")).by("ann").on(number).prompt("Run the integration tests");
        let done =
            done.run_with_output("make itest", Status::Error, "dial tcp 127.0.0.1:5432: connection refused");
        let done = if number % 3 == 0 {
            done.run_with_output("make itest", Status::Error, "dial tcp 127.0.0.1:5432: connection refused")
        } else {
            done
        };
        sessions.push(done.ok("make db-up").ok("make itest").response("Done.").prompt("Thanks!").build());
    }
    for number in 0..3 {
        let done = session(&format!("s{number}")).by("bob").on(number).prompt("Run the integration tests");
        let done =
            done.run_with_output("make itest", Status::Error, "dial tcp 127.0.0.1:5432: connection refused");
        let done =
            done.run_with_output("make itest", Status::Error, "dial tcp 127.0.0.1:5432: connection refused");
        sessions.push(done.response("It fails.").build());
    }
    // An edit between: no clean rerun.
    let done = session("e").by("bob").on(9).prompt("Fix the integration tests");
    let done =
        done.run_with_output("make itest", Status::Error, "dial tcp 127.0.0.1:5432: connection refused");
    sessions.push(done.edit("src/db.py").ok("make db-up").ok("make itest").prompt("Thanks!").build());
    sessions
}

#[test]
fn a_repair_has_the_counts_of_its_kind() {
    let sessions = repaired();
    let (claim, predicate, verdict) = both(&sessions, |claim| matches!(claim, Claim::Repair { .. }));
    assert_eq!(
        predicate.to_string(),
        "after fail \"make itest\" saying \"connection refused\" run \"make db-up\" expect clean pass \"make itest\""
    );
    assert_eq!(verdict.counts, claim.counts);
    assert_eq!(verdict.counts.treated_with, 6);
    assert_eq!(verdict.counts.untreated_without, 5, "two of the six, and three that gave up");
    assert_eq!(verdict.unknown, 1, "the one with an edit between");
}

#[test]
fn a_replacement_has_the_counts_of_its_kind() {
    let replaced = |number: usize, file: &str| {
        session(&format!("i{number}"))
            .by("ann")
            .prompt("solve it")
            .run_with_output(&format!("python3 -m pytest {file}"), Status::Error, "No module named pytest")
            .ok("ls bin")
            .ok(&format!("bin/test {file}"))
            .build()
    };
    let files =
        ["core/tests/test_add.py", "sets/tests/test_sets.py", "logic/tests/test_or.py", "x/tests/test_x.py"];
    let sessions: Vec<Session> =
        files.iter().enumerate().map(|(number, file)| replaced(number, file)).collect();
    let (claim, predicate, verdict) = both(&sessions, |claim| matches!(claim, Claim::Instead { .. }));
    assert_eq!(
        predicate.to_string(),
        "after fail \"python3 -m pytest {path}\" run \"bin/test {path}\" within turn expect pass"
    );
    assert_eq!(verdict.counts.treated_with, claim.counts.treated_with);
    assert_eq!(verdict.counts.treated_without, claim.counts.treated_without);
    assert_eq!(verdict.counts.treated_with, 4);
}

#[test]
fn where_things_are_has_the_counts_of_its_kind() {
    let found = |number: usize, file: &str, name: &str| {
        let output = format!("{file}:12:type {name} struct {{");
        session(&format!("w{number}-{name}"))
            .by("ann")
            .prompt("Where is it?")
            .tool("Grep", &format!("{{\"pattern\":\"{name}\"}}"), Status::Ok, "No files found")
            .tool("Grep", &format!("{{\"pattern\":\"{name}\"}}"), Status::Ok, &output)
            .build()
    };
    let mut sessions: Vec<Session> =
        (0..5).map(|number| found(number, "src/till/cart.go", "CartState")).collect();
    for number in 0..12 {
        sessions.push(found(number, &format!("src/x{number}.go"), &format!("Other{number}Thing")));
    }
    let miss = |number: usize| {
        session(&format!("m{number}"))
            .by("bob")
            .prompt("Look at the commands")
            .tool("Read", "{\"file_path\":\"src/commands/add.go\"}", Status::Error, "File does not exist.")
            .build()
    };
    sessions.extend((0..5).map(miss));
    let (claim, predicate, verdict) = both(&sessions, |claim| matches!(claim, Claim::Declared { .. }));
    assert_eq!(predicate.to_string(), "after search \"CartState\" expect found \"src/till/cart.go\"");
    assert_eq!(verdict.counts, claim.counts);
    assert_eq!(verdict.counts.treated_with, 5);
    let (claim, _, verdict) = both(&sessions, |claim| matches!(claim, Claim::Missing { .. }));
    assert_eq!(verdict.counts, claim.counts);
    assert_eq!(verdict.counts.treated_with, 5);
}

#[test]
fn an_unknown_flag_has_the_counts_of_its_kind() {
    let flagged = |number: usize| {
        session(&format!("f{number}"))
            .by("ann")
            .prompt("Show the file")
            .run_with_output("gh pr diff 12 --stat", Status::Error, "unknown flag: --stat")
            .ok("gh pr diff 12 --name-only")
            .build()
    };
    let mut sessions: Vec<Session> = (0..4).map(flagged).collect();
    sessions.extend((0..10).map(|number| {
        session(&format!("g{number}")).by("bob").prompt("List").ok("gh pr list --limit 3").build()
    }));
    let (claim, predicate, verdict) = both(&sessions, |claim| matches!(claim, Claim::NoFlag { .. }));
    assert_eq!(predicate.to_string(), "after run \"gh pr diff --stat ...\" expect fail");
    assert_eq!(verdict.counts, claim.counts);
    assert_eq!(verdict.counts.treated_with, 4);
}

#[test]
fn a_rule_of_people_has_the_sessions_of_its_kind() {
    let said = |id: &str, person: &str, day: i64| {
        session(id)
            .by(person)
            .on(day)
            .prompt("Fix the flaky test")
            .edit("src/a.py")
            .prompt("Never force-push.")
            .ok("git status")
            .build()
    };
    let sessions = [
        said("a", "ann", 0),
        said("b", "bob", 3),
        said("c", "ann", 5),
        session("d").by("bob").prompt("Fix it").ok("git status").build(),
    ];
    let (claim, predicate, verdict) = both(&sessions, |claim| matches!(claim, Claim::Rule { .. }));
    assert!(predicate.to_string().starts_with("with prompt want not "), "{predicate}");
    assert_eq!(verdict.counts.treated_with as usize, claim.sessions().len());
    assert_eq!(verdict.counts.treated_without, 1);
}

#[test]
fn a_procedure_has_the_sessions_of_its_kind() {
    let release = |number: usize| {
        session(&format!("p{number}"))
            .by(if number.is_multiple_of(2) { "ann" } else { "bob" })
            .on(number as i64)
            .prompt("Cut a release of the billing service")
            .ok("./scripts/bump.sh")
            .ok("./scripts/changelog.sh")
            .ok("git push origin main")
            .prompt("Thanks!")
            .build()
    };
    let mut sessions: Vec<Session> = (0..5).map(release).collect();
    sessions.extend(other_work(8));
    let all = claims(&sessions);
    let steps: Vec<&SupportedClaim> = all.iter().filter(|claim| claim.claim.step().is_some()).collect();
    assert!(steps.len() >= 2, "{all:#?}");
    let claims: Vec<Claim> = steps.iter().map(|claim| claim.claim.clone()).collect();
    let predicate = of_procedure(&["release".to_owned()], &claims).unwrap();
    assert_eq!(Predicate::parse(&predicate.to_string()).as_ref(), Ok(&predicate));
    let verdict = held(&predicate, &sessions);
    for step in steps {
        assert_eq!(verdict.counts.treated_with as usize, step.sessions().len(), "{predicate}");
    }
    assert_eq!(verdict.counts.treated_with, 5);
}

#[test]
fn each_situation_is_followed_violated_or_nobody_can_tell() {
    let one = session("a")
        .prompt("Commit it")
        .ok("git commit -m x")
        .prompt("Rename it")
        .edit("src/a.py")
        .ok("git commit -m y")
        .refused("git push")
        .build();
    let track = Track::of(&one);
    let of = |line: &str| -> Vec<Followed> {
        let predicate = Predicate::parse(line).unwrap();
        cases(&predicate, &track).into_iter().map(|case| case.followed).collect()
    };
    let commits = of("before run \"git commit ...\" prompt saying \"commit\" within turn");
    assert_eq!(commits, [Followed::Yes, Followed::No]);
    assert_eq!(of("after edit \"*.py\" run \"git push ...\""), [Followed::Unknown]);
    assert_eq!(of("after edit \"*.py\" run \"make test\""), [Followed::No]);
    assert_eq!(of("after prompt request no edit \"**\" within turn"), [Followed::Yes, Followed::No]);
    assert_eq!(of("after edit \"*.rs\" run \"make test\""), []);
}

#[test]
fn refusals_outputs_texts_and_kinds_of_prompts_are_events() {
    let refused = |id: &str| {
        session(id)
            .prompt("Publish it, please?")
            .refused_with("git push --force origin main", "never force-push")
            .prompt("No, that's wrong.")
            .ok("git push origin main")
            .prompt("Thanks!")
            .build()
    };
    let sessions = [
        refused("a"),
        refused("b"),
        session("c").prompt("Push").ok("git push --force origin main").prompt("Thanks!").build(),
    ];
    let counts = |line: &str| {
        let counts = on_sessions(line, &sessions).counts;
        (counts.treated_with, counts.treated_without)
    };
    assert_eq!(counts("after run \"git push --force ...\" expect refuse"), (2, 1));
    assert_eq!(counts("with refuse \"git push ...\" saying \"force-push\" prompt correction"), (2, 0));
    assert_eq!(counts("with prompt question run \"git push ...\""), (2, 0));
    assert_eq!(
        counts("after prompt saying \"publish\" no run \"git push --force ...\""),
        (2, 0),
        "not allowed is not run"
    );
    assert_eq!(counts("with prompt run \"git push --force ...\""), (1, 0));
}

#[test]
fn holes_of_a_path_and_of_a_command_are_one() {
    let sessions = [
        session("a").prompt("x").edit("src/cart.py").ok("pytest tests/test_cart.py").build(),
        session("b").prompt("x").edit("src/cart.py").ok("pytest tests/test_till.py").build(),
    ];
    let verdict = on_sessions("after edit \"src/{name}.py\" run \"pytest tests/test_{name}.py\"", &sessions);
    assert_eq!((shown(&verdict, Side::For), shown(&verdict, Side::Against)), (vec!["a"], vec!["b"]));
}

#[test]
fn what_followed_a_loaded_skill_is_left_out() {
    let loaded = session("a").prompt("x").skill("run-the-tests").edit("src/cart.py").ok("make test").build();
    let tracks = [Track::of(&loaded)];
    let predicate = Predicate::parse("after edit \"*.py\" run \"make test\"").unwrap();
    assert_eq!(tracks[0].left_out, 1);
    assert_eq!(evaluate(&predicate, &tracks).counts.treated(), 0);
}

#[test]
fn edits_that_people_refuse_or_that_fail_are_events() {
    let edit =
        |path: &str| serde_json::json!({ "file_path": path, "old_string": "a", "new_string": "the plan" });
    let refused = |id: &str| {
        let said = "The user doesn't want to proceed with this tool use. To tell you how to proceed, the user said:\nnot this file";
        session(id)
            .prompt("Plan it")
            .tool("Edit", &edit("docs/plans/a.md").to_string(), Status::Error, said)
            .prompt("Go on")
            .build()
    };
    let failed = session("c")
        .prompt("Change the page")
        .tool(
            "Edit",
            &edit("web/page.tsx").to_string(),
            Status::Error,
            "String to replace not found in file.",
        )
        .tool("Read", r#"{"file_path": "web/page.tsx"}"#, Status::Ok, "1 page")
        .edit("web/page.tsx")
        .prompt("Thanks!")
        .build();
    let done = session("d").prompt("Plan it").edit("docs/plans/b.md").prompt("Thanks!").build();
    let sessions = [refused("a"), refused("b"), failed, done];
    let counts = |line: &str| {
        let counts = on_sessions(line, &sessions).counts;
        (counts.treated_with, counts.treated_without)
    };
    assert_eq!(counts("after edit \"docs/plans/*.md\" expect refuse"), (2, 1));
    assert_eq!(counts("with prompt refuse edit \"*.md\" saying \"not this file\""), (2, 2));
    assert_eq!(counts("with prompt refuse edit \"*.md\" saying \"the plan\""), (2, 2));
    assert_eq!(counts("with prompt edit \"docs/plans/*.md\""), (1, 3), "what was refused was not edited");
    assert_eq!(
        counts("after fail edit \"*.tsx\" saying \"not found\" read \"web/page.tsx\" then edit \"*.tsx\""),
        (1, 0)
    );
}

#[test]
fn what_a_session_edits_or_reads_is_not_missed() {
    let look = |id: &str, path: &str, output: &str| {
        let input = serde_json::json!({ "pattern": "total", "path": path }).to_string();
        session(id).prompt("Where is it?").tool("Grep", &input, Status::Ok, output)
    };
    let sessions = [
        look("a", "src/cart", "No files found").edit("src/cart/total.py").build(),
        look("b", "src/carts", "No files found").edit("src/cart/total.py").build(),
        session("c")
            .prompt("Write it")
            .tool("Read", r#"{"file_path": "src/cart/new.py"}"#, Status::Error, "File does not exist.")
            .edit("src/cart/new.py")
            .build(),
    ];
    let shown_for = |line: &str| {
        let verdict = on_sessions(line, &sessions);
        shown(&verdict, Side::For).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(shown_for("after look \"src/cart\" expect missing").is_empty());
    assert_eq!(shown_for("after look \"src/carts\" expect missing"), ["b"]);
}

//! A skill whose command fails now.

use std::sync::Arc;

use skillspan::exporters::Destination;
use skillspan::exporters::target::{Report, Update};
use skillspan::library::{Change, Listed};
use skillspan::service::mining::findings;
use skillspan::skillify::Digest;
use skillspan::table::Session;

use super::golden::on;
use super::repository::{Bare, NAME, SKILL, first, with_migration};
use super::sessions::{SessionBuilder, mined, session};

const REASON: &str = "its command fails in newer sessions";

/// What a worker hands to its targets: candidates, and what each session did.
pub(crate) fn found(sessions: &[Session]) -> Update {
    let digests: Vec<Arc<Digest>> = sessions.iter().map(|session| Arc::new(Digest::of(session))).collect();
    Update::Findings(vec![findings(&mined(sessions), &digests)])
}

fn publish(bare: &Bare, sessions: &[Session]) -> Report {
    bare.direct().publish(&found(sessions)).unwrap()
}

fn listed(bare: &Bare, name: &str) -> Listed {
    let library = bare.direct().load().unwrap();
    library.skills().into_iter().find(|skill| skill.name == name).unwrap()
}

/// A session of something else, so many days after the first ones.
fn later(id: &str, day: i64, did: impl FnOnce(SessionBuilder) -> SessionBuilder) -> Session {
    on(did(session(id).by("alice").prompt("look after the database")).response("Done.").build(), day)
}

fn fails(id: &str, day: i64) -> Session {
    later(id, day, |session| session.fails("make db-up"))
}

#[test]
fn a_skill_whose_command_only_fails_in_newer_sessions_is_retired() {
    let bare = Bare::new();
    publish(&bare, &first());
    let newer = [fails("f1", 1), later("f2", 2, |session| session.skill(NAME).fails("make db-up"))];
    let sessions = [first(), newer.to_vec()].concat();
    assert_eq!(publish(&bare, &sessions).named(Change::Retiring), [NAME]);
    assert!(bare.read("main", SKILL).contains(&format!("Retired: {REASON}.")));
    assert!(bare.git(&["log", "-1", "--format=%B", "main"]).contains(REASON));
    assert!(bare.read("main", "RETIRED.md").contains(REASON));
    assert!(listed(&bare, NAME).history.last().unwrap().what.contains(REASON));
    let commits = bare.commits("main");
    publish(&bare, &sessions);
    assert_eq!(bare.commits("main"), commits, "the same sessions say nothing new");
    let gone = [sessions, vec![later("l", 20, |session| session.ok("make tidy"))]].concat();
    assert_eq!(publish(&bare, &gone).named(Change::Retired), [NAME]);
    assert!(!bare.has("main", SKILL));
}

#[test]
fn a_skill_whose_command_failed_otherwise_stands() {
    let two = |did: fn(SessionBuilder) -> SessionBuilder| vec![later("f1", 1, did), later("f2", 2, did)];
    for (why, newer) in [
        ("it ran well in the session in which it had failed", {
            vec![later("f1", 1, |session| session.fails("make db-up").ok("make db-up")), fails("f2", 2)]
        }),
        (
            "it ran well later, with the skill loaded",
            vec![
                fails("f1", 1),
                fails("f2", 2),
                later("f3", 3, |session| session.skill(NAME).ok("make db-up")),
            ],
        ),
        ("one session is not two", {
            vec![later("f1", 1, |session| session.fails("make db-up").fails("make db-up"))]
        }),
        ("older sessions are overruled", vec![fails("f1", -80), fails("f2", -79)]),
        ("another command failed", two(|session| session.fails("make db-up-all"))),
        ("another command with it as a word failed", two(|session| session.fails("make db-up clean"))),
        ("nothing tells which command of the line failed", {
            two(|session| session.fails("make db-up && make seed"))
        }),
        ("the tests fail, not what they need", two(|session| session.fails("make itest"))),
        ("a person did not allow it", two(|session| session.refused("make db-up"))),
    ] {
        let bare = Bare::new();
        publish(&bare, &first());
        let before = bare.read("main", SKILL);
        let report = publish(&bare, &[first(), newer].concat());
        assert_eq!(report.named(Change::Retiring), Vec::<&str>::new(), "{why}");
        assert_eq!(bare.read("main", SKILL), before, "{why}");
    }
}

#[test]
fn a_command_that_ran_well_with_the_skill_and_then_fails_is_contradicted() {
    let bare = Bare::new();
    publish(&bare, &first());
    let used = later("u", 1, |session| session.skill(NAME).ok("make db-up"));
    let sessions = [first(), vec![used, fails("f1", 2), fails("f2", 3)]].concat();
    assert_eq!(publish(&bare, &sessions).named(Change::Retiring), [NAME]);
}

#[test]
fn of_several_commands_the_one_that_fails_is_said_no_longer() {
    let bare = Bare::new();
    publish(&bare, &first());
    publish(&bare, &with_migration());
    let claims = listed(&bare, NAME).evidence;
    assert_eq!(claims.len(), 2, "{claims:?}");
    let newer = ["f1", "f2"].map(|id| later(id, 1, |session| session.fails("make migrate")));
    let sessions = [with_migration(), newer.to_vec()].concat();
    assert_eq!(publish(&bare, &sessions).named(Change::Revised), [NAME]);
    let skill = bare.read("main", SKILL);
    assert!(skill.contains("make db-up") && !skill.contains("make migrate"), "{skill}");
    let message = bare.git(&["log", "-1", "--format=%B", "main"]);
    assert!(message.contains(&format!("no longer: if `make itest` fails, run `make migrate` ({REASON})")));
    let evidence = bare.read("main", &SKILL.replace("SKILL.md", "references/evidence.md"));
    assert!(
        evidence.contains(&format!("- If `make itest` fails, run `make migrate`: {REASON}")),
        "{evidence}"
    );
    let commits = bare.commits("main");
    publish(&bare, &sessions);
    assert_eq!(bare.commits("main"), commits);
}

#[test]
fn a_skill_that_a_person_edited_is_not_retired() {
    let bare = Bare::new();
    let ann = bare.person("ann");
    publish(&bare, &first());
    ann.pull("main");
    ann.write(SKILL, &ann.read(SKILL).replace("## Lessons", "## Lessons, most useful first"));
    ann.commit_and_push("main", "Say that the order matters");
    let edited = bare.read("main", SKILL);
    let report = publish(&bare, &[first(), vec![fails("f1", 1), fails("f2", 2)]].concat());
    assert_eq!(report.named(Change::HandEdited), [NAME]);
    assert_eq!(bare.read("main", SKILL), edited);
}

#[test]
fn what_fails_already_is_not_published_until_it_works_again() {
    let bare = Bare::new();
    let failing = [first(), vec![fails("f1", 1), fails("f2", 2)]].concat();
    let report = publish(&bare, &failing);
    assert_eq!((report.named(Change::Created).len(), bare.tip("main")), (0, None));
    let works = later("w", 3, |session| session.ok("make db-up"));
    assert_eq!(publish(&bare, &[failing, vec![works]].concat()).named(Change::Created), [NAME]);
    // A part of it that fails already is left out at once, not one run later.
    let bare = Bare::new();
    let newer = ["f1", "f2"].map(|id| later(id, 1, |session| session.fails("make migrate")));
    let sessions = [with_migration(), newer.to_vec()].concat();
    assert_eq!(publish(&bare, &sessions).named(Change::Created), [NAME]);
    assert!(!bare.read("main", SKILL).contains("make migrate"));
    publish(&bare, &sessions);
    assert_eq!(bare.commits("main"), 1);
}

fn release(id: &str, person: &str, version: &str) -> Session {
    session(id)
        .by(person)
        .prompt(&format!("Release {version}"))
        .edit("src/version.py")
        .ok("make lint && make test")
        .ok(&format!("git commit -qam 'Release {version}' && git tag v{version}"))
        .ok(&format!("./scripts/publish.sh --version {version}"))
        .response("Released.")
        .build()
}

/// Three releases among other work: what a procedure's steps are more frequent in has to be seen.
pub(crate) fn releases() -> Vec<Session> {
    let mut sessions =
        vec![release("r1", "alice", "0.4.2"), release("r2", "bob", "0.5.0"), release("r3", "carol", "0.6.0")];
    let words = ["amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath", "islet", "jade"];
    for (at, word) in words.into_iter().enumerate() {
        let who = ["alice", "bob", "carol"][at % 3];
        let other = session(&format!("w{at}")).by(who).prompt(&format!("look at {word}"));
        sessions.push(other.ok(&format!("./bin/{word} --check")).response("Done.").build());
    }
    sessions
}

#[test]
fn a_step_with_a_hole_falls_when_its_runs_fail_and_a_check_does_not() {
    let releases = releases();
    let skill_of = |bare: &Bare| {
        let files = bare.files("main");
        files.into_iter().find(|(path, _)| path.ends_with("/SKILL.md")).unwrap().1
    };
    let step = "Run `./scripts/publish.sh --version {version}`.";
    for (command, falls) in [
        ("./scripts/publish.sh --version 0.7.0", true),
        ("cd api && sudo ./scripts/publish.sh --version 0.7.0", true),
        ("PROFILE=field ./scripts/publish.sh --version 0.7.0", false),
        ("./scripts/publish.sh --version next", false),
        ("make lint", false),
    ] {
        let bare = Bare::new();
        publish(&bare, &releases);
        assert!(skill_of(&bare).contains(step), "{}", skill_of(&bare));
        let newer = ["f1", "f2"].map(|id| later(id, 1, |session| session.fails(command)));
        publish(&bare, &[releases.clone(), newer.to_vec()].concat());
        let skill = skill_of(&bare);
        assert_eq!(!skill.contains(step), falls, "{command}: {skill}");
        assert!(skill.contains("make lint"), "{command}: {skill}");
    }
}

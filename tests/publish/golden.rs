//! The life of a skill as one story: after each run the commit and the whole tree are compared.

use std::fmt::Write as _;

use skillspan::event::Status;
use skillspan::exporters::Destination;
use skillspan::exporters::target::Update;
use skillspan::library::{Decision, Episode, Findings};
use skillspan::table::Session;

use super::failing::releases;
use super::repository::{Bare, NAME, SKILL, first, update, with_migration};
use super::sessions::{mined, session};

/// What stands at the remote after a run: the message, what changed, the skill.
fn told(bare: &Bare, story: &mut String, chapter: &str, before: Option<String>) {
    let now = bare.tip("main");
    let _ = writeln!(story, "=== {chapter}");
    if before == now {
        story.push_str("(no commit)\n\n");
        return;
    }
    story.push_str(&bare.git(&["log", "-1", "--format=%an%n%n%B", "main"]));
    story.push_str(&bare.git(&["show", "--format=", "--stat=100", "main"]));
    story.push_str(&bare.git(&[
        "show",
        "--format=",
        "--abbrev=12",
        "main",
        "--",
        "skills",
        "RETIRED.md",
        "README.md",
    ]));
    story.push('\n');
}

/// A session of that day in which the database is started in another way.
fn by_compose(id: &str, person: &str, day: i64) -> Session {
    let built = session(id)
        .by(person)
        .prompt("run the integration tests")
        .run_with_output("make itest", Status::Error, "connection refused")
        .ok("docker compose up -d db")
        .ok("make itest")
        .response("Done.")
        .build();
    on(built, day)
}

/// A session in which one of the skill's repairs does not help.
fn against(id: &str, person: &str, day: i64, (failure, repair): (&str, &str)) -> Session {
    let built = session(id)
        .by(person)
        .prompt("run the integration tests")
        .run_with_output("make itest", Status::Error, failure)
        .ok(repair)
        .run_with_output("make itest", Status::Error, failure)
        .build();
    on(built, day)
}

/// The session, so many days after the first ones.
pub(crate) fn on(mut session: Session, day: i64) -> Session {
    let start = 1_795_000_000_000_000 + (40 + day) * 86_400_000_000;
    let shift = start - session.started_at.as_micros();
    let moved =
        |at: skillspan::event::Timestamp| skillspan::event::Timestamp::from_micros(at.as_micros() + shift);
    session.started_at = moved(session.started_at);
    session.last_event_at = moved(session.last_event_at);
    session.last_ingested_at = moved(session.last_ingested_at);
    for fact in &mut session.facts {
        fact.event.timestamp = moved(fact.event.timestamp);
    }
    session
}

fn one_off(day: i64) -> Session {
    on(session(&format!("later{day}")).by("alice").prompt("say hello").ok("echo hello").build(), day)
}

#[test]
fn the_life_of_a_skill() {
    let bare = Bare::new();
    let ann = bare.person("ann");
    let mut story = String::new();
    let mut sessions = first();
    let publish = |sessions: &[Session], story: &mut String, chapter: &str| {
        let before = bare.tip("main");
        let report = bare.direct().publish(&update(sessions)).unwrap();
        told(&bare, story, chapter, before);
        let _ = writeln!(story, "report: {report}\n");
    };
    publish(&sessions, &mut story, "three sessions show it: created");
    publish(&sessions, &mut story, "nothing new");
    sessions = with_migration();
    publish(&sessions, &mut story, "three more need a migration: sharpened");

    ann.pull("main");
    ann.write(SKILL, &ann.read(SKILL).replace("## Lessons", "## Lessons, most useful first"));
    ann.commit_and_push("main", "Say that the order matters");
    sessions.extend([by_compose("c1", "alice", 1), by_compose("c2", "bob", 2), by_compose("c3", "carol", 3)]);
    publish(&sessions, &mut story, "a person edited it, newer sessions contradict it: proposed");
    let library = bare.direct().load().unwrap();
    let listed = library.skills().into_iter().find(|skill| skill.name == NAME).unwrap();
    let _ = writeln!(story, "state: {}\nproposal:\n{}", listed.standing.as_str(), listed.proposal.unwrap());

    let before = bare.tip("main");
    let approved =
        Update::Decision { skill: NAME.into(), decision: Decision::Approve, as_of: "2027-01-05".into() };
    bare.direct().publish(&approved).unwrap();
    told(&bare, &mut story, "the person approves", before);
    publish(&sessions, &mut story, "nothing new again");

    let database = ("connection refused", "docker compose up -d db");
    sessions.extend([against("a1", "alice", 5, database), against("a2", "bob", 6, database)]);
    publish(&sessions, &mut story, "one of its repairs helps no longer: revised");
    let migration = ("relation does not exist", "make migrate");
    sessions.extend([against("a3", "alice", 7, migration), against("a4", "bob", 8, migration)]);
    publish(&sessions, &mut story, "the other one neither: retirement announced");
    publish(&sessions, &mut story, "the notice stands");
    sessions.push(one_off(20));
    publish(&sessions, &mut story, "a week of evidence later: gone");
    publish(&sessions, &mut story, "and stays gone");
    assert!(!bare.files("main").keys().any(|path| path.starts_with("skills/")), "{story}");

    let library = bare.direct().load().unwrap();
    let listed = library.skills().into_iter().find(|skill| skill.name == NAME).unwrap();
    let _ = writeln!(story, "=== its history");
    for event in &listed.history {
        let _ = writeln!(story, "{} version {} {}", event.date, event.version, event.what);
    }
    insta::assert_snapshot!(story);
}

#[test]
fn a_skill_that_nobody_meets_is_retired_and_one_that_is_used_is_not() {
    for used in [false, true] {
        let bare = Bare::new();
        bare.direct().publish(&update(&first())).unwrap();
        let sessions = [first(), vec![one_off(200)]].concat();
        let mut findings = Findings::from(&mined(&sessions));
        if used {
            findings.uses.insert(NAME.into(), "2027-06-01".into());
        }
        bare.direct().publish(&Update::Findings(vec![findings])).unwrap();
        let description = bare.read("main", SKILL).lines().nth(2).unwrap().to_owned();
        assert_eq!(
            description.contains("Retired: no session met it for half a year"),
            !used,
            "{description}"
        );
    }
}

#[test]
fn what_later_sessions_show_with_and_without_a_skill_stands_beside_its_evidence() {
    let bare = Bare::new();
    bare.direct().publish(&update(&first())).unwrap();
    let episode = |date: &str, loaded: bool, failures: u64| Episode {
        date: date.into(),
        loaded: loaded.then(|| NAME.to_owned()).into_iter().collect(),
        commands: [("make itest".to_owned(), Status::Ok)].into(),
        failures,
        tool_calls: 4,
        seconds: 90,
        ..Episode::default()
    };
    let elsewhere = Episode {
        commands: [("make itest-all".to_owned(), Status::Error)].into(),
        ..episode("2026-12-01", true, 9)
    };
    let episodes = vec![
        episode("2026-11-01", false, 9),
        elsewhere,
        episode("2026-12-01", true, 0),
        episode("2026-12-02", true, 1),
        episode("2026-12-03", false, 2),
    ];
    let publish = |sessions: &[Session]| {
        let findings = Findings { episodes: episodes.clone(), ..Findings::from(&mined(sessions)) };
        bare.direct().publish(&Update::Findings(vec![findings])).unwrap();
        bare.read("main", &SKILL.replace("SKILL.md", "references/evidence.md"))
    };
    assert!(!publish(&first()).contains("Effect"), "effect alone is no change");
    let evidence = publish(&with_migration());
    let table = "| sessions | number | failures | tool calls | seconds |\n|---|---|---|---|---|\n\
                 | with the skill | 2 | 0.5 | 4.0 | 90.0 |\n| without it | 1 | 2.0 | 4.0 | 90.0 |\n";
    assert!(evidence.contains(table), "{evidence}");
    let summary = "| failures per session: 0.5 with it, 2.0 without |";
    assert!(bare.read("main", "README.md").contains(summary));
}

/// A session in which somebody is told to add the package with another tool.
fn preferring(id: &str, person: &str) -> Session {
    session(id)
        .by(person)
        .prompt("Add the charting library to the dashboard")
        .ok("npm install charts")
        .response("Installed.")
        .prompt("No, we use pnpm here, not npm.")
        .ok("pnpm add charts")
        .prompt("Thanks!")
        .build()
}

#[test]
fn an_install_that_a_skill_is_against_stands_in_no_file_of_it_as_a_command() {
    let bare = Bare::new();
    bare.direct().publish(&update(&[preferring("a", "alice"), preferring("b", "bob")])).unwrap();
    let folder = "skills/install-dependencies";
    let skill = bare.read("main", &format!("{folder}/SKILL.md"));
    let evidence = bare.read("main", &format!("{folder}/references/evidence.md"));
    assert!(skill.contains("## Lessons\n1. Use `pnpm add charts`, not `npm`.\n"), "{skill}");
    assert!(evidence.contains("## Use `pnpm add charts`, not `npm`\n"), "{evidence}");
    assert!(!format!("{skill}{evidence}").contains("npm install"), "{skill}{evidence}");
}

#[test]
fn effect_is_told_of_skills_that_repair_nothing_as_well() {
    let replacing = |id: &str, person: &str, file: &str| {
        let failed = format!("python3 -m pytest {file}");
        session(id)
            .by(person)
            .prompt("solve it")
            .run_with_output(&failed, Status::Error, "No module named pytest")
            .ok("ls bin")
            .ok(&format!("bin/test {file}"))
            .build()
    };
    let preferring = vec![preferring("a", "alice"), preferring("b", "bob")];
    let replacing = vec![
        replacing("a", "alice", "x/test_a.py"),
        replacing("b", "bob", "y/test_b.py"),
        replacing("c", "carol", "x/test_c.py"),
    ];
    let releasing = releases();
    for (sessions, met, not_met) in [
        (&preferring, ["pnpm add charts", "npm install charts"], "pnpm add chalk"),
        (&replacing, ["bin/test z/test_c.py", "python3 -m pytest z/test_c.py"], "bin/lint z/test_c.py"),
        (&releasing, ["make lint", "make lint"], "./scripts/publish.sh --version 1.2.3"),
    ] {
        let episode = |command: &str| Episode {
            date: "2027-01-01".into(),
            commands: [(command.to_owned(), Status::Ok)].into(),
            failures: 1,
            ..Episode::default()
        };
        let mut episodes: Vec<Episode> = met.into_iter().map(episode).collect();
        episodes.push(episode(not_met));
        let bare = Bare::new();
        bare.direct().publish(&update(sessions)).unwrap();
        // Nobody does that work any more: the last change tells what came of the skill.
        let later = [sessions.clone(), vec![one_off(200)]].concat();
        let findings = Findings { episodes, ..Findings::from(&mined(&later)) };
        bare.direct().publish(&Update::Findings(vec![findings])).unwrap();
        let listed = bare.direct().load().unwrap().skills();
        let listed = listed.first().unwrap_or_else(|| panic!("no skill of {met:?}"));
        let without = listed.effect.clone().unwrap_or_default().without;
        assert_eq!((without.sessions, without.failures), (2, 2), "{met:?}: {}", listed.description);
    }
}

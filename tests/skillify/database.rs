//! One command needs another to have run: the plainest thing to learn from sessions.

use skillspan::event::Status;
use skillspan::skillify::{Candidate, Scope, Shortfall};

use super::sessions::{mined, needs, one_offs, other_work, session};

fn published(mined: &skillspan::skillify::Mined) -> Vec<&Candidate> {
    mined.candidates.iter().filter(|candidate| candidate.is_published()).collect()
}

fn lessons(candidate: &Candidate) -> Vec<&str> {
    candidate.wording.lessons.iter().map(|line| line.text.as_str()).collect()
}

fn evidence(candidate: &Candidate) -> Vec<&str> {
    let mut sessions: Vec<&str> = candidate.sessions().into_iter().map(|(_, session)| session).collect();
    sessions.sort_unstable();
    sessions
}

#[test]
fn three_sessions_that_needed_the_database_become_one_skill() {
    let mut sessions = needs("make db-up", "make test-integration");
    sessions.extend(one_offs("make db-up", "make test-integration"));
    let mined = mined(&sessions);
    let skills = published(&mined);
    assert_eq!(skills.len(), 1, "{}", mined.explain().join("\n"));
    let skill = skills[0];
    assert_eq!(
        skill.wording.description,
        "If `make test-integration` fails, run `make db-up`. Use before running integration tests and when \
         `make test-integration` fails."
    );
    assert_eq!(skill.wording.name, "run-the-integration-tests");
    assert_eq!(skill.wording.title, "Run the integration tests");
    assert_eq!(evidence(skill), ["s01", "s02", "s03"]);
    assert_eq!(skill.scope, Scope::Workspace);
    assert_eq!(lessons(skill), ["If `make test-integration` fails, run `make db-up`."]);
    assert!(skill.wording.steps.is_empty());
}

#[test]
fn the_commands_of_any_repository_are_learnt() {
    for (fix, test) in [
        ("just up", "just itest"),
        ("docker compose up -d db", "npm run test:e2e"),
        ("./scripts/seed.sh", "cargo test --test api"),
        ("make test-db-up", "make test-api"),
        ("npm ci", "npm run build"),
        ("bin/rails db:migrate", "bundle exec rspec spec/orders_spec.rb"),
        ("cp .env.example .env", "./gradlew integrationTest"),
        ("terraform init", "terraform plan"),
        ("task services:start", "go test ./internal/store"),
        ("poetry install", "poetry run pytest tests/integration"),
        ("git submodule update --init", "cmake --build out"),
    ] {
        let mut sessions = needs(fix, test);
        sessions.extend(one_offs(fix, test));
        let mined = mined(&sessions);
        let skills = published(&mined);
        assert_eq!(skills.len(), 1, "{fix} / {test}:\n{}", mined.explain().join("\n"));
        assert_eq!(lessons(skills[0]), [format!("If `{test}` fails, run `{fix}`.")]);
        let description = &skills[0].wording.description;
        let start = format!("If `{test}` fails, run `{fix}`. Use before ");
        let end = format!(" and when `{test}` fails.");
        assert!(description.starts_with(&start) && description.ends_with(&end), "{description}");
        assert_eq!(evidence(skills[0]), ["s01", "s02", "s03"], "{fix} / {test}");
    }
}

#[test]
fn the_same_work_in_other_assistants_supports_the_same_claim() {
    let sessions = [
        session("codex")
            .by("alice")
            .assistant("codex")
            .prompt("integration tests, please")
            .tool(
                "shell",
                r#"{"command":["bash","-lc","cd api && make itest 2>&1 | tail -20"]}"#,
                Status::Ok,
                "test_orders ... FAILED\nmake: *** [Makefile:4: itest] Error 1",
            )
            .tool("exec_command", r#"{"cmd":"rg db-up Makefile"}"#, Status::Ok, "")
            .tool("exec_command", r#"{"cmd":"make db-up"}"#, Status::Ok, "")
            .tool("shell", r#"{"command":["bash","-lc","cd api && make itest"]}"#, Status::Ok, "")
            .build(),
        session("gemini")
            .by("bob")
            .assistant("gemini-cli")
            .prompt("do the integration tests pass?")
            .tool("run_shell_command", r#"{"command":"CI=1 make itest"}"#, Status::Error, "")
            .tool("run_shell_command", r#"{"command":"make db-up && make itest"}"#, Status::Ok, "")
            .build(),
        session("claude")
            .by("carol")
            .prompt("run the integration tests")
            .fails("make itest")
            .ok("make db-up")
            .ok("make itest")
            .build(),
    ];
    let mined = mined(&sessions);
    let skills = published(&mined);
    assert_eq!(skills.len(), 1, "{}", mined.explain().join("\n"));
    assert_eq!(lessons(skills[0]), ["If `make itest` fails, run `make db-up`."]);
    assert_eq!(evidence(skills[0]), ["claude", "codex", "gemini"]);
}

#[test]
fn what_varies_becomes_a_hole() {
    let of = |id: &str, person: &str, path: &str| {
        session(id)
            .by(person)
            .prompt("are the store tests green?")
            .fails(&format!("pytest {path}"))
            .ok("make db-up")
            .ok(&format!("pytest {path}"))
            .build()
    };
    let mined = mined(&[
        of("a", "alice", "tests/test_store.py"),
        of("b", "bob", "tests/test_cart.py"),
        of("c", "carol", "tests/test_till.py"),
    ]);
    let skills = published(&mined);
    assert_eq!(skills.len(), 1, "{}", mined.explain().join("\n"));
    assert_eq!(lessons(skills[0]), ["If `pytest tests/test_{name}.py` fails, run `make db-up`."]);
}

#[test]
fn a_recurring_procedure_becomes_a_skill_with_its_steps_in_order() {
    let release = |id: &str, person: &str, version: &str| {
        session(id)
            .by(person)
            .prompt(&format!("Release {version} to production"))
            .edit("CHANGELOG.md")
            .ok("make lint && make test")
            .ok(&format!("git commit -qam 'Release {version}'"))
            .ok(&format!("./scripts/publish.sh --version {version}"))
            .build()
    };
    let mut sessions =
        vec![release("a", "alice", "0.4.2"), release("b", "bob", "0.5.0"), release("c", "alice", "1.0.0")];
    sessions.extend(one_offs("make db-up", "make itest"));
    sessions.extend(other_work(20));
    let mined = mined(&sessions);
    let skills = published(&mined);
    assert_eq!(skills.len(), 1, "{}", mined.explain().join("\n"));
    let steps: Vec<&str> = skills[0].wording.steps.iter().map(|step| step.text.as_str()).collect();
    assert_eq!(
        steps,
        [
            "Edit `CHANGELOG.md`.",
            "Run `make lint`.",
            "Run `make test`.",
            "Run `git commit -qam \"Release {version}\"`.",
            "Run `./scripts/publish.sh --version {version}`."
        ]
    );
    assert_eq!(skills[0].wording.name, "release-production");
    assert!(skills[0].wording.description.ends_with("Use when asked to release production."));
}

#[test]
fn one_person_repeating_it_is_not_two_people() {
    let mut sessions: Vec<_> = (0..50)
        .map(|index| {
            session(&format!("r{index:02}"))
                .by("alice")
                .prompt("run the integration tests")
                .fails("make itest")
                .ok("make db-up")
                .ok("make itest")
                .build()
        })
        .collect();
    sessions.push(session("other").by("bob").prompt("hello").ok("make fmt").build());
    let mined = mined(&sessions);
    assert!(published(&mined).is_empty());
    let held = &mined.candidates[0];
    assert_eq!(held.shortfalls, [Shortfall::People { found: 1, needed: 2 }]);
    assert_eq!(held.scope, Scope::Person("alice".to_owned()));
    assert!(mined.explain().iter().any(|line| line.contains("because 1 of 2 known people did it")));
}

#[test]
fn a_workspace_with_one_known_person_is_its_own_team() {
    let anonymous = |session: &mut skillspan::table::Session| session.user_id = String::new();
    let mut sessions = needs("make db-up", "make itest");
    sessions.iter_mut().for_each(anonymous);
    assert_eq!(published(&mined(&sessions)).len(), 1);
    sessions[0].user_id = "alice".to_owned();
    assert_eq!(published(&mined(&sessions)).len(), 1);
    sessions[1].user_id = "alice".to_owned();
    sessions.push(session("x").by("bob").prompt("hi").ok("make fmt").build());
    assert!(published(&mined(&sessions)).is_empty(), "an unknown person is nobody");
}

/// One person with two assistants, of which one names an installation, and one writes him differently.
#[test]
fn one_person_with_several_assistants_is_one_person() {
    let by = |who: [(&str, &str); 3]| {
        let mut sessions = needs("make db-up", "make itest");
        for (session, (assistant, user)) in sessions.iter_mut().zip(who) {
            session.assistant = assistant.to_owned();
            session.user_id = user.to_owned();
        }
        sessions.push(session("x").by("bob@example.com").prompt("hi").ok("make fmt").build());
        mined(&sessions)
    };
    let hash = "9ce090f692454945a5f32eb4ada1c7b8f90b85d0f3459d6d8d8e0eecec1ddcf5";
    let uuid = "c4f47ab2-79a4-4a31-b52c-f152f5f60597";
    let ana = "ana@example.com";
    for who in [
        [("claude-code", hash), ("gemini-cli", ana), ("codex", ana)],
        [("claude-code", ana), ("gemini-cli", uuid), ("codex", ana)],
        [
            ("claude-code", "Ana@Example.com"),
            ("gemini-cli", "ana+gemini@example.com"),
            ("codex", "mailto:ana@example.com"),
        ],
        [("claude-code", hash), ("gemini-cli", uuid), ("codex", ana)],
        [("opencode", "unknown"), ("gemini-cli", ana), ("codex", ana)],
    ] {
        let mined = by(who);
        assert!(published(&mined).is_empty(), "{who:?}");
        let held = &mined.candidates[0];
        assert_eq!(held.shortfalls, [Shortfall::People { found: 1, needed: 2 }], "{who:?}");
        assert!(mined.explain().iter().all(|line| !line.contains("2 people")), "{:?}", mined.explain());
    }
    let two = by([("claude-code", "ana@example.org"), ("gemini-cli", ana), ("codex", ana)]);
    assert_eq!(published(&two).len(), 1, "two addresses are two people");
}

#[test]
fn a_single_session_makes_no_skill() {
    let sessions = needs("make db-up", "make itest");
    assert!(mined(&sessions[..1]).candidates.is_empty());
}

#[test]
fn two_sessions_make_a_candidate_and_no_skill() {
    let mined = mined(&needs("make db-up", "make itest")[..2]);
    assert!(published(&mined).is_empty());
    let repair = mined.candidates.iter().find(|candidate| !lessons(candidate).is_empty()).unwrap();
    assert_eq!(lessons(repair), ["If `make itest` fails, run `make db-up`."]);
    assert_eq!(repair.shortfalls, [Shortfall::Sessions { found: 2, needed: 3 }]);
}

#[test]
fn a_session_that_loaded_a_skill_supports_nothing() {
    let with_skill = |id: &str, person: &str| {
        session(id)
            .by(person)
            .prompt("run the integration tests")
            .skill("integration-tests")
            .fails("make itest")
            .ok("make db-up")
            .ok("make itest")
            .build()
    };
    let people = [("a", "alice"), ("b", "bob"), ("c", "carol"), ("d", "alice")];
    assert!(mined(&people.map(|(id, person)| with_skill(id, person))).candidates.is_empty());
}

#[test]
fn a_variant_that_people_refuse_is_not_published() {
    let refused = |id: &str, person: &str| {
        session(id)
            .by(person)
            .prompt("run the integration tests")
            .fails("make itest")
            .ok("make db-reset")
            .ok("make itest")
            .prompt("No, never reset it, that wipes my data. Use `make db-up`.")
            .ok("make db-up")
            .ok("make itest")
            .build()
    };
    let mut sessions = needs("make db-up", "make itest");
    sessions.extend([refused("x1", "alice"), refused("x2", "bob"), refused("x3", "erin")]);
    let mined = mined(&sessions);
    let skills = published(&mined);
    assert_eq!(skills.len(), 1, "{}", mined.explain().join("\n"));
    assert!(
        lessons(skills[0]).contains(&"If `make itest` fails, run `make db-up`."),
        "{:?}",
        lessons(skills[0])
    );
    assert!(!format!("{:?}", skills[0].wording).contains("db-reset"));
}

#[test]
fn procedures_that_look_alike_stay_apart() {
    let mut sessions = needs("make db-up", "make test-integration");
    for (index, mut other) in needs("make cache-up", "make test-integration-cache").into_iter().enumerate() {
        other.id = format!("t{index}");
        sessions.push(other);
    }
    let mined = mined(&sessions);
    let skills = published(&mined);
    assert_eq!(skills.len(), 1, "{}", mined.explain().join("\n"));
    assert_eq!(skills[0].wording.title, "Run the integration tests");
    assert_eq!(
        lessons(skills[0]),
        [
            "If `make test-integration` fails, run `make db-up`.",
            "If `make test-integration-cache` fails, run `make cache-up`.",
        ]
    );
}

#[test]
fn an_edit_that_may_have_helped_proves_no_command() {
    let edited = |id: &str, person: &str| {
        session(id)
            .by(person)
            .prompt("make the tests pass")
            .fails("make test")
            .edit("src/app.py")
            .ok("make generate")
            .ok("make test")
            .build()
    };
    let people = [("a", "alice"), ("b", "bob"), ("c", "carol"), ("d", "alice")];
    assert!(published(&mined(&people.map(|(id, person)| edited(id, person)))).is_empty());
}

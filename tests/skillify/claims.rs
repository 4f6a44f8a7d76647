//! What people and failures choose between: preferences, refusals, replacements, edits.

use skillspan::event::Status;
use skillspan::skillify::{Candidate, Claim, Wording};
use skillspan::table::Session;

use super::sessions::{mined, other_work, session};

fn published(sessions: &[Session]) -> Vec<Candidate> {
    mined(sessions).candidates.into_iter().filter(Candidate::is_published).collect()
}

fn steps(skill: &Candidate) -> Vec<&str> {
    skill.wording.steps.iter().map(|line| line.text.as_str()).collect()
}

fn lessons(skill: &Candidate) -> Vec<&str> {
    assert!(skill.wording.avoid.is_empty() && skill.wording.if_it_fails.is_empty(), "{:?}", skill.wording);
    skill.wording.lessons.iter().map(|line| line.text.as_str()).collect()
}

fn told(id: &str, person: &str, says: &str) -> Session {
    session(id)
        .by(person)
        .prompt("Add the charting library to the dashboard")
        .ok("npm install charts")
        .response("Installed.")
        .prompt(says)
        .ok("pnpm add charts")
        .prompt("Thanks!")
        .build()
}

#[test]
fn what_two_people_prefer_becomes_a_skill() {
    let sessions = [
        told("a", "alice", "No, we use pnpm here, not npm."),
        told("b", "bob", "pnpm add, never npm install"),
    ];
    let skills = published(&sessions);
    assert_eq!(skills.len(), 1, "{skills:#?}");
    assert_eq!(lessons(&skills[0]), ["Use `pnpm add charts`, not `npm`."]);
    assert!(steps(&skills[0]).is_empty());
}

#[test]
fn a_skill_against_an_install_says_what_it_is_about_and_never_the_command_to_copy() {
    let sessions = [
        told("a", "alice", "No, we use pnpm here, not npm."),
        told("b", "bob", "pnpm add, never npm install"),
    ];
    let skills = published(&sessions);
    let Wording { name, title, description, when_to_use, .. } = &skills[0].wording;
    assert_eq!(name, "install-dependencies");
    assert_eq!(title, "Install dependencies");
    assert_eq!(description, "Use `pnpm add charts`, not `npm`. Use before installing packages.");
    assert_eq!(when_to_use, &["Before installing packages."]);
    assert!(!format!("{:?}", skills[0].wording).contains("npm install"));
}

#[test]
fn what_one_person_prefers_stays_a_candidate() {
    let says = "No, we use pnpm here, not npm.";
    for people in [["alice", "alice"], ["", ""]] {
        let sessions = [told("a", people[0], says), told("b", people[1], says)];
        assert_eq!(published(&sessions), [], "{people:?}");
        let held = mined(&sessions).candidates;
        let preferences = held.iter().filter(|held| lessons(held) == ["Use `pnpm add charts`, not `npm`."]);
        assert_eq!(preferences.count(), 1, "{people:?}");
    }
}

#[test]
fn a_command_whose_tool_is_missing_is_replaced_by_what_did_its_work() {
    let replaced = |id: &str, person: &str, file: &str| {
        session(id)
            .by(person)
            .prompt("solve it")
            .run_with_output(&format!("python3 -m pytest {file}"), Status::Error, "No module named pytest")
            .ok("ls bin")
            .ok(&format!("bin/test {file}"))
            .build()
    };
    let sessions = [
        replaced("a", "alice", "core/tests/test_add.py"),
        replaced("b", "bob", "sets/tests/test_sets.py"),
        replaced("c", "alice", "logic/tests/test_or.py"),
    ];
    let skills = published(&sessions);
    assert_eq!(skills.len(), 1, "{skills:#?}");
    assert_eq!(
        lessons(&skills[0]),
        ["Use `bin/test {path}`; `python3 -m pytest {path}` fails here with \"no module named\"."]
    );
    assert_eq!(skills[0].wording.name, "run-the-tests");
    assert_eq!(published(&sessions[..2]), [], "two sessions prove nothing");
}

#[test]
fn a_choice_may_be_between_programs_of_two_letters_and_name_a_plain_one() {
    let said = |prompt: &str, over: &str, prefer: &str| {
        let chosen = |id: &str, person: &str| {
            let one = session(id).by(person).prompt("add a chart").ok(over);
            one.prompt(prompt).ok(prefer).prompt("thanks").build()
        };
        let sessions = [chosen("a", "alice"), chosen("b", "bob"), chosen("c", "carol")];
        published(&sessions).iter().flat_map(lessons).map(str::to_owned).collect::<Vec<_>>()
    };
    for prompt in [
        "Please use uv, not pip",
        "We use `uv` here, never `pip`.",
        "Don't use pip, use uv.",
        "uv please, not plain pip",
    ] {
        let lines = said(prompt, "pip install charts", "uv add charts");
        assert_eq!(lines, ["Use `uv add charts`, not `pip`."], "{prompt}");
    }
    assert_eq!(
        said("go on, and never mind pip", "pip install charts", "go get charts"),
        Vec::<String>::new()
    );
}

#[test]
fn commands_that_one_replaces_are_told_in_one_breath() {
    let replaced = |id: &str, person: &str, failed: &str, file: &str| {
        session(id)
            .by(person)
            .prompt("solve it")
            .run_with_output(&format!("{failed} {file}"), Status::Error, "No module named pytest")
            .ok("ls bin")
            .ok(&format!("bin/test {file}"))
            .build()
    };
    let sessions = [
        replaced("a", "alice", "python3 -m pytest", "core/tests/test_add.py"),
        replaced("b", "bob", "python3 -m pytest", "sets/tests/test_sets.py"),
        replaced("c", "alice", "pytest", "core/tests/test_mul.py"),
        replaced("d", "bob", "pytest", "sets/tests/test_and.py"),
        replaced("e", "alice", "python3 -m pytest", "core/tests/test_div.py"),
        replaced("f", "bob", "pytest", "sets/tests/test_xor.py"),
    ];
    let skills = published(&sessions);
    assert_eq!(skills.len(), 1, "{skills:#?}");
    assert_eq!(
        lessons(&skills[0]),
        [
            "Use `bin/test {path}`; `pytest {path}` and `python3 -m pytest {path}` fail here with \"no module named\"."
        ]
    );
}

#[test]
fn commands_that_one_replaces_are_told_each_with_what_it_fails_with() {
    let replaced = |id: &str, person: &str, failed: (&str, &str), file: &str| {
        session(id)
            .by(person)
            .prompt("solve it")
            .run_with_output(&format!("{} {file}", failed.0), Status::Error, failed.1)
            .ok("ls bin")
            .ok(&format!("bin/test {file}"))
            .build()
    };
    let module = ("python3 -m pytest", "No module named pytest");
    let program = ("pytest", "bash: pytest: command not found");
    let sessions = [
        replaced("a", "alice", module, "core/tests/test_add.py"),
        replaced("b", "bob", module, "sets/tests/test_sets.py"),
        replaced("c", "alice", program, "core/tests/test_mul.py"),
        replaced("d", "bob", program, "sets/tests/test_and.py"),
        replaced("e", "alice", module, "core/tests/test_div.py"),
        replaced("f", "bob", program, "sets/tests/test_xor.py"),
    ];
    let skills = published(&sessions);
    assert_eq!(
        lessons(&skills[0]),
        [
            "Use `bin/test {path}`; `pytest {path}` fails here with \"command not found\" and `python3 -m pytest {path}` fails here with \"no module named\"."
        ]
    );
}

/// Sessions of which four lack a program that four others have.
fn lacked_by_some(file: impl Fn(&str) -> String, folder: &str) -> Vec<Session> {
    let mut sessions: Vec<Session> = Vec::new();
    for (id, person) in [("a", "alice"), ("b", "bob"), ("c", "alice"), ("d", "bob")] {
        let file = file(id);
        sessions.push(
            session(id)
                .by(person)
                .prompt("solve it")
                .run_with_output(&format!("pytest {file}"), Status::Error, "pytest: command not found")
                .ok(&format!("bin/test {file}"))
                .build(),
        );
        let works = session(&format!("{id}-2")).by(person).prompt("solve it");
        sessions.push(works.ok(&format!("pytest {folder}/test_{id}2.py")).build());
    }
    sessions
}

#[test]
fn a_command_that_works_elsewhere_in_the_workspace_is_not_replaced() {
    assert_eq!(published(&lacked_by_some(|id| format!("a/test_{id}.py"), "a")), []);
}

#[test]
fn a_program_that_works_elsewhere_in_the_workspace_is_not_replaced_for_one_file() {
    assert_eq!(published(&lacked_by_some(|_| "a/test_a.py".to_owned(), "b")), []);
}

fn deploy(id: &str, person: &str, push: &str, says: &str) -> Session {
    session(id)
        .by(person)
        .prompt("Deploy the storefront to staging")
        .ok("./scripts/pack.sh")
        .ok(push)
        .response("Done.")
        .prompt(says)
        .ok("./scripts/promote.sh staging")
        .prompt("Thanks, that works.")
        .build()
}

/// Six sessions, of which people corrected the first two, among other work.
fn deploys(push: &str, says: &str) -> Vec<Session> {
    let mut sessions = vec![deploy("a", "alice", push, says), deploy("b", "bob", push, says)];
    for (id, person) in [("c", "carol"), ("d", "alice"), ("e", "bob"), ("f", "carol")] {
        sessions.push(
            session(id)
                .by(person)
                .prompt("Deploy the storefront to staging")
                .ok("./scripts/pack.sh")
                .ok("./scripts/promote.sh staging")
                .prompt("Thanks!")
                .build(),
        );
    }
    sessions.extend(other_work(20));
    sessions
}

#[test]
fn a_correction_speaks_of_what_was_done_last() {
    let skills = published(&deploys("./scripts/push-to-staging.sh --force", "No, not like that."));
    assert_eq!(skills.len(), 1, "{skills:#?}");
    assert_eq!(steps(&skills[0]), ["Run `./scripts/pack.sh`.", "Run `./scripts/promote.sh staging`."]);
    assert_eq!(lessons(&skills[0]), [""; 0], "words that name no command forbid none");
}

/// What is said of a command after two people spoke against it.
fn forbidden(push: &str, says: &str) -> Candidate {
    let sessions = deploys(push, says);
    let avoids = |skill: &Candidate| skill.claims.iter().any(|claim| matches!(claim.claim, Claim::Avoid(_)));
    let mut skills = published(&sessions);
    skills.retain(avoids);
    assert_eq!(skills.len(), 1, "{}", mined(&sessions).explain().join("\n"));
    skills.remove(0)
}

#[test]
fn what_two_people_forbid_by_its_name_is_a_lesson() {
    let skill =
        forbidden("make push-to-staging", "No, not like that. Never run push-to-staging by yourself!");
    assert!(
        lessons(&skill).contains(&"Do not run `make push-to-staging`: people refused it."),
        "{:?}",
        lessons(&skill)
    );
    assert!(steps(&skill).is_empty());
    assert_eq!(skill.wording.name, "use-the-right-commands");
}

#[test]
fn a_script_is_forbidden_by_its_name() {
    let skill = forbidden(
        "./scripts/push-to-staging.sh",
        "No, not like that. Never run push-to-staging.sh by yourself!",
    );
    assert!(
        lessons(&skill).contains(&"Do not run `./scripts/push-to-staging.sh`: people refused it."),
        "{:?}",
        lessons(&skill)
    );
}

#[test]
fn what_people_refuse_without_a_word_is_forbidden_by_nothing() {
    let refused = |id: &str, person: &str| {
        session(id)
            .by(person)
            .prompt("Deploy the storefront to staging")
            .refused("./scripts/push-to-staging.sh --force")
            .ok("./scripts/promote.sh staging")
            .prompt("Thanks, that works.")
            .build()
    };
    let sessions = [refused("a", "alice"), refused("b", "bob"), refused("c", "carol"), refused("d", "alice")];
    let mined = mined(&sessions);
    assert!(!format!("{:?}", mined.candidates).contains("push-to-staging"), "{:?}", mined.explain());
}

#[test]
fn files_that_a_session_made_itself_are_no_procedure() {
    let tried = |id: &str, person: &str| {
        session(id)
            .by(person)
            .prompt("Reproduce the rounding problem")
            .ok("cat <<'EOF' > reproduce.py\nprint(1)\nEOF")
            .ok("python reproduce.py")
            .ok("rm reproduce.py")
            .prompt("Thanks!")
            .build()
    };
    let mut sessions = vec![tried("a", "alice"), tried("b", "bob"), tried("c", "carol"), tried("d", "alice")];
    sessions.extend(other_work(20));
    assert_eq!(published(&sessions), []);
}

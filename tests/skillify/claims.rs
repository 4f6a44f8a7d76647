//! What people and failures choose between: preferences, refusals, replacements, edits.

use skillspan::event::Status;
use skillspan::skillify::{Candidate, Wording};
use skillspan::table::Session;

use super::sessions::{mined, session};

fn published(sessions: &[Session]) -> Vec<Candidate> {
    mined(sessions).candidates.into_iter().filter(Candidate::is_published).collect()
}

fn steps(skill: &Candidate) -> Vec<&str> {
    skill.wording.steps.iter().map(|line| line.text.as_str()).collect()
}

fn avoided(skill: &Candidate) -> Vec<&str> {
    skill.wording.avoid.iter().map(|line| line.text.as_str()).collect()
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
    assert_eq!(steps(&skills[0]), ["Run `pnpm add charts`."]);
    assert_eq!(avoided(&skills[0]), ["Do not install `charts` with `npm`."]);
}

#[test]
fn a_skill_against_an_install_says_what_it_is_about_and_never_the_command_to_copy() {
    let sessions = [
        told("a", "alice", "No, we use pnpm here, not npm."),
        told("b", "bob", "pnpm add, never npm install"),
    ];
    let skills = published(&sessions);
    let Wording { name, title, description, when_to_use, .. } = &skills[0].wording;
    assert_eq!(name, "use-pnpm-add-charts-not-npm");
    assert_eq!(title, "Use `pnpm add charts`, not `npm`");
    assert!(
        description
            .starts_with("Run `pnpm add charts`, not `npm`. Use before you install `charts` with `npm`, "),
        "{description}"
    );
    assert_eq!(when_to_use[0], "Before you install `charts` with `npm`.");
    assert!(!format!("{:?}", skills[0].wording).contains("npm install"));
}

#[test]
fn what_one_person_prefers_stays_a_candidate() {
    let says = "No, we use pnpm here, not npm.";
    for people in [["alice", "alice"], ["", ""]] {
        let sessions = [told("a", people[0], says), told("b", people[1], says)];
        let preferences =
            published(&sessions).into_iter().filter(|skill| skill.wording.name.starts_with("use-"));
        assert_eq!(preferences.count(), 0, "{people:?}");
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
    let sessions =
        [replaced("a", "alice", "core/tests/test_add.py"), replaced("b", "bob", "sets/tests/test_sets.py")];
    let skills = published(&sessions);
    assert_eq!(skills.len(), 1, "{skills:#?}");
    assert_eq!(steps(&skills[0]), ["Run `bin/test {path}`."]);
    assert_eq!(
        avoided(&skills[0]),
        ["Do not run `python3 -m pytest {path}`: it fails here with \"no module named\"."]
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
    ];
    let skills = published(&sessions);
    assert_eq!(skills.len(), 1, "{skills:#?}");
    assert_eq!(
        skills[0].wording.when_to_use[0],
        "Before you run `pytest {path}` or `python3 -m pytest {path}`, and when it fails."
    );
}

#[test]
fn a_command_that_works_elsewhere_in_the_workspace_is_not_replaced() {
    let mut sessions: Vec<Session> = Vec::new();
    for (id, person) in [("a", "alice"), ("b", "bob")] {
        let test = |file: &str| format!("pytest {file}");
        sessions.push(
            session(id)
                .by(person)
                .prompt("solve it")
                .run_with_output(&test("a/test_a.py"), Status::Error, "pytest: command not found")
                .ok("bin/test a/test_a.py")
                .build(),
        );
        sessions
            .push(session(&format!("{id}-2")).by(person).prompt("solve it").ok(&test("b/test_b.py")).build());
    }
    let replacing = published(&sessions).into_iter().filter(|skill| skill.wording.name.starts_with("use-"));
    assert_eq!(replacing.count(), 0);
}

fn deploy(id: &str, person: &str) -> Session {
    session(id)
        .by(person)
        .prompt("Deploy the storefront to staging")
        .ok("./scripts/pack.sh")
        .ok("./scripts/push-to-staging.sh --force")
        .response("Done.")
        .prompt("No, not like that.")
        .ok("./scripts/promote.sh staging")
        .prompt("Thanks, that works.")
        .build()
}

#[test]
fn a_correction_speaks_of_what_was_done_last() {
    let mut sessions = vec![deploy("a", "alice"), deploy("b", "bob")];
    for (id, person) in [("c", "carol"), ("d", "alice")] {
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
    let skills = published(&sessions);
    assert_eq!(skills.len(), 1, "{skills:#?}");
    assert_eq!(steps(&skills[0]), ["Run `./scripts/pack.sh`.", "Run `./scripts/promote.sh staging`."]);
    assert!(avoided(&skills[0])[0].starts_with("Do not run `./scripts/push-to-staging.sh --force`"));
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
    assert!(published(&[tried("a", "alice"), tried("b", "bob")]).is_empty());
}

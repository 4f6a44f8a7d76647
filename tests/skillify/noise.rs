//! What people and assistants do besides: none of it may hide what recurs, or become a skill.

use skillspan::event::Status;
use skillspan::skillify::Candidate;
use skillspan::table::Session;

use super::sessions::{mined, needs, session};

/// Sessions of several people, as many as prove a lesson.
const PEOPLE: [(&str, &str); 4] = [("a", "alice"), ("b", "bob"), ("c", "carol"), ("d", "alice")];

/// Every lesson of the skills.
fn lessons(sessions: &[Session]) -> Vec<String> {
    let published = mined(sessions).candidates.into_iter().filter(Candidate::is_published);
    published.flat_map(|skill| skill.wording.lessons).map(|line| line.text).collect()
}

fn descriptions(sessions: &[Session]) -> Vec<String> {
    let mined = mined(sessions);
    let published = mined.candidates.iter().filter(|candidate| candidate.is_published());
    published.map(|Candidate { wording, .. }| wording.description.clone()).collect()
}

#[test]
fn looking_around_and_failed_attempts_are_no_part_of_the_repair() {
    let sessions = [
        session("a")
            .by("alice")
            .prompt("Please check that the end-to-end suite is green")
            .ok("git status && ls -la")
            .run_with_output(
                "pnpm test:e2e 2>&1 | tail -50",
                Status::Ok,
                " ELIFECYCLE  Command failed with exit code 1.",
            )
            .ok("docker ps; docker logs web-db-1 | tail")
            .ok("curl -s localhost:8080/health")
            .ok("grep -rn 'compose' package.json README.md")
            .fails("pnpm db:start")
            .ok("docker compose up -d db && sleep 5")
            .ok("pnpm test:e2e")
            .ok("git diff --stat")
            .build(),
        session("b")
            .by("bob")
            .prompt("e2e suite?")
            .fails("pnpm test:e2e")
            .tool("TodoWrite", r#"{"todos":[]}"#, Status::Ok, "")
            .ok("make clean-cache")
            .ok("docker compose up -d db")
            .ok("echo ready && pg_isready -h localhost")
            .ok("timeout 300 pnpm test:e2e")
            .ok("echo COMPLETE && cat result.txt")
            .build(),
        session("c")
            .by("carol")
            .prompt("is the e2e suite green now?")
            .fails("pnpm test:e2e")
            .ok("cat docker-compose.yml")
            .fails("pnpm db:start")
            .ok("docker compose up -d db")
            .ok("docker compose ps")
            .ok("pnpm test:e2e")
            .build(),
    ];
    assert_eq!(
        descriptions(&sessions),
        ["If `pnpm test:e2e` fails, run `docker compose up -d db`. Use before running e2e tests and when \
          `pnpm test:e2e` fails."]
    );
}

/// Sessions in which the suite failed as it was run first, and passed plainly.
fn first_run_as(command: &str) -> Vec<String> {
    lessons(&PEOPLE.map(|(id, person)| {
        session(id)
            .by(person)
            .prompt("is the e2e suite green?")
            .fails(command)
            .ok("docker compose up -d db")
            .ok("pnpm test:e2e")
            .build()
    }))
}

#[test]
fn a_flag_that_changes_what_is_printed_makes_no_other_command() {
    for command in ["pnpm test:e2e --verbose", "timeout 300 pnpm test:e2e", "pnpm test:e2e --reporter=dot"] {
        let found = first_run_as(command);
        assert_eq!(found.len(), 1, "{command}");
        let (start, end) = ("If `pnpm test:e2e", "` fails, run `docker compose up -d db`.");
        assert!(found[0].starts_with(start) && found[0].ends_with(end), "{found:?}");
    }
}

#[test]
fn a_run_from_where_the_shell_stands_already_is_no_other_command() {
    let found = first_run_as("cd web && pnpm test:e2e");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("pnpm test:e2e` fails, run `docker compose up -d db`."), "{found:?}");
}

#[test]
fn a_correction_is_understood_in_any_words_and_language() {
    for correction in [
        "Du musst zuerst die Datenbank hochfahren.",
        "The database has to be running, start it.",
        "データベースを起動してください",
        "Bring the database up and retry",
    ] {
        let corrected = |id: &str, person: &str| {
            session(id)
                .by(person)
                .prompt("integration tests bitte")
                .fails("just itest")
                .prompt(correction)
                .ok("just up")
                .ok("just itest")
                .build()
        };
        let sessions = PEOPLE.map(|(id, person)| corrected(id, person));
        assert_eq!(descriptions(&sessions).len(), 1, "{correction}");
        // The turns that the corrections began show that nothing fails where it ran before.
        assert_eq!(
            lessons(&sessions),
            ["Run `just up` before `just itest`.", "If `just itest` fails, run `just up`."],
            "{correction}"
        );
    }
}

#[test]
fn a_repair_that_a_sub_agent_found_counts() {
    let mut sessions = needs("make db-up", "make itest");
    for session in &mut sessions {
        for fact in session.facts.iter_mut().filter(|fact| !fact.event.tool_call_id.is_empty()) {
            fact.event.agent = "tester".to_owned();
        }
    }
    assert_eq!(descriptions(&sessions).len(), 1);
}

#[test]
fn an_edit_on_the_way_hides_no_repair_that_is_proved_elsewhere() {
    let mut sessions = needs("make db-up", "make itest");
    sessions[2] = session("s03")
        .by("carol")
        .prompt("Fix the greeting and check the integration suite")
        .fails("make itest")
        .edit("src/app.py")
        .ok("make db-up")
        .ok("make itest")
        .build();
    let mined = mined(&sessions);
    let seen = mined.candidates.iter().map(|candidate| candidate.sessions().len()).max();
    assert_eq!(seen, Some(3), "{}", mined.explain().join("\n"));
}

#[test]
fn everyday_work_makes_no_skill() {
    let everyday = |id: &str, person: &str, file: &str, what: &str| {
        session(id)
            .by(person)
            .prompt(&format!("Implement the {what} endpoint and commit it"))
            .read(file)
            .edit(file)
            .fails("npm test")
            .edit(file)
            .ok("npm test")
            .ok("npm run lint")
            .ok(&format!("git add -A && git commit -m 'Add {what}'"))
            .prompt("Thanks, now explain it")
            .build()
    };
    let sessions = [
        everyday("a", "alice", "src/orders.ts", "orders"),
        everyday("b", "bob", "src/users.ts", "users"),
        everyday("c", "carol", "src/carts.ts", "carts"),
        everyday("d", "alice", "src/stock.ts", "stock"),
    ];
    assert_eq!(descriptions(&sessions), Vec::<String>::new());
}

#[test]
fn a_failure_that_went_away_by_itself_teaches_that_it_does() {
    let flaky = |id: &str, person: &str| {
        session(id)
            .by(person)
            .prompt("run the tests")
            .fails("make test")
            .ok("cat log")
            .ok("make test")
            .build()
    };
    let said = lessons(&PEOPLE.map(|(id, person)| flaky(id, person)));
    assert_eq!(
        said,
        ["`make test` fails and passes on the same files: run it again before you look for a cause."]
    );
}

#[test]
fn work_that_was_left_failing_supports_nothing() {
    let left = |id: &str, person: &str| {
        session(id)
            .by(person)
            .prompt("run the tests")
            .fails("make itest")
            .ok("make db-up")
            .ok("make itest")
            .fails("make itest")
            .build()
    };
    assert_eq!(descriptions(&PEOPLE.map(|(id, person)| left(id, person))), Vec::<String>::new());
}

#[test]
fn an_interrupt_undoes_no_pass_that_was_seen_and_supports_none_that_was_not() {
    let interrupted = |id: &str, person: &str, reruns: bool| {
        let repaired = session(id).by(person).prompt("run the tests").fails("make itest").ok("make db-up");
        let rerun = if reruns { repaired.ok("make itest") } else { repaired };
        rerun.prompt("[Request interrupted by user]").build()
    };
    let of = |reruns: bool| lessons(&PEOPLE.map(|(id, person)| interrupted(id, person, reruns)));
    assert_eq!(of(true), ["If `make itest` fails, run `make db-up`."]);
    assert_eq!(of(false), [""; 0]);
}

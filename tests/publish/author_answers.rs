//! An author with the answers of a capable reader, stored word for word in `tests/live/llm/answers/`.
//!
//! The reader saw the requests alone; they are stored beside the answers. A request is named by the first twelve hex digits of the SHA-256 of its content; one
//! without an answer fails the test, which writes it into the folder for temporary files: the excerpts of this world have changed, and
//! somebody has to read them again.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use sha2::{Digest, Sha256};
use skillspan::event::Status;
use skillspan::service::wording::Step;
use skillspan::skillify::llm::Budget;
use skillspan::skillify::{Claim, Scope};
use skillspan::table::Session;

use super::author::{run, settings};
use super::model_server::{Behaviour, Server};
use super::sessions::session;

/// Requests that nobody answered.
static UNANSWERED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

const PROJECT: &str = "git.example.com/acme/shop";

/// Three people at work on a shop in Python: tests that people ask for, migrations that must not change, a database
/// that tests need, a runner that is not there, replies to reviewers; and much work that shows nothing.
fn shop() -> Vec<Session> {
    let mut sessions = Vec::new();
    let person = |number: usize| ["ida@acme.example", "jan@acme.example", "kim@acme.example"][number % 3];
    for number in 0..9 {
        let module = ["cart", "tax", "stock"][number % 3];
        sessions.push(
            session(&format!("fix{number}"))
                .by(person(number))
                .project(PROJECT)
                .on(number as i64 * 2)
                .prompt(&format!("The {module} page shows a wrong total for order {}", 400 + number))
                .edit(&format!("shop/{module}.py"))
                .ok("make unit")
                .response("The total is right now.")
                .prompt(
                    [
                        "No, add a regression test for it first.",
                        "That is not all: please add a regression test too.",
                        "Wrong, a fix needs a regression test that fails without it.",
                    ][number / 3],
                )
                .edit(&format!("tests/test_{module}.py"))
                .ok("make unit")
                .prompt("Thanks!")
                .build(),
        );
    }
    for number in 0..6 {
        sessions.push(
            session(&format!("column{number}"))
                .by(person(number))
                .project(PROJECT)
                .on(number as i64 * 3 + 1)
                .prompt(&format!("Add the column note{number} to the orders"))
                .edit("shop/models.py")
                .edit(&format!("migrations/00{number}_orders.py"))
                .prompt(
                    [
                        "No! Never change an old migration, write a new migration.",
                        "Undo that: a migration that is merged is never changed, add a new migration.",
                    ][number % 2],
                )
                .edit(&format!("migrations/10{number}_note.py"))
                .run_with_output(
                    "make itest",
                    Status::Error,
                    "psycopg.OperationalError: connection refused on port 5432",
                )
                .ok("make db-up")
                .ok("make itest")
                .prompt("Good.")
                .build(),
        );
    }
    for number in 0..5 {
        sessions.push(
            session(&format!("review{number}"))
                .by(person(number))
                .project(PROJECT)
                .on(number as i64 * 4 + 2)
                .prompt(&format!("Work through the review comments of pull request {}", 20 + number))
                .edit("shop/api.py")
                .ok("make unit")
                .ok(&format!(
                    "gh api repos/acme/shop/pulls/{}/comments/{}/replies -f body=Fixed",
                    20 + number,
                    900 + number
                ))
                .prompt("Great, thanks")
                .build(),
        );
    }
    for number in 0..16 {
        sessions.push(
            session(&format!("other{number:02}"))
                .by(person(number))
                .project(PROJECT)
                .on(number as i64)
                .prompt(&format!("Rename the label {number} on the start page"))
                .edit(&format!("web/label{number}.ts"))
                .run_with_output(
                    "npm run lint",
                    Status::Error,
                    &format!("web/label{number}.ts: unexpected token"),
                )
                .edit(&format!("web/label{number}.ts"))
                .ok("npm run lint")
                .build(),
        );
    }
    sessions
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/llm/answers")
}

/// The stored answer to a request.
fn read_out(content: &Value) -> String {
    if content["lines"].is_array() {
        // What mining words by itself is not what is read here.
        return r#"{"lines":[]}"#.to_owned();
    }
    let text = content.to_string();
    let name: String =
        Sha256::digest(text.as_bytes()).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let stored = fs::read_to_string(folder().join(format!("{name}.request.json"))).unwrap_or_default();
    let is_stored = serde_json::from_str::<Value>(&stored).is_ok_and(|stored| stored == *content);
    if let Ok(answer) = fs::read_to_string(folder().join(format!("{name}.json")))
        && is_stored
    {
        return answer;
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.request.json"));
    fs::write(&path, serde_json::to_string_pretty(content).unwrap()).unwrap();
    UNANSWERED.lock().unwrap_or_else(PoisonError::into_inner).push(path);
    r#"{"observations":[],"skills":[]}"#.to_owned()
}

#[test]
fn a_capable_readers_answers_become_lessons_that_sessions_prove_and_nothing_else() {
    let server = Server::start(vec![Behaviour::Words(read_out)]);
    let step = Step::new(&settings(&server, Budget::default()), None).unwrap();
    let (found, tally) = run(&step, &shop());
    let unanswered = UNANSWERED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(
        unanswered,
        Vec::<PathBuf>::new(),
        "read these again, and store the answers beside the others"
    );
    let is_authored = |claim: &Claim| matches!(claim, Claim::Lesson { .. });
    let made: Vec<_> = found[0]
        .mined
        .candidates
        .iter()
        .filter(|one| one.claims.iter().any(|claim| is_authored(&claim.claim)))
        .collect();
    let lines: Vec<&str> =
        made.iter().flat_map(|one| one.wording.lines()).map(|line| line.text.as_str()).collect();
    for wanted in [
        "Add a regression test with every fix before you report it done.",
        "Never change a migration that is merged; write a new one.",
    ] {
        assert!(lines.contains(&wanted), "{wanted}: {lines:#?}\n{tally}\n{:#?}", tally.author);
    }
    let fallen = tally.author.as_ref().map(|author| author.fallen.join("\n")).unwrap_or_default();
    for (unsaid, why) in
        [("make db-up", "mining says it"), ("npm run lint", "a failure that an edit ends, whatever it is")]
    {
        assert!(!lines.iter().any(|line| line.contains(unsaid)), "{unsaid}: {lines:#?}");
        assert!(
            fallen.lines().any(|line| line.contains(unsaid) && line.ends_with(why)),
            "{unsaid}: {fallen}"
        );
    }
    let names: Vec<&str> = made.iter().map(|one| one.wording.name.as_str()).collect();
    for wanted in ["change-the-database", "finish-a-fix"] {
        assert!(names.contains(&wanted), "{wanted}: {names:?}");
    }
    for candidate in &made {
        assert!(candidate.is_proposed(), "{:?}", candidate.shortfalls);
        assert_eq!(candidate.scope, Scope::Project(PROJECT.into()), "{}", candidate.wording.name);
    }
    let again = server.calls();
    run(&step, &shop());
    assert_eq!(server.calls(), again, "the same sessions ask nobody");
}

//! Which lessons of a reader stand, and what is told of them: what one person wants is his, what only silences a finding
//! mends nothing, what does not work is told with what does, equal lines are one.

use serde_json::{Value, json};
use skillspan::event::Status;
use skillspan::service::wording::Step;
use skillspan::skillify::llm::Budget;
use skillspan::skillify::{Candidate, Claim, Scope};
use skillspan::table::Session;

use super::author::{run, settings};
use super::model_server::{Behaviour, Server};
use super::sessions::{SessionBuilder, session};

const PROJECT: &str = "git.example.com/acme/till";

fn by(id: &str, person: &str, day: i64) -> SessionBuilder {
    session(id).by(person).project(PROJECT).on(day)
}

fn edit(builder: SessionBuilder, path: &str, old: &str, new: &str) -> SessionBuilder {
    let input = json!({ "file_path": path, "old_string": old, "new_string": new }).to_string();
    builder.tool("Edit", &input, Status::Ok, "")
}

/// Work of three people that shows nothing of what is asked here.
fn others(count: usize) -> Vec<Session> {
    let other = |number: usize| {
        let person = ["ida", "jan", "kim"][number % 3];
        by(&format!("other{number:02}"), person, (number % 20) as i64)
            .prompt(&format!("Rename the label {number} of the start page"))
            .edit(&format!("web/label{number}.ts"))
            .run_with_output("npm run build", Status::Error, &format!("label{number}.ts: unexpected token"))
            .edit(&format!("web/label{number}.ts"))
            .ok("npm run build")
            .build()
    };
    (0..count).map(other).collect()
}

/// The first text of an event that begins so, as a quotation.
fn quote(content: &Value, begins: &str) -> Value {
    let sessions = content["sessions"].as_array().unwrap();
    let events = sessions.iter().flat_map(|session| session["events"].as_array().unwrap());
    let fields = ["person", "run", "edit", "missing"];
    let found = events.into_iter().find_map(|event| {
        let own =
            fields.iter().find_map(|field| event[field].as_str().filter(|text| text.starts_with(begins)));
        own.map(|_| json!([{ "event": event["id"], "text": begins }]))
    });
    found.unwrap_or_else(|| json!([]))
}

fn candidates(sessions: &[Session], reader: fn(&Value) -> String) -> Vec<Candidate> {
    let server = Server::start(vec![Behaviour::Words(reader)]);
    let step = Step::new(&settings(&server, Budget::default()), None).unwrap();
    let (found, _) = run(&step, sessions);
    let all = found.into_iter().flat_map(|found| found.mined.candidates);
    let of_a_reader =
        |one: &Candidate| one.claims.iter().any(|claim| matches!(claim.claim, Claim::Lesson { .. }));
    all.filter(of_a_reader).collect()
}

fn lines(candidates: &[Candidate]) -> Vec<String> {
    candidates.iter().flat_map(|one| one.wording.lines().map(|line| line.text.clone())).collect()
}

fn observed(content: &Value, when: &str, says: &str, begins: &str) -> Value {
    json!({ "when": when, "kind": "rule", "says": says, "quotes": quote(content, begins) })
}

/// An answer of observations; nothing is written, so that sentences of observers stand for themselves.
fn answer(content: &Value, observations: &[(&str, &str, &str)]) -> String {
    if !content["sessions"].is_array() {
        return json!({ "skills": [], "lines": [] }).to_string();
    }
    let all: Vec<Value> =
        observations.iter().map(|(when, says, begins)| observed(content, when, says, begins)).collect();
    json!({ "observations": all }).to_string()
}

#[test]
fn what_one_person_wants_on_two_days_is_his_alone() {
    let mut sessions = others(20);
    for (number, words) in
        ["Please reply to the reviewer in British spelling.", "No, British spelling in that reply."]
            .iter()
            .enumerate()
    {
        sessions.push(
            by(&format!("spell{number}"), "ida", number as i64 * 3)
                .prompt("Answer the question of the reviewer")
                .edit(&format!("docs/answer{number}.md"))
                .prompt(words)
                .edit(&format!("docs/answer{number}.md"))
                .prompt("Thanks!")
                .build(),
        );
    }
    let made = candidates(&sessions, |content| {
        answer(
            content,
            &[(
                "with prompt prompt saying \"British spelling\"",
                "Write replies in British spelling.",
                "No, British",
            )],
        )
    });
    let [one] = made.as_slice() else { panic!("{made:#?}") };
    assert_eq!(one.scope, Scope::Person("ida".into()));
    assert_eq!(lines(&made), ["Write replies in British spelling."]);
}

#[test]
fn the_same_wish_in_other_words_counts_and_is_named() {
    let mut sessions = others(20);
    for (number, words) in
        ["Please add a changelog entry for it.", "You have to add the changelog entries as well."]
            .iter()
            .enumerate()
    {
        sessions.push(
            by(&format!("entry{number}"), ["ida", "jan"][number], number as i64 * 3)
                .prompt("Make the page blue")
                .edit(&format!("web/page{number}.css"))
                .prompt(words)
                .edit("CHANGES.txt")
                .prompt("Thanks!")
                .build(),
        );
    }
    let made = candidates(&sessions, |content| {
        answer(
            content,
            &[(
                "with prompt prompt saying \"add a changelog entry\"",
                "Add a changelog entry with every change.",
                "Please add a changelog entry",
            )],
        )
    });
    assert_eq!(lines(&made), ["Add a changelog entry with every change."]);
    let claim = made[0].claims[0].claim.to_string();
    assert!(claim.contains("add the changelog entries"), "{claim}");
}

/// Sessions in which the linter finds copied blocks; `how` is what ends it.
fn findings(kind: &str, how: &str, count: usize) -> Vec<Session> {
    let of = |number: usize| {
        let path = format!("till/part{number}_test.go");
        let builder = by(&format!("{kind}{number}"), ["ida", "jan", "kim"][number % 3], number as i64 * 2)
            .prompt(&format!("Test the part {number}"))
            .edit(&path)
            .run_with_output(
                "make lint",
                Status::Error,
                &format!("{path}:7: lines are duplicate (dupl)\n1 issues:\n* dupl: 1"),
            );
        edit(builder, &path, "func a() {", how).ok("make lint").prompt("Thanks!").build()
    };
    (0..count).map(of).collect()
}

fn reads_findings(content: &Value) -> String {
    answer(
        content,
        &[(
            "after fail \"make lint\" saying \"dupl\" edit \"*_test.go\" expect pass \"make lint\"",
            "Join copied blocks of tests into one table: `make lint` rejects them as `dupl`.",
            "make lint",
        )],
    )
}

#[test]
fn what_silences_a_finding_does_not_mend_it() {
    let mut sessions = others(20);
    sessions.extend(findings("mended", "tests := table{}", 4));
    let said = ["Join copied blocks of tests into one table: `make lint` rejects them as `dupl`."];
    assert_eq!(lines(&candidates(&sessions, reads_findings)), said);

    let mut sessions = others(20);
    sessions.extend(findings("silent", "func a() { //nolint:dupl // alike on purpose", 4));
    assert!(candidates(&sessions, reads_findings).is_empty());
}

#[test]
fn what_does_not_work_is_told_with_what_does() {
    let mut sessions = others(20);
    for number in 0..2 {
        sessions.push(
            by(&format!("files{number}"), ["ida", "jan", "kim"][number], number as i64 * 3)
                .prompt(&format!("Which files does request {} change?", 30 + number))
                .run_with_output(
                    &format!("glab mr diff {} --files", 30 + number),
                    Status::Error,
                    "unknown flag: --files",
                )
                .ok(&format!("glab mr changes {}", 30 + number))
                .prompt("Thanks!")
                .build(),
        );
    }
    let made = candidates(&sessions, |content| {
        answer(
            content,
            &[(
                "after run \"glab mr diff --files ...\" expect fail",
                "Do not pass `--files` to `glab mr diff`.",
                "glab mr diff",
            )],
        )
    });
    assert_eq!(lines(&made), ["Do not pass `--files` to `glab mr diff`. Use `glab mr changes N`."]);
}

#[test]
fn files_that_change_together_now_and_then_are_looked_at() {
    let mut sessions = others(40);
    for number in 0..9 {
        let builder = by(&format!("type{number}"), ["ida", "jan", "kim"][number % 3], number as i64 * 2)
            .prompt(&format!("Give the order the field note{number}"))
            .edit("server/order.ts");
        let builder = if number % 3 == 0 { builder } else { builder.edit("web/order.ts") };
        sessions.push(builder.fails("make unit").ok("npm run build").prompt("Thanks!").build());
    }
    let made = candidates(&sessions, |content| {
        answer(
            content,
            &[(
                "after edit \"server/order.ts\" edit \"web/order.ts\"",
                "When you change `server/order.ts`, change `web/order.ts` too.",
                "server/order.ts",
            )],
        )
    });
    let said = ["When you change `server/order.ts`, look whether `web/order.ts` needs the same."];
    assert_eq!(lines(&made), said, "six of nine sessions");
}

#[test]
fn equal_lines_are_one() {
    let mut sessions = others(20);
    for number in 0..6 {
        let words = ["Keep the old names, please.", "Do not change the old names."][number % 2];
        sessions.push(
            by(&format!("name{number}"), ["ida", "jan", "kim"][number % 3], number as i64 * 2)
                .prompt(&format!("Move the part {number}"))
                .edit(&format!("till/part{number}.py"))
                .prompt(words)
                .edit(&format!("till/part{number}.py"))
                .fails("make unit")
                .prompt("Thanks!")
                .build(),
        );
    }
    let made = candidates(&sessions, |content| {
        answer(
            content,
            &[
                (
                    "with prompt prompt saying \"keep the old names\"",
                    "Keep old names where they are.",
                    "Keep the old",
                ),
                (
                    "with prompt prompt saying \"change the old names\"",
                    "Keep old names where they are",
                    "Do not change",
                ),
            ],
        )
    });
    assert_eq!(lines(&made).len(), 1, "{made:#?}");
    let claims: usize = made.iter().flat_map(|one| one.wording.lines()).map(|line| line.claims.len()).sum();
    assert_eq!(claims, 2);
}

#[test]
fn a_coin_is_no_habit() {
    let mut sessions = others(40);
    for number in 0..7 {
        let builder = by(&format!("type{number}"), ["ida", "jan", "kim"][number % 3], number as i64 * 2)
            .prompt(&format!("Give the order the field note{number}"))
            .edit("server/order.ts");
        let builder = if number % 2 == 0 { builder.edit("web/order.ts") } else { builder };
        sessions.push(builder.fails("make unit").ok("npm run build").prompt("Thanks!").build());
    }
    let made = candidates(&sessions, |content| {
        answer(
            content,
            &[(
                "after edit \"server/order.ts\" edit \"web/order.ts\"",
                "When you change `server/order.ts`, look whether `web/order.ts` needs the same.",
                "server/order.ts",
            )],
        )
    });
    assert!(made.is_empty(), "four of seven sessions: {made:#?}");
}

#[test]
fn a_directive_that_the_next_check_rejects_mends_nothing() {
    let session = |number: usize| {
        let path = format!("till/part{number}_test.go");
        let found = |text: &str| format!("{path}:7: {text}");
        let builder = by(&format!("bare{number}"), ["ida", "jan", "kim"][number % 3], number as i64 * 2)
            .prompt(&format!("Test the part {number}"))
            .edit(&path)
            .run_with_output("make lint", Status::Error, &found("lines are duplicate (dupl)"));
        edit(builder, &path, "func a() {", "func a() { //nolint:dupl")
            .ok("make lint")
            .edit(&format!("till/more{number}.go"))
            .run_with_output(
                "make lint",
                Status::Error,
                &found("directive `//nolint:dupl` should provide explanation (nolintlint)"),
            )
            .prompt("Thanks!")
            .build()
    };
    let mut sessions = others(20);
    sessions.extend((0..4).map(session));
    let made = candidates(&sessions, |content| {
        answer(
            content,
            &[(
                "after fail \"make lint\" saying \"dupl\" edit \"*_test.go\" saying \"nolint:dupl\" expect pass \"make lint\"",
                "Silence `dupl` of `make lint` with `//nolint:dupl`.",
                "make lint",
            )],
        )
    });
    assert!(made.is_empty(), "{made:#?}");
}

#[test]
fn what_everybody_gives_without_failing_otherwise_is_no_way() {
    let of = |with: usize| {
        let mut sessions = others(20);
        for number in 0..6 {
            let flag = if number < with { " --draft" } else { "" };
            sessions.push(
                by(&format!("request{number}"), ["ida", "jan", "kim"][number % 3], number as i64 * 2)
                    .prompt(&format!("Open the request of the part {number}"))
                    .ok(&format!("glab mr create{flag} --title part{number}"))
                    .prompt("Thanks!")
                    .build(),
            );
        }
        sessions
    };
    let reader = |content: &Value| {
        answer(
            content,
            &[(
                "after run \"glab mr create --draft ...\" expect pass",
                "Open requests with `glab mr create --draft`.",
                "glab mr create",
            )],
        )
    };
    assert!(candidates(&of(3), reader).is_empty(), "half do it otherwise");
    assert!(candidates(&of(6), reader).is_empty(), "all do it unasked");
}

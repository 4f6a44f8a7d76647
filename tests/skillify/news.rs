//! What is true and no news, or what the sessions did not want: it is not told.

use serde_json::json;
use skillspan::event::Status;
use skillspan::table::Session;

use super::causes::{PROJECT, lines, with_noise};
use super::sessions::{SessionBuilder, session};

/// Sessions of two people in turn.
fn days(many: i64, work: impl Fn(i64, SessionBuilder) -> SessionBuilder) -> Vec<Session> {
    let of = |day: i64| {
        let person = if day % 2 == 0 { "alice" } else { "bob" };
        let one = session(&format!("day{day}")).by(person).project(PROJECT).on(day);
        work(day, one.prompt(&format!("Look at matter {day}"))).build()
    };
    (0..many).map(of).collect()
}

fn says(sessions: Vec<Session>, part: &str) -> bool {
    lines(&with_noise(sessions)).iter().any(|line| line.contains(part))
}

#[test]
fn a_rule_of_a_linter_that_most_sessions_silence_is_told_as_such_and_not_alone() {
    let output = "src/till.go:9:2: error is not nil but it returns nil (nilerr)\n1 issues:\n* nilerr: 1\n";
    let mends = |silences: bool| {
        move |one: SessionBuilder| {
            let one = one.edit("src/till.go").run_with_output("make lint", Status::Error, output);
            let code = if silences { "return nil //nolint:nilerr // on purpose" } else { "return err" };
            let edit = json!({ "file_path": "src/till.go", "old_string": "return nil", "new_string": code });
            one.tool("Edit", &edit.to_string(), Status::Ok, "updated").ok("make lint")
        }
    };
    let mostly = days(7, |day, one| mends(day > 1)(one));
    assert!(!says(mostly, "nilerr"));
    let seldom = days(7, |day, one| mends(day < 2)(one));
    assert!(says(seldom, "`nilerr` (do not return nil"));
    let at_times = days(7, |day, one| mends(day < 3)(one));
    assert!(says(at_times, "`nilerr` (fixed or silenced with a comment)"));
    let other = "src/till.go:9:2: of the house (houserule)\n1 issues:\n* houserule: 1\n";
    let beside = days(7, |day, one| {
        let one = one.edit("src/till.go").run_with_output("make lint", Status::Error, other);
        mends(day > 1)(one.edit("src/till.go").ok("make lint"))
    });
    assert!(says(beside, "`houserule` and `nilerr` (mostly silenced with a comment)"));
}

#[test]
fn that_who_edits_tests_runs_them_is_not_told() {
    let runs = |path: &'static str| {
        let mut sessions = days(8, |_, one| one.edit(path).fails("make itest").edit(path).ok("make itest"));
        sessions.extend((0..12).map(|number| {
            let one = session(&format!("other{number}")).by("carol").project(PROJECT).prompt("Any news?");
            one.edit("web/page.ts").ok("make lint").build()
        }));
        says(sessions, "run `make itest`")
    };
    assert!(runs("store/ledger.go"));
    assert!(!runs("store/integration_test/ledger.go"));
}

#[test]
fn a_test_beside_its_source_is_told_only_where_it_is_more_than_usual() {
    let pair = |day: i64, one: SessionBuilder| {
        let one = one.edit("src/cart.ts");
        if day == 3 { one } else { one.edit("src/cart.test.ts") }
    };
    let alone = || {
        let mut sessions = days(10, pair);
        sessions.extend((0..14).map(|number| {
            let one = session(&format!("other{number}")).by("carol").project(PROJECT).on(number);
            one.prompt("Any news?").edit("web/page.css").edit(&format!("web/part{number}.css")).build()
        }));
        sessions
    };
    assert!(says(alone(), "`src/cart.test.ts`"), "no other pair tells how usual it is");
    let mut among_others = alone();
    among_others.extend((0..24).map(|number| {
        let one = session(&format!("pair{number}")).by("carol").project(PROJECT).on(number / 2);
        let name = format!("src/part{}", number / 3);
        let one = one.prompt("Any news?").edit(&format!("{name}.ts"));
        if number % 6 == 0 { one.build() } else { one.edit(&format!("{name}.test.ts")).build() }
    }));
    assert!(!says(among_others, "`src/cart.test.ts`"), "as usual as all others");
}

#[test]
fn a_search_in_the_file_itself_shows_no_need_to_know_where_a_name_is() {
    let searched = |within: &'static str| {
        days(8, move |_, one| {
            let input = json!({ "pattern": "type CartState", "path": within }).to_string();
            let output = "src/till/state.go:7:type CartState struct {";
            let in_vain = json!({ "pattern": "CartState", "path": "lib" }).to_string();
            one.tool("Grep", &in_vain, Status::Ok, "No files found").tool("Grep", &input, Status::Ok, output)
        })
    };
    let others = |mut sessions: Vec<Session>| {
        sessions.extend((0..9).map(|number| {
            let one = session(&format!("other{number}")).by("carol").project(PROJECT).prompt("Any news?");
            let (name, file) = (format!("Part{number}Thing"), format!("src/part{number}.go"));
            let input = json!({ "pattern": name }).to_string();
            one.tool("Grep", &input, Status::Ok, &format!("{file}:3:type {name} struct {{")).build()
        }));
        sessions
    };
    let line = "`CartState` is declared in `src/till/state.go`.";
    assert!(says(others(searched("src")), line));
    assert!(!says(others(searched("src/till/state.go")), line));
}

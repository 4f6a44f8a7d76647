//! What sessions search for, what they miss, and the rules that checks reject: what is said of it and what is not.

use skillspan::event::Status;
use skillspan::skillify::{Config, Digest, null};
use skillspan::table::Session;

use super::causes::{PROJECT, lines, with_noise};
use super::sessions::{SessionBuilder, session};

/// Sessions of two people, on one day after the other.
fn days(work: impl Fn(usize, SessionBuilder) -> SessionBuilder, many: usize) -> Vec<Session> {
    let ids = ["p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z"];
    let of = |(day, id): (usize, &&str)| {
        let person = if day % 2 == 0 { "alice" } else { "bob" };
        work(day, session(id).by(person).project(PROJECT).prompt(&format!("Look at matter {day}"))).build()
    };
    ids.iter().take(many).enumerate().map(of).collect()
}

fn grep(one: SessionBuilder, pattern: &str, output: &str) -> SessionBuilder {
    one.tool("Grep", &format!("{{\"pattern\": \"{pattern}\"}}"), Status::Ok, output)
}

fn read(one: SessionBuilder, path: &str, status: Status, output: &str) -> SessionBuilder {
    one.tool("Read", &format!("{{\"file_path\": \"/home/ann/src/tea-shop/{path}\"}}"), status, output)
}

/// A search that finds nothing, then another.
fn seek(one: SessionBuilder, pattern: &str, output: &str) -> SessionBuilder {
    grep(grep(one, pattern, "No files found"), pattern, output)
}

const HIT: &str = "src/till/cart.go:12:type CartState struct {";

#[test]
fn a_name_that_sessions_search_for_is_told_with_its_file() {
    let sessions = days(|_, one| seek(one, "type CartState", HIT), 4);
    assert_eq!(lines(&with_noise(sessions)), ["`CartState` is declared in `src/till/cart.go`."]);
}

#[test]
fn a_name_that_a_shell_command_finds_is_told_as_well() {
    let sessions = days(
        |_, one| {
            one.run_with_output("grep -rn CartState lib", Status::Error, "").run_with_output(
                "grep -rn \"type CartState\" src",
                Status::Ok,
                HIT,
            )
        },
        4,
    );
    assert_eq!(lines(&with_noise(sessions)), ["`CartState` is declared in `src/till/cart.go`."]);
}

#[test]
fn a_name_that_the_first_search_finds_needs_no_telling() {
    let used = "src/till/view.go:3:\tx := CartState{}";
    let at_once = days(|_, one| grep(one, "type CartState", HIT), 8);
    let after_a_use = days(|_, one| grep(grep(one, "CartState", used), "type CartState", HIT), 8);
    let seldom = days(
        |day, one| if day < 2 { seek(one, "type CartState", HIT) } else { grep(one, "type CartState", HIT) },
        8,
    );
    for sessions in [at_once, after_a_use, seldom] {
        assert!(lines(&with_noise(sessions)).is_empty());
    }
}

#[test]
fn two_names_of_one_file_are_one_line() {
    let both = format!("{HIT}\nsrc/till/cart.go:40:func (c *CartState) GrandTotal() int {{");
    let sessions = days(|_, one| seek(one, "CartState|GrandTotal", &both), 4);
    assert_eq!(
        lines(&with_noise(sessions)),
        ["`CartState` and `GrandTotal` are declared in `src/till/cart.go`."]
    );
}

#[test]
fn what_moved_is_told_where_it_is_now_or_not_at_all() {
    let moved = "src/basket/state.go:3:type CartState struct {";
    let old_then_new = days(|day, one| seek(one, "type CartState", if day < 4 { HIT } else { moved }), 8);
    assert_eq!(lines(&with_noise(old_then_new)), ["`CartState` is declared in `src/basket/state.go`."]);
    let just_moved = days(|day, one| seek(one, "type CartState", if day < 4 { HIT } else { moved }), 5);
    assert!(lines(&with_noise(just_moved)).is_empty());
}

#[test]
fn a_name_that_tests_declare_too_is_told_nowhere() {
    let of_tests = "src/till/itest/env.go:9:type CartState struct {";
    for path in ["src/till/itest/test_env.go", "src/till/integration_test/env.go"] {
        let of_tests = of_tests.replace("src/till/itest/env.go", path);
        let sessions =
            days(|day, one| seek(one, "type CartState", if day == 0 { &of_tests } else { HIT }), 8);
        assert!(lines(&with_noise(sessions)).is_empty(), "{path}");
    }
}

#[test]
fn a_use_of_a_name_is_no_declaration_and_two_declarations_are_none() {
    for output in [
        "src/till/cart.go:12:\tstate := CartState{}",
        "src/till/cart.go:1:type CartState struct {\nsrc/web/cart.go:1:type CartState struct {",
        "No files found",
    ] {
        let sessions = days(|_, one| grep(one, "CartState", output), 6);
        assert!(lines(&with_noise(sessions)).is_empty(), "{output}");
    }
}

#[test]
fn one_person_who_searches_again_and_again_teaches_no_team() {
    let sessions = days(|_, one| grep(one.by("carol"), "type CartState", HIT), 6);
    assert!(lines(&with_noise(sessions)).is_empty());
}

const NOT_THERE: &str = "File does not exist.";

#[test]
fn a_folder_that_sessions_miss_is_told_with_the_place_where_they_find_it() {
    let sessions = days(
        |day, one| {
            let one = read(one, &format!("src/commands/part{day}.go"), Status::Error, NOT_THERE);
            read(one, &format!("src/cli/part{day}.go"), Status::Ok, "package cli")
        },
        6,
    );
    assert_eq!(lines(&with_noise(sessions)), ["There is no `src/commands/`; look in `src/cli/`."]);
}

#[test]
fn a_file_whose_name_has_a_slip_is_told_with_the_right_one() {
    let sessions = days(
        |_, one| {
            let one = read(one, "lint.config.yml", Status::Error, NOT_THERE);
            read(one, "lint.config.yaml", Status::Ok, "rules: all")
        },
        4,
    );
    assert_eq!(lines(&with_noise(sessions)), ["There is no `lint.config.yml`; it is `lint.config.yaml`."]);
}

#[test]
fn a_path_that_somebody_finds_or_makes_later_is_not_missing() {
    let missed = |one: SessionBuilder| read(one, "src/commands/pay.go", Status::Error, NOT_THERE);
    let found = days(
        |day, one| {
            if day < 5 { missed(one) } else { read(one, "src/commands/pay.go", Status::Ok, "package pay") }
        },
        6,
    );
    assert!(lines(&with_noise(found)).is_empty());
    let made = days(|_, one| missed(one).edit("/home/ann/src/tea-shop/src/commands/pay.go"), 5);
    assert!(lines(&with_noise(made)).is_empty());
}

#[test]
fn a_search_that_finds_nothing_does_not_say_that_its_folder_is_missing() {
    let input = r#"{"pattern": "refund", "path": "src/pay"}"#;
    let sessions = days(|_, one| one.tool("Grep", input, Status::Ok, "No files found"), 6);
    assert!(lines(&with_noise(sessions)).is_empty());
}

const UNCHECKED: &str =
    "src/till/cart.go:9:2: Error return value is not checked (errcheck)\n1 issues:\n* errcheck: 1\n";

fn breaks_a_rule(one: SessionBuilder) -> SessionBuilder {
    one.edit("src/till/cart.go").run_with_output("make lint", Status::Error, UNCHECKED)
}

#[test]
fn a_rule_that_new_code_breaks_again_and_again_is_told() {
    let sessions = days(|_, one| breaks_a_rule(one).edit("src/till/cart.go").ok("make lint"), 6);
    let said = lines(&with_noise(sessions));
    let expected = "`make lint` often rejects new code for `errcheck` (check the error of every call): look for it before you run it.";
    assert!(said.iter().any(|line| line == expected), "{said:?}");
}

#[test]
fn a_rule_that_nobody_mends_or_that_a_rerun_forgets_is_not_told() {
    let kept = days(|_, one| breaks_a_rule(one), 6);
    let flaky = days(|_, one| breaks_a_rule(one).ok("make lint"), 6);
    for sessions in [kept, flaky] {
        let said = lines(&with_noise(sessions));
        assert!(!said.iter().any(|line| line.contains("errcheck")), "{said:?}");
    }
}

#[test]
fn a_rule_that_one_in_twenty_of_those_who_lint_breaks_is_told_and_a_rarer_one_is_not() {
    let told = |clean: usize| {
        let mut sessions = days(|_, one| breaks_a_rule(one).edit("src/till/cart.go").ok("make lint"), 4);
        for number in 0..clean {
            let person = if number % 2 == 0 { "alice" } else { "bob" };
            let one = session(&format!("clean-{number}")).by(person).project(PROJECT);
            let one = one.prompt(&format!("Look at part {number}")).edit("src/till/cart.go");
            sessions.push(one.ok("make lint").build());
        }
        lines(&with_noise(sessions)).iter().any(|line| line.contains("errcheck"))
    };
    assert!(told(60));
    assert!(!told(90));
}

#[test]
fn code_that_does_not_compile_breaks_no_rule() {
    let output = "src/till/cart.go:9:2: undefined: total (typecheck)\n1 issues:\n* typecheck: 1\n";
    let sessions = days(
        |_, one| {
            let one = one.edit("src/till/cart.go").run_with_output("make lint", Status::Error, output);
            one.edit("src/till/cart.go").ok("make lint")
        },
        6,
    );
    let said = lines(&with_noise(sessions));
    assert!(!said.iter().any(|line| line.contains("typecheck")), "{said:?}");
}

#[test]
fn the_null_of_places_stays_within_its_bound() {
    let files = ["src/till/cart.go", "src/tax/rate.go", "src/stock/item.go", "src/web/page.go"];
    let names = ["CartState", "TaxRate", "StockItem", "WebPage"];
    let sessions = days(
        |day, one| {
            names.iter().zip(files).enumerate().fold(one, |one, (at, (name, file))| {
                if (day + at) % 3 == 0 {
                    one
                } else {
                    seek(one, name, &format!("{file}:7:type {name} struct {{"))
                }
            })
        },
        11,
    );
    let digests: Vec<Digest> = with_noise(sessions).iter().map(Digest::of).collect();
    let table = null("shop", &digests, &Config::default(), 20);
    let row = table.rows.iter().find(|row| row.kind == "where").unwrap();
    assert!(row.real >= 4 && row.holds(), "{table}");
}

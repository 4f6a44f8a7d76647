//! What the tools do to those who run them: pipes that hide a failure, flags that are not there, checks that change
//! files, checks that people have to point to, checks that take too long. Each beside what looks like it and is not.

#![allow(clippy::indexing_slicing, reason = "numbers of sessions and lines are the test's own")]

use skillspan::event::Status;
use skillspan::skillify::{Candidate, Config, Digest, null};
use skillspan::table::Session;

use super::causes::{PROJECT, lines, published, with_noise};
use super::sessions::{SessionBuilder, session};

/// Sessions of two people in turn.
fn days(many: usize, work: impl Fn(usize, SessionBuilder) -> SessionBuilder) -> Vec<Session> {
    let of = |day: usize| {
        let person = if day.is_multiple_of(2) { "alice" } else { "bob" };
        let one = session(&format!("day{day}")).by(person).project(PROJECT);
        work(day, one.prompt(&format!("Look at matter {day}"))).build()
    };
    (0..many).map(of).collect()
}

pub(super) fn said(sessions: Vec<Session>) -> Vec<String> {
    lines(&with_noise(sessions))
}

pub(super) fn says(sessions: Vec<Session>, part: &str) -> bool {
    said(sessions).iter().any(|line| line.contains(part))
}

/// The row of a kind, of 20 rounds.
pub(super) fn holds(sessions: Vec<Session>, kind: &str) {
    let digests: Vec<Digest> = with_noise(sessions).iter().map(Digest::of).collect();
    let table = null("shop", &digests, &Config::default(), 20);
    let row = table.rows.iter().find(|row| row.kind == kind).unwrap();
    assert!(row.real >= 1 && row.holds(), "{table}");
}

const RED: &str = "--- FAIL: TestTotal (0.00s)\nFAIL\nFAIL\tshop/till\t0.1s\nFAIL\n";
const GREEN: &str = "ok  \tshop/till\t0.1s\n";

/// A failure behind a pipe that its call reports as a pass, and a plain one that it reports.
fn hides(one: SessionBuilder) -> SessionBuilder {
    let one = one.edit("src/till.go").run_with_output("go test ./... 2>&1 | tail -20", Status::Ok, RED);
    one.edit("src/till.go").run_with_output("go test ./...", Status::Error, RED)
}

const NO_PIPE: &str = "Behind tail, `go test ./...` reports success even when it fails: run it without a pipe, or look for the failure in what it prints before you go on.";
/// What every such line has.
const EVEN: &str = "even when";

#[test]
fn a_pipe_that_hides_failures_is_told() {
    assert!(said(days(4, |_, one| hides(one))).contains(&NO_PIPE.to_owned()));
    holds(days(8, |_, one| hides(one)), "pipe");
}

#[test]
fn what_two_filters_hide_any_pipe_hides() {
    let sessions = days(6, |day, one| {
        let line = ["go test ./... 2>&1 | tail -20", "go test ./... | head -50"][day % 2];
        let one = one.edit("src/till.go").run_with_output(line, Status::Ok, RED);
        one.edit("src/till.go").run_with_output("go test ./...", Status::Error, RED)
    });
    let told = NO_PIPE.replace("Behind tail", "Behind a pipe");
    let lines = said(sessions);
    assert!(lines.contains(&told), "{lines:?}");
}

#[test]
fn a_pipe_that_hides_nothing_is_not_told() {
    let run = |line: &'static str, status: Status, output: &'static str| {
        move |_: usize, one: SessionBuilder| {
            let one = one.edit("src/till.go").run_with_output(line, status, output);
            one.edit("src/till.go").run_with_output("go test ./...", Status::Error, RED)
        }
    };
    // The check passes; the shell hands the failure on; it is no pipe; the filter itself failed.
    for work in [
        run("go test ./... 2>&1 | tail -20", Status::Ok, GREEN),
        run("set -o pipefail; go test ./... 2>&1 | tail -20", Status::Error, RED),
        run("go test ./... || true", Status::Ok, RED),
        run("go test ./... | grep ok", Status::Error, ""),
    ] {
        assert!(!says(days(5, work), EVEN));
    }
    // Two sessions; one person.
    assert!(!says(days(2, |_, one| hides(one)), EVEN));
    assert!(!says(days(6, |_, one| hides(one.by("alice"))), EVEN));
}

#[test]
fn a_check_that_reports_no_failure_at_all_is_not_blamed_on_the_pipe() {
    let sessions = days(8, |_, one| {
        let one = one.edit("src/till.go").run_with_output("go test ./... | tail -20", Status::Ok, RED);
        one.edit("src/till.go").run_with_output("go test ./...", Status::Ok, RED)
    });
    assert!(!says(sessions, EVEN));
}

#[test]
fn a_command_line_that_cannot_work_at_all_is_no_failure_of_the_check_that_a_pipe_hid() {
    let cannot = [
        ("rtk go test ./...", "error: unrecognized subcommand 'go'\n\nUsage: rtk [OPTIONS] <COMMAND>"),
        ("go test ./...", "bash: go: command not found"),
        ("make test", "make: *** No rule to make target 'test'.  Stop."),
        ("npm run lint", "npm error Missing script: \"lint\""),
        ("bun run lint", "error: Script not found \"lint\""),
    ];
    for (check, output) in cannot {
        let sessions = days(6, |_, one| {
            let one = one.run_with_output(&format!("{check} 2>&1 | tail -20"), Status::Ok, output);
            one.edit("src/till.go").run_with_output("go test ./...", Status::Error, RED)
        });
        assert!(!says(sessions, EVEN), "{check}");
    }
    // Of two kinds of failures only those of the check count: two sessions are too few.
    let sessions = days(6, |day, one| {
        let (check, output) = if day < 2 { ("go test ./...", RED) } else { cannot[0] };
        let one = one.run_with_output(&format!("{check} | tail -20"), Status::Ok, output);
        one.edit("src/till.go").run_with_output("go test ./...", Status::Error, RED)
    });
    assert!(!says(sessions, EVEN));
}

/// A part of the tests that fails behind a pipe.
fn hides_a_part(one: SessionBuilder) -> SessionBuilder {
    one.edit("src/till.go").run_with_output("go test ./till | tail -5", Status::Ok, RED)
}

#[test]
fn a_check_that_never_ran_without_a_pipe_is_told_where_no_other_of_its_kind_is() {
    let lines = said(days(4, |_, one| hides_a_part(hides(one))));
    assert!(lines.contains(&NO_PIPE.to_owned()), "{lines:?}");
    let alone = days(4, |_, one| {
        let one = one.edit("src/till.go").run_with_output("make lint", Status::Error, "1 issues:\n");
        hides_a_part(one)
    });
    assert!(says(alone, "Behind tail, `go test ./till` reports success"));
    let both_ways = days(4, |_, one| {
        let one = hides_a_part(hides(one));
        one.edit("src/till.go").run_with_output("go test ./till", Status::Error, RED)
    });
    assert!(says(both_ways, "Behind tail, `go test ./...` and `go test ./till` report success"));
}

#[test]
fn a_skill_that_tells_of_a_pipe_says_to_think_of_it_before_the_check_runs() {
    let head = |sessions: Vec<Session>| {
        let skills = published(&with_noise(sessions));
        let has_it = |skill: &&Candidate| skill.wording.lessons.iter().any(|line| line.text.contains(EVEN));
        let wording = &skills.iter().find(has_it).unwrap().wording;
        (wording.when_to_use.clone(), wording.description.clone())
    };
    let (alone, description) = head(days(4, |_, one| hides(one)));
    assert_eq!(alone, ["Before running `go test ./...`."]);
    assert!(description.ends_with("Use before running `go test ./...`."), "{description}");
    let mut beside = days(4, |_, one| hides(one));
    beside.extend((0..8).map(|number| {
        let person = if number % 2 == 0 { "alice" } else { "bob" };
        let one = session(&format!("style{number}")).by(person).project(PROJECT).prompt("Make it blue");
        let one = one.edit("web/style.css").fails("npm run css:lint");
        one.edit("web/style.css").ok("npm run css:lint").build()
    }));
    let (both, description) = head(beside);
    let [edited, before] = both.as_slice() else { panic!("{both:?}") };
    assert!(edited.starts_with("After editing ") && edited.contains("`web/style.css`"), "{edited}");
    assert_eq!(before, "Before running `go test ./...`.");
    let teaches = "Which checks belong to which files, and how to run them.";
    assert!(description.starts_with(teaches), "{description}");
    assert!(description.ends_with(" and before running `go test ./...`."), "{description}");
}

const NO_FLAG: &str =
    "ls: illegal option -- Q\nusage: ls [-@ABCFGHILOPRSTUWabcdefghiklmnopqrstuvwxy1%,] [file ...]";

#[test]
fn a_flag_that_a_program_does_not_know_is_told() {
    let sessions = days(4, |day, one| {
        one.run_with_output(&format!("ls -Q src/f{day}.ts | head -5"), Status::Ok, NO_FLAG)
    });
    assert_eq!(said(sessions.clone()), ["`ls -Q` fails here: it does not know the flag."]);
    holds(sessions, "flag");
}

#[test]
fn what_works_instead_of_a_flag_is_told_if_sessions_ran_it_next() {
    let unknown = "unknown flag: --stat\n\nUsage:  gh pr diff [flags]";
    let of = |next: fn(usize) -> String| {
        days(4, move |day, one| {
            let one = one.run_with_output(&format!("gh pr diff {} --stat", day + 7), Status::Error, unknown);
            one.run_with_output(&next(day), Status::Ok, "till.go")
        })
    };
    let lines = said(of(|day| format!("gh pr diff {} --name-only", day + 7)));
    assert_eq!(
        lines,
        ["Use `gh pr diff --name-only`; `gh pr diff --stat` fails here: it does not know the flag."]
    );
    let by_letter = days(4, |day, one| {
        let one = one.run_with_output(&format!("ls -Q src/f{day}.ts | head -5"), Status::Ok, NO_FLAG);
        one.run_with_output(&format!("ls -v src/f{day}.ts | head -5"), Status::Ok, "a")
    });
    assert_eq!(said(by_letter), ["`ls -Q` fails here: it does not know the flag."]);
    let other = said(of(|day| format!("git log --oneline -{day}")));
    assert_eq!(other, ["`gh pr diff --stat` fails here: it does not know the flag."]);
}

#[test]
fn what_runs_next_is_no_replacement_where_it_does_not_do_the_work() {
    let next = |flags: &'static [&'static str]| {
        days(4, move |day, one| {
            let unknown = "unknown flag: --stat\n\nUsage:  gh pr diff [flags]";
            let one = one.run_with_output(&format!("gh pr diff {} --stat", day + 7), Status::Error, unknown);
            flags.iter().fold(one, |one, line| one.run_with_output(line, Status::Ok, "till.go"))
        })
    };
    let lint = |first: &'static str, then: &'static [&'static str]| {
        days(4, move |_, one| {
            let one = one.run_with_output(first, Status::Error, "Error: unknown flag: --fast");
            then.iter().fold(one.edit("src/till.go"), |one, line| one.ok(line))
        })
    };
    for (name, sessions) in [
        ("another flag follows", next(&["gh pr diff 7 --name-only", "gh pr diff 7 --patch"])),
        ("another program takes it", next(&["gh pr diff 7 --name-only", "git diff --stat main"])),
        ("it is left out", lint("golangci-lint run --fast --new", &["golangci-lint run --new"])),
        (
            "another flag",
            lint("golangci-lint run --fast", &["golangci-lint run --new", "golangci-lint run --fix"]),
        ),
        ("something else", lint("golangci-lint run --fast src", &["golangci-lint run --new lib"])),
    ] {
        let lines = said(sessions);
        let told: Vec<&String> = lines.iter().filter(|line| line.contains("the flag")).collect();
        assert!(matches!(told.as_slice(), [line] if !line.contains("Use ")), "{name}: {lines:?}");
    }
    let lines = said(lint("golangci-lint run --fast", &["golangci-lint run --fast-only"]));
    let told = "Use `golangci-lint run --fast-only`; `golangci-lint run --fast` fails here: it does not know the flag.";
    assert!(lines.iter().any(|line| line == told), "{lines:?}");
}

#[test]
fn a_flag_that_works_for_somebody_or_stands_in_a_log_is_not_told() {
    let refused = |day: usize, one: SessionBuilder| {
        one.run_with_output(&format!("ls -Q src/f{day}.ts"), Status::Error, NO_FLAG)
    };
    let elsewhere = days(6, |day, one| {
        if day < 5 {
            refused(day, one)
        } else {
            one.run_with_output("ls -lQ src/x.ts | head -3", Status::Ok, "a$")
        }
    });
    let log = "ran the tool\nunknown flag: --stat\n--- FAIL: TestFlags\nFAIL\n";
    let in_a_log = days(5, |_, one| one.run_with_output("go test ./cmd", Status::Error, log));
    let searched =
        days(5, |_, one| one.run_with_output("grep -rn 'illegal option -- Q' src", Status::Ok, NO_FLAG));
    let alone = days(5, |day, one| refused(day, one.by("alice")));
    for sessions in [elsewhere, in_a_log, searched, alone] {
        let lines = said(sessions);
        assert!(!lines.iter().any(|line| line.contains("the flag")), "{lines:?}");
    }
}

fn status(one: SessionBuilder, files: &[&str]) -> SessionBuilder {
    let text: String = files.iter().map(|file| format!(" M {file}\n")).collect();
    one.run_with_output("git status --short", Status::Ok, &text)
}

/// A list of changed files, a command, and a list with one more.
fn changes(one: SessionBuilder, command: &str) -> SessionBuilder {
    let one = status(one.edit("src/till.go"), &["src/till.go"]);
    status(one.ok(command), &["src/till.go", "src/tax.go"])
}

const REWRITES: &str = "`make lint` changes files that you did not edit: check `git diff` afterwards and restore what you did not mean to change.";

/// Lists between which only tests ran show nothing new.
fn quiet(many: usize) -> Vec<Session> {
    (0..many)
        .map(|number| {
            let one = session(&format!("quiet{number}")).by("carol").project(PROJECT).prompt("Any news?");
            status(status(one, &[]).ok("make test"), &[]).build()
        })
        .collect()
}

#[test]
fn a_check_that_changes_files_by_the_way_is_told() {
    let mut sessions = days(4, |_, one| changes(one, "make lint"));
    sessions.extend(quiet(6));
    assert!(said(sessions).contains(&REWRITES.to_owned()));
    let mut many = days(8, |_, one| changes(one, "make lint"));
    many.extend(quiet(12));
    holds(many, "side effect");
}

#[test]
fn files_that_somebody_or_something_else_changed_are_not_blamed_on_the_check() {
    let own = days(6, |_, one| {
        let one = status(one.edit("src/till.go"), &["src/till.go"]).ok("make lint");
        status(one.edit("/home/ann/src/tea-shop/src/tax.go"), &["src/till.go", "src/tax.go"])
    });
    let before = days(6, |_, one| {
        let one = status(one.edit("src/till.go"), &["src/tax.go", "src/till.go"]).ok("make lint");
        status(one, &["src/tax.go", "src/till.go"])
    });
    let script = days(6, |_, one| {
        let one = status(one.edit("src/till.go"), &["src/till.go"]).ok("make lint");
        status(one.ok("python3 -c 'rewrite()'"), &["src/till.go", "src/tax.go"])
    });
    let brought = days(6, |_, one| {
        let one = status(one.edit("src/till.go"), &["src/till.go"]).ok("make lint");
        status(one.ok("git stash pop"), &["src/till.go", "src/tax.go"])
    });
    let by_hand = days(6, |_, one| {
        let one = status(one.edit("src/till.go"), &["src/till.go"]).ok("make lint");
        status(one.prompt("I changed the tax myself"), &["src/till.go", "src/tax.go"])
    });
    let cut = days(6, |_, one| {
        let one =
            one.edit("src/till.go").run_with_output("git status -s | head -1", Status::Ok, " M src/till.go");
        status(one.ok("make lint"), &["src/till.go", "src/tax.go"])
    });
    let new = days(6, |_, one| {
        let one = status(one.edit("src/till.go"), &["src/till.go"]).ok("make lint");
        one.run_with_output("git status --short", Status::Ok, " M src/till.go\n?? lint.log\n")
    });
    for (name, sessions) in [
        ("own", own),
        ("before", before),
        ("script", script),
        ("brought", brought),
        ("by hand", by_hand),
        ("cut", cut),
        ("new", new),
    ] {
        assert!(!says(sessions, "changes files"), "{name}");
    }
}

#[test]
fn what_is_meant_to_change_files_is_no_news_and_explains_what_runs_with_it() {
    for command in ["make fmt", "make lint-fix", "go generate ./...", "make fmt && make lint"] {
        let mut sessions = days(6, |_, one| changes(one, command));
        sessions.extend(quiet(6));
        let lines = said(sessions);
        assert!(!lines.iter().any(|line| line.contains("changes files")), "{command}: {lines:?}");
    }
}

#[test]
fn a_tree_in_which_others_work_all_the_time_proves_nothing() {
    let mut sessions = days(5, |_, one| changes(one, "make lint"));
    sessions.extend((0..12).map(|number| {
        let one = session(&format!("busy{number}")).by("carol").project(PROJECT).prompt("Any news?");
        status(status(one, &[]).ok("make test"), &["src/tax.go"]).build()
    }));
    assert!(!says(sessions, "changes files"));
}

/// Unit tests pass, the session says that it is done, and the next prompt points to another check.
fn pointed(one: SessionBuilder, words: &str) -> SessionBuilder {
    let one = one.edit("src/till/cart.go").ok("make test").response("Done.").prompt(words);
    one.run_with_output("make test-ci", Status::Error, RED).edit("src/till/cart.go").ok("make test-ci")
}

/// Sessions in which other checks run after a further prompt that does not name them.
fn late(many: usize) -> Vec<Session> {
    (0..many)
        .map(|number| {
            let person = if number.is_multiple_of(2) { "alice" } else { "bob" };
            let one = session(&format!("late{number}")).by(person).project(PROJECT);
            let one =
                one.prompt("Round the totals").edit("src/till/sum.go").ok("make test").response("Done.");
            one.prompt("and the rates as well").ok("make test").ok("make lint").build()
        })
        .collect()
}

const POINTED: &str = "After editing `src/till/cart.go`, run `make test-ci` before you say that the work is done: people had to ask for it.";

#[test]
fn a_check_that_people_have_to_point_to_is_told() {
    let words =
        ["make test-ci fails", "test-ci is red", "please run make test-ci too", "what does test-ci say?"];
    let mut sessions = days(4, |day, one| pointed(one, words[day % words.len()]));
    sessions.extend(late(8));
    assert!(said(sessions.clone()).contains(&POINTED.to_owned()), "{:?}", said(sessions));
    let mut many = days(8, |day, one| pointed(one, words[day % words.len()]));
    many.extend(late(12));
    holds(many, "demand");
}

#[test]
fn a_check_that_is_named_otherwise_is_not_told() {
    let with = |work: &dyn Fn(usize, SessionBuilder) -> SessionBuilder| {
        let mut sessions = days(6, work);
        sessions.extend(late(8));
        sessions
    };
    let not_named = with(&|_, one| pointed(one, "the tests are still red"));
    let forbidden = with(&|_, one| pointed(one, "Never run make test-ci on this machine."));
    let at_first = with(&|_, one| one.prompt("run make test-ci").ok("make test-ci").edit("src/till/cart.go"));
    let ran_already = with(&|_, one| {
        let one = one.edit("src/till/cart.go").ok("make test-ci").response("Done.");
        one.prompt("run make test-ci once more").ok("make test-ci")
    });
    let alone = with(&|_, one| pointed(one.by("alice"), "make test-ci fails"));
    for (name, sessions) in [
        ("not named", not_named),
        ("forbidden", forbidden),
        ("at first", at_first),
        ("ran already", ran_already),
        ("alone", alone),
    ] {
        assert!(!says(sessions, "people had to point"), "{name}");
    }
}

const OUT_OF_TIME: &str = "Command timed out after 2m 0.0s";

#[test]
fn a_check_that_never_comes_to_an_end_is_told_with_the_part_that_does() {
    let slow = |_: usize, one: SessionBuilder| {
        let one = one.edit("src/till.py").run_with_output("pytest tests/soak", Status::Error, OUT_OF_TIME);
        one.run_with_output("pytest tests/soak -k smoke", Status::Ok, "3 passed in 2.1s")
    };
    let line = "Use `pytest tests/soak -k smoke`; `pytest tests/soak` runs into the time limit here.";
    assert!(said(days(4, slow)).contains(&line.to_owned()), "{:?}", said(days(4, slow)));
    let whole = |_: usize, one: SessionBuilder| {
        one.edit("src/till.py").run_with_output("pytest tests/soak", Status::Error, OUT_OF_TIME)
    };
    let line = "`pytest tests/soak` runs into the time limit here: run a part of it.";
    assert!(said(days(4, whole)).contains(&line.to_owned()));
    let mut many = days(6, whole);
    many.extend(days(0, whole));
    many.extend((0..12).map(|number| {
        let one = session(&format!("fast{number}")).by("carol").project(PROJECT).prompt("Any news?");
        one.edit("src/sum.py").run_with_output("pytest tests/unit", Status::Ok, "9 passed in 0.1s").build()
    }));
    holds(many, "slow");
}

#[test]
fn a_check_that_ends_at_times_or_whose_tests_time_out_is_not_slow() {
    let at_times = days(6, |day, one| {
        let (status, output) =
            if day < 5 { (Status::Error, OUT_OF_TIME) } else { (Status::Ok, "3 passed in 90.1s") };
        one.edit("src/till.py").run_with_output("pytest tests/soak", status, output)
    });
    let of_a_test = days(6, |_, one| {
        let output = "E   TimeoutError: operation timed out\n1 failed, 2 passed in 3.1s";
        one.edit("src/till.py").run_with_output("pytest tests/soak", Status::Error, output)
    });
    let alone = days(6, |_, one| {
        one.by("alice").edit("src/a.py").run_with_output("pytest tests/soak", Status::Error, OUT_OF_TIME)
    });
    for (name, sessions) in [("at times", at_times), ("of a test", of_a_test), ("alone", alone)] {
        assert!(!says(sessions, "time limit"), "{name}");
    }
}

#[test]
fn the_rules_that_most_sessions_break_are_told_first_and_well_known_ones_with_what_they_ask_for() {
    let rejects = |rule: &str| format!("src/till.go:9:2: of the house ({rule})\n1 issues:\n* {rule}: 1\n");
    let dear = days(4, |_, one| {
        let one = one.edit("src/till.go").run_with_output("make lint", Status::Error, &rejects("houserule"));
        one.read("a.go").edit("src/till.go").ok("git log").edit("src/till.go").ok("make lint")
    });
    let cheap = (0..5).map(|number| {
        let person = if number % 2 == 0 { "alice" } else { "bob" };
        let one = session(&format!("cheap{number}")).by(person).project(PROJECT).prompt("Next");
        let one = one.edit("src/tax.go").run_with_output("make lint", Status::Error, &rejects("errcheck"));
        one.edit("src/tax.go").ok("make lint").build()
    });
    let lines = said(dear.into_iter().chain(cheap).collect());
    let expected = "`make lint` often rejects new code for `errcheck` (check the error of every call) and `houserule`: look for these before you run it.";
    assert!(lines.iter().any(|line| line == expected), "{lines:?}");
}

#[test]
fn two_sessions_are_enough_for_a_slip_in_the_name_of_a_file_and_for_nothing_else() {
    let reads = |one: SessionBuilder, path: &str, there: bool| {
        let (status, output) =
            if there { (Status::Ok, "rules: all") } else { (Status::Error, "File does not exist.") };
        one.tool("Read", &format!("{{\"file_path\": \"/home/ann/src/tea-shop/{path}\"}}"), status, output)
    };
    let looked = |wrong: &'static str, right: &'static str| {
        days(2, move |_, one| reads(reads(one, wrong, false), right, true))
    };
    assert_eq!(
        said(looked("lint.config.yml", "lint.config.yaml")),
        ["There is no `lint.config.yml`; it is `lint.config.yaml`."]
    );
    for (wrong, right) in [("lint.config.yml", "docs/guide.md"), ("src/tax.py", "app/tax.py")] {
        assert!(said(looked(wrong, right)).is_empty(), "{wrong}");
    }
    let mut found = looked("lint.config.yml", "lint.config.yaml");
    let later = session("day7").by("carol").project(PROJECT).prompt("Make the other one");
    found.push(later.edit("/home/ann/src/tea-shop/lint.config.yml").build());
    let made_later = said(found);
    assert!(!made_later.iter().any(|line| line.contains("There is no")), "{made_later:?}");
}

//! What is not there, and what is there by accident: skills that nobody has, flags that a program does not know, files
//! that are left over; and builds that belong to one file. Each beside what looks like it and is not.

use serde_json::json;
use skillspan::event::Status;
use skillspan::table::Session;

use super::causes::PROJECT;
use super::sessions::{SessionBuilder, session};
use super::tools::{holds, said, says};

/// Sessions of two people in turn.
fn days(many: usize, work: impl Fn(usize, SessionBuilder) -> SessionBuilder) -> Vec<Session> {
    let of = |day: usize| {
        let person = if day.is_multiple_of(2) { "alice" } else { "bob" };
        let one = session(&format!("day{day}")).by(person).project(PROJECT);
        work(day, one.prompt(&format!("Look at matter {day}"))).build()
    };
    (0..many).map(of).collect()
}

fn asks(one: SessionBuilder, skill: &str, status: Status, output: &str) -> SessionBuilder {
    one.tool("Skill", &json!({ "skill": skill }).to_string(), status, output)
}

fn asks_in_vain(one: SessionBuilder, skill: &str) -> SessionBuilder {
    let output = format!("<tool_use_error>Unknown skill: {skill}</tool_use_error>");
    asks(one.edit("src/till.ts"), skill, Status::Error, &output)
}

const NO_SKILL: &str = "There is no skill `commit` here: use `git commit`.";

#[test]
fn a_skill_that_is_not_there_is_told_with_the_command_that_does_the_work() {
    let commits = |day: usize, one: SessionBuilder| {
        asks_in_vain(one, "commit").ok("git status").ok(&format!("git commit -m 'Round totals, part {day}'"))
    };
    let lines = said(days(4, commits));
    assert!(lines.contains(&NO_SKILL.to_owned()), "{lines:?}");
    holds(days(8, commits), "skill");
    let lines = said(days(4, |_, one| asks_in_vain(one, "release-notes").ok("git status")));
    assert!(lines.contains(&"There is no skill `release-notes` here.".to_owned()), "{lines:?}");
}

#[test]
fn a_skill_that_somebody_has_or_that_cannot_be_used_now_is_not_told() {
    let once_there = days(6, |day, one| {
        if day < 5 {
            asks_in_vain(one, "commit")
        } else {
            asks(one, "commit", Status::Ok, "Launching skill: commit")
        }
    });
    let off = days(6, |_, one| asks(one, "commit", Status::Error, "Skill commit is disabled by a policy"));
    let in_a_log = days(6, |_, one| one.run_with_output("npm test", Status::Error, "Unknown skill: commit"));
    let alone = days(6, |_, one| asks_in_vain(one.by("alice"), "commit"));
    for (name, sessions) in [
        ("once there", once_there),
        ("off", off),
        ("in a log", in_a_log),
        ("alone", alone),
        ("twice", days(2, |_, one| asks_in_vain(one, "commit"))),
    ] {
        assert!(!says(sessions, "no skill"), "{name}");
    }
}

const LEFT_OVER: &str = "If a check fails in files below `tmp/copies/`, which you did not edit: remove those that nothing uses any more (`rm -rf tmp/copies/{name}`), then run the check again.";

fn fails_in(one: SessionBuilder, path: &str) -> SessionBuilder {
    let output =
        format!("error: Cannot find module 'tea' from '/home/ann/src/tea-shop/{path}/src/a.ts'\n1 fail");
    one.edit("src/till.ts").run_with_output("npm test", Status::Error, &output)
}

#[test]
fn files_that_are_left_over_and_break_checks_are_told() {
    let left = |day: usize, one: SessionBuilder| {
        let copy = format!("tmp/copies/tea-{day}");
        fails_in(one, &copy).ok(&format!("rm -rf {copy}")).run_with_output("npm test", Status::Ok, "9 pass")
    };
    let lines = said(days(4, left));
    assert!(lines.contains(&LEFT_OVER.to_owned()), "{lines:?}");
    let looks = |day: usize, one: SessionBuilder| {
        let read = json!({ "file_path": format!("/home/ann/src/tea-shop/src/part{day}.ts") }).to_string();
        one.tool("Read", &read, Status::Ok, "1 export")
    };
    let mut many = days(8, left);
    many.extend((0..12).map(|number| {
        let one = session(&format!("look{number}")).by("carol").project(PROJECT).prompt("Any news?");
        looks(number, one).build()
    }));
    holds(many, "leftover");
}

#[test]
fn what_is_removed_for_another_reason_was_not_left_over() {
    let copy = |day: usize| format!("tmp/copies/tea-{day}");
    let removed = |day: usize| format!("rm -rf {}", copy(day));
    let passes = |one: SessionBuilder| one.run_with_output("npm test", Status::Ok, "9 pass");
    let not_named = days(6, |day, one| passes(fails_in(one, "src/till").ok(&removed(day))));
    let before = days(6, |day, one| passes(fails_in(one.ok(&removed(day)), &copy(day))));
    let in_vain = days(6, |day, one| fails_in(fails_in(one, &copy(day)).ok(&removed(day)), "src/till"));
    let edited = days(6, |day, one| {
        let one = one.edit(&format!("tmp/copies/tea-{day}/src/a.ts"));
        passes(fails_in(one, &copy(day)).ok(&removed(day)))
    });
    let elsewhere = days(6, |day, one| {
        let output = format!("error in /tmp/copies/tea-{day}/a.ts");
        let one = one.edit("src/till.ts").run_with_output("npm test", Status::Error, &output);
        passes(one.ok(&format!("rm -rf /tmp/copies/tea-{day}")))
    });
    let alone = days(6, |day, one| passes(fails_in(one.by("alice"), &copy(day)).ok(&removed(day))));
    for (name, sessions) in [
        ("not named", not_named),
        ("before", before),
        ("in vain", in_vain),
        ("edited", edited),
        ("elsewhere", elsewhere),
        ("alone", alone),
    ] {
        assert!(!says(sessions, "nobody edits"), "{name}");
    }
}

const BUILD: &str = "After editing `web/styles.css`, run `(cd web && npm run css:build)`.";

/// Sessions that edit something else as well, some of which build.
fn beside(many: usize, builds: usize) -> Vec<Session> {
    let of = |number: usize| {
        let person = if number.is_multiple_of(2) { "alice" } else { "bob" };
        let one = session(&format!("beside{number}")).by(person).project(PROJECT).prompt("Any news?");
        let one = one.edit(&format!("src/part{number}.ts"));
        if number < builds {
            one.ok("cd web && npm run css:build").build()
        } else {
            one.ok("npm test").build()
        }
    };
    (0..many).map(of).collect()
}

#[test]
fn a_build_that_belongs_to_one_file_is_told_though_it_catches_nothing() {
    let styled = |_: usize, one: SessionBuilder| one.edit("web/styles.css").ok("cd web && npm run css:build");
    let with = |many: usize, builds: usize| {
        let mut sessions = days(many, styled);
        sessions.extend(beside(24, builds));
        sessions
    };
    let lines = said(with(5, 0));
    assert!(lines.contains(&BUILD.to_owned()), "{lines:?}");
    holds(with(8, 0), "check");
    assert!(!says(with(5, 8), "css:build"), "others build as well");
    let mut habit = with(5, 0);
    habit.extend((0..2).map(|number| {
        let one = session(&format!("without{number}")).by("carol").project(PROJECT).prompt("Make it red");
        one.edit("web/styles.css").ok("npm test").build()
    }));
    assert!(!says(habit, "css:build"), "a habit of some");
    let mut forgotten = with(3, 0);
    forgotten.extend((0..6).map(|number| {
        let one = session(&format!("forgot{number}")).by("carol").project(PROJECT).prompt("Make it blue");
        one.edit("web/styles.css").ok("npm test").build()
    }));
    assert!(!says(forgotten, "css:build"), "most forget it");
}

#[test]
fn two_sessions_are_enough_for_a_flag_where_what_works_is_known() {
    let unknown = "unknown flag: --stat\n\nUsage:  gh pr diff [flags]";
    let of = |next: &'static str| {
        days(2, move |day, one| {
            let one = one.run_with_output(&format!("gh pr diff {} --stat", day + 7), Status::Error, unknown);
            one.run_with_output(&format!("gh pr diff {} {next}", day + 7), Status::Ok, "till.go")
        })
    };
    let told = "Use `gh pr diff --name-only`; `gh pr diff --stat` fails here: it does not know the flag.";
    assert_eq!(said(of("--name-only")), [told]);
    assert!(said(of("")).is_empty());
}

#[test]
fn the_letter_that_does_the_same_on_every_system_is_told_if_three_sessions_ran_it() {
    let output = "cat: illegal option -- A\nusage: cat [-belnstuv] [file ...]";
    let shows = |times: usize, flag: &'static str| {
        days(5, move |day, one| {
            let one = one.run_with_output(&format!("cat -A src/f{day}.ts | head -5"), Status::Ok, output);
            if day < times {
                one.run_with_output(&format!("cat {flag} src/f{day}.ts | head -5"), Status::Ok, "a^I$")
            } else {
                one
            }
        })
    };
    let told = "Use `cat -vet`; `cat -A` fails here: it does not know the flag.";
    assert_eq!(said(shows(4, "-vet")), [told]);
    assert_eq!(said(shows(3, "-etv")), [told]);
    assert!(said(shows(2, "-vet")).is_empty(), "what works is not known well enough");
    assert!(said(shows(3, "-v")).is_empty(), "shows something else");
}

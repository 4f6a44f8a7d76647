//! Which checks belong to which files: what catches nothing is no check, files with a check of their own are not another's,
//! and who edits by a script has edited. And what is to run before a commit.

#![allow(clippy::indexing_slicing, reason = "files of days are the test's own")]

use skillspan::event::Status;
use skillspan::skillify::Candidate;
use skillspan::table::Session;

use super::causes::{PROJECT, published, with_noise};
use super::sessions::{SessionBuilder, session};
use super::tools::{said, says};

/// Sessions of two people in turn.
fn days(name: &str, many: usize, work: impl Fn(usize, SessionBuilder) -> SessionBuilder) -> Vec<Session> {
    let of = |day: usize| {
        let person = if day.is_multiple_of(2) { "alice" } else { "bob" };
        let one = session(&format!("{name}{day}")).by(person).project(PROJECT);
        work(day, one.prompt(&format!("Look at {name} matter {day}"))).build()
    };
    (0..many).map(of).collect()
}

/// The files of one area, another one each day.
fn file(day: usize) -> String {
    format!("web/part{}.css", day % 5)
}

fn checked(run: &'static str, fails: usize) -> Vec<Session> {
    days("style", 8, move |day, one| {
        let one = one.edit(&file(day));
        let one = if day < fails { one.fails(run).edit(&file(day)) } else { one };
        one.ok(run)
    })
}

fn line_of(run: &str) -> String {
    format!("After editing `web/*.css`, run `{run}`.")
}

#[test]
fn what_never_failed_is_no_check() {
    for run in ["npm run css:lint", "npm run css:build"] {
        assert!(said(checked(run, 2)).contains(&line_of(run)), "{:?}", said(checked(run, 2)));
        let never = said(checked(run, 0));
        assert!(!never.iter().any(|line| line.contains("css")), "{never:?}");
    }
}

#[test]
fn a_check_whose_omission_a_failed_commit_followed_is_one() {
    let mut sessions = checked("npm run css:lint", 0);
    sessions.extend(days("left", 2, |day, one| one.edit(&file(day)).fails("git commit -m 'Style'")));
    assert!(said(sessions).contains(&line_of("npm run css:lint")));
}

/// Go files with unit tests, and a folder of tests that another check runs.
fn with_a_folder_of_its_own(check_of_it: Option<&'static str>) -> Vec<Session> {
    let unit = |day: usize, one: SessionBuilder| {
        let path = ["till/a.go", "till/cart/b.go", "till/tax/c.go", "till/pay/d.go"][day % 4];
        let one = one.edit(path);
        let one = if day < 3 { one.fails("mise run test").edit(path) } else { one };
        one.ok("mise run test")
    };
    let mut sessions = days("unit", 16, unit);
    sessions.extend(days("outer", 4, move |_, one| {
        let one = one.edit("till/outer/env.go");
        match check_of_it {
            Some(check) => one.fails(check).edit("till/outer/env.go").ok(check),
            None => one,
        }
    }));
    sessions
}

#[test]
fn files_that_have_another_check_are_not_claimed() {
    let wide = "After editing `till/**/*.go`, run `mise run test`.";
    let left_out = said(with_a_folder_of_its_own(None));
    assert!(left_out.iter().any(|line| line == wide), "{left_out:?}");
    let own = said(with_a_folder_of_its_own(Some("mise run test:outer")));
    assert!(!own.iter().any(|line| line == wide), "{own:?}");
}

#[test]
fn who_ran_another_check_of_the_family_did_not_leave_it_out() {
    let counts = |other: Option<&'static str>| {
        let mut sessions = checked("npm run css:lint", 2);
        sessions.extend(days("other", 3, move |day, one| {
            let one = one.edit(&file(day));
            match other {
                Some(other) => one.ok(other),
                None => one,
            }
        }));
        let skills = published(&with_noise(sessions));
        let claims = skills.iter().flat_map(|skill| &skill.claims);
        let own = claims.filter(|claim| claim.claim.to_string().contains("css"));
        own.map(|claim| (claim.counts.treated_with, claim.counts.treated_without)).collect::<Vec<_>>()
    };
    assert_eq!(counts(None), [(8, 3)]);
    assert_eq!(counts(Some("npm run lint:all")), [(8, 0)]);
}

/// Sessions that change a module in some way, and run its own tests or none.
fn modules(change: impl Fn(SessionBuilder, &str) -> SessionBuilder, run: &'static str) -> Vec<Session> {
    let names = ["cart", "rate", "refund", "basket", "stamp", "parcel"];
    days("module", 12, move |day, one| {
        let name = names[day % names.len()];
        let path = format!("src/shop/{name}.py");
        let own = run.replace("{name}", name);
        let one = change(one, &path);
        let one = if day % 4 == 0 { change(one.fails(&own), &path) } else { one };
        one.ok(&own)
    })
}

const OWN_TESTS: &str = "After editing `src/shop/{name}.py`, run `pytest tests/test_{name}.py`.";

#[test]
fn edits_by_scripts_and_patches_are_edits() {
    let own = "pytest tests/test_{name}.py";
    let by_script = |one: SessionBuilder, path: &str| {
        one.ok(&format!(
            "python - <<'EOF'\ntext = open('{path}').read()\nopen('{path}', 'w').write(text + 'x')\nEOF"
        ))
    };
    let by_file = |one: SessionBuilder, path: &str| {
        one.ok(&format!("cat > mend.py <<'EOF'\npath = '{path}'\nopen(path, 'w').write('x')\nEOF"))
            .ok("python mend.py")
    };
    let by_patch = |one: SessionBuilder, path: &str| {
        one.ok(&format!("git apply <<'EOF'\n--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-a\n+b\nEOF"))
    };
    assert!(
        said(modules(by_script, own)).contains(&OWN_TESTS.to_owned()),
        "{:?}",
        said(modules(by_script, own))
    );
    assert!(said(modules(by_file, own)).contains(&OWN_TESTS.to_owned()));
    assert!(said(modules(by_patch, own)).contains(&OWN_TESTS.to_owned()));
    let reads =
        |one: SessionBuilder, path: &str| one.ok(&format!("python -c \"print(open('{path}').read())\""));
    assert!(!says(modules(reads, own), "After editing"));
}

#[test]
fn what_is_added_to_a_file_does_not_make_it_the_sessions_own() {
    let adds = |one: SessionBuilder, path: &str| {
        let name = path.rsplit('/').next().unwrap();
        one.edit(path).ok(&format!("cat >> tests/test_{name} <<'EOF'\ndef test_more(): pass\nEOF"))
    };
    assert!(said(modules(adds, "pytest tests/test_{name}.py")).contains(&OWN_TESTS.to_owned()));
}

#[test]
fn a_wider_check_leaves_the_narrower_one_not_out() {
    let counts = |wider: &'static str| {
        let mut sessions = modules(SessionBuilder::edit, "pytest tests/test_{name}.py");
        sessions.extend(days("wider", 3, move |_, one| one.edit("src/shop/cart.py").ok(wider)));
        let skills = published(&with_noise(sessions));
        let claims = skills.iter().flat_map(|skill| &skill.claims);
        let own = claims.filter(|claim| claim.claim.to_string().contains("{name}"));
        own.map(|claim| (claim.counts.treated_with, claim.counts.treated_without)).collect::<Vec<_>>()
    };
    assert_eq!(counts("pytest tests"), [(12, 0)]);
    assert_eq!(counts("make docs"), [(12, 3)]);
}

#[test]
fn a_run_of_several_files_checks_each_and_one_that_finds_no_file_checks_nothing() {
    let counts = |more: fn(SessionBuilder) -> SessionBuilder| {
        let mut sessions = modules(SessionBuilder::edit, "pytest tests/test_{name}.py");
        sessions.extend(days("more", 3, move |_, one| more(one.edit("src/shop/cart.py"))));
        let skills = published(&with_noise(sessions));
        let claims = skills.iter().flat_map(|skill| &skill.claims);
        let own = claims.filter(|claim| claim.claim.to_string().contains("{name}"));
        own.map(|claim| (claim.counts.treated_with, claim.counts.treated_without)).collect::<Vec<_>>()
    };
    let several = |one: SessionBuilder| one.ok("pytest tests/test_stamp.py tests/test_cart.py");
    assert_eq!(counts(several), [(15, 0)]);
    // As pytest 5 says it, and as later ones do.
    let none = |one: SessionBuilder| {
        let output =
            "collected 0 items\n\n=== no tests ran in 0.08s ===\nERROR: file not found: tests/test_cart.py\n";
        one.run_with_output("pytest tests/test_cart.py", Status::Error, output)
    };
    assert_eq!(counts(none), [(12, 3)]);
    let newer = |one: SessionBuilder| {
        let output = "ERROR: file or directory not found: tests/test_cart.py\n\nno tests ran in 0.08s\n";
        one.run_with_output("pytest tests/test_cart.py", Status::Error, output)
    };
    assert_eq!(counts(newer), [(12, 3)]);
}

const SUITE: &str = "$ bun test src/\n\n 12 pass\n 0 fail\nRan 12 tests across 3 files.\n";
const TYPES: &str = "$ tsc --noEmit\n";
const UNTYPED: &str = "$ tsc --noEmit\nsrc/till.ts(7,2): error TS2322: Type 'a' is not assignable.\n";

/// Sessions that commit, with a check of types before or not; where it was left out, the hook fails.
fn commits(fails: bool) -> Vec<Session> {
    let ok = format!("[main f59e610] Till\n{SUITE}{TYPES}");
    let ended = format!("{SUITE}{UNTYPED}husky - pre-commit script failed (code 2)\n");
    days("commit", 16, |day, one| {
        let one = one.edit("src/till.ts").run_with_output("bun run test", Status::Ok, SUITE);
        if day % 4 < 2 {
            let one = one.run_with_output("bun run types", Status::Ok, TYPES);
            return one.run_with_output("git commit -m 'Till'", Status::Ok, &ok);
        }
        let one = if fails && day < 12 {
            one.run_with_output("git commit -m 'Till'", Status::Error, &ended)
        } else {
            one
        };
        one.edit("src/till.ts").run_with_output("git commit -m 'Till'", Status::Ok, &ok)
    })
}

const BEFORE: &str =
    "Run `bun run types` before `git commit`: its hook stopped commits that came without it.";

#[test]
fn what_ends_commits_that_came_without_it_is_told() {
    let lines = said(commits(true));
    let hook = "`git commit` runs `bun run test` and `bun run types` by itself.";
    assert!(lines.iter().any(|line| line == hook) && lines.iter().any(|line| line == BEFORE), "{lines:?}");
    let lines = said(commits(false));
    assert!(lines.iter().any(|line| line == hook) && !lines.iter().any(|line| line == BEFORE), "{lines:?}");
}

#[test]
fn one_line_about_the_linter_stands_beside_the_checks() {
    let unchecked = "src/a.go:9:2: of the house (houserule)\n1 issues:\n* houserule: 1\n";
    let mut sessions = with_a_folder_of_its_own(None);
    sessions.extend(days("lint", 8, |day, one| {
        let one = one.edit("till/a.go");
        let one = if day < 4 {
            one.run_with_output("mise run lint", Status::Error, unchecked).edit("till/a.go")
        } else {
            one
        };
        one.ok("mise run lint")
    }));
    let skills: Vec<Candidate> = published(&with_noise(sessions));
    let of_checks: Vec<&Candidate> = skills
        .iter()
        .filter(|skill| skill.wording.lessons.iter().any(|line| line.text.contains("`houserule`")))
        .collect();
    let [skill] = of_checks.as_slice() else { panic!("{skills:#?}") };
    assert_eq!(skill.wording.title, "Check Go changes with mise");
    assert!(
        skill.wording.description.ends_with("before running `mise run lint`."),
        "{}",
        skill.wording.description
    );
}

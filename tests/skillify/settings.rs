//! Where and under which conditions commands run, what is added to make them pass, and what cannot be said.

use skillspan::skillify::Candidate;
use skillspan::table::Session;

use super::sessions::{SessionBuilder, mined, session};

const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "dave"];

fn published(sessions: &[Session]) -> Vec<Candidate> {
    mined(sessions).candidates.into_iter().filter(Candidate::is_published).collect()
}

fn steps(sessions: &[Session]) -> Vec<String> {
    let skills = published(sessions);
    assert!(skills.len() < 2, "{skills:#?}");
    skills.iter().flat_map(|skill| &skill.wording.steps).map(|line| line.text.clone()).collect()
}

fn lessons(sessions: &[Session]) -> Vec<String> {
    published(sessions)
        .iter()
        .flat_map(|skill| &skill.wording.lessons)
        .map(|line| line.text.clone())
        .collect()
}

/// Sessions of as many people that calibrate something, among others that do not.
fn calibrated(lines: [&[&str]; 4]) -> Vec<Session> {
    let sessions = PEOPLE.iter().zip(lines).map(|(person, lines)| {
        let begun = session(person).by(person).prompt("Calibrate the relay unit");
        lines.iter().fold(begun, |session, line| session.ok(line)).prompt("Thanks!").build()
    });
    let others = PEOPLE.iter().cycle().take(12).enumerate().map(|(at, person)| {
        let begun = session(&format!("o{at}")).by(person).prompt(&format!("Look into report {at}"));
        begun.read(&format!("reports/{at}.md")).ok("git log -3").prompt("Thanks!").build()
    });
    sessions.chain(others).collect()
}

/// Sessions of three people that start so.
fn by_three(work: impl Fn(SessionBuilder) -> SessionBuilder) -> Vec<Session> {
    let built = PEOPLE.iter().take(3).map(|person| {
        work(session(person).by(person).prompt("Run the browser tests")).prompt("Thanks!").build()
    });
    built.collect()
}

#[test]
fn a_step_keeps_the_variables_folder_and_privilege_that_most_runs_have() {
    let all: &[&str] =
        &["cd fw/relay && make flash", "PROFILE=lab ./relay/load", "sudo relayctl start", "./relay/close"];
    let other: &[&str] = &[
        "cd /home/dave/relay && make flash 2>&1 | tail",
        "PROFILE=lab CI=1 ./relay/load",
        "relayctl start",
        "./relay/close",
    ];
    let told = [
        "Run `(cd fw/relay && make flash)`.",
        "Run `PROFILE=lab ./relay/load`.",
        "Run `sudo relayctl start`.",
        "Run `./relay/close`.",
    ];
    assert_eq!(steps(&calibrated([all, all, all, other])), told);
}

#[test]
fn a_run_with_another_variable_or_in_another_folder_is_no_evidence() {
    let lines = |load: &'static str| ["./relay/open", load, "./relay/close"];
    let (lab, field) = (lines("PROFILE=lab ./relay/load"), lines("PROFILE=field ./relay/load"));
    let without = lines("./relay/load");
    let sessions = calibrated([&lab, &lab, &field, &without]);
    let skills = mined(&sessions).candidates;
    let load = skills.iter().flat_map(|skill| &skill.claims).filter(|claim| {
        let text = claim.claim.to_string();
        text.contains("./relay/load") && !text.contains("PROFILE=lab")
    });
    assert_eq!(load.count(), 0, "{skills:#?}");
}

#[test]
fn runs_in_two_folders_are_two_steps() {
    let all: &[&str] = &["cd lib && ./generate", "cd app && ./generate", "./relay/close"];
    let told = ["Run `(cd lib && ./generate)`.", "Run `(cd app && ./generate)`.", "Run `./relay/close`."];
    assert_eq!(steps(&calibrated([all, all, all, all])), told);
}

#[test]
fn what_each_runs_under_another_variable_unsays_the_procedure() {
    let lines = |load: &'static str| ["./relay/open", load, "./relay/close"];
    let (a, b) = (lines("UNIT=a ./relay/load"), lines("UNIT=b ./relay/load"));
    let sessions = calibrated([&a, &a, &b, &b]);
    assert_eq!(steps(&sessions), [""; 0]);
    let explained = mined(&sessions).explain().join("\n");
    assert!(
        explained.contains("most sessions also ran `relay/load` in a way that no step can say"),
        "{explained}"
    );
}

#[test]
fn a_procedure_without_the_step_that_cannot_be_said_is_not_published() {
    for core in [
        "mysql shop < relay.sql",
        "psql shop <<SQL\nrefresh materialized view relays\nSQL",
        "docker push relay:$(git rev-parse --short HEAD)",
        "for unit in a b; do kubectl rollout restart deploy/$unit; done",
        "helm upgrade relay charts/relay --set auth.password=[redacted:password:4f]",
        "pwsh -Command \"$env:UNIT='a'; ./relay/flash.ps1\"",
        "./relay/load --token abcdef123",
    ] {
        let lines: &[&str] = &["./relay/open", core, "./relay/close"];
        let sessions = calibrated([lines, lines, lines, lines]);
        assert_eq!(steps(&sessions), [""; 0], "{core}");
        assert!(mined(&sessions).explain().join("\n").contains("no step can say"), "{core}");
    }
    // What a session does for itself, or hands over, says nothing.
    for own in ["python3 - <<E\nprint(1)\nE", "git commit -F - <<E\nrelay\nE", "make test < /dev/null"] {
        let lines: &[&str] = &["./relay/open", own, "./relay/close"];
        assert!(steps(&calibrated([lines, lines, lines, lines])).len() >= 2, "{own}");
    }
}

#[test]
fn a_step_names_the_variable_that_holds_a_secret_and_not_the_secret() {
    let lines: &[&str] = &["./relay/open", "API_TOKEN=abc ./relay/load", "./relay/close"];
    let sessions = calibrated([lines, lines, lines, lines]);
    let told = ["Run `./relay/open`.", "Run `./relay/load` with `API_TOKEN` set.", "Run `./relay/close`."];
    assert_eq!(steps(&sessions), told);
    assert!(!format!("{:?}", published(&sessions)).contains("abc"), "{:#?}", published(&sessions));
}

#[test]
fn a_file_that_a_command_wrote_unsays_what_reads_it() {
    let lines: &[&str] =
        &["./relay/dump > relay.sql", "sqlite3 relay.db '.read relay.sql'", "./relay/load -f relay.sql"];
    assert_eq!(steps(&calibrated([lines, lines, lines, lines])), [""; 0]);
}

#[test]
fn what_is_added_to_a_failing_command_replaces_it() {
    for (failed, passed, name) in [
        ("npx jest", "npx jest --runInBand", "run-the-tests"),
        (
            "npm run build:addon",
            "NODE_OPTIONS=--openssl-legacy-provider npm run build:addon",
            "build-the-project",
        ),
        ("npm test", "cd web && npm test", "run-the-tests"),
    ] {
        let sessions = by_three(|session| session.fails(failed).ok(passed));
        let passed = if passed.starts_with("cd ") { format!("({passed})") } else { passed.to_owned() };
        let told = [format!("Use `{passed}`; `{failed}` fails here.")];
        assert_eq!(lessons(&sessions), told, "{:#?}", mined(&sessions).explain());
        let skill = published(&sessions).remove(0);
        assert_eq!(skill.wording.name, name);
        assert_eq!(skill.sessions().len(), 3);
    }
}

#[test]
fn what_proves_no_addition_replaces_nothing() {
    let jest = "npx jest --runInBand";
    for sessions in [
        // A rerun that passes.
        by_three(|session| session.fails("npx jest").ok("npx jest")),
        by_three(|session| session.fails("npx jest").ok("npx jest").ok(jest)),
        // Something else was done as well.
        by_three(|session| session.fails("npx jest").ok("make web-up").ok(jest)),
        by_three(|session| session.fails("npx jest").edit("src/a.ts").ok(jest)),
        // It does less, or overrules what failed.
        by_three(|session| session.fails("./relay/load").ok("./relay/load --dry-run")),
        by_three(|session| session.fails("npx jest").ok("npx jest -u")),
        by_three(|session| session.fails("npx jest").ok("npx jest --update-snapshots")),
        by_three(|session| session.fails("./relay/load").ok("SKIP_CHECKS=1 ./relay/load")),
        by_three(|session| session.fails("git push").ok("git push --force-with-lease")),
        // Only what is printed is another.
        by_three(|session| session.fails("npx jest").ok("CI=1 npx jest --verbose")),
    ] {
        let told = lessons(&sessions);
        let replaced = told.iter().filter(|line| line.contains("fails here") || line.contains("not `"));
        assert_eq!(replaced.count(), 0, "{:#?}", mined(&sessions).explain());
    }
}

#[test]
fn a_flag_that_people_do_not_want_is_left_out() {
    for (wanted, says) in [
        ("npx eslint src", "Don't use --fix."),
        ("npx eslint src --max-warnings 0", "don't use --fix, run it with --max-warnings 0 only"),
    ] {
        let sessions = by_three(|session| session.ok("npx eslint src --fix").prompt(says).ok(wanted));
        assert_eq!(lessons(&sessions), [format!("Use `{wanted}`, not `npx eslint src --fix`.")]);
        assert_eq!(published(&sessions).remove(0).wording.title, "Pass the linter");
    }
}

#[test]
fn what_ran_before_a_run_that_was_set_otherwise_is_no_repair() {
    let sessions = by_three(|session| session.fails("npm test").ok("make web-up").ok("cd web && npm test"));
    let repairs = lessons(&sessions).into_iter().filter(|line| line.contains("make web-up"));
    assert_eq!(repairs.count(), 0, "{:#?}", mined(&sessions).explain());
    let sessions =
        by_three(|session| session.fails("npm test").ok("make web-up").ok("cd /srv/web && npm test"));
    assert_eq!(lessons(&sessions), ["If `npm test` fails, run `make web-up`."]);
}

#[test]
fn a_command_that_passes_elsewhere_needs_no_addition() {
    let mut sessions = by_three(|session| session.fails("npx jest").ok("npx jest --runInBand"));
    assert_eq!(published(&sessions).len(), 1);
    sessions.push(session("other").by("carol").prompt("Fix the footer").ok("npx jest").build());
    assert_eq!(published(&sessions).len(), 0);
}

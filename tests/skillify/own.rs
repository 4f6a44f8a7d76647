//! What one person's sessions prove: his own target takes it, no other does.

use skillspan::library::{Findings, Route};
use skillspan::skillify::{Candidate, Scope};
use skillspan::table::Session;

use super::causes::{PROJECT, with_noise};
use super::sessions::{SessionBuilder, mined_by_default, session};

const SCRIPT: &str = "$ bun test src/\nbun test v1.3.5\n\n 12 pass\n 0 fail\nRan 12 tests across 3 files.\n";
const HOOK: &str = "`git commit` runs `bun run test` by itself.";

fn of(person: &str, work: impl Fn(SessionBuilder) -> SessionBuilder) -> Vec<Session> {
    let day = |at: i64| {
        let one = session(&format!("{person}{at}")).by(person).project(PROJECT).on(at);
        work(one.prompt(&format!("Look at matter {at}"))).build()
    };
    (0..6).map(day).collect()
}

fn commits(one: SessionBuilder) -> SessionBuilder {
    use skillspan::event::Status::Ok;
    let one = one.edit("src/till.ts").run_with_output("bun run test", Ok, SCRIPT);
    one.run_with_output("git commit -m 'Till'", Ok, &format!("[main f59e610] Till\n{SCRIPT}"))
}

/// What a target gets that takes these scopes and these people's own.
fn taken(sessions: &[Session], scopes: &[&str], people: &[&str]) -> Vec<Candidate> {
    let findings = [Findings::from(&mined_by_default(sessions))];
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let route = Route { scopes: names(scopes), people: names(people), ..Route::default() };
    let taken = route.of(&findings).remove(0).candidates.into_iter();
    taken.filter(Candidate::is_published).collect()
}

fn lines(candidates: &[Candidate]) -> Vec<&str> {
    let lessons = candidates.iter().flat_map(|one| &one.wording.lessons);
    lessons.map(|line| line.text.as_str()).collect()
}

#[test]
fn what_one_person_proves_goes_to_his_own_target_and_to_no_other() {
    let sessions = with_noise(of("alice@example.com", commits));
    let own = taken(&sessions, &["person"], &["alice@example.com"]);
    assert!(lines(&own).contains(&HOOK), "{:?}", lines(&own));
    assert_eq!(own[0].scope, Scope::Person("alice@example.com".to_owned()));
    for (scopes, people) in [
        (&["workspace", "project"][..], &["alice@example.com"][..]),
        (&["person"], &["bob@example.com"]),
        (&["person"], &[]),
        (&[], &[]),
    ] {
        let lines = taken(&sessions, scopes, people);
        assert!(lines.iter().all(|one| one.scope.as_str() != "person"), "{scopes:?} {people:?}");
    }
}

#[test]
fn claims_of_one_person_about_one_topic_are_one_skill_and_those_of_another_are_not_among_them() {
    use skillspan::event::Status::Ok;
    let lint = "$ biome check\nChecked 3 files in 5ms. No fixes applied.\n";
    let both = |one: SessionBuilder| {
        let one = one.edit("src/till.ts").run_with_output("bun run test", Ok, SCRIPT);
        let one = one.run_with_output("bun run lint", Ok, lint);
        one.run_with_output("git commit -m 'Till'", Ok, &format!("{SCRIPT}{lint}[main f59e610] Till"))
    };
    let makes = |one: SessionBuilder| {
        let (ok, script) = (Ok, "[unit] $ go test ./...\nok  \tshop/till\t0.2s\n");
        let one = one.edit("till/till.go").run_with_output("mise run unit-test", ok, script);
        one.run_with_output("git commit -m 'Till'", ok, &format!("{script}[main f59e610] Till"))
    };
    let mut sessions = with_noise(of("alice@example.com", both));
    sessions.extend(of("bob@example.com", makes));
    let own = taken(&sessions, &["person"], &["alice@example.com"]);
    assert_eq!(own.len(), 1, "{:?}", lines(&own));
    let line = "`git commit` runs `bun run test` and `bun run lint` by itself.";
    assert!(lines(&own).contains(&line), "{:?}", lines(&own));
    let others = taken(&sessions, &["person"], &["bob@example.com"]);
    let line = "`git commit` runs `mise run unit-test` by itself.";
    assert!(lines(&others).contains(&line), "{:?}", lines(&others));
    let told = |candidates: &[Candidate], part: &str| lines(candidates).concat().contains(part);
    assert!(told(&own, "bun") && !told(&own, "mise") && !told(&others, "bun"), "{:?}", lines(&others));
}

#[test]
fn the_habits_of_one_person_are_published_nowhere() {
    let habit = |one: SessionBuilder| {
        let one = one.prompt("Publish the nightly build of the till");
        one.ok("make bundle").edit("VERSION").ok("git tag nightly").ok("git push origin nightly")
    };
    let sessions = with_noise(of("alice@example.com", habit));
    assert!(lines(&taken(&sessions, &["person"], &["alice@example.com"])).is_empty());
    let own = taken(&sessions, &["person"], &["alice@example.com"]);
    assert!(own.iter().all(|one| one.wording.steps.is_empty()), "{own:?}");
}

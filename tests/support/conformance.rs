//! What holds for every kind of destination of skills.

use std::fmt::Debug;

use skillspan::exporters::Destination;
use skillspan::exporters::target::Update;
use skillspan::library::{Change, Decision, Findings, Library, Standing};

use crate::sessions::{mined, needs};

/// What teaches one skill.
fn found() -> Update {
    Update::Findings(vec![Findings::from(&mined(&needs("make db-up", "make itest")))])
}

/// Publishes to a destination where nothing stands yet. `open` opens it as a process that has just started does.
pub(crate) fn conforms<D: Destination>(open: impl Fn() -> D) {
    let first = &found();
    open().check().unwrap();
    open().look().unwrap();
    assert!(open().load().unwrap().skills().is_empty(), "a destination without skills reads as one");
    // A plan says what publishing does, and writes nothing.
    let plan = open().plan(first).unwrap();
    assert!(open().load().unwrap().skills().is_empty(), "a plan writes nothing");
    let report = open().publish(first).unwrap();
    assert_eq!(
        (&plan.skills, &plan.diff, plan.files_written),
        (&report.skills, &report.diff, report.files_written)
    );
    let [name] = report.named(Change::Created)[..] else { panic!("one skill is created: {report}") };
    assert!(report.diff.contains(&format!("+++ b/skills/{name}/SKILL.md")), "{}", report.diff);
    assert_eq!(standing(&open().load().unwrap()), [(name.to_owned(), Standing::Published)]);
    // What says nothing new changes nothing, whoever brings it.
    let before = files(&open().load().unwrap());
    let again = open().publish(first).unwrap();
    assert_eq!((again.files_written, again.changed(), again.diff.as_str()), (0, 0, ""));
    assert_eq!(files(&open().load().unwrap()), before);
    decisions(open, name, first);
}

/// A person's word: it is planned, carried out and kept, and one that cannot be carried out changes nothing.
fn decisions<D: Destination>(open: impl Fn() -> D, name: &str, known: &Update) {
    let before = files(&open().load().unwrap());
    let unknown = open().publish(&decision("no-such-skill", Decision::Withdraw));
    assert!(refusal(unknown).contains("no-such-skill"));
    assert!(refusal(open().publish(&decision(name, Decision::Restore))).contains(name));
    assert_eq!(files(&open().load().unwrap()), before);
    open().plan(&decision(name, Decision::Withdraw)).unwrap();
    assert_eq!(files(&open().load().unwrap()), before, "a plan writes nothing");
    open().publish(&decision(name, Decision::Withdraw)).unwrap();
    assert_eq!(standing(&open().load().unwrap()), [(name.to_owned(), Standing::Refused)]);
    open().publish(known).unwrap();
    assert_eq!(standing(&open().load().unwrap()), [(name.to_owned(), Standing::Refused)], "it stays away");
    open().publish(&decision(name, Decision::Restore)).unwrap();
    assert_eq!(files(&open().load().unwrap()), before, "it comes back as it was");
}

fn decision(skill: &str, decision: Decision) -> Update {
    Update::Decision { skill: skill.to_owned(), decision, as_of: "2026-12-01".to_owned() }
}

fn refusal<T: Debug, E: ToString>(outcome: Result<T, E>) -> String {
    match outcome {
        Ok(done) => panic!("it was carried out: {done:?}"),
        Err(error) => error.to_string(),
    }
}

fn standing(library: &Library) -> Vec<(String, Standing)> {
    library.skills().into_iter().map(|skill| (skill.name, skill.standing)).collect()
}

/// The texts that assistants load, without the numbers of their versions.
fn files(library: &Library) -> Vec<(String, Vec<String>)> {
    let without_version = |text: &str| {
        text.lines().filter(|line| !line.contains("skillspan-version")).map(str::to_owned).collect()
    };
    let files = library.skill_files().into_iter();
    files.map(|(path, text)| (path.to_owned(), without_version(text))).collect()
}

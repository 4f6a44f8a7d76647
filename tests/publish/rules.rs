//! Rules that people state: proposed in words of ours, published where a person agrees, and nobody's words anywhere.

use skillspan::exporters::Destination;
use skillspan::exporters::target::Update;
use skillspan::library::{Change, Decision};
use skillspan::skillify::Mined;

use super::life::Target;
use super::sessions::{mined_by_default, session};

fn says(id: &str, person: &str, day: i64, said: &str) -> skillspan::table::Session {
    session(id).on(day).by(person).prompt("Mend the parser").edit("src/parser.rs").prompt(said).build()
}

fn stated() -> Mined {
    mined_by_default(&[
        says("a", "ana", 1, "Never force-push, quoth the zebra."),
        says("b", "ben", 2, "For zebra's sake, don't ever force push."),
    ])
}

fn whole(target: &Target) -> String {
    format!("{:?}", target.contents())
}

#[test]
fn a_rule_waits_for_a_person_and_no_file_quotes_anybody() {
    let target = Target::new();
    let report = target.publish(&stated());
    assert_eq!(target.skills(), [""; 0]);
    let listed = target.waiting().unwrap();
    assert_eq!(report.named(Change::Waiting), [listed.name.as_str()]);
    assert!(listed.name.starts_with("avoid-force-pushes"), "{}", listed.name);
    assert_eq!(listed.review, ["rule: people stated it, and nothing but a person's word makes it one"]);
    assert!(listed.proposal.unwrap().contains("\n1. Do not force-push.\n"));
    assert!(!whole(&target).contains("zebra") && !whole(&target).contains("ana"));
    let before = target.contents();
    target.publish(&stated());
    assert_eq!(target.contents(), before, "it is proposed once");
}

#[test]
fn a_rule_that_a_person_agrees_to_is_published_and_stays() {
    let target = Target::new();
    target.publish(&stated());
    let name = target.waiting().unwrap().name;
    target.decide(&name, Decision::Approve).unwrap();
    let text = target.read(&format!("skills/{name}/SKILL.md"));
    assert!(text.contains("\n1. Do not force-push.\n"), "{text}");
    assert!(text.contains("# Avoid force pushes"), "{text}");
    let listed = target.exporter().load().unwrap().skills().into_iter().find(|skill| skill.name == name);
    let told = listed.unwrap().history.last().unwrap().what.clone();
    assert!(told.ends_with("a person agreed that it holds"), "a rule does nothing: {told}");
    let evidence = target.read(&format!("skills/{name}/references/evidence.md"));
    assert!(
        evidence.contains("Asked for it or said so: 2 sessions; took it back: 0 sessions."),
        "{evidence}"
    );
    assert!(!whole(&target).contains("zebra"));
    let before = target.contents();
    target.publish(&stated());
    assert_eq!(target.contents(), before);
    // Nobody has to say it again.
    let later = mined_by_default(&[says("c", "cem", 400, "Mend the page")]);
    target.publish(&later);
    assert_eq!(target.read(&format!("skills/{name}/SKILL.md")), text);
}

#[test]
fn a_rule_that_people_take_back_retires() {
    let target = Target::new();
    target.publish(&stated());
    let name = target.waiting().unwrap().name;
    target.decide(&name, Decision::Approve).unwrap();
    let report = target.publish(&mined_by_default(&[
        says("a", "ana", 1, "Never force-push."),
        says("b", "ben", 2, "don't ever force push"),
        says("c", "ana", 5, "You can force-push again without asking."),
        says("d", "ben", 6, "Feel free to force-push."),
    ]));
    assert_eq!(report.named(Change::Retiring), [name.as_str()], "{report}");
}

#[test]
fn a_rule_that_a_person_rejects_is_not_proposed_again() {
    let target = Target::new();
    target.publish(&stated());
    let name = target.waiting().unwrap().name;
    target.decide(&name, Decision::Reject).unwrap();
    target.publish(&stated());
    assert_eq!((target.waiting(), target.skills()), (None, Vec::<String>::new()));
}

#[test]
fn a_rule_of_one_person_waits_nowhere_by_itself() {
    use skillspan::library::{Findings, Route};
    let mined = mined_by_default(&[
        says("a", "ana", 1, "Never force-push."),
        says("b", "ana", 2, "don't ever force push"),
        says("c", "ben", 2, "Thanks"),
    ]);
    assert!(mined.candidates.iter().any(|candidate| candidate.is_proposed()));
    let target = Target::new();
    let update = Update::Findings(Route::default().of(&[Findings::from(&mined)]));
    target.exporter().publish(&update).unwrap();
    assert_eq!(target.waiting(), None);
    assert_eq!(target.files(), [""; 0]);
}

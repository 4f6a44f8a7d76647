//! Skills that wait for a person to agree to what they may do.

use skillspan::exporters::Destination;
use skillspan::library::{Change, Decision};
use skillspan::skillify::Mined;

use super::life::Target;
use super::repository::{NAME, first, needs};
use super::sessions::{mined, mined_by_default};

/// What makes the tests pass speaks with another machine.
fn foreign() -> Mined {
    mined_by_default(&needs("ssh build-host make db-up", "make itest"))
}

#[test]
fn what_the_configuration_does_not_allow_waits_with_its_class_named() {
    let target = Target::new();
    let report = target.publish(&foreign());
    assert_eq!(target.skills(), [""; 0]);
    let listed = target.waiting().unwrap();
    assert_eq!(report.named(Change::Waiting), [listed.name.as_str()]);
    assert!(listed.review.iter().any(|class| class.starts_with("send: ")), "{:?}", listed.review);
    assert!(listed.proposal.unwrap().contains("ssh build-host make db-up"));
    let before = target.contents();
    target.publish(&foreign());
    assert_eq!(target.contents(), before, "it is proposed once");
}

#[test]
fn what_a_person_agrees_to_is_published_and_stays() {
    let target = Target::new();
    target.publish(&foreign());
    let name = target.waiting().unwrap().name;
    target.decide(&name, Decision::Approve).unwrap();
    assert!(target.read(&format!("skills/{name}/SKILL.md")).contains("ssh build-host make db-up"));
    assert_eq!(target.waiting(), None);
    let before = target.contents();
    target.publish(&foreign());
    assert_eq!(target.contents(), before);
    assert_eq!(target.waiting(), None, "it is not proposed again");
}

#[test]
fn what_a_person_rejects_is_not_proposed_again() {
    let target = Target::new();
    target.publish(&foreign());
    let name = target.waiting().unwrap().name;
    assert!(target.decide(&name, Decision::Restore).unwrap_err().contains("waits for a person"));
    assert!(target.decide(&name, Decision::Withdraw).unwrap_err().contains("skills reject"));
    target.decide(&name, Decision::Reject).unwrap();
    target.publish(&foreign());
    assert_eq!((target.waiting(), target.skills()), (None, Vec::<String>::new()));
    assert_eq!(target.state(&name), "rejected");
}

#[test]
fn what_was_refused_before_it_stood_waits_again_at_a_persons_word() {
    let target = Target::new();
    target.publish(&foreign());
    let waiting = target.waiting().unwrap();
    let name = waiting.name.clone();
    target.decide(&name, Decision::Reject).unwrap();
    assert_eq!(target.waiting(), None);
    target.decide(&name, Decision::Restore).unwrap();
    let again = target.waiting().unwrap();
    assert_eq!((&again.proposal, &again.review), (&waiting.proposal, &waiting.review));
    assert_eq!((again.version, target.skills()), (waiting.version, Vec::<String>::new()));
    let before = target.contents();
    target.publish(&foreign());
    assert_eq!(target.contents(), before, "mining leaves it to wait");
    target.decide(&name, Decision::Approve).unwrap();
    assert!(target.read(&format!("skills/{name}/SKILL.md")).contains("ssh build-host make db-up"));
}

#[test]
fn what_waits_keeps_nothing_else_from_being_published() {
    let target = Target::new();
    target.publish(&foreign());
    let report = target.publish(&mined(&first()));
    assert_eq!(report.named(Change::Created), [NAME], "{report}");
}

#[test]
fn what_waits_for_a_session_is_named_by_its_erasure() {
    let target = Target::new();
    target.publish(&foreign());
    let library = target.exporter().load().unwrap();
    assert_eq!(library.supported_by("acme", "s01").len(), 1);
    assert_eq!(library.supported_by("acme", "other").len(), 0);
}

#[test]
fn what_was_published_before_it_needed_a_person_retires_and_the_report_says_so() {
    let target = Target::new();
    // As a version did, or a configuration, that let it be said.
    let report = target.publish(&mined(&needs("ssh build-host make db-up", "make itest")));
    let [name]: [&str; 1] = report.named(Change::Created).try_into().unwrap();
    let page = format!("skills/{name}/SKILL.md");
    let report = target.publish(&foreign());
    assert_eq!(report.named(Change::Retiring), [name], "{report}");
    assert!(report.to_string().contains(&format!("skills restore {name}")), "{report}");
    assert!(target.read(&page).contains("a person has to agree to what it may do (send)"));
    assert_eq!(target.waiting(), None);
    target.decide(name, Decision::Restore).unwrap();
    let restored = target.read(&page);
    assert!(restored.contains("ssh build-host make db-up") && !restored.contains("Retired"));
    target.publish(&foreign());
    assert_eq!(target.read(&page), restored, "a person keeps it");
}

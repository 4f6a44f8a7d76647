//! Libraries that a version wrote which knew no tenants (formats up to 5).
//!
//! `tests/fixtures/libraries/format-5-*.json` are libraries as that version left them, where a credential named
//! `shop` or `evil` and the payloads all called themselves `team`. With one tenant there is one skill. With two,
//! the second one has added a lesson to the first one's skill, and has a skill of its own.

use std::collections::BTreeMap;

use skillspan::library::{Findings, Ownership};
use skillspan::table::Session;

use crate::libraries::{Folder, found, of, repaired};

const STATE: &str = ".skillspan/library.json";
const SKILL: &str = "skills/run-the-tests/SKILL.md";
const OTHERS: &str = "skills/run-make-deploy/SKILL.md";
const ID: &str = "322be98c";

fn stored(tenants: usize) -> Folder {
    let text = match tenants {
        1 => include_str!("../fixtures/libraries/format-5-one-tenant.json"),
        _ => include_str!("../fixtures/libraries/format-5-two-tenants.json"),
    };
    let files: BTreeMap<String, String> = serde_json::from_str(text).unwrap();
    let folder = Folder::new();
    files.iter().for_each(|(path, content)| folder.write(path, content));
    folder
}

fn state(folder: &Folder) -> serde_json::Value {
    serde_json::from_str(&folder.contents()[STATE]).unwrap()
}

/// The sessions behind the stored skills, in the workspaces that the credentials name.
fn acmes() -> Vec<Session> {
    of(
        "acme",
        "shop",
        [repaired("a-", "make itest", "make db-up"), repaired("b-", "make e2e", "make seed")].concat(),
    )
}

fn evils() -> Vec<Session> {
    let repairs = [
        ("c-", "make itest", "make db-up"),
        ("d-", "make utest", "make evil-up"),
        ("e-", "make deploy", "make login"),
    ];
    of("evil", "own", repairs.map(|(id, test, fix)| repaired(id, test, fix)).concat())
}

fn both() -> Vec<Findings> {
    found(&[acmes(), evils()].concat())
}

/// All that is written, but for what a person edited.
fn all(folder: &Folder) -> String {
    folder.contents().iter().map(|(path, content)| format!("{path}\n{content}\n")).collect()
}

#[test]
fn with_one_tenant_a_library_goes_on_under_its_names_and_ids() {
    for whose in [Ownership::OfTheOnly, Ownership::Of("acme".into()), Ownership::Named("acme".into())] {
        let folder = stored(1);
        let before = folder.contents();
        let told = folder.publish(whose.clone(), found(&acmes())).unwrap();
        assert_eq!(folder.contents(), before, "an older format alone is no change: {told:?}");
        let more = of("acme", "shop", repaired("n-", "make utest", "make cache"));
        let told = folder.publish(whose, found(&[acmes(), more].concat())).unwrap();
        assert_eq!(told, ["sharpened run-the-tests"]);
        let state = state(&folder);
        assert_eq!((&state["format"], state["skills"].as_object().unwrap().len()), (&6.into(), 1));
        assert_eq!(state["skills"][ID]["workspace"], "shop", "the workspace that its sessions are of");
        assert!(state["tenant"].as_str().is_some_and(|tenant| !tenant.is_empty()));
        let text = &folder.contents()[SKILL];
        assert!(text.contains(&format!("skillspan-id: \"{ID}\"")) && text.contains("make cache"), "{text}");
        assert!(
            folder.publish(Ownership::Named("evil".into()), both()).is_err(),
            "and is acme's from then on"
        );
    }
}

#[test]
fn of_several_tenants_nothing_is_changed_until_the_configuration_says_whose_it_is() {
    for whose in [Ownership::OfTheOnly, Ownership::Of("acme".into())] {
        let folder = stored(2);
        let before = folder.contents();
        let error = folder.publish(whose, both()).unwrap_err();
        assert_eq!((error.kind(), error.is_transient()), ("tenant", false));
        let text = error.to_string();
        assert!(text.contains("(acme, evil)") && text.contains("route: { tenant: NAME }"), "{text}");
        assert!(error.remedy().contains("route: { tenant: NAME }"));
        assert_eq!(folder.contents(), before);
    }
}

#[test]
fn what_the_other_tenants_sessions_taught_is_taken_out() {
    let folder = stored(2);
    let told = folder.publish(Ownership::Named("acme".into()), both()).unwrap();
    assert_eq!(told, ["retired run-make-deploy", "revised run-the-tests"]);
    let text = all(&folder);
    for taught in ["evil-up", "utest", "make login", "make deploy", "evil"] {
        assert!(!text.contains(taught), "{taught} is left: {text}");
    }
    let skill = &folder.contents()[SKILL];
    assert!(skill.contains(&format!("skillspan-id: \"{ID}\"")), "{skill}");
    assert!(skill.contains("make db-up") && skill.contains("make seed"), "{skill}");
    let evidence = &folder.contents()["skills/run-the-tests/references/evidence.md"];
    let rows = evidence.matches("| claude-code |").count();
    assert_eq!(rows, 8, "of sessions that are gone nobody can tell: {evidence}");
    let before = folder.contents();
    folder.publish(Ownership::Named("acme".into()), both()).unwrap();
    assert_eq!(folder.contents(), before, "once");
}

#[test]
fn a_skill_whose_main_lesson_is_anothers_goes_and_is_learned_anew_from_what_is_left() {
    let folder = stored(2);
    folder.publish(Ownership::Named("evil".into()), both()).unwrap();
    let text = all(&folder);
    for taught in ["make seed", "make e2e", "acme", "workspace: \"shop\""] {
        assert!(!text.contains(taught), "{taught} is left: {text}");
    }
    assert!(folder.contents()[OTHERS].contains("make login"));
    assert!(text.contains("make evil-up"), "evil's own sessions still teach it: {text}");
}

#[test]
fn what_a_person_edited_stays_and_is_said() {
    let folder = stored(2);
    let edited = format!("{}\nMind the gap.\n", folder.contents()[OTHERS]);
    folder.write(OTHERS, &edited);
    let told = folder.publish(Ownership::Named("acme".into()), both()).unwrap();
    assert_eq!(folder.contents()[OTHERS], edited);
    assert!(
        told.iter().any(|line| line.starts_with("run-make-deploy was learned from other tenants'")),
        "{told:?}"
    );
    assert!(!folder.contents()[STATE].contains("make login"));
}

#[test]
fn where_no_session_is_left_that_tells_the_only_tenant_has_it_and_of_several_the_named_one() {
    let later = |tenant: &str| of(tenant, "shop", repaired("later-", "make lint", "make fmt"));
    let folder = stored(1);
    folder.publish(Ownership::Of("acme".into()), found(&later("acme"))).unwrap();
    assert!(folder.contents()[SKILL].contains(ID));
    let several = || found(&[later("acme"), later("evil")].concat());
    let folder = stored(1);
    let before = folder.contents();
    let error = folder.publish(Ownership::Of("acme".into()), several()).unwrap_err().to_string();
    assert!(error.contains("no session that is left tells") && error.contains("acme, evil"), "{error}");
    assert_eq!(folder.contents(), before);
    folder.publish(Ownership::Named("acme".into()), several()).unwrap();
    assert_eq!(state(&folder)["skills"][ID]["name"], "run-the-tests");
}

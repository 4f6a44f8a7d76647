//! What people do to skills, and how it is kept.

use skillspan::exporters::Destination;
use skillspan::exporters::filesystem::Filesystem;
use skillspan::library::{Change, Decision, Layout, Standing};
use skillspan::skillify::{Classes, Config, Offline, PublishRule, Snapshot, Verified, mine};

use super::life::Target;
use super::repository::{NAME, SKILL, first, needs, with_migration};
use super::sessions::{mined, session};

const BY_HAND: &str =
    "---\nname: testing\ndescription: How we test.\n---\n\n# Testing\n\nRun `make itest` before you push.\n";

fn standing(target: &Target, name: &str) -> Standing {
    let library = target.exporter().load().unwrap();
    library.skills().into_iter().find(|skill| skill.name == name).unwrap().standing
}

#[test]
fn what_a_persons_skill_covers_becomes_a_proposal_to_deepen_it() {
    let target = Target::new();
    target.write("skills/testing/SKILL.md", BY_HAND);
    let report = target.publish(&mined(&first()));
    assert_eq!(report.named(Change::Proposed), ["testing"]);
    assert_eq!(target.read("skills/testing/SKILL.md"), BY_HAND);
    assert_eq!(target.skills(), ["skills/testing/SKILL.md"], "no second skill");
    let before = target.contents();
    target.publish(&mined(&first()));
    assert_eq!(target.contents(), before, "a proposal is made once");
    target.decide("testing", Decision::Approve).unwrap();
    let deepened = target.read("skills/testing/SKILL.md");
    assert!(deepened.starts_with(BY_HAND.trim_end()), "{deepened}");
    assert!(
        deepened.contains("- If `make itest` fails with \"connection refused\", run `make db-up`."),
        "{deepened}"
    );
    let report = target.publish(&mined(&first()));
    assert_eq!(report.named(Change::Unchanged), ["testing"], "{report}");
    assert_eq!(target.skills(), ["skills/testing/SKILL.md"]);
}

#[test]
fn a_deepening_that_a_person_rejects_is_not_proposed_again() {
    let target = Target::new();
    target.write("skills/testing/SKILL.md", BY_HAND);
    target.publish(&mined(&first()));
    target.decide("testing", Decision::Reject).unwrap();
    let report = target.publish(&mined(&first()));
    assert_eq!(report.named(Change::Unchanged), ["testing"]);
    assert!(target.decide("testing", Decision::Approve).unwrap_err().contains("no proposal"));
    let report = target.publish(&mined(&with_migration()));
    assert_eq!(report.named(Change::Proposed), ["testing"], "what is new is proposed");
}

#[test]
fn a_persons_skill_about_something_else_keeps_nothing_away() {
    let target = Target::new();
    target.write("skills/testing/SKILL.md", "Run `make itest-all` and `remake itest`.\n");
    assert_eq!(target.publish(&mined(&first())).named(Change::Created), [NAME]);
}

#[test]
fn a_rejected_proposal_is_not_made_again() {
    let target = Target::new();
    target.publish(&mined(&first()));
    let edited = target.read(SKILL).replace("## Lessons", "## Our lessons");
    target.write(SKILL, &edited);
    target.publish(&mined(&with_migration()));
    target.decide(NAME, Decision::Reject).unwrap();
    let before = target.contents();
    target.publish(&mined(&with_migration()));
    assert_eq!(target.contents(), before);
    assert!(target.decide(NAME, Decision::Reject).unwrap_err().contains("no proposal"));
}

#[test]
fn an_approved_proposal_replaces_the_edit_and_the_skill_is_generated_again() {
    let target = Target::new();
    target.publish(&mined(&first()));
    target.write(SKILL, &target.read(SKILL).replace("## Lessons", "## Our lessons"));
    target.publish(&mined(&with_migration()));
    target.decide(NAME, Decision::Approve).unwrap();
    assert!(target.read(SKILL).contains("make migrate") && !target.read(SKILL).contains("Our steps"));
    assert_eq!(standing(&target, NAME), Standing::Published);
}

#[test]
fn a_proposal_that_a_person_puts_in_place_himself_is_taken() {
    let target = Target::new();
    target.publish(&mined(&first()));
    target.write(SKILL, "by hand");
    target.publish(&mined(&with_migration()));
    let library = target.exporter().load().unwrap();
    let proposal = library.skills()[0].proposal.clone().unwrap();
    target.write(SKILL, &proposal);
    let report = target.publish(&mined(&with_migration()));
    assert_eq!(report.named(Change::Unchanged), [NAME]);
    assert_eq!(standing(&target, NAME), Standing::Published);
}

#[test]
fn what_a_person_withdraws_is_gone_and_comes_back_at_their_word_alone() {
    let target = Target::new();
    target.publish(&mined(&first()));
    let text = target.read(SKILL);
    target.decide(NAME, Decision::Withdraw).unwrap();
    assert!(!target.files().iter().any(|path| path.starts_with("skills/")), "{:?}", target.files());
    assert_eq!(standing(&target, NAME), Standing::Refused);
    assert!(!target.read("README.md").contains(NAME), "the list of skills follows");
    let before = target.contents();
    target.publish(&mined(&first()));
    assert_eq!(target.contents(), before, "mining does not make it again");
    assert!(target.decide(NAME, Decision::Withdraw).unwrap_err().contains("is not published"));
    target.decide(NAME, Decision::Restore).unwrap();
    assert_eq!(target.read(SKILL), text.replace("skillspan-version: \"1\"", "skillspan-version: \"2\""));
}

#[test]
fn what_a_person_wrote_into_a_skill_is_remembered_when_it_is_withdrawn() {
    let target = Target::new();
    target.publish(&mined(&first()));
    let own = format!("{}\nAsk the team first.\n", target.read(SKILL));
    target.write(SKILL, &own);
    target.decide(NAME, Decision::Withdraw).unwrap();
    assert!(!target.files().iter().any(|path| path == SKILL), "{:?}", target.files());
    let library = target.exporter().load().unwrap();
    let decisions = library.decisions(NAME);
    assert!(decisions.iter().any(|one| one.after.contains("Ask the team first.")), "{}", decisions.len());
    // It comes back as it stood: nobody agreed to the generated text.
    target.decide(NAME, Decision::Restore).unwrap();
    assert_eq!(target.read(SKILL), own);
    assert_eq!(standing(&target, NAME), Standing::HandEdited);
}

#[test]
fn what_was_deleted_comes_back_at_a_persons_word_alone() {
    let target = Target::new();
    target.publish(&mined(&first()));
    let text = target.read(SKILL);
    target.remove_folder(&format!("skills/{NAME}"));
    target.publish(&mined(&first()));
    assert_eq!(standing(&target, NAME), Standing::Refused);
    target.decide(NAME, Decision::Restore).unwrap();
    assert_eq!(target.read(SKILL), text.replace("skillspan-version: \"1\"", "skillspan-version: \"2\""));
    assert_eq!(target.publish(&mined(&first())).named(Change::Unchanged), [NAME]);
    assert!(target.decide(NAME, Decision::Restore).unwrap_err().contains("neither deleted nor retired"));
}

#[test]
fn what_a_person_deleted_no_other_skill_learns() {
    let target = Target::new();
    target.publish(&mined(&first()));
    target.remove_folder(&format!("skills/{NAME}"));
    target.publish(&mined(&first()));
    let report = target.publish(&mined(&[with_migration(), needs("make seed", "make e2e")].concat()));
    assert_eq!(report.named(Change::Created).len(), 1, "{report}");
    assert!(target.skills().iter().all(|path| !target.read(path).contains("make db-up")));
}

#[test]
fn the_evidence_tells_whom_a_credential_names() {
    let target = Target::new();
    let evidence = format!("skills/{NAME}/references/evidence.md");
    target.publish(&mined(&first()));
    assert!(target.read(&evidence).contains("told apart: 3 by login or asserted name."), "at first nobody");
    let named: Verified = ["alice", "bob"].map(|name| ("acme".to_owned(), name.to_owned())).into();
    let publish = PublishRule { allow: Classes::EVERY, ..PublishRule::default() };
    let config = Config { publish, verified: Some(&named), ..Config::default() };
    let sessions = [with_migration(), first()].concat();
    let mined = mine(&Snapshot { workspace: "shop", sessions: &sessions }, &config, &Offline);
    target.publish(&mined);
    let text = target.read(&evidence);
    assert!(text.contains("told apart: 2 by credential, 1 by login or asserted name."), "{text}");
}

#[test]
fn one_copy_that_a_person_deleted_stays_away() {
    let target = Target::new();
    let exporter = Filesystem::new(target.config(Layout::Project { path: String::new() }));
    exporter.publish(&super::life::update(&mined(&first()))).unwrap();
    assert_eq!(target.skills().len(), 2);
    target.remove_folder(".claude/skills");
    exporter.publish(&super::life::update(&mined(&with_migration()))).unwrap();
    assert_eq!(target.skills(), [format!(".agents/skills/{NAME}/SKILL.md")]);
    assert!(target.read(&target.skills()[0]).contains("make migrate"));
}

#[test]
fn skills_that_become_one_leave_the_oldest() {
    let tried = |id: &str, project: &str, test: &str, fix: &str| {
        let people = ["alice", "bob", "carol"];
        let one = |(at, who): (usize, &&str)| {
            session(&format!("{id}{at}"))
                .by(who)
                .project(&format!("git.example.com/acme/{project}"))
                .prompt("run the tests")
                .fails(test)
                .ok(fix)
                .ok(test)
                .response("Done.")
                .build()
        };
        people.iter().enumerate().map(one).collect::<Vec<_>>()
    };
    let target = Target::new();
    let apart = [tried("p", "shop", "make itest", "make db-up"), tried("q", "web", "make e2e", "make seed")];
    let report = target.publish(&mined(&apart.concat()));
    assert_eq!(report.named(Change::Created).len(), 2, "{report}");
    // Both repositories need both: one skill of the workspace says it.
    let more = [tried("r", "web", "make itest", "make db-up"), tried("t", "shop", "make e2e", "make seed")];
    let report = target.publish(&mined(&[apart, more].concat().concat()));
    let (sharpened, retiring) = (report.named(Change::Sharpened), report.named(Change::Retiring));
    assert_eq!((sharpened.len(), retiring.len()), (1, 1), "{report}");
    let reason = target.read(&format!("skills/{}/SKILL.md", retiring[0]));
    assert!(reason.contains(&format!("Retired: now said by {}", sharpened[0])), "{reason}");
    assert!(target.read("RETIRED.md").contains(retiring[0]));
}

#[test]
fn a_state_of_the_first_format_is_read() {
    let target = Target::new();
    target.publish(&mined(&first()));
    let lines = super::older::as_lines(&target.read(".skillspan/library.json"), 1);
    let mut state: serde_json::Value = serde_json::from_str(&lines).unwrap();
    for digests in state["files"].as_object_mut().unwrap().values_mut() {
        *digests = digests[0].clone();
    }
    for skill in state["skills"].as_object_mut().unwrap().values_mut() {
        for key in ["body", "scope", "past", "history"] {
            skill.as_object_mut().unwrap().remove(key);
        }
    }
    target.write(".skillspan/library.json", &state.to_string());
    assert_eq!(target.publish(&mined(&first())).named(Change::Revised), [NAME]);
    assert_eq!(target.publish(&mined(&first())).named(Change::Unchanged), [NAME]);
    assert_eq!(target.publish(&mined(&with_migration())).named(Change::Sharpened), [NAME]);
    assert!(target.read(".skillspan/library.json").contains("\"format\": 6"));
}

//! States of older formats, whose claims are lines that nobody counted: what becomes of their skills.
//!
//! `tests/fixtures/libraries/format-4.json` is a library as the last version of that format left it, after a
//! person undid what one skill had learnt (a migration), edited a second one and deleted a third.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use skillspan::event::Status;
use skillspan::exporters::Destination;
use skillspan::library::{Change, Standing};
use skillspan::table::Session;

use super::failing::found;
use super::golden::on;
use super::life::Target;
use super::sessions::{SessionBuilder, session};

const STATE: &str = ".skillspan/library.json";
const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];
const ITEST: &str = "make-itest-needs-make-db-up";
const E2E: &str = "make-e2e-needs-make-seed";
const RELEASE: &str = "release-with-scripts-publish-sh";
const EDITED: &str = "use-pnpm-add-charts-not-npm";
const DELETED: &str = "make-import-needs-make-login";

/// The state as an older version wrote it.
pub(crate) fn as_lines(state: &str, format: u32) -> String {
    let mut state: Value = serde_json::from_str(state).unwrap();
    write_lines(&mut state);
    state["format"] = format.into();
    state.as_object_mut().unwrap().remove("tenant");
    serde_json::to_string_pretty(&state).unwrap()
}

fn write_lines(value: &mut Value) {
    if let Some(line) = line(value) {
        *value = line.into();
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(write_lines),
        Value::Object(fields) => {
            if fields.contains_key("claim") {
                fields.remove("counts");
                fields.remove("failures");
            }
            fields.values_mut().for_each(write_lines);
            if let Some(withdrawn) = fields.get_mut("withdrawn") {
                *withdrawn = by_line(withdrawn);
            }
        }
        _ => {}
    }
}

fn by_line(withdrawn: &Value) -> Value {
    let mut map = Map::new();
    for entry in withdrawn.as_array().unwrap() {
        let key = entry["claim"].as_str().unwrap().to_owned();
        map.insert(key, json!({ "reason": entry["reason"], "as_of": entry["as_of"] }));
    }
    Value::Object(map)
}

/// How older versions printed a claim.
fn line(value: &Value) -> Option<String> {
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    let (kind, of) = fields.iter().next()?;
    let text = |key: &str| of[key].as_str().unwrap().to_owned();
    Some(match kind.as_str() {
        "run" => format!("run `{}`", of.as_str()?),
        "edit" => format!("edit `{}`", of.as_str()?),
        "avoid" => format!("do not run `{}`", of.as_str()?),
        "repair" => format!("run `{}` before `{}`", text("repair"), text("command")),
        "instead" => format!("run `{}` instead of `{}`", text("run"), text("failed")),
        "prefer" => format!("run `{}`, not `{}`", text("prefer"), text("over")),
        _ => return None,
    })
}

/// The stored library.
fn stored() -> Target {
    let files: BTreeMap<String, String> =
        serde_json::from_str(include_str!("../fixtures/libraries/format-4.json")).unwrap();
    let target = Target::new();
    files.iter().for_each(|(path, content)| target.write(path, content));
    target
}

fn state(target: &Target) -> Value {
    serde_json::from_str(&target.read(STATE)).unwrap()
}

fn skill(name: &str) -> String {
    format!("skills/{name}/SKILL.md")
}

fn standing(target: &Target) -> BTreeMap<String, Standing> {
    let skills = target.exporter().load().unwrap().skills();
    skills.into_iter().map(|skill| (skill.name, skill.standing)).collect()
}

/// Sessions of that day of three people, who do it one like the other.
fn by_three(id: &str, day: i64, does: impl Fn(SessionBuilder, usize) -> SessionBuilder) -> Vec<Session> {
    let one = |(at, who): (usize, &&str)| {
        on(does(session(&format!("now-{id}{at}")).by(who), at).response("Done.").build(), day)
    };
    PEOPLE.iter().enumerate().map(one).collect()
}

/// Sessions in which a command fails until another has run.
fn repaired(id: &str, (test, failure, repair): (&str, &str, &str)) -> Vec<Session> {
    by_three(id, 0, |session, _| {
        session.prompt("run it").run_with_output(test, Status::Error, failure).ok(repair).ok(test)
    })
}

fn one_off(day: i64) -> Session {
    on(session(&format!("o{day}")).by("alice").prompt("say hello").ok("echo hello").build(), day)
}

/// What people do today about each of the stored skills.
fn today() -> Vec<Session> {
    let release = by_three("r", 0, |session, at| {
        let version = format!("0.{}.0", at + 7);
        session
            .prompt(&format!("Release {version}"))
            .edit("src/version.py")
            .ok("make lint && make test")
            .ok(&format!("git commit -qam 'Release {version}' && git tag v{version}"))
            .ok(&format!("./scripts/publish.sh --version {version}"))
    });
    [
        repaired("a", ("make itest", "connection refused", "make db-up")),
        repaired("m", ("make itest", "relation does not exist", "make migrate")),
        repaired("b", ("make e2e", "connection refused", "make seed")),
        repaired("g", ("make import", "not logged in", "make login")),
        release,
    ]
    .concat()
}

#[test]
fn a_stored_state_keeps_names_ids_history_and_what_people_did() {
    let target = stored();
    let before = (state(&target), target.contents());
    target.exporter().publish(&found(&[one_off(1)])).unwrap();
    assert_eq!(target.contents(), before.1, "a state of an older format alone is no change");
    target.exporter().publish(&found(&today())).unwrap();
    let after = state(&target);
    assert_eq!(after["format"], 6);
    for (id, skill) in before.0["skills"].as_object().unwrap() {
        assert_eq!(after["skills"][id]["name"], skill["name"]);
        let (old, new) = (&skill["history"], &after["skills"][id]["history"]);
        assert!(new.as_array().unwrap().starts_with(old.as_array().unwrap()), "{old} {new}");
    }
    assert_eq!(after["skills"].as_object().unwrap().len(), 5, "and no skill is new");
    let standing = standing(&target);
    assert_eq!((standing[EDITED], standing[DELETED]), (Standing::HandEdited, Standing::Refused));
    assert_eq!(target.read(&skill(EDITED)), before.1[&skill(EDITED)]);
    let claims = &after["skills"]
        .as_object()
        .unwrap()
        .values()
        .find(|skill| skill["name"] == EDITED)
        .unwrap()["claims"];
    assert_eq!(
        claims[0]["claim"],
        json!({ "prefer": { "prefer": "pnpm add charts", "over": "npm install charts" } })
    );
    let text: String = target.skills().iter().map(|path| target.read(path)).collect();
    assert!(!text.contains("make migrate"), "what was rejected is not said: {text}");
    assert!(!text.contains("make login"), "what was deleted no other skill learns: {text}");
}

#[test]
fn what_sessions_prove_is_said_anew_under_the_old_name() {
    let target = stored();
    let report = target
        .exporter()
        .publish(&found(&repaired("a", ("make itest", "connection refused", "make db-up"))))
        .unwrap();
    assert_eq!(report.named(Change::Revised), [ITEST], "{report}");
    let text = target.read(&skill(ITEST));
    assert!(text.contains(&format!("name: {ITEST}\n")) && text.contains("# Run the tests\n"), "{text}");
    assert!(
        text.contains("1. If `make itest` fails with \"connection refused\", run `make db-up`.\n"),
        "{text}"
    );
    let evidence = target.read(&skill(ITEST).replace("SKILL.md", "references/evidence.md"));
    assert!(
        evidence.contains(
            "\nFailed, ran it, then passed: 3 sessions; failed, ran it, then failed again: 0 sessions.\n"
        ),
        "{evidence}"
    );
    assert!(evidence.matches("| accepted |").count() > 3, "what was remembered stays: {evidence}");
    let before = target.contents();
    let again =
        target.exporter().publish(&found(&repaired("a", ("make itest", "connection refused", "make db-up"))));
    assert_eq!(again.unwrap().named(Change::Unchanged), [ITEST]);
    assert_eq!(target.contents(), before, "once");
}

#[test]
fn of_skills_that_are_one_now_the_oldest_stays() {
    let target = stored();
    let report = target.exporter().publish(&found(&today())).unwrap();
    let (stays, goes) = (ITEST, E2E);
    assert!(report.named(Change::Sharpened).contains(&stays), "{report}");
    assert_eq!(report.named(Change::Retiring), [goes], "{report} {}", target.read(&skill(stays)));
    let text = target.read(&skill(stays));
    assert!(text.contains("make db-up") && text.contains("make seed"), "{text}");
    assert!(target.read(&skill(goes)).contains(&format!("Retired: now said by {stays}.")));
    let release = target.read(&skill(RELEASE));
    assert!(
        release.contains("## Steps\n") && release.contains("./scripts/publish.sh --version {version}"),
        "{release}"
    );
    let before = target.contents();
    target.exporter().publish(&found(&today())).unwrap();
    assert_eq!(target.contents(), before);
    let report = target.exporter().publish(&found(&[today(), vec![one_off(10)]].concat())).unwrap();
    assert_eq!(report.named(Change::Retired), [goes]);
    assert!(!target.files().contains(&skill(goes)));
}

/// Sessions in which the end-to-end tests fail and an edit makes them pass, with a skill loaded or without.
fn edited(loaded: Option<&str>) -> Vec<Session> {
    by_three("e", 0, |session, _| {
        let session = session.prompt("mend the form");
        let session = loaded.into_iter().fold(session, SessionBuilder::skill);
        let failed = session.run_with_output("make e2e", Status::Error, "timed out");
        failed.edit("src/form.ts").ok("make seed").ok("make e2e")
    })
}

#[test]
fn what_sessions_refute_is_retired_in_two_publishes() {
    let target = stored();
    let report = target.exporter().publish(&found(&edited(None))).unwrap();
    assert_eq!(report.named(Change::Retiring), [E2E], "{report}");
    let reason = "sessions that met its situation do not show it";
    assert!(target.read(&skill(E2E)).contains(&format!("description: \"Retired: {reason}.")));
    assert!(target.read("RETIRED.md").contains(&format!("| {E2E} | ")));
    let before = target.contents();
    target.exporter().publish(&found(&edited(None))).unwrap();
    assert_eq!(target.contents(), before, "the notice stands");
    let report = target.exporter().publish(&found(&[edited(None), vec![one_off(10)]].concat())).unwrap();
    assert_eq!(report.named(Change::Retired), [E2E]);
    assert!(!target.files().contains(&skill(E2E)) && target.files().contains(&skill(ITEST)));
}

#[test]
fn what_too_few_sessions_met_or_only_with_the_skill_stands() {
    for sessions in [edited(None).into_iter().take(2).collect(), edited(Some(E2E)), vec![one_off(10)]] {
        let target = stored();
        let before = target.read(&skill(E2E));
        let report = target.exporter().publish(&found(&sessions)).unwrap();
        assert_eq!(report.named(Change::Retiring), Vec::<&str>::new());
        assert_eq!(target.read(&skill(E2E)), before);
    }
}

#[test]
fn a_claim_that_does_not_read_back_is_an_error_of_the_state() {
    let target = stored();
    target.exporter().publish(&found(&today())).unwrap();
    let broken =
        target.read(STATE).replace("\"repair\": \"make db-up\"", "\"repair\": \"make db-up && make\"");
    target.write(STATE, &broken);
    let error = target.exporter().load().unwrap_err().to_string();
    assert!(
        error.contains("cannot be read") && error.contains("\"make db-up && make\" is no single command"),
        "{error}"
    );
}

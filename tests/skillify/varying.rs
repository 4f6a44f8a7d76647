//! What varies from run to run: parts of words, edited files, environments.

#![allow(clippy::panic, reason = "a helper fails as its test does")]

use skillspan::skillify::Candidate;
use skillspan::table::Session;

use super::sessions::{SessionBuilder, mined, session};

const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "dave"];
const NAMES: [&str; 4] = ["invoice", "refund", "tax_rate", "coupon"];

/// Four sessions of four people, each in a checkout of its own, beside others that do something else.
fn workspace(work: impl Fn(SessionBuilder, &str, &str, usize) -> SessionBuilder) -> Vec<Session> {
    let checkouts = ["/home/alice/src/shop-api/", "/Users/bob/shop-api/", "", "/workspaces/shop-api/"];
    let of_this_work = PEOPLE.iter().zip(NAMES).zip(checkouts).enumerate();
    let mut sessions: Vec<Session> = of_this_work
        .map(|(at, ((person, name), checkout))| {
            let begun = session(&format!("w{at}")).by(person).project("git.example.com/acme/shop-api");
            work(begun, name, checkout, at).prompt("Thanks!").build()
        })
        .collect();
    sessions.extend(PEOPLE.iter().cycle().take(12).enumerate().map(|(at, person)| {
        let begun = session(&format!("o{at}")).by(person).project("git.example.com/acme/shop-api");
        let begun = begun.prompt(&format!("look into report {at}")).edit(&format!("src/app/report_{at}.py"));
        begun.ok("pytest").ok("git commit -am x").build()
    }));
    sessions
}

fn published(sessions: &[Session]) -> Vec<Candidate> {
    mined(sessions).candidates.into_iter().filter(Candidate::is_published).collect()
}

/// The steps of the only procedure; beside it stands nothing but which check belongs to which files.
fn steps(sessions: &[Session]) -> Vec<String> {
    let (procedures, others): (Vec<Candidate>, Vec<Candidate>) =
        published(sessions).into_iter().partition(|skill| !skill.wording.steps.is_empty());
    assert!(others.iter().all(|skill| skill.wording.name == "check-changes"), "{others:#?}");
    let [skill] = procedures.as_slice() else { panic!("{}", mined(sessions).explain().join("\n")) };
    assert!(skill.claims.iter().all(|claim| claim.support.len() == 4), "{:#?}", skill.claims);
    skill.wording.steps.iter().map(|line| line.text.clone()).collect()
}

#[test]
fn the_fixed_part_of_a_word_stays() {
    let sessions = workspace(|begun, name, _, _| {
        let begun = begun.prompt(&format!("calibrate the {name} board"));
        let begun =
            begun.ok(&format!("make calibrate TARGET={name}")).ok(&format!("./seal.sh run unit:{name}"));
        begun.ok(&format!("git push origin HEAD:release/{name}"))
    });
    let expected = [
        "Run `make calibrate TARGET={name}`.",
        "Run `./seal.sh run unit:{name}`.",
        "Run `git push origin HEAD:release/{name}`.",
    ];
    assert_eq!(steps(&sessions), expected);
}

#[test]
fn an_environment_that_stands_before_the_subcommand_may_vary() {
    let sessions = workspace(|begun, _, _, at| {
        let stage = ["dev", "qa", "perf", "dev"][at];
        let begun = begun.prompt(&format!("apply the infrastructure of {stage}"));
        let begun = begun.ok(&format!("terraform -chdir=envs/{stage} plan -out=tfplan"));
        let begun = begun.ok(&format!("terraform -chdir=envs/{stage} apply tfplan"));
        begun.ok(&format!("kubectl --context {stage} apply -k config"))
    });
    let expected = [
        "Run `terraform -chdir=envs/{name} plan -out=tfplan`.",
        "Run `terraform -chdir=envs/{name} apply tfplan`.",
        "Run `kubectl --context {name} apply -k config`.",
    ];
    assert_eq!(steps(&sessions), expected);
}

#[test]
fn a_new_file_of_a_kind_is_a_step_with_its_path_from_the_root_of_the_repository() {
    let sessions = workspace(|begun, name, checkout, at| {
        let begun = begun.prompt(&format!("add a flyway migration for {name}"));
        let number = 31 + at;
        let begun = begun.edit(&format!("{checkout}src/main/db/migration/V{number}__{name}.sql"));
        begun.edit(&format!("{checkout}AGENTS.md")).ok("./mvnw flyway:migrate").ok("./mvnw verify -Pdb")
    });
    let expected = [
        "Edit `src/main/db/migration/V{number}__{name}.sql`.",
        "Edit `AGENTS.md`.",
        "Run `./mvnw flyway:migrate`.",
        "Run `./mvnw verify -Pdb`.",
    ];
    assert_eq!(steps(&sessions), expected);
}

#[test]
fn a_new_file_that_is_listed_in_another_is_a_procedure_even_where_only_a_check_is_run() {
    let sessions = workspace(|begun, name, checkout, _| {
        let begun = begun.prompt(&format!("add an endpoint for {name}"));
        let begun = begun.edit(&format!("{checkout}src/api/{name}_routes.py"));
        begun.edit(&format!("{checkout}docs/openapi.yaml")).ok("make openapi-check")
    });
    let expected =
        ["Edit `src/api/{name}_routes.py`.", "Edit `docs/openapi.yaml`.", "Run `make openapi-check`."];
    assert_eq!(steps(&sessions), expected);
}

#[test]
fn a_new_file_that_is_listed_in_another_is_a_procedure_where_the_check_is_everybodys() {
    let sessions = workspace(|begun, name, checkout, _| {
        let begun = begun.prompt(&format!("add an endpoint for {name}"));
        let begun = begun.edit(&format!("{checkout}src/api/{name}_routes.py"));
        begun.edit(&format!("{checkout}docs/openapi.yaml")).ok("pytest")
    });
    let told = steps(&sessions);
    assert_eq!(told.get(..2).unwrap(), ["Edit `src/api/{name}_routes.py`.", "Edit `docs/openapi.yaml`."]);
}

#[test]
fn a_new_file_whose_name_has_no_form_is_no_step_of_its_own() {
    let sessions = workspace(|begun, name, checkout, _| {
        let begun = begun.prompt(&format!("add an endpoint for {name}"));
        let begun = begun.edit(&format!("{checkout}src/api/{name}.py"));
        let begun = begun.edit(&format!("{checkout}docs/openapi.yaml")).fails("make openapi-check");
        begun.edit(&format!("{checkout}docs/openapi.yaml")).ok("make openapi-check")
    });
    let skills = published(&sessions);
    assert!(skills.iter().all(|skill| skill.wording.steps.is_empty()), "{skills:#?}");
    let mut told = skills.iter().flat_map(|skill| &skill.wording.lessons);
    let check = "After editing `docs/openapi.yaml`, run `make openapi-check`.";
    assert!(told.any(|line| line.text == check), "{skills:#?}");
}

#[test]
fn files_that_everybody_edits_in_the_repository_are_no_step() {
    let sessions = workspace(|begun, name, checkout, _| {
        let begun = begun.prompt(&format!("bake the map tiles of {name}"));
        let begun = begun.edit(&format!("{checkout}src/app/{name}.py"));
        begun.ok("tiles fetch --all").ok("tiles bake")
    });
    assert_eq!(steps(&sessions), ["Run `tiles fetch --all`.", "Run `tiles bake`."]);
}

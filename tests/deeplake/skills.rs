//! Skills as rows, a row a version, as Hivemind's clients pull them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use skillspan::exporters::Destination;
use skillspan::exporters::deeplake::{Skills, SkillsConfig};
use skillspan::exporters::target::{Report, Update};
use skillspan::library::{Change, Decision, Findings};
use skillspan::skillify::Mined;
use skillspan::table::Session;

use crate::conformance::conforms;
use crate::harness::service;
use crate::sessions::{mined, needs, session};
use crate::standin::{Faults, Row, StandIn};

const NAME: &str = "run-the-tests";

fn config(standin: &StandIn) -> SkillsConfig {
    SkillsConfig {
        service: skillspan::exporters::deeplake::Service {
            read_lag: Duration::from_millis(60),
            ..service(standin)
        },
        skills: "skills".to_owned(),
        library: "skillspan_library".to_owned(),
    }
}

fn update(mined: &Mined) -> Update {
    Update::Findings(vec![Findings::from(mined)])
}

async fn publish(standin: &StandIn, sessions: &[Session]) -> Report {
    let (skills, update) = (Skills::new(config(standin)), update(&mined(sessions)));
    tokio::task::spawn_blocking(move || skills.publish(&update)).await.unwrap().unwrap()
}

async fn decide(standin: &StandIn, decision: Decision) {
    let skills = Skills::new(config(standin));
    let update = Update::Decision { skill: NAME.to_owned(), decision, as_of: "2026-12-01".to_owned() };
    tokio::task::spawn_blocking(move || skills.publish(&update)).await.unwrap().unwrap();
}

/// What a client that pulls installs: the latest version of each (project_key, name).
fn pulled(standin: &StandIn) -> Vec<Row> {
    let columns = [
        "name",
        "project",
        "project_key",
        "body",
        "version",
        "source_agent",
        "scope",
        "author",
        "contributors",
        "description",
        "trigger_text",
        "source_sessions",
        "install",
        "created_at",
        "updated_at",
    ];
    let sql = format!(
        "SELECT {} FROM \"skills\" ORDER BY project_key ASC, name ASC, version DESC",
        columns.join(", ")
    );
    let answer = standin.execute(&sql);
    let mut latest: Vec<Row> = Vec::new();
    for row in answer["rows"].as_array().unwrap() {
        let row: Row =
            columns.iter().map(|name| (*name).to_owned()).zip(row.as_array().unwrap().clone()).collect();
        let is_older =
            |known: &Row| known["project_key"] == row["project_key"] && known["name"] == row["name"];
        if !latest.iter().any(is_older) {
            latest.push(row);
        }
    }
    latest
}

/// One more session that says the same, and one that says more.
fn more() -> Vec<Session> {
    let mut sessions = needs("make db-up", "make itest");
    sessions.push(
        session("s21")
            .by("dora")
            .prompt("Run the integration tests")
            .fails("make itest")
            .ok("make db-up")
            .ok("make itest")
            .response("fine")
            .build(),
    );
    sessions
}

#[tokio::test(flavor = "multi_thread")]
async fn a_skill_is_a_row_that_a_client_can_install() {
    let standin = StandIn::start(Faults { staleness: Duration::from_millis(40), ..Faults::default() }).await;
    let report = publish(&standin, &needs("make db-up", "make itest")).await;
    assert_eq!(report.named(Change::Created), [NAME]);
    standin.settle();
    let rows = pulled(&standin);
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    let text = |name: &str| row[name].as_str().unwrap();
    assert_eq!((text("name"), &row["version"]), (NAME, &json!(1)));
    assert_eq!(
        (text("author"), text("source_agent"), text("scope"), text("install")),
        ("skillspan", "skillspan", "team", "global")
    );
    assert_eq!(text("project"), "shop");
    assert!(
        text("project_key").len() == 16 && text("project_key").bytes().all(|byte| byte.is_ascii_hexdigit())
    );
    assert_eq!(text("source_sessions"), r#"["s01","s02","s03"]"#);
    assert_eq!(text("contributors"), r#"["alice","bob","carol"]"#);
    assert!(
        text("description").starts_with("If `make itest` fails, run `make db-up`. Use before"),
        "{}",
        text("description")
    );
    assert_eq!(text("trigger_text"), "Use before running tests and when `make itest` fails.");
    let body = text("body");
    assert!(body.starts_with("# ") && !body.contains("---"), "{body}");
    assert!(body.contains("## Lessons\n1. If `make itest` fails, run `make db-up`.\n"), "{body}");
    assert!(!body.contains("references/evidence.md"), "there is no such file in a row: {body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_says_nothing_new_writes_no_row_also_from_an_empty_disk() {
    let standin = StandIn::start(Faults::default()).await;
    publish(&standin, &needs("make db-up", "make itest")).await;
    let (skills, steps) = (standin.rows("skills"), standin.rows("skillspan_library").len());
    assert_eq!(steps, 2, "what is about to be, and what is");
    let report = publish(&standin, &more()).await;
    assert_eq!(report.named(Change::Unchanged), [NAME]);
    assert_eq!(standin.rows("skills"), skills);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_is_a_destination_as_all_are() {
    let standin = StandIn::start(Faults::default()).await;
    let config = config(&standin);
    tokio::task::spawn_blocking(move || conforms(|| Skills::new(config.clone()))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_writes_nothing_and_tells_what_would_be_written() {
    let standin = StandIn::start(Faults::default()).await;
    let (skills, update) =
        (Skills::new(config(&standin)), update(&mined(&needs("make db-up", "make itest"))));
    let report = tokio::task::spawn_blocking(move || skills.plan(&update)).await.unwrap().unwrap();
    assert_eq!(report.named(Change::Created), [NAME]);
    assert!(report.diff.contains(&format!("+++ b/skills/{NAME}/SKILL.md")));
    assert!(standin.rows("skills").is_empty() && standin.rows("skillspan_library").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_somebody_else_wrote_stays() {
    let standin = StandIn::start(Faults::default()).await;
    publish(&standin, &needs("make db-up", "make itest")).await;
    let row = pulled(&standin).remove(0);
    let key = row["project_key"].as_str().unwrap();
    standin.execute(&format!(
        "INSERT INTO \"skills\" (id, name, project_key, version, source_agent, description, body) SELECT 'x', '{NAME}', \
         '{key}', 2, 'claude_code', 'Better.', '# Better' WHERE NOT EXISTS (SELECT 1 FROM \"skills\" WHERE id = 'x')"
    ));
    // Another skill of somebody else, which is none of ours.
    standin.execute(
        "INSERT INTO \"skills\" (id, name, project_key, version, source_agent, description, body) SELECT 'y', 'other', \
         'abcd', 1, 'codex', 'Other.', '# Other' WHERE NOT EXISTS (SELECT 1 FROM \"skills\" WHERE id = 'y')",
    );
    let report = publish(&standin, &needs("make db-up", "make itest")).await;
    assert_eq!(report.named(Change::Created), Vec::<&str>::new());
    assert_eq!(standin.rows("skills").len(), 3);
    let latest = pulled(&standin).into_iter().find(|row| row["name"] == NAME).unwrap();
    assert_eq!(latest["body"], "# Better");
}

/// What a run finds so many days later, if nobody does the work any more.
async fn publish_nothing_new(standin: &StandIn, days: u64) -> Report {
    let findings = Findings::from(&mined(&needs("make db-up", "make itest")));
    let as_of = findings.as_of.saturating_add(Duration::from_secs(days * 86_400));
    let update = Update::Findings(vec![Findings { as_of, candidates: Vec::new(), ..findings }]);
    let skills = Skills::new(config(standin));
    tokio::task::spawn_blocking(move || skills.publish(&update)).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retired_skill_says_so_in_its_last_version_and_comes_back_at_a_persons_word() {
    let standin = StandIn::start(Faults::default()).await;
    publish(&standin, &needs("make db-up", "make itest")).await;
    let description = pulled(&standin)[0]["description"].clone();
    assert_eq!(publish_nothing_new(&standin, 400).await.named(Change::Retiring), [NAME]);
    let retired = pulled(&standin);
    assert_eq!((retired.len(), &retired[0]["version"]), (1, &json!(2)));
    assert!(retired[0]["description"].as_str().unwrap().starts_with("Retired: "), "{retired:?}");
    assert!(retired[0]["body"].as_str().unwrap().starts_with("# Retired: "), "{retired:?}");
    assert_eq!(retired[0]["trigger_text"], "");
    // A library's folder goes; a row stays, for it is all that clients see.
    assert_eq!(publish_nothing_new(&standin, 430).await.named(Change::Retired), [NAME]);
    assert_eq!(publish_nothing_new(&standin, 460).await.changed(), 0);
    assert_eq!(pulled(&standin), retired);
    decide(&standin, Decision::Restore).await;
    let restored = pulled(&standin).remove(0);
    assert_eq!((&restored["version"], &restored["description"]), (&json!(3), &description));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_were_lost_are_written_again() {
    let standin = StandIn::start(Faults::default()).await;
    publish(&standin, &needs("make db-up", "make itest")).await;
    let before = pulled(&standin);
    standin.drop_table("skills");
    publish(&standin, &needs("make db-up", "make itest")).await;
    let body = |rows: &[Row]| rows.iter().map(|row| row["body"].clone()).collect::<Vec<Value>>();
    assert_eq!(body(&pulled(&standin)), body(&before));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_that_publish_at_once_one_writes_and_every_fault_is_survived() {
    let rates =
        vec![("429", 0.05), ("500", 0.05), ("502-after-commit", 0.1), ("403-html", 0.03), ("cut", 0.05)];
    let faults = Faults { rates, staleness: Duration::from_millis(40), ..Faults::default() };
    let standin = StandIn::start(faults).await;
    let update = Arc::new(update(&mined(&needs("make db-up", "make itest"))));
    // Whoever goes on with what another one left waits for some of these.
    let mut config = config(&standin);
    config.service.timeout = Duration::from_millis(300);
    for _ in 0..6 {
        let publishers: Vec<_> = (0..3)
            .map(|_| {
                let (skills, update) = (Skills::new(config.clone()), Arc::clone(&update));
                tokio::task::spawn_blocking(move || skills.publish(&update))
            })
            .collect();
        for publisher in publishers {
            // Who gives up is called again by the outbox.
            let _ = publisher.await.unwrap();
        }
    }
    let rows = standin.rows("skills");
    assert_eq!(rows.len(), 1, "{rows:#?}");
}

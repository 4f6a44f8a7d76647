//! A skill outlives the sessions that showed it; what is remembered says when it was last seen.

use skillspan::exporters::Destination;
use skillspan::exporters::target::Update;
use skillspan::library::{Change, Findings};
use skillspan::table::Session;

use super::failing::found;
use super::golden::on;
use super::repository::{Bare, NAME, STATE, first};
use super::sessions::{mined, session};

/// A session of that day that has nothing to do with the skill.
fn unrelated(day: i64) -> Session {
    on(session(&format!("u{day}")).by("alice").prompt("say hello").ok("make hello").build(), day)
}

/// A session of that day that loads the skill.
fn uses(day: i64) -> Session {
    on(session(&format!("l{day}")).by("bob").prompt("run them").skill(NAME).ok("make itest").build(), day)
}

/// Publishes what a table of short retention still holds.
fn publish(bare: &Bare, sessions: &[Session]) -> Vec<String> {
    let report = bare.direct().publish(&found(sessions)).unwrap();
    report.named(Change::Retiring).into_iter().map(str::to_owned).collect()
}

#[test]
fn a_skill_whose_sessions_are_gone_stands_for_its_lifetime() {
    let bare = Bare::new();
    publish(&bare, &first());
    assert!(publish(&bare, &[unrelated(100)]).is_empty());
    assert_eq!(publish(&bare, &[unrelated(200)]), [NAME]);
}

#[test]
fn a_use_is_remembered_when_its_session_is_gone() {
    let bare = Bare::new();
    publish(&bare, &first());
    let commits = bare.commits("main");
    publish(&bare, &[uses(100)]);
    assert_eq!(bare.commits("main"), commits, "a date is no change of a skill");
    assert!(publish(&bare, &[unrelated(200)]).is_empty());
    assert!(publish(&bare, &[unrelated(270)]).is_empty());
    assert_eq!(publish(&bare, &[unrelated(290)]), [NAME]);
}

#[test]
fn work_that_was_done_again_is_remembered_when_its_session_is_gone() {
    let bare = Bare::new();
    publish(&bare, &first());
    let again = first().into_iter().enumerate().map(|(index, mut session)| {
        session.id = format!("again{index}");
        on(session, 100)
    });
    publish(&bare, &again.collect::<Vec<_>>());
    assert!(publish(&bare, &[unrelated(270)]).is_empty());
    assert_eq!(publish(&bare, &[unrelated(290)]), [NAME]);
}

#[test]
fn a_skill_in_daily_use_makes_a_commit_of_the_state_a_month_and_no_more() {
    let bare = Bare::new();
    publish(&bare, &first());
    let before = bare.commits(STATE);
    for day in 0..90 {
        publish(&bare, &[uses(day)]);
    }
    let commits = bare.commits(STATE) - before;
    assert!((2..=3).contains(&commits), "{commits}");
    assert_eq!(bare.commits("main"), 1);
}

#[test]
fn a_state_from_before_dates_were_remembered_is_read() {
    let bare = Bare::new();
    publish(&bare, &first());
    let ann = bare.person("ann");
    ann.pull(STATE);
    let state = super::older::as_lines(&ann.read("main/library.json"), 3);
    assert!(!state.contains("last_seen"));
    ann.write("main/library.json", &state);
    ann.commit_and_push(STATE, "As an older version wrote it");
    let before = (bare.tip("main"), bare.tip(STATE));
    let update = Update::Findings(vec![Findings::from(&mined(&[unrelated(1)]))]);
    bare.direct().publish(&update).unwrap();
    assert_eq!((bare.tip("main"), bare.tip(STATE)), before, "the format alone is no change");
}

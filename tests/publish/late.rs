//! Records of a session that arrive late: what was published before they came is put right.

use skillspan::event::Timestamp;
use skillspan::exporters::Destination as _;
use skillspan::exporters::target::Update;
use skillspan::library::{Episode, Findings, session_number};
use skillspan::table::Session;

use super::life::Target;
use super::sessions::{mined, session};

/// Sessions in which the test fails and is repaired; of `late` ones the failure has not arrived yet.
fn sessions(late: bool) -> Vec<Session> {
    let one = |number: i64| {
        let id = format!("session-{number:02}");
        let person = ["ann", "bob", "cleo"][usize::try_from(number % 3).unwrap()];
        let begun = session(&id).by(person).on(number % 9).prompt("check the orders");
        let begun = match late && number % 2 == 0 {
            true => begun,
            false => begun.fails("make itest"),
        };
        begun.ok("make db-up").ok("make itest").response("The orders are fine.").build()
    };
    (0..24).map(one).collect()
}

fn findings(sessions: &[Session], shown: &[Session]) -> Findings {
    let episode = |session: &Session| Episode {
        session: session_number(&session.tenant, &session.id),
        date: session.started_at.date(),
        ..Episode::default()
    };
    Findings { episodes: shown.iter().map(episode).collect(), ..Findings::from(&mined(sessions)) }
}

const WRONG: &str = "Run `make db-up` before `make itest`.";

/// Publishes what these sessions show, of which `whole` are still in the table, and says what assistants read.
fn publish(target: &Target, sessions: &[Session], whole: &[Session]) -> String {
    let found = Update::Findings(vec![findings(sessions, whole)]);
    target.exporter().publish(&found).unwrap();
    target.skills().iter().map(|path| target.read(path)).collect()
}

#[test]
fn a_line_goes_once_the_sessions_behind_it_show_something_else() {
    let target = Target::new();
    let early = publish(&target, &sessions(true), &sessions(true));
    assert!(early.contains(WRONG), "{early}");
    let whole = publish(&target, &sessions(false), &sessions(false));
    assert!(!whole.contains(WRONG), "{whole}");
    assert!(whole.contains("If `make itest` fails"), "what they show stays: {whole}");
    // It does not come back for the same sessions, should some of them look as before.
    assert!(!publish(&target, &sessions(true), &sessions(true)).contains(WRONG));
}

#[test]
fn a_line_stays_while_what_is_left_of_the_sessions_behind_it_shows_it() {
    let target = Target::new();
    let all = sessions(true);
    assert!(publish(&target, &all, &all).contains(WRONG));
    // Of those that show it, one in four is left: too few to prove it, and none of them says otherwise.
    let left: Vec<Session> = all.into_iter().step_by(4).collect();
    assert!(publish(&target, &left, &left).contains(WRONG));
    // None is left, and others prove nothing against it.
    let others: Vec<Session> = sessions(false).into_iter().skip(1).step_by(2).collect();
    assert!(publish(&target, &others, &others).contains(WRONG));
}

#[test]
fn newer_sessions_bring_a_line_back() {
    let target = Target::new();
    publish(&target, &sessions(true), &sessions(true));
    publish(&target, &sessions(false), &sessions(false));
    let later = |session: Session| {
        let days = 20 * 86_400_000_000;
        let after = |time: Timestamp| Timestamp::from_micros(time.as_micros() + days);
        let mut session = Session { id: format!("later-{}", session.id), ..session };
        (session.started_at, session.last_event_at) =
            (after(session.started_at), after(session.last_event_at));
        for fact in &mut session.facts {
            fact.event.timestamp = after(fact.event.timestamp);
            fact.event.session_id.clone_from(&session.id);
        }
        session
    };
    let all: Vec<Session> =
        sessions(false).into_iter().chain(sessions(true).into_iter().map(later)).collect();
    let said = publish(&target, &all, &all);
    assert!(said.contains(WRONG), "{said}");
}

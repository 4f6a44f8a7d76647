//! The same snapshot gives the same candidates.

use proptest::prelude::*;

use super::sessions::{mined, needs, one_offs, session};

fn snapshot() -> Vec<skillspan::table::Session> {
    let mut sessions = needs("make db-up", "make itest");
    sessions.extend(one_offs("make db-up", "make itest"));
    for (index, person) in ["alice", "bob", "carol", "dave"].into_iter().enumerate() {
        sessions.push(
            session(&format!("deploy{index}"))
                .by(person)
                .prompt("deploy staging")
                .ok("make image")
                .ok(&format!("./deploy.sh staging --tag v1.{index}.0"))
                .prompt("thanks")
                .build(),
        );
    }
    sessions
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_order_of_sessions_and_facts_gives_the_same_bytes(order in Just(snapshot()).prop_shuffle(), turn in 0..7_usize) {
        let expected = mined(&snapshot());
        let mut shuffled = order;
        for session in &mut shuffled {
            let length = session.facts.len().max(1);
            session.facts.rotate_left(turn % length);
        }
        let found = mined(&shuffled);
        prop_assert_eq!(format!("{found:?}"), format!("{expected:?}"));
        prop_assert_eq!(found.explain(), expected.explain());
    }
}

#[test]
fn an_added_session_changes_no_name() {
    let before = mined(&snapshot());
    let mut sessions = snapshot();
    sessions.push(session("later").by("erin").prompt("what is this?").ok("make docs").build());
    let names = |mined: &skillspan::skillify::Mined| -> Vec<String> {
        let published = mined.candidates.iter().filter(|candidate| candidate.is_published());
        published.map(|candidate| candidate.wording.name.clone()).collect()
    };
    assert_eq!(names(&mined(&sessions)), names(&before));
    assert_eq!(names(&before).len(), 2);
}

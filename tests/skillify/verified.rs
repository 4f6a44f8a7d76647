//! Who counts as a person where only those do whom a credential names.

use skillspan::skillify::{
    Classes, Config, Mined, Offline, PublishRule, Shortfall, Snapshot, Verified, mine,
};
use skillspan::table::Session;

use super::sessions::needs;

/// The sessions of alice, bob and carol of `acme`, mined where credentials name these people.
fn mined_where(named: &[(&str, &str)], only: bool) -> Mined {
    let publish = PublishRule { allow: Classes::EVERY, verified: only, ..PublishRule::default() };
    mined_by(&needs("make db-up", "make itest"), named, publish)
}

fn mined_by(sessions: &[Session], named: &[(&str, &str)], publish: PublishRule) -> Mined {
    let named: Verified =
        named.iter().map(|(tenant, person)| ((*tenant).to_owned(), (*person).to_owned())).collect();
    let config = Config { publish, verified: Some(&named), ..Config::default() };
    mine(&Snapshot { workspace: "shop", sessions }, &config, &Offline)
}

fn is_any_published(mined: &Mined) -> bool {
    mined.candidates.iter().any(skillspan::skillify::Candidate::is_published)
}

/// How many people were found where that is what skills lack.
fn found(mined: &Mined) -> Vec<usize> {
    let shortfalls = mined.candidates.iter().flat_map(|candidate| &candidate.shortfalls);
    let people = shortfalls.filter_map(|shortfall| match shortfall {
        Shortfall::People { found, .. } => Some(*found),
        _ => None,
    });
    people.collect()
}

const ALL: [(&str, &str); 3] = [("acme", "alice"), ("acme", "bob"), ("acme", "carol")];

#[test]
fn names_that_clients_assert_are_no_verified_people() {
    assert!(is_any_published(&mined_where(&[], false)), "the sessions suffice");
    for named in [&[][..], &[("acme", "dave")], &[("other", "alice"), ("other", "bob"), ("", "carol")]] {
        let mined = mined_where(named, true);
        assert!(!is_any_published(&mined), "{named:?}");
        let found = found(&mined);
        assert!(!found.is_empty() && found.iter().all(|found| *found == 0), "{named:?}: {found:?}");
    }
}

#[test]
fn one_verified_person_beside_asserted_ones_is_one() {
    let mined = mined_where(&ALL[..1], true);
    assert!(!is_any_published(&mined), "also where at most one person is known");
    assert!(found(&mined).contains(&1), "{:?}", found(&mined));
}

#[test]
fn two_verified_people_are_enough() {
    let mined = mined_where(&ALL, true);
    assert!(is_any_published(&mined));
    let evidence = mined.candidates.iter().flat_map(skillspan::skillify::Candidate::evidence);
    assert!(evidence.into_iter().all(|evidence| evidence.by_credential && !evidence.person.is_empty()));
}

#[test]
fn without_the_demand_everybody_counts_and_who_is_verified_is_known() {
    let mined = mined_where(&ALL[..1], false);
    assert!(is_any_published(&mined));
    let evidence = || mined.candidates.iter().flat_map(skillspan::skillify::Candidate::evidence);
    assert!(evidence().any(|evidence| evidence.by_credential));
    assert!(evidence().any(|evidence| !evidence.by_credential));
    assert!(evidence().all(|evidence| evidence.by_credential == (evidence.person == "alice")));
}

//! A workspace that takes more memory than mining may: its newest sessions are mined, and what older ones showed is
//! remembered.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use skillspan::event::SessionEvent;
use skillspan::service::digests::{Digests, Window, Windowed, Windows, forget};
use skillspan::skillify::{Config, Digest, Mined, Offline, Older, mine_digests};
use skillspan::table::{Session, Table};

use super::increments::{at_once, observations, opened, write};
use super::sessions::session;

type Found = BTreeMap<(String, String), Windowed>;

fn windows(folder: Option<&Path>, bytes: u64) -> Windows {
    Windows {
        window: Window { bytes, events: None, age: None },
        mining: Config::default(),
        verified: Arc::default(),
        folder: folder.map(|folder| folder.join("digests")),
    }
}

fn mined(found: &Found) -> Vec<Mined> {
    let of_one = |((_, workspace), windowed): (&(String, String), &Windowed)| {
        let older = windowed.older.as_ref().map(|older| &older.showed);
        let config = Config { older, ..Config::default() };
        mine_digests(workspace, &windowed.digests, &config).worded(&Offline)
    };
    found.iter().map(of_one).collect()
}

async fn read(digests: &mut Digests, table: &Table, how: &Windows) -> Found {
    digests.windows(table, |_| true, how).await.unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// The largest workspace's bytes.
fn largest(digests: &Digests) -> u64 {
    digests.sizes().into_values().max().unwrap()
}

/// What a window of each size comes to, of a table that was written and read at once.
fn expected(share: u64) -> (Vec<Mined>, u64) {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let table = Table::open(&folder.path().join("table")).unwrap();
        write(&table, 0, observations()).await;
        let mut digests = opened(folder.path()).await;
        digests.update(&table).await.unwrap();
        let bytes = largest(&digests) / share;
        let found = read(&mut digests, &table, &windows(None, bytes)).await;
        assert!(found.values().any(|windowed| windowed.older.is_some()));
        (mined(&found), bytes)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn any_arrival_gives_the_same_window_and_the_same_memories(
        order in Just(observations()).prop_shuffle(),
        cuts in prop::collection::btree_set(1..100_usize, 0..4),
        looks in prop::collection::vec(any::<bool>(), 5),
        restarts in prop::collection::vec(any::<bool>(), 5),
        share in prop_oneof![Just(2_u64), Just(3), Just(5)],
    ) {
        let (expected, bytes) = expected(share);
        block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let table = Table::open(&folder.path().join("table")).unwrap();
            let mut digests = opened(folder.path()).await;
            let (how, all) = (windows(Some(folder.path()), bytes), windows(Some(folder.path()), u64::MAX));
            let mut left = order.clone();
            for (file, cut) in cuts.iter().rev().chain(&[0]).enumerate() {
                let new = left.split_off((*cut).min(left.len()));
                write(&table, file, new).await;
                if looks[file] {
                    digests.update(&table).await.unwrap();
                    // What is kept of blocks now must not show later.
                    let _ = read(&mut digests, &table, &how).await;
                }
                if restarts[file] {
                    drop(digests);
                    digests = opened(folder.path()).await;
                }
            }
            digests.update(&table).await.unwrap();
            for again in [false, true] {
                let found = read(&mut digests, &table, &how).await;
                prop_assert_eq!(format!("{:?}", mined(&found)), format!("{expected:?}"), "again: {}", again);
            }
            let whole = read(&mut digests, &table, &all).await;
            prop_assert!(whole.values().all(|windowed| windowed.older.is_none()));
            prop_assert_eq!(format!("{:?}", mined(&whole)), format!("{:?}", at_once(order)), "where all fits");
            Ok(())
        })?;
    }
}

/// Days of work: on each of them two people repair one failure, on the last days another one.
fn days(count: i64) -> Vec<Session> {
    let of_day = |day: i64| {
        let (fails, repair) =
            if day < count / 2 { ("make itest", "make db-up") } else { ("make e2e", "make cache-up") };
        ["alice", "bob"].map(|person| {
            let id = format!("{person}-{day:03}");
            let session = session(&id).by(person).on(day).prompt("Run the integration tests please");
            session.fails(fails).ok(repair).ok(fails).response("Done.").build()
        })
    };
    (0..count).flat_map(of_day).collect()
}

fn digests_of(sessions: &[Session]) -> Vec<Digest> {
    sessions.iter().map(Digest::of).collect()
}

/// The claims that are published, with how many sessions show each.
fn published(mined: &Mined) -> BTreeMap<String, u32> {
    let candidates = mined.candidates.iter().filter(|candidate| candidate.is_published());
    let claims = candidates.flat_map(|candidate| &candidate.claims);
    claims.map(|claim| (claim.claim.to_string(), claim.counts.treated_with)).collect()
}

#[test]
fn what_older_sessions_showed_stands_with_its_counts() {
    let sessions = days(12);
    let (older, newer) = sessions.split_at(14);
    let (older, newer) = (digests_of(older), digests_of(newer));
    let repair = |fails: &str, repair: &str| format!("if `{fails}` fails, run `{repair}`");
    let alone = mine_digests("shop", &newer, &Config::default()).worded(&Offline);
    assert_eq!(published(&alone).get(&repair("make itest", "make db-up")), None, "the window never saw it");

    let showed = Older::of("shop", &older[..8], &Config::default()).followed_by(Older::of(
        "shop",
        &older[8..],
        &Config::default(),
    ));
    let config = Config { older: Some(&showed), ..Config::default() };
    let mined = mine_digests("shop", &newer, &config).worded(&Offline);
    let found = published(&mined);
    assert_eq!(found.get(&repair("make itest", "make db-up")), Some(&12), "{found:?}");
    assert_eq!(found.get(&repair("make e2e", "make cache-up")), Some(&12), "of both: {found:?}");
    assert_eq!(mined.older, 14);
    assert!(mined.explain()[1].contains("14 older sessions"), "{:?}", mined.explain());
}

#[test]
fn people_of_older_sessions_are_known() {
    let one = |person: &str, day: i64| {
        let session = session(&format!("{person}-{day}")).by(person).on(day).prompt("Run the tests please");
        session.fails("make itest").ok("make db-up").ok("make itest").response("Done.").build()
    };
    let newer = digests_of(&(10..14).map(|day| one("alice", day)).collect::<Vec<_>>());
    let claim = "if `make itest` fails, run `make db-up`";
    let alone = mine_digests("shop", &newer, &Config::default()).worded(&Offline);
    assert!(published(&alone).contains_key(claim), "who is alone is enough");
    let with = |older: &[Session]| {
        let showed = Older::of("shop", &digests_of(older), &Config::default());
        let config = Config { older: Some(&showed), ..Config::default() };
        published(&mine_digests("shop", &newer, &config).worded(&Offline))
    };
    let found = with(&[one("bob", 1)]);
    assert_eq!(found.get(claim), None, "of two people one does it: {found:?}");
    let found = with(&[one("bob", 1), one("bob", 2)]);
    assert_eq!(found.get(claim), Some(&6), "bob does it too: {found:?}");
}

async fn written(folder: &Path, sessions: &[Session]) -> (Table, Digests) {
    let table = Table::open(&folder.join("table")).unwrap();
    write(&table, 0, events(sessions)).await;
    let mut digests = opened(folder).await;
    digests.update(&table).await.unwrap();
    (table, digests)
}

fn events(sessions: &[Session]) -> Vec<SessionEvent> {
    let of_one = |session: &Session| -> Vec<SessionEvent> {
        let stamped = session.facts.iter().map(|fact| SessionEvent {
            ingested_at: fact.event.timestamp,
            tenant: session.tenant.clone(),
            workspace: session.workspace.clone(),
            project: session.project.clone(),
            user_id: session.user_id.clone(),
            assistant: session.assistant.clone(),
            ..fact.event.clone()
        });
        stamped.collect()
    };
    sessions.iter().flat_map(of_one).collect()
}

/// The files that keep what blocks showed, with their bytes.
fn blocks(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(folder.join("digests")).unwrap().map(|entry| entry.unwrap());
    let files = files.map(|file| (file.file_name().into_string().unwrap(), file.path()));
    let blocks = files.filter(|(name, _)| name.starts_with("lessons-") && name.matches('-').count() == 2);
    blocks.map(|(name, path)| (name, std::fs::read(path).unwrap())).collect()
}

#[tokio::test]
async fn a_window_takes_no_more_than_it_may_and_blocks_stay_when_something_new_comes() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = days(60);
    let (first, last) = sessions.split_at(118);
    let (table, mut digests) = written(folder.path(), first).await;
    let (all, each) = (largest(&digests), largest(&digests) / 118);
    let how = windows(Some(folder.path()), all / 3);
    let found = read(&mut digests, &table, &how).await;
    let windowed = found.values().next().unwrap();
    let taken = windowed.digests.len() as u64 * each;
    assert!(taken <= all / 3 + 2 * each && taken > all / 6, "{taken} of {}", all / 3);
    let older = windowed.older.as_ref().unwrap();
    assert_eq!(older.showed.sessions() + windowed.digests.len(), 118);
    assert!(windowed.digests.iter().all(|digest| digest.last_event_at >= older.since));
    let before = blocks(folder.path());
    assert!(before.len() > 4, "{}", before.len());

    write(&table, 1, events(last)).await;
    digests.update(&table).await.unwrap();
    let _ = read(&mut digests, &table, &how).await;
    let after = blocks(folder.path());
    let new = after.iter().filter(|(name, bytes)| before.get(*name) != Some(bytes)).count();
    assert!(new <= 1, "at most the block that is no longer of the window: {new} of {}", after.len());

    // What is kept is what is taken; what is damaged is made again.
    let expected = mined(&read(&mut digests, &table, &how).await);
    for (name, mut bytes) in after {
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(folder.path().join("digests").join(name), bytes).unwrap();
    }
    assert_eq!(mined(&read(&mut digests, &table, &how).await), expected);
    forget(&folder.path().join("digests")).unwrap();
    assert!(blocks(folder.path()).is_empty(), "an erasure takes them with it");
}

#[tokio::test]
async fn sessions_past_their_retention_leave_other_blocks_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = days(60);
    let (_, mut digests) = written(folder.path(), &sessions).await;
    let table = Table::open(&folder.path().join("table")).unwrap();
    let how = windows(Some(folder.path()), largest(&digests) / 3);
    let _ = read(&mut digests, &table, &how).await;
    let before = blocks(folder.path());
    let other = tempfile::tempdir().unwrap();
    // The same table without the sessions of the first days.
    let (table, mut digests) = written(other.path(), &sessions[6..]).await;
    let how = Windows { folder: Some(other.path().join("digests")), ..how };
    let _ = read(&mut digests, &table, &how).await;
    let after = blocks(other.path());
    let same = after.keys().filter(|name| before.contains_key(*name)).count();
    assert!(same + 3 >= before.len(), "{same} of {} are the same", before.len());
}

#[tokio::test]
async fn a_window_is_as_long_as_the_configuration_says() {
    let folder = tempfile::tempdir().unwrap();
    let (table, mut digests) = written(folder.path(), &days(60)).await;
    let how = windows(None, u64::MAX);
    let all = read(&mut digests, &table, &how).await.values().next().unwrap().clone();
    assert_eq!((all.digests.len(), all.older.is_some()), (120, false));
    let per_session = days(1)[0].facts.len() as u64;
    let window = Window { events: Some(40 * per_session), ..how.window };
    let by_events = read(&mut digests, &table, &Windows { window, ..how.clone() }).await;
    let taken = by_events.values().next().unwrap().digests.len();
    assert!((30..=40).contains(&taken), "{taken} sessions");
    let window = Window { age: Some(Duration::from_secs(20 * 86_400)), ..how.window };
    let by_age = read(&mut digests, &table, &Windows { window, ..how.clone() }).await;
    let windowed = by_age.values().next().unwrap();
    assert!((40..=52).contains(&windowed.digests.len()), "{}", windowed.digests.len());
    let window = Window { age: Some(Duration::from_secs(100 * 86_400)), ..how.window };
    let all = read(&mut digests, &table, &Windows { window, ..how }).await;
    assert!(all.values().next().unwrap().older.is_none(), "all of it is as new");
}

//! Digests follow a table: whatever arrives in whatever order, the result is that of a full run.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use skillspan::event::{Kind, Owner, SessionEvent, Status, Timestamp};
use skillspan::service::digests::{Digests, forget};
use skillspan::service::mining::{mine_what_is_new, parts};
use skillspan::service::wording::Job;
use skillspan::skillify::{Config, DIGEST_VERSION, Digest, Mined, Offline, Snapshot, mine, mine_digests};
use skillspan::table::upkeep::Subject;
use skillspan::table::{FileIdentity, Filter, Location, ResolveOptions, Session, Table, resolve};

use super::sessions::{needs, one_offs, session};

const DATE: &str = "2026-11-22";

/// Observations of sessions with an id, of traces without one, of a conversation that goes on in
/// another trace, and of nothing that ties them.
pub(super) fn observations() -> Vec<SessionEvent> {
    let mut sessions = needs("make db-up", "make itest");
    sessions.extend(one_offs("make db-up", "make itest"));
    // Of each four, two come in one piece: so many of both that three show it.
    let people = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];
    sessions.extend(people.map(elsewhere));
    sessions.extend(people.into_iter().take(4).map(here));
    let mut events: Vec<SessionEvent> = Vec::new();
    for (number, session) in sessions.into_iter().enumerate() {
        let Session { workspace, project, user_id, assistant, tenant, .. } = session;
        let facts = session.facts.len();
        for (place, fact) in session.facts.into_iter().enumerate() {
            let half = place * 2 / facts.max(1);
            let mut event = SessionEvent {
                ingested_at: fact.event.timestamp,
                tenant: tenant.clone(),
                workspace: workspace.clone(),
                project: project.clone(),
                user_id: user_id.clone(),
                assistant: assistant.clone(),
                trace_id: format!("{number:030x}{half:02x}"),
                ..fact.event
            };
            match number % 4 {
                // Half of the rows carry the id, the others only the trace.
                0 if place % 2 == 1 => event.session_id.clear(),
                1 => event.session_id.clear(),
                2 => continue_conversation(&mut event, number, half),
                _ => {}
            }
            events.push(event);
        }
    }
    for number in 0..3 {
        events.push(SessionEvent {
            event_id: format!("alone-{number}"),
            kind: Kind::Response,
            timestamp: Timestamp::from_micros(1_795_000_000_000_000),
            ingested_at: Timestamp::from_micros(1_795_000_000_000_000),
            tenant: "acme".into(),
            workspace: "shop".into(),
            ..SessionEvent::default()
        });
    }
    events
}

/// A session that shows the same as [`needs`].
fn here(person: &str) -> Session {
    let session = session(&format!("shop-{person}")).by(person).prompt("Run the integration tests please");
    session.fails("make itest").ok("make db-up").ok("make itest").response("Done.").build()
}

/// A session of an agent with tools of its own, in another workspace.
fn elsewhere(person: &str) -> Session {
    let session = session(&format!("web-{person}")).by(person).assistant("").prompt("Check the shop window");
    let session = session
        .tool("run_tests", "{}", Status::Error, "connection refused")
        .tool("execute_command", r#"{"command":"make cache-up"}"#, Status::Ok, "")
        .tool("run_tests", "{}", Status::Error, "relation does not exist")
        .tool("execute_command", r#"{"command":"make cache-fill -j4"}"#, Status::Ok, "")
        .tool("run_tests", "{}", Status::Ok, "")
        .build();
    Session { workspace: "web".into(), ..session }
}

/// The observations in two parts.
pub(super) fn halves() -> (Vec<SessionEvent>, Vec<SessionEvent>) {
    let mut first = observations();
    let second = first.split_off(first.len() / 2);
    (first, second)
}

fn continue_conversation(event: &mut SessionEvent, number: usize, half: usize) {
    event.session_id.clear();
    event.history_after = format!("h{number}-{half}");
    if half == 1 && event.kind == Kind::Prompt {
        event.history_before = format!("h{number}-0");
    }
}

pub(super) async fn write(table: &Table, file: usize, events: Vec<SessionEvent>) {
    let identity = FileIdentity {
        owner: Owner { tenant: "acme".into(), workspace: "default".into() },
        ingest_date: DATE.into(),
        journal_id: "journal".into(),
        batch_id: format!("batch-{file}"),
        first: 100 * file as u64,
        last: 100 * file as u64 + 99,
        part: 0,
    };
    let _ = table.write(&identity, events).await.unwrap();
}

fn options() -> ResolveOptions {
    ResolveOptions { default_workspace: "default".into() }
}

/// Mined from all observations at once.
pub(super) fn at_once(events: Vec<SessionEvent>) -> Vec<Mined> {
    let sessions = resolve(events, &options());
    let mut places: std::collections::BTreeMap<String, Vec<Session>> = std::collections::BTreeMap::new();
    for session in sessions {
        places.entry(session.workspace.clone()).or_default().push(session);
    }
    let mined = places
        .iter()
        .map(|(workspace, sessions)| mine(&Snapshot { workspace, sessions }, &Config::default(), &Offline));
    mined.collect()
}

pub(super) fn from_digests(digests: &Digests) -> Vec<Mined> {
    let places = digests.places().unwrap();
    let mined = places.iter().map(|((_, workspace), digests)| {
        mine_digests(workspace, digests, &Config::default()).worded(&Offline)
    });
    mined.collect()
}

/// The same, each workspace read by itself, as mining does where no two fit the memory.
pub(super) async fn one_by_one(digests: &mut Digests, table: &Table) -> Vec<Mined> {
    let mut mined = Vec::new();
    for part in parts(digests.sizes().into_iter().collect(), 1, |(_, bytes)| *bytes) {
        let places: BTreeSet<_> = part.into_iter().map(|(place, _)| place).collect();
        assert_eq!(places.len(), 1);
        let read = digests.workspaces(table, move |place| places.contains(place)).await.unwrap();
        let of_one = |((_, workspace), digests): (&(String, String), &Vec<Arc<Digest>>)| {
            mine_digests(workspace, digests, &Config::default()).worded(&Offline)
        };
        mined.extend(read.iter().map(of_one));
    }
    mined
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub(super) async fn opened(folder: &Path) -> Digests {
    let table = Location::Folder(folder.join("table"));
    Digests::open(&folder.join("digests"), &table, "default").await
}

/// The file that keeps digests, if there is one.
pub(super) fn file(folder: &Path) -> Option<std::path::PathBuf> {
    let mut files = std::fs::read_dir(folder.join("digests")).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|ending| ending == "log"))
}

/// Its bytes, what is text in them as it is.
pub(super) fn kept(folder: &Path) -> Option<String> {
    file(folder).map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned())
}

/// Whether every workspace does.
fn shows_a_published_skill(mined: &[Mined]) -> bool {
    mined.iter().all(|mined| mined.candidates.iter().any(|candidate| candidate.is_published()))
}

#[test]
fn the_observations_show_a_skill_only_together() {
    let all = at_once(observations());
    let explained: Vec<String> = all.iter().flat_map(Mined::explain).collect();
    assert!(shows_a_published_skill(&all), "{explained:#?}");
    assert!(!shows_a_published_skill(&at_once(observations().into_iter().take(12).collect())));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_arrival_in_any_increments_gives_the_result_of_a_full_run(
        order in Just(observations()).prop_shuffle(),
        cuts in prop::collection::btree_set(1..100_usize, 0..5),
        looks in prop::collection::vec(any::<bool>(), 6),
        restarts in prop::collection::vec(any::<bool>(), 6),
        compacted in any::<bool>(),
        // Of the table's files, so many bytes at a time: one file, a few, all.
        part in prop_oneof![Just(1), Just(20_000), Just(u64::MAX)],
        // When so many bytes stand in the log, they become a run.
        sealed in prop_oneof![Just(1), Just(4_000), Just(u64::MAX)],
    ) {
        block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let table = Table::open(&folder.path().join("table")).unwrap();
            let mut digests = opened(folder.path()).await.in_parts_of(part).sealed_at(sealed);
            let mut left = order.clone();
            for (file, cut) in cuts.iter().rev().chain(&[0]).enumerate() {
                let new = left.split_off((*cut).min(left.len()));
                // A client's retry: rows that are stored twice.
                let again = left.iter().take(2).cloned();
                write(&table, file, new.into_iter().chain(again).collect()).await;
                if looks[file] {
                    digests.update(&table).await.unwrap();
                }
                if restarts[file] {
                    drop(digests);
                    digests = opened(folder.path()).await.in_parts_of(part).sealed_at(sealed);
                }
                if compacted && file == 1 {
                    let now = Timestamp::parse_rfc3339("2026-12-22T00:00:00Z").unwrap();
                    let _ = table.compact(now).await.unwrap();
                }
            }
            digests.update(&table).await.unwrap();
            let expected = at_once(order);
            prop_assert_eq!(format!("{:?}", from_digests(&digests)), format!("{expected:?}"));
            prop_assert_eq!(
                format!("{:?}", one_by_one(&mut digests, &table).await),
                format!("{expected:?}"),
                "workspaces that are read one by one",
            );
            drop(digests);
            let again = opened(folder.path()).await;
            prop_assert_eq!(format!("{:?}", from_digests(&again)), format!("{expected:?}"));
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_run_after_a_restart_reads_only_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open(&folder.path().join("table")).unwrap();
    let mut events = observations();
    // The last session's rows come later.
    let late = events.split_off(events.len() - 10);
    write(&table, 0, events.clone()).await;
    let mut first = opened(folder.path()).await;
    first.update(&table).await.unwrap();
    let all = table.bytes_read();
    drop(first);
    let mut second = opened(folder.path()).await;
    second.update(&table).await.unwrap();
    assert_eq!(table.bytes_read(), all, "nothing is new, so nothing is read");
    write(&table, 1, late.clone()).await;
    second.update(&table).await.unwrap();
    assert!(table.bytes_read() > all);
    events.extend(late);
    assert_eq!(from_digests(&second), at_once(events));
}

#[tokio::test]
async fn what_is_erased_leaves_the_digests_with_the_next_look() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open(&folder.path().join("table")).unwrap();
    write(&table, 0, observations()).await;
    let mut digests = opened(folder.path()).await;
    digests.update(&table).await.unwrap();
    let user = Subject::User("dave".into());
    let erased = table.erase(&user, None, Timestamp::parse_rfc3339("2026-12-01T00:00:00Z").unwrap()).await;
    assert!(!erased.unwrap().sessions.is_empty());
    assert!(kept(folder.path()).unwrap().contains("dave"));
    digests.update(&table).await.unwrap();
    assert!(!kept(folder.path()).unwrap().contains("dave"));
    let left = table.scan(&Filter::default()).await.unwrap().events;
    assert_eq!(from_digests(&digests), at_once(left));
}

#[tokio::test]
async fn a_session_that_is_erased_is_made_anew_alone() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open(&folder.path().join("table")).unwrap();
    write(&table, 0, observations()).await;
    let mut digests = opened(folder.path()).await;
    digests.update(&table).await.unwrap();
    let before = digests.groups();
    let session = Subject::Session("s01".into());
    let erased = table.erase(&session, None, Timestamp::parse_rfc3339("2026-12-01T00:00:00Z").unwrap()).await;
    assert_eq!(erased.unwrap().sessions.len(), 1);
    digests.update(&table).await.unwrap();
    assert!(!kept(folder.path()).unwrap().contains("s01-0"));
    let left = table.scan(&Filter::default()).await.unwrap().events;
    assert_eq!(from_digests(&digests), at_once(left));
    let after = digests.groups();
    assert_eq!(before.difference(&after).count(), 1);
    assert!(after.is_subset(&before), "all others are as they were");
    drop(digests);
    assert_eq!(from_digests(&opened(folder.path()).await).len(), 2);
}

#[tokio::test]
async fn sessions_past_their_retention_leave_the_digests() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open(&folder.path().join("table")).unwrap();
    let mut events = observations();
    for event in &mut events {
        event.ingested_at = Timestamp::from_micros(1_000_000_000_000_000);
    }
    let identity = FileIdentity {
        owner: Owner::default(),
        ingest_date: Timestamp::from_micros(1_000_000_000_000_000).date(),
        journal_id: "journal".into(),
        batch_id: "old".into(),
        first: 1,
        last: 1,
        part: 0,
    };
    let _ = table.write(&identity, events).await.unwrap();
    let mut digests = opened(folder.path()).await;
    digests.update(&table).await.unwrap();
    assert!(!digests.places().unwrap().is_empty());
    let table = table.with_retention(Some(std::time::Duration::from_secs(86_400)));
    digests.update(&table).await.unwrap();
    assert!(digests.places().unwrap().is_empty());
}

/// What every workspace comes to, with what is kept beside the digests.
async fn mined(folder: &Path, digests: &Digests) -> Vec<Mined> {
    let job = |(place, digests)| Job {
        place,
        digests,
        older: None,
        sessions: Arc::default(),
        vectors: None,
        verified: Arc::default(),
    };
    let jobs: Vec<Job> = digests.places().unwrap().into_iter().map(job).collect();
    let found = mine_what_is_new(&jobs, Config::default(), Some(&folder.join("digests"))).await.unwrap();
    found.into_iter().map(|found| found.mined).collect()
}

/// The files that keep what was mined.
fn lessons(folder: &Path) -> Vec<std::path::PathBuf> {
    let files = std::fs::read_dir(folder.join("digests")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("lessons-")).collect()
}

#[tokio::test]
async fn what_was_mined_is_taken_as_it_is_kept_until_something_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open(&folder.path().join("table")).unwrap();
    let (first, second) = halves();
    write(&table, 0, first.clone()).await;
    let mut digests = opened(folder.path()).await;
    digests.update(&table).await.unwrap();
    let whole = at_once(first);
    assert_eq!(mined(folder.path(), &digests).await, whole);
    assert_eq!(lessons(folder.path()).len(), whole.len());
    assert_eq!(mined(folder.path(), &digests).await, whole, "as kept");

    // What stands in the files is believed, so nothing was mined.
    for path in lessons(folder.path()) {
        let text = std::fs::read_to_string(&path).unwrap();
        let [key, _, json] = text.splitn(3, '\n').collect::<Vec<_>>()[..] else { panic!("{text}") };
        let json = json.replacen("\"segments\":", "\"segments\":77", 1);
        let checksum = crc32c::crc32c(json.as_bytes());
        std::fs::write(&path, format!("{key}\n{checksum:08x}\n{json}")).unwrap();
    }
    let told: Vec<usize> = mined(folder.path(), &digests).await.iter().map(|mined| mined.segments).collect();
    let written: Vec<usize> =
        whole.iter().map(|mined| format!("77{}", mined.segments).parse().unwrap()).collect();
    assert_eq!(told, written);

    // What is damaged is not.
    for path in lessons(folder.path()) {
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, bytes).unwrap();
    }
    assert_eq!(mined(folder.path(), &digests).await, whole);

    write(&table, 1, second).await;
    digests.update(&table).await.unwrap();
    assert_eq!(mined(folder.path(), &digests).await, at_once(observations()));
}

#[tokio::test]
async fn what_was_mined_goes_with_the_digests_and_is_not_kept_behind_an_erasure() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open(&folder.path().join("table")).unwrap();
    write(&table, 0, observations()).await;
    let mut digests = opened(folder.path()).await;
    digests.update(&table).await.unwrap();
    let whole = mined(folder.path(), &digests).await;
    assert!(!lessons(folder.path()).is_empty());
    forget(&folder.path().join("digests")).unwrap();
    assert!(lessons(folder.path()).is_empty());
    assert_eq!(mined(folder.path(), &digests).await, whole, "of what this process still has");
    assert!(lessons(folder.path()).is_empty(), "whoever forgot the digests finds nothing later");

    let mut digests = opened(&folder.path().join("other")).await;
    digests.update(&table).await.unwrap();
    let _ = mined(&folder.path().join("other"), &digests).await;
    assert!(!lessons(&folder.path().join("other")).is_empty());
    let user = Subject::User("dave".into());
    let _ =
        table.erase(&user, None, Timestamp::parse_rfc3339("2026-12-01T00:00:00Z").unwrap()).await.unwrap();
    digests.update(&table).await.unwrap();
    assert!(lessons(&folder.path().join("other")).is_empty(), "the next look removes them");
}

/// Raise `DIGEST_VERSION` together with this hash: digests that older programs kept are then made anew.
#[test]
fn a_digest_that_is_made_differently_has_another_version() {
    let sessions = resolve(observations(), &options());
    let digests: Vec<Digest> = sessions.iter().map(Digest::of).collect();
    let text = serde_json::to_string(&digests).unwrap();
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    assert_eq!((DIGEST_VERSION, format!("{hash:016x}")), (22, "7db9afa54c090646".to_owned()));
    let again: Vec<Digest> = serde_json::from_str(&text).unwrap();
    assert_eq!(again, digests, "nothing is lost on the way");
    for private in ["Run the integration tests", "tell me if they pass", "connection refused on 127"] {
        assert!(!text.contains(private), "{private}");
    }
}

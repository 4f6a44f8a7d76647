//! One suite for every store: the same files, the same contents, whatever the store does in between.
//!
//! Stores that are not of this process are asked by hand (`tests/live/stores.md`): with
//! `SKILLSPAN_TEST_AZURE=<container>` or `SKILLSPAN_TEST_GCS=<bucket>`, made already, the suite runs on
//! these too, with the credentials that `az://` and `gs://` tables have.

use std::sync::Arc;

use axum::http::Method;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt};
use skillspan::event::{Kind, Owner, SessionEvent};
use skillspan::table::{FileIdentity, Filter, OpenError, ResolveOptions, Table, WriteError, Written};
use tempfile::TempDir;

use crate::events::{event, full_event, identity};
use crate::s3::{Fault, Server};

/// Every store under test, by name, with what keeps it alive.
struct Stores {
    _folder: TempDir,
    _server: Server,
    stores: Vec<(&'static str, Arc<dyn ObjectStore>)>,
}

async fn stores() -> Stores {
    let folder = TempDir::new().unwrap();
    let server = Server::start().await;
    let local = LocalFileSystem::new_with_prefix(folder.path()).unwrap().with_fsync(true);
    let s3 = server.client();
    let prefixed = PrefixStore::new(server.client(), "team/sessions");
    let google = PrefixStore::new(server.google_client(), "google");
    let mut stores: Vec<(&'static str, Arc<dyn ObjectStore>)> =
        vec![("folder", Arc::new(local)), ("s3", s3), ("s3 with a prefix", Arc::new(prefixed))];
    stores.push(("google's protocol", Arc::new(google)));
    stores.extend(by_hand());
    Stores { _folder: folder, _server: server, stores }
}

/// The stores that the environment names, each with a prefix of its own for every test.
fn by_hand() -> Vec<(&'static str, Arc<dyn ObjectStore>)> {
    let prefix = uuid::Uuid::new_v4().to_string();
    let mut stores: Vec<(&'static str, Arc<dyn ObjectStore>)> = Vec::new();
    if let Ok(container) = std::env::var("SKILLSPAN_TEST_AZURE") {
        let store = MicrosoftAzureBuilder::from_env().with_container_name(container).build().unwrap();
        stores.push(("azure", Arc::new(PrefixStore::new(store, prefix.as_str()))));
    }
    if let Ok(bucket) = std::env::var("SKILLSPAN_TEST_GCS") {
        let store = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket).build().unwrap();
        stores.push(("gcs", Arc::new(PrefixStore::new(store, prefix.as_str()))));
    }
    stores
}

async fn open(store: &Arc<dyn ObjectStore>) -> Table {
    Table::open_store(Arc::clone(store), "the test's store").await.unwrap()
}

fn part(part: u32) -> FileIdentity {
    FileIdentity { part, ..identity() }
}

fn session_row(id: &str, session: &str) -> SessionEvent {
    SessionEvent { session_id: session.into(), ..event(id, Kind::Prompt, 0) }
}

async fn all(table: &Table) -> Vec<SessionEvent> {
    let scan = table.scan(&Filter::default()).await.unwrap();
    assert!(scan.damaged.is_empty(), "{:?}", scan.damaged);
    scan.events
}

#[tokio::test]
async fn a_table_is_made_once_and_found_again() {
    for (name, store) in stores().await.stores {
        open(&store).await;
        open(&store).await;
        let manifest = store.get(&"table.json".into()).await.unwrap().bytes().await.unwrap();
        assert_eq!(manifest, "{\"format\":1}\n", "{name}");
        store.put(&"table.json".into(), "{\"format\":9}".into()).await.unwrap();
        let error = Table::open_store(Arc::clone(&store), name).await.unwrap_err();
        assert!(matches!(error, OpenError::NewerFormat { found: 9, .. }), "{name}: {error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[tokio::test]
async fn files_are_created_once_listed_pruned_and_read_whole_or_in_part() {
    let mut bytes = Vec::new();
    for (name, store) in stores().await.stores {
        let table = open(&store).await;
        for number in 0..5 {
            let rows = vec![session_row(&number.to_string(), &format!("s{number}"))];
            let written = table.write(&part(number), rows.clone()).await.unwrap();
            assert!(matches!(written, Written::Created { .. }), "{name}");
            assert_eq!(table.write(&part(number), rows).await.unwrap(), Written::AlreadyThere, "{name}");
        }
        let other = FileIdentity { batch_id: "other".into(), ..part(0) };
        let error = table.write(&other, vec![event("x", Kind::Prompt, 0)]).await.unwrap_err();
        assert!(matches!(error, WriteError::Foreign { .. }) && !error.is_transient(), "{name}: {error}");
        let hostile = Owner { tenant: "a b/%?&é".into(), workspace: "..".into() };
        let hostile = FileIdentity { owner: hostile.clone(), ..identity() };
        let _ = table.write(&hostile, vec![full_event("6")]).await.unwrap();

        assert_eq!(table.paths(&Filter::default()).await.unwrap().len(), 6, "{name}");
        assert_eq!(all(&table).await.len(), 6, "{name}");
        let of_owner = Filter { owner: Some(hostile.owner.clone()), since: None };
        let mut expected = [full_event("6")];
        hostile.owner.confine(&mut expected);
        assert_eq!(table.scan(&of_owner).await.unwrap().events, expected, "{name}");
        let options = ResolveOptions { default_workspace: "w".into() };
        let found = table.session("s3", &Filter::default(), &options).await.unwrap();
        assert_eq!(found.sessions[0].facts[0].event_ids, ["3"], "{name}");
        let file = store.get(&part(0).path().as_str().into()).await.unwrap().bytes().await.unwrap();
        bytes.push(file);
    }
    assert!(bytes.windows(2).all(|pair| pair[0] == pair[1]), "the same bytes on every store");
}

#[tokio::test]
async fn of_many_that_create_one_file_at_once_one_does() {
    for (name, store) in stores().await.stores {
        let table = open(&store).await;
        let writers = (0..8).map(|number| {
            let table = table.clone();
            let identity = FileIdentity { batch_id: number.to_string(), ..identity() };
            tokio::spawn(async move { table.write(&identity, vec![event("1", Kind::Prompt, 0)]).await })
        });
        let mut created = 0;
        for writer in writers.collect::<Vec<_>>() {
            match writer.await.unwrap() {
                Ok(_) => created += 1,
                Err(error) => assert!(matches!(error, WriteError::Foreign { .. }), "{name}: {error}"),
            }
        }
        assert_eq!(created, 1, "{name}");
    }
}

#[tokio::test]
async fn upkeep_does_the_same_on_every_store() {
    for (name, store) in stores().await.stores {
        crate::upkeep::life_of_a_table(name, open(&store).await).await;
    }
    // A table in a folder writes past its store, durably.
    let folder = TempDir::new().unwrap();
    crate::upkeep::life_of_a_table("a folder's table", Table::open(folder.path()).unwrap()).await;
}

#[tokio::test]
async fn a_store_that_fails_for_a_moment_is_asked_again() {
    let server = Server::start().await;
    let table = open(&server.client()).await;
    for faults in [[Fault::Refuse, Fault::SlowDown], [Fault::SlowDown, Fault::Refuse]] {
        server.meet(&Method::GET, &faults);
        server.meet(&Method::PUT, &faults);
        let _ = table.write(&identity(), vec![event("1", Kind::Prompt, 0)]).await.unwrap();
        server.meet(&Method::GET, &faults);
        assert_eq!(all(&table).await.len(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_lies_about_a_stored_file_makes_no_second_one() {
    for fault in [Fault::RefuseAfter, Fault::StallAfter] {
        let server = Server::start().await;
        let table = open(&server.impatient_client()).await;
        let rows = vec![event("1", Kind::Prompt, 0)];
        server.meet(&Method::PUT, &[fault]);
        let first = table.write(&identity(), rows.clone()).await;
        let settled = match first {
            // A stalled PUT is not repeated: it may have been stored.
            Err(error) => {
                assert!(error.is_transient() && fault == Fault::StallAfter, "{error}");
                table.write(&identity(), rows).await.unwrap()
            }
            Ok(written) => written,
        };
        assert_eq!(settled, Written::AlreadyThere, "{fault:?}");
        assert_eq!(all(&table).await.len(), 1);
        assert_eq!(server.bucket.keys().len(), 2, "{:?}", server.bucket.keys());
    }
}

#[tokio::test]
async fn a_store_that_stalls_or_is_gone_is_a_transient_error_and_then_forgotten() {
    let mut server = Server::start().await;
    let table = open(&server.impatient_client()).await;
    server.meet(&Method::PUT, &[Fault::Stall]);
    let error = table.write(&identity(), vec![event("1", Kind::Prompt, 0)]).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    server.stop().await;
    let error = table.write(&identity(), vec![event("1", Kind::Prompt, 0)]).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert!(table.scan(&Filter::default()).await.is_err());
    server.come_back().await;
    let written = table.write(&identity(), vec![event("1", Kind::Prompt, 0)]).await.unwrap();
    assert!(matches!(written, Written::Created { .. }));
    assert_eq!(all(&table).await.len(), 1);
}

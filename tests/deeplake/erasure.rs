//! What is erased from the table is erased there, and never written again.

use std::time::Duration;

use skillspan::event::Timestamp;
use skillspan::table::upkeep::Subject;

use crate::harness::{Site, assert_rows, conversation, eventually, expected};
use crate::standin::{Faults, StandIn};

async fn erase(site: &Site, session: &str) {
    let erased =
        site.table.erase(&Subject::Session(session.to_owned()), None, Timestamp::now()).await.unwrap();
    assert_eq!(erased.sessions.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_session_leaves_the_service_although_its_rows_cannot_be_read_yet() {
    let standin = StandIn::start(Faults { staleness: Duration::from_millis(150), ..Faults::default() }).await;
    let site = Site::new();
    site.write([conversation("gone", 3), conversation("kept", 3)].concat()).await;
    let running = site.start(site.config(&standin));
    eventually("all rows", || standin.rows("sessions").len() == 30).await;
    // Hivemind's own row of the same session is not ours to remove.
    standin.execute(
        "INSERT INTO \"sessions\" (id, plugin_version, message) SELECT 'hook', '0.7.140', \
         '{\"session_id\":\"gone\"}'::jsonb WHERE NOT EXISTS (SELECT 1 FROM \"sessions\" WHERE id = 'hook')",
    );
    erase(&site, "gone").await;
    eventually("the rows are gone", || standin.rows("sessions").len() == 16).await;
    eventually("it is remembered", || running.handle.status().erased == 1).await;
    running.stop().await;
    let running = site.start(site.config(&standin));
    site.write(conversation("later", 1)).await;
    eventually("later rows", || standin.rows("sessions").len() == 21).await;
    assert_eq!(running.handle.status().erased, 0, "it is not erased again");
    running.stop().await;
    let ours = standin.rows("sessions").into_iter().filter(|row| row["id"] != "hook").collect::<Vec<_>>();
    assert_rows(&ours, [expected("kept", 3), expected("later", 1)].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_erased_before_it_is_written_never_is() {
    let standin = StandIn::start(Faults { always: Some((503, "")), ..Faults::default() }).await;
    let site = Site::new();
    site.write([conversation("gone", 3), conversation("kept", 3)].concat()).await;
    let running = site.start(site.config(&standin));
    eventually("it is tried", || running.handle.status().failing.is_some()).await;
    erase(&site, "gone").await;
    // What was about to be sent is given up after a while, and read anew.
    eventually("a new round", || {
        running.handle.status().failing.is_some_and(|failing| failing.attempts > 20)
    })
    .await;
    standin.set(|faults| faults.always = None);
    eventually("the others", || standin.rows("sessions").len() == 15).await;
    eventually("the end of it", || running.handle.status().erased == 1).await;
    running.stop().await;
    assert_rows(&standin.rows("sessions"), expected("kept", 3));
    let sent = standin.statements();
    assert!(!sent.iter().any(|sql| sql.starts_with("INSERT") && sql.contains("gone")));
}

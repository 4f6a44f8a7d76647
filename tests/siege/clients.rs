//! Clients that spray requests over the collectors, and send each again until one acknowledges it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::scene::TOKEN;
use super::world::{Request, below, next};

/// Nothing takes so long once the collectors are back.
const PATIENCE: Duration = Duration::from_secs(240);

pub(crate) struct Clients {
    tasks: JoinSet<()>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    acknowledged: AtomicU64,
    /// Sent again: the collector refused, or nobody knows whether it stored them.
    again: AtomicU64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        write!(f, "{} requests acknowledged, {} tries failed", count(&self.acknowledged), count(&self.again))
    }
}

impl Clients {
    /// Sends the requests within `length`: those of a session in any order, some of them minutes late.
    pub(crate) fn send(requests: &[Request], doors: Vec<SocketAddr>, length: Duration, seed: u64) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(Duration::from_secs(15)).no_proxy().build().unwrap();
        let counts = Arc::<Counts>::default();
        let began = Instant::now();
        let sessions = requests.last().map_or(1, |last| last.session + 1);
        let mut state = seed ^ 0x5eed;
        let mut tasks = JoinSet::new();
        for request in requests {
            let share = |part: usize, of: usize| length.mul_f64(part as f64 / of as f64);
            let mut due =
                began + share(request.session, sessions).mul_f64(0.7) + share(below(&mut state, 100), 2_000);
            if below(&mut state, 20) == 0 {
                due += share(below(&mut state, 100), 500);
            }
            let (client, doors, counts) = (client.clone(), doors.clone(), Arc::clone(&counts));
            let (body, seed) = (request.body.clone(), next(&mut state));
            tasks.spawn(async move {
                tokio::time::sleep_until(due).await;
                until_acknowledged(&client, &doors, &body, seed, &counts).await;
            });
        }
        Self { tasks, counts }
    }

    /// Waits until every request is acknowledged.
    pub(crate) async fn done(mut self) -> Arc<Counts> {
        let all = async {
            while let Some(ended) = self.tasks.join_next().await {
                ended.unwrap()
            }
        };
        tokio::time::timeout(PATIENCE, all).await.expect("every request is acknowledged in the end");
        self.counts
    }
}

async fn until_acknowledged(
    client: &reqwest::Client,
    doors: &[SocketAddr],
    body: &[u8],
    mut seed: u64,
    counts: &Counts,
) {
    loop {
        let door = doors[below(&mut seed, doors.len())];
        let request = client
            .post(format!("http://{door}/v1/logs"))
            .header("content-type", "application/json")
            .bearer_auth(TOKEN)
            .body(body.to_vec());
        let answered = async { request.send().await?.error_for_status()?.text().await };
        match answered.await {
            Ok(text) => {
                assert!(!text.contains("rejected"), "{text}");
                counts.acknowledged.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Err(error) => {
                assert!(error.status().is_none_or(|status| status.as_u16() != 400), "{error}");
                counts.again.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(200 + next(&mut seed) % 800)).await;
            }
        }
    }
}

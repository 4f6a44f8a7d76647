//! What happens, by a seed.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use axum::http::Method;

use super::s3::Fault;
use super::scene::{COLLECTORS, Scene};
use super::world::{below, next};

pub(crate) struct Trouble {
    state: u64,
    away: Duration,
    /// Pods that are away or cut off, and when that ends.
    until: BTreeMap<usize, Instant>,
    /// How the workers agree now.
    is_claimed: bool,
    counts: BTreeMap<&'static str, usize>,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<String> = self.counts.iter().map(|(what, count)| format!("{what} {count}")).collect();
        f.write_str(&counts.join(", "))
    }
}

impl Trouble {
    pub(crate) fn new(seed: u64, away: Duration) -> Self {
        Self { state: seed ^ 0xbad, away, until: BTreeMap::new(), is_claimed: true, counts: BTreeMap::new() }
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// A length of time: mostly below `away`, now and then several times as long.
    fn time(&mut self) -> Duration {
        let most = self.away * if below(&mut self.state, 8) == 0 { 6 } else { 1 };
        most.mul_f64(next(&mut self.state) as f64 / u64::MAX as f64)
    }

    /// One more thing, and the end of those whose time is over.
    pub(crate) async fn happen(&mut self, scene: &mut Scene) {
        let pause = self.away.mul_f64(0.05 + 0.002 * below(&mut self.state, 100) as f64);
        tokio::time::sleep(pause).await;
        self.recover(scene, Instant::now());
        scene.assert_nobody_gave_up();
        let pod = below(&mut self.state, scene.pods.len());
        if self.until.contains_key(&pod) {
            return;
        }
        let until = Instant::now() + self.time();
        match below(&mut self.state, 12) {
            0..=2 => {
                self.count("killed");
                scene.pods[pod].kill();
                self.until.insert(pod, until);
            }
            3 => {
                self.count("terminated");
                if let Some(how) = scene.pods[pod].terminate().await {
                    eprintln!("pod {pod} did not stop well: {how}");
                }
                self.until.insert(pod, until);
            }
            4 | 5 => {
                self.count("paused");
                scene.pods[pod].signal("-STOP");
                scene.pods[pod].is_paused = true;
                self.until.insert(pod, until);
            }
            6..=8 if scene.network.can_cut_off() => {
                self.count("cut off");
                scene.network.cut_off(pod);
                self.until.insert(pod, until);
            }
            9 if pod < COLLECTORS => {
                self.count("drained elsewhere");
                scene.drain_elsewhere(pod).await;
            }
            10 if pod >= COLLECTORS => {
                self.count("claims on or off");
                self.is_claimed = !self.is_claimed;
                scene.configure_workers(if self.is_claimed { "store" } else { "file" });
            }
            _ => {
                self.count("store failed");
                let faults = [Fault::Refuse, Fault::RefuseAfter, Fault::SlowDown];
                for method in [Method::PUT, Method::GET] {
                    let fault = faults[below(&mut self.state, faults.len())];
                    scene.server.meet(&method, &vec![fault; 1 + below(&mut self.state, 3)]);
                }
            }
        }
    }

    fn recover(&mut self, scene: &mut Scene, now: Instant) {
        let over: Vec<usize> =
            self.until.iter().filter(|(_, end)| **end <= now).map(|(pod, _)| *pod).collect();
        for pod in over {
            self.until.remove(&pod);
            scene.network.join(pod);
            if scene.pods[pod].is_paused {
                scene.pods[pod].signal("-CONT");
                scene.pods[pod].is_paused = false;
            } else if !scene.pods[pod].is_running() {
                scene.start_pod(pod);
            }
        }
    }

    /// Everything works again.
    pub(crate) async fn end(&mut self, scene: &mut Scene) {
        scene.network.end_the_upgrade();
        let far = Instant::now() + Duration::from_secs(100_000);
        self.recover(scene, far);
        scene.server.forget_faults();
        // In the end the claims are on, and the dead are dead for the store as well.
        scene.configure_workers("store");
        for pod in COLLECTORS..scene.pods.len() {
            scene.pods[pod].kill();
            scene.start_pod(pod);
        }
        scene.server.bucket.let_time_pass(Duration::from_secs(61));
    }
}

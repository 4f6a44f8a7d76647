//! The store, the remote, the pods and their configurations.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::git_server;
use super::network::{Network, Services};
use super::pod::{Pod, program};
use super::port::Port;
use super::s3::Server;

pub(crate) const TOKEN: &str = "a-token-of-the-siege-0123456789";
/// The pods that are collectors; the others are workers.
pub(crate) const COLLECTORS: usize = 3;
const PODS: usize = super::network::PODS;

/// How long the branch must stay as it is before the workers count as done.
const REST: Duration = Duration::from_secs(12);
/// Nothing takes so long once everything works again.
const PATIENCE: Duration = Duration::from_secs(300);

pub(crate) struct Scene {
    pub(crate) server: Server,
    pub(crate) network: Network,
    pub(crate) pods: Vec<Pod>,
    folder: tempfile::TempDir,
    remote: git_server::Server,
    services: Services,
    ports: Vec<Port>,
    /// How many journals were given up and drained by another machine.
    pub(crate) drained: usize,
}

impl Scene {
    pub(crate) async fn new(mut network: Network) -> Self {
        let server = Server::start().await;
        server.bucket.list_in_pages_of(1_000);
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "--quiet", "--bare", "remote.git"]);
        let root = folder.path().to_owned();
        let start = move || git_server::Server::start(&root, "siege", "secret", Arc::new(|| ()));
        let remote = tokio::task::spawn_blocking(start).await.unwrap();
        let store = server.url().rsplit_once(':').unwrap().1.parse().unwrap();
        let services = Services { store, remote: remote.address.port() };
        network.carry(services);
        let pods =
            (0..PODS).map(|number| Pod::new(number, folder.path().join(format!("pod-{number}")))).collect();
        let ports = (0..PODS * 2).map(|_| Port::keep()).collect();
        let scene = Self { server, network, pods, folder, remote, services, ports, drained: 0 };
        for number in 0..COLLECTORS {
            scene.configure_collector(number);
        }
        scene.configure_workers("store");
        scene
    }

    fn port(&self, number: usize, of: usize) -> u16 {
        self.ports[2 * number + of].number()
    }

    /// Where the collectors listen.
    pub(crate) fn doors(&self) -> Vec<SocketAddr> {
        (0..COLLECTORS).map(|number| self.network.door(number, self.port(number, 0))).collect()
    }

    fn configure_collector(&self, number: usize) {
        let (door, health) = (self.network.door(number, self.port(number, 0)), self.port(number, 1));
        let folder = self.pods[number].folder.display().to_string();
        let config = format!(
            "extensions:
  health: {{ endpoint: 127.0.0.1:{health} }}
  console: {{ enabled: false }}
  sessions_table: {{ path: s3://bucket }}
  auth: {{ tokens: [{{ id: siege, secret: {TOKEN}, tenant: acme }}] }}
receivers:
  otlp: {{ protocols: {{ http: {{ endpoint: {door} }} }} }}
exporters:
  parquet: {{ flush: {{ age: 2s }} }}
service:
  journal: {{ path: {folder}/journal, max_size: 64MiB, segment: 1MiB }}
  pipelines: {{ sessions: {{ receivers: [otlp], processors: [redact, workspace, limits], exporters: [parquet] }} }}
"
        );
        std::fs::write(self.pods[number].config(), config).unwrap();
    }

    /// The workers' configuration; they take it up when they are started again.
    pub(crate) fn configure_workers(&self, coordination: &str) {
        for pod in &self.pods[COLLECTORS..] {
            let health = self.port(pod.number, 1);
            let digests = pod.folder.join("digests");
            let config = format!(
                "extensions:
  health: {{ endpoint: 127.0.0.1:{health} }}
  console: {{ enabled: false }}
  sessions_table: {{ path: s3://bucket }}
  auth: {{ tokens: [{{ id: siege, secret: {TOKEN}, tenant: acme }}] }}
connectors:
  skillify: {{ every_turns: 1, idle: 2s, min_interval: 2s, memory: 32MiB, digests: {digests}, coordination: {coordination} }}
exporters:
  git: {{ remote: \"{remote}\", branch: main, mode: direct, auth: {{ username: siege, token: secret }}, author: \"pod-{number} <pod-{number}@example.com>\" }}
service:
  pipelines: {{ skills: {{ receivers: [skillify], exporters: [git] }} }}
",
                digests = digests.display(),
                remote = self.remote.url(),
                number = pod.number,
            );
            std::fs::write(pod.config(), config).unwrap();
        }
    }

    pub(crate) fn store(&self) -> String {
        format!("http://127.0.0.1:{}", self.services.store)
    }

    pub(crate) fn start_pod(&mut self, number: usize) {
        let store = self.store();
        self.pods[number].start(&self.network, &store);
    }

    /// Starts every pod, and waits until the collectors accept connections.
    pub(crate) async fn start(&mut self) {
        for number in 0..PODS {
            self.start_pod(number);
        }
        for door in self.doors() {
            let began = Instant::now();
            while tokio::net::TcpStream::connect(door).await.is_err() {
                assert!(began.elapsed() < PATIENCE, "nobody listens at {door}: {}", self.pods[0].log());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// No pod may end by itself, but for one that cannot reach its store when it starts: Kubernetes starts it again.
    pub(crate) fn assert_nobody_gave_up(&mut self) {
        for number in 0..PODS {
            let pod = &mut self.pods[number];
            let Some(ended) = pod.ended() else { continue };
            let log = pod.log();
            let last = log.trim_end().lines().last().unwrap_or_default();
            assert!(last.contains("cannot open the store"), "pod {number} ended with {ended:?}:\n{log}");
            pod.kill();
            self.start_pod(number);
        }
    }

    /// The collector's machine is lost; its disk is read by another one, and the collector begins with an empty one.
    pub(crate) async fn drain_elsewhere(&mut self, number: usize) {
        self.pods[number].kill();
        self.network.join(number);
        self.drained += 1;
        let folder = self.pods[number].folder.clone();
        let gone = folder.join(format!("gone-{}", self.drained));
        std::fs::rename(folder.join("journal"), &gone).unwrap();
        // The store may fail meanwhile.
        for attempt in 0.. {
            let mut drain = program(&self.network, number, &folder, &self.store());
            drain.args(["drain", "--config"]).arg(self.pods[number].config()).arg("--journal").arg(&gone);
            let done = tokio::task::spawn_blocking(move || drain.output().unwrap()).await.unwrap();
            if done.status.success() {
                break;
            }
            assert!(attempt < 5, "drain: {}", String::from_utf8_lossy(&done.stderr));
        }
        self.start_pod(number);
    }

    /// Everything works again. The collectors hand over what they have and stop; the workers publish it and stop.
    pub(crate) async fn come_to_rest(&mut self) {
        for number in 0..COLLECTORS {
            self.stop(number).await;
        }
        let began = Instant::now();
        let (mut tip, mut since) = (self.tip(), Instant::now());
        while since.elapsed() < REST || tip.is_empty() {
            assert!(began.elapsed() < PATIENCE, "the workers come to rest; the branch is at {tip:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
            let now = self.tip();
            if now != tip {
                (tip, since) = (now, Instant::now());
            }
        }
        self.assert_nobody_gave_up();
        for number in COLLECTORS..PODS {
            self.stop(number).await;
        }
    }

    async fn stop(&mut self, number: usize) {
        let pod = &mut self.pods[number];
        if let Some(how) = pod.terminate().await {
            panic!("pod {number} did not stop well: {how}\n{}", pod.log());
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.folder.path().join("remote.git")
    }

    /// The commit of the branch; empty before the first.
    fn tip(&self) -> String {
        let shown = Command::new("git")
            .args(["rev-parse", "--verify", "--quiet", "refs/heads/main"])
            .current_dir(self.repository())
            .output()
            .unwrap();
        String::from_utf8(shown.stdout).unwrap()
    }
}

/// What git prints.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let done =
        Command::new("git").args(arguments).current_dir(folder).output().expect("these tests need git");
    assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

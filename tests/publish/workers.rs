//! Several workers as processes on one table in one bucket, with one git remote: started, killed, and stopped for longer
//! than they are believed to be alive.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt};
use skillspan::coordination::{LEASE, SHARDS, Shard, shard_of};
use skillspan::event::{Owner, SessionEvent};
use skillspan::exporters::Destination;
use skillspan::exporters::git::{Git, Mode};
use skillspan::exporters::target::{Report, Update};
use skillspan::library::{Change, Findings, Turn};
use skillspan::table::{FileIdentity, Session, Table};

use super::repository::{Bare, STATE, first, other, update, with_migration};
use super::s3::Server;
use super::sessions::mined;

const TENANT: &str = "acme";
/// Nothing of these tests takes so long, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(300);

/// Tries until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A table in a bucket, a git remote, and what workers keep.
struct Scene {
    server: Server,
    store: Arc<dyn ObjectStore>,
    table: Table,
    bare: Bare,
}

/// A worker's process; it is killed when it is dropped.
struct Worker {
    child: Child,
    log: PathBuf,
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Worker {
    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// So many workspaces of each half of the shards, each with a number that nothing else has.
fn workspaces(of_each: usize) -> Vec<(String, usize)> {
    let half = |shard: Shard| usize::from(shard >= SHARDS / 2);
    let mut found = [0, 0];
    let mut taken = Vec::new();
    for number in 0.. {
        let name = format!("team-{number}");
        let count = &mut found[half(shard_of(TENANT, &name))];
        if *count < of_each {
            *count += 1;
            taken.push((name, number));
        }
        if found == [of_each, of_each] {
            return taken;
        }
    }
    unreachable!("there are enough numbers")
}

impl Scene {
    async fn new() -> Self {
        let server = Server::start().await;
        let store = server.client();
        let table = Table::open_store(Arc::clone(&store), "s3://bucket").await.unwrap();
        Self { server, store, table, bare: Bare::new() }
    }

    /// The remote takes one publication of each worker and keeps the next one waiting until it is told to go on: however
    /// fast or slow the machine is, each worker is met in the middle of its work.
    fn hold_after_the_first(&self) {
        self.bare.hook(
            r#"[ "$1" = refs/heads/main ] || exit 0
author=$(git log -1 --format=%an "$3")
if git log --format=%an refs/heads/main 2>/dev/null | grep -qx "$author"; then
  while [ -d "$GIT_DIR" ] && [ ! -e "$GIT_DIR/go-on" ]; do sleep 0.05; done
fi"#,
        );
    }

    fn go_on(&self) {
        std::fs::write(self.bare.path().join("go-on"), "").unwrap();
    }

    async fn work_of(&self, workspaces: &[(String, usize)]) {
        for (workspace, number) in workspaces {
            let sessions = other(*number).into_iter().flat_map(|session| events(session, workspace));
            let identity = FileIdentity {
                owner: Owner { tenant: TENANT.into(), workspace: workspace.clone() },
                ingest_date: "2026-11-22".into(),
                journal_id: "journal".into(),
                batch_id: format!("batch-{number}"),
                first: 100 * *number as u64,
                last: 100 * *number as u64 + 99,
                part: 0,
            };
            let _ = self.table.write(&identity, sessions.collect()).await.unwrap();
        }
    }

    fn start(&self, name: &str, coordination: &str) -> Worker {
        self.start_to(name, coordination, &self.bare)
    }

    fn start_to(&self, name: &str, coordination: &str, bare: &Bare) -> Worker {
        let folder = bare.folder.path().join("workers").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let config = format!(
            "extensions:
  health: {{ endpoint: 127.0.0.1:0 }}
  console: {{ enabled: false }}
  sessions_table: {{ path: s3://bucket }}
connectors:
  # Room for one workspace at a time.
  skillify: {{ every_turns: 1, idle: 1s, min_interval: 1s, memory: 32KiB, coordination: {coordination} }}
exporters:
  git: {{ remote: \"{remote}\", branch: main, mode: direct, author: \"{name} <{name}@example.com>\" }}
service:
  pipelines:
    skills: {{ receivers: [skillify], exporters: [git] }}
",
            remote = bare.url()
        );
        std::fs::write(folder.join("skillspan.yaml"), config).unwrap();
        let log = folder.join("log");
        let out = std::fs::File::create(&log).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_skillspan"));
        command
            .args(["run", "--config"])
            .arg(folder.join("skillspan.yaml"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", &folder)
            .env("XDG_DATA_HOME", folder.join("data"))
            .env("AWS_ENDPOINT_URL", self.server.url())
            .env("AWS_ALLOW_HTTP", "true")
            .env("AWS_REGION", "local")
            .env("AWS_ACCESS_KEY_ID", "key")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out);
        Worker { child: command.spawn().unwrap(), log }
    }

    /// How many shards each worker holds, most first, by the greatest numbers.
    async fn holders(&self) -> Vec<usize> {
        let prefix = object_store::path::Path::from("claims");
        let listed: Vec<_> = self.store.list(Some(&prefix)).try_collect().await.unwrap();
        let mut greatest: BTreeMap<String, String> = BTreeMap::new();
        for object in listed {
            let path = object.location.to_string();
            if let Some((shard, _)) = path.rsplit_once('/').filter(|(folder, _)| folder.contains("/shards/"))
            {
                greatest.insert(shard.to_owned(), path);
            }
        }
        let mut held: BTreeMap<String, usize> = BTreeMap::new();
        for path in greatest.into_values() {
            let Ok(got) = self.store.get(&path.into()).await else { continue };
            let claim: serde_json::Value = serde_json::from_slice(&got.bytes().await.unwrap()).unwrap();
            if let Some(worker) = claim["worker"].as_str() {
                *held.entry(worker.to_owned()).or_default() += 1;
            }
        }
        let mut counts: Vec<usize> = held.into_values().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        counts
    }

    /// How many commits each worker has made.
    fn commits(&self) -> BTreeMap<String, usize> {
        let mut commits = BTreeMap::new();
        if self.bare.tip("main").is_some() {
            for author in self.bare.git(&["log", "--format=%an", "main"]).lines() {
                *commits.entry(author.to_owned()).or_default() += 1;
            }
        }
        commits
    }

    /// How many skills came with the commits of a worker.
    fn skills_of(&self, worker: &str) -> usize {
        let author = format!("--author={worker}@example.com");
        let names = self.bare.git(&["log", "--format=", "--name-only", &author, "main"]);
        names.lines().filter(|name| name.ends_with("/SKILL.md")).collect::<BTreeSet<_>>().len()
    }

    fn skills(&self) -> BTreeMap<String, String> {
        skills(&self.bare)
    }

    async fn until_published(&self, count: usize, workers: &[&Worker]) {
        let logs = || workers.iter().map(|worker| worker.log()).collect::<Vec<_>>().join("\n---\n");
        let started = Instant::now();
        while self.skills().keys().filter(|path| path.ends_with("/SKILL.md")).count() < count {
            assert!(started.elapsed() < PATIENCE, "{:?}\n{}", self.skills().keys(), logs());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Nothing was published twice, and all of it is what one worker alone publishes.
    async fn assert_as_if_one_had_done_it(&self) {
        let skills = self.skills();
        for path in skills.keys().filter(|path| path.ends_with("/SKILL.md")) {
            let commits = self.bare.git(&["log", "--format=%an %s", "main", "--", path]);
            assert_eq!(commits.lines().count(), 1, "{path}: {commits}");
        }
        let alone = Bare::new();
        let worker = self.start_to("alone", "file", &alone);
        let count = skills.len();
        until(&format!("one worker publishes {count} files"), async || {
            super::workers::skills(&alone).len() >= count
        })
        .await;
        assert_eq!(skills, super::workers::skills(&alone));
        drop(worker);
    }
}

/// The files of the skills on the branch.
fn skills(bare: &Bare) -> BTreeMap<String, String> {
    if bare.tip("main").is_none() {
        return BTreeMap::new();
    }
    bare.files("main").into_iter().filter(|(path, _)| Path::new(path).starts_with("skills")).collect()
}

fn events(session: Session, workspace: &str) -> Vec<SessionEvent> {
    let Session { project, user_id, assistant, facts, .. } = session;
    let event = |event: SessionEvent| SessionEvent {
        ingested_at: event.timestamp,
        tenant: TENANT.into(),
        workspace: workspace.to_owned(),
        project: project.clone(),
        user_id: user_id.clone(),
        assistant: assistant.clone(),
        ..event
    };
    facts.into_iter().map(|fact| event(fact.event)).collect()
}

/// Two workers that hold a half each, before there is anything to do.
async fn two(scene: &Scene) -> (Worker, Worker) {
    let one = scene.start("one", "store");
    until("the first worker holds everything", async || scene.holders().await == [usize::from(SHARDS)]).await;
    let other = scene.start("other", "store");
    let half = usize::from(SHARDS / 2);
    until("each holds a half", async || scene.holders().await == [half, half]).await;
    (one, other)
}

async fn until_both_are_at_work(scene: &Scene) {
    until("both have published", async || scene.commits().len() == 2).await;
}

const OF_EACH: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn when_one_of_two_workers_is_killed_the_other_does_its_work() {
    let scene = Scene::new().await;
    scene.hold_after_the_first();
    let (mut one, other) = two(&scene).await;
    scene.work_of(&workspaces(OF_EACH)).await;
    until_both_are_at_work(&scene).await;
    one.child.kill().unwrap();
    scene.go_on();
    scene.server.bucket.let_time_pass(LEASE + Duration::from_secs(1));
    scene.until_published(2 * OF_EACH, &[&other]).await;
    assert_eq!(scene.holders().await, [usize::from(SHARDS)], "nothing is left with the dead");
    let (dead, alive) = (scene.skills_of("one"), scene.skills_of("other"));
    assert!((1..OF_EACH).contains(&dead), "it was not killed in the middle: {dead}");
    assert_eq!(dead + alive, 2 * OF_EACH);
    drop(other);
    scene.assert_as_if_one_had_done_it().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stood_still_for_longer_than_it_was_waited_for_harms_nothing() {
    let scene = Scene::new().await;
    scene.hold_after_the_first();
    let (one, other) = two(&scene).await;
    let all = workspaces(OF_EACH + 1);
    let (later, now): (Vec<_>, Vec<_>) = all.into_iter().partition({
        let mut seen = BTreeMap::new();
        move |(name, _): &(String, usize)| {
            let count: &mut usize = seen.entry(shard_of(TENANT, name) >= SHARDS / 2).or_default();
            *count += 1;
            *count > OF_EACH
        }
    });
    assert_eq!((now.len(), later.len()), (2 * OF_EACH, 2));
    scene.work_of(&now).await;
    until_both_are_at_work(&scene).await;
    one.signal("-STOP");
    scene.go_on();
    scene.server.bucket.let_time_pass(LEASE + Duration::from_secs(1));
    scene.until_published(2 * OF_EACH, &[&other]).await;
    one.signal("-CONT");
    let half = usize::from(SHARDS / 2);
    until("each holds a half again", async || scene.holders().await == [half, half]).await;
    scene.work_of(&later).await;
    scene.until_published(2 * OF_EACH + 2, &[&one, &other]).await;
    let turns: serde_json::Value =
        serde_json::from_str(&scene.bare.read(STATE, "main/library.json")).unwrap();
    let turns: BTreeSet<&str> = turns["turns"].as_object().unwrap().keys().map(String::as_str).collect();
    assert!(!turns.is_empty() && turns.iter().all(|turn| turn.contains('-')), "{turns:?}");
    drop((one, other));
    scene.assert_as_if_one_had_done_it().await;
}

/// Without any claims every worker does everything: the push that is refused is all there is, and it is enough.
#[tokio::test(flavor = "multi_thread")]
async fn two_workers_that_know_nothing_of_each_other_publish_what_one_does() {
    let scene = Scene::new().await;
    let workers = [scene.start("one", "file"), scene.start("other", "file")];
    scene.work_of(&workspaces(OF_EACH / 2)).await;
    scene.until_published(OF_EACH, &workers.each_ref()).await;
    assert!(scene.server.bucket.keys().iter().all(|key| !key.starts_with("claims/")));
    drop(workers);
    scene.assert_as_if_one_had_done_it().await;
}

/// What a worker found in its turn.
fn found(number: u64, sessions: &[Session]) -> Update {
    let turn = Some(Turn { share: "table-00".into(), number });
    Update::Findings(vec![Findings { turn, ..Findings::from(&mined(sessions)) }])
}

fn is_too_late(report: &Report) -> bool {
    report.notes.iter().any(|note| note.starts_with("another worker has taken over shop"))
}

#[test]
fn what_comes_in_a_turn_that_is_over_changes_nothing() {
    let bare = Bare::new();
    let publish = |number, sessions: &[Session]| bare.direct().publish(&found(number, sessions)).unwrap();
    let tips = || (bare.tip("main"), bare.tip(STATE));
    assert!(!is_too_late(&publish(3, &first())));
    let before = tips();
    publish(3, &first());
    assert_eq!(tips(), before, "nothing is new, and the turn is known");
    publish(5, &first());
    assert_eq!(bare.tip("main"), before.0);
    assert_ne!(bare.tip(STATE), before.1, "who takes over is remembered, though nothing else is new");
    let taken_over = tips();
    let late = publish(3, &with_migration());
    assert!(is_too_late(&late), "{late}");
    assert_eq!(tips(), taken_over);
    // Another share's turns are its own, and a person's command has none.
    let of_another = Turn { share: "table-01".into(), number: 1 };
    let findings = Findings { turn: Some(of_another), ..Findings::from(&mined(&other(1))) };
    let report = bare.direct().publish(&Update::Findings(vec![findings])).unwrap();
    assert_eq!(report.named(Change::Created).len(), 1, "{report}");
    assert!(!is_too_late(&bare.direct().publish(&update(&with_migration())).unwrap()));
}

/// A git that sleeps before its first push until somebody wakes it.
fn sleepy_git(folder: &Path) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join("sleepy-git");
    let (asleep, awake) = (folder.join("asleep"), folder.join("awake"));
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in *\" push \"*)\n  touch {}\n  while [ ! -e {} ]; do sleep 0.05; done;;\nesac\nexec git \"$@\"\n",
        asleep.display(),
        awake.display()
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

/// The whole of a turn's end: what it found was reconciled with the old state, and its push is under way.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_sleeps_before_its_push_is_refused_and_then_too_late() {
    let bare = Bare::new();
    bare.direct().publish(&found(3, &first())).unwrap();
    let folder = bare.folder.path();
    let mut config = bare.config("sleeper", Mode::Direct);
    config.program = sleepy_git(folder).into();
    let publish = move || Git::new(config).publish(&found(3, &with_migration())).unwrap();
    let sleeper = tokio::task::spawn_blocking(publish);
    until("the sleeper comes to its push", async || folder.join("asleep").exists()).await;
    bare.direct().publish(&found(4, &first())).unwrap();
    let tips = (bare.tip("main"), bare.tip(STATE));
    std::fs::write(folder.join("awake"), "").unwrap();
    let late = sleeper.await.unwrap();
    assert!(is_too_late(&late), "{late}");
    assert_eq!((bare.tip("main"), bare.tip(STATE)), tips);
}

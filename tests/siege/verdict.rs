//! What must hold afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};

use skillspan::event::{SessionEvent, Timestamp};
use skillspan::table::{Filter, ResolveOptions, Session, Table};

use super::scene::{Scene, TOKEN, git};
use super::world::{DAYS, Request};

pub(crate) async fn on(scene: &Scene, requests: &[Request]) {
    let quiet = Quiet::of(scene, requests).await;
    let ids: BTreeSet<String> = quiet.sessions.keys().cloned().collect();
    let table = Table::open_store(scene.server.client(), "s3://bucket").await.unwrap();
    let besieged = sessions(&table, &ids).await;
    same_sessions(&quiet.sessions, &besieged);
    let mined = mine(scene, "mined", "path: s3://bucket");
    assert!(!mined.is_empty(), "nothing is mined of a quiet table");
    assert_eq!(mined, quiet.mined, "mining finds the same");
    let published = published(scene);
    assert_eq!(lessons(&published), lessons(&quiet.mined), "the branch holds what a quiet worker publishes");
    nothing_goes_back_and_forth(scene, published.keys());
}

/// One process that nobody disturbs.
struct Quiet {
    sessions: BTreeMap<String, Session>,
    mined: BTreeMap<String, String>,
}

impl Quiet {
    async fn of(scene: &Scene, requests: &[Request]) -> Self {
        let folder = scene.path().join("quiet");
        std::fs::create_dir_all(&folder).unwrap();
        let port = super::port::Port::keep();
        let (door, root) = (port.address(), folder.display());
        let config = format!(
            "extensions:
  health: {{ endpoint: 127.0.0.1:0 }}
  console: {{ enabled: false }}
  sessions_table: {{ path: {root}/sessions }}
  auth: {{ tokens: [{{ id: siege, secret: {TOKEN}, tenant: acme }}] }}
receivers:
  otlp: {{ protocols: {{ http: {{ endpoint: {door} }} }} }}
service:
  journal: {{ path: {root}/journal, max_size: 256MiB, segment: 4MiB }}
  pipelines: {{ sessions: {{ receivers: [otlp], processors: [redact, workspace, limits], exporters: [parquet] }} }}
"
        );
        std::fs::write(folder.join("skillspan.yaml"), config).unwrap();
        let mut command = skillspan(&folder);
        command.args(["run", "--quiet", "--config"]).arg(folder.join("skillspan.yaml"));
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        while tokio::net::TcpStream::connect(door).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        for request in requests {
            let sent = client
                .post(format!("http://{door}/v1/logs"))
                .header("content-type", "application/json")
                .bearer_auth(TOKEN)
                .body(request.body.clone());
            sent.send().await.unwrap().error_for_status().unwrap();
        }
        Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(child.wait().unwrap().success());
        let table = Table::open(&folder.join("sessions")).unwrap();
        let ids =
            requests.iter().map(|request| format!("{:08x}-0000-4000-8000-000000000000", request.session));
        let sessions = sessions(&table, &ids.collect()).await;
        let mined = mine(scene, "quietly-mined", &format!("path: {root}/sessions"));
        Self { sessions, mined }
    }
}

fn skillspan(folder: &Path) -> Command {
    let mut command = Command::new(super::pod::program_path());
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", folder);
    command
}

/// The sessions by id, as if they had arrived when they took place.
async fn sessions(table: &Table, ids: &BTreeSet<String>) -> BTreeMap<String, Session> {
    let found = table.sessions_all_called(ids, &Filter::default(), &ResolveOptions::default()).await.unwrap();
    assert!(found.damaged.is_empty() && !found.is_cut);
    let mut sessions = BTreeMap::new();
    for mut session in found.sessions {
        session.last_ingested_at = Timestamp::from_micros(0);
        for fact in &mut session.facts {
            fact.event = SessionEvent { ingested_at: Timestamp::from_micros(0), ..fact.event.clone() };
        }
        let before = sessions.insert(session.id.clone(), session);
        assert!(before.is_none(), "one session for each id: {}", before.unwrap().id);
    }
    assert_eq!(sessions.len(), ids.len(), "every session is there");
    sessions
}

fn same_sessions(quiet: &BTreeMap<String, Session>, besieged: &BTreeMap<String, Session>) {
    for (id, expected) in quiet {
        let found = &besieged[id];
        let keys =
            |session: &Session| session.facts.iter().map(|fact| fact.event_ids.clone()).collect::<Vec<_>>();
        assert_eq!(keys(found), keys(expected), "the facts of {id}, each once");
        assert_eq!(found, expected, "{id} is whole");
    }
    let facts: usize = quiet.values().map(|session| session.facts.len()).sum();
    eprintln!("{} sessions of {facts} facts, each once", quiet.len());
}

/// The skills that a worker without a past publishes, by path and text.
fn mine(scene: &Scene, name: &str, table: &str) -> BTreeMap<String, String> {
    let folder = scene.path().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let config = format!(
        "extensions:
  console: {{ enabled: false }}
  sessions_table: {{ {table} }}
  auth: {{ tokens: [{{ id: siege, secret: {TOKEN}, tenant: acme }}] }}
exporters:
  filesystem: {{ path: {root}/out }}
connectors:
  skillify: {{ digests: {root}/digests }}
service:
  pipelines: {{ skills: {{ receivers: [skillify], exporters: [filesystem] }} }}
",
        root = folder.display()
    );
    std::fs::write(folder.join("skillspan.yaml"), config).unwrap();
    let done = skillspan(&folder)
        .env("AWS_ENDPOINT_URL", scene.store())
        .env("AWS_ALLOW_HTTP", "true")
        .env("AWS_REGION", "local")
        .env("AWS_ACCESS_KEY_ID", "key")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .args(["skillify", "--config"])
        .arg(folder.join("skillspan.yaml"))
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let mut files = BTreeMap::new();
    gather(&folder.join("out/skills"), "skills", &mut files);
    files
}

fn gather(folder: &Path, path: &str, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{path}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            gather(&entry.path(), &path, files);
        } else {
            files.insert(path, std::fs::read_to_string(entry.path()).unwrap());
        }
    }
}

/// What the branch holds.
fn published(scene: &Scene) -> BTreeMap<String, String> {
    let repository = scene.repository();
    let listed = git(&repository, &["ls-tree", "-r", "--name-only", "main", "skills"]);
    listed
        .lines()
        .map(|path| (path.to_owned(), git(&repository, &["show", &format!("main:{path}")])))
        .collect()
}

/// Each skill was created once and never removed. A line may be dropped when the records that were late show that it was
/// wrong, and comes back only for sessions of a later day: commits do not disagree about it for ever.
fn nothing_goes_back_and_forth<'p>(scene: &Scene, paths: impl Iterator<Item = &'p String>) {
    let repository = scene.repository();
    let (mut versions, mut dropped) = (0, 0);
    for path in paths.filter(|path| path.ends_with("/SKILL.md")) {
        let created = git(&repository, &["log", "--format=%h", "--diff-filter=AD", "main", "--", path]);
        assert_eq!(created.lines().count(), 1, "{path} was created once, and never removed");
        let (mut before, mut published) = (BTreeSet::new(), BTreeMap::<String, usize>::new());
        for commit in git(&repository, &["log", "--reverse", "--format=%h", "main", "--", path]).lines() {
            let text = git(&repository, &["show", &format!("{commit}:{path}")]);
            let now = lines_of(&text);
            for line in now.difference(&before) {
                let times = published.entry(line.clone()).or_default();
                *times += 1;
                assert!(*times <= DAYS, "{path}: {commit} publishes {line:?} once more: {times} times");
            }
            dropped += before.difference(&now).count();
            before = now;
            versions += 1;
        }
    }
    eprintln!("{versions} versions of skills; {dropped} times a line was dropped");
}

/// The lessons of a skill, without their numbers.
fn lines_of(skill: &str) -> BTreeSet<String> {
    if skill.contains(RETIRED) {
        return BTreeSet::new();
    }
    let (_, lessons) = skill.split_once("\n## Lessons\n").unwrap_or_else(|| panic!("no lessons in {skill}"));
    let lessons = lessons.split("\n## ").next().unwrap_or_default();
    lessons.lines().filter_map(|line| line.split_once(". ")).map(|(_, line)| line.to_owned()).collect()
}

/// How a skill says that it is retired; its folder stays for a week.
const RETIRED: &str = "\n# Retired: ";

/// The skills by workspace, without those that are retired, and without what depends on when they were published: the id is
/// that of the first version, of two that want one name, the first has it, and a worker that published early does not
/// write a skill again for more of the same evidence.
fn lessons(files: &BTreeMap<String, String>) -> BTreeMap<String, BTreeSet<String>> {
    let depends = |line: &&str| {
        let starts = [
            "name:",
            "skillspan-id:",
            "skillspan-version:",
            "skillspan-sessions:",
            "skillspan-people:",
            "Seen in ",
        ];
        starts.iter().any(|start| line.trim_start().starts_with(start))
    };
    let is_skill = |path: &&String| path.ends_with("/SKILL.md");
    let mut by_workspace: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in files.keys().filter(is_skill) {
        let text = &files[path];
        if text.contains(RETIRED) {
            continue;
        }
        let workspace = text.lines().find(|line| line.contains("skillspan-workspace:"));
        let workspace = workspace.unwrap_or_else(|| panic!("{path} has no workspace")).trim();
        let rest: Vec<&str> = text.lines().filter(|line| !depends(line)).collect();
        by_workspace.entry(workspace.to_owned()).or_default().insert(rest.join("\n"));
    }
    by_workspace
}

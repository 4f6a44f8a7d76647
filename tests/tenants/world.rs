//! A service with every door and every target, in this process, and sessions to send.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use serde_json::{Value, json};
use skillspan::config::{self, Origin, ProcessSource, Source};
use skillspan::event::Timestamp;
use skillspan::service::Service;
use tempfile::TempDir;
use tonic::metadata::MetadataValue;

use crate::standin::{Faults, ORG, StandIn, TOKEN, WORKSPACE};
use crate::table_texts::{files, table_texts};

/// Nothing that works takes this long.
const PATIENCE: Duration = Duration::from_secs(120);

/// The tokens: of a tenant with a workspace, and of a tenant alone.
pub(crate) const ACME_SHOP: &str = "acme-shop-token-0123456789";
pub(crate) const ACME: &str = "acme-any-token-0123456789a";
pub(crate) const ACME_WEB: &str = "acme-web-token-0123456789a";
pub(crate) const EVIL_OWN: &str = "evil-own-token-0123456789a";
pub(crate) const EVIL: &str = "evil-any-token-0123456789a";

/// How a session arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Grpc,
    Protobuf,
    Json,
    Hooks,
    Langfuse,
    /// A file that an assistant kept, sent by `skillspan import --endpoint`.
    Import,
}

impl Door {
    pub(crate) const ALL: [Self; 6] =
        [Self::Grpc, Self::Protobuf, Self::Json, Self::Hooks, Self::Langfuse, Self::Import];
}

/// A session in which a test fails until something has run.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) session: String,
    pub(crate) person: String,
    pub(crate) workspace: String,
    pub(crate) prompt: String,
    pub(crate) test: String,
    pub(crate) fix: String,
    /// Microseconds since the epoch.
    pub(crate) at: i64,
}

pub(crate) struct World {
    folder: TempDir,
    service: Option<Service>,
    pub(crate) standin: StandIn,
    grpc: SocketAddr,
    http: SocketAddr,
    health: SocketAddr,
    client: reqwest::Client,
}

/// The process's environment, but for where data belongs.
struct At(String);

impl Source for At {
    fn env(&self, name: &str) -> Option<String> {
        match name {
            "XDG_DATA_HOME" | "HOME" => Some(self.0.clone()),
            _ => ProcessSource.env(name),
        }
    }

    fn file(&self, path: &str) -> std::io::Result<String> {
        ProcessSource.file(path)
    }
}

fn configuration(root: &str, deeplake: &str) -> String {
    let to_deeplake = |tenant: &str, workspace: &str| {
        format!(
            "  deeplake/{tenant}: {{ endpoint: '{deeplake}', org: {ORG}, workspace: {WORKSPACE}, token: {TOKEN}, \
             tables: {{ sessions: sessions_{tenant}, skills: skills_{tenant}, library: library_{tenant} }}, \
             from: {{ tenant: {tenant}, workspace: {workspace} }}, read_lag: 20ms, interval: 50ms, \
             turn: {{ settle: 10ms, idle: 100ms }} }}\n"
        )
    };
    format!(
        "extensions:
  health: {{ endpoint: 127.0.0.1:0 }}
  sessions_table: {{ path: {root}/sessions }}
  auth:
    tokens:
      - {{ id: a1, secret: {ACME_SHOP}, tenant: acme, workspace: shop }}
      - {{ id: a2, secret: {ACME}, tenant: acme }}
      - {{ id: a3, secret: {ACME_WEB}, tenant: acme, workspace: web }}
      - {{ id: e1, secret: {EVIL_OWN}, tenant: evil, workspace: own }}
      - {{ id: e2, secret: {EVIL}, tenant: evil }}
receivers:
  otlp:
    protocols:
      grpc: {{ endpoint: 127.0.0.1:0 }}
      http: {{ endpoint: 127.0.0.1:0 }}
  langfuse: {{ endpoint: otlp }}
  hooks: {{ endpoint: otlp }}
exporters:
  parquet: {{ flush: {{ age: 100ms }} }}
  filesystem: {{ path: {root}/unnamed, route: {{ workspaces: [shop] }} }}
  filesystem/each: {{ path: '{root}/each/{{tenant}}' }}
  filesystem/project: {{ path: '{root}/project/{{tenant}}', layout: project, agents_md: propose }}
  git: {{ remote: 'file://{root}/bare', branch: 'of-{{tenant}}', mode: direct }}
{}{}connectors:
  skillify: {{ digests: {root}/digests, every_turns: 1, min_interval: 100ms }}
service:
  journal: {{ path: {root}/journal, max_size: 64MiB, segment: 4MiB, durability: os }}
  pipelines:
    sessions: {{ receivers: [otlp, langfuse, hooks], processors: [redact, workspace, limits], exporters: [parquet, deeplake/acme, deeplake/evil] }}
    skills: {{ receivers: [skillify], exporters: [filesystem, filesystem/each, filesystem/project, git, deeplake/acme, deeplake/evil] }}
",
        to_deeplake("acme", "shop"),
        to_deeplake("evil", "default"),
    )
}

impl World {
    pub(crate) async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().display().to_string();
        let made = Command::new("git").args(["init", "-q", "--bare", &format!("{root}/bare")]).status();
        assert!(made.unwrap().success());
        let standin = StandIn::start(Faults::default()).await;
        let text = configuration(&root, &standin.url);
        std::fs::write(folder.path().join("skillspan.yaml"), &text).unwrap();
        let settings = config::parse(&text, Origin::Text("test"), &At(format!("{root}/data"))).unwrap();
        let service = Service::start(settings).await.unwrap();
        let address = |wanted| service.addresses().iter().find(|(name, _)| *name == wanted).unwrap().1;
        let (grpc, http, health) = (address("grpc"), address("http"), service.health().unwrap());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { folder, service: Some(service), standin, grpc, http, health, client }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Sends a session; it must be taken.
    pub(crate) async fn send(&self, door: Door, token: &str, said: &Said) {
        match door {
            Door::Grpc => {
                let mut client = LogsServiceClient::connect(format!("http://{}", self.grpc)).await.unwrap();
                let mut request = tonic::Request::new(as_logs(said));
                let value = MetadataValue::try_from(format!("Bearer {token}")).unwrap();
                request.metadata_mut().insert("authorization", value);
                let claimed = MetadataValue::try_from(said.workspace.as_str()).unwrap();
                request.metadata_mut().insert("x-skillspan-workspace", claimed);
                client.export(request).await.unwrap();
            }
            Door::Protobuf => {
                let body = as_logs(said).encode_to_vec();
                self.post("/v1/logs", "application/x-protobuf", token, said, body).await;
            }
            Door::Json => {
                let body = serde_json::to_vec(&as_logs(said)).unwrap();
                self.post("/v1/logs", "application/json", token, said, body).await;
            }
            Door::Hooks => {
                let body = as_hooks(said).into_bytes();
                self.post("/v1/hooks/claude", "application/x-ndjson", token, said, body).await;
            }
            Door::Langfuse => {
                let body = serde_json::to_vec(&as_ingestion(said)).unwrap();
                self.post("/api/public/ingestion", "application/json", token, said, body).await;
            }
            Door::Import => self.import(token, said),
        }
    }

    /// Imports the session on a machine of its own, which says whose it is.
    fn import(&self, token: &str, said: &Said) {
        let home = tempfile::tempdir().unwrap();
        let projects = home.path().join(".claude/projects/-srv-shop");
        std::fs::create_dir_all(&projects).unwrap();
        std::fs::write(projects.join(format!("{}.jsonl", said.session)), as_transcript(said)).unwrap();
        std::fs::write(home.path().join("token"), token).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_skillspan"));
        command.args(["import", "--yes", "--no-mining", "--endpoint", &format!("http://{}", self.http)]);
        command.args(["--workspace", &said.workspace, "--user", &said.person, "--token-file"]);
        command.arg(home.path().join("token")).env_clear().env("HOME", home.path()).current_dir(home.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let output = tokio::task::block_in_place(|| command.output()).unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// What a command says with the configuration of the service, which has stopped.
    pub(crate) fn command(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skillspan"));
        command.args(arguments).arg("--config").arg(self.path("skillspan.yaml"));
        let data = self.path("data");
        let output = command.env("HOME", &data).env("XDG_DATA_HOME", &data).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    /// What stands in the home folder of somebody who installs a tenant's skills.
    pub(crate) fn installed(&self, tenant: &str) -> String {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join(".claude")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_skillspan"));
        command.args(["skills", "install", "--from"]).arg(self.path("each").join(tenant));
        let output = command.env("HOME", home.path()).env("XDG_DATA_HOME", home.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        text_below(home.path())
    }

    async fn post(&self, path: &str, kind: &str, token: &str, said: &Said, body: Vec<u8>) {
        let request = self.client.post(format!("http://{}{path}", self.http)).body(body);
        let request = request
            .header("content-type", kind)
            .header("authorization", format!("Bearer {token}"))
            .header("x-skillspan-workspace", &said.workspace)
            .header("x-skillspan-tenant", "acme");
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        assert!(matches!(status, 200 | 207) && !text.contains("\"errors\":[{"), "{path}: {status} {text}");
    }

    pub(crate) async fn metrics(&self) -> String {
        let url = format!("http://{}/metrics", self.health);
        self.client.get(url).send().await.unwrap().text().await.unwrap()
    }

    /// Waits for something that must happen.
    pub(crate) async fn until(&self, what: &str, mut happened: impl FnMut(&Self) -> bool) {
        let started = Instant::now();
        while !happened(self) {
            assert!(started.elapsed() < PATIENCE, "{what}; the metrics are\n{}", self.metrics().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn stop(&mut self) {
        if let Some(service) = self.service.take() {
            service.drain().await;
        }
    }

    /// Everything that is a tenant's, place by place: what is written there, and what it is called.
    pub(crate) fn places(&self, tenant: &str) -> BTreeMap<String, String> {
        let mut places: BTreeMap<String, String> = BTreeMap::new();
        places.insert("folder".into(), text_below(&self.path("each").join(tenant)));
        places.insert("project".into(), text_below(&self.path("project").join(tenant)));
        places.insert("branch".into(), self.history(&format!("of-{tenant}")));
        for table in ["sessions", "skills", "library"] {
            let rows = self.standin.rows(&format!("{table}_{tenant}"));
            places.insert(format!("deeplake's {table}"), format!("{rows:?}"));
        }
        let table = self.path("sessions/v1").join(format!("owner_tenant={tenant}"));
        places.insert("table".into(), table_texts(&table));
        places
    }

    /// Everything that a branch ever said: its states', its messages'.
    fn history(&self, branch: &str) -> String {
        let bare = self.path("bare");
        let of = |revision: &str, path: &str| {
            let arguments = ["log", "-p", "--format=%B", revision, "--", path];
            let output = Command::new("git").arg("-C").arg(&bare).args(arguments).output().unwrap();
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        of(branch, ".") + &of("skillspan/state", branch)
    }
}

/// Every file below a folder, name and content.
pub(crate) fn text_below(folder: &Path) -> String {
    let mut text = String::new();
    for path in files(folder) {
        let content = std::fs::read(&path).unwrap_or_default();
        text += &format!("{}\n{}\n", path.display(), String::from_utf8_lossy(&content));
    }
    text
}

fn pair(key: &str, value: impl Into<String>) -> KeyValue {
    let value = Some(AnyValue { value: Some(Any::StringValue(value.into())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

/// The runs of a session: command, whether it passes.
fn runs(said: &Said) -> [(&str, bool); 3] {
    [(&said.test, false), (&said.fix, true), (&said.test, true)]
}

/// As Claude Code logs it.
fn as_logs(said: &Said) -> ExportLogsServiceRequest {
    let mut records = Vec::new();
    let mut record = |name: &str, more: Vec<KeyValue>| {
        let number = records.len();
        let mut attributes = vec![
            pair("event.name", name),
            pair("session.id", &said.session),
            pair("user.email", &said.person),
            pair("prompt.id", format!("{}-p{}", said.session, usize::from(number > 3))),
        ];
        attributes.extend(more);
        let time = u64::try_from(said.at + 2_000_000 * number as i64).unwrap() * 1_000;
        records.push(LogRecord {
            time_unix_nano: time,
            observed_time_unix_nano: time,
            body: Some(AnyValue { value: Some(Any::StringValue(format!("claude_code.{name}"))) }),
            attributes,
            ..LogRecord::default()
        });
    };
    record("user_prompt", vec![pair("prompt", &said.prompt)]);
    for (number, (command, passes)) in runs(said).into_iter().enumerate() {
        let mut attributes = vec![
            pair("tool_name", "Bash"),
            pair("tool_use_id", format!("toolu_{}_{number}", said.session)),
            pair("success", passes.to_string()),
            pair("tool_input", json!({ "command": command }).to_string()),
        ];
        if !passes {
            attributes.push(pair("error", "connection refused"));
        }
        record("tool_result", attributes);
    }
    record("user_prompt", vec![pair("prompt", "thanks")]);
    let resource = vec![
        pair("service.name", "claude-code"),
        pair("skillspan.workspace", &said.workspace),
        pair("skillspan.tenant", "acme"),
        pair("vcs.repository.url.full", "https://git.example.com/team/shop"),
    ];
    let scope = InstrumentationScope {
        name: "com.anthropic.claude_code.events".to_owned(),
        ..InstrumentationScope::default()
    };
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(Resource { attributes: resource, ..Resource::default() }),
            scope_logs: vec![ScopeLogs { scope: Some(scope), log_records: records, ..ScopeLogs::default() }],
            ..ResourceLogs::default()
        }],
    }
}

/// As its hooks say it, an object a line.
fn as_hooks(said: &Said) -> String {
    let mut lines = String::new();
    let mut number = 0;
    let mut line = |name: &str, more: Value| {
        number += 1;
        let at = Timestamp::from_micros(said.at + 2_000_000 * number);
        let mut object = json!({
            "hook_event_name": name, "session_id": said.session, "cwd": "/work/shop",
            "prompt_id": format!("{}-p{}", said.session, i64::from(number > 4)),
            "user.email": said.person, "skillspan.workspace": said.workspace, "workspace": said.workspace,
            "skillspan.tenant": "acme", "skillspan.observed_at": at.to_string(),
        });
        let fields = object.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        lines += &format!("{object}\n");
    };
    line("UserPromptSubmit", json!({ "prompt": said.prompt }));
    for (number, (command, passes)) in runs(said).into_iter().enumerate() {
        let id = format!("toolu_{}_{number}", said.session);
        let mut more =
            json!({ "tool_name": "Bash", "tool_use_id": id, "tool_input": { "command": command } });
        let (name, key, value) = match passes {
            true => ("PostToolUse", "tool_response", json!({ "stdout": "ok" })),
            false => ("PostToolUseFailure", "error", json!("connection refused")),
        };
        more[key] = value;
        line(name, more);
    }
    line("UserPromptSubmit", json!({ "prompt": "thanks" }));
    lines
}

/// As an application tells Langfuse: a trace with its tools.
fn as_ingestion(said: &Said) -> Value {
    let id = |what: &str| format!("{}-{what}", said.session);
    let at = |number: i64| Timestamp::from_micros(said.at + 2_000_000 * number).to_string();
    let mut batch = vec![json!({
        "id": id("e"), "type": "trace-create", "timestamp": at(0),
        "body": {
            "id": id("t"), "timestamp": at(0), "name": said.prompt, "sessionId": said.session,
            "userId": said.person, "input": said.prompt, "environment": said.workspace,
            "metadata": { "workspace": said.workspace, "skillspan.workspace": said.workspace },
        },
    })];
    for (number, (command, passes)) in (1..).zip(runs(said)) {
        batch.push(json!({
            "id": id(&format!("e{number}")), "type": "tool-create", "timestamp": at(number),
            "body": {
                "id": id(&format!("o{number}")), "traceId": id("t"), "name": "bash", "startTime": at(number),
                "endTime": at(number), "input": { "command": command },
                "output": if passes { "ok" } else { "connection refused" },
                "level": if passes { "DEFAULT" } else { "ERROR" },
                "metadata": { "skillspan.workspace": said.workspace },
            },
        }));
    }
    json!({ "batch": batch })
}

/// The session as Claude Code keeps it.
fn as_transcript(said: &Said) -> String {
    let mut lines = Vec::new();
    let mut say = |kind: &str, message: Value| {
        let at = said.at + lines.len() as i64 * 1_000_000;
        let line = json!({
            "type": kind, "sessionId": said.session, "cwd": "/srv/shop", "version": "2.1.197",
            "uuid": format!("{}-{}", said.session, lines.len()),
            "timestamp": Timestamp::from_micros(at).to_string(), "message": message,
        });
        lines.push(line.to_string());
    };
    say("user", json!({ "role": "user", "content": said.prompt }));
    for (number, (command, passes)) in runs(said).into_iter().enumerate() {
        let id = format!("toolu_{}_{number}", said.session);
        let call = json!([{ "type": "tool_use", "id": id, "name": "Bash", "input": { "command": command } }]);
        say(
            "assistant",
            json!({ "role": "assistant", "model": "m", "id": format!("msg_{id}"), "content": call }),
        );
        let words = if passes { "ok" } else { "connection refused" };
        let result =
            json!([{ "type": "tool_result", "tool_use_id": id, "is_error": !passes, "content": words }]);
        say("user", json!({ "role": "user", "content": result }));
    }
    say("user", json!({ "role": "user", "content": "thanks" }));
    lines.join("\n") + "\n"
}

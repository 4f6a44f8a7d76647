//! `skillspan demo`: runs the code of `run` on free ports, and sends it bundled sessions over real sockets.
//!
//! `sessions.json` holds five OTLP requests as Claude Code sends them: three sessions of two people
//! with a recurring procedure, two one-offs. They are sent alternately over gRPC and over HTTP.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use clap::Args;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;

use crate::config::{self, Origin, ProcessSource};
use crate::service::Service;
use crate::shell::tool::quoted;

use super::run::start_logging;
use super::{Failure, OrFail, block_on, local_client, print, print_as_is};

const SESSIONS: &str = include_str!("sessions.json");
/// The demo takes a few seconds; longer than this and something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the folder keeps the configuration.
const CONFIGURATION: &str = "skillspan.yaml";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Keep everything in this folder; it must be new or empty
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let folder = match &arguments.out {
        // The configuration names its folders as a whole: it is used from any folder.
        Some(folder) => std::path::absolute(folder).or_fail()?,
        None => std::env::temp_dir().join(format!("skillspan-demo-{}", uuid::Uuid::new_v4().simple())),
    };
    let outcome = prepare(&folder).and_then(|()| block_on(demonstrate(&folder)));
    if arguments.out.is_none() {
        // What is left behind lies in the system's folder for temporary files.
        let _ = std::fs::remove_dir_all(&folder);
    }
    let took = outcome?;
    print(&format!(
        "\nFrom the first span to the skill in {:.1} s.\n{}",
        took.as_secs_f64(),
        next(arguments.out.as_deref())
    ))
}

/// What a person types next.
fn next(kept: Option<&Path>) -> String {
    let look = match kept {
        Some(folder) => format!(
            "Everything is kept in {}. Look at its sessions:\n  \
             skillspan sessions list --config {}\n\n",
            folder.display(),
            quoted(&folder.join(CONFIGURATION).display().to_string())
        ),
        None => "To keep what this made and look at it:\n  skillspan demo --out demo\n\n".to_owned(),
    };
    format!(
        "\n# Next\n{look}To learn from the sessions that your assistants keep on this machine:\n  skillspan import\n\
         To learn from those to come, start skillspan and leave it running:\n  skillspan run\n\
         Then, in another terminal, connect the assistants of this machine:\n  skillspan connect --all --write\n"
    )
}

fn prepare(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}; name another folder with --out", folder.display()))
        .or_fail()?;
    let mut entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display())).or_fail()?;
    if entries.next().is_some() {
        return Err(Failure::Usage(anyhow!("{} is not empty; name a new folder", folder.display())));
    }
    Ok(())
}

/// Prints what happens; how long it took.
async fn demonstrate(folder: &Path) -> Result<Duration, Failure> {
    let configuration = configuration(folder);
    print_as_is(&format!(
        "This starts skillspan on free ports, sends it five sessions as Claude Code does,\nand shows the skill that comes out. Nothing leaves this machine.\n\n# The configuration\n{configuration}\n"
    ))?;
    std::fs::write(folder.join(CONFIGURATION), &configuration).or_fail()?;
    let settings = config::parse(&configuration, Origin::Text("demo"), &ProcessSource)?;
    start_logging(settings.logs, true);
    let started = Instant::now();
    let service = Service::start(settings).await.or_fail()?;
    let outcome = send_and_wait(&service, &folder.join("skills")).await;
    service.drain().await;
    let sent = outcome.or_fail()?;
    let took = started.elapsed();
    print(&format!("{sent}\n"))?;
    let mut skills = String::new();
    show_skills(&mut skills, &folder.join("skills")).or_fail()?;
    print_as_is(&skills)?;
    Ok(took)
}

fn configuration(folder: &Path) -> String {
    // A path is written as a JSON text, which YAML reads as it is; `$` would begin a reference.
    let path = |name: &str| {
        serde_json::Value::from(folder.join(name).display().to_string().replace('$', "$$")).to_string()
    };
    format!(
        "extensions:
  health: {{ endpoint: 127.0.0.1:0 }}
  sessions_table: {{ path: {} }}
receivers:
  otlp: {{ protocols: {{ grpc: {{ endpoint: 127.0.0.1:0 }}, http: {{ endpoint: 127.0.0.1:0 }} }} }}
processors:
  workspace: {{ from: [], default: demo }}
exporters:
  parquet: {{ flush: {{ age: 1s }} }}
  filesystem: {{ path: {} }}
connectors:
  skillify: {{ every_turns: 1, min_interval: 1s, digests: {} }}
service:
  journal: {{ path: {}, max_size: 64MiB, segment: 4MiB }}
  telemetry: {{ logs: {{ level: warn }} }}
",
        path("sessions"),
        path("skills"),
        path("digests"),
        path("journal")
    )
}

async fn send_and_wait(service: &Service, skills: &Path) -> anyhow::Result<String> {
    let address = |wanted: &str| {
        let found = service.addresses().iter().find(|(protocol, _)| *protocol == wanted);
        found.map(|(_, address)| *address).with_context(|| format!("no {wanted} port"))
    };
    let (grpc, http) = (address("grpc")?, address("http")?);
    let sent = send(grpc, http).await?;
    service.flush().await;
    let deadline = Instant::now() + PATIENCE;
    while !any_skill(skills) {
        if Instant::now() > deadline {
            bail!("no skill came out within {} s", PATIENCE.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(format!(
        "# Sent\n{sent} sessions over OTLP: over gRPC to {grpc} and as JSON over HTTP to {http}, alternately.\n"
    ))
}

/// Sends each session as a request of its own; every second one over HTTP.
async fn send(grpc: SocketAddr, http: SocketAddr) -> anyhow::Result<usize> {
    let requests: Vec<serde_json::Value> = serde_json::from_str(SESSIONS)?;
    let mut grpc = LogsServiceClient::connect(format!("http://{grpc}")).await?;
    let client = local_client().build()?;
    for (index, request) in requests.iter().enumerate() {
        if index.is_multiple_of(2) {
            let request: ExportLogsServiceRequest = serde_json::from_value(request.clone())?;
            grpc.export(request).await?;
        } else {
            let answer = client.post(format!("http://{http}/v1/logs")).json(request).send().await?;
            answer.error_for_status()?;
        }
    }
    Ok(requests.len())
}

fn skill_folders(target: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(target.join("skills")) else { return Vec::new() };
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.retain(|folder| folder.join("SKILL.md").is_file());
    folders.sort();
    folders
}

fn any_skill(target: &Path) -> bool {
    !skill_folders(target).is_empty()
}

fn show_skills(text: &mut String, target: &Path) -> anyhow::Result<()> {
    let _ = writeln!(text, "# The files that came out");
    tree(text, target, target)?;
    let skills = skill_folders(target);
    let skill = skills.first().context("the skill is gone")?;
    for file in ["SKILL.md", "references/evidence.md"] {
        let path = skill.join(file);
        let content =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let shown = path.strip_prefix(target).unwrap_or(&path);
        let _ = write!(text, "\n# {}\n{content}", shown.display());
    }
    Ok(())
}

fn tree(text: &mut String, root: &Path, folder: &Path) -> anyhow::Result<()> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            tree(text, root, &path)?;
        } else {
            let _ = writeln!(text, "{}", path.strip_prefix(root).unwrap_or(&path).display());
        }
    }
    Ok(())
}

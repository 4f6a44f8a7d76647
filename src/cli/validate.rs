//! `skillspan validate`, and the list of components.

use std::fmt::Write;

use anyhow::anyhow;

use super::{ConfigFile, Failure, print};
use crate::config::Given;
use crate::service::{outline, unusable_files};

/// What `skillspan components` prints.
pub(super) const COMPONENTS: &str = "\
receivers:
  otlp          OTLP over gRPC and HTTP, protobuf and JSON
  hooks         /v1/hooks/{assistant}: events that hooks of assistants send
  transcripts   session files of the assistants on this machine
  langfuse      Langfuse's own paths: ingestion, scores, media, OTLP
processors:
  mappings      says what the records of your own agents mean
  filter        leaves out records or sessions
  sampling      stores a part of the sessions, each whole or not at all
  attributes    sets, renames, hashes and deletes attributes
  redact        removes credentials from every text before it is stored
  workspace     takes the workspace from the payload
  limits        cuts long texts; limits what tenants send
exporters:
  parquet       journal -> sessions table
  deeplake      sessions and skills -> rows of a Deeplake service
  otlp          what came in, unchanged -> another backend over gRPC
  otlphttp      the same over HTTP
  langfuse      the same -> a Langfuse server, a project for each tenant
  filesystem    skills -> folder
  git           skills -> branch of a repository, proposed or pushed
connectors:
  skillify      sessions table -> skills
extensions:
  auth            who may send: bearer tokens and Basic pairs
  console         pages: sessions, skills, and what waits for a decision
  health          /health, /ready, /status, /metrics
  sessions_table  where the table is: a folder, or s3://, gs://, az://
";

pub(super) fn run(config: &ConfigFile) -> Result<(), Failure> {
    let settings = config.load()?;
    let unusable = unusable_files(&settings);
    if !unusable.is_empty() {
        return Err(Failure::Failed(anyhow!(unusable.join("\n"))));
    }
    let mut lines = String::new();
    for warning in &settings.warnings {
        let _ = writeln!(lines, "warning: {warning}");
    }
    let _ = writeln!(lines, "{}", verdict(&settings.given));
    lines.push_str(&outline(&settings));
    print(&lines)
}

fn verdict(given: &Given) -> String {
    let mut names: Vec<String> = given.configs.iter().map(|file| file.display().to_string()).collect();
    if names.is_empty() {
        names.push("the built-in configuration".to_owned());
    }
    if !given.sets.is_empty() {
        names.push("--set".to_owned());
    }
    let verb = if names.len() > 1 { "are" } else { "is" };
    format!("{} {verb} valid", names.join(" and "))
}

//! `skillspan validate`, and the list of components.

use std::fmt::Write;

use super::{ConfigFile, Failure, print};

/// What `skillspan components` prints.
pub(super) const COMPONENTS: &str = "\
receivers:
  otlp          OTLP over gRPC and HTTP, protobuf and JSON
  hooks         /v1/hooks/{assistant}: what assistants give to their hooks
  langfuse      Langfuse's own paths: ingestion, scores, media, OTLP below its prefix
processors:
  mappings      what records of agents of your own mean
  redact        credentials leave every text before it is stored
  workspace     the workspace that a payload names
  limits        the longest text that is stored
exporters:
  parquet       journal -> sessions table
  deeplake      sessions and skills -> rows of a Deeplake service
  filesystem    skills -> folder
  git           skills -> branch of a repository, proposed or pushed
connectors:
  skillify      sessions table -> skills
extensions:
  auth            who may send: bearer tokens and Basic pairs
  health          /health, /ready, /status, /metrics
  sessions_table  where the table is: a folder, or s3://, gs://, az://
";

pub(super) fn run(config: &ConfigFile) -> Result<(), Failure> {
    let settings = config.load()?;
    let mut lines = String::new();
    for warning in &settings.warnings {
        let _ = writeln!(lines, "warning: {warning}");
    }
    let name =
        config.config.as_ref().map_or("the built-in configuration".into(), |file| file.display().to_string());
    let _ = writeln!(lines, "{name} is valid");
    print(&lines)
}

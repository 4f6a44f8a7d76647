//! The lines a start prints: what a person needs to know on the first day.

use std::fmt::Write;
use std::net::SocketAddr;

use crate::config::{ProcessorSettings, Settings};

use super::Service;

impl Service {
    /// What listens where, what is stored where, and what to do next.
    pub fn notice(&self, settings: &Settings) -> String {
        let mut lines = format!("skillspan {}\n", env!("CARGO_PKG_VERSION"));
        for (protocol, address) in self.addresses() {
            line(&mut lines, &format!("OTLP/{protocol}"), &format!("{address} (gRPC and HTTP, either port)"));
        }
        if let Some(health) = self.health() {
            line(&mut lines, "health", &format!("http://{health}/health, /ready, /metrics"));
        }
        if let Some(pipeline) = &settings.sessions {
            line(&mut lines, "journal", &pipeline.journal.path.display().to_string());
            let redacting =
                |processor: &ProcessorSettings| matches!(processor, ProcessorSettings::Redact { .. });
            let redacted = if pipeline.processors.iter().any(redacting) {
                "credentials are redacted first"
            } else {
                "nothing is redacted"
            };
            line(
                &mut lines,
                "sessions",
                &format!("{} (kept until you delete them; {redacted})", settings.table.display()),
            );
        }
        for target in settings.skills.iter().flat_map(|pipeline| &pipeline.targets) {
            line(&mut lines, "skills", &target.path.display().to_string());
        }
        lines.push_str(
            "Nothing leaves this machine. To forget everything, stop skillspan and delete these folders.\n",
        );
        if let Some((_, address)) = self.addresses().iter().find(|(protocol, _)| *protocol == "http") {
            let listeners = settings.sessions.iter().flat_map(|pipeline| &pipeline.listeners);
            let tls = listeners.filter(|listener| listener.protocol == "http").any(|http| http.tls.is_some());
            let scheme = if tls { "https" } else { "http" };
            lines.push_str(&point_claude_code_here(scheme, *address, settings.credentials.is_some()));
        }
        for target in settings.skills.iter().flat_map(|pipeline| &pipeline.targets) {
            let path = target.path.display();
            let _ = writeln!(
                lines,
                "To use the skills in a project:  mkdir -p .claude && ln -s {path}/skills .claude/skills"
            );
        }
        for warning in &settings.warnings {
            let _ = writeln!(lines, "warning: {warning}");
        }
        lines
    }
}

fn line(lines: &mut String, name: &str, value: &str) {
    let _ = writeln!(lines, "  {name:<10} {value}");
}

/// What makes Claude Code export to `address`.
fn point_claude_code_here(scheme: &str, address: SocketAddr, guarded: bool) -> String {
    let credential = match guarded {
        true => "  export OTEL_EXPORTER_OTLP_HEADERS=\"Authorization=Bearer $YOUR_TOKEN\"\n",
        false => "",
    };
    format!(
        "To point Claude Code here (OTEL_RESOURCE_ATTRIBUTES=skillspan.capture=false leaves a session out):
  export CLAUDE_CODE_ENABLE_TELEMETRY=1 CLAUDE_CODE_ENHANCED_TELEMETRY_BETA=1
  export OTEL_LOGS_EXPORTER=otlp OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
  export OTEL_EXPORTER_OTLP_ENDPOINT={scheme}://{address}
  export OTEL_LOG_USER_PROMPTS=1 OTEL_LOG_TOOL_DETAILS=1 OTEL_LOG_TOOL_CONTENT=1
{credential}"
    )
}

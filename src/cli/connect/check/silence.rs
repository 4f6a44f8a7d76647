//! What settings hold back: everything, or a part of what an assistant could send.

use serde_json::Value;

use super::written::{Written, says_content};
use crate::cli::connect::base_of;
use crate::cli::connect::client::Client;
use crate::cli::connect::settings::{Setting, To};
use crate::event::capture;

/// What is said where everything is kept back.
const SDKS: &str = "OpenTelemetry's SDKs send nothing then";
const NOTHING: &str = "nothing of a session is sent";
const DISABLED: &str = "OTEL_SDK_DISABLED";
/// Clients that were seen to send all the same.
const NOT_DISABLED: [&str; 1] = ["codex"];
/// Switches that are on unless the settings say otherwise.
const ON_BY_ITSELF: [&str; 1] = ["logPrompts"];
/// Of Claude Code: without it there are no spans.
const SPANS: (&str, &str) = ("CLAUDE_CODE_ENHANCED_TELEMETRY_BETA", "the order of sub-agents");

/// Why nothing of a session is sent, though telemetry is on and goes to `url`.
pub(super) fn silent(client: &Client, written: &Written, url: &str) -> Result<(), String> {
    let endpoint = base_of(url);
    let remedy =
        format!("`skillspan connect {} --write --replace --endpoint {endpoint}` sets it", client.name);
    if !NOT_DISABLED.contains(&client.name)
        && written.variable(DISABLED).is_some_and(|value| capture::read(&value) == Some(true))
    {
        return Err(format!("{DISABLED} is true, and {SDKS}: take it out of {}", written.place()));
    }
    if client.name == "claude-code" && !exports(written.variable("OTEL_LOGS_EXPORTER").as_deref()) {
        return Err(format!(
            "{} does not set OTEL_LOGS_EXPORTER to otlp, and {NOTHING}; {remedy}",
            written.place()
        ));
    }
    Ok(())
}

/// Whether that is what a reason says.
pub(super) fn is_told_in(reason: &str) -> bool {
    [SDKS, NOTHING].iter().any(|says| reason.contains(says))
}

/// Whether a list of exporters names that of OTLP.
fn exports(value: Option<&str>) -> bool {
    value.is_some_and(|value| value.split(',').any(|exporter| exporter.trim() == "otlp"))
}

/// The data that the assistant holds back: the switch, and what it would send.
pub(super) fn withheld(client: &Client, written: &Written) -> Vec<String> {
    let settings = (client.settings)(&To::nobody());
    let mut withheld: Vec<String> = settings
        .iter()
        .filter(|setting| !setting.exposes.is_empty() && is_off(setting, written))
        .map(|setting| format!("{} ({})", setting.exposes, setting.path.join(".").trim_start_matches("env.")))
        .collect();
    let (name, exposes) = SPANS;
    let is_on = written.variable(name).is_some_and(|value| capture::read(&value) == Some(true));
    if client.name == "claude-code" && !is_on {
        withheld.push(format!("{exposes} ({name})"));
    }
    withheld
}

fn is_off(setting: &Setting, written: &Written) -> bool {
    let name = setting.path.last().copied().unwrap_or_default();
    let value = match setting.path {
        [name] | ["env", name] => written.variable(name),
        path => written.get(path),
    };
    match (&setting.value, value) {
        (Value::Bool(true), None) => !ON_BY_ITSELF.contains(&name),
        (Value::Bool(true), Some(value)) => capture::read(&value) == Some(false) || value.is_empty(),
        (Value::String(ours), value) if ours == "otlp" => !exports(value.as_deref()),
        (Value::String(ours), value) if ours.starts_with("http") => {
            // Where the rest goes is looked at; of several addresses one may be missing.
            value.is_none() && setting.path.contains(&"trace_exporter") && !written.exports_spans_by_grpc()
        }
        (Value::String(_), value) => !value.is_some_and(|value| says_content(&value)),
        _ => false,
    }
}

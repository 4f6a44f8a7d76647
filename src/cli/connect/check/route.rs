//! Where a client sends to, and how, as the settings that are written say.

use std::path::{Path, PathBuf};

use super::silence;
use super::written::{Written, says_content};
use crate::cli::connect::client::Client;
use crate::cli::connect::settings::{HEADERS, RESOURCE};
use crate::cli::hook::{pairs, percent_decoded};
use crate::event::capture;
use crate::receivers::otlp::Encoding;

/// How one client reaches its collector.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    /// What it says of itself with every record.
    pub(super) resource: Vec<(String, String)>,
    pub(super) encoding: Encoding,
    /// The switch that lets texts out, where it is off.
    pub(super) withheld: Option<String>,
    /// What else is kept back, and by which switches.
    pub(super) in_part: Vec<String>,
    /// The settings say gRPC; what takes both on one port is asked over HTTP.
    pub(super) is_grpc: bool,
    /// Files of certificates that it trusts beside those of the system.
    pub(super) authorities: Vec<PathBuf>,
}

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const NODE: &str = "NODE_EXTRA_CA_CERTS";
const OTEL: &str = "OTEL_EXPORTER_OTLP_CERTIFICATE";
const PYTHON: &str = "REQUESTS_CA_BUNDLE";

/// The variables that name files of authorities which a client trusts as well, as it was tried with each
/// (`tests/live/authorities.txt`).
fn authorities_of(client: &str) -> &'static [&'static str] {
    match client {
        "codex" => &[],
        "claude-code" => &[NODE],
        "hermes" | "otel-python" | "langfuse" => &[OTEL, PYTHON],
        _ => &[NODE, OTEL],
    }
}

/// Clients that trust the public authorities that they bring along, and none that the system or SSL_CERT_FILE adds.
pub(super) const OF_THEIR_OWN: [&str; 6] =
    ["gemini-cli", "qwen", "otel-js", "hermes", "otel-python", "langfuse"];

/// The route of a client.
pub(super) fn of(client: &Client, named: Option<&Path>) -> Result<Route, String> {
    let written = Written::read(client, named)?;
    let route = match client.name {
        "claude-code" => {
            written.needs(&["env", "CLAUDE_CODE_ENABLE_TELEMETRY"])?;
            let content = ["OTEL_LOG_USER_PROMPTS"];
            by_variables(&written, "logs", Encoding::Protobuf, &content)
        }
        "codex" => codex(&written),
        "gemini-cli" | "qwen" => telemetry(&written),
        "opencode" => {
            written.needs(&["experimental", "openTelemetry"])?;
            by_variables(&written, "traces", Encoding::Json, &[])
        }
        "openclaw" => openclaw(&written),
        "langfuse" => langfuse(&written),
        "hermes" => by_variables(&written, "traces", Encoding::Protobuf, &["HERMES_OTEL_CAPTURE_CONTENT"]),
        "copilot" => {
            let content = ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"];
            by_variables(&written, "traces", Encoding::Json, &content)
        }
        _ => by_variables(&written, "traces", Encoding::Protobuf, &[]),
    }?;
    let is_left_out =
        |(name, value): &(String, String)| name == "skillspan.capture" && capture::forbids(value);
    if route.resource.iter().any(is_left_out) {
        return Err(format!("{RESOURCE} leaves its sessions out (skillspan.capture)"));
    }
    if !route.url.starts_with("http://") && !route.url.starts_with("https://") {
        return Err(format!("{} is no address: it begins with http:// or https://", route.url));
    }
    silence::silent(client, &written, &route.url)?;
    Ok(Route { in_part: silence::withheld(client, &written), ..route })
}

/// As OpenTelemetry's SDKs read their variables.
fn by_variables(written: &Written, signal: &str, usual: Encoding, content: &[&str]) -> Result<Route, String> {
    let of_signal = |name: &str| {
        let special = name.replace("OTLP_", &format!("OTLP_{}_", signal.to_uppercase()));
        written.variable(&special).or_else(|| written.variable(name))
    };
    let protocol = of_signal("OTEL_EXPORTER_OTLP_PROTOCOL");
    let is_grpc = protocol.as_deref() == Some("grpc");
    let own = written.variable(&format!("OTEL_EXPORTER_OTLP_{}_ENDPOINT", signal.to_uppercase()));
    let path = format!("v1/{signal}");
    // Over gRPC an address has no path.
    let own = own.map(|own| if is_grpc { below(&with_scheme(&own), &path) } else { own });
    let base = || written.variable(ENDPOINT);
    let base = || base().map(|base| if is_grpc { with_scheme(&base) } else { base });
    let url = own.or_else(|| base().map(|base| below(&base, &path)));
    let url = url.ok_or_else(|| written.missing(ENDPOINT))?;
    let encoding = match protocol.as_deref() {
        None => usual,
        Some("http/protobuf" | "grpc") => Encoding::Protobuf,
        Some("http/json") => Encoding::Json,
        Some(other) => {
            return Err(format!(
                "its settings say the protocol {other:?}, which OpenTelemetry does not have"
            ));
        }
    };
    let is_on = |name: &&&str| written.variable(name).is_some_and(|value| says_content(&value));
    let withheld = content.iter().find(|name| !is_on(name)).map(|name| (*name).to_owned());
    let headers = of_signal(HEADERS).unwrap_or_default();
    let headers = pairs(&headers, percent_decoded);
    Ok(Route { url, headers, encoding, withheld, is_grpc, ..shared(written) })
}

/// Addresses of gRPC may do without.
fn with_scheme(address: &str) -> String {
    if address.contains("://") { address.to_owned() } else { format!("http://{address}") }
}

/// The headers and trusted certificates that all clients share.
fn shared(written: &Written) -> Route {
    let is_raw = written.beside.as_ref().is_some_and(|(_, wins)| *wins);
    let resource = written.variable(RESOURCE).unwrap_or_default();
    let authorities = authorities_of(written.client).iter();
    let authorities = authorities.filter_map(|name| written.variable(name)).map(PathBuf::from).collect();
    Route {
        url: String::new(),
        headers: Vec::new(),
        resource: pairs(&resource, if is_raw { str::to_owned } else { percent_decoded }),
        encoding: Encoding::Protobuf,
        withheld: None,
        in_part: Vec::new(),
        is_grpc: false,
        authorities,
    }
}

fn codex(written: &Written) -> Result<Route, String> {
    let exporter = |key| ["otel", "exporter", "otlp-http", key];
    let by_grpc = written.get(&["otel", "exporter", "otlp-grpc", "endpoint"]);
    let (url, is_grpc) = match (written.get(&exporter("endpoint")), by_grpc) {
        (Some(url), _) => (url, false),
        (None, Some(base)) => (below(&with_scheme(&base), "v1/logs"), true),
        (None, None) => return Err(written.missing("otel.exporter.otlp-http.endpoint")),
    };
    let encoding = match written.get(&exporter("protocol")).as_deref() {
        Some("json") => Encoding::Json,
        _ => Encoding::Protobuf,
    };
    let kind = if is_grpc { "otlp-grpc" } else { "otlp-http" };
    let token = written.get(&["otel", "exporter", kind, "headers", "Authorization"]);
    let headers = token.map(|token| ("Authorization".to_owned(), token)).into_iter().collect();
    let withheld = (!written.is_on(&["otel", "log_user_prompt"])).then(|| "otel.log_user_prompt".to_owned());
    // It trusts what the system trusts.
    Ok(Route { url, headers, encoding, withheld, is_grpc, authorities: Vec::new(), ..shared(written) })
}

/// Gemini CLI's block of settings, and Qwen Code's.
fn telemetry(written: &Written) -> Result<Route, String> {
    written.needs(&["telemetry", "enabled"])?;
    let base = written
        .get(&["telemetry", "otlpEndpoint"])
        .ok_or_else(|| written.missing("telemetry.otlpEndpoint"))?;
    let is_grpc = written.get(&["telemetry", "otlpProtocol"]).as_deref() != Some("http");
    let base = if is_grpc { with_scheme(&base) } else { base };
    let is_withheld = written.get(&["telemetry", "logPrompts"]).is_some_and(|value| value == "false");
    let withheld = is_withheld.then(|| "telemetry.logPrompts".to_owned());
    let headers = pairs(&written.variable(HEADERS).unwrap_or_default(), percent_decoded);
    let url = below(&base, "v1/logs");
    Ok(Route { url, headers, encoding: Encoding::Json, withheld, is_grpc, ..shared(written) })
}

fn openclaw(written: &Written) -> Result<Route, String> {
    written.needs(&["diagnostics", "otel", "enabled"])?;
    let base = written
        .get(&["diagnostics", "otel", "endpoint"])
        .ok_or_else(|| written.missing("diagnostics.otel.endpoint"))?;
    let token = written.get(&["diagnostics", "otel", "headers", "Authorization"]);
    let headers = token.map(|token| ("Authorization".to_owned(), token)).into_iter().collect();
    let switch = ["diagnostics", "otel", "captureContent"];
    let withheld = (!written.is_on(&switch)).then(|| switch.join("."));
    Ok(Route { url: below(&base, "v1/traces"), headers, withheld, ..shared(written) })
}

fn langfuse(written: &Written) -> Result<Route, String> {
    use base64::Engine;
    let base = written.variable("LANGFUSE_BASE_URL").or_else(|| written.variable("LANGFUSE_HOST"));
    let base = base.ok_or_else(|| written.missing("LANGFUSE_BASE_URL"))?;
    let key = |name| written.variable(name).ok_or_else(|| written.missing(name));
    let pair = format!("{}:{}", key("LANGFUSE_PUBLIC_KEY")?, key("LANGFUSE_SECRET_KEY")?);
    let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    let url = below(&base, "api/public/otel/v1/traces");
    Ok(Route { url, headers: vec![("Authorization".to_owned(), basic)], ..shared(written) })
}

fn below(base: &str, path: &str) -> String {
    format!("{}/{path}", base.trim_end_matches('/'))
}

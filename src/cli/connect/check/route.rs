//! Where a client sends to, and how, as the settings that are written say.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::silence;
use crate::cli::connect::beside::Beside;
use crate::cli::connect::catalogue::{Client, Place};
use crate::cli::connect::change::file_of;
use crate::cli::connect::document::Document;
use crate::cli::connect::settings::{HEADERS, RESOURCE};
use crate::cli::connect::{file, store};
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

/// What is read: the settings, the variables beside them, and the environment.
pub(super) struct Written {
    settings: Option<Document>,
    beside: Option<(Document, bool)>,
    path: Option<PathBuf>,
    /// Below which key of the settings variables stand.
    variables: Option<&'static str>,
    /// The variable without which the client sends nothing, and which its settings cannot hold.
    needs: &'static str,
    /// The client's name on the command line.
    client: &'static str,
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

impl Written {
    fn read(client: &Client, named: Option<&Path>) -> Result<Self, String> {
        let path = match (client.place, named) {
            (Place::Environment(None), None) => None,
            _ => Some(file_of(client, named.map(Path::to_owned)).map_err(|failure| failure.to_string())?),
        };
        let document = |path: &Path, place| -> Result<Option<Document>, String> {
            let Some(text) = store::read(path).map_err(|error| error.to_string())? else { return Ok(None) };
            file::parse(place, &text).map(Some).map_err(|error| format!("{}: {error}", path.display()))
        };
        let settings = path.as_deref().map(|path| document(path, client.place)).transpose()?.flatten();
        let beside = match (Beside::of(client), &path) {
            (Some(beside), Some(path)) => {
                document(&beside.file(path), beside.place())?.map(|document| (document, beside.wins))
            }
            _ => None,
        };
        let variables = (client.name == "claude-code").then_some("env");
        Ok(Self { settings, beside, path, variables, needs: client.needs, client: client.name })
    }

    /// A setting as text; `None` if it is not there.
    pub(super) fn get(&self, path: &[&str]) -> Option<String> {
        match self.settings.as_ref()?.get(path)? {
            Value::String(text) => Some(text),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    /// A variable as the client sees it.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let in_settings = || match self.variables {
            Some(key) => self.get(&[key, name]),
            None => self.get(&[name]),
        };
        let of_shell = || std::env::var(name).ok();
        let beside = || self.beside.as_ref().and_then(|(document, _)| text_of(document.get(&[name])?));
        let beside_wins = self.beside.as_ref().is_some_and(|(_, wins)| *wins);
        let found = match beside_wins {
            true => beside().or_else(of_shell),
            false => in_settings().or_else(of_shell).or_else(beside),
        };
        found.filter(|value| !value.is_empty())
    }

    fn is_on(&self, path: &[&str]) -> bool {
        self.get(path).is_some_and(|value| capture::read(&value) == Some(true))
    }

    fn needs(&self, path: &[&str]) -> Result<(), String> {
        if self.is_on(path) { Ok(()) } else { Err(self.missing(&path.join("."))) }
    }

    fn missing(&self, name: &str) -> String {
        if self.needs == name {
            return format!(
                "it sends nothing where {name} is not set, as in this shell; no file of its own can set it, so set it \
                 where it is started, and check there"
            );
        }
        format!("{} does not set {name}; `skillspan connect {}` says how", self.place(), self.client)
    }

    /// Where its settings stand.
    pub(super) fn place(&self) -> String {
        match &self.path {
            Some(path) => path.display().to_string(),
            None => "the environment of this shell".to_owned(),
        }
    }

    /// Codex, set up by hand.
    pub(super) fn exports_spans_by_grpc(&self) -> bool {
        self.get(&["otel", "trace_exporter", "otlp-grpc", "endpoint"]).is_some()
    }
}

fn text_of(value: Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

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

/// A switch is on, or names where texts go.
pub(super) fn says_content(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    capture::read(&value) == Some(true) || value.contains("span") || value.contains("event")
}

/// What every client says with its records, and whom it trusts.
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

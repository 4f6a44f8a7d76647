//! The settings of each assistant, and what goes into them.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::Value;

/// The variable with the resource attributes that an SDK sends.
pub(super) const RESOURCE: &str = "OTEL_RESOURCE_ATTRIBUTES";
/// The variable with the headers that an SDK sends.
pub(super) const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
/// How a token begins there, and in a header of its own.
/// As it is: some clients decode what stands there, and Claude Code and OpenCode do not.
const IN_HEADERS: &str = "Authorization=Bearer ";
const IN_HEADER: &str = "Bearer ";
/// What of it says whose the sessions are.
const WHOSE: [&str; 2] = ["workspace", "enduser.id"];

/// Where an assistant is to send, and as whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct To<'a> {
    /// The base of the collector's addresses, such as `http://127.0.0.1:4318`.
    pub(super) endpoint: &'a str,
    /// Whose work it is.
    pub(super) workspace: Option<&'a str>,
    /// Who works there.
    pub(super) user: Option<&'a str>,
    /// What a collector of a team asks for.
    pub(super) token: Option<&'a str>,
    /// The file that hooks read it from.
    pub(super) token_file: Option<&'a str>,
}

impl To<'_> {
    /// Nobody, at the usual address: for what only looks whether settings are there.
    pub(super) const fn nobody() -> To<'static> {
        To { endpoint: super::ENDPOINT, workspace: None, user: None, token: None, token_file: None }
    }

    /// The same with a workspace and a person, if only as examples: removal looks for all settings.
    pub(super) fn naming_all(self) -> Self {
        Self {
            workspace: self.workspace.or(Some("default")),
            user: self.user.or(Some("default")),
            token: self.token.or(Some("default")),
            ..self
        }
    }

    /// `OTEL_RESOURCE_ATTRIBUTES` that say whose the sessions are; `None` if nothing is to be said.
    pub(super) fn resource_attributes(&self) -> Option<String> {
        self.attributes(|byte| byte.is_ascii_alphanumeric() || b"-._~@/:+".contains(&byte))
    }

    /// The same for a client that decodes nothing: only what it could not tell apart is encoded.
    pub(super) fn resource_attributes_as_they_are(&self) -> Option<String> {
        self.attributes(|byte| !(byte.is_ascii_control() || b",=%\"'`$\\#".contains(&byte)))
    }

    fn attributes(&self, is_plain: impl Fn(u8) -> bool) -> Option<String> {
        let said = [(WHOSE[0], self.workspace), (WHOSE[1], self.user)];
        let pairs =
            said.iter().filter_map(|(name, value)| Some(format!("{name}={}", encoded((*value)?, &is_plain))));
        let pairs: Vec<String> = pairs.collect();
        (!pairs.is_empty()).then(|| pairs.join(","))
    }

    /// `OTEL_EXPORTER_OTLP_HEADERS` that hold the token; `None` without one.
    pub(super) fn headers(&self) -> Option<String> {
        Some(format!("{IN_HEADERS}{}", self.token?))
    }

    fn authorization(&self, path: &'static [&'static str]) -> Option<Setting> {
        Some(set(path, format!("{IN_HEADER}{}", self.token?), ""))
    }

    /// The same as variables, among settings that are variables.
    fn variables(&self) -> impl Iterator<Item = Setting> {
        let whose = self.resource_attributes().map(|whose| set(&[RESOURCE], whose, ""));
        let headers = self.headers().map(|headers| set(&[HEADERS], headers, ""));
        whose.into_iter().chain(headers)
    }
}

/// Encodes a value as the SDKs read it: separators of pairs and characters that shells read become percent codes.
fn encoded(value: &str, is_plain: impl Fn(u8) -> bool) -> String {
    let escaped =
        |char: char| char.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let is_plain = |char: char| char.to_string().bytes().all(&is_plain);
    value.chars().map(|char| if is_plain(char) { char.to_string() } else { escaped(char) }).collect()
}

/// One setting.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// Its keys from the outermost to the innermost.
    pub(super) path: &'static [&'static str],
    /// What it is set to.
    pub(super) value: Value,
    /// Whether the value is one more element of a list rather than the setting itself.
    pub(super) in_list: bool,
    /// The data that the setting exposes; `""` if it only says where to send.
    pub(super) exposes: &'static str,
}

impl Setting {
    /// Whether it says whose the sessions are.
    pub(super) fn says_whose(&self) -> bool {
        self.path.last() == Some(&RESOURCE)
    }

    /// Whether it holds a token.
    pub(super) fn is_secret(&self) -> bool {
        self.value.as_str().is_some_and(holds_a_token)
    }

    /// Whether a value in its place is one of ours, with any token or person.
    pub(super) fn may_be(&self, value: &Value) -> bool {
        let text = value.as_str().unwrap_or_default();
        let is_whose = |pair: &str| pair.split_once('=').is_some_and(|(name, _)| WHOSE.contains(&name));
        match () {
            () if self.says_whose() => text.split(',').all(is_whose),
            // Other headers may stand behind it, and are not ours.
            () if self.is_secret() => holds_a_token(text) && !text.contains(','),
            // A command of ours, wherever it was told to ask.
            () if !self.in_list => is_program_of_ours(&self.value, value) || self.is_command_of_ours(value),
            () => false,
        }
    }

    /// Whether it is the words of `skillspan mcp`, or what follows its first, and the value has the same beginning.
    fn is_command_of_ours(&self, value: &Value) -> bool {
        let (Value::Array(own), Value::Array(found)) = (&self.value, value) else { return false };
        let begin = own.iter().position(|word| word == super::command::MCP[1]).map_or(0, |at| at + 1);
        let same = |(own, found): (&Value, &Value)| own == found || is_program_of_ours(own, found);
        begin > 0 && found.len() >= begin && own.iter().zip(found).take(begin).all(same)
    }

    /// Whether it is there only where a person asked for it.
    pub(super) fn is_asked_for(&self) -> bool {
        self.says_whose() || self.is_secret()
    }
}

/// Whether one is the word for this program, and the other its full path.
fn is_program_of_ours(own: &Value, found: &Value) -> bool {
    let own =
        own.as_str().filter(|own| Path::new(own).file_name() == Some(OsStr::new(super::command::MCP[0])));
    let found =
        found.as_str().map(Path::new).filter(|path| path.is_absolute() || path.components().count() == 1);
    own.is_some() && found.is_some_and(|path| path.file_name() == Some(OsStr::new(super::command::MCP[0])))
}

fn holds_a_token(value: &str) -> bool {
    [IN_HEADERS, IN_HEADER].iter().any(|begin| value.starts_with(begin))
}

pub(super) fn set(path: &'static [&'static str], value: impl Into<Value>, exposes: &'static str) -> Setting {
    Setting { path, value: value.into(), in_list: false, exposes }
}

pub(super) fn add(path: &'static [&'static str], value: Value, exposes: &'static str) -> Setting {
    Setting { in_list: true, ..set(path, value, exposes) }
}

pub(super) fn claude_code(to: &To<'_>) -> Vec<Setting> {
    let endpoint = to.endpoint;
    let whose = to.resource_attributes().map(|whose| set(&["env", RESOURCE], whose, ""));
    let settings = vec![
        set(&["env", "CLAUDE_CODE_ENABLE_TELEMETRY"], "1", ""),
        set(&["env", "OTEL_LOGS_EXPORTER"], "otlp", "sessions, calls, decisions, statuses"),
        set(&["env", "OTEL_METRICS_EXPORTER"], "none", ""),
        set(&["env", "OTEL_TRACES_EXPORTER"], "otlp", "the order of sub-agents"),
        set(&["env", "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA"], "1", ""),
        set(&["env", "OTEL_EXPORTER_OTLP_PROTOCOL"], "http/protobuf", ""),
        set(&["env", "OTEL_EXPORTER_OTLP_ENDPOINT"], endpoint, ""),
        set(&["env", "OTEL_LOG_USER_PROMPTS"], "1", "prompts"),
        set(&["env", "OTEL_LOG_ASSISTANT_RESPONSES"], "1", "responses"),
        set(&["env", "OTEL_LOG_TOOL_DETAILS"], "1", "inputs of tools, names of skills"),
        set(&["env", "OTEL_LOG_TOOL_CONTENT"], "1", "outputs of tools that worked"),
        set(&["env", "OTEL_METRICS_INCLUDE_REPOSITORY"], "1", "the repository's URL"),
    ];
    let headers = to.headers().map(|headers| set(&["env", HEADERS], headers, ""));
    settings.into_iter().chain(whose).chain(headers).collect()
}

pub(super) fn codex(to: &To<'_>) -> Vec<Setting> {
    let endpoint = to.endpoint;
    let address = |signal: &str| format!("{endpoint}/v1/{signal}");
    let settings = vec![
        set(&["otel", "log_user_prompt"], true, "prompts"),
        set(&["otel", "log_agent_responses"], true, "responses"),
        set(
            &["otel", "exporter", "otlp-http", "endpoint"],
            address("logs"),
            "sessions, calls, inputs, outputs, decisions, statuses",
        ),
        set(&["otel", "exporter", "otlp-http", "protocol"], "binary", ""),
        set(
            &["otel", "trace_exporter", "otlp-http", "endpoint"],
            address("traces"),
            "working directory, token counts",
        ),
        set(&["otel", "trace_exporter", "otlp-http", "protocol"], "binary", ""),
    ];
    let paths: [&'static [&'static str]; 2] = [
        &["otel", "exporter", "otlp-http", "headers", "Authorization"],
        &["otel", "trace_exporter", "otlp-http", "headers", "Authorization"],
    ];
    let headers = paths.into_iter().filter_map(|path| to.authorization(path));
    settings.into_iter().chain(headers).collect()
}

pub(super) fn gemini_cli(to: &To<'_>) -> Vec<Setting> {
    let endpoint = to.endpoint;
    vec![
        set(&["telemetry", "enabled"], true, "sessions, calls, decisions, statuses"),
        set(&["telemetry", "target"], "local", ""),
        set(&["telemetry", "otlpEndpoint"], endpoint, ""),
        set(&["telemetry", "otlpProtocol"], "http", ""),
        set(&["telemetry", "logPrompts"], true, "prompts, responses, inputs of tools, working directory"),
        set(&["telemetry", "traces"], true, "outputs of tools"),
    ]
}

pub(super) fn qwen(to: &To<'_>) -> Vec<Setting> {
    let endpoint = to.endpoint;
    vec![
        set(&["telemetry", "enabled"], true, "sessions, calls, inputs of tools, decisions, statuses"),
        set(&["telemetry", "target"], "local", ""),
        set(&["telemetry", "otlpEndpoint"], endpoint, ""),
        set(&["telemetry", "otlpProtocol"], "http", ""),
        set(&["telemetry", "logPrompts"], true, "prompts, responses, working directory"),
        set(&["telemetry", "includeSensitiveSpanAttributes"], true, "outputs of tools"),
    ]
}

pub(super) fn copilot(to: &To<'_>) -> Vec<Setting> {
    let endpoint = to.endpoint;
    let settings = vec![
        set(&["COPILOT_OTEL_ENABLED"], "true", "sessions, calls, statuses, refusals"),
        set(&["OTEL_EXPORTER_OTLP_ENDPOINT"], endpoint, ""),
        set(
            &["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"],
            "true",
            "prompts, responses, inputs and outputs of tools",
        ),
    ];
    settings.into_iter().chain(to.variables()).collect()
}

pub(super) fn openclaw(to: &To<'_>) -> Vec<Setting> {
    let endpoint = to.endpoint;
    let settings = vec![
        set(&["plugins", "entries", "diagnostics-otel", "enabled"], true, ""),
        set(&["diagnostics", "enabled"], true, ""),
        set(&["diagnostics", "otel", "enabled"], true, "runs, calls, statuses, refusals"),
        set(&["diagnostics", "otel", "endpoint"], endpoint, ""),
        set(&["diagnostics", "otel", "protocol"], "http/protobuf", ""),
        set(&["diagnostics", "otel", "traces"], true, ""),
        set(
            &["diagnostics", "otel", "captureContent"],
            true,
            "prompts, responses, inputs and outputs of tools",
        ),
    ];
    let header = to.authorization(&["diagnostics", "otel", "headers", "Authorization"]);
    settings.into_iter().chain(header).collect()
}

pub(super) fn hermes(to: &To<'_>) -> Vec<Setting> {
    let endpoint = to.endpoint;
    let settings = vec![
        set(&["HERMES_OTEL_ENABLED"], "true", "sessions, calls"),
        set(&["HERMES_OTEL_EXPORTER"], "otlp", ""),
        set(&["OTEL_EXPORTER_OTLP_ENDPOINT"], endpoint, ""),
        set(&["HERMES_OTEL_CAPTURE_CONTENT"], "true", "prompts, responses, inputs, outputs, statuses"),
    ];
    let headers = to.headers().map(|headers| set(&[HEADERS], headers, ""));
    settings.into_iter().chain(headers).collect()
}

pub(super) fn langfuse(to: &To<'_>) -> Vec<Setting> {
    let endpoint = to.endpoint;
    // A credential of a team has an id and a secret; without one any pair will do.
    let (public, secret) =
        to.token.and_then(|token| token.split_once(':')).unwrap_or(("pk-lf-local", "sk-lf-local"));
    let settings = vec![
        set(&["LANGFUSE_HOST"], endpoint, "whatever the application traces"),
        set(&["LANGFUSE_BASE_URL"], endpoint, ""),
        set(&["LANGFUSE_PUBLIC_KEY"], public, ""),
        set(&["LANGFUSE_SECRET_KEY"], secret, ""),
    ];
    let whose = to.resource_attributes().map(|whose| set(&[RESOURCE], whose, ""));
    settings.into_iter().chain(whose).collect()
}

pub(super) fn otel_python(to: &To<'_>) -> Vec<Setting> {
    otel_sdk(to, "SPAN_ONLY")
}

pub(super) fn otel_js(to: &To<'_>) -> Vec<Setting> {
    otel_sdk(to, "true")
}

/// With the word for texts that the instrumentations of today know.
fn otel_sdk(to: &To<'_>, texts: &'static str) -> Vec<Setting> {
    let endpoint = to.endpoint;
    let settings = vec![
        set(&["OTEL_EXPORTER_OTLP_ENDPOINT"], endpoint, "whatever the application traces"),
        set(&["OTEL_EXPORTER_OTLP_PROTOCOL"], "http/protobuf", ""),
        set(&["OTEL_SEMCONV_STABILITY_OPT_IN"], "gen_ai_latest_experimental", ""),
        set(
            &["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"],
            texts,
            "prompts, responses, inputs and outputs of tools",
        ),
    ];
    settings.into_iter().chain(to.variables()).collect()
}

pub(super) fn opencode(_: &To<'_>) -> Vec<Setting> {
    vec![set(&["experimental", "openTelemetry"], true, "prompts, responses, calls, inputs and outputs")]
}

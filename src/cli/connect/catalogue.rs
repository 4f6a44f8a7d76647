//! Which settings make which assistant export, and what each of them exposes.
//!
//! The settings of an assistant are one list, from which the block that is printed, the file that is
//! written and its removal all follow.

use serde_json::Value;

use super::hooks;

/// What can be connected.
#[derive(Debug)]
pub(super) struct Client {
    /// Its name on the command line.
    pub(super) name: &'static str,
    /// What it is.
    pub(super) title: &'static str,
    /// The version whose sessions were recorded with these settings, or where they are from.
    pub(super) known_from: &'static str,
    /// Where its settings are.
    pub(super) place: Place,
    /// The settings for an endpoint such as `http://127.0.0.1:4318`.
    pub(super) settings: fn(endpoint: &str) -> Vec<Setting>,
    /// How to leave one session out.
    pub(super) leave_out: &'static str,
    /// What else to know, a line each.
    pub(super) notes: &'static [&'static str],
}

/// Where a client's settings are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// A JSON file, by its path below the home directory.
    Json(&'static str),
    /// A TOML file.
    Toml(&'static str),
    /// Environment variables; the file, if the client has one for them.
    Environment(Option<&'static str>),
    /// A YAML file, to which our settings are one block.
    Yaml(&'static str),
    /// Files that are ours alone, each with the same content.
    OwnFiles {
        /// The folder, by its path below the home directory.
        folder: &'static str,
        /// Their names.
        names: &'static [&'static str],
        /// What they hold, for an endpoint.
        content: fn(endpoint: &str) -> String,
        /// Whether the client executes them.
        executable: bool,
    },
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
    /// What it exposes, `""` for what only says where to send.
    pub(super) exposes: &'static str,
}

pub(super) fn set(path: &'static [&'static str], value: impl Into<Value>, exposes: &'static str) -> Setting {
    Setting { path, value: value.into(), in_list: false, exposes }
}

pub(super) fn add(path: &'static [&'static str], value: Value, exposes: &'static str) -> Setting {
    Setting { in_list: true, ..set(path, value, exposes) }
}

/// A hook's process asks its own environment, which is the assistant's.
const HOOK_OFF: &str = "start it with SKILLSPAN_HOOK=off";
const ON_PATH: &str = "`skillspan` must be on the PATH that the assistant was started with; SKILLSPAN_TOKEN in its environment is sent as its credential";
const NO_EXPORT: &str = "start it with OTEL_SDK_DISABLED=true";

/// Everything that can be connected.
pub(super) const CLIENTS: &[Client] = &[
    Client {
        name: "claude-code",
        title: "Claude Code",
        known_from: "recorded with 2.1.330",
        place: Place::Json(".claude/settings.json"),
        settings: claude_code,
        leave_out: "start it with CLAUDE_CODE_ENABLE_TELEMETRY=0",
        notes: &[
            "for a whole team: the same `env` in /etc/claude-code/managed-settings.json",
            "the output of a failed command arrives only with OTEL_LOG_RAW_API_BODIES=1 and CLAUDE_CODE_OTEL_CONTENT_MAX_LENGTH=1000000: heavy, every request repeats the whole conversation",
        ],
    },
    Client {
        name: "codex",
        title: "Codex",
        known_from: "recorded with 0.169.0",
        place: Place::Toml(".codex/config.toml"),
        settings: codex,
        leave_out: "start it with -c otel.exporter=none -c otel.trace_exporter=none",
        notes: &[
            "arguments and outputs of tools are sent whether or not prompts are; outputs are cut at 2048 bytes",
            "without `trace_exporter` the working directory and token counts are missing, and 550 to 1530 spans a session fewer are sent",
        ],
    },
    Client {
        name: "gemini-cli",
        title: "Gemini CLI",
        known_from: "recorded with 0.61.0",
        place: Place::Json(".gemini/settings.json"),
        settings: gemini_cli,
        leave_out: "start it with GEMINI_TELEMETRY_ENABLED=false",
        notes: &["the command line, prompt included, is sent even without `logPrompts`"],
    },
    Client {
        name: "qwen",
        title: "Qwen Code",
        known_from: "recorded with 0.24.4",
        place: Place::Json(".qwen/settings.json"),
        settings: qwen,
        leave_out: "start it with QWEN_TELEMETRY_ENABLED=false",
        notes: &["arguments of tools are sent whether or not prompts are"],
    },
    Client {
        name: "copilot",
        title: "GitHub Copilot, command line",
        known_from: "recorded with 1.0.102",
        place: Place::Environment(None),
        settings: copilot,
        leave_out: "start it with COPILOT_OTEL_ENABLED=false",
        notes: &[
            "VS Code, from its documentation: set github.copilot.chat.otel.enabled, .exporterType \"otlp-http\", .otlpEndpoint and .captureContent in its settings",
        ],
    },
    Client {
        name: "opencode",
        title: "OpenCode",
        known_from: "recorded with 1.18.33",
        place: Place::Json(".config/opencode/opencode.json"),
        settings: |_| {
            vec![set(
                &["experimental", "openTelemetry"],
                true,
                "prompts, responses, calls, inputs and outputs",
            )]
        },
        leave_out: "start it without OTEL_EXPORTER_OTLP_ENDPOINT",
        notes: &[
            "it sends only where OTEL_EXPORTER_OTLP_ENDPOINT says, so set that in its environment as well",
            "`opencode run` may end before its last spans are sent",
        ],
    },
    Client {
        name: "openclaw",
        title: "OpenClaw",
        known_from: "recorded with 2026.4.29",
        place: Place::Json(".openclaw/openclaw.json"),
        settings: openclaw,
        leave_out: "set diagnostics.otel.traces to false and restart the gateway",
        notes: &["it removes every id of a session: each run becomes a session of its own"],
    },
    Client {
        name: "hermes",
        title: "Hermes Agent with hermes-plugin-otel-tracing",
        known_from: "recorded with 0.19.0 and the plugin's 0.1.1",
        place: Place::Environment(Some(".hermes/.env")),
        settings: hermes,
        leave_out: "start it with HERMES_OTEL_ENABLED=false",
        notes: &[
            "install the plugin (pip install hermes-plugin-otel-tracing) and add otel_tracing to plugins.enabled in ~/.hermes/config.yaml",
        ],
    },
    Client {
        name: "hermes-hooks",
        title: "Hermes Agent by its hooks, without a plugin",
        known_from: "its hooks were recorded with 0.19.0",
        place: Place::Yaml(".hermes/config.yaml"),
        settings: hooks::hermes,
        leave_out: HOOK_OFF,
        notes: &[
            ON_PATH,
            "Hermes asks once whether it may run these hooks; without a person to ask, start it with --accept-hooks",
            "connect the plugin (hermes) or the hooks, not both: nothing joins their answers",
        ],
    },
    Client {
        name: "cursor",
        title: "Cursor",
        known_from: "from its documentation",
        place: Place::Json(".cursor/hooks.json"),
        settings: hooks::cursor,
        leave_out: HOOK_OFF,
        notes: &[ON_PATH, "it has no OpenTelemetry export: its hooks call `skillspan hook cursor`"],
    },
    Client {
        name: "cline",
        title: "Cline",
        known_from: "its hooks were recorded with 3.0.65",
        place: Place::OwnFiles {
            folder: ".cline/hooks",
            names: &[
                "TaskStart",
                "UserPromptSubmit",
                "PostToolUse",
                "TaskComplete",
                "TaskError",
                "SessionShutdown",
            ],
            content: hooks::cline,
            executable: true,
        },
        settings: |_| vec![],
        leave_out: HOOK_OFF,
        notes: &[ON_PATH, "run without an editor, it has no hook with the words of the prompt"],
    },
    Client {
        name: "pi",
        title: "pi",
        known_from: "its extensions were recorded with 0.87.1",
        place: Place::OwnFiles {
            folder: ".pi/agent/extensions",
            names: &["skillspan.ts"],
            content: hooks::pi,
            executable: false,
        },
        settings: |_| vec![],
        leave_out: HOOK_OFF,
        notes: &[ON_PATH, "it has no OpenTelemetry export: the extension calls `skillspan hook pi`"],
    },
    Client {
        name: "claude-hooks",
        title: "Claude Code by its hooks, without telemetry",
        known_from: "its hooks were run with 2.1.197",
        place: Place::Json(".claude/settings.json"),
        settings: hooks::claude,
        leave_out: HOOK_OFF,
        notes: &[
            ON_PATH,
            "connect telemetry (claude-code) or the hooks, not both: calls meet, prompts and answers do not",
            "the output of a failed command arrives, which telemetry does not have",
        ],
    },
    Client {
        name: "copilot-hooks",
        title: "GitHub Copilot, command line, by its hooks",
        known_from: "its hooks were recorded with 1.0.102",
        place: Place::OwnFiles {
            folder: ".copilot/hooks",
            names: &["skillspan.json"],
            content: hooks::copilot,
            executable: false,
        },
        settings: |_| vec![],
        leave_out: HOOK_OFF,
        notes: &[
            ON_PATH,
            "beside `copilot` they add the working directory: both say one trace, and are one session",
            "alone they carry no responses",
        ],
    },
    Client {
        name: "langfuse",
        title: "applications with the Langfuse SDK",
        known_from: "recorded with Python 2.60 to 5.0 and JavaScript 5.11",
        place: Place::Environment(None),
        settings: langfuse,
        leave_out: "start it with LANGFUSE_TRACING_ENABLED=false",
        notes: &["any pair of keys will do where skillspan asks for no credentials"],
    },
    Client {
        name: "otel-python",
        title: "Python applications with OpenTelemetry",
        known_from: "from its documentation",
        place: Place::Environment(None),
        settings: otel_sdk,
        leave_out: NO_EXPORT,
        notes: &[
            "an instrumentation of your model library makes the spans, such as opentelemetry-instrumentation-openai-v2",
        ],
    },
    Client {
        name: "otel-js",
        title: "JavaScript applications with OpenTelemetry",
        known_from: "from its documentation",
        place: Place::Environment(None),
        settings: otel_sdk,
        leave_out: NO_EXPORT,
        notes: &["with the Vercel AI SDK, set experimental_telemetry: { isEnabled: true } at each call"],
    },
];

fn claude_code(endpoint: &str) -> Vec<Setting> {
    vec![
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
    ]
}

fn codex(endpoint: &str) -> Vec<Setting> {
    let to = |signal: &str| format!("{endpoint}/v1/{signal}");
    vec![
        set(&["otel", "log_user_prompt"], true, "prompts"),
        set(&["otel", "log_agent_responses"], true, "responses"),
        set(
            &["otel", "exporter", "otlp-http", "endpoint"],
            to("logs"),
            "sessions, calls, inputs, outputs, decisions, statuses",
        ),
        set(&["otel", "exporter", "otlp-http", "protocol"], "binary", ""),
        set(
            &["otel", "trace_exporter", "otlp-http", "endpoint"],
            to("traces"),
            "working directory, token counts",
        ),
        set(&["otel", "trace_exporter", "otlp-http", "protocol"], "binary", ""),
    ]
}

fn gemini_cli(endpoint: &str) -> Vec<Setting> {
    vec![
        set(&["telemetry", "enabled"], true, "sessions, calls, decisions, statuses"),
        set(&["telemetry", "target"], "local", ""),
        set(&["telemetry", "otlpEndpoint"], endpoint, ""),
        set(&["telemetry", "otlpProtocol"], "http", ""),
        set(&["telemetry", "logPrompts"], true, "prompts, responses, inputs of tools, working directory"),
        set(&["telemetry", "traces"], true, "outputs of tools"),
    ]
}

fn qwen(endpoint: &str) -> Vec<Setting> {
    vec![
        set(&["telemetry", "enabled"], true, "sessions, calls, inputs of tools, decisions, statuses"),
        set(&["telemetry", "target"], "local", ""),
        set(&["telemetry", "otlpEndpoint"], endpoint, ""),
        set(&["telemetry", "otlpProtocol"], "http", ""),
        set(&["telemetry", "logPrompts"], true, "prompts, responses, working directory"),
        set(&["telemetry", "includeSensitiveSpanAttributes"], true, "outputs of tools"),
    ]
}

fn copilot(endpoint: &str) -> Vec<Setting> {
    vec![
        set(&["COPILOT_OTEL_ENABLED"], "true", "sessions, calls, statuses, refusals"),
        set(&["OTEL_EXPORTER_OTLP_ENDPOINT"], endpoint, ""),
        set(
            &["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"],
            "true",
            "prompts, responses, inputs and outputs of tools",
        ),
    ]
}

fn openclaw(endpoint: &str) -> Vec<Setting> {
    vec![
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
    ]
}

fn hermes(endpoint: &str) -> Vec<Setting> {
    vec![
        set(&["HERMES_OTEL_ENABLED"], "true", "sessions, calls"),
        set(&["HERMES_OTEL_EXPORTER"], "otlp", ""),
        set(&["OTEL_EXPORTER_OTLP_ENDPOINT"], endpoint, ""),
        set(&["HERMES_OTEL_CAPTURE_CONTENT"], "true", "prompts, responses, inputs, outputs, statuses"),
    ]
}

fn langfuse(endpoint: &str) -> Vec<Setting> {
    vec![
        set(&["LANGFUSE_HOST"], endpoint, "whatever the application traces"),
        set(&["LANGFUSE_BASE_URL"], endpoint, ""),
        set(&["LANGFUSE_PUBLIC_KEY"], "pk-lf-local", ""),
        set(&["LANGFUSE_SECRET_KEY"], "sk-lf-local", ""),
    ]
}

fn otel_sdk(endpoint: &str) -> Vec<Setting> {
    vec![
        set(&["OTEL_EXPORTER_OTLP_ENDPOINT"], endpoint, "whatever the application traces"),
        set(&["OTEL_EXPORTER_OTLP_PROTOCOL"], "http/protobuf", ""),
        set(&["OTEL_SEMCONV_STABILITY_OPT_IN"], "gen_ai_latest_experimental", ""),
        set(
            &["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"],
            "true",
            "prompts, responses, inputs and outputs of tools",
        ),
    ]
}

//! What can be connected, and how a session is left out.
//!
//! The settings of an assistant are one list, from which the block that is printed, the file that is
//! written and its removal all follow. Every way to leave a session out was tried with the real client
//! (`tests/live/opt_out.py`); `tests/cli/opt_outs.rs` holds the two together.

use super::hooks;
use super::settings::{self, Setting, To};

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
    /// The settings, for where it is to send and as whom.
    pub(super) settings: fn(to: &To<'_>) -> Vec<Setting>,
    /// Whether its settings say whose the sessions are; else only its environment can.
    pub(super) says_whose: bool,
    /// Who can read the token that its settings hold; `""` if they have no place for one.
    pub(super) token: &'static str,
    /// The variable without which it sends nothing, whatever its settings say; `""` if there is none.
    pub(super) needs: &'static str,
    /// How to leave one session out: command lines, variables and files.
    pub(super) leave_out: &'static [&'static str],
    /// What looks as if it left a session out and does not, with these settings.
    pub(super) in_vain: &'static [&'static str],
    /// The version with which that was tried; `""` if it cannot be run here.
    pub(super) tried_with: &'static str,
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
        /// What they hold.
        content: fn(to: &To<'_>) -> String,
        /// Whether the client executes them.
        executable: bool,
    },
}

impl Place {
    /// The path below the home directory; of files that are ours alone, their folder.
    pub(super) const fn below_home(&self) -> Option<&'static str> {
        match self {
            Self::Json(path) | Self::Toml(path) | Self::Yaml(path) => Some(path),
            Self::OwnFiles { folder, .. } => Some(folder),
            Self::Environment(path) => *path,
        }
    }
}

const ON_PATH: &str = "`skillspan` must be on the PATH that the assistant was started with";
const IN_ENVIRONMENT: &str = "whoever reads its environment, and what it runs";
/// Who can read the token of hooks.
pub(super) const FOR_HOOKS: &str =
    "you, and what runs as you, in a file of its own, which the hook's command line names";
/// The environment of a hook, whichever assistant calls it.
pub(super) const MARKER: &str =
    ".skillspan.yaml with `capture: false` in the session's folder, one above it, or the home folder";
const NOT_HANDED_ON: &str = "its hooks are not given OTEL_RESOURCE_ATTRIBUTES; say whose the sessions are with --workspace and --user";

/// Everything that can be connected.
pub(super) const CLIENTS: &[Client] = &[
    Client {
        name: "claude-code",
        title: "Claude Code",
        known_from: "recorded with 2.1.330",
        place: Place::Json(".claude/settings.json"),
        settings: settings::claude_code,
        says_whose: true,
        token: "you, and what runs as you, in that file; 2.1.332 keeps it out of the environment of its commands",
        needs: "",
        leave_out: &[
            "claude --settings '{\"env\":{\"CLAUDE_CODE_ENABLE_TELEMETRY\":\"0\"}}'",
            "OTEL_RESOURCE_ATTRIBUTES=skillspan.capture=false claude",
            ".claude/settings.local.json in its folder with {\"env\":{\"OTEL_RESOURCE_ATTRIBUTES\":\"skillspan.capture=false\"}}",
        ],
        in_vain: &["CLAUDE_CODE_ENABLE_TELEMETRY=0 claude"],
        tried_with: "2.1.332",
        notes: &[
            "its settings win over the shell: with --workspace or --user, OTEL_RESOURCE_ATTRIBUTES of the shell is not read, and --settings leaves a session out",
            "for a whole team: the same `env` in /etc/claude-code/managed-settings.json",
            "the output of a failed command arrives only with OTEL_LOG_RAW_API_BODIES=1 and CLAUDE_CODE_OTEL_CONTENT_MAX_LENGTH=1000000: heavy, every request repeats the whole conversation",
        ],
    },
    Client {
        name: "codex",
        title: "Codex",
        known_from: "recorded with 0.169.0",
        place: Place::Toml(".codex/config.toml"),
        settings: settings::codex,
        says_whose: true,
        token: "you, and what runs as you, in that file",
        needs: "",
        leave_out: &[
            "codex -c otel.exporter=none -c otel.trace_exporter=none",
            "OTEL_RESOURCE_ATTRIBUTES=skillspan.capture=false codex",
        ],
        in_vain: &["OTEL_SDK_DISABLED=true codex"],
        tried_with: "0.171.0",
        notes: &[
            "with --workspace or --user, its ~/.codex/.env wins over the shell: OTEL_RESOURCE_ATTRIBUTES of the shell is not read, and -c leaves a session out",
            "arguments and outputs of tools are sent whether or not prompts are; outputs are cut at 2048 bytes",
            "without `trace_exporter` the working directory and token counts are missing, and 550 to 1530 spans a session fewer are sent",
        ],
    },
    Client {
        name: "gemini-cli",
        title: "Gemini CLI",
        known_from: "recorded with 0.61.0",
        place: Place::Json(".gemini/settings.json"),
        settings: settings::gemini_cli,
        says_whose: true,
        token: "you, what runs as you and the commands that it runs, in ~/.gemini/.env",
        needs: "",
        leave_out: &[
            "OTEL_RESOURCE_ATTRIBUTES=skillspan.capture=false gemini",
            "OTEL_SDK_DISABLED=true gemini",
        ],
        in_vain: &["GEMINI_TELEMETRY_ENABLED=false gemini"],
        tried_with: "0.61.0",
        notes: &[
            "the command line, prompt included, is sent even without `logPrompts`",
            "--workspace, --user and the token stand in ~/.gemini/.env, which it reads in folders that you trust and that have no .env of their own",
        ],
    },
    Client {
        name: "qwen",
        title: "Qwen Code",
        known_from: "recorded with 0.24.4",
        place: Place::Json(".qwen/settings.json"),
        settings: settings::qwen,
        says_whose: true,
        token: "you, what runs as you and the commands that it runs, in ~/.qwen/.env",
        needs: "",
        leave_out: &[
            "QWEN_TELEMETRY_ENABLED=false qwen",
            "OTEL_RESOURCE_ATTRIBUTES=skillspan.capture=false qwen",
            ".qwen/settings.json in its folder with {\"telemetry\":{\"enabled\":false}}",
        ],
        in_vain: &[],
        tried_with: "0.24.4",
        notes: &[
            "arguments of tools are sent whether or not prompts are",
            "--workspace, --user and the token stand in ~/.qwen/.env, which it reads where a folder has no .env of its own",
        ],
    },
    Client {
        name: "copilot",
        title: "GitHub Copilot, command line",
        known_from: "recorded with 1.0.102",
        place: Place::Environment(None),
        settings: settings::copilot,
        says_whose: true,
        token: IN_ENVIRONMENT,
        needs: "",
        leave_out: &["OTEL_RESOURCE_ATTRIBUTES=skillspan.capture=false copilot"],
        in_vain: &["COPILOT_OTEL_ENABLED=false copilot"],
        tried_with: "1.0.102",
        notes: &[
            "VS Code, from its documentation: set github.copilot.chat.otel.enabled, .exporterType \"otlp-http\", .otlpEndpoint and .captureContent in its settings",
        ],
    },
    Client {
        name: "opencode",
        title: "OpenCode",
        known_from: "recorded with 1.18.33",
        place: Place::Json(".config/opencode/opencode.json"),
        settings: settings::opencode,
        says_whose: false,
        token: "",
        needs: "OTEL_EXPORTER_OTLP_ENDPOINT",
        leave_out: &[
            "env -u OTEL_EXPORTER_OTLP_ENDPOINT opencode",
            "OTEL_RESOURCE_ATTRIBUTES=skillspan.capture=false opencode",
        ],
        in_vain: &[],
        tried_with: "1.18.33",
        notes: &[
            "it sends only where OTEL_EXPORTER_OTLP_ENDPOINT says, so set that in its environment as well",
            "`opencode run` ends before its last spans are sent unless OTEL_BSP_SCHEDULE_DELAY=100 (milliseconds) is set",
        ],
    },
    Client {
        name: "openclaw",
        title: "OpenClaw",
        known_from: "recorded with 2026.4.29",
        place: Place::Json(".openclaw/openclaw.json"),
        settings: settings::openclaw,
        says_whose: false,
        token: "you, and what runs as you, in that file",
        needs: "",
        leave_out: &["set diagnostics.otel.traces to false and restart the gateway"],
        in_vain: &[],
        tried_with: "",
        notes: &[
            "since 2026.9 its exporter is a plugin of its own: openclaw plugins install clawhub:@openclaw/diagnostics-otel",
            "it removes every id of a session: each run becomes a session of its own",
        ],
    },
    Client {
        name: "hermes",
        title: "Hermes Agent with hermes-plugin-otel-tracing",
        known_from: "recorded with 0.19.0 and the plugin's 0.1.1",
        place: Place::Environment(Some(".hermes/.env")),
        settings: settings::hermes,
        says_whose: false,
        token: "you, and what runs as you, in that file",
        needs: "",
        leave_out: &["OTEL_RESOURCE_ATTRIBUTES=skillspan.capture=false hermes"],
        in_vain: &["HERMES_OTEL_ENABLED=false hermes"],
        tried_with: "0.19.0",
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
        says_whose: true,
        token: FOR_HOOKS,
        needs: "",
        leave_out: &["SKILLSPAN_HOOK=off hermes", MARKER],
        in_vain: &[],
        tried_with: "0.19.0",
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
        says_whose: true,
        token: FOR_HOOKS,
        needs: "",
        leave_out: &["SKILLSPAN_HOOK=off cursor", MARKER],
        in_vain: &[],
        tried_with: "",
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
        says_whose: true,
        token: FOR_HOOKS,
        needs: "",
        leave_out: &["SKILLSPAN_HOOK=off cline", MARKER],
        in_vain: &[],
        tried_with: "3.0.65",
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
        says_whose: true,
        token: FOR_HOOKS,
        needs: "",
        leave_out: &["SKILLSPAN_HOOK=off pi", MARKER],
        in_vain: &[],
        tried_with: "0.87.1",
        notes: &[ON_PATH, "it has no OpenTelemetry export: the extension calls `skillspan hook pi`"],
    },
    Client {
        name: "claude-hooks",
        title: "Claude Code by its hooks, without telemetry",
        known_from: "its hooks were run with 2.1.197",
        place: Place::Json(".claude/settings.json"),
        settings: hooks::claude,
        says_whose: true,
        token: FOR_HOOKS,
        needs: "",
        leave_out: &["SKILLSPAN_HOOK=off claude", MARKER],
        in_vain: &["OTEL_RESOURCE_ATTRIBUTES=skillspan.capture=false claude"],
        tried_with: "2.1.332",
        notes: &[
            ON_PATH,
            NOT_HANDED_ON,
            "connect telemetry (claude-code) or the hooks: sessions that arrive both ways are one, and sent twice",
            "they have no model, version, tokens and login, which telemetry has; say who with --user",
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
        says_whose: true,
        token: FOR_HOOKS,
        needs: "",
        leave_out: &["SKILLSPAN_HOOK=off copilot", MARKER],
        in_vain: &["OTEL_RESOURCE_ATTRIBUTES=skillspan.capture=false copilot"],
        tried_with: "1.0.102",
        notes: &[
            ON_PATH,
            NOT_HANDED_ON,
            "beside `copilot` they add the working directory: both say one trace, and are one session",
            "alone they carry no responses",
        ],
    },
    Client {
        name: "langfuse",
        title: "applications with the Langfuse SDK",
        known_from: "recorded with Python 2.60 to 5.0 and JavaScript 5.11",
        place: Place::Environment(None),
        settings: settings::langfuse,
        says_whose: true,
        token: IN_ENVIRONMENT,
        needs: "",
        leave_out: &[
            "LANGFUSE_TRACING_ENABLED=false python app.py",
            "OTEL_RESOURCE_ATTRIBUTES=skillspan.capture=false python app.py",
        ],
        in_vain: &[],
        tried_with: "Python 5.0.4",
        notes: &["any pair of keys will do where skillspan asks for no credentials"],
    },
    Client {
        name: "otel-python",
        title: "Python applications with OpenTelemetry",
        known_from: "from its documentation",
        place: Place::Environment(None),
        settings: settings::otel_python,
        says_whose: true,
        token: IN_ENVIRONMENT,
        needs: "",
        leave_out: &[
            "OTEL_SDK_DISABLED=true python app.py",
            "OTEL_RESOURCE_ATTRIBUTES=skillspan.capture=false python app.py",
        ],
        in_vain: &[],
        tried_with: "1.45.2",
        notes: &[
            "an instrumentation of your model library makes the spans, such as opentelemetry-instrumentation-openai-v2",
            "opentelemetry-instrumentation-openai-v2: SPAN_ONLY is for 2.4b0 (with opentelemetry-util-genai 1.0b0 or 1.1b0), which sends no text with `true`; 2.3b0 needs `true`, wrapt<2 and an exporter of log records, and sends no text with SPAN_ONLY; which switch others know: docs/guide/clients.md",
        ],
    },
    Client {
        name: "otel-js",
        title: "JavaScript applications with OpenTelemetry",
        known_from: "from its documentation",
        place: Place::Environment(None),
        settings: settings::otel_js,
        says_whose: true,
        token: IN_ENVIRONMENT,
        needs: "",
        leave_out: &[
            "OTEL_SDK_DISABLED=true node app.js",
            "OTEL_RESOURCE_ATTRIBUTES=skillspan.capture=false node app.js",
        ],
        in_vain: &[],
        tried_with: "NodeSDK 0.301.0 and AI SDK 7.0.173",
        notes: &[
            "with the Vercel AI SDK 7, call registerTelemetry(new OpenTelemetry()) of @ai-sdk/otel once, and set experimental_telemetry: { isEnabled: true } at each call",
            "a tracer provider that you build yourself, without NodeSDK, does not read OTEL_SDK_DISABLED and OTEL_RESOURCE_ATTRIBUTES",
        ],
    },
];

//! `exporters:` and `connectors:`

use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, Deserializer};

use super::Forwarder;
use super::embeddings::Embeddings;
use super::proposer::Proposer;
use crate::config::components::Named;
use crate::config::units::{ByteSize, Span, Zstd};
use crate::coordination::Coordination;
use crate::secret::Secret;
use crate::skillify::{Class, Classes, Rules};

/// `exporters:`
#[derive(Debug)]
pub(in crate::config) enum Exporter {
    Parquet(Parquet),
    Filesystem(Filesystem),
    Git(Git),
    Deeplake(Box<Deeplake>),
    Otlp(Box<Forwarder>),
}

impl Named for Exporter {
    const SECTION: &'static str = "exporters";
    const TYPES: &'static [&'static str] =
        &["parquet", "deeplake", "otlp", "otlphttp", "langfuse", "filesystem", "git"];

    fn deserialize<'de, D: Deserializer<'de>>(kind: &str, deserializer: D) -> Result<Self, D::Error> {
        match kind {
            "parquet" => Parquet::deserialize(deserializer).map(Self::Parquet),
            "otlp" | "otlphttp" | "langfuse" => {
                Forwarder::deserialize(deserializer).map(|otlp| Self::Otlp(Box::new(otlp)))
            }
            "git" => Git::deserialize(deserializer).map(Self::Git),
            "deeplake" => {
                Deeplake::deserialize(deserializer).map(|deeplake| Self::Deeplake(Box::new(deeplake)))
            }
            _ => Filesystem::deserialize(deserializer).map(Self::Filesystem),
        }
    }
}

/// From the journal to the sessions table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Parquet {
    /// The extension that says where the table is.
    pub(in crate::config) table: String,
    /// When a file is written.
    pub(in crate::config) flush: Flush,
    /// `zstd(1)` to `zstd(22)`.
    pub(in crate::config) compression: Zstd,
}

/// Whichever comes first.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Flush {
    /// Write a file when this many events wait.
    pub(in crate::config) rows: u64,
    /// Write a file when this many bytes wait.
    pub(in crate::config) bytes: ByteSize,
    /// Write a file when the oldest event has waited this long.
    pub(in crate::config) age: Span,
    /// Write a file when a session says that it ended, at most ten times in `age`.
    pub(in crate::config) on_session_end: bool,
}

/// Skills as a folder.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Filesystem {
    /// The folder; `~` is the home directory. Absent: `skills` in the data folder.
    pub(in crate::config) path: Option<String>,
    /// `library`: a repository of skills. `project`: a repository that people work in.
    pub(in crate::config) layout: Layout,
    /// With `layout: project`, whether facts about the repository are proposed for its `AGENTS.md`.
    pub(in crate::config) agents_md: AgentsMd,
    /// Which skills go there. Absent: all.
    pub(in crate::config) route: Route,
    /// How many skills it takes.
    pub(in crate::config) limits: SkillLimits,
}

/// Skills on a branch of a git repository.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Git {
    /// `https://…`, `ssh://…`, `user@host:path` or `file://…`, without a password.
    pub(in crate::config) remote: String,
    /// The branch that people fetch.
    pub(in crate::config) branch: Option<String>,
    /// `review`: skills are proposed on a branch that people merge. `direct`: they are pushed.
    pub(in crate::config) mode: Mode,
    /// `library`: a repository of skills. `project`: a repository that people work in.
    pub(in crate::config) layout: Layout,
    /// With `layout: project`, the folder below the root that people open.
    pub(in crate::config) path: Option<String>,
    /// With `layout: project`, whether facts about the repository are proposed for its `AGENTS.md`.
    pub(in crate::config) agents_md: AgentsMd,
    /// The credentials of the repository.
    pub(in crate::config) auth: GitAuth,
    /// `name <mail>` of the commits.
    pub(in crate::config) author: Option<String>,
    /// Which skills go there. Absent: all but those of one person.
    pub(in crate::config) route: Route,
    /// How many skills it takes.
    pub(in crate::config) limits: SkillLimits,
}

/// A token for https, or a key for ssh. Has no `Debug`: it holds the token.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct GitAuth {
    /// The user name that the host wants beside the token.
    pub(in crate::config) username: Option<String>,
    /// The token, for HTTP Basic.
    pub(in crate::config) token: Option<String>,
    /// A private SSH key without a passphrase.
    pub(in crate::config) key_file: Option<String>,
    /// The host's public keys.
    pub(in crate::config) known_hosts_file: Option<String>,
}

impl std::fmt::Debug for GitAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GitAuth([redacted])")
    }
}

/// Sessions and skills as rows of a Deeplake workspace, beside those of Hivemind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Deeplake {
    /// The extension of the table to follow. Absent: the one that the pipeline fills, or `sessions_table`.
    pub(in crate::config) table: Option<String>,
    /// The address of the API.
    pub(in crate::config) endpoint: String,
    /// The organisation's id.
    pub(in crate::config) org: String,
    /// The organisation's name, as Hivemind writes it into the paths of sessions. Absent: `org`.
    pub(in crate::config) org_name: Option<String>,
    /// The workspace in Deeplake.
    pub(in crate::config) workspace: String,
    /// An API token of the organisation.
    pub(in crate::config) token: Option<Secret>,
    /// The names of the tables there.
    pub(in crate::config) tables: DeeplakeTables,
    /// Whose sessions go there. Absent: all, where there is only one tenant.
    pub(in crate::config) from: Option<SessionsOf>,
    /// The size of one statement.
    pub(in crate::config) batch: Batch,
    /// When a turn is complete.
    pub(in crate::config) turn: TurnEnd,
    /// How often it looks at the sessions table.
    pub(in crate::config) interval: Span,
    /// How long one request may take.
    pub(in crate::config) timeout: Span,
    /// How long the service's reads may lag behind its writes.
    pub(in crate::config) read_lag: Span,
    /// The folder of the exporter's cursor. Absent: below `deeplake` in the data folder.
    pub(in crate::config) state: Option<String>,
    /// Which skills go there. Absent: all but those of one person.
    pub(in crate::config) route: Route,
    /// How many skills it takes.
    pub(in crate::config) limits: SkillLimits,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct DeeplakeTables {
    /// Hivemind's table of sessions.
    pub(in crate::config) sessions: String,
    /// Hivemind's table of skills.
    pub(in crate::config) skills: String,
    /// Our own table, with what the library of skills remembers.
    pub(in crate::config) library: String,
}

/// What a credential decided.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct SessionsOf {
    /// Only sessions of this tenant.
    pub(in crate::config) tenant: String,
    /// Only sessions whose credential names this workspace.
    pub(in crate::config) workspace: String,
}

/// Whichever comes first.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Batch {
    /// The most rows of one statement.
    pub(in crate::config) rows: u64,
    /// The most bytes of one statement.
    pub(in crate::config) bytes: ByteSize,
    /// The most statements under way at once.
    pub(in crate::config) concurrency: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct TurnEnd {
    /// How long a finished turn waits for late events.
    pub(in crate::config) settle: Span,
    /// How long its session must be quiet until any other turn is complete.
    pub(in crate::config) idle: Span,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum Mode {
    #[default]
    Review,
    Direct,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum Layout {
    #[default]
    Library,
    Project,
}

/// Whether facts about a repository are proposed for its `AGENTS.md`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum AgentsMd {
    #[default]
    Off,
    Propose,
}

/// Which skills go to a target. An empty list allows everything.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Route {
    /// Skills of this tenant. Absent: of the one whose skills are there, else of the first of `extensions.auth`.
    pub(in crate::config) tenant: Option<String>,
    /// Skills of these workspaces.
    pub(in crate::config) workspaces: Vec<String>,
    /// Skills of work in these repositories, as sessions name them: `git.example.com/team/shop`.
    pub(in crate::config) projects: Vec<String>,
    /// Skills of these kinds: `workspace`, `project`, `person`.
    pub(in crate::config) scopes: Vec<Scope>,
    /// Of skills of one person, only those of these people.
    pub(in crate::config) people: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum Scope {
    Workspace,
    Project,
    Person,
}

/// How many skills a target takes; any more wait.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct SkillLimits {
    /// The most skills in all.
    pub(in crate::config) skills: u64,
    /// The most skills of one workspace.
    pub(in crate::config) workspace: u64,
    /// The most new skills of one run.
    pub(in crate::config) run: u64,
}

impl Default for SkillLimits {
    fn default() -> Self {
        Self { skills: 500, workspace: 100, run: 50 }
    }
}

/// `connectors:`
#[derive(Debug)]
pub(in crate::config) enum Connector {
    Skillify(Skillify),
}

impl Named for Connector {
    const SECTION: &'static str = "connectors";
    const TYPES: &'static [&'static str] = &["skillify"];

    fn deserialize<'de, D: Deserializer<'de>>(_: &str, deserializer: D) -> Result<Self, D::Error> {
        Skillify::deserialize(deserializer).map(Self::Skillify)
    }
}

/// Mines the sessions table for skills.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Skillify {
    /// The extension that says where the table is.
    pub(in crate::config) table: String,
    /// A workspace is due after this many new turns, whether or not a session closed.
    pub(in crate::config) every_turns: u64,
    /// A session with nothing new for this long is closed.
    pub(in crate::config) idle: Span,
    /// The shortest time between two runs.
    pub(in crate::config) min_interval: Span,
    /// The folder of the digests of sessions, so that a run reads only what is new.
    pub(in crate::config) digests: Option<String>,
    /// The memory that mining may take.
    pub(in crate::config) memory: ByteSize,
    /// How far back workspaces are mined.
    pub(in crate::config) window: Reach,
    /// What a skill needs to be published.
    pub(in crate::config) publish: Publish,
    /// What to do with rules that people state: `review` or `off`.
    pub(in crate::config) rules: Rules,
    /// Who words the skills.
    pub(in crate::config) proposer: Proposer,
    /// Where vectors of words come from, which recognise prompts that ask for the same in other words.
    pub(in crate::config) embeddings: Option<Embeddings>,
    /// How several workers of one table agree on who mines what; `file`: there is one.
    #[serde(deserialize_with = "coordination")]
    pub(in crate::config) coordination: Coordination,
}

/// As far as the memory allows, or less far.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Reach {
    /// The newest events, up to this number.
    pub(in crate::config) events: Option<u64>,
    /// Only events up to this age, from the newest one.
    pub(in crate::config) age: Option<Span>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Publish {
    /// A skill needs the support of at least this many sessions.
    pub(in crate::config) sessions: u64,
    /// A skill needs the support of at least this many people.
    pub(in crate::config) people: u64,
    /// Count only people whom a credential names.
    pub(in crate::config) verified: bool,
    /// The most skills of one repository: the most useful ones.
    pub(in crate::config) skills: u64,
    /// The classes of commands that a skill may name without a person's approval.
    #[serde(deserialize_with = "classes")]
    pub(in crate::config) allow: Classes,
}

/// A list of names of classes.
fn classes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Classes, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    let class = |name: String| {
        Class::parse(&name).ok_or_else(|| {
            let known: Vec<&str> = Class::ALL.iter().map(|class| class.as_str()).collect();
            de::Error::custom(format_args!("no class `{name}`; the classes are {}", known.join(", ")))
        })
    };
    names.into_iter().map(class).collect()
}

fn coordination<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Coordination, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "file" => Ok(Coordination::File),
        "store" => Ok(Coordination::Store),
        "kubernetes" => Ok(Coordination::Kubernetes),
        other => Err(de::Error::custom(format_args!("expected file, store or kubernetes, found `{other}`"))),
    }
}

impl Default for Parquet {
    fn default() -> Self {
        Self { table: "sessions_table".to_owned(), flush: Flush::default(), compression: Zstd(1) }
    }
}

impl Default for Deeplake {
    fn default() -> Self {
        Self {
            table: None,
            endpoint: "https://api.deeplake.ai".to_owned(),
            org: String::new(),
            org_name: None,
            workspace: "default".to_owned(),
            token: None,
            tables: DeeplakeTables::default(),
            from: None,
            batch: Batch::default(),
            turn: TurnEnd::default(),
            interval: Span(Duration::from_secs(5)),
            timeout: Span(Duration::from_secs(30)),
            read_lag: Span(Duration::from_secs(10)),
            state: None,
            route: Route::default(),
            limits: SkillLimits::default(),
        }
    }
}

impl Default for DeeplakeTables {
    fn default() -> Self {
        Self {
            sessions: "sessions".to_owned(),
            skills: "skills".to_owned(),
            library: "skillspan_library".to_owned(),
        }
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self { rows: 200, bytes: ByteSize(1 << 20), concurrency: 4 }
    }
}

impl Default for TurnEnd {
    fn default() -> Self {
        Self { settle: Span(Duration::from_secs(10)), idle: Span(Duration::from_secs(30 * 60)) }
    }
}

impl Default for Flush {
    fn default() -> Self {
        Self {
            rows: 50_000,
            bytes: ByteSize(24 << 20),
            age: Span(Duration::from_secs(30)),
            on_session_end: true,
        }
    }
}

impl Default for Skillify {
    fn default() -> Self {
        Self {
            table: "sessions_table".to_owned(),
            every_turns: 20,
            idle: Span(Duration::from_secs(30 * 60)),
            min_interval: Span(Duration::from_secs(60)),
            digests: None,
            memory: ByteSize(256 << 20),
            window: Reach::default(),
            publish: Publish::default(),
            rules: Rules::default(),
            proposer: Proposer::default(),
            embeddings: None,
            coordination: Coordination::File,
        }
    }
}

impl Default for Publish {
    fn default() -> Self {
        Self { sessions: 2, people: 2, verified: false, skills: 7, allow: Classes::default() }
    }
}

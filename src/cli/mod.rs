//! The command line: one file per subcommand.
//!
//! Exit codes: 0; 64 for a wrong command line or configuration; 1 for any other failure.

mod cases;
mod columns;
mod compact;
mod connect;
mod deadletters;
mod demo;
mod doctor;
mod drain;
mod erase;
mod explain;
mod folders;
mod holdout;
mod hook;
mod import;
mod listing;
mod manual;
mod mcp;
mod open;
mod probe;
mod reader;
mod render;
mod report;
mod run;
mod schema;
mod segment;
mod sessions;
mod skillify;
mod skills;
mod statements;
mod status;
mod upgrade;
mod validate;

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::config::{self, ConfigError, Given, ProcessSource, Settings};
use crate::event::{visible, visible_json};
use crate::exporters::git::answer_credential_question;
use crate::shell::tool::quoted;

/// `EX_USAGE` of sysexits.h: the command line or the configuration is wrong.
const USAGE: u8 = 64;
/// What is still done on other threads when a command has ended is waited for no longer.
const ABANDONED: Duration = Duration::from_secs(1);

#[derive(Debug, Parser)]
#[command(
    name = "skillspan",
    version,
    about = "Spans in, skills out: turns traces of coding agents into skills (SKILL.md)",
    after_help = "First steps: `skillspan demo` shows what it does, `skillspan import` learns from the sessions that \
                  are here, `skillspan run` starts it, and `skillspan connect --all --write` connects the assistants \
                  of this machine."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start: receive sessions, store them, look for skills; Ctrl-C stops
    Run(run::Arguments),
    /// See a skill come out of five bundled sessions; needs no set-up
    Demo(demo::Arguments),
    /// Learn from the sessions that assistants keep on this machine
    Import(Box<import::Arguments>),
    /// Open the console in a browser: sessions, skills, and what waits for a decision
    Open(open::Arguments),
    /// Check a configuration and show all that is wrong with it
    Validate(ConfigFile),
    /// Print the built-in configuration, which your files change key by key
    PrintConfig,
    /// List the components that a configuration may use
    Components,
    /// Print the columns of the sessions table
    Schema(schema::Arguments),
    /// Show what listens, what lags, what fails, and what to do
    Status(status::Arguments),
    /// Look for what is broken on this machine, and say what to do about each
    Doctor(doctor::Arguments),
    /// Say whether there is a newer version; installs nothing
    Upgrade(upgrade::Arguments),
    /// List records that could not be stored in the table, or try again
    #[command(subcommand, name = "deadletters")]
    DeadLetters(deadletters::Command),
    /// Store what is left in the journal of a process that is gone
    Drain(drain::Arguments),
    /// List sessions, or show one
    #[command(subcommand)]
    Sessions(sessions::Command),
    /// Say what the sessions cost in tokens and time, and why
    Report(report::Arguments),
    /// List, show, approve, reject and install skills
    #[command(subcommand)]
    Skills(skills::Command),
    /// Look for skills in the sessions now
    Skillify(skillify::Arguments),
    /// Cut sessions into tasks, for engines such as Spark; reads and writes Arrow
    Segment(segment::Arguments),
    /// Merge small files of the table, remove what is older than its retention
    Compact(compact::Arguments),
    /// Forget a session or a person, wherever it is stored
    Erase(erase::Arguments),
    /// Answers git's question for the credentials of a remote
    #[command(hide = true)]
    GitCredential {
        /// The socket that knows them
        address: PathBuf,
        /// `get`, `store` or `erase`
        operation: String,
    },
    /// Show, write or remove the settings that make an assistant send sessions
    Connect(connect::Arguments),
    /// Answer an assistant that asks what was learned; assistants start it
    Mcp(mcp::Arguments),
    /// Called by the hooks of assistants; people use `skillspan connect`
    Hook(hook::Arguments),
    /// Show what skillspan reads in a recorded request, and what it leaves out
    Explain(explain::Arguments),
    /// Print the script that lets a shell complete commands and options
    Completions(manual::Completions),
    /// Print the manual page, or write those of all commands
    Man(manual::Man),
}

#[derive(Debug, Clone, Args)]
struct ConfigFile {
    /// A configuration file; later ones change earlier ones key by key; without one, what print-config prints
    #[arg(long, value_name = "FILE", global = true, env = "SKILLSPAN_CONFIG", hide_env_values = true)]
    config: Vec<PathBuf>,
    /// Set one key, such as service.memory_limit=1GiB
    #[arg(long, value_name = "KEY=VALUE", global = true)]
    set: Vec<String>,
}

impl ConfigFile {
    fn load(&self) -> Result<Settings, Failure> {
        config::load_all(&self.given(), &ProcessSource).map_err(Failure::from)
    }

    /// As they were given, with a space ahead of each: for a command that a person shall run.
    fn as_options(&self) -> String {
        let shown = |path: &std::path::Path| quoted(&path.display().to_string());
        let configs = self.config.iter().map(|path| format!(" --config {}", shown(path)));
        configs.chain(self.set.iter().map(|set| format!(" --set {}", quoted(set)))).collect()
    }

    fn given(&self) -> Given {
        Given { configs: self.config.clone(), sets: self.set.clone() }
    }
}

/// Why a command did not do what it was asked to.
#[derive(Debug)]
enum Failure {
    /// The command line or the configuration is wrong.
    Usage(anyhow::Error),
    /// Something failed.
    Failed(anyhow::Error),
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.into())
    }
}

impl<E: Into<anyhow::Error>> From<Runtime<E>> for Failure {
    fn from(Runtime(error): Runtime<E>) -> Self {
        Self::Failed(error.into())
    }
}

/// An error that is not the user's writing.
struct Runtime<E>(E);

/// Marks errors as [`Failure::Failed`].
trait OrFail<T> {
    fn or_fail(self) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrFail<T> for Result<T, E> {
    fn or_fail(self) -> Result<T, Failure> {
        self.map_err(|error| Failure::Failed(error.into()))
    }
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    if hook::is_called() {
        return hook::main();
    }
    speak_tls_with_ring();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
            // If the terminal is gone, nobody can read an error.
            let _ = error.print();
            return code;
        }
    };
    let outcome = match cli.command {
        Command::Hook(arguments) => return hook::run(&arguments),
        Command::Run(config) => run::run(&config),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Open(arguments) => open::run(&arguments),
        Command::Validate(config) => validate::run(&config),
        Command::PrintConfig => print_as_is(config::DEFAULT),
        Command::Components => print(validate::COMPONENTS),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Upgrade(arguments) => upgrade::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::DeadLetters(command) => deadletters::run(&command),
        Command::Drain(arguments) => drain::run(&arguments),
        Command::Sessions(command) => sessions::run(&command),
        Command::Report(arguments) => report::run(&arguments),
        Command::Skills(command) => skills::run(&command),
        Command::Skillify(arguments) => skillify::run(&arguments),
        Command::Segment(arguments) => segment::run(&arguments),
        Command::Compact(arguments) => compact::run(&arguments),
        Command::Erase(arguments) => erase::run(&arguments),
        Command::GitCredential { address, operation } => answer_git(&address, &operation),
        Command::Connect(arguments) => connect::run(&arguments),
        Command::Mcp(arguments) => mcp::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Completions(arguments) => manual::completions(&arguments),
        Command::Man(arguments) => manual::man(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Usage(error) | Self::Failed(error)) = self;
        write!(f, "{error:#}")
    }
}

impl Failure {
    fn report(self) -> ExitCode {
        let (code, error) = match self {
            Self::Usage(error) => (USAGE, error),
            Self::Failed(error) => (1, error),
        };
        // A reader that closed its end (`skillspan sessions list | head`) has read enough.
        let broken_pipe = error
            .chain()
            .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
            .any(|cause| cause.kind() == ErrorKind::BrokenPipe);
        if broken_pipe {
            return ExitCode::SUCCESS;
        }
        let text = reasons(&error);
        // Everything that is wrong with a configuration, each on a line of its own.
        let lines = match error.downcast_ref::<ConfigError>() {
            Some(_) => text.replace('\n', "\nerror: "),
            None => text,
        };
        let shown = columns::folded(&format!("error: {}", visible(&lines)), columns::room_for_errors());
        let _ = writeln!(std::io::stderr(), "{}", shown.trim_end());
        ExitCode::from(code)
    }
}

/// An error and its causes; one that has said its cause already says it once.
fn reasons(error: &anyhow::Error) -> String {
    error
        .chain()
        .map(ToString::to_string)
        .reduce(|said, cause| if said.contains(&cause) { said } else { format!("{said}: {cause}") })
        .unwrap_or_default()
}

/// Prints a text for people, within the width of their terminal: what a terminal would obey, and what nobody would
/// see, is shown.
fn print(text: &str) -> Result<(), Failure> {
    write(&columns::folded(&visible(text), columns::room()))
}

/// The same of a text that goes into a file, such as settings and skills: no line is broken.
fn print_as_is(text: &str) -> Result<(), Failure> {
    write(&visible(text))
}

/// Prints JSON, hidden characters as JSON's escapes.
fn print_json(text: &str) -> Result<(), Failure> {
    write(&visible_json(text))
}

/// Prints a text for people, or JSON.
fn print_either(text: &str, is_json: bool) -> Result<(), Failure> {
    if is_json { print_json(text) } else { print(text) }
}

fn write(text: &str) -> Result<(), Failure> {
    std::io::stdout().lock().write_all(text.as_bytes()).or_fail()
}

/// To git, which takes a credential as it is.
fn answer_git(address: &Path, operation: &str) -> Result<(), Failure> {
    write(&answer_credential_question(address, operation).or_fail()?)
}

/// Whatever speaks TLS in this process uses ring; nobody else installs another.
fn speak_tls_with_ring() {
    // If one is installed already, it is this one.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Talks to a service on this machine: through no proxy, and without certificates, of which an image may
/// have none and which take longer to read than all the rest.
fn local_client() -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy().tls_certs_only([])
}

/// One runtime for every command.
fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().or_fail()?;
    let done = runtime.block_on(future);
    // Other threads may still read requests that were cut when the service stopped; nobody needs them.
    runtime.shutdown_timeout(ABANDONED);
    done
}

//! What every import shares: options, the question before it, and the skills after it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;

use super::report;
use super::sink::{self, Described};
use crate::cli::run::start_logging;
use crate::cli::{ConfigFile, Failure, OrFail, folders, hook, print, skillify};
use crate::config::{LogSettings, Settings, parse_duration};
use crate::event::capture;
use crate::receivers::hooks;
use crate::redact::{Key, Options, Redactor};

/// Beside the spools of hooks.
const KEY: &str = "redaction.key";

#[derive(Debug, Args)]
pub(super) struct Common {
    #[command(flatten)]
    pub(super) config: ConfigFile,
    /// Do not ask
    #[arg(long, short)]
    pub(super) yes: bool,
    /// Only sessions with activity since then, such as 90d
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub(super) since: Option<Duration>,
    /// The workspace of the sessions; without it, what marker files say
    #[arg(long, value_name = "NAME")]
    pub(super) workspace: Option<String>,
    /// Show what would be imported; store nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
    /// Send to this collector, which may be on another machine
    #[arg(long, value_name = "URL")]
    pub(super) endpoint: Option<String>,
    /// A file with the collector's token, if SKILLSPAN_TOKEN is not set
    #[arg(long, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// Do not look for skills afterwards
    #[arg(long)]
    pub(super) no_mining: bool,
}

/// What an import begins with.
pub(super) struct Ready {
    pub(super) settings: Settings,
    /// The person's folder for data.
    pub(super) data: PathBuf,
    pub(super) to: Described,
}

impl Ready {
    /// Where what was imported is remembered.
    pub(super) fn memories(&self) -> PathBuf {
        self.data.join("skillspan/imports")
    }
}

fn span(text: &str) -> Result<Duration, &'static str> {
    parse_duration(text).ok_or("it is no length of time, such as 90d or 12h")
}

impl Common {
    /// Reads the settings, and whether anything may be kept.
    pub(super) fn prepare(&self) -> Result<Ready, Failure> {
        let settings = self.config.load()?;
        if let Some(variable) = switched_off() {
            return Err(Failure::Usage(anyhow!(
                "{variable} says that nothing of this person's sessions is to be kept; take it away to import them"
            )));
        }
        let data = folders::data()
            .ok_or_else(|| Failure::Usage(anyhow!("neither XDG_DATA_HOME nor HOME is set")))?;
        start_logging(LogSettings { level: "warn", ..settings.logs }, true);
        let to = sink::described(&settings, self.endpoint.as_deref())?;
        Ok(Ready { settings, data, to })
    }

    /// Whose work it is, where the command line or the environment says it.
    pub(super) fn said_workspace(&self) -> Option<String> {
        let said = self.workspace.clone().filter(|workspace| !workspace.trim().is_empty());
        said.or_else(|| std::env::var("SKILLSPAN_WORKSPACE").ok())
    }

    /// The collector's credential, `""` if it asks for none.
    pub(super) fn token(&self) -> Result<String, Failure> {
        let said = std::env::var("SKILLSPAN_TOKEN").unwrap_or_default();
        match &self.token_file {
            Some(path) if said.is_empty() => match std::fs::read_to_string(path) {
                Ok(text) => Ok(text.trim().to_owned()),
                Err(error) => {
                    Err(Failure::Usage(anyhow!("the token cannot be read: {}: {error}", path.display())))
                }
            },
            _ => Ok(said),
        }
    }

    /// What leaves the machine is redacted before it does, with the key that hooks of this machine have.
    pub(super) fn redactor(&self, ready: &Ready) -> Result<Option<Redactor>, Failure> {
        if self.endpoint.is_none() {
            return Ok(None);
        }
        let folder = hooks::folder(&ready.data);
        std::fs::create_dir_all(&folder).or_fail()?;
        let key = Key::from_file(&folder.join(KEY)).or_fail()?;
        Redactor::new(&Options::default(), key).map(Some).or_fail()
    }

    /// Looks for skills in all that is stored, if it is stored here.
    pub(super) fn mine(&self, ready: &Ready) -> Result<(), Failure> {
        let mines = !self.dry_run && !self.no_mining && self.endpoint.is_none();
        if !mines || ready.settings.skills.is_empty() || self.json {
            return Ok(());
        }
        print("\nLooking for skills in all that is stored …\n")?;
        skillify::run_now(&self.config)?;
        print(report::NEXT)
    }
}

/// The variable by which a person has said that nothing is to be kept.
fn switched_off() -> Option<&'static str> {
    let said = |name: &str| std::env::var(name).is_ok_and(|value| capture::forbids(&value));
    let of_resource = || {
        let attributes = std::env::var("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
        hook::pairs(&attributes, hook::percent_decoded)
            .iter()
            .any(|(name, value)| name == "skillspan.capture" && capture::forbids(value))
    };
    if said("SKILLSPAN_CAPTURE") {
        return Some("SKILLSPAN_CAPTURE");
    }
    of_resource().then_some("OTEL_RESOURCE_ATTRIBUTES")
}

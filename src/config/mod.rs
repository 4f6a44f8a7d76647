//! The configuration: YAML as written → checked → resolved settings.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`load`]: the whole way; [`ConfigError`] |
//! | `tree.rs` | the document as a tree with positions |
//! | `expand.rs` | `${env:…}`, `${file:…}` |
//! | `decode.rs` | serde over the tree; errors with line, column and path |
//! | `raw/`, `components.rs`, `units.rs` | every key, its type and its default |
//! | `listeners.rs` | what is listened on |
//! | `credentials.rs` | who may send |
//! | `mappings.rs` | what records of agents of one's own mean |
//! | `proposer.rs` | who words skills, and what that may cost |
//! | `embeddings.rs` | where vectors of words are had |
//! | `resolve.rs`, `tables.rs`, `targets.rs`, `deeplake.rs` | references, paths and pipelines → [`Settings`] |
//! | `tenants.rs` | whose skills and sessions go where |
//! | `telemetry.rs` | what the process says of itself |
//! | `watch.rs` | the settings again, when a file of theirs has changed |
//! | `settings.rs` | what runs |
//! | `default.yaml` | what runs without a file |
//!
//! A file changes the built-in configuration: a component or a part of `service` that it writes
//! replaces the built-in one of that name as a whole; what it does not write stays. `pipelines`, if
//! written, are all the pipelines there are. Nothing is bound, created or locked before a
//! configuration is resolved without error.

mod components;
mod credentials;
mod decode;
mod deeplake;
mod embeddings;
mod expand;
mod listeners;
mod mappings;
mod proposer;
mod raw;
mod resolve;
mod settings;
mod tables;
mod targets;
mod telemetry;
mod tenants;
mod tree;
mod units;
mod watch;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use decode::DecodeError;
pub use expand::{ProcessSource, Source};
pub use settings::{
    Doors, EmbeddingSettings, FollowerSettings, Listener, LogSettings, ModelSettings, OtlpMetrics,
    ProcessorSettings, ReceiverSettings, Schedule, SessionsPipeline, SessionsTable, Settings, SkillsPipeline,
    Uses,
};
pub use units::parse_duration;
pub use watch::Watch;

/// The configuration that runs when none is given.
pub const DEFAULT: &str = include_str!("default.yaml");

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: std::io::Error,
    },
    /// What stands in it is wrong.
    #[error("{origin}:{error}")]
    Invalid {
        /// The file, or where else the text came from.
        origin: Origin,
        /// What is wrong, with line, column and path.
        error: DecodeError,
    },
    /// Neither `XDG_DATA_HOME` nor `HOME` says where data belongs.
    #[error(
        "neither XDG_DATA_HOME nor HOME is set: set one, or give every path (sessions_table, journal, filesystem)"
    )]
    NoHome,
}

/// Where a configuration came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// [`DEFAULT`].
    BuiltIn,
    /// A text made by the program itself, by its name.
    Text(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::BuiltIn => f.write_str("(built-in configuration)"),
            Self::Text(name) => write!(f, "({name})"),
        }
    }
}

/// Reads and resolves a configuration file, or the built-in configuration alone.
pub fn load(file: Option<&Path>, source: &dyn Source) -> Result<Settings, ConfigError> {
    match file {
        None => parse("", Origin::BuiltIn, source),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
            let settings = parse(&text, Origin::File(path.to_owned()), source)?;
            Ok(Settings { file: Some(path.to_owned()), ..settings })
        }
    }
}

/// Resolves a configuration text.
pub fn parse(text: &str, origin: Origin, source: &dyn Source) -> Result<Settings, ConfigError> {
    let places = resolve::Places::from_environment(source);
    let built_in =
        decode(DEFAULT, source).map_err(|error| ConfigError::Invalid { origin: Origin::BuiltIn, error })?;
    let invalid = |error| ConfigError::Invalid { origin: origin.clone(), error };
    let written = decode(text, source).map_err(invalid)?;
    resolve::resolve(built_in, written, &places).map_err(|error| match error {
        resolve::ResolveError::Invalid(error) => invalid(error),
        resolve::ResolveError::NoHome => ConfigError::NoHome,
    })
}

/// Where an error does not say what it found, because that could be a secret in the wrong place.
const SECRETS: &[&str] = &["extensions", "auth"];

/// A decoded text, with its tree for the positions of what resolving finds wrong.
struct Decoded {
    tree: tree::Node,
    raw: raw::Raw,
}

fn decode(text: &str, source: &dyn Source) -> Result<Decoded, DecodeError> {
    let mut tree = tree::Node::parse(text).map_err(|error| DecodeError::at(error.position, error.message))?;
    expand::expand(&mut tree, source)?;
    let raw = raw::Raw::deserialize(&tree).map_err(|error| error.without_found_below(SECRETS))?;
    Ok(Decoded { tree, raw })
}

//! The configuration: YAML as written → checked → resolved settings.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`load_all`]: the whole way; [`ConfigError`] |
//! | `sources.rs` | what the command line names: files in their order, single keys |
//! | `tree.rs` | a document as a tree with positions |
//! | `layers.rs` | several documents to one, merged by key |
//! | `reading.rs` | the tree to settings, or to all that is wrong with it |
//! | `expand.rs` | `${env:…}`, `${file:…}` |
//! | `decode.rs` | serde over the tree; errors with line, column and path |
//! | `raw/`, `components.rs`, `units.rs` | every key, its type and its default |
//! | `listeners.rs` | what is listened on |
//! | `own_addresses.rs` | whether a backend's address is one of these |
//! | `credentials.rs` | who may send |
//! | `console.rs` | where the pages are, and for whom |
//! | `coordination.rs` | what several workers of one table need |
//! | `mappings.rs` | what records of agents of one's own mean |
//! | `processors.rs` | what happens to events before they are stored |
//! | `proposer.rs` | who words skills, and what that may cost |
//! | `forward.rs`, `langfuse.rs` | what goes to other backends as it came |
//! | `embeddings.rs` | where vectors of words come from |
//! | `resolve.rs`, `tables.rs`, `targets.rs`, `deeplake.rs` | references, paths and pipelines → [`Settings`] |
//! | `resolver.rs` | what resolving has at hand, and how it tells what is wrong |
//! | `tenants.rs` | whose skills and sessions go where |
//! | `telemetry.rs` | what the process says of itself |
//! | `watch.rs` | the settings again, when a file of theirs has changed |
//! | `settings.rs` | what runs |
//! | `default.yaml` | what runs without a file |
//!
//! Files change the built-in configuration key by key, each the ones before it, and `--set` changes what
//! they make (`layers.rs` has what differs from the Collector). Nothing is bound, created or locked before
//! a configuration is resolved without error.

mod components;
mod console;
mod coordination;
mod credentials;
mod decode;
mod deeplake;
mod embeddings;
mod expand;
mod forward;
mod langfuse;
mod layers;
mod listeners;
mod mappings;
mod own_addresses;
mod processors;
mod proposer;
mod raw;
mod reading;
mod resolve;
mod resolver;
mod settings;
mod sources;
mod tables;
mod targets;
mod telemetry;
mod tenants;
mod tree;
mod units;
mod watch;

use std::fmt;
use std::path::{Path, PathBuf};

pub use decode::DecodeError;
pub(crate) use decode::nearest;
pub use expand::{ProcessSource, Source};
use reading::Reading;
pub use settings::{
    ConsoleSettings, Doors, EmbeddingSettings, FollowerSettings, ForwardRoute, ForwardSettings, Listener,
    LogSettings, McpSettings, ModelSettings, OtlpMetrics, Outline, ProcessorSettings, Reach,
    ReceiverSettings, Schedule, Sees, SessionsPipeline, SessionsTable, Settings, SkillsPipeline,
    TranscriptSettings, Uses,
};
pub use sources::{Given, Origin};
use tree::Node;
pub use units::parse_duration;
pub use watch::Watch;

/// The configuration that runs when none is given.
pub const DEFAULT: &str = include_str!("default.yaml");

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: std::io::Error,
    },
    /// `--config env:NAME` of a variable that is not set.
    #[error("--config env:{0}: the environment variable {0} is not set")]
    Unset(String),
    /// The configuration is wrong: all faults, in the order of the texts.
    #[error("{}", lines(.0))]
    Invalid(Vec<Fault>),
    /// Neither `XDG_DATA_HOME` nor `HOME` says where data belongs.
    #[error(
        "neither XDG_DATA_HOME nor HOME is set: set one, or give every path (sessions_table, journal, filesystem)"
    )]
    NoHome,
}

/// One thing that is wrong, and where.
#[derive(Debug)]
pub struct Fault {
    /// The text that it stands in.
    pub origin: Origin,
    /// What is wrong, with line, column and path.
    pub error: DecodeError,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Set(key) if self.error.path().join(".") == key.replace("::", ".") => {
                write!(f, "{}: {}", self.origin, self.error.message())
            }
            Origin::Set(_) => write!(f, "{}: {}", self.origin, self.error.without_place()),
            origin => write!(f, "{origin}:{}", self.error),
        }
    }
}

fn lines(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Reads and resolves a configuration file, or the built-in configuration alone.
pub fn load(file: Option<&Path>, source: &dyn Source) -> Result<Settings, ConfigError> {
    load_all(&file.map(Given::file).unwrap_or_default(), source)
}

/// Reads, merges and resolves all that the command line names.
pub fn load_all(given: &Given, source: &dyn Source) -> Result<Settings, ConfigError> {
    let settings = assemble(given.layers(source)?, source)?;
    Ok(Settings { given: given.clone(), ..settings })
}

/// Resolves a configuration text.
pub fn parse(text: &str, origin: Origin, source: &dyn Source) -> Result<Settings, ConfigError> {
    assemble(vec![Layer::Text(origin, text.to_owned())], source)
}

/// A part of a configuration, in the order of merging.
enum Layer {
    Text(Origin, String),
    Set(String),
}

/// Where an error does not say what it found, because that could be a secret in the wrong place.
const SECRETS: &[&str] = &["extensions", "auth"];

/// More is not told at once.
const MOST_FAULTS: usize = 100;

/// Merges the layers over the built-in ones, and resolves the result.
fn assemble(layers: Vec<Layer>, source: &dyn Source) -> Result<Settings, ConfigError> {
    let mut origins = vec![Origin::BuiltIn];
    let mut faults = Vec::new();
    let tree = merge(layers, &mut origins, &mut faults);
    let settings = match tree {
        Some(tree) => {
            Reading { tree, faults: &mut faults, refused: Vec::new(), put_right: Vec::new(), source }
                .settings()?
        }
        None => None,
    };
    faults.sort_by_key(DecodeError::position);
    faults.dedup();
    let origin = |error: &DecodeError| error.position().and_then(|position| origins.get(position.layer));
    let faults: Vec<Fault> = faults
        .into_iter()
        .map(|error| Fault { origin: origin(&error).cloned().unwrap_or(Origin::BuiltIn), error })
        .collect();
    settings.filter(|_| faults.is_empty()).ok_or(ConfigError::Invalid(faults))
}

/// All layers as one tree; nothing where one of them is none.
fn merge(layers: Vec<Layer>, origins: &mut Vec<Origin>, faults: &mut Vec<DecodeError>) -> Option<tree::Node> {
    let (mut written, mut sets) = (None, Vec::new());
    let (mut repeated, mut is_readable) = (Vec::new(), true);
    let read = |text: &str, layer, repeated: &mut Vec<tree::SyntaxError>| {
        Node::parse(text, layer, repeated).map_err(|error| DecodeError::at(error.position, error.message))
    };
    let built_in = read(DEFAULT, tree::BUILT_IN, &mut repeated);
    for layer in layers {
        let number = origins.len();
        let (parsed, is_set) = match layer {
            Layer::Text(origin, text) => {
                origins.push(origin);
                (read(&text, number, &mut repeated), false)
            }
            Layer::Set(argument) => {
                let key = argument.split_once('=').map_or(argument.as_str(), |(key, _)| key);
                origins.push(Origin::Set(key.to_owned()));
                (layers::set(&argument, number), true)
            }
        };
        match parsed {
            Ok(node) if is_set => sets.push(node),
            Ok(node) => {
                written = Some(match written {
                    Some(before) => layers::merge(before, node),
                    None => node,
                });
            }
            Err(error) => {
                is_readable = false;
                faults.push(error);
            }
        }
    }
    faults.extend(repeated.into_iter().map(|error| DecodeError::at(error.position, error.message)));
    let built_in = built_in.map_err(|error| faults.push(error)).ok().filter(|_| is_readable)?;
    let merged = match written {
        Some(written) => layers::over_built_in(built_in, written),
        None => built_in,
    };
    Some(sets.into_iter().fold(merged, layers::merge))
}

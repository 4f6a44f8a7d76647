//! What a configuration is made of: files in their order, then single keys.

use std::fmt;
use std::path::{Path, PathBuf};

use super::expand::Source;
use super::{ConfigError, Layer};

/// What the command line names, in its order. Empty: the built-in configuration alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// `--config`: a path, or as in the Collector `file:PATH`, `env:NAME` (the text in a variable) or
    /// `yaml:TEXT`. What comes later wins, key by key.
    pub configs: Vec<PathBuf>,
    /// `--set`: `KEY=VALUE`. They win over all files.
    pub sets: Vec<String>,
}

/// Where a part of the configuration came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// [`super::DEFAULT`].
    BuiltIn,
    /// A text made by the program itself, by its name.
    Text(&'static str),
    /// A text on the command line or in a variable.
    Given(String),
    /// `--set` of this key.
    Set(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::BuiltIn => f.write_str("(built-in configuration)"),
            Self::Text(name) => write!(f, "({name})"),
            Self::Given(name) => f.write_str(name),
            Self::Set(key) => write!(f, "--set {key}"),
        }
    }
}

impl Given {
    /// One file and nothing else.
    pub fn file(path: &Path) -> Self {
        Self { configs: vec![path.to_owned()], sets: Vec::new() }
    }

    /// Whether the built-in configuration is all there is.
    pub fn is_empty(&self) -> bool {
        self.configs.is_empty() && self.sets.is_empty()
    }

    /// The files among it.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.configs.iter().filter_map(|config| match ConfigUri::of(config) {
            ConfigUri::File(path) => Some(path),
            ConfigUri::Variable(_) | ConfigUri::Text(_) => None,
        })
    }

    /// The texts, read now.
    pub(super) fn layers(&self, source: &dyn Source) -> Result<Vec<Layer>, ConfigError> {
        let mut layers = Vec::new();
        for config in &self.configs {
            layers.push(match ConfigUri::of(config) {
                ConfigUri::File(path) => {
                    let text = std::fs::read_to_string(path)
                        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
                    Layer::Text(Origin::File(path.to_owned()), text)
                }
                ConfigUri::Variable(name) => {
                    let unset = || ConfigError::Unset(name.to_owned());
                    let text = source.env(name).ok_or_else(unset)?;
                    Layer::Text(Origin::Given(format!("env:{name}")), text)
                }
                ConfigUri::Text(text) => {
                    Layer::Text(Origin::Given("--config yaml:".to_owned()), one_key(text))
                }
            });
        }
        layers.extend(self.sets.iter().cloned().map(Layer::Set));
        Ok(layers)
    }
}

/// `a::b: value` is short for nested mappings, as in the Collector.
fn one_key(text: &str) -> String {
    match text.split_once(": ") {
        Some((key, value)) if key.contains("::") && !key.contains(char::is_whitespace) => {
            let names: Vec<&str> = key.split("::").collect();
            let open: String = names.iter().map(|name| format!("{{{name}: ")).collect();
            format!("{open}{value}{}", "}".repeat(names.len()))
        }
        _ => text.to_owned(),
    }
}

/// What an argument of `--config` names.
enum ConfigUri<'p> {
    File(&'p Path),
    Variable(&'p str),
    Text(&'p str),
}

impl<'p> ConfigUri<'p> {
    fn of(config: &'p Path) -> Self {
        let text = config.to_str().unwrap_or_default();
        match text.split_once(':') {
            Some(("env", name)) => Self::Variable(name),
            Some(("yaml", text)) => Self::Text(text),
            Some(("file", path)) => Self::File(Path::new(path)),
            _ => Self::File(config),
        }
    }
}

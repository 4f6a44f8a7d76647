//! Where a person's files belong, as the environment says.

use crate::cli::Failure;
use anyhow::anyhow;
use std::path::PathBuf;

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// `~`
pub(super) fn home() -> Option<PathBuf> {
    variable("HOME")
}

/// `~/.config/skillspan`
pub(super) fn config() -> Option<PathBuf> {
    let folder = variable("XDG_CONFIG_HOME").or_else(|| Some(home()?.join(".config")))?;
    Some(folder.join("skillspan"))
}

/// `~/.local/share`, as the configuration finds it.
pub(super) fn data() -> Option<PathBuf> {
    variable("XDG_DATA_HOME").or_else(|| Some(home()?.join(".local/share")))
}

/// `~/.local/share/skillspan`
pub(super) fn data_folder() -> Result<PathBuf, Failure> {
    data()
        .map(|data| data.join("skillspan"))
        .ok_or_else(|| Failure::Usage(anyhow!("HOME is not set; say where with XDG_DATA_HOME")))
}

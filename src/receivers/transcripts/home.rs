//! Where the folders of a person are.

use std::path::{Path, PathBuf};

/// A person's home, and what their environment says of where assistants keep their files.
pub struct Home<'h> {
    /// `~`
    pub folder: &'h Path,
    /// A variable that is set.
    pub variable: &'h dyn Fn(&str) -> Option<PathBuf>,
}

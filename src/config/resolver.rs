//! What resolving has at hand, and how it tells what is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::DecodeError;
use super::decode::instead;
use super::expand::Source;
use super::raw::Raw;
use super::tree::{BUILT_IN, Node};
use crate::skillify::Verified;

/// Where data belongs on this machine.
#[derive(Debug, Clone)]
pub(super) struct BaseFolders {
    pub(super) home: Option<PathBuf>,
    pub(super) data: Option<PathBuf>,
}

impl BaseFolders {
    pub(super) fn from_environment(source: &dyn Source) -> Self {
        let folder = |name| source.env(name).filter(|path| !path.is_empty()).map(PathBuf::from);
        let home = folder("HOME");
        let data = folder("XDG_DATA_HOME").or_else(|| Some(home.as_ref()?.join(".local/share")));
        Self { home, data }
    }
}

pub(super) enum ResolveError {
    Invalid(DecodeError),
    /// It is wrong because something else is, which is told.
    Consequence(DecodeError),
    NoHome,
}

pub(super) struct Resolver<'p> {
    pub(super) raw: Raw,
    pub(super) tree: &'p Node,
    pub(super) refused: &'p [Vec<String>],
    pub(super) places: &'p BaseFolders,
    pub(super) used: BTreeSet<String>,
    /// The exporters that follow a table, by id.
    pub(super) followed: BTreeSet<String>,
    /// The workspace of sessions that name none, by table.
    pub(super) default_workspaces: BTreeMap<String, String>,
    /// The tenants of the credentials, in the order that they are written in.
    pub(super) tenants: Vec<String>,
    /// The people whom credentials name.
    pub(super) verified: Arc<Verified>,
    pub(super) warnings: Vec<String>,
}

impl Resolver<'_> {
    pub(super) fn local_path(
        &self,
        path: Option<String>,
        name: &str,
        at: &[&str],
    ) -> Result<PathBuf, ResolveError> {
        let Some(path) = path else {
            return Ok(self.places.data.as_ref().ok_or(ResolveError::NoHome)?.join("skillspan").join(name));
        };
        if let Some((scheme, _)) = path.split_once("://") {
            let message = format!("{scheme}:// is not supported yet; give a folder on a local disk");
            return Err(self.invalid(at, &message));
        }
        if path.is_empty() {
            return Err(self.invalid(at, "the path is empty"));
        }
        match path.strip_prefix("~/") {
            Some(rest) => Ok(self.places.home.as_ref().ok_or(ResolveError::NoHome)?.join(rest)),
            None => Ok(PathBuf::from(path)),
        }
    }

    /// Whether a file, or `--set`, says what stands at the path.
    pub(super) fn is_written(&self, path: &[&str]) -> bool {
        let node = path.iter().try_fold(self.tree, |node, name| node.child(name));
        node.is_some_and(|node| node.position.layer != BUILT_IN)
    }

    /// Whether something was taken out there because it is wrong, and that was told.
    pub(super) fn is_refused(&self, path: &[&str]) -> bool {
        self.refused.iter().any(|refused| refused.iter().map(String::as_str).eq(path.iter().copied()))
    }

    pub(super) fn no_such<'k>(
        &self,
        at: &[&str],
        index: usize,
        id: &str,
        section: &str,
        known: impl Iterator<Item = &'k String>,
    ) -> ResolveError {
        let known: Vec<&str> = known.map(String::as_str).collect();
        let index = index.to_string();
        let at: Vec<&str> = at.iter().copied().chain([index.as_str()]).collect();
        let message = format!("there is no `{id}` among the {section}{}", instead(id, &known, "known are"));
        self.unless_refused(&[section, id], self.invalid(&at, &message))
    }

    /// Drops an error that only follows from the value removed at `path`.
    pub(super) fn unless_refused(&self, path: &[&str], error: ResolveError) -> ResolveError {
        match error {
            ResolveError::Invalid(error) if self.is_refused(path) => ResolveError::Consequence(error),
            error => error,
        }
    }

    pub(super) fn invalid(&self, path: &[&str], message: &str) -> ResolveError {
        let path: Vec<String> = path.iter().map(|&part| part.to_owned()).collect();
        let position = self.tree.place(&path);
        let error = DecodeError::at(position, message.to_owned());
        ResolveError::Invalid(path.iter().rev().fold(error, |error, part| error.below(part)))
    }
}

pub(super) fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

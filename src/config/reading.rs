//! From the merged tree to settings, or to everything that is wrong with it.
//!
//! Reading stops at the first fault. The fault is reported and removed from the tree, or corrected if it is an
//! obvious typo, and reading begins again until there is no fault. Faults caused only by such a removal are not
//! reported.

use serde::Deserialize;

use super::resolve;
use super::resolver::{BaseFolders, ResolveError};
use super::tree::{BUILT_IN, Key, Node, Value};
use super::{ConfigError, DecodeError, MOST_FAULTS, SECRETS, Settings, Source, expand, layers, raw};

/// A tree that is read.
pub(super) struct Reading<'r> {
    pub(super) tree: Node,
    pub(super) faults: &'r mut Vec<DecodeError>,
    /// The paths of what was taken out.
    pub(super) refused: Vec<Vec<String>>,
    /// The paths that were corrected. A second error at such a path removes the value: `exporters/` keeps its path even
    /// if its name is corrected.
    pub(super) put_right: Vec<Vec<String>>,
    pub(super) source: &'r dyn Source,
}

impl Reading<'_> {
    /// The settings, if nothing is wrong.
    pub(super) fn settings(mut self) -> Result<Option<Settings>, ConfigError> {
        let places = BaseFolders::from_environment(self.source);
        let mut unexpanded = Vec::new();
        expand::expand(&mut self.tree, self.source, &mut Vec::new(), &mut unexpanded);
        self.refused.extend(unexpanded.iter().map(DecodeError::path));
        self.faults.append(&mut unexpanded);
        while self.faults.len() < MOST_FAULTS {
            let error = match self.attempt(&places) {
                Ok(settings) => return Ok(Some(settings).filter(|_| self.faults.is_empty())),
                Err(ResolveError::NoHome) if self.faults.is_empty() => return Err(ConfigError::NoHome),
                Err(ResolveError::NoHome) => break,
                Err(ResolveError::Invalid(error)) => {
                    if !self.is_consequence(&error.path()) {
                        self.faults.push(error.clone());
                    }
                    error
                }
                Err(ResolveError::Consequence(error)) => error,
            };
            if !self.amend(&error) {
                break;
            }
        }
        Ok(None)
    }

    fn attempt(&self, places: &BaseFolders) -> Result<Settings, ResolveError> {
        let raw = raw::Raw::deserialize(&self.tree)
            .map_err(|error| ResolveError::Invalid(error.without_found_below(SECRETS)))?;
        resolve::resolve(raw, &self.tree, &self.refused, places)
    }

    /// Whether something was taken out below this place: what is missing there was told already.
    fn is_consequence(&self, path: &[String]) -> bool {
        self.refused.iter().any(|refused| refused.starts_with(path))
    }

    /// Puts right what was meant, else takes it out. `false`: there is nothing left to take out.
    fn amend(&mut self, error: &DecodeError) -> bool {
        let path = error.path();
        if let Some((meant, is_key)) = error.meant()
            && !self.put_right.contains(&path)
            && self.mend(&path, meant, is_key)
        {
            self.put_right.push(path);
            return true;
        }
        let mut path = path;
        while path.len() > 1 && at(&mut self.tree, &path).is_none() {
            path.pop();
        }
        match at(&mut self.tree, &path) {
            Some(node) if !path.is_empty() && node.value != Value::Refused => {
                node.value = Value::Refused;
                self.refused.push(path);
                true
            }
            _ => false,
        }
    }

    fn mend(&mut self, path: &[String], meant: &str, is_key: bool) -> bool {
        let Some((written, above)) = path.split_last() else { return false };
        let Some(above) = at(&mut self.tree, above) else { return false };
        if is_key { rename(above, written, meant) } else { rewrite(above, written, meant) }
    }
}

/// Another text in the place of a reference, unless the list has it already.
fn rewrite(above: &mut Node, written: &str, meant: &str) -> bool {
    let is_meant = |node: &Node| matches!(&node.value, Value::Scalar(scalar) if scalar.text == meant);
    if let Value::Sequence(items) = &above.value
        && items.iter().any(is_meant)
    {
        return false;
    }
    let Some(Node { value: Value::Scalar(scalar), .. }) = above.child_mut(written) else { return false };
    meant.clone_into(&mut scalar.text);
    true
}

/// Another name for a key, unless somebody wrote that as well. A component's id keeps its name:
/// `worksapce/eu` is `workspace/eu`.
fn rename(above: &mut Node, written: &str, meant: &str) -> bool {
    let name = written.split_once('/').map(|(_, name)| name).filter(|_| !meant.contains('/'));
    let meant = name.map_or(meant.to_owned(), |name| format!("{meant}/{name}"));
    let Value::Mapping(entries) = &mut above.value else { return false };
    let place = |name: &str, entries: &[(Key, Node)]| entries.iter().position(|(key, _)| key.name == name);
    let Some(index) = place(written, entries) else { return false };
    let (key, node) = entries.remove(index);
    match place(&meant, entries).and_then(|index| entries.get_mut(index)) {
        None => entries.push((Key { name: meant, ..key }, node)),
        Some((_, known)) if known.position.layer == BUILT_IN => {
            let built_in = std::mem::replace(known, Node { position: node.position, value: Value::Null });
            *known = layers::merge(built_in, node);
        }
        Some(_) => {
            entries.push((key, node));
            return false;
        }
    }
    true
}

fn at<'n>(tree: &'n mut Node, path: &[String]) -> Option<&'n mut Node> {
    path.iter().try_fold(tree, |node, name| node.child_mut(name))
}

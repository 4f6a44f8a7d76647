//! The exporters of a skills pipeline, resolved.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::exporters::target::{Place, Target};
use crate::exporters::{filesystem, git};
use crate::library::{Bounds, Layout, Route};
use crate::secret::Secret;

use super::raw::{self, Exporter, Pipeline};
use super::resolve::{ResolveError, Resolver, usize_of};

const BRANCH: &str = "main";
const AUTHOR: &str = "skillspan <skillspan@localhost>";
/// What GitHub documents; other hosts take any name, or say which.
const USERNAME: &str = "x-access-token";
/// What goes where others read it, unless the configuration says otherwise.
pub(super) const SHARED_SCOPES: [raw::Scope; 2] = [raw::Scope::Workspace, raw::Scope::Project];

impl Resolver<'_> {
    pub(super) fn targets(&mut self, name: &str, pipeline: &Pipeline) -> Result<Vec<Target>, ResolveError> {
        let at = ["service", "pipelines", name, "exporters"];
        if pipeline.exporters.is_empty() {
            return Err(self.invalid(&at, "a skills pipeline needs an exporter, such as filesystem"));
        }
        let mut targets = Vec::new();
        for (index, id) in pipeline.exporters.iter().enumerate() {
            let target = match self.raw.exporters.0.get(id) {
                Some(Exporter::Filesystem(filesystem)) => self.filesystem(id, filesystem)?,
                Some(Exporter::Git(git)) => self.git(id, git)?,
                Some(Exporter::Deeplake(deeplake)) => self.deeplake_target(id, deeplake)?,
                Some(Exporter::Parquet(_)) => {
                    let message =
                        "parquet exports sessions; a skills pipeline needs filesystem, git or deeplake";
                    return Err(self.invalid(&at, message));
                }
                None => return Err(self.no_such(&at, index, id, "exporters", self.raw.exporters.0.keys())),
            };
            targets.push(target);
            self.used.insert(format!("exporters.{id}"));
        }
        Ok(targets)
    }

    fn filesystem(&self, id: &str, raw: &raw::Filesystem) -> Result<Target, ResolveError> {
        let path = self.local_path(raw.path.clone(), "skills", &["exporters", id, "path"])?;
        let layout = match raw.layout {
            raw::Layout::Library => Layout::Library,
            raw::Layout::Project => Layout::Project { path: String::new() },
        };
        let place = Place::Filesystem(filesystem::Config { path, layout });
        Ok(Target { route: route(&raw.route, raw.limits, &[]), place })
    }

    fn git(&self, id: &str, raw: &raw::Git) -> Result<Target, ResolveError> {
        let refused =
            |key: &str, error: git::RemoteError| self.invalid(&["exporters", id, key], &error.to_string());
        if raw.remote.is_empty() {
            return Err(self.invalid(&["exporters", id], "name the repository here: remote"));
        }
        let remote = git::Remote::parse(&raw.remote).map_err(|error| refused("remote", error))?;
        let auth = self.auth(id, &raw.auth)?;
        remote.takes(&auth).map_err(|error| refused("auth", error))?;
        let branch = raw.branch.clone().unwrap_or_else(|| BRANCH.to_owned());
        if !is_branch(&branch) {
            return Err(self.invalid(&["exporters", id, "branch"], "this is no name of a branch"));
        }
        let layout = self.git_layout(id, raw)?;
        let cache = self
            .places
            .data
            .as_ref()
            .ok_or(ResolveError::NoHome)?
            .join("skillspan/git")
            .join(folder_name(id));
        let mode = match raw.mode {
            raw::Mode::Review => git::Mode::Review,
            raw::Mode::Direct => git::Mode::Direct,
        };
        let config = git::Config {
            remote,
            auth,
            branch,
            mode,
            layout,
            author: self.author(id, raw.author.as_deref().unwrap_or(AUTHOR))?,
            cache,
            // What cannot be found is reported when a token is asked for.
            credential_helper: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("skillspan")),
            program: PathBuf::from("git"),
        };
        Ok(Target {
            route: route(&raw.route, raw.limits, &SHARED_SCOPES),
            place: Place::Git(Box::new(config)),
        })
    }

    fn git_layout(&self, id: &str, raw: &raw::Git) -> Result<Layout, ResolveError> {
        let path = raw.path.as_deref().unwrap_or_default().trim_matches('/');
        let is_plain = |part: &str| !matches!(part, "" | "." | ".." | ".git") && !part.contains('\\');
        if !path.is_empty() && !path.split('/').all(is_plain) {
            return Err(
                self.invalid(&["exporters", id, "path"], "expected a folder below the repository's root")
            );
        }
        match raw.layout {
            raw::Layout::Project => Ok(Layout::Project { path: path.to_owned() }),
            raw::Layout::Library if path.is_empty() => Ok(Layout::Library),
            raw::Layout::Library => {
                Err(self.invalid(&["exporters", id, "path"], "only `layout: project` takes a path"))
            }
        }
    }

    fn auth(&self, id: &str, raw: &raw::GitAuth) -> Result<git::Auth, ResolveError> {
        let at = ["exporters", id, "auth"];
        match (&raw.token, &raw.key_file, &raw.known_hosts_file) {
            (None, None, None) => Ok(git::Auth::Open),
            (Some(token), None, None) => {
                let username = raw.username.clone().unwrap_or_else(|| USERNAME.to_owned());
                let token = token.trim();
                if token.is_empty() || token.contains('\n') || username.contains('\n') {
                    return Err(self.invalid(&at, "the token is empty, or more than one line"));
                }
                Ok(git::Auth::Token { username, token: Secret::new(token) })
            }
            (None, Some(key), Some(hosts)) => Ok(git::Auth::Key {
                key_file: self.local_path(Some(key.clone()), "", &["exporters", id, "auth", "key_file"])?,
                known_hosts_file: self.local_path(
                    Some(hosts.clone()),
                    "",
                    &["exporters", id, "auth", "known_hosts_file"],
                )?,
            }),
            _ => Err(self.invalid(&at, "write a token, or key_file and known_hosts_file")),
        }
    }

    fn author(&self, id: &str, text: &str) -> Result<(String, String), ResolveError> {
        let parts = text.strip_suffix('>').and_then(|text| text.split_once('<'));
        let parts = parts.map(|(name, mail)| (name.trim().to_owned(), mail.trim().to_owned()));
        parts
            .filter(|(name, mail)| !name.is_empty() && !mail.is_empty())
            .ok_or_else(|| self.invalid(&["exporters", id, "author"], "expected `name <mail>`"))
    }
}

pub(super) fn route(raw: &raw::Route, limits: raw::SkillLimits, otherwise: &[raw::Scope]) -> Route {
    let scopes = if raw.scopes.is_empty() { otherwise } else { raw.scopes.as_slice() };
    let name = |scope: &raw::Scope| match scope {
        raw::Scope::Workspace => "workspace".to_owned(),
        raw::Scope::Project => "project".to_owned(),
        raw::Scope::Person => "person".to_owned(),
    };
    Route {
        workspaces: raw.workspaces.iter().cloned().collect(),
        projects: raw.projects.iter().cloned().collect(),
        scopes: scopes.iter().map(name).collect::<BTreeSet<_>>(),
        bounds: Bounds {
            skills: usize_of(limits.skills),
            workspace: usize_of(limits.workspace),
            run: usize_of(limits.run),
        },
    }
}

/// What `git check-ref-format` allows, without what would need quoting.
fn is_branch(name: &str) -> bool {
    let is_plain = |part: &str| {
        !part.is_empty() && !part.starts_with(['.', '-']) && !part.ends_with(".lock") && !part.ends_with('.')
    };
    let allowed = |char: char| char.is_alphanumeric() || "-_./#+".contains(char);
    name.chars().all(allowed)
        && !name.contains("..")
        && name.split('/').all(is_plain)
        && !name.starts_with("skillspan/")
}

/// A component's id as the name of a folder.
pub(super) fn folder_name(id: &str) -> String {
    id.replace('/', "-")
}

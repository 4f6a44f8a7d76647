//! The exporters of a skills pipeline, resolved.

use std::path::PathBuf;

use crate::exporters::target::{Target, TargetKind};
use crate::exporters::{filesystem, git};
use crate::library::Layout;
use crate::secret::Secret;

use super::raw::{self, Exporter, Pipeline};
use super::resolver::{ResolveError, Resolver};
use super::tenants::{filled, safe_name};

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
            match self.raw.exporters.0.get(id) {
                Some(Exporter::Filesystem(raw)) => {
                    for tenant in self.tenants_for(&raw.route, &[raw.path.as_deref()]) {
                        targets.push(self.filesystem(id, raw, tenant.as_deref())?);
                    }
                }
                Some(Exporter::Git(raw)) => {
                    let names = [Some(raw.remote.as_str()), raw.branch.as_deref(), raw.path.as_deref()];
                    for tenant in self.tenants_for(&raw.route, &names) {
                        targets.push(self.git(id, raw, tenant.as_deref())?);
                    }
                }
                Some(Exporter::Deeplake(deeplake)) => targets.push(self.deeplake_target(id, deeplake)?),
                Some(Exporter::Parquet(_)) => {
                    let message =
                        "parquet exports sessions; a skills pipeline needs filesystem, git or deeplake";
                    return Err(self.invalid(&at, message));
                }
                Some(Exporter::Otlp(_)) => {
                    let message =
                        format!("{id} forwards bodies: name it in a pipeline traces, logs or metrics");
                    return Err(self.invalid(&at, &message));
                }
                None => return Err(self.no_such(&at, index, id, "exporters", self.raw.exporters.0.keys())),
            }
            self.used.insert(format!("exporters.{id}"));
        }
        self.warn_of_tenants_without_a_target(name, &targets);
        Ok(targets)
    }

    fn filesystem(
        &self,
        id: &str,
        raw: &raw::Filesystem,
        tenant: Option<&str>,
    ) -> Result<Target, ResolveError> {
        let path = raw.path.as_deref().map(|path| filled(path, tenant));
        let path = self.local_path(path, "skills", &["exporters", id, "path"])?;
        let layout = self.layout_of(id, raw.layout, raw.agents_md, String::new())?;
        let place = TargetKind::Filesystem(filesystem::Config { path, layout });
        Ok(Target { route: self.route(&["exporters", id], &raw.route, raw.limits, tenant, &[])?, place })
    }

    fn git(&self, id: &str, raw: &raw::Git, tenant: Option<&str>) -> Result<Target, ResolveError> {
        let refused =
            |key: &str, error: git::RemoteError| self.invalid(&["exporters", id, key], &error.to_string());
        if raw.remote.is_empty() {
            return Err(self.invalid(&["exporters", id], "name the repository here: remote"));
        }
        let remote =
            git::Remote::parse(&filled(&raw.remote, tenant)).map_err(|error| refused("remote", error))?;
        let auth = self.auth(id, &raw.auth)?;
        remote.takes(&auth).map_err(|error| refused("auth", error))?;
        let branch = filled(raw.branch.as_deref().unwrap_or(BRANCH), tenant);
        if !is_branch(&branch) {
            return Err(self.invalid(&["exporters", id, "branch"], "this is no name of a branch"));
        }
        let layout = self.git_layout(id, raw, tenant)?;
        let cache_name = match tenant {
            Some(tenant) if raw.route.tenant.is_none() => {
                format!("{}-{}", folder_name(id), safe_name(tenant))
            }
            _ => folder_name(id),
        };
        let cache =
            self.places.data.as_ref().ok_or(ResolveError::NoHome)?.join("skillspan/git").join(cache_name);
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
        let route = self.route(&["exporters", id], &raw.route, raw.limits, tenant, &SHARED_SCOPES)?;
        Ok(Target { route, place: TargetKind::Git(Box::new(config)) })
    }

    fn git_layout(&self, id: &str, raw: &raw::Git, tenant: Option<&str>) -> Result<Layout, ResolveError> {
        let path = filled(raw.path.as_deref().unwrap_or_default(), tenant);
        let path = path.trim_matches('/');
        let is_plain = |part: &str| !matches!(part, "" | "." | ".." | ".git") && !part.contains('\\');
        if !path.is_empty() && !path.split('/').all(is_plain) {
            return Err(
                self.invalid(&["exporters", id, "path"], "expected a folder below the repository's root")
            );
        }
        if raw.layout == raw::Layout::Library && !path.is_empty() {
            return Err(self.invalid(&["exporters", id, "path"], "only `layout: project` takes a path"));
        }
        self.layout_of(id, raw.layout, raw.agents_md, path.to_owned())
    }

    fn layout_of(
        &self,
        id: &str,
        layout: raw::Layout,
        agents_md: raw::AgentsMd,
        path: String,
    ) -> Result<Layout, ResolveError> {
        match (layout, agents_md) {
            (raw::Layout::Project, raw::AgentsMd::Off) => Ok(Layout::Project { path }),
            (raw::Layout::Project, raw::AgentsMd::Propose) => Ok(Layout::Guided { path }),
            (raw::Layout::Library, raw::AgentsMd::Off) => Ok(Layout::Library),
            (raw::Layout::Library, raw::AgentsMd::Propose) => Err(self.invalid(
                &["exporters", id, "agents_md"],
                "only `layout: project` has an AGENTS.md; write that, or agents_md: off",
            )),
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

/// Whether `git check-ref-format` allows the name and no shell would need quotes for it.
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

//! `extensions.auth`: who may send.

use crate::event::{Owner, person};
use crate::receivers::auth::{Credential, CredentialError, Roles};
use crate::skillify::Verified;

use super::raw;
use super::resolver::{ResolveError, Resolver};

/// The longest name of a tenant or workspace, in bytes.
const LONGEST_NAME: usize = 200;

/// The tenants of the credentials, each once, in their order.
pub(super) fn tenants_of(credentials: Option<&[Credential]>) -> Vec<String> {
    let mut tenants: Vec<String> = Vec::new();
    for credential in credentials.into_iter().flatten() {
        let tenant = &credential.owner().tenant;
        if !tenants.contains(tenant) {
            tenants.push(tenant.clone());
        }
    }
    tenants
}

impl Resolver<'_> {
    /// `None`: no credential is required.
    pub(super) fn credentials(&self) -> Result<Option<Vec<Credential>>, ResolveError> {
        let Some(auth) = &self.raw.extensions.auth else { return Ok(None) };
        if auth.tokens.is_empty() {
            return Err(self.invalid(&["extensions", "auth"], "nobody could send: write tokens here"));
        }
        let mut credentials: Vec<Credential> = Vec::new();
        for (index, token) in auth.tokens.iter().enumerate() {
            let index = index.to_string();
            let at = ["extensions", "auth", "tokens", index.as_str()];
            let credential = self.credential(token, &at)?;
            if credentials.iter().any(|other| other.has_token_of(&credential)) {
                return Err(self.invalid(&at, "another entry has the same token; each is one tenant's"));
            }
            credentials.push(credential);
        }
        Ok(Some(credentials))
    }

    fn credential(&self, token: &raw::Token, at: &[&str]) -> Result<Credential, ResolveError> {
        let workspace = token.workspace.clone().unwrap_or_else(|| Owner::default().workspace);
        for (name, key) in [(&token.id, "id"), (&token.tenant, "tenant"), (&workspace, "workspace")] {
            if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
                let message = format!("a name has 1 to {LONGEST_NAME} bytes and no control characters");
                return Err(self.invalid(&[at, &[key]].concat(), &message));
            }
        }
        if token.id.contains(':') {
            return Err(self.invalid(&[at, &["id"]].concat(), "a `:` ends the id of a Basic pair"));
        }
        let owner = Owner { tenant: token.tenant.clone(), workspace };
        let made: Result<Credential, CredentialError> = match (&token.secret, &token.secret_sha256) {
            (Some(secret), None) => Credential::new(&token.id, secret.reveal(), owner),
            (None, Some(sha256)) => Credential::hashed(&token.id, sha256.reveal(), owner),
            _ => return Err(self.invalid(at, "write either `secret` or `secret_sha256`")),
        };
        let credential = made.map_err(|error| self.invalid(at, &error.to_string()))?;
        if token.roles.is_empty() {
            return Err(
                self.invalid(&[at, &["roles"]].concat(), "a token without a role is good for nothing")
            );
        }
        let credential = credential.with_roles(roles_of(&token.roles));
        let credential = if token.workspace.is_some() { credential.of_one_workspace() } else { credential };
        let Some(user) = &token.user else { return Ok(credential) };
        // An id that a client could have made up counts as nobody where that client sends it.
        let named = person::named(user).filter(|name| name.len() <= LONGEST_NAME && !person::is_made(name));
        match named.filter(|name| !name.chars().any(char::is_control)) {
            Some(name) => Ok(credential.of_person(name)),
            None => {
                Err(self.invalid(&[at, &["user"]].concat(), "it names nobody: write an address or a login"))
            }
        }
    }

    /// Says what to do where only verified people count and no credential names one.
    pub(super) fn check_that_people_are_named(&self, id: &str, verified: bool) -> Result<(), ResolveError> {
        let mut tokens = self.raw.extensions.auth.iter().flat_map(|auth| &auth.tokens);
        if !verified || tokens.any(|token| token.user.is_some()) {
            return Ok(());
        }
        let message = "no credential names a person, so nobody would count: give `user` to the tokens of extensions.auth";
        Err(self.invalid(&["connectors", id, "publish", "verified"], message))
    }
}

fn roles_of(written: &[raw::Role]) -> Roles {
    let has = |role| written.contains(&role);
    let review = has(raw::Role::Review);
    Roles {
        write: has(raw::Role::Write),
        read: has(raw::Role::Read) || review,
        review,
        people: has(raw::Role::People),
    }
}

/// The people whom credentials name.
pub(super) fn verified(credentials: Option<&[Credential]>) -> Verified {
    let all = credentials.into_iter().flatten();
    all.filter_map(|one| Some((one.owner().tenant.clone(), one.person()?.key().to_owned()))).collect()
}

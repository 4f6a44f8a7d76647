//! Exporters `langfuse`: a Langfuse server, with a project's keys for each tenant.
//!
//! Each tenant has a queue and a sender of its own: a project whose keys are wrong, or that is slow, holds up no
//! other tenant's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use reqwest::Url;

use crate::event::Owner;
use crate::exporters::otlp::Compression;

use super::raw;
use super::resolver::{ResolveError, Resolver};
use super::settings::{ForwardSettings, ReceiverSettings};

impl Resolver<'_> {
    /// A backend for each tenant that has keys.
    pub(super) fn langfuse(
        &self,
        id: &str,
        raw: &raw::Forwarder,
        receivers: &[ReceiverSettings],
    ) -> Result<Vec<ForwardSettings>, ResolveError> {
        self.check_langfuse(id, raw)?;
        let mut backends = Vec::new();
        for (tenant, keys) in &raw.keys {
            let mut backend = self.forward(id, Some(tenant), raw, receivers)?;
            backend.otlp.headers.insert(AUTHORIZATION, self.basic(id, tenant, keys)?);
            backends.push(backend);
        }
        Ok(backends)
    }

    /// Says of whom nothing is forwarded.
    pub(super) fn without_keys(&self, id: &str, raw: &raw::Forwarder) -> Option<String> {
        let known = self.known_tenants();
        let without: Vec<&str> =
            known.iter().filter(|tenant| !raw.keys.contains_key(*tenant)).map(String::as_str).collect();
        let tenants = without.join(", ");
        (!without.is_empty()).then(|| {
            format!(
                "exporters.{id}.keys: there are no keys for {tenants}: nothing of theirs is forwarded there"
            )
        })
    }

    fn check_langfuse(&self, id: &str, raw: &raw::Forwarder) -> Result<(), ResolveError> {
        let refused = |key: &str, message: &str| Err(self.invalid(&["exporters", id, key], message));
        if raw.keys.is_empty() {
            let message =
                "name a project's keys for each tenant: keys: { TENANT: { public_key: …, secret_key: … } }";
            return refused("keys", message);
        }
        if raw.encoding != raw::Encoding::AsReceived {
            return refused("encoding", "Langfuse's own paths carry JSON alone; leave it out");
        }
        if raw.compression == Compression::Zstd {
            return refused("compression", "Langfuse reads gzip or none");
        }
        if raw.headers.keys().any(|name| name.eq_ignore_ascii_case("authorization")) {
            return refused("headers", "authorization is made of keys; leave it out");
        }
        let url = Url::parse(&raw.endpoint);
        if url.is_ok_and(|url| url.path().contains("/api/public")) {
            return refused("endpoint", "leave Langfuse's paths out: /api/public/… is added");
        }
        let known = self.known_tenants();
        if let Some(nobody) = raw.keys.keys().find(|tenant| !known.contains(tenant)) {
            let known = known.join(", ");
            let message = format!("no token of extensions.auth has this tenant; known are {known}");
            return Err(self.invalid(&["exporters", id, "keys", nobody], &message));
        }
        Ok(())
    }

    /// Without tokens everything is one tenant's.
    fn known_tenants(&self) -> Vec<String> {
        match &self.raw.extensions.auth {
            None => vec![Owner::default().tenant],
            Some(_) => self.tenants.clone(),
        }
    }

    fn basic(&self, id: &str, tenant: &str, keys: &raw::Keys) -> Result<HeaderValue, ResolveError> {
        // A secret in a file ends with a line.
        let [public, secret] = [&keys.public_key, &keys.secret_key].map(|key| key.reveal().trim());
        for (key, name) in [(public, "public_key"), (secret, "secret_key")] {
            let is_pair_broken = name == "public_key" && key.contains(':');
            if key.is_empty() || key.chars().any(char::is_whitespace) || is_pair_broken {
                return Err(
                    self.invalid(&["exporters", id, "keys", tenant, name], "this is no key of Langfuse's")
                );
            }
        }
        let pair = format!("Basic {}", STANDARD.encode(format!("{public}:{secret}")));
        let unwritable =
            |_| self.invalid(&["exporters", id, "keys", tenant], "these are no keys of Langfuse's");
        let mut value = HeaderValue::try_from(pair).map_err(unwritable)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

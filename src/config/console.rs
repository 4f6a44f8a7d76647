//! `extensions.console`: where the pages are, and for whom.

use crate::receivers::tls;

use super::raw;
use super::resolver::{ResolveError, Resolver};
use super::settings::{ConsoleSettings, McpSettings};

/// The longest name of a host.
const LONGEST_HOST: usize = 253;

impl Resolver<'_> {
    /// `None`: there are no pages.
    pub(super) fn console(&self) -> Result<Option<ConsoleSettings>, ResolveError> {
        let Some(raw) = self.raw.extensions.console.as_ref().filter(|console| console.enabled) else {
            return Ok(None);
        };
        let at = |key| ["extensions", "console", key];
        let address = raw.endpoint.0;
        let is_local = address.ip().is_loopback();
        if !is_local && self.raw.extensions.auth.is_none() {
            let message = "anyone who reaches this address would come to the door: listen on 127.0.0.1, or write \
                           extensions.auth with a token that has the role `read`";
            let error = self.invalid(&at("endpoint"), message);
            return Err(self.unless_refused(&["extensions", "auth"], error));
        }
        if !is_local && raw.tls.is_none() {
            let message =
                "sessions would cross the network in clear text: write `tls` with cert_file and key_file";
            let error = self.invalid(&at("endpoint"), message);
            return Err(self.unless_refused(&at("tls"), error));
        }
        let hosts: Result<Vec<String>, ResolveError> = raw.hosts.iter().map(|host| self.host(host)).collect();
        Ok(Some(ConsoleSettings {
            address,
            is_chosen: address != raw::Console::default().endpoint.0,
            hosts: hosts?,
            tls: raw.tls.as_ref().map(|tls| self.console_tls(tls)).transpose()?,
            mcp: raw.mcp.enabled.then_some(McpSettings { reads_sessions: raw.mcp.read_session }),
            folder: self.places.data.as_ref().map(|data| data.join("skillspan/console")),
        }))
    }

    fn host(&self, host: &str) -> Result<String, ResolveError> {
        let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.');
        if host.is_empty() || host.len() > LONGEST_HOST || !host.chars().all(is_plain) {
            let message =
                format!("expected a name such as console.example.com without a port, found {host:?}");
            return Err(self.invalid(&["extensions", "console", "hosts"], &message));
        }
        Ok(host.to_ascii_lowercase())
    }

    fn console_tls(&self, raw: &raw::Tls) -> Result<tls::Config, ResolveError> {
        let at = |key| ["extensions", "console", "tls", key];
        let path = |file: &String, key| self.local_path(Some(file.clone()), "", &at(key));
        Ok(tls::Config {
            cert_file: path(&raw.cert_file, "cert_file")?,
            key_file: path(&raw.key_file, "key_file")?,
            client_ca_file: raw
                .client_ca_file
                .as_ref()
                .map(|file| path(file, "client_ca_file"))
                .transpose()?,
        })
    }
}

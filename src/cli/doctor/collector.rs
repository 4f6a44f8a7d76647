//! The collector that is checked: its address and how it is started, for the commands that doctor recommends.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use crate::cli::connect::base_of;
use crate::config::Settings;
use crate::service::Report;
use crate::shell::tool::quoted;

/// Where assistants send to where nobody says otherwise.
const USUAL: &str = "http://127.0.0.1:4318";

/// The collector of a configuration.
#[derive(Debug, Default)]
pub(super) struct Here {
    /// `--config` as it was given, and the keys of `--set`, with a space ahead.
    given: String,
    /// The base of its addresses for OTLP over HTTP; `None` where nothing listens.
    endpoint: Option<String>,
    /// It asks for a credential.
    is_guarded: bool,
    /// Where its console is, where it is not in its usual place.
    pub(super) console: Option<SocketAddr>,
    /// Whether there is one.
    pub(super) has_console: bool,
}

impl Here {
    /// Of these settings, and of the process that says where it listens.
    pub(super) fn of(settings: &Settings, report: &Report) -> Self {
        // A text on the command line may hold a secret.
        let config = |config: &PathBuf| match config.to_str() {
            Some(text) if text.starts_with("yaml:") => " --config yaml:…".to_owned(),
            _ => format!(" --config {}", quoted(&config.display().to_string())),
        };
        let set = |set: &String| format!(" --set {}=…", set.split('=').next().unwrap_or_default());
        let given = settings.given.configs.iter().map(config).chain(settings.given.sets.iter().map(set));
        let listeners = || settings.receivers.iter().flat_map(|receiver| &receiver.listeners);
        let listener =
            listeners().find(|listener| listener.protocol == "http").or_else(|| listeners().next());
        let is_plain = listener.is_none_or(|listener| listener.tls.is_none());
        let listening = report.listening.iter().find(|listening| listening.protocol == "http");
        let address = listening
            .map(|listening| listening.address)
            .or_else(|| listener.map(|listener| listener.address));
        let console = settings.console.as_ref();
        Self {
            given: given.collect(),
            endpoint: address.filter(|address| address.port() != 0).map(|address| match is_plain {
                true => reached_at(address),
                // A certificate is for a name, which nobody here knows.
                false => format!("https://NAME:{}", address.port()),
            }),
            is_guarded: settings.credentials.is_some(),
            console: console.filter(|console| console.is_chosen).map(|console| console.address),
            has_console: console.is_some(),
        }
    }

    /// The command that starts it.
    pub(super) fn run(&self) -> String {
        format!("`skillspan run{}`", self.given)
    }

    /// The base of its addresses.
    pub(super) fn endpoint(&self) -> &str {
        self.endpoint.as_deref().unwrap_or(USUAL)
    }

    /// The command that makes an assistant send to it.
    pub(super) fn connect(&self, name: &str, more: &str) -> String {
        let token = if self.is_guarded { " --token-file FILE" } else { "" };
        format!("`skillspan connect {name} --write{more}{}{token}`", endpoint_option(self.endpoint()))
    }

    /// The command that makes an assistant ask its console.
    pub(super) fn connect_server(&self, name: &str) -> String {
        let console = self.console.map(|console| format!(" --console {}", reached_at(console)));
        format!("`skillspan connect {name} --mcp --write{}`", console.unwrap_or_default())
    }

    /// Whether a text names an address of the console's port.
    pub(super) fn is_console(&self, text: &str) -> bool {
        let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, 4320));
        let console = self.console.unwrap_or(usual);
        let names = [format!("://{console}/"), format!("://localhost:{}/", console.port())];
        self.has_console && names.iter().any(|name| text.contains(name))
    }
}

/// The command that writes an assistant's settings anew, and leaves where it sends.
pub(super) fn connect_again(name: &str, url: &str) -> String {
    format!("`skillspan connect {name} --write --replace{}`", endpoint_option(base_of(url)))
}

fn endpoint_option(base: &str) -> String {
    if base == USUAL { String::new() } else { format!(" --endpoint {base}") }
}

/// The address by which this machine reaches a listener.
fn reached_at(address: SocketAddr) -> String {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

//! Files of certificates, checked as a start checks them, for commands that run before the start.

use crate::config::Settings;
use crate::exporters::otlp;
use crate::receivers::tls;

/// What `skillspan run` would not start with: what is wrong with files that the configuration names, each with its
/// path there. Reads them; blocks.
pub fn unusable_files(settings: &Settings) -> Vec<String> {
    let mut found = Vec::new();
    let listeners = settings.receivers.iter().flat_map(|receiver| &receiver.listeners);
    let doors = listeners.map(|listener| (listener.path.replace(".endpoint", ".tls"), listener.tls.as_ref()));
    let console = settings.console.as_ref();
    let console = console.map(|console| ("extensions.console.tls".to_owned(), console.tls.as_ref()));
    for (path, config) in doors.chain(console) {
        if let Some(Err(error)) = config.map(|config| tls::load(config.clone())) {
            found.push(format!("{path}: {error}"));
        }
    }
    for forward in &settings.forwards {
        if let Err(error) = otlp::check(&forward.otlp) {
            found.push(format!("exporters.{error}"));
        }
    }
    found
}

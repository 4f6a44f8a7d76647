//! The lines a start prints: what a person needs to know on the first day.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::{ForwardSettings, ProcessorSettings, Settings, SkillsPipeline};
use crate::event::counted;
use crate::exporters::deeplake;
use crate::exporters::filesystem::Config;
use crate::exporters::otlp;
use crate::exporters::target::TargetKind;
use crate::forward::QueueStorage;
use crate::library::Layout;
use crate::shell::tool::quoted;
use crate::table::Location;

use super::Service;
use super::disclosure::what_is_sent;
use super::embeddings;

impl Service {
    /// The addresses, the places of data, and the next step.
    pub fn notice(&self, settings: &Settings) -> String {
        let mut lines = format!("skillspan {}\n", env!("CARGO_PKG_VERSION"));
        for (protocol, address) in self.addresses() {
            line(&mut lines, &format!("OTLP/{protocol}"), &format!("{address} (gRPC and HTTP, either port)"));
        }
        if let Some(health) = self.health() {
            line(&mut lines, "health", &format!("http://{health}/health, /ready, /metrics"));
        }
        lines.push_str(&outline(settings));
        for pipeline in &settings.sessions {
            line(&mut lines, "journal", &pipeline.journal.path.display().to_string());
            let redacting =
                |processor: &ProcessorSettings| matches!(processor, ProcessorSettings::Redact { .. });
            let redacted = if pipeline.processors.iter().any(redacting) {
                "credentials redacted"
            } else {
                "nothing redacted"
            };
            line(
                &mut lines,
                "sessions",
                &format!("{} ({}; {redacted})", pipeline.table.location, kept(pipeline.table.retention)),
            );
        }
        for follower in &settings.followers {
            let deeplake::Config { service, sessions, .. } = &follower.deeplake;
            let place = format!("{} {}/{} ({sessions})", service.endpoint, service.org, service.workspace);
            line(&mut lines, "sessions", &place);
        }
        for forward in &settings.forwards {
            line(&mut lines, "forward", &where_it_goes(forward));
        }
        for target in settings.skills.iter().flat_map(|pipeline| &pipeline.targets) {
            line(&mut lines, "skills", &target.to_string());
        }
        lines.push_str(&what_leaves(settings));
        for model in settings.skills.iter().filter_map(|pipeline| pipeline.model.as_ref()) {
            let _ = writeln!(lines, "{}", what_is_sent(model));
        }
        let embeddings = settings.skills.iter().filter_map(|pipeline| pipeline.embeddings.as_ref());
        for sent in embeddings.filter_map(embeddings::what_is_sent) {
            let _ = writeln!(lines, "{sent}");
        }
        if !settings.sessions.is_empty() {
            lines.push_str("To leave a session out:  `skillspan connect ASSISTANT` says what works there\n");
        }
        lines.push_str("To forget a session or a person:  skillspan erase --session ID | --user ID\n");
        if !settings.sessions.is_empty() {
            lines.push_str("A line is logged for each new session; --quiet leaves it out.\n");
        }
        if let Some((tls, address)) = self.http(settings) {
            lines.push_str(&point_an_assistant_here(tls, address, settings.credentials.is_some()));
        }
        for target in settings.skills.iter().flat_map(|pipeline| &pipeline.targets) {
            let _ = writeln!(lines, "{}", use_them(&target.place));
        }
        lines.push_str(&warnings(settings));
        lines
    }

    /// Where OTLP over HTTP is taken, and whether over TLS.
    fn http(&self, settings: &Settings) -> Option<(bool, SocketAddr)> {
        let (_, address) = self.addresses().iter().find(|(protocol, _)| *protocol == "http")?;
        let listeners = settings.receivers.iter().flat_map(|receiver| &receiver.listeners);
        let tls = listeners.filter(|listener| listener.protocol == "http").any(|http| http.tls.is_some());
        Some((tls, *address))
    }

    /// What `skillspan connect` is given so that assistants of this machine export to here, with a space ahead.
    pub fn connect_options(&self, settings: &Settings) -> String {
        let of = |(tls, address)| connect_options(tls, address, settings.credentials.is_some());
        self.http(settings).map(of).unwrap_or_default()
    }
}

/// What is allowed and probably not meant.
pub fn warnings(settings: &Settings) -> String {
    settings.warnings.iter().map(|warning| format!("warning: {warning}\n")).collect()
}

/// The pipelines that run, and whether anybody wrote them.
pub fn outline(settings: &Settings) -> String {
    let (written, built_in): (Vec<_>, Vec<_>) =
        settings.outlines.iter().partition(|outline| outline.is_written);
    let mut lines = String::new();
    for (pipelines, title) in
        [(written, "Pipelines:"), (built_in, "Pipelines (built in; `service.pipelines` changes them):")]
    {
        if !pipelines.is_empty() {
            let _ = writeln!(lines, "{title}");
        }
        for outline in pipelines {
            let _ = writeln!(lines, "  {outline}");
        }
    }
    if settings.skills.is_empty() {
        lines.push_str("No skills pipeline runs: sessions are stored, and nothing is mined.\n");
    }
    lines
}

/// What leaves this machine, and how everything is forgotten.
fn what_leaves(settings: &Settings) -> String {
    let bucket = settings.tables().any(|table| matches!(table.location, Location::Bucket(_)));
    let bucket = bucket.then_some("that bucket");
    let deeplake = (!settings.followers.is_empty()).then_some("that Deeplake workspace");
    let backends = (!settings.forwards.is_empty()).then_some("what they are forwarded to");
    let sessions: Vec<&str> = bucket.into_iter().chain(deeplake).chain(backends).collect();
    let sessions = sessions.join(" and ");
    let stays = sessions.is_empty();
    let skills = settings.skills.iter().any(SkillsPipeline::leaves_the_machine);
    let asks_elsewhere = settings.skills.iter().any(SkillsPipeline::asks_elsewhere);
    let mut text = match (stays, skills) {
        (true, false) if asks_elsewhere => {
            "Sessions do not leave this machine; what a model is sent does.".to_owned()
        }
        (true, false) => "Nothing leaves this machine.".to_owned(),
        (true, true) => "Skills leave this machine, sessions do not.".to_owned(),
        (false, false) => format!("Sessions leave this machine for {sessions}, and for nowhere else."),
        (false, true) => format!(
            "Sessions leave this machine for {sessions}, skills for their targets, and neither for anywhere else."
        ),
    };
    if stays {
        text.push_str("\nTo forget everything, stop skillspan and delete these folders");
        // By default hooks' spools, digests and imports' memory share one folder.
        let digests = settings.skills.iter().filter_map(|pipeline| pipeline.digests.clone());
        let data = settings.hook_spools.as_deref().and_then(Path::parent).map(Path::to_owned);
        let others: BTreeSet<PathBuf> = match &data {
            Some(data) => {
                digests.filter(|digests| !digests.starts_with(data)).chain([data.clone()]).collect()
            }
            None => digests.collect(),
        };
        let others: Vec<String> = others.iter().map(|path| path.display().to_string()).collect();
        match others.is_empty() {
            true => text.push('.'),
            false => {
                let _ = write!(text, ",\nand what was made of them:\n  {}", others.join("\n  "));
            }
        }
    }
    let mut targets = settings.skills.iter().flat_map(|pipeline| &pipeline.targets);
    if targets.any(|target| matches!(target.place, TargetKind::Git(_))) {
        text.push_str("\nA repository's history keeps what was pushed.");
    }
    text.push('\n');
    text
}

/// A backend, what goes there and where it waits.
fn where_it_goes(forward: &ForwardSettings) -> String {
    let signals: BTreeSet<&str> = forward.routes.iter().map(|route| route.signal.as_str()).collect();
    let signals: Vec<&str> = signals.into_iter().collect();
    let (redacted, queue) = match &forward.queue.place {
        QueueStorage::Folder { path, .. } => ("credentials redacted", format!("waits in {}", path.display())),
        QueueStorage::Memory => ("nothing redacted", "waits in memory alone".to_owned()),
    };
    let otlp::Config { name, endpoint, .. } = &forward.otlp;
    format!("{endpoint} ({name}: {}; {redacted}; {queue})", signals.join(", "))
}

fn kept(retention: Option<Duration>) -> String {
    match retention {
        Some(retention) => format!("kept for {}", counted(retention.as_secs() / 86_400, "day", "days")),
        None => "kept until you erase them".to_owned(),
    }
}

fn line(lines: &mut String, name: &str, value: &str) {
    let _ = writeln!(lines, "  {name:<10} {value}");
}

/// What `skillspan connect` is given so that assistants export to `address`, with a space ahead; `""` for the usual
/// place.
fn connect_options(tls: bool, address: SocketAddr, guarded: bool) -> String {
    let (port, is_any) = (address.port(), address.ip().is_unspecified());
    let endpoint = match tls {
        // A certificate is for a name, which nobody here knows.
        true => format!(" --endpoint https://NAME:{port}"),
        false if port == 4318 && (address.ip().is_loopback() || is_any) => String::new(),
        false if is_any => format!(" --endpoint http://127.0.0.1:{port}"),
        false => format!(" --endpoint http://{address}"),
    };
    format!("{endpoint}{}", if guarded { " --token-file FILE" } else { "" })
}

/// What makes an assistant export to `address`.
fn point_an_assistant_here(tls: bool, address: SocketAddr, guarded: bool) -> String {
    let options = connect_options(tls, address, guarded);
    let mut lines = format!(
        "To connect the assistants of this machine:
  skillspan connect --all{options} --write
To connect one of them (`skillspan connect` lists those it knows):
  skillspan connect claude-code{options} --write
"
    );
    if tls {
        lines.push_str("NAME is a name that the certificate is for.\n");
    }
    if guarded {
        lines.push_str("FILE holds one of the tokens of extensions.auth (docs/guide/team.md).\n");
    }
    lines
}

/// The line that brings a target's skills to an assistant.
fn use_them(place: &TargetKind) -> String {
    match place {
        TargetKind::Filesystem(Config { path, layout: Layout::Library }) => {
            let path = quoted(&path.display().to_string());
            format!("To use the skills, once there are some:\n  skillspan skills install --from {path}")
        }
        TargetKind::Filesystem(Config { path, layout: Layout::Project { .. } | Layout::Guided { .. } }) => {
            format!("Assistants that are started in {} find the skills", path.display())
        }
        TargetKind::Git(config) => match config.layout {
            Layout::Library => {
                format!(
                    "To use the skills, once there are some:\n  skillspan skills install --from {}",
                    config.remote
                )
            }
            Layout::Project { .. } | Layout::Guided { .. } => {
                "Assistants find the skills in a clone of the repository".to_owned()
            }
        },
        TargetKind::Deeplake(_) => "Hivemind's clients pull the skills when a session starts".to_owned(),
    }
}

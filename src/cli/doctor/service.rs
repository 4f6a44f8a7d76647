//! The process: whether it runs, who has its ports, what its `/status` says, whether its console is yours.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use super::Findings;
use super::collector::Here;
use crate::cli::{block_on, local_client, status};
use crate::config::Settings;
use crate::console::{OpenError, asking};
use crate::service::Report;

/// What listens on this machine answers at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks; answers what is known of the collector then.
pub(super) fn look(settings: &Settings, found: &mut Findings) -> Here {
    let asked = block_on(async { Ok(status::ask(settings).await) }).ok().flatten();
    let runs = asked.is_some();
    let mut report = asked.unwrap_or_else(|| status::from_disk(settings));
    status::add_hooks(settings, &mut report);
    let here = Here::of(settings, &report);
    if runs {
        running(&report, found);
        console(settings, found);
    } else {
        ports(settings, found);
        let at = match settings.health {
            Some(address) => format!("no skillspan answers at http://{address}/status"),
            None => "no process can be asked: extensions.health is off".to_owned(),
        };
        found.broken("service", at, format!("{} starts it", here.run()));
    }
    for problem in report.problems {
        found.broken("service", problem.what, problem.todo);
    }
    here
}

fn running(report: &Report, found: &mut Findings) {
    let own = env!("CARGO_PKG_VERSION");
    match report.ready {
        true => found.ok("service", format!("skillspan {} takes requests", report.version)),
        false => found.broken(
            "service",
            format!("skillspan {} takes no requests now", report.version),
            "see the next lines, and the log of the process",
        ),
    }
    if report.version != own {
        let what = format!("the process is of version {}, this program of {own}", report.version);
        found.note("service", what, "restart the process to use this one");
    }
    for listening in &report.listening {
        found.ok("ports", format!("OTLP/{} at {}", listening.protocol, listening.address));
    }
}

/// Whether the console is there, and is of this user.
fn console(settings: &Settings, found: &mut Findings) {
    if settings.console.is_none() {
        return;
    }
    let asking = match asking(settings.console.as_ref(), None) {
        Ok(asking) => asking,
        Err(error) => return found.broken("console", error.to_string(), todo(&error)),
    };
    let (challenge, question) = asking.challenge();
    let answer = block_on(async {
        let client = local_client().timeout(PATIENCE).danger_accept_invalid_certs(true).build().ok();
        let Some(client) = client else { return Ok(None) };
        let Ok(answer) = client.get(question).send().await else { return Ok(None) };
        Ok(answer.text().await.ok())
    });
    match asking.header(&challenge, answer.ok().flatten().as_deref()) {
        Ok(_) => found.ok("console", format!("{}; your key opens it", asking.base())),
        Err(error) => found.broken("console", error.to_string(), todo(&error)),
    }
}

fn todo(error: &OpenError) -> &'static str {
    match error {
        OpenError::Secret(_) | OpenError::NeverStarted(_) => {
            "remove the file if it is there, and restart `skillspan run`, which makes a new one that you alone can read"
        }
        OpenError::Silent(_) => {
            "free the port or choose another one (extensions.console.endpoint), and restart `skillspan run`"
        }
        OpenError::Stranger(_) => {
            "stop the other process, or choose another port (extensions.console.endpoint)"
        }
        _ => "see docs/guide/console.md",
    }
}

/// Who else has the ports that the process would listen on.
fn ports(settings: &Settings, found: &mut Findings) {
    let listeners = settings.receivers.iter().flat_map(|receiver| &receiver.listeners);
    let doors = listeners.map(|listener| (listener.path.clone(), listener.address));
    let health = settings.health.map(|address| ("extensions.health.endpoint".to_owned(), address));
    let console = settings.console.as_ref();
    let console = console.map(|console| ("extensions.console.endpoint".to_owned(), console.address));
    for (path, address) in doors.chain(health).chain(console) {
        port(&path, address, found);
    }
    if found.are_fine_in("ports") {
        found.ok("ports", "nobody else has those that it listens on");
    }
}

fn port(path: &str, address: SocketAddr, found: &mut Findings) {
    // Given back when it is dropped.
    let Err(error) = TcpListener::bind(address) else { return };
    let port = address.port();
    let (what, todo) = match error.kind() {
        ErrorKind::AddrInUse => (
            format!("another process has {address} ({path})"),
            format!("`ss -ltnp 'sport = :{port}'` says which; stop it, or write another address at {path}"),
        ),
        ErrorKind::AddrNotAvailable => (
            format!("this machine has no address {address} ({path})"),
            format!("write 127.0.0.1:{port}, or an address that `ip addr` lists, at {path}"),
        ),
        ErrorKind::PermissionDenied => (
            format!("you may not listen on {address} ({path})"),
            format!("write a port above 1023 at {path}"),
        ),
        _ => (format!("{address} ({path}): {error}"), format!("write another address at {path}")),
    };
    found.broken("ports", what, todo);
}

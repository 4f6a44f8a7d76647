//! `skillspan run`: start the pipelines, stop on SIGTERM or Ctrl-C.

use std::io::Write;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::config::LogSettings;
use crate::console::{self, Bound};
use crate::event::{visible, visible_json, visible_line};
use crate::service::{Service, raise_open_files, warnings};

use super::{ConfigFile, Failure, OrFail, block_on};

/// The log target of the lines for new sessions, switched off.
const SESSIONS: &str = "skillspan::sessions=off";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
    /// Print no notice at the start and no line for each session
    #[arg(long, short)]
    quiet: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let settings = arguments.config.load()?;
    start_logging(settings.logs, arguments.quiet);
    raise_open_files();
    block_on(async {
        // Before anything answers, because a caller that sees it ready may stop it.
        let signals = StopSignals::listen().or_fail()?;
        let door = console::bind(&settings).await.or_fail()?;
        let service = Service::start(settings.clone()).await.or_fail()?;
        let mut notice = if arguments.quiet { warnings(&settings) } else { service.notice(&settings) };
        let console = match door {
            Bound::Open(door) => Some(door.serve(&settings, &service)),
            Bound::Closed(error) => {
                notice.push_str(&error.notice());
                None
            }
            Bound::Absent => None,
        };
        if let Some(console) = console.as_ref().filter(|_| !arguments.quiet) {
            notice.push_str(&console.notice(&arguments.config.as_options()));
        }
        std::io::stderr().write_all(visible(&notice).as_bytes()).or_fail()?;
        let stopped_by = signals.next().await;
        tracing::info!(signal = stopped_by, "draining");
        if let Some(console) = console {
            console.stop().await;
        }
        service.drain().await;
        tracing::info!("stopped");
        Ok(())
    })
}

/// Log lines go to standard error; `RUST_LOG` overrides the configured level.
pub(super) fn start_logging(logs: LogSettings, is_quiet: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(logs.level));
    let filter = match SESSIONS.parse() {
        Ok(off) if is_quiet => filter.add_directive(off),
        _ => filter,
    };
    let writer = move || LogLines { is_json: logs.json };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    // A second start in one process keeps the first one's logging.
    let _ = if logs.json { builder.json().try_init() } else { builder.try_init() };
}

/// Writes log lines to standard error. A client's text can neither begin a line of its own nor control the terminal.
struct LogLines {
    is_json: bool,
}

impl Write for LogLines {
    /// Is given an event at a time, with the end of its line.
    fn write(&mut self, event: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.trim_end_matches('\n');
        let shown = if self.is_json { visible_json(line) } else { visible_line(line) };
        let end = &text.get(line.len()..).unwrap_or_default();
        std::io::stderr().write_all(format!("{shown}{end}").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

/// The signals that ask the process to stop; none after `listen` is missed.
pub(super) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    pub(super) fn listen() -> std::io::Result<Self> {
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Self { terminate, interrupt })
    }

    /// Waits for one of them; its name.
    pub(super) async fn next(mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

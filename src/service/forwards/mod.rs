//! Other backends: what receivers put into their queues, and who sends it on.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Backends`]: opened, joined to receivers, started |
//! | `erasure.rs` | what is erased leaves the queues |
//! | `report.rs` | how they do: `/status` and `/metrics` |

mod erasure;
mod report;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::config::{ForwardRoute, ForwardSettings, ProcessorSettings, Settings};
use crate::exporters::otlp::{Handle, Otlp, Protocol};
use crate::forward::{self, Cleaner, Queue};
use crate::journal::OpenError;
use crate::receivers::{Forward, Forwards};
use crate::redact::{self, Redactor};

use super::StartError;
use super::sessions::REDACTION_KEY;

pub use super::report::ForwardReport;
pub(super) use erasure::Eraser;
pub use erasure::{ErasedSubject, QueueErasure, erase_from_queues, unowned_queues};
pub(super) use report::ForwardMetrics;

/// Who has a queue open for longer keeps it.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// Every backend, its queue open.
pub(super) struct Backends {
    opened: Vec<Opened>,
    cleaners: Vec<Known>,
}

struct Opened {
    settings: ForwardSettings,
    queue: Arc<Queue>,
    exporter: Otlp,
}

/// A redaction by what it was made of.
struct Known {
    settings: ProcessorSettings,
    journal: PathBuf,
    cleaner: Arc<Cleaner>,
}

impl Backends {
    /// Opens the queues, all of them or none. The journals of the sessions pipelines are open: the keys of
    /// redaction stand beside them.
    pub(super) async fn open(settings: &Settings) -> Result<Self, StartError> {
        let mut backends = Self { opened: Vec::new(), cleaners: Vec::new() };
        for forward in &settings.forwards {
            let queue = Arc::new(open_queue(&forward.queue).await?);
            let exporter = Otlp::new(forward.otlp.clone(), Arc::clone(&queue))?;
            for route in &forward.routes {
                backends.prepare_redaction(settings, route)?;
            }
            backends.opened.push(Opened { settings: forward.clone(), queue, exporter });
        }
        Ok(backends)
    }

    fn prepare_redaction(&mut self, settings: &Settings, route: &ForwardRoute) -> Result<(), StartError> {
        let (Some(wanted), Some(journal)) = (&route.redact, journal_of(settings, &route.receiver)) else {
            return Ok(());
        };
        if self.cleaner(wanted, journal).is_none() {
            let cleaner = Arc::new(cleaner(wanted, journal)?);
            self.cleaners.push(Known { settings: wanted.clone(), journal: journal.to_owned(), cleaner });
        }
        Ok(())
    }

    fn cleaner(&self, wanted: &ProcessorSettings, journal: &Path) -> Option<Arc<Cleaner>> {
        let found = self.cleaners.iter().find(|known| known.settings == *wanted && known.journal == journal);
        found.map(|known| Arc::clone(&known.cleaner))
    }

    /// The queues that a receiver fills.
    pub(super) fn of(&self, settings: &Settings, receiver: &str) -> Forwards {
        let mut forwards = Forwards::new();
        for opened in &self.opened {
            for route in opened.settings.routes.iter().filter(|route| route.receiver == receiver) {
                let journal = journal_of(settings, receiver);
                let cleaner = route.redact.as_ref().zip(journal);
                let cleaner = cleaner.map(|(wanted, journal)| self.cleaner(wanted, journal));
                // A redaction that is wanted and is not there must not be left out.
                if matches!(cleaner, Some(None)) || route.redact.is_some() && journal.is_none() {
                    continue;
                }
                forwards.add(
                    route.signal,
                    Forward {
                        queue: Arc::clone(&opened.queue),
                        cleaner: cleaner.flatten(),
                        form: opened.settings.form,
                        tenant: opened.settings.tenant.clone(),
                        is_langfuse: opened.settings.otlp.protocol == Protocol::Langfuse,
                    },
                );
            }
        }
        forwards
    }

    /// The queues, each with what it is called.
    pub(super) fn queues(&self) -> Vec<(ForwardSettings, Arc<Queue>)> {
        self.opened.iter().map(|opened| (opened.settings.clone(), Arc::clone(&opened.queue))).collect()
    }

    /// The senders, for who asks how they do.
    pub(super) fn handles(&self) -> Vec<Handle> {
        self.opened.iter().map(|opened| opened.exporter.handle()).collect()
    }

    /// What is to run until `stop`.
    pub(super) fn run(self, stop: &CancellationToken) -> Vec<impl Future<Output = ()> + use<>> {
        self.opened.into_iter().map(|opened| opened.exporter.run(stop.clone())).collect()
    }
}

/// The journal beside which the receiver's key of redaction stands.
fn journal_of<'s>(settings: &'s Settings, receiver: &str) -> Option<&'s Path> {
    let receiver = settings.receivers.iter().find(|known| known.id == receiver)?;
    let pipeline = settings.sessions.iter().find(|pipeline| receiver.feeds(pipeline))?;
    Some(&pipeline.journal.path)
}

fn cleaner(settings: &ProcessorSettings, journal: &Path) -> Result<Cleaner, StartError> {
    let (drop_attributes, options, key) = match settings.clone() {
        ProcessorSettings::Redact { drop_attributes, options, key } => (drop_attributes, options, key),
        // The configuration names none but redactions here; this one redacts too.
        _ => (Vec::new(), redact::Options::default(), None),
    };
    let key = match key {
        Some(key) => redact::Key::new(key.reveal().as_bytes())?,
        None => redact::Key::from_file(&journal.join(REDACTION_KEY))?,
    };
    Ok(Cleaner::new(Redactor::new(&options, key)?, drop_attributes))
}

/// Opens a queue; waits for processes that only look into it.
async fn open_queue(config: &forward::Config) -> Result<Queue, StartError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let config = config.clone();
        let opened = tokio::task::spawn_blocking(move || Queue::open(config)).await;
        match opened.map_err(|error| StartError::Queue(error.to_string()))? {
            Err(OpenError::Locked { .. }) if Instant::now() < deadline => tokio::time::sleep(PAUSE).await,
            opened => return opened.map_err(|error| StartError::Queue(error.to_string())),
        }
    }
}

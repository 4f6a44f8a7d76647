//! How the senders to other backends do.

use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::exporters::otlp::{Handle, Status};
use crate::forward;
use crate::service::Report;
use crate::service::report::{ForwardReport, to_write_again};

impl Report {
    /// Adds a sender's state and what follows from it.
    pub(in crate::service) fn add_forward(&mut self, handle: &Handle) {
        let (name, status, queue) = (handle.name(), handle.status(), handle.queue());
        if let Some(failing) = &status.failing {
            let seconds = failing.since.elapsed().as_secs();
            let waiting = queue.waiting;
            self.problem(
                format!("{name} cannot forward for {seconds} s, {waiting} requests wait: {}", failing.error),
                match failing.retry_at {
                    Some(at) => format!("{}; tried again at {at}", failing.remedy()),
                    None => failing.remedy().to_owned(),
                },
            );
        }
        self.add_losses(name, &status, &queue);
        self.forwards.push(ForwardReport {
            exporter: name.to_owned(),
            place: handle.place().to_owned(),
            retry_at: status.failing.as_ref().and_then(|failing| failing.retry_at).map(|at| at.to_string()),
            state: status.failing.map_or("forwarding", |failing| failing.kind).to_owned(),
            bodies: status.bodies,
            retries: status.retries,
            rejected_records: status.rejected,
            waiting: queue.waiting,
            queue_bytes: queue.bytes,
            queue_max_bytes: queue.max_bytes,
            in_memory: handle.is_in_memory(),
            dropped: queue.dropped.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect(),
        });
    }

    fn add_losses(&mut self, name: &str, status: &Status, queue: &forward::Status) {
        for (reason, count) in &queue.dropped {
            let last = queue.last_drop.as_ref().map(|last| format!(", the last: {last}")).unwrap_or_default();
            let what = format!("{name}: {count} requests were not forwarded ({reason}{last})");
            self.problem(what, of_drop(reason));
        }
        for (reason, count) in &queue.refused {
            // A client that is asked to send again loses nothing, so this is a problem only while it lasts.
            if *reason == "too_large" || queue.is_refusing {
                let what = format!("{name}: {count} requests of clients were refused ({reason})");
                self.problem(what, of_refusal(reason));
            }
        }
        if status.rejected > 0 {
            let said = status.rejection.as_deref().unwrap_or_default();
            self.problem(
                format!("{name}: the backend did not take {} records: {said}", status.rejected),
                "see what it says; the table here has them",
            );
        }
        if let Some(error) = &queue.disk_error {
            self.problem(format!("the queue of {name} cannot be written: {error}"), to_write_again(error));
        }
        if queue.lost > 0 {
            self.problem(
                format!(
                    "{} requests that waited for {name} are lost: files of its queue were removed or cut",
                    queue.lost
                ),
                "find out what else writes to the folder forward below service.journal.path",
            );
        }
    }
}

/// What to do about bodies that were dropped.
fn of_drop(reason: &str) -> &'static str {
    match reason {
        "queue_full" => {
            "see why the backend does not keep up, or raise the exporter's queue.max_size; on_full: refuse has clients \
             wait instead"
        }
        "too_large" => "a request of more than an eighth of queue.max_size does not fit: raise it",
        "refused" => "see what the backend says; the table here has what it refused",
        "retention" => "nothing: it waited for longer than the table keeps sessions",
        "disk" => "free space or repair the disk of the queue",
        _ => "nothing: the table here has what could be read of them",
    }
}

/// What to do about clients that are refused, as `on_full: refuse` says.
fn of_refusal(reason: &str) -> &'static str {
    match reason {
        "queue_full" => {
            "clients are asked to send again later until there is room: see why the backend does not keep up, raise the \
             exporter's queue.max_size, or write on_full: drop_oldest, which refuses nobody"
        }
        "too_large" => {
            "a request of more than an eighth of queue.max_size does not fit: raise it, have clients send smaller \
             batches, or write on_full: drop_oldest, which stores it here without forwarding it"
        }
        _ => "clients are asked to send again later: free space or repair the disk of the queue",
    }
}

/// Their metrics, each with the exporter's id as a label.
#[derive(Debug)]
pub(in crate::service) struct ForwardMetrics(pub(in crate::service) Vec<Handle>);

type Reading = fn(&Status, &forward::Status) -> u64;

const COUNTERS: [(&str, &str, Reading); 5] = [
    ("skillspan_forward_bodies", "Requests of clients that a backend took", |sent, _| sent.bodies),
    ("skillspan_forward_requests", "Requests that carried them", |sent, _| sent.requests),
    ("skillspan_forward_bytes", "Bytes of them, before compression", |sent, _| sent.bytes),
    ("skillspan_forward_retries", "Requests that were sent again", |sent, _| sent.retries),
    ("skillspan_forward_rejected_records", "Records that a backend did not take", |sent, _| sent.rejected),
];

const GAUGES: [(&str, &str, Reading); 4] = [
    ("skillspan_forward_waiting", "Requests of clients that wait for a backend", |_, queue| queue.waiting),
    ("skillspan_forward_queue_bytes", "Bytes of a backend's queue", |_, queue| queue.bytes),
    ("skillspan_forward_queue_max_bytes", "Bytes that it may take", |_, queue| queue.max_bytes),
    ("skillspan_forward_failing", "1 while nothing can be forwarded, else 0", |sent, _| {
        u64::from(sent.failing.is_some())
    }),
];

type Reasons = fn(&forward::Status) -> &BTreeMap<&'static str, u64>;

const BY_REASON: [(&str, &str, Reasons); 2] = [
    ("skillspan_forward_dropped", "Requests of clients that were not forwarded, by reason", |queue| {
        &queue.dropped
    }),
    ("skillspan_forward_refused", "Requests of clients that were refused, by reason", |queue| &queue.refused),
];

impl Collector for ForwardMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        let senders: Vec<(&str, Status, forward::Status)> =
            self.0.iter().map(|handle| (handle.name(), handle.status(), handle.queue())).collect();
        for (name, help, read) in COUNTERS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (exporter, sent, queue) in &senders {
                let labels = [("exporter", *exporter)];
                ConstCounter::new(read(sent, queue)).encode(family.encode_family(&labels)?)?;
            }
        }
        for (name, help, read) in GAUGES {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (exporter, sent, queue) in &senders {
                let value = i64::try_from(read(sent, queue)).unwrap_or(i64::MAX);
                ConstGauge::new(value).encode(family.encode_family(&[("exporter", *exporter)])?)?;
            }
        }
        for (name, help, read) in BY_REASON {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (exporter, _, queue) in &senders {
                for (reason, count) in read(queue) {
                    let labels = [("exporter", *exporter), ("reason", *reason)];
                    ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
                }
            }
        }
        Ok(())
    }
}

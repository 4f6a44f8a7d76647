//! What came in and what became of it, as Prometheus counters.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::{Arrivals, TurnedAway};

/// Counters of everything that receivers see. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    pub(super) requests: Family<RequestLabels, Counter>,
    pub(super) received: Family<SignalLabels, Counter>,
    pub(super) events: Family<EventLabels, Counter>,
    pub(super) dropped: Family<DropLabels, Counter>,
    pub(super) lost: Family<DropLabels, Counter>,
    pub(super) losses: Losses,
    pub(super) arrivals: Arrivals,
    pub(super) unrecognised: Family<ScopeLabels, Counter>,
    pub(super) handshakes: Counter,
    turned_away: TurnedAway,
}

/// Counts records that held data and became no event, by dialect and reason, for operators. Clones share the counts.
#[derive(Debug, Clone, Default)]
pub struct Losses(Arc<Mutex<BTreeMap<(&'static str, &'static str), u64>>>);

impl Losses {
    pub(super) fn note(&self, dialect: &'static str, reason: &'static str, count: u64) {
        if count > 0 {
            *self.lock().entry((dialect, reason)).or_default() += count;
        }
    }

    /// How much was lost since the start, by dialect, `""` if none is to blame, and reason.
    pub fn since_start(&self) -> BTreeMap<(&'static str, &'static str), u64> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(&'static str, &'static str), u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RequestLabels {
    pub(super) transport: &'static str,
    pub(super) signal: &'static str,
    pub(super) outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct SignalLabels {
    pub(super) signal: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct EventLabels {
    pub(super) dialect: String,
    pub(super) kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct DropLabels {
    pub(super) dialect: &'static str,
    pub(super) reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ScopeLabels {
    pub(super) signal: &'static str,
    pub(super) scope: String,
}

impl Counters {
    /// Makes the counters visible in `registry`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "skillspan_receiver_requests",
            "Requests by transport, signal and outcome",
            self.requests.clone(),
        );
        registry.register(
            "skillspan_receiver_records",
            "Spans, log records and metric points received, by signal; metrics are counted, forwarded where a pipeline says so, and not stored",
            self.received.clone(),
        );
        registry.register(
            "skillspan_events",
            "Session events that records became, by dialect and kind",
            self.events.clone(),
        );
        registry.register(
            "skillspan_records_dropped",
            "Records that a dialect recognised and made no event of, by dialect and reason",
            self.dropped.clone(),
        );
        registry.register(
            "skillspan_parts_lost",
            "Parts of requests and records that said something and became nothing, by dialect and reason",
            self.lost.clone(),
        );
        registry.register(
            "skillspan_records_unrecognised",
            "Records that no dialect recognised, by signal and instrumentation scope",
            self.unrecognised.clone(),
        );
        registry.register(
            "skillspan_receiver_tls_failures",
            "Connections on which no TLS came about",
            self.handshakes.clone(),
        );
    }

    /// Who was turned away at the doors.
    pub fn turned_away(&self) -> &TurnedAway {
        &self.turned_away
    }

    /// The TLS handshake of a connection failed.
    pub(super) fn handshake_failed(&self, reason: &str) {
        self.handshakes.inc();
        self.turned_away.handshake(reason);
    }

    /// The sessions that begin to arrive.
    pub fn arrivals(&self) -> Arrivals {
        self.arrivals.clone()
    }

    /// The losses so far, for operators.
    pub fn losses(&self) -> Losses {
        self.losses.clone()
    }

    pub(super) fn request(&self, transport: &'static str, signal: &'static str, outcome: &'static str) {
        self.requests.get_or_create(&RequestLabels { transport, signal, outcome }).inc();
    }
}

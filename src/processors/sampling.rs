//! A part of the sessions, each whole or absent.
//!
//! A hash of the session's id decides, so that every replica and every start decide alike. A record that
//! carries no id is decided by the session that its trace is known to be of by then, else by the hash of its
//! trace, which is its session's name where no record ever says another.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::event::SessionEvent;

/// Traces that are remembered; of older ones the hash of the trace decides.
const MAX_TRACES: usize = 65_536;

/// What chooses sessions.
#[derive(Debug)]
pub struct Sampling {
    /// Hashes below it are stored.
    bound: u64,
    seed: u32,
    traces: Mutex<Traces>,
}

/// What is known of traces, by a hash of tenant and id.
#[derive(Debug, Default)]
struct Traces {
    known: BTreeMap<u64, Known>,
    order: VecDeque<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It is of a session that is stored or not.
    Session(bool),
    /// Its own hash decided of some of its records.
    Itself(bool),
}

/// What becomes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// It is stored.
    Keep,
    /// It is not.
    Drop,
    /// It is not, and what was stored of its trace goes too.
    Forget,
    /// A later record of the request may tell.
    Later,
}

impl Sampling {
    /// Stores `percent` of the sessions; another seed chooses others.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
    pub fn new(percent: f64, seed: u32) -> Self {
        let share = (percent / 100.0).clamp(0.0, 1.0);
        #[expect(clippy::cast_precision_loss, reason = "a share of all hashes, to the nearest")]
        let bound = if share >= 1.0 { u64::MAX } else { (share * u64::MAX as f64) as u64 };
        Self { bound, seed, traces: Mutex::default() }
    }

    /// What becomes of an event as the client sent it.
    pub fn choose(&self, event: &SessionEvent) -> Choice {
        let trace = (!event.trace_id.is_empty()).then(|| self.key(event));
        if !event.session_id.is_empty() {
            let keeps = self.keeps(&event.session_id);
            let before = trace.and_then(|trace| self.learn(trace, Known::Session(keeps)));
            return match (keeps, before) {
                (true, _) => Choice::Keep,
                (false, Some(Known::Itself(true))) => Choice::Forget,
                (false, _) => Choice::Drop,
            };
        }
        let Some(trace) = trace else { return choice(self.keeps(&event.event_id)) };
        let traces = self.traces.lock().unwrap_or_else(PoisonError::into_inner);
        match traces.known.get(&trace) {
            Some(Known::Session(keeps) | Known::Itself(keeps)) => choice(*keeps),
            None => Choice::Later,
        }
    }

    /// The same at the end of the request: its trace decides if nothing else does.
    pub fn settle(&self, event: &SessionEvent) -> Choice {
        match self.choose(event) {
            Choice::Later => {
                let keeps = self.keeps(&event.trace_id);
                self.learn(self.key(event), Known::Itself(keeps));
                choice(keeps)
            }
            choice => choice,
        }
    }

    fn keeps(&self, id: &str) -> bool {
        self.bound == u64::MAX || self.hash(&[id]) < self.bound
    }

    fn key(&self, event: &SessionEvent) -> u64 {
        self.hash(&[&event.tenant, &event.trace_id])
    }

    fn hash(&self, parts: &[&str]) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_le_bytes());
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// What was known of the trace before.
    fn learn(&self, trace: u64, known: Known) -> Option<Known> {
        let mut traces = self.traces.lock().unwrap_or_else(PoisonError::into_inner);
        let before = traces.known.insert(trace, known);
        if before.is_none() {
            traces.order.push_back(trace);
            if traces.order.len() > MAX_TRACES
                && let Some(oldest) = traces.order.pop_front()
            {
                traces.known.remove(&oldest);
            }
        }
        // If a trace has two sessions and one is stored, records that name neither are kept.
        if before == Some(Known::Session(true)) {
            traces.known.insert(trace, Known::Session(true));
        }
        before
    }
}

const fn choice(keeps: bool) -> Choice {
    if keeps { Choice::Keep } else { Choice::Drop }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(session: &str, trace: &str) -> SessionEvent {
        SessionEvent {
            session_id: session.to_owned(),
            trace_id: trace.to_owned(),
            event_id: format!("{session}{trace}"),
            ..SessionEvent::default()
        }
    }

    #[test]
    fn the_share_is_kept_and_everybody_chooses_alike() {
        let (one, other) = (Sampling::new(20.0, 0), Sampling::new(20.0, 0));
        let seeded = Sampling::new(20.0, 1);
        let (mut kept, mut differ) = (0, 0);
        for number in 0..5_000 {
            let event = event(&format!("session-{number}"), "");
            let choice = one.choose(&event);
            assert_eq!(choice, other.choose(&event));
            kept += u32::from(choice == Choice::Keep);
            differ += u32::from(choice != seeded.choose(&event));
        }
        assert!((850..1_150).contains(&kept), "{kept} of 5000");
        assert!(differ > 1_000, "another seed chooses others: {differ}");
        for (percent, expected) in [(0.0, Choice::Drop), (100.0, Choice::Keep), (250.0, Choice::Keep)] {
            let sampling = Sampling::new(percent, 0);
            assert!((0..100).all(|number| sampling.choose(&event(&number.to_string(), "")) == expected));
        }
    }

    #[test]
    fn a_record_without_an_id_goes_with_its_trace_s_session() {
        let sampling = Sampling::new(50.0, 0);
        let named = |wanted: Choice| {
            let mut ids = (0..).map(|number| format!("s{number}"));
            ids.find(|id| sampling.choose(&event(id, "")) == wanted).unwrap()
        };
        for wanted in [Choice::Keep, Choice::Drop] {
            let (id, trace) = (named(wanted), format!("{wanted:?}"));
            assert_eq!(sampling.choose(&event("", &trace)), Choice::Later);
            assert_eq!(sampling.choose(&event(&id, &trace)), wanted);
            assert_eq!(sampling.choose(&event("", &trace)), wanted, "now it is known");
            assert_eq!(sampling.settle(&event("", &trace)), wanted);
        }
    }

    #[test]
    fn what_a_trace_kept_is_forgotten_when_its_session_turns_out_to_be_left_out() {
        let sampling = Sampling::new(50.0, 0);
        let mut traces = (0..).map(|number| format!("t{number}"));
        let trace = traces.find(|trace| sampling.settle(&event("", trace)) == Choice::Keep).unwrap();
        let mut ids = (0..).map(|number| format!("s{number}"));
        let left_out = ids.find(|id| sampling.choose(&event(id, "")) == Choice::Drop).unwrap();
        assert_eq!(sampling.choose(&event(&left_out, &trace)), Choice::Forget);
        assert_eq!(sampling.choose(&event(&left_out, &trace)), Choice::Drop, "once is enough");
        assert_eq!(sampling.choose(&event("", &trace)), Choice::Drop);
    }

    #[test]
    fn memory_is_bounded() {
        let sampling = Sampling::new(50.0, 0);
        for number in 0..MAX_TRACES + 10 {
            sampling.settle(&event("", &number.to_string()));
        }
        let traces = sampling.traces.lock().unwrap();
        assert_eq!((traces.known.len(), traces.order.len()), (MAX_TRACES, MAX_TRACES));
    }
}

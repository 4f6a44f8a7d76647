//! What a tenant may send: requests and bytes a second, each tenant for itself.
//!
//! Both are token buckets that hold one second's worth. A request is accepted while its tenant's buckets are not
//! empty. Its size is known only once it is read, and may overdraw the bucket; later requests wait until the bucket
//! has recovered. No request is refused half read.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::receivers::Refusal;

/// So many a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(pub u64);

/// What each tenant may send.
#[derive(Debug, Default)]
pub struct Rates {
    requests: Option<Rate>,
    bytes: Option<Rate>,
    /// By tenant. Credentials name tenants, not requests, so there are few.
    tenants: Mutex<BTreeMap<String, Buckets>>,
}

#[derive(Debug)]
struct Buckets {
    filled: Instant,
    requests: f64,
    bytes: f64,
}

impl Rates {
    /// So many requests and bytes a second for each tenant; `None` is without bound.
    pub fn new(requests: Option<Rate>, bytes: Option<Rate>) -> Self {
        Self { requests, bytes, tenants: Mutex::default() }
    }

    /// Takes one request from the tenant's bucket.
    pub(super) fn request(&self, tenant: &str) -> Result<(), Refusal> {
        if self.requests.is_none() && self.bytes.is_none() {
            return Ok(());
        }
        self.with(tenant, |buckets| {
            wait("requests", self.requests, buckets.requests, 1.0)?;
            wait("bytes", self.bytes, buckets.bytes, f64::MIN_POSITIVE)?;
            buckets.requests -= 1.0;
            Ok(())
        })
    }

    /// Takes bytes that were received, beyond empty if need be.
    #[expect(clippy::cast_precision_loss, reason = "a rate is no exact number")]
    pub(super) fn charge(&self, tenant: &str, bytes: usize) {
        if self.bytes.is_some() {
            self.with(tenant, |buckets| buckets.bytes -= bytes as f64);
        }
    }

    fn with<T>(&self, tenant: &str, take: impl FnOnce(&mut Buckets) -> T) -> T {
        let now = Instant::now();
        let (most_requests, most_bytes) = (capacity(self.requests), capacity(self.bytes));
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let full = || Buckets { filled: now, requests: most_requests, bytes: most_bytes };
        let buckets = tenants.entry(tenant.to_owned()).or_insert_with(full);
        let seconds = now.saturating_duration_since(buckets.filled).as_secs_f64();
        buckets.filled = now;
        buckets.requests = most_requests.min(buckets.requests + seconds * most_requests);
        buckets.bytes = most_bytes.min(buckets.bytes + seconds * most_bytes);
        take(buckets)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate is no exact number")]
fn capacity(rate: Option<Rate>) -> f64 {
    rate.map_or(f64::MAX, |rate| rate.0 as f64)
}

/// Refuses for as long as it takes until `needed` are there.
fn wait(what: &'static str, rate: Option<Rate>, left: f64, needed: f64) -> Result<(), Refusal> {
    let Some(rate) = rate else { return Ok(()) };
    if left >= needed {
        return Ok(());
    }
    let seconds = ((needed - left) / capacity(Some(rate))).ceil().clamp(1.0, 3600.0);
    let reason = format!("more than {} {what} a second", rate.0);
    Err(Refusal::TooMany { reason, retry_after: Duration::from_secs_f64(seconds) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_tenant_is_bounded_and_its_neighbour_is_not_touched() {
        let rates = Rates::new(Some(Rate(3)), None);
        for _ in 0..3 {
            rates.request("a").unwrap();
        }
        assert!(matches!(rates.request("a"), Err(Refusal::TooMany { .. })));
        rates.request("b").unwrap();
        tokio::time::advance(Duration::from_millis(400)).await;
        rates.request("a").unwrap();
        assert!(rates.request("a").is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_request_is_made_up_for() {
        let rates = Rates::new(None, Some(Rate(1_000)));
        rates.request("a").unwrap();
        rates.charge("a", 4_500);
        let Err(Refusal::TooMany { retry_after, .. }) = rates.request("a") else { panic!("let in") };
        assert_eq!(retry_after, Duration::from_secs(4));
        tokio::time::advance(retry_after).await;
        rates.request("a").unwrap();
    }
}

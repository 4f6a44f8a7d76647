//! Counts connections, and decides which to close when there are too many.
//!
//! Connections cost file descriptors, which are limited, and a client that opens connections and stays silent must
//! not keep others out. So connections are counted, in total and by the client's address. One too many replaces the
//! connection that has been idle longest: of its own address if that has used its share, otherwise of any. If none is
//! idle, the new one is refused. The same rule applies when the system has no file descriptor left. A connection is
//! idle while it has no request: before its first one, between two, and while a request's head is incomplete.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Beside connections, a process needs file descriptors for its journal, its table and git.
const RESERVED: u64 = 64;
/// A process with fewer file descriptors than it needs may still be asked how it does.
const FEWEST: usize = 8;
/// So often it is said that connections are refused.
const SAID_EVERY: Duration = Duration::from_secs(60);

/// How many connections there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionBounds {
    /// In all.
    pub max: usize,
    /// From one address.
    pub per_address: usize,
}

impl Default for ConnectionBounds {
    /// Half of them for one address: behind a balancer, all clients have one.
    fn default() -> Self {
        Self { max: 8192, per_address: 4096 }
    }
}

impl ConnectionBounds {
    /// The same, within what the system allows this process: `descriptors` files.
    #[must_use]
    pub fn within(self, descriptors: Option<u64>) -> Self {
        let Some(descriptors) = descriptors else { return self };
        let left = descriptors.saturating_sub(RESERVED.max(descriptors / 4));
        let max = self.max.min(usize::try_from(left).unwrap_or(usize::MAX).max(FEWEST));
        Self { max, per_address: self.per_address.min(max) }
    }
}

/// What became of connections, for `/metrics`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConnectionCounts {
    /// Open now.
    pub open: u64,
    /// Refused because there were too many, since the start.
    pub refused: u64,
    /// Closed while idle to make room for others, since the start.
    pub displaced: u64,
}

/// The connections of a process. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    bounds: ConnectionBounds,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    next: u64,
    open: BTreeMap<u64, Open>,
    by_address: BTreeMap<IpAddr, usize>,
    counts: ConnectionCounts,
    said_at: Option<Instant>,
}

#[derive(Debug)]
struct Open {
    address: IpAddr,
    requests: usize,
    idle_since: Instant,
    end: CancellationToken,
}

/// The place of one connection; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    connections: Connections,
    number: u64,
    end: CancellationToken,
}

/// A request under way; over when dropped.
#[derive(Debug)]
pub(super) struct Busy(Arc<Place>);

impl Connections {
    /// None yet.
    pub fn new(bounds: ConnectionBounds) -> Self {
        Self(Arc::new(Shared { bounds, known: Mutex::default() }))
    }

    /// How many there are and were.
    pub fn counts(&self) -> ConnectionCounts {
        let known = self.known();
        ConnectionCounts { open: known.open.len() as u64, ..known.counts }
    }

    /// A place for a new connection, if there is one or can be made.
    pub(super) fn admit(&self, address: IpAddr) -> Option<Arc<Place>> {
        // Mapped, or one client would be two.
        let address = address.to_canonical();
        let ConnectionBounds { max, per_address } = self.0.bounds;
        let mut known = self.known();
        let own = known.by_address.get(&address).copied().unwrap_or_default();
        let has_room = (own < per_address || known.displace(Some(address)))
            && (known.open.len() < max || known.displace(None));
        if !has_room {
            known.refuse(address);
            return None;
        }
        let number = known.next;
        known.next += 1;
        let end = CancellationToken::new();
        let open = Open { address, requests: 0, idle_since: Instant::now(), end: end.clone() };
        known.open.insert(number, open);
        *known.by_address.entry(address).or_default() += 1;
        Some(Arc::new(Place { connections: self.clone(), number, end }))
    }

    /// Closes some of those that have been idle longest; says how many.
    pub(super) fn make_room(&self) -> usize {
        let mut known = self.known();
        let wanted = known.open.len() / 8 + 1;
        (0..wanted).take_while(|_| known.displace(None)).count()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Ends the connection that has been idle longest, of an address or of all; false if none is idle.
    fn displace(&mut self, address: Option<IpAddr>) -> bool {
        let of = |open: &Open| open.requests == 0 && address.is_none_or(|address| open.address == address);
        let idle = self.open.iter().filter(|(_, open)| of(open));
        let Some(number) = idle.min_by_key(|(_, open)| open.idle_since).map(|(number, _)| *number) else {
            return false;
        };
        if let Some(open) = self.remove(number) {
            open.end.cancel();
            self.counts.displaced += 1;
        }
        true
    }

    fn remove(&mut self, number: u64) -> Option<Open> {
        let open = self.open.remove(&number)?;
        if let Some(count) = self.by_address.get_mut(&open.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_address.remove(&open.address);
            }
        }
        Some(open)
    }

    fn refuse(&mut self, address: IpAddr) {
        self.counts.refused += 1;
        if self.said_at.is_none_or(|at| at.elapsed() >= SAID_EVERY) {
            self.said_at = Some(Instant::now());
            let (open, refused) = (self.open.len(), self.counts.refused);
            tracing::warn!(
                %address, open, refused,
                "a connection is refused: as many as service.connections allows have requests under way"
            );
        }
    }
}

impl Place {
    /// Ready when the connection is to end: another one needs its place.
    pub(super) async fn displaced(&self) {
        self.end.cancelled().await;
    }

    /// Ready when the connection had no request for `idle`.
    pub(super) async fn idle_for(&self, idle: Duration) {
        loop {
            let since = self.connections.known().open.get(&self.number).map(Open::idle_since);
            match since {
                None => return self.displaced().await,
                Some(Some(since)) if since.elapsed() >= idle => return,
                Some(Some(since)) => tokio::time::sleep_until(since + idle).await,
                Some(None) => tokio::time::sleep(idle).await,
            }
        }
    }

    /// The connection has a request until the answer is dropped.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        if let Some(open) = self.connections.known().open.get_mut(&self.number) {
            open.requests += 1;
        }
        Busy(Arc::clone(self))
    }
}

impl Open {
    /// `None` while it has a request.
    fn idle_since(&self) -> Option<Instant> {
        (self.requests == 0).then_some(self.idle_since)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.known().remove(self.number);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(open) = self.0.connections.known().open.get_mut(&self.0.number) {
            open.requests = open.requests.saturating_sub(1);
            open.idle_since = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(max: usize, per_address: usize) -> Connections {
        Connections::new(ConnectionBounds { max, per_address })
    }

    fn from(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[tokio::test(start_paused = true)]
    async fn the_one_that_is_idle_longest_gives_way() {
        let all = connections(3, 3);
        let mut places = Vec::new();
        for last in 1..=3 {
            places.push(all.admit(from(last)).unwrap());
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let busy = places[0].busy();
        let _fourth = all.admit(from(4)).unwrap();
        let ended: Vec<bool> = places.iter().map(|place| place.end.is_cancelled()).collect();
        assert_eq!(ended, [false, true, false], "the first has a request");
        assert_eq!(all.counts(), ConnectionCounts { open: 3, refused: 0, displaced: 1 });
        tokio::time::advance(Duration::from_secs(1)).await;
        drop(busy);
        let _fifth = all.admit(from(5)).unwrap();
        assert!(places[2].end.is_cancelled() && !places[0].end.is_cancelled(), "it was busy until now");
    }

    #[tokio::test]
    async fn where_all_have_requests_a_new_one_is_refused() {
        let all = connections(2, 2);
        let places = [all.admit(from(1)).unwrap(), all.admit(from(2)).unwrap()];
        let busy = places.each_ref().map(Place::busy);
        assert!(all.admit(from(3)).is_none() && all.make_room() == 0);
        assert_eq!(all.counts().refused, 1);
        drop(busy);
        assert!(all.admit(from(3)).is_some());
        drop(places);
        assert_eq!(all.counts().open, 0, "places are given back");
    }

    #[tokio::test]
    async fn an_address_has_its_share_and_takes_from_itself_alone() {
        let all = connections(10, 2);
        let other = all.admit(from(9)).unwrap();
        let own: Vec<_> = (0..5).map(|_| all.admit(from(1)).unwrap()).collect();
        let open = own.iter().filter(|place| !place.end.is_cancelled()).count();
        assert_eq!((open, other.end.is_cancelled()), (2, false));
        let _busy: Vec<_> = own.iter().map(Place::busy).collect();
        assert!(all.admit(from(1)).is_none());
        let mapped: IpAddr = "::ffff:10.0.0.1".parse().unwrap();
        assert!(all.admit(mapped).is_none(), "the same address");
        assert!(all.admit(from(2)).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_from_its_last_answer_on() {
        let all = connections(1, 1);
        let place = all.admit(from(1)).unwrap();
        let idle = Duration::from_secs(10);
        let began = Instant::now();
        let busy = place.busy();
        let waiting = tokio::spawn({
            let place = Arc::clone(&place);
            async move { place.idle_for(idle).await }
        });
        tokio::time::sleep(Duration::from_secs(25)).await;
        assert!(!waiting.is_finished());
        drop(busy);
        waiting.await.unwrap();
        assert!(began.elapsed() >= Duration::from_secs(35));
    }

    #[test]
    fn bounds_leave_file_descriptors_for_the_rest() {
        let bounds = ConnectionBounds::default();
        for (descriptors, max) in [(1024, 768), (256, 192), (128, 64), (64, 8), (0, 8), (1 << 20, 8192)] {
            assert_eq!(bounds.within(Some(descriptors)).max, max, "{descriptors}");
        }
        assert_eq!(bounds.within(Some(1024)).per_address, 768);
        assert_eq!(bounds.within(None), bounds);
    }
}

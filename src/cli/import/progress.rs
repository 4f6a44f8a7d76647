//! Shows progress, and handles Ctrl-C.

use std::io::{self, IsTerminal, Write, stderr};
use std::sync::Arc;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::cli::run::StopSignals;

/// How often progress is shown.
const SHOWING: Duration = Duration::from_millis(200);

/// Stops an import between two requests, and says how much is stored.
pub(super) struct Stop {
    token: CancellationToken,
    signal: Arc<OnceLock<&'static str>>,
}

impl Stop {
    /// Listens from now on. To be called within a runtime.
    pub(super) fn listen() -> io::Result<Self> {
        let signals = StopSignals::listen()?;
        let stop = Self { token: CancellationToken::new(), signal: Arc::new(OnceLock::new()) };
        let (token, signal) = (stop.token.clone(), Arc::clone(&stop.signal));
        tokio::spawn(async move {
            // An earlier signal has stopped it.
            let _ = signal.set(signals.next().await);
            token.cancel();
        });
        Ok(stop)
    }

    /// Waits until somebody asks; the signal's name.
    pub(super) async fn stopped(&self) -> &'static str {
        self.token.cancelled().await;
        self.signal.get().copied().unwrap_or("a signal")
    }
}

/// A line on a terminal that says how far it is.
pub(super) struct Progress {
    total: u64,
    done: u64,
    began: Instant,
    shown: Option<Instant>,
    is_seen: bool,
}

impl Progress {
    pub(super) fn new(total: u64) -> Self {
        Self { total, done: 0, began: Instant::now(), shown: None, is_seen: stderr().is_terminal() }
    }

    /// So many bytes more are done.
    pub(super) fn show(&mut self, bytes: u64) {
        self.done += bytes;
        if self.is_due() {
            write(&line(self.done, self.total, self.began.elapsed()));
        }
    }

    /// Says something else of how far it is.
    pub(super) fn say(&mut self, line: impl FnOnce(Duration) -> String) {
        if self.is_due() {
            write(&line(self.began.elapsed()));
        }
    }

    fn is_due(&mut self) -> bool {
        let is_due = self.is_seen && self.shown.is_none_or(|shown| shown.elapsed() >= SHOWING);
        if is_due {
            self.shown = Some(Instant::now());
        }
        is_due
    }

    /// Takes the line away.
    pub(super) fn end(&self) {
        if self.is_seen {
            write("");
        }
    }
}

fn write(line: &str) {
    // Nobody is left to be told that the terminal is gone.
    let _ = write!(stderr(), "\r{line:<70}\r");
    let _ = stderr().flush();
}

fn line(done: u64, total: u64, took: Duration) -> String {
    const MEGABYTE: u64 = 1_000_000;
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = done.saturating_mul(1_000) / milliseconds;
    let left = total.saturating_sub(done).checked_div(rate);
    let of_all = done.saturating_mul(100).checked_div(total).unwrap_or(100);
    let left = left.map(|seconds| format!(", {seconds} s left")).unwrap_or_default();
    format!(
        "{of_all:>3} %  {} of {} MB, {} MB a second{left}",
        done / MEGABYTE,
        total.div_ceil(MEGABYTE),
        rate / MEGABYTE
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_says_the_rate_and_the_time_that_is_left() {
        let of = |done, seconds| line(done, 500_000_000, Duration::from_secs(seconds));
        assert_eq!(of(100_000_000, 2), " 20 %  100 of 500 MB, 50 MB a second, 8 s left");
        assert_eq!(of(0, 0), "  0 %  0 of 500 MB, 0 MB a second");
        assert_eq!(line(0, 0, Duration::ZERO), "100 %  0 of 0 MB, 0 MB a second");
    }
}

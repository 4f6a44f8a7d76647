//! What the requests showed.

use std::time::Duration;

use crate::server::{Process, Used};

pub(crate) struct Answer {
    pub(crate) took: Duration,
    pub(crate) is_ok: bool,
}

pub(crate) struct Measured {
    pub(crate) answers: Vec<Answer>,
    pub(crate) took: Duration,
    /// By the collector's process, if that is known.
    pub(crate) used: Option<Used>,
    /// Records in a request.
    pub(crate) records: usize,
}

impl Measured {
    /// The time in milliseconds within which this share of the requests was answered.
    fn percentile(&self, share: f64) -> f64 {
        let mut times: Vec<f64> = self.answers.iter().map(|answer| answer.took.as_secs_f64() * 1e3).collect();
        times.sort_by(f64::total_cmp);
        times.get((times.len() as f64 * share) as usize).or(times.last()).copied().unwrap_or(0.0)
    }

    fn refused(&self) -> usize {
        self.answers.iter().filter(|answer| !answer.is_ok).count()
    }

    /// What is worse than it may be: a request that was refused, or the 99th percentile.
    pub(crate) fn breach(&self, p99_limit: f64) -> Option<String> {
        let (refused, p99) = (self.refused(), self.percentile(0.99));
        if self.answers.is_empty() {
            Some("nothing was sent".to_owned())
        } else if refused > 0 {
            Some(format!("{refused} of {} requests were refused", self.answers.len()))
        } else {
            (p99 > p99_limit).then(|| format!("p99 is {p99:.1} ms, and may be {p99_limit} ms"))
        }
    }

    pub(crate) fn print(&self, process: Option<&Process>, as_json: bool) {
        let (p50, p99, longest) = (self.percentile(0.5), self.percentile(0.99), self.percentile(1.0));
        let refused = self.refused();
        let records = ((self.answers.len() - refused) * self.records) as f64;
        let seconds = self.took.as_secs_f64();
        let cpu = self.used.map(|used| used.0.as_secs_f64());
        let memory = process.map(Process::memory);
        if as_json {
            let line = serde_json::json!({
                "records": records, "refused": refused, "seconds": seconds, "cpu": cpu,
                "records_a_second": records / seconds, "records_a_core_second": cpu.map(|cpu| records / cpu),
                "p50_ms": p50, "p99_ms": p99, "longest_ms": longest,
                "rss_kib": memory.map(|(now, _)| now), "peak_kib": memory.map(|(_, peak)| peak),
            });
            println!("{line}");
            return;
        }
        println!("{records} records in {seconds:.1} s, {refused} requests refused");
        match cpu {
            Some(cpu) => println!(
                "{:.0} records a second, {:.0} a core-second ({:.1} us each)",
                records / seconds,
                records / cpu,
                cpu * 1e6 / records
            ),
            None => println!("{:.0} records a second", records / seconds),
        }
        println!("answers: p50 {p50:.1} ms, p99 {p99:.1} ms, longest {longest:.1} ms");
        if let Some((now, peak)) = memory {
            println!("memory: {} MiB now, {} MiB at most", now / 1024, peak / 1024);
        }
    }
}

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
    pub(crate) used: Used,
    /// Records in a request.
    pub(crate) records: usize,
}

impl Measured {
    pub(crate) fn print(&self, process: &Process, as_json: bool) {
        let mut times: Vec<f64> = self.answers.iter().map(|answer| answer.took.as_secs_f64() * 1e3).collect();
        times.sort_by(f64::total_cmp);
        let at = |share: f64| {
            times.get((times.len() as f64 * share) as usize).or(times.last()).copied().unwrap_or(0.0)
        };
        let good = self.answers.iter().filter(|answer| answer.is_ok).count();
        let records = (good * self.records) as f64;
        let (seconds, cpu) = (self.took.as_secs_f64(), self.used.0.as_secs_f64());
        let (now, peak) = process.memory();
        let refused = self.answers.len() - good;
        if as_json {
            let line = serde_json::json!({
                "records": records, "refused": refused, "seconds": seconds, "cpu": cpu,
                "records_a_second": records / seconds, "records_a_core_second": records / cpu,
                "p50_ms": at(0.5), "p99_ms": at(0.99), "longest_ms": at(1.0), "rss_kib": now, "peak_kib": peak,
            });
            println!("{line}");
            return;
        }
        println!("{records} records in {seconds:.1} s, {refused} requests refused");
        println!(
            "{:.0} records a second, {:.0} a core-second ({:.1} us each)",
            records / seconds,
            records / cpu,
            cpu * 1e6 / records
        );
        println!("answers: p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms", at(0.5), at(0.99), at(1.0));
        println!("memory: {} MiB now, {} MiB at most", now / 1024, peak / 1024);
    }
}

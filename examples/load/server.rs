//! What a process has used, as Linux tells it.

use std::fs;
use std::ops::Sub;
use std::path::Path;
use std::time::Duration;

pub(crate) struct Process(u32);

/// CPU time since the process began.
#[derive(Clone, Copy)]
pub(crate) struct Used(pub(crate) Duration);

impl Sub for Used {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self(self.0 - before.0)
    }
}

/// Of `/proc/PID/stat`: hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

impl Process {
    pub(crate) fn of(pid: u32) -> Self {
        Self(pid)
    }

    pub(crate) fn used(&self) -> Used {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0)).expect("the process runs");
        // The name, in parentheses, may hold spaces.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u32 = fields[11..13].iter().map(|field| field.parse::<u32>().unwrap()).sum();
        Used(TICK * ticks)
    }

    /// Resident memory now and at most, in KiB.
    pub(crate) fn memory(&self) -> (u64, u64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).expect("the process runs");
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        (of("VmRSS:"), of("VmHWM:"))
    }
}

pub(crate) fn bytes_below(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let entries = entries.flatten().map(|entry| entry.path());
    entries
        .map(|path| {
            if path.is_dir() { bytes_below(&path) } else { fs::metadata(&path).map_or(0, |file| file.len()) }
        })
        .sum()
}

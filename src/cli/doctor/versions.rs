//! Versions of assistants: what their programs report, and whether that is new enough.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::views::phrases::first_line;

/// Some take a second to say their version.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(20);
/// The most characters of a program's version that are shown.
const LONGEST: usize = 40;

/// The first line of what a program says of itself, or why there is none.
#[expect(clippy::disallowed_methods, reason = "no caller is on a reactor's thread")]
pub(super) fn said_by(program: &Path) -> Result<String, String> {
    let shown = program.display();
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| format!("{shown} cannot be run: {error}"))?;
    let began = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if began.elapsed() <= PATIENCE => std::thread::sleep(LOOK),
            _ => {
                // It is of no use any more, and nobody waits for it.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("{shown} does not say its version within {} s", PATIENCE.as_secs()));
            }
        }
    };
    let mut text = String::new();
    if let Some(output) = child.stdout.take() {
        // What is no text says nothing.
        let _ = output.take(1000).read_to_string(&mut text);
    }
    let line = first_line(text.lines().next().unwrap_or_default(), LONGEST);
    match (line.is_empty(), status.success()) {
        (false, _) => Ok(line),
        (true, true) => Err("version unknown".to_owned()),
        (true, false) => Err(format!("{shown} --version ends with {status}")),
    }
}

/// Whether a program is older than the version with which its sessions were recorded: by the first two numbers, the
/// third is of mends.
pub(super) fn is_older(said: &str, recorded: &str) -> bool {
    let numbers = |text: &str| -> Option<(u64, u64)> {
        let begin = text.find(|char: char| char.is_ascii_digit())?;
        let mut parts = text.get(begin..)?.split(|char: char| !char.is_ascii_digit());
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    matches!((numbers(said), numbers(recorded)), (Some(said), Some(recorded)) if said < recorded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_compared_by_its_first_two_numbers() {
        for (said, recorded, older) in [
            ("0.2.9 (Claude Code)", "2.1.330", true),
            ("2.1.197 (Claude Code)", "2.1.330", false),
            ("codex-cli 0.171.0", "0.169.0", false),
            ("codex-cli 0.20.0", "0.169.0", true),
            ("3.0.0", "2.9.9", false),
            ("unknown", "1.0", false),
        ] {
            assert_eq!(is_older(said, recorded), older, "{said} and {recorded}");
        }
    }
}

//! Arguments in, exit code out.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How the allocator is to work for a service; it listens to nothing but its environment.
///
/// - Free memory goes back to the system after so many milliseconds. By itself the allocator waits for a second,
///   in which large requests took a third of `memory_limit` more. With 10 a tenth of all CPU time was spent on
///   giving back and getting again what the next batch of the exporter needs.
/// - Arenas begin with a gibibyte of addresses, as mimalloc has it by itself: `.cargo/config.toml` makes that
///   less for commands, most of which are short.
const ALLOCATOR_OF_A_SERVICE: [(&str, &str); 2] =
    [("MIMALLOC_PURGE_DELAY", "100"), ("MIMALLOC_ARENA_RESERVE", "1GiB")];

/// An import runs the same pipelines, for as long as there are files: with it, 500 MB of them took 125 MiB instead of
/// 182, and a fifth more of CPU time.
const ALLOCATOR_OF_AN_IMPORT: [(&str, &str); 1] = [("MIMALLOC_PURGE_DELAY", "10")];

fn main() -> ExitCode {
    let command = std::env::args_os().nth(1).unwrap_or_default();
    if command == OsStr::new("run") {
        restart_with(&ALLOCATOR_OF_A_SERVICE);
    } else if command == OsStr::new("import") {
        restart_with(&ALLOCATOR_OF_AN_IMPORT);
    }
    skillspan::cli::main()
}

/// Begins again, as the same process, with the variables that are not set. Where that is not to be had, all
/// goes on without them.
fn restart_with(variables: &[(&str, &str)]) {
    let Ok(program) = std::env::current_exe() else { return };
    let unset: Vec<(&str, &str)> =
        variables.iter().copied().filter(|(name, _)| std::env::var_os(name).is_none()).collect();
    if unset.is_empty() || !program.exists() {
        return;
    }
    let mut arguments = std::env::args_os();
    let own_name = arguments.next().unwrap_or_default();
    // It returns only when it fails.
    let _ = Command::new(program).arg0(own_name).args(arguments).envs(unset).exec();
}

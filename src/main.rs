//! Arguments in, exit code out.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Milliseconds after which free memory goes back to the system. By itself the allocator waits for a second,
/// in which large requests took a third of `memory_limit` more; it listens to nothing but its environment.
const PURGE_DELAY: (&str, &str) = ("MIMALLOC_PURGE_DELAY", "10");

fn main() -> ExitCode {
    if std::env::args_os().nth(1).as_deref() == Some(OsStr::new("run")) {
        restart_with(PURGE_DELAY);
    }
    skillspan::cli::main()
}

/// Begins again, as the same process, unless the variable is set. Where that is not to be had, all goes on
/// without it.
fn restart_with((name, value): (&str, &str)) {
    let Ok(program) = std::env::current_exe() else { return };
    if std::env::var_os(name).is_some() || !program.exists() {
        return;
    }
    let mut arguments = std::env::args_os();
    let own_name = arguments.next().unwrap_or_default();
    // It returns only when it fails.
    let _ = Command::new(program).arg0(own_name).args(arguments).env(name, value).exec();
}

//! How long an assistant waits for `skillspan hook`: one call after the other, and 200 at once, with a
//! collector, without one, and while one starts. `cargo bench --bench hook`
//!
//! The times are those that the caller sees: from before the process is started until it has ended. Beside
//! them stands what a process takes of a processor, its start included, and what is the least that it can:
//! a process that does nothing, and this binary when it only says its version.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark fails by panicking"
)]

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const CALLS: usize = 200;
const STORM: usize = 200;

fn skillspan(data: &Path, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skillspan"));
    command.env_clear().env("HOME", "/nonexistent").env("XDG_DATA_HOME", data);
    command.env("SKILLSPAN_ENDPOINT", format!("http://127.0.0.1:{port}"));
    command
}

fn start(data: &Path, port: u16) -> Child {
    let root = data.display();
    let config = format!(
        "extensions: {{ health: {{ endpoint: 127.0.0.1:0 }}, sessions_table: {{ path: {root}/sessions }} }}
receivers: {{ otlp: {{ protocols: {{ http: {{ endpoint: 127.0.0.1:{port} }} }} }} }}
exporters: {{ filesystem: {{ path: {root}/skills }} }}
service: {{ journal: {{ path: {root}/journal, max_size: 256MiB, segment: 16MiB }} }}
"
    );
    let file = data.join("skillspan.yaml");
    fs::write(&file, config).unwrap();
    let child =
        skillspan(data, port).args(["run", "--config"]).arg(file).stderr(Stdio::null()).spawn().unwrap();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

/// One call of a hook; how long it took.
fn call(data: &Path, port: u16, number: usize) -> Duration {
    let object = format!(
        "{{\"hook_event_name\":\"PostToolUse\",\"session_id\":\"bench\",\"cwd\":\"/srv/shop\",\"tool_name\":\"Bash\",\
         \"tool_use_id\":\"toolu_{number}\",\"tool_input\":{{\"command\":\"make test\"}},\
         \"tool_response\":{{\"stdout\":\"{}\",\"stderr\":\"\"}}}}",
        "12 passed in 0.4 s, nothing failed. ".repeat(50)
    );
    let mut command = skillspan(data, port);
    time(command.args(["hook", "claude"]), object.as_bytes())
}

/// From before the process is started until it has ended.
fn time(command: &mut Command, input: &[u8]) -> Duration {
    let began = Instant::now();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    // Not every command reads it.
    let _ = child.stdin.take().unwrap().write_all(input);
    assert!(child.wait().unwrap().success());
    began.elapsed()
}

/// What processes that have ended took of all processors, in steps of 10 ms.
fn processor_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    let ticks: u64 = fields.skip(13).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// The times of some calls, and what each took of a processor.
fn measure(what: &str, calls: impl FnOnce() -> Vec<Duration>) {
    let before = processor_time();
    let mut times = calls();
    let each = (processor_time() - before) / u32::try_from(times.len()).unwrap();
    times.sort();
    let at = |part: usize| times.get((times.len() - 1) * part / 100).copied().unwrap_or_default();
    println!(
        "{what:<38} median {:>8.1?}   p99 {:>8.1?}   longest {:>8.1?}   processor {each:>8.2?} each",
        at(50),
        at(99),
        at(100)
    );
}

fn at_once(call: impl Fn(usize) -> Duration + Sync) -> Vec<Duration> {
    let call = &call;
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..STORM).map(|number| scope.spawn(move || call(number))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    })
}

fn measure_hooks(what: &str, data: &Path, port: u16) {
    measure(&format!("{what}, one after the other"), || {
        (0..CALLS).map(|number| call(data, port, number)).collect()
    });
    measure(&format!("{what}, {STORM} at once"), || at_once(|number| call(data, port, CALLS + number)));
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    measure(&format!("/bin/true, {STORM} at once"), || {
        at_once(|_| time(&mut Command::new("/bin/true"), b""))
    });
    measure(&format!("skillspan --version, {STORM} at once"), || {
        at_once(|_| time(skillspan(data, port).arg("--version"), b""))
    });
    measure_hooks("no collector", data, port);
    let mut collector = None;
    measure(&format!("a collector starts, {STORM} at once"), || {
        std::thread::scope(|scope| {
            scope.spawn(|| collector = Some(start(data, port)));
            at_once(|number| call(data, port, CALLS + STORM + number))
        })
    });
    measure_hooks("a collector", data, port);
    // Its folder goes with it.
    if let Some(mut collector) = collector {
        let _ = collector.kill();
        let _ = collector.wait();
    }
}

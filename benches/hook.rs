//! How long an assistant waits for `skillspan hook`: one call after the other, and 200 at once, with a
//! collector and without one. `cargo bench --bench hook`
//!
//! The times are those that the caller sees: from before the process is started until it has ended.

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
    let began = Instant::now();
    let mut command = skillspan(data, port);
    let mut child =
        command.args(["hook", "claude"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(object.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    began.elapsed()
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |part: usize| times.get((times.len() - 1) * part / 100).copied().unwrap_or_default();
    println!("{what:<34} median {:>8.1?}   p99 {:>8.1?}   longest {:>8.1?}", at(50), at(99), at(100));
}

fn measure(what: &str, data: &Path, port: u16) {
    print(
        &format!("{what}, one after the other"),
        (0..CALLS).map(|number| call(data, port, number)).collect(),
    );
    let times = std::thread::scope(|scope| {
        let calls: Vec<_> =
            (0..STORM).map(|number| scope.spawn(move || call(data, port, CALLS + number))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    print(&format!("{what}, {STORM} at once"), times);
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    measure("no collector", data, port);
    let mut collector = start(data, port);
    measure("a collector", data, port);
    // Its folder goes with it.
    let _ = collector.kill();
    let _ = collector.wait();
}

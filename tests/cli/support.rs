//! A running skillspan on free ports, in a folder of its own.

#[path = "../support/port.rs"]
mod port;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) use port::Port;

/// A client for loopback. A client is only built where a TLS provider is installed, needed or not.
pub(crate) fn client() -> reqwest::blocking::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::blocking::Client::builder().no_proxy().build().unwrap()
}

/// The binary under test, with nothing of this machine's environment that could change it.
pub(crate) fn skillspan() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skillspan"));
    command.env_clear().env("HOME", "/nonexistent").stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn output(command: &mut Command) -> Output {
    command.output().unwrap()
}

/// (exit code, standard output, standard error) of a command.
pub(crate) fn outcome(command: &mut Command) -> (i32, String, String) {
    let output = output(command);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Starts a command and gives it an object.
pub(crate) fn give(mut command: Command, object: &str) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that does not want its input has closed it.
    let _ = child.stdin.take().unwrap().write_all(object.as_bytes());
    child
}

/// Attributes as OTLP's JSON has them.
pub(crate) fn texts(pairs: &[(&str, &str)]) -> Vec<Value> {
    pairs.iter().map(|(key, value)| json!({ "key": key, "value": { "stringValue": value } })).collect()
}

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// A folder with a configuration that listens on free ports and stores below the folder.
pub(crate) struct Site {
    pub(crate) folder: TempDir,
    pub(crate) grpc: u16,
    pub(crate) http: u16,
    pub(crate) health: u16,
    /// Kept for this site, however often it starts and stops.
    pub(crate) ports: Mutex<Vec<Port>>,
}

impl Site {
    /// `workspace` is what sessions that name none belong to.
    pub(crate) fn new(workspace: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ports = [(); 3].map(|()| Port::keep());
        let [grpc, http, health] = ports.each_ref().map(Port::number);
        let site = Self { folder, grpc, http, health, ports: Mutex::new(ports.into()) };
        let root = site.folder.path().display();
        let config = format!(
            "extensions:
  health: {{ endpoint: 127.0.0.1:{health} }}
  sessions_table: {{ path: {root}/sessions }}
receivers:
  otlp: {{ protocols: {{ grpc: {{ endpoint: 127.0.0.1:{grpc} }}, http: {{ endpoint: 127.0.0.1:{http} }} }} }}
processors:
  workspace: {{ from: [], default: {workspace} }}
exporters:
  filesystem: {{ path: {root}/skills }}
service:
  journal: {{ path: {root}/journal, max_size: 64MiB, segment: 4MiB }}
"
        );
        std::fs::write(site.config(), config).unwrap();
        site
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("skillspan.yaml")
    }

    /// Replaces texts of the configuration, each of which must be there.
    pub(crate) fn edit_config(&self, edits: &[(&str, &str)]) {
        let mut config = std::fs::read_to_string(self.config()).unwrap();
        for (from, to) in edits {
            assert!(config.contains(from), "{from:?} is not in {config}");
            config = config.replacen(from, to, 1);
        }
        std::fs::write(self.config(), config).unwrap();
    }

    /// Appends to the configuration, which ends within `service`.
    pub(crate) fn add_to_config(&self, text: &str) {
        let config = std::fs::read_to_string(self.config()).unwrap();
        std::fs::write(self.config(), config + text).unwrap();
    }

    /// One port more.
    pub(crate) fn free_port(&self) -> u16 {
        let port = Port::keep();
        let number = port.number();
        self.ports.lock().unwrap().push(port);
        number
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts `skillspan run` and waits until it is ready.
    pub(crate) fn start(&self) -> Running {
        self.start_with(&[])
    }

    /// The same with these variables in its environment.
    pub(crate) fn start_with(&self, environment: &[(&str, &Path)]) -> Running {
        let log = std::fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = skillspan();
        command.args(["run", "--config"]).arg(self.config()).envs(environment.iter().copied());
        self.ready(command.stderr(log).spawn().unwrap())
    }

    /// The same with so few open files, all of them asked for already.
    pub(crate) fn start_with_open_files(&self, most: u32) -> Running {
        let log = std::fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = Command::new("sh");
        command.env_clear().env("HOME", "/nonexistent").stdin(Stdio::null());
        command.args(["-c", &format!("ulimit -n {most}; exec \"$0\" run --config \"$1\"")]);
        command.arg(env!("CARGO_BIN_EXE_skillspan")).arg(self.config());
        self.ready(command.stderr(log).spawn().unwrap())
    }

    fn ready(&self, child: Child) -> Running {
        let mut running = Running { child };
        let ready = format!("http://127.0.0.1:{}/ready", self.health);
        let client = client();
        eventually("ready", || {
            if let Some(status) = running.child.try_wait().unwrap() {
                panic!("it stopped with {status}: {}", self.log());
            }
            client.get(&ready).send().is_ok_and(|answer| answer.status().is_success())
        });
        running
    }

    pub(crate) fn log(&self) -> String {
        let mut text = String::new();
        std::fs::File::open(self.path("log")).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    /// Runs a command with this site's configuration; it must succeed. Returns standard output.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let (code, stdout, stderr) = outcome(skillspan().args(arguments).arg("--config").arg(self.config()));
        assert_eq!(code, 0, "{arguments:?}: {stderr}");
        stdout
    }

    /// The JSON lines of `sessions list --json`.
    pub(crate) fn sessions(&self) -> Vec<Value> {
        let text = self.run(&["sessions", "list", "--json"]);
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// `sessions show ID --json`.
    pub(crate) fn session(&self, id: &str) -> Value {
        serde_json::from_str(&self.run(&["sessions", "show", id, "--json"])).unwrap()
    }

    /// Posts to the HTTP port; the status.
    pub(crate) fn post(&self, path: &str, content_type: &str, body: Vec<u8>) -> u16 {
        let client = client();
        let url = format!("http://127.0.0.1:{}{path}", self.http);
        client.post(url).header("content-type", content_type).body(body).send().unwrap().status().as_u16()
    }

    /// The generated skills' folders by name.
    pub(crate) fn skills(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.path("skills/skills")) else { return Vec::new() };
        let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        folders
    }
}

/// Killed when dropped.
pub(crate) struct Running {
    child: Child,
}

impl Running {
    /// As `kill -9` does it.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// SIGTERM, then the exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for something that must happen.
pub(crate) fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !happened() {
        assert!(Instant::now() < deadline, "{what} did not happen within 30 s");
        std::thread::sleep(Duration::from_millis(20));
    }
}

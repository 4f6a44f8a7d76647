//! Runs git isolated from its surroundings: no user or system configuration, no hooks, no prompts, no inherited
//! environment, one protocol.

use std::ffi::OsString;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::credentials::Door;
use super::error::Error;
use super::remote::{Auth, Protocol, Remote};

/// The longest that a command may take that talks to the remote. Transfers that stall end earlier.
const REMOTE_LIMIT: Duration = Duration::from_secs(600);
/// The longest that any other may take.
const LOCAL_LIMIT: Duration = Duration::from_secs(120);
/// How soon a stop is noticed.
const TICK: Duration = Duration::from_millis(100);

/// What the environment may bring in: where programs are, how the network is reached.
const INHERITED: [&str; 12] = [
    "PATH",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "NO_PROXY",
    "no_proxy",
];

/// How git is run for one remote.
#[derive(Debug, Clone)]
pub(super) struct Runner {
    pub(super) program: PathBuf,
    pub(super) remote: Remote,
    pub(super) auth: Auth,
    /// `name <mail>`
    pub(super) author: (String, String),
    /// The program that answers git's question for credentials: skillspan itself.
    pub(super) credential_helper: PathBuf,
    pub(super) stop: Arc<AtomicBool>,
}

/// What a command said.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) success: bool,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: String,
}

impl Output {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

impl Runner {
    /// Runs a command that must succeed.
    pub(super) fn local(&self, folder: &Path, arguments: &[&str], stdin: &[u8]) -> Result<Output, Error> {
        let output = self.run(folder, arguments, stdin, None, &[], LOCAL_LIMIT)?;
        self.successful(arguments, output)
    }

    /// The same with an index of its own.
    pub(super) fn with_index(
        &self,
        folder: &Path,
        index: &Path,
        arguments: &[&str],
        stdin: &[u8],
    ) -> Result<Output, Error> {
        let index = [("GIT_INDEX_FILE", index.as_os_str().to_owned())];
        let output = self.run(folder, arguments, stdin, None, &index, LOCAL_LIMIT)?;
        self.successful(arguments, output)
    }

    /// Asks a question whose answer is the exit code.
    pub(super) fn asks(&self, folder: &Path, arguments: &[&str]) -> Result<bool, Error> {
        Ok(self.run(folder, arguments, b"", None, &[], LOCAL_LIMIT)?.success)
    }

    /// Runs a command that talks to the remote.
    pub(super) fn remote(&self, folder: &Path, arguments: &[&str]) -> Result<Output, Error> {
        let door = match &self.auth {
            Auth::Token { username, token } => Some(
                Door::open(username, token)
                    .map_err(|source| Error::Cache { path: std::env::temp_dir(), source })?,
            ),
            Auth::Open | Auth::Key { .. } => None,
        };
        self.run(folder, arguments, b"", door.as_ref(), &[], REMOTE_LIMIT)
    }

    pub(super) fn successful(&self, arguments: &[&str], output: Output) -> Result<Output, Error> {
        if output.success {
            return Ok(output);
        }
        let verb = arguments.first().copied().unwrap_or_default();
        Err(Error::of(self.remote.url(), verb, &output.stderr))
    }

    fn run(
        &self,
        folder: &Path,
        arguments: &[&str],
        stdin: &[u8],
        door: Option<&Door>,
        environment: &[(&str, OsString)],
        limit: Duration,
    ) -> Result<Output, Error> {
        let mut command = self.closed(folder, door);
        command.args(arguments).envs(environment.iter().map(|(name, value)| (name, value)));
        let child = command
            .spawn()
            .map_err(|source| Error::NoGit { program: self.program.display().to_string(), source })?;
        let finished = wait(child, stdin.to_vec(), limit, &self.stop);
        let remote = || self.remote.to_string();
        match finished {
            Ok(Finished::Output(output)) => Ok(output),
            Ok(Finished::TooSlow) => Err(Error::Slow { remote: remote(), limit }),
            Ok(Finished::Stopped) => Err(Error::Stopped { remote: remote() }),
            Err(source) => Err(Error::Cache { path: folder.to_owned(), source }),
        }
    }

    fn closed(&self, folder: &Path, door: Option<&Door>) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear();
        for name in INHERITED {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let (name, mail) = &self.author;
        command
            .envs([
                ("LC_ALL", "C"),
                ("GIT_CONFIG_NOSYSTEM", "1"),
                ("GIT_CONFIG_GLOBAL", "/dev/null"),
                ("GIT_ATTR_NOSYSTEM", "1"),
                ("GIT_TERMINAL_PROMPT", "0"),
                ("GIT_OPTIONAL_LOCKS", "0"),
                ("GIT_AUTHOR_NAME", name),
                ("GIT_AUTHOR_EMAIL", mail),
                ("GIT_COMMITTER_NAME", name),
                ("GIT_COMMITTER_EMAIL", mail),
            ])
            .env("HOME", folder)
            .env("XDG_CONFIG_HOME", folder)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for setting in self.settings(door) {
            command.arg("-c").arg(setting);
        }
        if self.remote.protocol() == Protocol::Ssh {
            command.env("GIT_SSH_COMMAND", self.ssh()).env("GIT_SSH_VARIANT", "ssh");
        }
        // A process group of its own, so that git's children end with it.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
    }

    fn settings(&self, door: Option<&Door>) -> Vec<String> {
        let mut settings: Vec<String> = [
            "core.hooksPath=/dev/null",
            "core.fsmonitor=false",
            "core.askPass=",
            "core.autocrlf=false",
            "commit.gpgSign=false",
            "push.gpgSign=false",
            "gc.auto=0",
            "maintenance.auto=false",
            "fetch.recurseSubmodules=false",
            "push.recurseSubmodules=no",
            "http.followRedirects=false",
            "http.lowSpeedLimit=100",
            "http.lowSpeedTime=60",
            "credential.helper=",
            "protocol.allow=never",
        ]
        .map(str::to_owned)
        .to_vec();
        settings.push(format!("protocol.{}.allow=always", self.remote.protocol().as_str()));
        if let Some(door) = door {
            let helper = quoted(&self.credential_helper.to_string_lossy());
            let address = quoted(&door.address().to_string_lossy());
            settings.push(format!("credential.helper=!{helper} git-credential {address}"));
        }
        settings
    }

    fn ssh(&self) -> String {
        let mut ssh = "ssh -F /dev/null -o BatchMode=yes -o IdentityAgent=none -o IdentitiesOnly=yes \
                       -o StrictHostKeyChecking=yes -o GlobalKnownHostsFile=/dev/null -o ConnectTimeout=30 \
                       -o ServerAliveInterval=15"
            .to_owned();
        if let Auth::Key { key_file, known_hosts_file } = &self.auth {
            let (key, hosts) = (key_file.to_string_lossy(), known_hosts_file.to_string_lossy());
            ssh.push_str(&format!(" -i {} -o UserKnownHostsFile={}", quoted(&key), quoted(&hosts)));
        }
        ssh
    }
}

/// As one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

enum Finished {
    Output(Output),
    TooSlow,
    Stopped,
}

/// Waits for the end of a child, feeding and emptying its pipes meanwhile.
fn wait(mut child: Child, input: Vec<u8>, limit: Duration, stop: &AtomicBool) -> io::Result<Finished> {
    let stdin = child.stdin.take();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    // A child that ends without reading all says so by its exit code.
    let feeder = thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
    let (sender, receiver) = mpsc::channel();
    let reader = |pipe: Option<Box<dyn Read + Send>>, sender: mpsc::Sender<()>| {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = pipe.map_or(Ok(0), |mut pipe| pipe.read_to_end(&mut bytes));
            drop(sender);
            read.map(|_| bytes)
        })
    };
    let out = reader(stdout.map(|pipe| Box::new(pipe) as Box<dyn Read + Send>), sender.clone());
    let err = reader(stderr.map(|pipe| Box::new(pipe) as Box<dyn Read + Send>), sender);
    let started = Instant::now();
    let ended_early = loop {
        match receiver.recv_timeout(TICK) {
            Err(RecvTimeoutError::Disconnected) | Ok(()) => break None,
            Err(RecvTimeoutError::Timeout) if stop.load(Ordering::Relaxed) => break Some(Finished::Stopped),
            Err(RecvTimeoutError::Timeout) if started.elapsed() > limit => break Some(Finished::TooSlow),
            Err(RecvTimeoutError::Timeout) => {}
        }
    };
    if ended_early.is_some()
        && let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw)
    {
        // It may have ended by itself in this moment.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let status = child.wait()?;
    let _ = feeder.join();
    let read = |reader: thread::JoinHandle<io::Result<Vec<u8>>>| {
        reader.join().unwrap_or_else(|_| Err(io::Error::other("a reading thread ended early")))
    };
    let (stdout, stderr) = (read(out)?, read(err)?);
    Ok(ended_early.unwrap_or_else(|| {
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        Finished::Output(Output { success: status.success(), stdout, stderr })
    }))
}

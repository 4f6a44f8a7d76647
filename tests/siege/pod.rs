//! A process that is started again whatever ended it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::network::Network;

/// A stopping process has so long, as a pod's grace period.
const GRACE: Duration = Duration::from_secs(60);

pub(crate) struct Pod {
    pub(crate) number: usize,
    pub(crate) folder: PathBuf,
    child: Option<Child>,
    /// Its process is stopped by a signal.
    pub(crate) is_paused: bool,
}

impl Pod {
    pub(crate) fn new(number: usize, folder: PathBuf) -> Self {
        std::fs::create_dir_all(&folder).unwrap();
        Self { number, folder, child: None, is_paused: false }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.child.is_some()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.join("skillspan.yaml")
    }

    /// Whether it ended by itself, and how; a pod must not.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut().and_then(|child| child.try_wait().unwrap())
    }

    pub(crate) fn start(&mut self, network: &Network, store: &str) {
        assert!(self.child.is_none(), "{} runs", self.folder.display());
        let log = File::options().create(true).append(true).open(self.folder.join("log")).unwrap();
        let mut command = program(network, self.number, &self.folder, store);
        command.args(["run", "--config"]).arg(self.config());
        command.stdout(log.try_clone().unwrap()).stderr(log).stdin(Stdio::null());
        self.child = Some(command.spawn().unwrap());
    }

    pub(crate) fn signal(&mut self, name: &str) {
        let pid = self.child.as_ref().expect("it runs").id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended already.
            let _ = child.kill();
            child.wait().unwrap();
        }
        self.is_paused = false;
    }

    /// Ends as Kubernetes ends a pod: by a signal, and by force if it does not end. How it ended, if not well.
    pub(crate) async fn terminate(&mut self) -> Option<String> {
        self.child.as_ref()?;
        self.signal("-TERM");
        let began = Instant::now();
        while began.elapsed() < GRACE {
            if let Some(status) = self.ended() {
                self.child = None;
                return (!status.success()).then(|| status.to_string());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.kill();
        Some(format!("it still ran after {GRACE:?}"))
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The program that is besieged: the one of this build, or of `SKILLSPAN_PROGRAM`.
pub(crate) fn program_path() -> String {
    std::env::var("SKILLSPAN_PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_skillspan").to_owned())
}

/// skillspan as a pod runs it, without arguments.
pub(crate) fn program(network: &Network, number: usize, folder: &Path, store: &str) -> Command {
    let mut command = network.command(number, &program_path());
    command
        .env("HOME", folder)
        .env("XDG_DATA_HOME", folder.join("data"))
        .env("AWS_ENDPOINT_URL", store)
        .env("AWS_ALLOW_HTTP", "true")
        .env("AWS_REGION", "local")
        .env("AWS_ACCESS_KEY_ID", "key")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("HOSTNAME", format!("pod-{number}"));
    command
}

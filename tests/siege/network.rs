//! Where pods run: all on this machine's loopback, or each in a network namespace of its own.

use std::cell::Cell;
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};

/// How many pods there can be.
pub(crate) const PODS: usize = 6;

/// What every pod reaches at its own loopback: the same address for all, as a team's store and remote have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Services {
    pub(crate) store: u16,
    pub(crate) remote: u16,
}

#[derive(Debug)]
pub(crate) struct Network {
    namespaces: bool,
    faketime: Option<OsString>,
    /// Another version of the program, which every other start runs.
    other_version: Option<String>,
    starts: Cell<usize>,
    /// The processes that carry what pods send to the services.
    carriers: Vec<Child>,
}

impl Network {
    pub(crate) fn of_this_machine() -> Self {
        Self {
            namespaces: false,
            faketime: None,
            other_version: None,
            starts: Cell::default(),
            carriers: Vec::new(),
        }
    }

    pub(crate) fn of_namespaces(faketime: Option<OsString>, other_version: Option<String>) -> Self {
        for pod in 0..PODS {
            let (name, host) = (namespace(pod), format!("sieged{pod}"));
            let _ = Command::new("ip").args(["netns", "del", &name]).stderr(Stdio::null()).status();
            let address = |end: u8| format!("10.77.{pod}.{end}/30");
            for words in [
                vec!["netns", "add", &name],
                vec!["link", "add", &host, "type", "veth", "peer", "name", "eth0", "netns", &name],
                vec!["addr", "add", &address(1), "dev", &host],
                vec!["link", "set", &host, "up"],
                vec!["-n", &name, "addr", "add", &address(2), "dev", "eth0"],
                vec!["-n", &name, "link", "set", "eth0", "up"],
                vec!["-n", &name, "link", "set", "lo", "up"],
            ] {
                ip(&words);
            }
        }
        Self { namespaces: true, faketime, other_version, starts: Cell::default(), carriers: Vec::new() }
    }

    /// Lets every pod reach the services, which listen on this machine's loopback.
    pub(crate) fn carry(&mut self, services: Services) {
        if !self.namespaces {
            return;
        }
        for pod in 0..PODS {
            for port in [services.store, services.remote] {
                let here = format!("TCP-LISTEN:{port},bind=10.77.{pod}.1,fork,reuseaddr");
                let there = format!("TCP:127.0.0.1:{port}");
                self.carriers.push(Command::new("socat").args([here, there]).spawn().expect("socat"));
                let inside = format!("TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr");
                let outside = format!("TCP:10.77.{pod}.1:{port},connect-timeout=5");
                let arguments = ["netns", "exec", &namespace(pod), "socat", &inside, &outside];
                let silent = Command::new("ip").args(arguments).stderr(Stdio::null()).spawn();
                self.carriers.push(silent.expect("ip"));
            }
        }
    }

    /// Where a pod's door is, as clients reach it.
    pub(crate) fn door(&self, pod: usize, port: u16) -> SocketAddr {
        let ip = match self.namespaces {
            true => Ipv4Addr::new(10, 77, u8::try_from(pod).unwrap(), 2),
            false => Ipv4Addr::LOCALHOST,
        };
        SocketAddr::new(IpAddr::V4(ip), port)
    }

    /// The program as the pod runs it: of either version, with a clock that is minutes away from the others'.
    pub(crate) fn command(&self, pod: usize, program: &str) -> Command {
        self.starts.set(self.starts.get() + 1);
        let other = self.other_version.as_deref().filter(|_| self.starts.get().is_multiple_of(2));
        let program = other.unwrap_or(program);
        let mut command = match self.namespaces {
            true => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", &namespace(pod), program]);
                command
            }
            false => Command::new(program),
        };
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        if let Some(library) = &self.faketime {
            let apart = ["-300s", "+0s", "+420s", "+240s", "+0s", "-240s"][pod];
            command.env("LD_PRELOAD", library).env("FAKETIME", apart);
        }
        command
    }

    /// From now on nobody runs the other version.
    pub(crate) fn end_the_upgrade(&mut self) {
        self.other_version = None;
    }

    pub(crate) fn can_cut_off(&self) -> bool {
        self.namespaces
    }

    /// Nothing comes to the pod and nothing leaves it, and nobody is told.
    pub(crate) fn cut_off(&self, pod: usize) {
        ip(&["link", "set", &format!("sieged{pod}"), "down"]);
    }

    pub(crate) fn join(&self, pod: usize) {
        if self.namespaces {
            ip(&["link", "set", &format!("sieged{pod}"), "up"]);
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for carrier in &mut self.carriers {
            let _ = carrier.kill();
            let _ = carrier.wait();
        }
        if self.namespaces {
            for pod in 0..PODS {
                let _ = Command::new("ip").args(["netns", "del", &namespace(pod)]).status();
            }
        }
    }
}

fn namespace(pod: usize) -> String {
    format!("siege{pod}")
}

fn ip(words: &[&str]) {
    let done = Command::new("ip").args(words).output().expect("a siege in namespaces needs ip");
    assert!(done.status.success(), "ip {}: {}", words.join(" "), String::from_utf8_lossy(&done.stderr));
}

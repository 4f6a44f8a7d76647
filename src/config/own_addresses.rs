//! The addresses that this process listens on: each once, and no backend at one of them, in whatever way it is written.
//!
//! This asks no name server. A body that comes back through a name that only a name server knows is refused when it
//! arrives ([`crate::forward::hops`]).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use reqwest::Url;

use super::resolver::{ResolveError, Resolver};
use super::settings::{ConsoleSettings, ReceiverSettings};

impl Resolver<'_> {
    /// Nobody can listen twice at one address.
    pub(super) fn check_that_addresses_differ(
        &self,
        receivers: &[ReceiverSettings],
        health: Option<SocketAddr>,
        console: Option<&ConsoleSettings>,
    ) -> Result<(), ResolveError> {
        let listeners = receivers.iter().flat_map(|receiver| &receiver.listeners);
        let doors = listeners.map(|listener| (listener.path.as_str(), listener.address));
        let health = health.map(|address| ("extensions.health.endpoint", address));
        // Where nobody chose the console's port, the process starts without the console.
        let console = console.filter(|console| console.is_chosen);
        let console = console.map(|console| ("extensions.console.endpoint", console.address));
        let mut seen: Vec<(&str, SocketAddr)> = Vec::new();
        for (path, address) in doors.chain(health).chain(console) {
            if let Some((other, _)) = seen.iter().find(|(_, other)| are_one(*other, address)) {
                let both = if path.starts_with("receivers") && other.starts_with("receivers") {
                    "; one port takes both gRPC and HTTP, so one protocol is enough"
                } else {
                    ""
                };
                let message = format!("{address} is that of {other}: a port is listened on once{both}");
                return Err(self.invalid(&parts(path), &message));
            }
            seen.push((path, address));
        }
        Ok(())
    }
}

/// The keys of a path; the id of a component may have a dot.
fn parts(path: &str) -> Vec<&str> {
    let id = path.strip_prefix("receivers.").and_then(|rest| rest.split_once(".protocols."));
    match id {
        Some((id, rest)) => ["receivers", id, "protocols"].into_iter().chain(rest.split('.')).collect(),
        None => path.split('.').collect(),
    }
}

/// Whether only one of two can listen.
fn are_one(one: SocketAddr, other: SocketAddr) -> bool {
    let (ip, with) = (one.ip().to_canonical(), other.ip().to_canonical());
    let has_both = |all: IpAddr, other: IpAddr| all.is_unspecified() && (all.is_ipv6() || other.is_ipv4());
    one.port() == other.port() && one.port() != 0 && (ip == with || has_both(ip, with) || has_both(with, ip))
}

/// Whether what is sent to `endpoint` comes to a listener at `listener`, their ports being the same.
pub(super) fn is_reached(endpoint: &Url, listener: IpAddr) -> bool {
    let listener = listener.to_canonical();
    let host = endpoint.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let Ok(address) = host.parse::<IpAddr>() else {
        // Which of the machine's addresses its name stands for is not known here.
        return match is_of_loopback(&host) {
            true => listener.is_loopback() || listener.is_unspecified(),
            false => is_of_this_machine(&host),
        };
    };
    let address = match address.to_canonical() {
        // Systems connect such addresses to their own loopback.
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        address => address,
    };
    // A listener at [::] has what is sent to addresses of the fourth version as well.
    let has_all = listener.is_unspecified() && (listener.is_ipv6() || address.is_ipv4());
    address == listener || has_all && is_own(address)
}

fn is_of_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "ip6-localhost" | "ip6-loopback" | "localhost.localdomain")
        || host.ends_with(".localhost")
}

/// Whether it is the machine's name, with its domain or without.
fn is_of_this_machine(host: &str) -> bool {
    let name = rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase();
    let short = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let is_one_short = !host.contains('.') || !name.contains('.');
    !name.is_empty() && (host == name || is_one_short && short(host) == short(&name) && host == short(host))
}

/// Whether the machine has the address: only its own can be bound.
fn is_own(address: IpAddr) -> bool {
    address.is_loopback() || UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_an_own_address() {
        let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let reached = |endpoint: &str, listener: &str| {
            let url = Url::parse(&format!("http://{endpoint}:4318")).unwrap();
            is_reached(&url, listener.parse().unwrap())
        };
        for (endpoint, listener) in [
            ("127.0.0.1", "127.0.0.1"),
            ("0.0.0.0", "127.0.0.1"),
            ("0", "127.0.0.1"),
            ("127.1", "127.0.0.1"),
            ("2130706433", "127.0.0.1"),
            ("[::ffff:127.0.0.1]", "127.0.0.1"),
            ("localhost", "127.0.0.1"),
            ("LOCALHOST.", "127.0.0.1"),
            ("skillspan.localhost", "::1"),
            ("ip6-localhost", "::1"),
            ("[::]", "::1"),
            ("[::1]", "::1"),
            ("0.0.0.0", "0.0.0.0"),
            ("127.0.0.9", "0.0.0.0"),
            ("127.0.0.1", "::"),
            ("[::]", "::"),
            ("localhost", "0.0.0.0"),
            ("10.1.2.3", "10.1.2.3"),
            (&machine, "0.0.0.0"),
            (&machine, "10.1.2.3"),
        ] {
            assert!(reached(endpoint, listener), "{endpoint} and {listener}");
        }
        for (endpoint, listener) in [
            ("192.0.2.7", "0.0.0.0"),
            ("192.0.2.7", "::"),
            ("127.0.0.2", "127.0.0.1"),
            ("backend.example.com", "0.0.0.0"),
            ("localhost", "10.1.2.3"),
            ("[::1]", "0.0.0.0"),
        ] {
            assert!(!reached(endpoint, listener), "{endpoint} and {listener}");
        }
    }

    #[test]
    fn two_that_cannot_listen_both() {
        let are_one = |one: &str, other: &str| are_one(one.parse().unwrap(), other.parse().unwrap());
        for (one, other) in [
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("0.0.0.0:1", "127.0.0.1:1"),
            ("127.0.0.1:1", "[::]:1"),
            ("[::1]:1", "[::]:1"),
        ] {
            assert!(are_one(one, other) && are_one(other, one), "{one} and {other}");
        }
        for (one, other) in [
            ("127.0.0.1:1", "127.0.0.1:2"),
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("127.0.0.1:1", "127.0.0.2:1"),
            ("0.0.0.0:1", "[::1]:1"),
        ] {
            assert!(!are_one(one, other) && !are_one(other, one), "{one} and {other}");
        }
    }

    #[test]
    fn an_address_of_this_machine_is_known() {
        // Which address this machine would send from, without sending anything.
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        if socket.connect("192.0.2.1:9").is_ok() {
            assert!(is_own(socket.local_addr().unwrap().ip()));
        }
        assert!(!is_own("192.0.2.1".parse().unwrap()));
    }
}

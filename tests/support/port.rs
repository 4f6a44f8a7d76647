//! Ports that are nobody else's for as long as a test wants them.
//!
//! A port that was free a moment ago may be given to any connection and any other listener of this machine
//! before it is used. One that is bound, and not listened on, is given to nobody; but whoever asks for it by
//! its number may listen on it, again and again, and while nobody does, connections to it are refused.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use tokio::net::TcpSocket;

/// A port of the loopback, kept until this is dropped.
#[derive(Debug)]
pub struct Port {
    socket: TcpSocket,
}

impl Port {
    pub fn keep() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        Self { socket }
    }

    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    pub fn number(&self) -> u16 {
        self.address().port()
    }

    /// From now on somebody listens there.
    pub fn listen(&self) -> TcpListener {
        TcpListener::bind(self.address()).unwrap()
    }
}

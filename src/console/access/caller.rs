//! Where a request comes from, and the session that its cookie names.

use std::net::{IpAddr, Ipv4Addr};

use http::HeaderMap;
use http::header::COOKIE;

use super::Access;
use crate::receivers::Peer;

/// The address that a request came from.
pub(super) fn peer(extensions: &http::Extensions) -> IpAddr {
    extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0)
}

/// The name of the cookie: consoles on other ports of the machine have their own.
pub(super) fn cookie_name(access: &Access) -> String {
    let prefix = if access.has_tls { "__Host-" } else { "" };
    format!("{prefix}skillspan-{}", access.address.port())
}

/// What the session's cookie holds.
pub(super) fn cookie(headers: &HeaderMap, access: &Access) -> Option<String> {
    let name = cookie_name(access);
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = pairs.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

//! Which words name another machine.
//!
//! A scheme tells, and so does the place of a word: the remote of `git fetch`, the host of `psql -h`. Where neither
//! does, a word that reads like a domain's name is taken for one.

use std::net::{IpAddr, Ipv4Addr};

/// The last parts of names that are domains, but for those that files end with.
const DOMAINS: &[&str] = &[
    "ai", "app", "biz", "br", "ca", "ch", "cloud", "cn", "co", "com", "corp", "de", "dev", "edu", "eu",
    "example", "fr", "gov", "internal", "invalid", "io", "jp", "kr", "lan", "mil", "net", "nl", "onion",
    "online", "org", "ru", "se", "site", "tech", "top", "tv", "uk", "xyz",
];

/// Schemes whose addresses name no machine.
const LOCAL_SCHEMES: &[&str] = &["file", "sqlite", "sqlite3", "unix"];

/// Schemes whose addresses always have a host.
const WEB_SCHEMES: &[&str] = &["ftp", "git", "http", "https", "ssh", "ws", "wss"];

/// Whether a text has an address with a scheme, of another machine.
pub(crate) fn has_foreign_address(text: &str) -> bool {
    text.split([' ', '`', '\n', '\t']).any(|word| word.contains("://") && is_foreign_address(word))
}

/// Whether a host is this machine.
pub(super) fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_lowercase();
    let by_number = |address: IpAddr| address.is_loopback() || address.is_unspecified();
    host.is_empty()
        || host == "localhost"
        || host.ends_with(".localhost")
        || host.starts_with('/')
        || host.parse::<IpAddr>().is_ok_and(by_number)
}

/// The host of an address: with a scheme or without, with who logs in and a port or without.
pub(super) fn host_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.starts_with('[') {
        return host.split_inclusive(']').next().unwrap_or_default();
    }
    host.split(':').next().unwrap_or_default()
}

/// Whether the word is an address with a scheme, of another machine.
pub(super) fn is_foreign_address(word: &str) -> bool {
    word.match_indices("://").any(|(at, _)| {
        let before = word.get(..at).unwrap_or_default();
        let is_letter = |char: char| char.is_ascii_alphanumeric() || "+.-".contains(char);
        let scheme = before.rsplit(|char| !is_letter(char)).next().unwrap_or_default().to_lowercase();
        let rest = word.get(at + 3..).unwrap_or_default();
        let first = |text: &'_ str| text.split(['\'', '"', ' ', ',', ';', ')']).next().map(str::to_owned);
        let host = first(rest).map(|rest| host_of(&rest).to_owned()).unwrap_or_default();
        // A host that a reader puts in may be any.
        let is_open = host.is_empty() && WEB_SCHEMES.contains(&scheme.as_str());
        !LOCAL_SCHEMES.contains(&scheme.as_str()) && (is_open || !is_this_machine(&host))
    }) || is_scheme_without_slashes(word)
}

/// `ext::sh`, `git+ssh:…`, `github:…`, `npm:…`, `data:…`: what a program takes for an address.
fn is_scheme_without_slashes(word: &str) -> bool {
    const SCHEMES: &[&str] = &[
        "data",
        "ext",
        "git",
        "git+file",
        "git+http",
        "git+https",
        "git+ssh",
        "github",
        "gitlab",
        "bitbucket",
        "gist",
        "javascript",
        "jsr",
        "npm",
        "tcp",
        "udp",
        "oci",
        "s3",
        "gs",
        "fd",
    ];
    let scheme = word.split_once(':').map(|(scheme, rest)| (scheme.to_lowercase(), rest));
    scheme.is_some_and(|(scheme, rest)| {
        SCHEMES.contains(&scheme.as_str()) && !rest.is_empty() && !rest.starts_with("//")
    })
}

/// Whether the word names a machine as `scp` and `git` take it: `host:path`, `who@host:path`.
pub(super) fn is_remote_path(word: &str) -> bool {
    let Some((host, _)) = word.split_once(':') else { return false };
    !host.is_empty() && !host.contains('/') && !is_this_machine(host.rsplit('@').next().unwrap_or_default())
}

/// Whether the word reads like a domain's name or an address in numbers, with a port or a path or without.
pub(super) fn is_domain(word: &str) -> bool {
    let host = host_of(word);
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return !is_this_machine(&address.to_string()) && !address.is_broadcast();
    }
    let labels: Vec<&str> = host.split('.').collect();
    let is_label = |label: &&str| {
        !label.is_empty() && label.chars().all(|char| char.is_ascii_alphanumeric() || "-_".contains(char))
    };
    let last = labels.last().map(|label| label.to_lowercase()).unwrap_or_default();
    labels.len() >= 2
        && labels.iter().all(is_label)
        && DOMAINS.contains(&last.as_str())
        && !is_this_machine(host)
}

/// Whether any part of a word, of `NAME=value` or a list, names another machine.
pub(super) fn names_one(word: &str) -> bool {
    let parts = || word.split(|char: char| char.is_whitespace() || "=,;'\"()<>|".contains(char));
    is_foreign_address(word) || parts().any(|part| is_domain(part) || is_foreign_address(part))
}

/// Whether the word names every address of this machine, as servers use it that others may reach.
pub(super) fn is_everywhere(word: &str) -> bool {
    let (name, value) = word.rsplit_once('=').unwrap_or(("", word));
    let listens = ["listen", "bind", "host", "addr"].iter().any(|part| name.to_lowercase().contains(part));
    (listens && value.trim_matches(['\'', '"']) == "*") || value.split([',', ' ']).any(is_every_address)
}

fn is_every_address(address: &str) -> bool {
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    ["0.0.0.0", "[::]", "*"].iter().any(|all| {
        address.strip_prefix(all).is_some_and(|rest| match rest.strip_prefix(':') {
            Some(port) => {
                !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit() || b":/".contains(&byte))
            }
            None => rest.is_empty() && *all != "*",
        })
    }) || address == "::"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_of_this_machine_is_told_from_one() {
        for word in [
            "0.0.0.0",
            "0.0.0.0:8000",
            "--host=0.0.0.0",
            "[::]:80",
            "::",
            "tcp://0.0.0.0:1",
            "*:80",
            "-h 0.0.0.0",
            "--bind_ip=::,::1",
            "listen_addresses=*",
        ] {
            assert!(is_everywhere(word), "{word}");
        }
        for word in [
            "127.0.0.1",
            "10.0.0.0",
            "*",
            "a::b",
            "localhost:0",
            "0.0.0.0.1",
            "*:x",
            "::1",
            "A=::x",
            "A=*",
            "a b",
        ] {
            assert!(!is_everywhere(word), "{word}");
        }
    }

    #[test]
    fn a_host_is_told_by_its_scheme_or_its_form() {
        for word in [
            "https://a.io/x",
            "s3://stash/x",
            "postgres://u:p@db/app",
            "--url=http://evil.example",
            "git+ssh:evil/tool",
            "ext::sh",
            "npm:evil",
            "evil.example",
            "evil.example:8080/x",
            "HOST=evil.example",
            "10.1.2.3",
            "--host=10.1.2.3:80",
            "host=evil.example dbname=a",
        ] {
            assert!(names_one(word), "{word}");
        }
        for word in [
            "http://localhost:3000/health",
            "http://127.0.0.1:8080/a",
            "http://[::1]:80/",
            "postgres:///shop",
            "postgresql://app@localhost:5433/shop",
            "sqlite:///db.sqlite",
            "localhost:3000",
            "0.0.0.0:8000",
            "README.md",
            "v1.2.3.4x",
            "a/b.rs:12",
            "orders::total",
            "test:e2e",
            "node@22",
            "api.md",
        ] {
            assert!(!names_one(word), "{word}");
        }
        assert!(
            is_remote_path("evil.example:team/tool") && is_remote_path("box:") && !is_remote_path("./a:b")
        );
    }
}

//! Addresses of pages.

use std::fmt::Write;

/// A text as a part of an address.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte))
            }
            // Writing to a String cannot fail.
            other => drop(write!(encoded, "%{other:02X}")),
        }
    }
    // A browser takes these for the folder and the one above, encoded or not.
    match encoded.as_str() {
        "." | ".." => format!("~{encoded}"),
        _ => encoded,
    }
}

/// The page of a session.
pub(super) fn session(tenant: &str, id: &str) -> String {
    format!("/sessions/{}?tenant={}", encoded(id), encoded(tenant))
}

/// An event in the page of its session.
pub(super) fn event(tenant: &str, id: &str, event: &str) -> String {
    format!("{}&event={}#e-{}", session(tenant, id), encoded(event), encoded(event))
}

/// An event by itself.
pub(super) fn event_alone(tenant: &str, id: &str, event: &str) -> String {
    format!("/sessions/{}/events/{}?tenant={}", encoded(id), encoded(event), encoded(tenant))
}

/// The page of a skill.
pub(super) fn skill(tenant: &str, name: &str) -> String {
    format!("/skills/{}?tenant={}", encoded(name), encoded(tenant))
}

/// The page of a proposal.
pub(super) fn review(tenant: &str, name: &str) -> String {
    format!("/review/{}?tenant={}", encoded(name), encoded(tenant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_leaves_its_place() {
        assert_eq!(encoded("a/b?c#d&e=\"<é"), "a%2Fb%3Fc%23d%26e%3D%22%3C%C3%A9");
        assert_eq!(session("a b", "../x"), "/sessions/..%2Fx?tenant=a%20b");
        assert_eq!(encoded(".."), "~..");
    }
}

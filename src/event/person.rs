//! Who a person is, by what clients, settings and people themselves write.
//!
//! [`named`] makes one text of the ways to write one name, and none of a name that names nobody; it is what
//! the column `user_id` holds. [`joined`] is what people are counted by. The two differ so that what is
//! stored can be found and erased by the name that was given, and so that what older versions stored is
//! counted by the rules of this one.
//!
//! | written | stored | counted as |
//! |---|---|---|
//! | `Ana@Example.com`, ` mailto:ana@example.com `, `Ana <ana@example.com>` | `ana@example.com` | the same |
//! | `ana+claude@example.com` | as it stands | `ana@example.com`: who tags his address by assistant is one person |
//! | `Ada` | `ada` | the same; logins do not tell cases apart |
//! | `unknown`, `anonymous`, `null`, `-`, … | nothing | nobody |
//! | an id that Claude Code, Gemini CLI or Cline made up for an installation | nothing; as an attribute | nobody, also where an older version stored it |
//!
//! Two people who share a mailbox by tags (`team+ana@…`, `team+bob@…`) count as one: to take two for one
//! holds a skill back, to take one for two would publish one person's habit as a team's.

/// What clients write where they know nobody.
const NOBODY: &[&str] = &[
    "-",
    "<redacted>",
    "[redacted]",
    "anon",
    "anonymous",
    "n/a",
    "nil",
    "nobody",
    "none",
    "null",
    "redacted",
    "undefined",
    "unknown",
    "unknown user",
    "unknown-user",
    "unknown_user",
];

/// What tells one person from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Told {
    /// An e-mail address.
    Email,
    /// A login, or what settings say: `connect --user`, `enduser.id`.
    Name,
    /// An account's id, which says nothing to people.
    Account,
}

/// The person that a text names, in one way of writing; `None` if it names nobody.
pub fn named(text: &str) -> Option<String> {
    let mut text = bare(text);
    while let Some(inner) = within(text) {
        text = bare(inner);
    }
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let is_zero = name.bytes().all(|byte| matches!(byte, b'0' | b'-'));
    (!is_zero && !NOBODY.contains(&name.as_str())).then_some(name)
}

fn bare(text: &str) -> &str {
    text.trim_matches(|char: char| char.is_whitespace() || char.is_control())
}

/// What stands in `Name <address>` or behind `mailto:`.
fn within(text: &str) -> Option<&str> {
    if let Some((_, address)) = text.rsplit_once('<').filter(|(_, address)| address.contains('@')) {
        return Some(address.trim_end_matches('>'));
    }
    let (scheme, address) = text.split_at_checked("mailto:".len())?;
    scheme.eq_ignore_ascii_case("mailto:").then_some(address)
}

/// Whether a person, as somebody writes them, is the one that is stored as `id`; `assistant` is the column of
/// that name.
pub fn is_same(written: &str, id: &str, assistant: &str) -> bool {
    let person = joined(written, assistant);
    written == id || (!person.is_empty() && person == joined(id, assistant))
}

/// What the person of a session is counted by: `""` for nobody. `id` is what is stored, `assistant` the
/// column of that name.
pub fn joined(id: &str, assistant: &str) -> String {
    let makes_ids_up = match assistant {
        "claude-code" | "cline" => is_hash(id) || (assistant == "cline" && is_uuid(id)),
        "gemini-cli" => is_uuid(id) || is_hash(id),
        _ => false,
    };
    let name = if makes_ids_up { None } else { named(id) };
    let name = name.unwrap_or_default();
    match name.split_once('@') {
        Some((local, domain)) => {
            let mailbox = local.split('+').next().filter(|mailbox| !mailbox.is_empty()).unwrap_or(local);
            format!("{mailbox}@{domain}")
        }
        None => name,
    }
}

/// How people are told apart whose key, made by [`joined`], is this.
pub fn told_by(key: &str) -> Told {
    match key {
        key if key.contains('@') => Told::Email,
        key if is_made(key) => Told::Account,
        _ => Told::Name,
    }
}

/// Whether a program made the text: a UUID, a hash.
pub fn is_made(id: &str) -> bool {
    is_uuid(id) || is_hash(id)
}

fn is_hash(id: &str) -> bool {
    id.len() >= 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_uuid(id: &str) -> bool {
    uuid::Uuid::try_parse(id).is_ok() && id.len() == 36
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_person_is_one_however_written() {
        for written in [
            "ana@example.com",
            "Ana@Example.COM",
            " mailto:ana@example.com\n",
            "MAILTO:Ana@example.com",
            "Ana Lima <ana@example.com>",
            "<ana@example.com>",
        ] {
            assert_eq!(named(written).as_deref(), Some("ana@example.com"), "{written}");
        }
        assert_eq!(named("Ana  Lima").as_deref(), Some("ana lima"));
        assert_eq!(named("Ana <x").as_deref(), Some("ana <x"));
    }

    #[test]
    fn nobody_is_nobody() {
        for nobody in
            ["", " ", "unknown", "Anonymous", "NULL", "-", "00000000-0000-0000-0000-000000000000", "\0"]
        {
            assert_eq!(named(nobody), None, "{nobody:?}");
        }
    }

    #[test]
    fn tags_of_an_address_are_no_other_person() {
        assert_eq!(joined("ana+claude@example.com", "codex"), "ana@example.com");
        assert_eq!(joined("+x@example.com", ""), "+x@example.com");
        assert_ne!(joined("ana@example.com", ""), joined("ana@example.org", ""));
        assert_eq!(joined("c++", ""), "c++", "no address");
    }

    #[test]
    fn what_a_client_made_up_for_an_installation_is_nobody() {
        let hash = "9ce090f692454945a5f32eb4ada1c7b8f90b85d0f3459d6d8d8e0eecec1ddcf5";
        let uuid = "c4f47ab2-79a4-4a31-b52c-f152f5f60597";
        assert_eq!(joined(hash, "claude-code"), "");
        assert_eq!(joined(uuid, "gemini-cli"), "");
        assert_eq!(joined(uuid, "cline"), "");
        // An account's id, and what an application calls its own people.
        assert_eq!(joined(uuid, "claude-code"), uuid);
        assert_eq!(joined(hash, "my-agent"), hash);
        assert_eq!(joined("ana", "gemini-cli"), "ana");
    }

    #[test]
    fn keys_say_how_people_are_told_apart() {
        assert_eq!(told_by("ana@example.com"), Told::Email);
        assert_eq!(told_by("ana"), Told::Name);
        assert_eq!(told_by("c4f47ab2-79a4-4a31-b52c-f152f5f60597"), Told::Account);
    }

    proptest! {
        #[test]
        fn a_name_is_its_own_name(text in "\\PC{0,40}|[a-z+.]{1,8}@[a-z+.<> ]{1,8}|(?i:mailto:)[a-z@ <>]{0,9}") {
            if let Some(name) = named(&text) {
                prop_assert!(!name.is_empty());
                prop_assert_eq!(named(&name), Some(name.clone()));
                let key = joined(&name, "");
                prop_assert_eq!(joined(&key, ""), key.clone(), "{:?}", key);
            }
        }
    }
}

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
//! | `ana@example.com.`, `"ana"@example.com`, `(work) ana@example.com`, `ana%40example.com` | as it stands | `ana@example.com` |
//! | letters that nobody sees, wide ones, accents in two codings, letters of another script that look the same | as it stands | the plain letters |
//! | `a.na@gmail.com`, `ana@googlemail.com`, `ana@xn--bcher-kva.example` | as it stands | the mailbox that all of them are |
//! | `CORP\\ana` | as it stands | `ana` |
//! | `unknown`, `anonymous`, `null`, `-`, … | nothing | nobody |
//! | an id that Claude Code, Gemini CLI or Cline made up for an installation | nothing; as an attribute | nobody, also where an older version stored it |
//!
//! Two people who share a mailbox by tags (`team+ana@…`, `team+bob@…`) count as one: to take two for one
//! holds a skill back, to take one for two would publish one person's habit as a team's.

use icu_normalizer::ComposingNormalizerBorrowed;

use super::visible::is_hidden;

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
    if text.is_empty() {
        return None;
    }
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
    if makes_ids_up {
        return String::new();
    }
    let mut key = key_of(id);
    // Quotes within quotes and the like: each pass takes one layer off, and few names have more than one.
    for _ in 0..DEEPEST {
        let inner = key_of(&key);
        if inner == key {
            break;
        }
        key = inner;
    }
    key
}

/// Ways to write a name stand within each other at most so deep.
const DEEPEST: usize = 64;

fn key_of(id: &str) -> String {
    let name = named(&plain(id)).unwrap_or_default();
    match name.rsplit_once('@') {
        Some((local, domain)) => mailbox(local, domain),
        None => {
            let login = name.rsplit('\\').next().filter(|login| !login.is_empty()).unwrap_or(&name);
            // `CORP\unknown` is nobody either.
            named(login).unwrap_or_default()
        }
    }
}

/// The name in letters as they are usually written: without those that nobody sees, in one coding, and with the
/// Latin one for each letter of another script that looks like it, where there are Latin ones beside it.
fn plain(id: &str) -> String {
    if id.is_ascii() && !id.contains('%') {
        return id.to_owned();
    }
    let seen: String = id.chars().filter(|char| !is_hidden(*char) || char.is_whitespace()).collect();
    let composed = ComposingNormalizerBorrowed::new_nfkc().normalize(&seen).to_lowercase();
    let (name, domain) = composed.rfind('@').map_or((composed.as_str(), ""), |at| composed.split_at(at));
    let is_latin = name.bytes().any(|byte| byte.is_ascii_alphabetic());
    let looks_like = |char: char| LOOK_LIKE.iter().find(|(other, _)| is_latin && *other == char);
    let latin: String = name.chars().map(|char| looks_like(char).map_or(char, |(_, latin)| *latin)).collect();
    let latin = latin + domain;
    latin.replace('ß', "ss").replace("%40", "@")
}

/// Small letters that look like Latin ones.
#[rustfmt::skip] // Pairs, many a line.
const LOOK_LIKE: &[(char, char)] = &[
    ('а', 'a'), ('е', 'e'), ('о', 'o'), ('р', 'p'), ('с', 'c'), ('х', 'x'), ('у', 'y'), ('і', 'i'), ('ј', 'j'), ('ѕ', 's'),
    ('ԁ', 'd'), ('һ', 'h'), ('ӏ', 'l'), ('ԛ', 'q'), ('ԝ', 'w'), ('ѵ', 'v'), ('к', 'k'), ('ο', 'o'), ('α', 'a'), ('ν', 'v'),
    ('ρ', 'p'), ('ι', 'i'), ('κ', 'k'), ('υ', 'u'), ('χ', 'x'), ('γ', 'y'), ('ε', 'e'), ('ı', 'i'), ('ɑ', 'a'), ('ɡ', 'g'),
    ('օ', 'o'), ('ո', 'n'), ('հ', 'h'), ('ս', 'u'),
];

/// The mailbox that an address leads to, as far as its writing tells.
fn mailbox(local: &str, domain: &str) -> String {
    let domain = domain.trim_matches(['.', ' ', '"', ')']);
    // What stands in brackets before the address is a remark.
    let local = local.rsplit_once(')').map_or(local, |(_, address)| address);
    let local = local.trim_matches([' ', '"', '\'']);
    let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_owned());
    let tagless = local.split('+').next().filter(|mailbox| !mailbox.is_empty()).unwrap_or(local);
    match domain.as_str() {
        "gmail.com" | "googlemail.com" => format!("{}@gmail.com", tagless.replace('.', "")),
        _ => format!("{tagless}@{domain}"),
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
    fn who_writes_his_name_in_another_way_is_no_second_person() {
        for (first, second) in [
            ("A.B@x.example", "a.b@x.example"),
            ("ana@x.example", "ana@x.example."),
            ("ana@x.example", "\u{430}na@x.example"),
            ("ana@x.example", "an\u{200b}a@x.example"),
            ("ana@x.example", "\u{ff41}na@x.example"),
            ("ana@x.example", "\"ana\"@x.example"),
            ("ana@x.example", "ana%40x.example"),
            ("ana@x.example", "(work) ana@x.example"),
            ("ana@x.example", "ana@x.example\u{a0}"),
            ("e\u{301}va@x.example", "\u{e9}va@x.example"),
            ("stra\u{df}e@x.example", "STRASSE@x.example"),
            ("ana@b\u{fc}cher.example", "ana@xn--bcher-kva.example"),
            ("ana@googlemail.com", "a.n.a+ci@gmail.com"),
            ("CORP\\ana", "ana"),
            ("an\u{ad}a", "Ana"),
        ] {
            assert_eq!(joined(first, ""), joined(second, ""), "{first:?} {second:?}");
            assert!(!joined(first, "").is_empty(), "{first:?}");
        }
        for (first, second) in [
            ("ana@x.example", "anna@x.example"),
            ("a.na@x.example", "ana@x.example"),
            ("ана", "ahа@"),
            ("сара", "capa"),
            ("ana", "bob"),
        ] {
            assert_ne!(joined(first, ""), joined(second, ""), "{first:?} {second:?}");
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
        assert_eq!(joined("CORP\\unknown", ""), "");
        assert_eq!(joined("\\0", ""), "");
    }

    #[test]
    fn keys_say_how_people_are_told_apart() {
        assert_eq!(told_by("ana@example.com"), Told::Email);
        assert_eq!(told_by("ana"), Told::Name);
        assert_eq!(told_by("c4f47ab2-79a4-4a31-b52c-f152f5f60597"), Told::Account);
    }

    proptest! {
        #[test]
        fn a_name_is_its_own_name(text in "\\PC{0,40}|[aа\u{e9}%4 0()\"\\\\.@+]{0,12}|[a-z+.]{1,8}@[a-z+.<> ]{1,8}|(?i:mailto:)[a-z@ <>]{0,9}") {
            if let Some(name) = named(&text) {
                prop_assert!(!name.is_empty());
                prop_assert_eq!(named(&name), Some(name.clone()));
                let key = joined(&name, "");
                prop_assert_eq!(joined(&key, ""), key.clone(), "{:?}", key);
            }
        }
    }
}

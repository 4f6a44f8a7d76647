//! Where the table's files lie and what identifies each.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::event::Owner;

/// The folder of this format's files, below the table's root.
pub(super) const DATA_FOLDER: &str = "v1";

/// The longest folder value written out in full. File names end at 255 bytes on common disks, and
/// the column's name stands before the value.
const MAX_VALUE_BYTES: usize = 180;

/// What one file of the table was made from: a part of one planned batch of one journal.
///
/// It decides the file's name and is in its footer, so a repeated plan finds the very file it wrote before, and only
/// that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileIdentity {
    /// Whose events the file holds.
    pub owner: Owner,
    /// The UTC date of the events' ingestion, as `2026-11-22`.
    pub ingest_date: String,
    /// The journal that the events came through.
    pub journal_id: String,
    /// The plan that the file belongs to; random, so that no two plans are mistaken for each other.
    pub batch_id: String,
    /// The first record of the plan's journal range.
    pub first: u64,
    /// The last record of the plan's journal range, inclusive.
    pub last: u64,
    /// Which of the plan's files this is.
    pub part: u32,
}

impl FileIdentity {
    /// The file's path below the table's root, `/` between folders.
    pub fn path(&self) -> String {
        format!(
            "{}/{INGEST_DATE}={}/{}-{}-{}-{}.parquet",
            owner_folder(&self.owner),
            encode(&self.ingest_date),
            encode(&self.journal_id),
            self.first,
            self.last,
            self.part,
        )
    }
}

// Never a column's name: readers let a folder's value override the column of the same name.
const OWNER_TENANT: &str = "owner_tenant";
const OWNER_WORKSPACE: &str = "owner_workspace";
const INGEST_DATE: &str = "ingest_date";

/// The folder of all of an owner's files.
pub(super) fn owner_folder(owner: &Owner) -> String {
    let Owner { tenant, workspace } = owner;
    format!("{DATA_FOLDER}/{OWNER_TENANT}={}/{OWNER_WORKSPACE}={}", encode(tenant), encode(workspace))
}

/// Whether a file of that owner may lie there; a disk may ignore case.
pub(super) fn may_lie_at(owner: &Owner, path: &str) -> bool {
    let folder = owner_folder(owner);
    path.get(..folder.len()).is_some_and(|start| start.eq_ignore_ascii_case(&folder))
        && path.get(folder.len()..).is_some_and(|rest| rest.starts_with('/'))
}

/// The folder of a tenant that a file's path leads through.
pub(super) fn tenant_folder_of(path: &str) -> Option<&str> {
    path.split('/').find(|folder| folder.strip_prefix(OWNER_TENANT).is_some_and(|rest| rest.starts_with('=')))
}

/// The ingest date that a file's path names.
pub(super) fn ingest_date_of(path: &str) -> Option<&str> {
    path.split('/').find_map(|folder| folder.strip_prefix(INGEST_DATE)?.strip_prefix('='))
}

/// The last record of `journal_id` that the name of the file at `path` tells of, if it is one of its.
pub(super) fn last_record_of(path: &str, journal_id: &str) -> Option<u64> {
    let (_, name) = path.rsplit_once('/')?;
    let rest = name.strip_suffix(".parquet")?.strip_prefix(&encode(journal_id))?.strip_prefix('-')?;
    let (_first, rest) = rest.split_once('-')?;
    let (last, _part) = rest.split_once('-')?;
    last.parse().ok()
}

/// Percent-encodes everything but `A-Z a-z 0-9 _ - .`, and the dots of `.` and `..`.
///
/// What would be longer than a file name may be is cut and ends in `!` and a hash of the whole
/// value. No encoding contains a `!` otherwise, so two values never share a folder.
pub(super) fn encode(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'.' if matches!(value, "." | "..") => encoded.push_str("%2E"),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' => encoded.push(char::from(byte)),
            other => push_hex(&mut encoded, "%", other),
        }
    }
    if encoded.len() <= MAX_VALUE_BYTES {
        return encoded;
    }
    // An escape sequence that the cut would split is left out whole.
    let escape = encoded.get(..MAX_VALUE_BYTES).and_then(|kept| kept.rfind('%'));
    encoded.truncate(escape.filter(|start| start + 3 > MAX_VALUE_BYTES).unwrap_or(MAX_VALUE_BYTES));
    encoded.push('!');
    for byte in Sha256::digest(value.as_bytes()).iter().take(16) {
        push_hex(&mut encoded, "", *byte);
    }
    encoded
}

fn push_hex(text: &mut String, prefix: &str, byte: u8) {
    // Writing to a String cannot fail.
    let _ = write!(text, "{prefix}{byte:02X}");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_values_stay_readable_and_all_others_are_escaped() {
        for (value, expected) in [
            ("acme-1_x.y", "acme-1_x.y"),
            ("", ""),
            (".", "%2E"),
            ("..", "%2E%2E"),
            ("...", "..."),
            ("../x", "..%2Fx"),
            ("%2e", "%252e"),
            ("a=b c!~#", "a%3Db%20c%21%7E%23"),
            ("é\0", "%C3%A9%00"),
        ] {
            assert_eq!(encode(value), expected, "{value:?}");
        }
    }

    #[test]
    fn long_values_are_cut_between_escapes_and_kept_apart_by_their_hash() {
        let umlauts = "ü".repeat(300);
        let [one, other] = [format!("{umlauts}a"), format!("{umlauts}b")].map(|value| encode(&value));
        assert_ne!(one, other);
        let (kept, hash) = one.split_once('!').unwrap();
        assert_eq!(kept, "%C3%BC".repeat(30));
        assert_eq!(hash.len(), 32);
        let shifted = encode(&format!("a{umlauts}"));
        assert_eq!(shifted.split_once('!').unwrap().0, format!("a{}%C3", "%C3%BC".repeat(29)));
    }

    proptest! {
        #[test]
        fn every_value_is_one_folder_name_and_no_two_share_it(
            one in any::<String>(), other in any::<String>(),
        ) {
            let encoded = encode(&one);
            prop_assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.%!".contains(&b)));
            prop_assert!(encoded != "." && encoded != ".." && encoded.len() < 230);
            prop_assert_eq!(encoded == encode(&other), one == other);
        }
    }
}

//! What a file's footer says about the file: its identity, its rows, its checksum.
//!
//! The checksum covers every byte before the Parquet metadata, as the metadata that carries it
//! cannot cover itself.

use std::collections::BTreeMap;
use std::fmt;

use parquet::file::metadata::{FileMetaData, KeyValue};

use super::FileIdentity;
use crate::event::Owner;

/// The footer's key-values, all of them required.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) identity: FileIdentity,
    pub(super) rows: u64,
    pub(super) content: ContentChecksum,
}

/// Length and CRC32C of the bytes before the Parquet metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ContentChecksum {
    pub(super) length: u64,
    pub(super) crc32c: u32,
}

impl ContentChecksum {
    pub(super) fn of(content: &[u8]) -> Self {
        Self { length: content.len() as u64, crc32c: crc32c::crc32c(content) }
    }

    /// Whether `file` begins with the content that was summed up.
    pub(super) fn holds_for(self, file: &[u8]) -> bool {
        let content = usize::try_from(self.length).ok().and_then(|length| file.get(..length));
        content.is_some_and(|content| Self::of(content) == self)
    }
}

const OWNER_TENANT: &str = "skillspan.owner_tenant";
const OWNER_WORKSPACE: &str = "skillspan.owner_workspace";
const INGEST_DATE: &str = "skillspan.ingest_date";
const JOURNAL_ID: &str = "skillspan.journal_id";
const BATCH_ID: &str = "skillspan.batch_id";
const FIRST: &str = "skillspan.first";
const LAST: &str = "skillspan.last";
const PART: &str = "skillspan.part";
const ROWS: &str = "skillspan.rows";
const CONTENT_LENGTH: &str = "skillspan.content_length";
const CONTENT_CRC32C: &str = "skillspan.content_crc32c";

impl Footer {
    pub(super) fn to_key_values(&self) -> Vec<KeyValue> {
        let FileIdentity { owner, ingest_date, journal_id, batch_id, first, last, part } = &self.identity;
        [
            (OWNER_TENANT, owner.tenant.clone()),
            (OWNER_WORKSPACE, owner.workspace.clone()),
            (INGEST_DATE, ingest_date.clone()),
            (JOURNAL_ID, journal_id.clone()),
            (BATCH_ID, batch_id.clone()),
            (FIRST, first.to_string()),
            (LAST, last.to_string()),
            (PART, part.to_string()),
            (ROWS, self.rows.to_string()),
            (CONTENT_LENGTH, self.content.length.to_string()),
            (CONTENT_CRC32C, self.content.crc32c.to_string()),
        ]
        .map(|(key, value)| KeyValue::new(key.to_owned(), value))
        .into()
    }

    /// Reads what [`Footer::to_key_values`] wrote; `None` for a file that skillspan did not write.
    pub(super) fn of(metadata: &FileMetaData) -> Option<Self> {
        let pairs = metadata.key_value_metadata()?;
        let values: BTreeMap<&str, &str> =
            pairs.iter().filter_map(|pair| Some((pair.key.as_str(), pair.value.as_deref()?))).collect();
        let text = |key| values.get(key).map(|value| (*value).to_owned());
        let number = |key| values.get(key)?.parse::<u64>().ok();
        Some(Self {
            identity: FileIdentity {
                owner: Owner { tenant: text(OWNER_TENANT)?, workspace: text(OWNER_WORKSPACE)? },
                ingest_date: text(INGEST_DATE)?,
                journal_id: text(JOURNAL_ID)?,
                batch_id: text(BATCH_ID)?,
                first: number(FIRST)?,
                last: number(LAST)?,
                part: u32::try_from(number(PART)?).ok()?,
            },
            rows: number(ROWS)?,
            content: ContentChecksum {
                length: number(CONTENT_LENGTH)?,
                crc32c: u32::try_from(number(CONTENT_CRC32C)?).ok()?,
            },
        })
    }
}

impl fmt::Display for FileIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, ingest_date, journal_id, batch_id, first, last, part } = self;
        write!(
            f,
            "part {part} of batch {batch_id} of journal {journal_id}, records {first} to {last}, \
             of {}/{}, {ingest_date}",
            owner.tenant, owner.workspace,
        )
    }
}

//! Segments as Arrow rows, for engines that do the heavy half of mining on many machines.
//!
//! | column | type | what it is |
//! |---|---|---|
//! | `tenant`, `session_id`, `workspace`, `project`, `user_id`, `assistant` | utf8 | of the session, as resolved; `''` if unknown |
//! | `segment` | utf8 | 16 hex digits, the same whenever the same prompt is read |
//! | `started_at` | timestamp (µs, UTC) | when its prompt was given |
//! | `turns` | int64 | prompts that belong to it |
//! | `outcome` | utf8 | what became of its last turn: `accepted`, `rejected`, `unknown` |
//! | `loaded_a_skill` | bool | then it shows what the skill says, not what people do |
//! | `words` | list of utf8 | the telling words of its prompts |
//! | `actions` | list of utf8 | canonical tokens of what was done, in order: `run make db-up`, `edit CHANGELOG.md` |
//! | `failures` | list of utf8 | the error signatures, in order |
//! | `commands` | list of utf8 | the commands that a skill may speak of, in order |
//! | `digest_version` | int64 | [`super::super::DIGEST_VERSION`] |
//!
//! No value is ever null.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};

use super::super::session::outcome::Outcome;
use super::{Digest, SegmentDigest, VERSION};

/// One column: its name, its type, its values.
type Column = (&'static str, DataType, ArrayRef);

/// The columns of [`segments_as_rows`].
pub fn segments_schema() -> SchemaRef {
    let fields = columns(&[]).into_iter().map(|(name, data_type, _)| Field::new(name, data_type, false));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The segments of the sessions, a row each, in their order.
pub fn segments_as_rows(digests: &[Digest]) -> Result<RecordBatch, ArrowError> {
    let mut segments: Vec<(&Digest, &SegmentDigest)> = Vec::new();
    for digest in digests {
        segments.extend(digest.segments.iter().map(|segment| (digest, segment)));
    }
    let arrays = columns(&segments).into_iter().map(|(_, _, array)| array).collect();
    RecordBatch::try_new(segments_schema(), arrays)
}

fn columns(segments: &[(&Digest, &SegmentDigest)]) -> Vec<Column> {
    let text = |name, value: fn(&Digest) -> &str| -> Column {
        let values = segments.iter().map(|(digest, _)| value(digest));
        (name, DataType::Utf8, Arc::new(StringArray::from_iter_values(values)))
    };
    let list = |name, values: fn(&SegmentDigest) -> Vec<String>| lists(name, segments, values);
    let of_segment = || segments.iter().map(|(_, segment)| *segment);
    let ids = of_segment().map(|segment| segment.id.as_str());
    let times = of_segment().map(|segment| segment.started_at.as_micros());
    let times = TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC");
    let turns = of_segment().map(|segment| i64::try_from(segment.turns.len()).unwrap_or(i64::MAX));
    let outcomes = of_segment()
        .map(|segment| segment.turns.last().map_or(Outcome::Unknown, |turn| turn.outcome).as_str());
    let loaded: Vec<bool> = of_segment().map(|segment| segment.loaded_a_skill).collect();
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    vec![
        text("tenant", |digest| &digest.tenant),
        text("session_id", |digest| &digest.session),
        text("workspace", |digest| &digest.workspace),
        text("project", |digest| &digest.project),
        text("user_id", |digest| &digest.person),
        text("assistant", |digest| &digest.assistant),
        ("segment", DataType::Utf8, Arc::new(StringArray::from_iter_values(ids))),
        ("started_at", utc, Arc::new(times)),
        ("turns", DataType::Int64, Arc::new(Int64Array::from_iter_values(turns))),
        ("outcome", DataType::Utf8, Arc::new(StringArray::from_iter_values(outcomes))),
        ("loaded_a_skill", DataType::Boolean, Arc::new(BooleanArray::from(loaded))),
        list("words", |segment| segment.words().map(str::to_owned).collect()),
        list("actions", |segment| segment.actions().filter_map(|(_, action)| action.token()).collect()),
        list("failures", |segment| {
            segment.actions().filter_map(|(_, action)| action.signature.clone()).collect()
        }),
        list("commands", |segment| segment.commands().collect()),
        (
            "digest_version",
            DataType::Int64,
            Arc::new(Int64Array::from_iter_values(segments.iter().map(|_| i64::from(VERSION)))),
        ),
    ]
}

fn lists(
    name: &'static str,
    segments: &[(&Digest, &SegmentDigest)],
    values: fn(&SegmentDigest) -> Vec<String>,
) -> Column {
    let item = Arc::new(Field::new("item", DataType::Utf8, false));
    let mut builder = ListBuilder::new(StringBuilder::new()).with_field(Arc::clone(&item));
    for (_, segment) in segments {
        values(segment).iter().for_each(|value| builder.values().append_value(value));
        builder.append(true);
    }
    (name, DataType::List(item), Arc::new(builder.finish()))
}

//! Statements, and values in them.
//!
//! The service speaks PostgreSQL with `standard_conforming_strings` on: in `'…'` only the quote is doubled, a
//! backslash is a backslash. A PostgreSQL text cannot hold NUL, nor its JSON `\u0000`: `␀` (U+2400) stands for it.
//! Rust's strings hold no lone surrogates; one that a client wrote as an escape within a JSON text is six plain
//! characters here and stays so.

use std::fmt::Write as _;

use super::rows::Row;
use super::storable::NUL;

/// A table as the reference creates it.
pub(super) struct Schema {
    /// (name, type) of each column.
    pub(super) columns: &'static [(&'static str, &'static str)],
    /// The columns of its index.
    pub(super) index: &'static [&'static str],
}

const TEXT: &str = "TEXT NOT NULL DEFAULT ''";
const LIST: &str = "TEXT NOT NULL DEFAULT '[]'";

/// One row per message of a session.
pub(super) const SESSIONS: Schema = Schema {
    columns: &[
        ("id", TEXT),
        ("path", TEXT),
        ("filename", TEXT),
        ("message", "JSONB"),
        ("message_embedding", "FLOAT4[]"),
        ("author", TEXT),
        ("mime_type", "TEXT NOT NULL DEFAULT 'application/json'"),
        ("size_bytes", "BIGINT NOT NULL DEFAULT 0"),
        ("project", TEXT),
        ("description", TEXT),
        ("agent", TEXT),
        ("plugin_version", TEXT),
        ("creation_date", TEXT),
        ("last_update_date", TEXT),
    ],
    index: &["path", "creation_date"],
};

/// One row per version of a skill.
pub(super) const SKILLS: Schema = Schema {
    columns: &[
        ("id", TEXT),
        ("name", TEXT),
        ("project", TEXT),
        ("project_key", TEXT),
        ("local_path", TEXT),
        ("install", "TEXT NOT NULL DEFAULT 'project'"),
        ("source_sessions", LIST),
        ("source_agent", TEXT),
        ("scope", "TEXT NOT NULL DEFAULT 'me'"),
        ("author", TEXT),
        ("contributors", LIST),
        ("description", TEXT),
        ("trigger_text", TEXT),
        ("body", TEXT),
        ("version", "BIGINT NOT NULL DEFAULT 1"),
        ("created_at", TEXT),
        ("updated_at", TEXT),
    ],
    index: &["project_key", "name"],
};

/// One row per change of a library's memory; our own table.
pub(super) const LIBRARY: Schema = Schema {
    columns: &[("id", TEXT), ("step", "BIGINT NOT NULL DEFAULT 0"), ("content", TEXT), ("created_at", TEXT)],
    index: &["step"],
};

/// Appends a text as a literal.
pub(super) fn push_literal(sql: &mut String, text: &str) {
    sql.push('\'');
    for char in text.chars() {
        match char {
            '\'' => sql.push_str("''"),
            '\0' => sql.push_str(NUL),
            other => sql.push(other),
        }
    }
    sql.push('\'');
}

/// A text as a literal.
pub(super) fn literal(text: &str) -> String {
    let mut sql = String::with_capacity(text.len() + 2);
    push_literal(&mut sql, text);
    sql
}

/// Literals with commas between them.
pub(super) fn literals<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    texts.into_iter().map(literal).collect::<Vec<_>>().join(", ")
}

/// The columns that a table has; none if there is no such table.
pub(super) fn columns_of(table: &str, workspace: &str) -> String {
    format!(
        "SELECT column_name FROM information_schema.columns WHERE table_name = {} AND table_schema = {}",
        literal(table),
        literal(workspace)
    )
}

pub(super) fn create_table(table: &str, schema: &Schema) -> String {
    let columns: Vec<String> = schema.columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
    format!("CREATE TABLE IF NOT EXISTS \"{table}\" ({}) USING deeplake", columns.join(", "))
}

pub(super) fn create_index(table: &str, schema: &Schema) -> String {
    let columns: Vec<String> = schema.index.iter().map(|name| format!("\"{name}\"")).collect();
    format!(
        "CREATE INDEX IF NOT EXISTS \"idx_{table}_{}\" ON \"{table}\" ({})",
        schema.index.join("_"),
        columns.join(", ")
    )
}

pub(super) fn add_column(table: &str, name: &str, kind: &str) -> String {
    format!("ALTER TABLE \"{table}\" ADD COLUMN {name} {kind}")
}

/// The columns of a session's row that are written; the others have their defaults.
const WRITTEN: &str = "id, path, filename, message, author, size_bytes, project, description, agent, \
                       plugin_version, creation_date, last_update_date";

/// Appends rows whose ids are not there yet. No two of them may share an id.
pub(super) fn insert_sessions(table: &str, rows: &[Row]) -> String {
    let mut sql = String::with_capacity(256 + rows.iter().map(Row::size).sum::<usize>());
    let _ = write!(sql, "INSERT INTO \"{table}\" ({WRITTEN}) SELECT ");
    for (index, column) in WRITTEN.split(", ").enumerate() {
        let _ = write!(sql, "{}v.{column}", if index == 0 { "" } else { ", " });
    }
    sql.push_str(" FROM (VALUES ");
    for (index, row) in rows.iter().enumerate() {
        sql.push_str(if index == 0 { "(" } else { ", (" });
        for text in [&row.id, &row.path, row.filename()] {
            push_literal(&mut sql, text);
            sql.push_str(", ");
        }
        push_literal(&mut sql, &row.message);
        let _ = write!(sql, "::jsonb, {}, {}::bigint, ", literal(&row.author), row.message.len());
        let (project, agent, time) = (&row.project, &row.agent, &row.time);
        sql.push_str(&literals([project, row.description, agent, &row.version, time, time]));
        sql.push(')');
    }
    let _ =
        write!(sql, ") AS v({WRITTEN}) WHERE NOT EXISTS (SELECT 1 FROM \"{table}\" AS t WHERE t.id = v.id)");
    sql
}

/// Which of some ids are there.
pub(super) fn present<'i>(table: &str, ids: impl IntoIterator<Item = &'i str>) -> String {
    format!("SELECT id FROM \"{table}\" WHERE id IN ({})", literals(ids))
}

/// Appends one row of texts and numbers unless its id is there.
pub(super) fn insert_one(table: &str, values: &[(&str, Value<'_>)], id: &str) -> String {
    let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
    let rendered: Vec<String> = values
        .iter()
        .map(|(_, value)| match value {
            Value::Text(text) => literal(text),
            Value::Number(number) => number.to_string(),
        })
        .collect();
    format!(
        "INSERT INTO \"{table}\" ({}) SELECT {} WHERE NOT EXISTS (SELECT 1 FROM \"{table}\" WHERE id = {})",
        names.join(", "),
        rendered.join(", "),
        literal(id)
    )
}

/// See [`insert_one`].
pub(super) enum Value<'a> {
    Text(&'a str),
    Number(u64),
}

/// The condition for our own rows of some sessions.
fn of_sessions<'i>(ids: impl IntoIterator<Item = &'i str>) -> String {
    format!("plugin_version LIKE 'skillspan %' AND message->>'session_id' IN ({})", literals(ids))
}

/// Removes our rows of some sessions.
pub(super) fn delete_sessions<'i>(table: &str, ids: impl IntoIterator<Item = &'i str>) -> String {
    format!("DELETE FROM \"{table}\" WHERE {}", of_sessions(ids))
}

/// Whether there are rows of ours of some sessions.
pub(super) fn any_of_sessions<'i>(table: &str, ids: impl IntoIterator<Item = &'i str>) -> String {
    format!("SELECT id FROM \"{table}\" WHERE {} LIMIT 1", of_sessions(ids))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What PostgreSQL makes of a literal with `standard_conforming_strings` on.
    fn parsed(sql: &str) -> String {
        let inner = sql.strip_prefix('\'').and_then(|sql| sql.strip_suffix('\'')).unwrap();
        assert!(!inner.replace("''", "").contains('\''), "a quote stands alone in {sql}");
        inner.replace("''", "'")
    }

    #[test]
    fn backslashes_quotes_and_line_breaks_are_kept_and_nul_is_shown() {
        for text in ["", "'", "''", r"\", r"a\'b", r"\\d+\u0041", "line\nbreak\r\t", "🦀 \u{fffd}", r"\ud800"]
        {
            assert_eq!(parsed(&literal(text)), text, "{text:?}");
        }
        assert_eq!(parsed(&literal("a\0b")), "a␀b");
    }

    proptest! {
        #[test]
        fn every_text_without_nul_comes_back(text in any::<String>()) {
            prop_assert_eq!(parsed(&literal(&text)), text.replace('\0', NUL));
        }
    }
}

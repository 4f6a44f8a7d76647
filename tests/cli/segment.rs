//! `skillspan segment --arrow-stdio`: a filter that Spark and others pipe rows through.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, LargeStringArray};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{DataType, Field, Schema};
use skillspan::event::{Kind, Owner, SessionEvent, Status, Timestamp};
use skillspan::table::{FileIdentity, Table};

/// Two sessions, the rows of the second between those of the first.
fn observations() -> Vec<SessionEvent> {
    let event = |session: &str, second: i64, kind| SessionEvent {
        event_id: format!("{session}-{second}"),
        session_id: session.into(),
        kind,
        timestamp: Timestamp::from_micros(1_795_000_000_000_000 + second * 1_000_000),
        ingested_at: Timestamp::from_micros(1_795_000_100_000_000),
        tenant: "acme".into(),
        user_id: "ada".into(),
        assistant: "claude-code".into(),
        ..SessionEvent::default()
    };
    let call = |session: &str, second: i64, line: &str, status| {
        let id = format!("call-{second}");
        let input = serde_json::json!({ "command": line }).to_string();
        [
            SessionEvent {
                tool: "Bash".into(),
                input,
                tool_call_id: id.clone(),
                ..event(session, second, Kind::ToolCall)
            },
            SessionEvent {
                status,
                output: "sh: psql: command not found".into(),
                tool_call_id: id,
                ..event(session, second + 1, Kind::ToolResult)
            },
        ]
    };
    let prompt =
        |session: &str, text: &str| SessionEvent { text: text.into(), ..event(session, 0, Kind::Prompt) };
    let mut events = vec![prompt("one", "Run the integration tests"), prompt("two", "Release it")];
    events.extend(call("one", 1, "make db-up", Status::Ok));
    events.extend(call("two", 1, "git tag v1.2.0 && git push --tags", Status::Ok));
    events.extend(call("one", 3, "make itest | tee log", Status::Error));
    events
}

/// The rows as a collector stores them.
async fn rows() -> RecordBatch {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open(folder.path()).unwrap();
    let identity = FileIdentity {
        owner: Owner::default(),
        ingest_date: "2026-11-22".into(),
        journal_id: "journal".into(),
        batch_id: "batch".into(),
        first: 1,
        last: 1,
        part: 0,
    };
    let _ = table.write(&identity, observations()).await.unwrap();
    let path = table.paths(&skillspan::table::Filter::default()).await.unwrap().remove(0);
    let file = std::fs::File::open(folder.path().join(path)).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    reader.build().unwrap().next().unwrap().unwrap()
}

fn stream(batches: &[RecordBatch]) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batches[0].schema()).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

fn segment(input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_skillspan"))
        .args(["segment", "--arrow-stdio"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that gives up early does not read all.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn segments(output: &Output) -> RecordBatch {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let reader = StreamReader::try_new(output.stdout.as_slice(), None).unwrap();
    let schema = reader.schema();
    arrow_select::concat::concat_batches(&schema, &reader.map(Result::unwrap).collect::<Vec<_>>()).unwrap()
}

fn texts(rows: &RecordBatch, column: &str) -> Vec<String> {
    let column = rows.column_by_name(column).unwrap();
    column.as_string::<i32>().iter().map(|text| text.unwrap().to_owned()).collect()
}

fn lists(rows: &RecordBatch, column: &str) -> Vec<Vec<String>> {
    let column = rows.column_by_name(column).unwrap().as_list::<i32>().clone();
    let list = |list: ArrayRef| list.as_string::<i32>().iter().map(|text| text.unwrap().to_owned()).collect();
    column.iter().map(|values| list(values.unwrap())).collect()
}

fn error(input: &[u8]) -> String {
    let output = segment(input);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty(), "what is refused gives no output");
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn rows_of_the_table_become_segments() {
    let rows = rows().await;
    let found = segments(&segment(&stream(std::slice::from_ref(&rows))));
    assert_eq!(texts(&found, "session_id"), ["one", "two"]);
    assert_eq!(texts(&found, "user_id"), ["ada", "ada"]);
    assert_eq!(texts(&found, "workspace"), ["default", "default"]);
    assert_eq!(texts(&found, "outcome"), ["rejected", "accepted"]);
    let ones = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    assert_eq!(lists(&found, "words"), [ones(&["run", "integration", "tests"]), ones(&["release"])]);
    assert_eq!(
        lists(&found, "commands"),
        [ones(&["make db-up", "make itest"]), ones(&["git tag v1.2.0", "git push --tags"])]
    );
    assert_eq!(lists(&found, "failures"), [ones(&["command not found"]), Vec::new()]);
    assert_eq!(
        found.schema().field_with_name("started_at").unwrap().data_type().to_string(),
        "Timestamp(µs, \"UTC\")"
    );
    assert!((0..found.num_columns()).all(|column| found.column(column).null_count() == 0));
    // Row by row, in any order, with columns that others added and in types that others use.
    let wide = |batch: &RecordBatch| {
        let mut fields: Vec<Field> = Vec::new();
        let mut columns = Vec::new();
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let wider: ArrayRef = match column.as_string_opt::<i32>() {
                Some(texts) => Arc::new(LargeStringArray::from_iter(texts)),
                None => Arc::clone(column),
            };
            fields.push(Field::new(field.name(), wider.data_type().clone(), true));
            columns.push(wider);
        }
        fields.push(Field::new("ingest_date", DataType::LargeUtf8, true));
        columns.push(arrow_array::new_null_array(&DataType::LargeUtf8, batch.num_rows()));
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    };
    let single: Vec<RecordBatch> = (0..rows.num_rows()).rev().map(|row| wide(&rows.slice(row, 1))).collect();
    assert_eq!(segments(&segment(&stream(&single))), found);
    // No rows, no segments, the same columns.
    let none = segments(&segment(&stream(&[rows.slice(0, 0)])));
    assert_eq!((none.num_rows(), none.schema()), (0, found.schema()));
}

#[tokio::test]
async fn what_is_no_stream_of_rows_is_refused_and_says_why() {
    let rows = rows().await;
    let whole = stream(&[rows.clone(), rows.clone()]);
    assert!(error(b"").contains("not an Arrow IPC stream"));
    assert!(error(b"event_id,session_id\n1,2\n").contains("not an Arrow IPC stream"));
    assert!(error(&whole[..whole.len() - 8]).contains("cut off"), "without its end mark");
    for part in 1..8 {
        let message = error(&whole[..whole.len() * part / 8]);
        assert!(
            message.contains("cut off") || message.contains("not an Arrow IPC stream"),
            "{part}: {message}"
        );
    }
    let mut twice = whole.clone();
    twice.extend(&whole);
    assert!(error(&twice).contains("end-of-stream mark"));
    let without = rows.project(&(1..rows.num_columns()).collect::<Vec<_>>()).unwrap();
    assert!(error(&stream(&[without])).contains("column event_id should be Utf8 and is missing"));
    let mut columns = rows.columns().to_vec();
    let place = rows.schema().index_of("kind").unwrap();
    columns[place] = Arc::new(arrow_array::StringArray::from(vec!["poem"; rows.num_rows()]));
    let unknown = RecordBatch::try_new(rows.schema(), columns).unwrap();
    assert!(error(&stream(&[unknown])).contains("column kind holds \"poem\""));
    for flipped in (8..whole.len()).step_by(whole.len() / 40) {
        let mut damaged = whole.clone();
        damaged[flipped] ^= 0x40;
        let output = segment(&damaged);
        // Some bits are not covered by anything; none may bring the process down.
        assert!(matches!(output.status.code(), Some(0 | 1)), "{flipped}: {output:?}");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("overflow"));
    }
}

#[test]
fn the_way_must_be_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_skillspan")).arg("segment").output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--arrow-stdio"));
}

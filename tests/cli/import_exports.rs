//! Files of other programs, as they are packed and broken.

use std::fs;
use std::sync::Arc;

use arrow_array::builder::{MapBuilder, StringBuilder, TimestampMillisecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::metadata::ParquetMetaDataReader;
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};

use crate::import::Machine;

/// Traces and observations of the older pair of exports, as Parquet with row groups of ten rows.
fn parquet(names: &[&str], rows: &[Vec<String>], compression: Compression) -> Vec<u8> {
    let texts = |column: usize| {
        let mut texts = StringBuilder::new();
        rows.iter().for_each(|row| texts.append_value(&row[column]));
        Arc::new(texts.finish()) as ArrayRef
    };
    let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
    for (column, name) in names.iter().enumerate() {
        if matches!(*name, "start_time" | "timestamp") {
            let mut times = TimestampMillisecondBuilder::new().with_timezone("UTC");
            rows.iter().for_each(|row| times.append_value(row[column].parse().unwrap()));
            columns.push((name, Arc::new(times.finish())));
        } else if *name == "metadata" {
            let mut maps = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
            for row in rows {
                maps.keys().append_value("part");
                maps.values().append_value(&row[column]);
                maps.append(true).unwrap();
            }
            columns.push((name, Arc::new(maps.finish())));
        } else {
            columns.push((name, texts(column)));
        }
    }
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(10))
        .set_compression(compression)
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn observations() -> Vec<Vec<String>> {
    (0..30)
        .map(|number| {
            let input = json!({ "command": format!("make part-{number}") }).to_string();
            let time = 1_788_343_200_000_i64 + number * 1_000;
            let row = [&format!("c{number}"), "t1", "TOOL", "bash", &time.to_string(), &input, "ok", "x"];
            row.map(str::to_owned).to_vec()
        })
        .collect()
}

const OBSERVATION: [&str; 8] =
    ["id", "trace_id", "type", "name", "start_time", "input", "output", "metadata"];

#[test]
fn the_older_pair_in_parquet_is_one_session_whatever_compresses_it() {
    for compression in [Compression::SNAPPY, Compression::LZ4_RAW, Compression::UNCOMPRESSED] {
        let machine = Machine::new();
        let trace = ["t1", "talk-9", "ben@example.com", "1788343200000"].map(str::to_owned).to_vec();
        let folder = machine.site.path("blobs");
        fs::create_dir_all(folder.join("traces")).unwrap();
        fs::create_dir_all(folder.join("observations")).unwrap();
        let traces = parquet(&["id", "session_id", "user_id", "timestamp"], &[trace], compression);
        fs::write(folder.join("traces/1.parquet"), traces).unwrap();
        fs::write(folder.join("observations/1.parquet"), parquet(&OBSERVATION, &observations(), compression))
            .unwrap();
        let told = machine.import(&["--path", folder.to_str().unwrap()]);
        assert_eq!(
            (&told["rows"], &told["left"], &told["exports"]),
            (&json!(31), &json!([]), &json!(2)),
            "{told}"
        );
        assert_eq!(machine.ids(), ["talk-9"]);
        assert_eq!(machine.facts("talk-9", "tool_call").len(), 30);
        assert_eq!(machine.import(&["--path", folder.to_str().unwrap()])["rows"], 0);
    }
}

#[test]
fn a_damaged_row_group_costs_its_own_rows() {
    let machine = Machine::new();
    let mut bytes = parquet(&OBSERVATION, &observations(), Compression::ZSTD(Default::default()));
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&Bytes::from(bytes.clone())).unwrap();
    let (start, length) = metadata.row_group(1).column(5).byte_range();
    let end = usize::try_from(start + length).unwrap();
    bytes[end - 20..end].fill(0xa5);
    let path = machine.site.path("rows.parquet");
    fs::write(&path, bytes).unwrap();
    let told = machine.import(&["--path", path.to_str().unwrap()]);
    let rows = told["rows"].as_u64().unwrap();
    assert!((10..30).contains(&rows), "{told}");
    let left: Vec<&Value> = told["left"].as_array().unwrap().iter().collect();
    assert!(
        !left.is_empty() && left.iter().all(|left| left["why"].as_str().unwrap().contains("Parquet")),
        "{told}"
    );
    // What is no Parquet at all is named, and nothing breaks.
    fs::write(&path, b"PAR1 and nothing else").unwrap();
    let (code, shown, _) =
        crate::support::outcome(&mut machine.command(&["import", "--yes", "--path", path.to_str().unwrap()]));
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("rows.parquet is left out: it is neither"), "{shown}");
}

#[test]
fn messages_of_the_collector_that_zstd_packed_one_by_one_are_read() {
    let folder = crate::support::fixtures().join("captures/claude-code/s03-dbup-widgets-httpjson");
    let mut bodies: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    bodies.retain(|path| {
        ["-logs.json", "-traces.json"].iter().any(|end| path.to_string_lossy().ends_with(end))
    });
    bodies.sort();
    assert!(bodies.len() > 1, "the capture is there");
    let bodies: Vec<Vec<u8>> = bodies.iter().map(|path| fs::read(path).unwrap()).collect();
    let lines: Vec<u8> = bodies
        .iter()
        .flat_map(|body| format!("{}\n", serde_json::from_slice::<Value>(body).unwrap()).into_bytes())
        .collect();
    let packed = |body: &Vec<u8>| {
        let frame = zstd::encode_all(body.as_slice(), 3).unwrap();
        [u32::try_from(frame.len()).unwrap().to_be_bytes().to_vec(), frame].concat()
    };
    let messages = bodies.iter().flat_map(packed).collect();
    let mut shown = Vec::new();
    for (name, bytes) in [
        ("otlp.json", lines.clone()),
        ("otlp.json.zst", zstd::encode_all(lines.as_slice(), 3).unwrap()),
        ("traces.json", messages),
    ] {
        let machine = Machine::new();
        let path = machine.site.path(name);
        fs::write(&path, bytes).unwrap();
        let told = machine.import(&["--path", path.to_str().unwrap()]);
        assert_eq!((&told["rows"], &told["left"]), (&json!(bodies.len()), &json!([])), "{name}: {told}");
        let ids = machine.ids();
        shown.push((machine.facts(&ids[0], "tool_call").len(), ids));
    }
    assert!(shown[0].0 > 0 && shown.iter().all(|other| *other == shown[0]), "{shown:?}");
}

//! OTLP in protobuf, record by record.

use skillspan::receivers::otlp::Encoding;
use skillspan::receivers::{Refusal, Signal};

use crate::reading::{Seen, read};
use crate::requests::{field, protobuf};

fn spans(body: &[u8]) -> (Vec<Seen>, u64) {
    let (seen, tally) = read(Signal::Traces, Encoding::Protobuf, body).unwrap();
    (seen, tally.rejected)
}

#[test]
fn what_is_not_utf_8_is_mended_in_its_field() {
    let (seen, rejected) = spans(&protobuf(&[b"\x2a\x04cut\xe6"]));
    assert_eq!((seen[0].span.as_ref().unwrap().name.as_str(), rejected), ("cut\u{fffd}", 0));
}

#[test]
fn a_record_that_cannot_be_read_rejects_itself_alone() {
    for bad in [
        // A name that is a number, a name longer than the record, a cut varint, a group, field 0.
        &b"\x28\x07"[..],
        b"\x2a\x7fx",
        b"\x30\xff",
        b"\x0b\x0c",
        b"\x00\x00",
        b"\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    ] {
        let (seen, rejected) = spans(&protobuf(&[b"\x2a\x01a", bad, b"\x2a\x01b"]));
        assert_eq!((seen.len(), rejected), (2, 1), "{}", bad.escape_ascii());
    }
}

#[test]
fn a_resource_that_cannot_be_read_rejects_its_records_alone() {
    let scope = field(2, &[field(2, b""), field(2, b"")].concat());
    let bad = field(1, &[field(1, b"\x08\x07"), scope.clone()].concat());
    let (seen, rejected) = spans(&[bad, field(1, &scope)].concat());
    assert_eq!((seen.len(), rejected), (2, 2));
}

#[test]
fn what_surrounds_records_may_stand_behind_them() {
    let (scope, record, resource) = (field(1, &field(1, b"n")), field(2, b"\x2a\x01s"), field(1, b""));
    let usual = field(1, &[resource.clone(), field(2, &[scope.clone(), record.clone()].concat())].concat());
    let turned = field(1, &[field(2, &[record, scope].concat()), resource].concat());
    assert_eq!(spans(&usual), spans(&turned));
    assert_eq!(spans(&turned).0[0].scope, "n");
}

#[test]
fn fields_of_a_later_version_are_stepped_over() {
    // Fields 2047 of every wire type, at every level.
    let later = b"\xf8\x7f\x01\xf9\x7f........\xfa\x7f\x01x\xfd\x7f....";
    let scope = field(2, &[field(2, &[&later[..], b"\x2a\x01s"].concat()), later.to_vec()].concat());
    let (seen, rejected) = spans(&[&later[..], &field(1, &[&later[..], &scope].concat())].concat());
    assert_eq!((seen[0].span.as_ref().unwrap().name.as_str(), rejected), ("s", 0));
}

#[test]
fn a_body_that_ends_early_rejects_the_request() {
    let whole = protobuf(&[b"\x2a\x01a"]);
    for end in 1..whole.len() {
        let read = read(Signal::Traces, Encoding::Protobuf, &whole[..end]);
        assert!(matches!(read, Err(Refusal::Malformed(_))), "{end}: {read:?}");
    }
}

#[test]
fn another_signals_records_are_refused_by_name() {
    // A log record with a time, sent as a span.
    let log = protobuf(&[b"\x09\x01\x02\x03\x04\x05\x06\x07\x08"]);
    let Err(Refusal::Malformed(message)) = read(Signal::Traces, Encoding::Protobuf, &log) else {
        panic!("a log record is taken for a span");
    };
    assert!(message.ends_with("it belongs to /v1/logs"), "{message}");
    assert_eq!(read(Signal::Logs, Encoding::Protobuf, &log).unwrap().1.records, 1);
}

#[test]
fn beside_what_belongs_there_another_signals_record_rejects_itself_alone() {
    let log = b"\x09\x01\x02\x03\x04\x05\x06\x07\x08".as_slice();
    let span = b"\x2a\x04good".as_slice();
    for records in [[span, log], [log, span]] {
        let (seen, rejected) = spans(&protobuf(&records));
        let names: Vec<&str> =
            seen.iter().filter_map(|seen| seen.span.as_ref()).map(|span| span.name.as_str()).collect();
        assert_eq!((names, rejected), (vec!["good"], 1));
    }
}

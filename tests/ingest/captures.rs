//! What real clients sent, over the transport they used and over all the others, with the same records
//! and the same identities at the other end.

use std::fs;
use std::path::{Path, PathBuf};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use skillspan::receivers::Signal;
use skillspan::receivers::otlp::Encoding;

use crate::harness::{Connection2, Running, framed, gzip, send};
use crate::reading::read;

/// One body in both encodings; one of them is the recorded one.
struct Body {
    file: PathBuf,
    signal: Signal,
    protobuf: Vec<u8>,
    json: Vec<u8>,
}

impl Body {
    fn of(file: PathBuf, signal: Signal) -> Self {
        match signal {
            Signal::Traces => Self::convert::<ExportTraceServiceRequest>(file, signal),
            Signal::Logs => Self::convert::<ExportLogsServiceRequest>(file, signal),
            Signal::Metrics => Self::convert::<ExportMetricsServiceRequest>(file, signal),
        }
    }

    fn convert<M: Message + Default + Serialize + DeserializeOwned>(file: PathBuf, signal: Signal) -> Self {
        let recorded = fs::read(&file).unwrap();
        if file.extension().unwrap() == "json" {
            let message: M = serde_json::from_slice(&recorded).unwrap();
            return Self { file, signal, protobuf: message.encode_to_vec(), json: recorded };
        }
        let message = M::decode(recorded.as_slice()).unwrap();
        Self { file, signal, protobuf: recorded, json: serde_json::to_vec(&message).unwrap() }
    }
}

/// Every body of `tests/fixtures/captures`.
fn bodies() -> Vec<Body> {
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/captures"), &mut found);
    found.sort_by(|one, other| one.file.cmp(&other.file));
    assert!(found.len() >= 40, "found {} bodies", found.len());
    found
}

fn collect(folder: &Path, found: &mut Vec<Body>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let signals = [Signal::Traces, Signal::Logs, Signal::Metrics];
        let signal = signals.into_iter().find(|signal| {
            [".json", ".pb"].iter().any(|end| name.ends_with(&format!("-{}{end}", signal.as_str())))
        });
        found.extend(signal.map(|signal| Body::of(path, signal)));
    }
}

#[test]
fn every_record_is_read_with_the_same_identity_from_both_encodings() {
    let mut records = 0;
    for body in bodies() {
        let (protobuf, tally) = read(body.signal, Encoding::Protobuf, &body.protobuf).unwrap();
        let (json, json_tally) = read(body.signal, Encoding::Json, &body.json).unwrap();
        assert_eq!((tally.rejected, tally.message.as_str()), (0, ""), "{}", body.file.display());
        assert_eq!(tally, json_tally, "{}", body.file.display());
        for (of_protobuf, of_json) in protobuf.iter().zip(&json) {
            assert_eq!(of_protobuf, of_json, "{}", body.file.display());
        }
        records += tally.records;
    }
    assert!(records > 500, "{records}");
}

#[tokio::test]
async fn every_body_is_accepted_over_every_transport() {
    let running = Running::start().await;
    let connections = [Connection2::to(running.grpc).await, Connection2::to(running.http).await];
    for body in bodies() {
        let file = body.file.display();
        let path = format!("/v1/{}", body.signal.as_str());
        for (content_type, bytes, answer) in [
            ("application/x-protobuf", &body.protobuf, &b""[..]),
            ("application/json", &body.json, &b"{}"[..]),
        ] {
            let plain = format!("content-type: {content_type}\r\n");
            send(&running, &path, &plain, bytes).await.is(200, content_type, answer);
            let gzipped = format!("{plain}content-encoding: gzip\r\n");
            send(&running, &path, &gzipped, &gzip(bytes)).await.is(200, content_type, answer);
            let headers = [("content-type", content_type)];
            let over_http_2 = connections[1].post(&path, &headers, bytes.clone()).await;
            assert_eq!((over_http_2.status, over_http_2.body.as_slice()), (200, answer), "{file}");
        }
        let service = match body.signal {
            Signal::Traces => "trace.v1.TraceService",
            Signal::Logs => "logs.v1.LogsService",
            Signal::Metrics => "metrics.v1.MetricsService",
        };
        for (headers, message) in [
            (&[][..], framed(false, &body.protobuf)),
            (&[("grpc-encoding", "gzip")][..], framed(true, &gzip(&body.protobuf))),
        ] {
            let answer = connections[0].call(service, headers, message).await;
            assert_eq!((answer.header("grpc-status"), answer.body.len()), ("0", 5), "{file}");
        }
    }
    running.stop().await;
}

//! What arrives is what was sent.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use prost::Message;

use crate::backend::Backend;
use crate::sent::{JSON, PROTOBUF, forwarding, logs, metrics, pair, post_span, text, traces};

/// A field that no version of OTLP has, in a span and in the request.
fn with_unknown_fields() -> Vec<u8> {
    let mut request = traces("s-1", "unknown-field");
    let span = request.resource_spans[0].scope_spans[0].spans[0].encode_to_vec();
    // Field 77, a text.
    let unknown = [&[0xea, 0x04, 3][..], b"new"].concat();
    let span = [span, unknown.clone()].concat();
    let scope_spans = [&[0x12][..], &length(span.len()), &span].concat();
    let group = [&[0x12][..], &length(scope_spans.len()), &scope_spans].concat();
    request.resource_spans[0].scope_spans.clear();
    [&[0x0a][..], &length(group.len()), &group, &unknown].concat()
}

fn length(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push((number % 128) as u8 | 0x80);
        number /= 128;
    }
    bytes.push(number as u8);
    bytes
}

#[test]
fn bodies_of_every_signal_arrive_byte_for_byte_over_http() {
    let backend = Backend::start();
    let site = forwarding(&[("otlphttp/a", ", headers: { x-key: k-1 }", &backend)]);
    let _running = site.start();
    let sent = [
        ("/v1/traces", PROTOBUF, traces("s-1", "one").encode_to_vec()),
        ("/v1/traces", PROTOBUF, with_unknown_fields()),
        ("/v1/logs", PROTOBUF, logs("acme.unknown", vec![pair("n", text("1"))]).encode_to_vec()),
        ("/v1/metrics", PROTOBUF, metrics("acme.metric", vec![pair("n", text("1"))]).encode_to_vec()),
        ("/v1/traces", JSON, serde_json::to_vec(&traces("s-1", "json")).unwrap()),
        ("/v1/logs", JSON, br#"{ "resourceLogs": [{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"},"newField":{"b":1,"a":2}}]}]}] }"#.to_vec()),
        ("/v1/metrics", JSON, serde_json::to_vec(&metrics("acme.json", vec![])).unwrap()),
    ];
    for (number, (path, content_type, body)) in sent.iter().enumerate() {
        assert_eq!(site.post(path, content_type, body.clone()), 200, "{number}");
        let taken = &backend.wait_for(number + 1)[number];
        assert_eq!((taken.path.as_str(), &taken.body.to_vec()), (*path, body), "{number}");
        assert_eq!(taken.headers["content-type"], *content_type);
        assert_eq!(taken.headers["content-encoding"], "gzip");
        assert_eq!(taken.headers["x-key"], "k-1");
    }
}

#[test]
fn over_grpc_bodies_arrive_byte_for_byte_and_json_field_for_field() {
    let backend = Backend::start();
    let site = forwarding(&[("otlp/a", ", compression: zstd, headers: { x-key: k-1 }", &backend)]);
    let _running = site.start();
    let body = post_span(&site, "s-1", "one");
    let json = traces("s-1", "two");
    assert_eq!(site.post("/v1/traces", JSON, serde_json::to_vec(&json).unwrap()), 200);
    let log = logs("acme.unknown", vec![]);
    assert_eq!(site.post("/v1/logs", JSON, serde_json::to_vec(&log).unwrap()), 200);
    let metric = metrics("acme.metric", vec![]);
    assert_eq!(site.post("/v1/metrics", JSON, serde_json::to_vec(&metric).unwrap()), 200);
    let taken = backend.wait_for(4);
    assert_eq!(taken[0].path, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    assert_eq!(taken[0].body, body);
    assert_eq!(
        (&taken[0].headers["te"], &taken[0].headers["x-key"]),
        (&"trailers".parse().unwrap(), &"k-1".parse().unwrap())
    );
    assert_eq!(ExportTraceServiceRequest::decode(taken[1].body.clone()).unwrap(), json);
    assert_eq!(ExportLogsServiceRequest::decode(taken[2].body.clone()).unwrap(), log);
    assert_eq!(ExportMetricsServiceRequest::decode(taken[3].body.clone()).unwrap(), metric);
}

/// JSON as no strict reader takes it: a half of a surrogate pair, and a name that stands twice.
#[test]
fn json_that_only_our_reader_takes_goes_on_as_protobuf() {
    let backend = Backend::start();
    let site = forwarding(&[("otlphttp/a", "", &backend)]);
    let _running = site.start();
    let group = |members: &str| {
        format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","startTimeUnixNano":"1790000000000000000",{members}}}]}}]}}]}}"#
        )
    };
    for body in [group(r#""name":"half \ud83d""#), group(r#""name":"first","name":"second""#)] {
        assert_eq!(site.post("/v1/traces", JSON, body.into_bytes()), 200);
    }
    let spans = backend.wait_for_spans(2);
    assert!(spans[0].starts_with("half "), "{spans:?}");
    assert!(backend.taken().iter().all(|taken| taken.headers["content-type"] == PROTOBUF));
}

#[test]
fn a_backend_has_the_encoding_that_it_wants() {
    let (proto, json) = (Backend::start(), Backend::start());
    let site = forwarding(&[
        ("otlphttp/proto", ", encoding: proto, compression: none", &proto),
        ("otlphttp/json", ", encoding: json", &json),
    ]);
    let _running = site.start();
    let requests = [traces("s-1", "one"), traces("s-1", "two")];
    assert_eq!(site.post("/v1/traces", PROTOBUF, requests[0].encode_to_vec()), 200);
    assert_eq!(site.post("/v1/traces", JSON, serde_json::to_vec(&requests[1]).unwrap()), 200);
    assert_eq!(proto.wait_for_spans(2), ["one", "two"]);
    for (taken, request) in json.wait_for(2).iter().zip(&requests) {
        assert_eq!(taken.headers["content-type"], JSON);
        assert_eq!(serde_json::from_slice::<ExportTraceServiceRequest>(&taken.body).unwrap(), *request);
    }
    assert!(proto.taken().iter().all(|taken| !taken.headers.contains_key("content-encoding")));
}

/// From a real gRPC client to a real gRPC server.
#[test]
fn tonic_sends_and_tonic_takes() {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
    use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
        TraceService, TraceServiceServer,
    };
    use tokio::sync::mpsc;

    struct Keeping(mpsc::UnboundedSender<(ExportTraceServiceRequest, String)>);

    #[tonic::async_trait]
    impl TraceService for Keeping {
        async fn export(
            &self,
            request: tonic::Request<ExportTraceServiceRequest>,
        ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
            let key = request.metadata().get("x-key").unwrap().to_str().unwrap().to_owned();
            self.0.send((request.into_inner(), key)).unwrap();
            Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
        }
    }

    let backend = Backend::away();
    let site = forwarding(&[("otlp/a", ", headers: { x-key: k-1 }", &backend)]);
    let _running = site.start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let request = traces("s-1", "one");
    let taken = runtime.block_on(async {
        let (sender, mut taken) = mpsc::unbounded_channel();
        let server = TraceServiceServer::new(Keeping(sender))
            .accept_compressed(tonic::codec::CompressionEncoding::Gzip);
        let address = ([127, 0, 0, 1], backend.port()).into();
        tokio::spawn(tonic::transport::Server::builder().add_service(server).serve(address));
        let mut client =
            TraceServiceClient::connect(format!("http://127.0.0.1:{}", site.grpc)).await.unwrap();
        client.export(request.clone()).await.unwrap();
        taken.recv().await.unwrap()
    });
    assert_eq!(taken, (request, "k-1".to_owned()));
}

/// What comes through Langfuse's paths of OpenTelemetry is forwarded where a pipeline names that receiver.
#[test]
fn langfuses_paths_of_opentelemetry_are_forwarded_where_they_are_named() {
    let backend = Backend::start();
    let site = forwarding(&[("otlphttp/a", "", &backend)]);
    site.edit_config(&[("traces: { receivers: [otlp]", "traces: { receivers: [langfuse]")]);
    let _running = site.start();
    let body = traces("s-1", "one").encode_to_vec();
    post_span(&site, "s-1", "not forwarded");
    assert_eq!(site.post("/api/public/otel/v1/traces", PROTOBUF, body.clone()), 200);
    assert_eq!(backend.wait_for(1)[0].body, body);
    assert_eq!(backend.spans(), ["one"]);
}

//! The process's own metrics, sent to an OpenTelemetry collector.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use axum::http::HeaderMap;
use axum::routing::post;
use axum::{Router, body::Bytes};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric};
use prost::Message;

use crate::support::{Port, Site, eventually, outcome, skillspan};

/// What a collector on `listener` is sent: headers and request.
fn collector(listener: TcpListener) -> Receiver<(HeaderMap, ExportMetricsServiceRequest)> {
    let (sender, received) = channel();
    let receive = move |headers: HeaderMap, body: Bytes| {
        let request = ExportMetricsServiceRequest::decode(body).unwrap();
        // The test may be over.
        let _ = sender.send((headers, request));
        async {}
    };
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            listener.set_nonblocking(true).unwrap();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let router = Router::new().route("/v1/metrics", post(receive));
            axum::serve(listener, router).await.unwrap();
        });
    });
    received
}

fn site(otlp: &str) -> Site {
    let site = Site::new("default");
    site.add_to_config(&format!("  telemetry: {{ metrics: {{ otlp: {otlp} }} }}\n"));
    site
}

fn text(value: &Option<AnyValue>) -> String {
    match value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        other => panic!("{other:?}"),
    }
}

fn labels(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    attributes.iter().map(|attribute| (attribute.key.clone(), text(&attribute.value))).collect()
}

fn metrics(request: &ExportMetricsServiceRequest) -> &[Metric] {
    &request.resource_metrics[0].scope_metrics[0].metrics
}

/// A whole number of the metric with these labels.
fn value(request: &ExportMetricsServiceRequest, name: &str, wanted: &[(&str, &str)]) -> Option<i64> {
    let found = metrics(request).iter().find(|metric| metric.name == name)?;
    let points = match found.data.as_ref()? {
        metric::Data::Sum(sum) => &sum.data_points,
        metric::Data::Gauge(gauge) => &gauge.data_points,
        other => panic!("{other:?}"),
    };
    let wanted: BTreeMap<String, String> =
        wanted.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    match points.iter().find(|point| labels(&point.attributes) == wanted)?.value? {
        Number::AsInt(value) => Some(value),
        Number::AsDouble(value) => panic!("{value}"),
    }
}

fn post_a_session(site: &Site) -> u16 {
    let capture = "captures/claude-code/s03-dbup-widgets-httpjson/0002-logs.json";
    let body = std::fs::read(crate::support::fixtures().join(capture)).unwrap();
    site.post("/v1/logs", "application/json", body)
}

#[test]
fn a_collector_is_sent_what_prometheus_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let received = collector(listener);
    let site =
        site(&format!("{{ endpoint: \"http://{address}\", interval: 1s, headers: {{ x-team: shop }} }}"));
    let running = site.start();
    assert_eq!(post_a_session(&site), 200);
    site.run(&["sessions", "list"]);
    let accepted = &[("transport", "http"), ("signal", "logs"), ("outcome", "accepted")];
    let sessions = &[("pipeline", "sessions")];
    // Sent at any moment: between the file and the cursor behind it, or before the answer is counted.
    let all_is_done = |request: &ExportMetricsServiceRequest| {
        value(request, "skillspan_table_files", sessions) > Some(0)
            && value(request, "skillspan_table_lag_records", sessions) == Some(0)
            && value(request, "skillspan_receiver_requests", accepted) == Some(1)
    };
    let (headers, request) = received.iter().find(|(_, request)| all_is_done(request)).unwrap();
    assert_eq!(headers["x-team"], "shop");
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let resource = labels(&request.resource_metrics[0].resource.as_ref().unwrap().attributes);
    assert_eq!(resource["service.name"], "skillspan");
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
    for (name, wanted, expected) in [
        ("skillspan_journal_syncs", &[("pipeline", "sessions")][..], 1),
        ("skillspan_journal_writable", &[("pipeline", "sessions")], 1),
        ("skillspan_table_lag_records", &[("pipeline", "sessions")], 0),
        ("skillspan_events", &[("dialect", "claude-code"), ("kind", "tool_call")], 10),
        (
            "skillspan_receiver_requests",
            &[("transport", "http"), ("signal", "logs"), ("outcome", "accepted")],
            1,
        ),
    ] {
        assert_eq!(value(&request, name, wanted), Some(expected), "{name} in {request:?}");
    }
    let times =
        metrics(&request).iter().find(|found| found.name == "skillspan_journal_sync_duration_seconds");
    let Some(metric::Data::Histogram(times)) = &times.unwrap().data else { panic!("{times:?}") };
    let times = &times.data_points[0];
    assert_eq!((times.count, times.bucket_counts.iter().sum()), (1, 1));
    assert_eq!(times.bucket_counts.len(), times.explicit_bounds.len() + 1);
    assert!(times.explicit_bounds.is_sorted() && times.start_time_unix_nano < times.time_unix_nano);

    // Every metric that Prometheus has a sample of is there, and no other.
    let client = crate::support::client();
    let url = format!("http://127.0.0.1:{}/metrics", site.health);
    let told = client.get(url).send().unwrap().text().unwrap();
    let described = told.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let sampled = |name: &&str| {
        told.lines().any(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{', '_'])))
    };
    let told: Vec<&str> = described.filter(sampled).collect();
    let sent: Vec<&str> = metrics(&request).iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(sent, told);

    while received.try_recv().is_ok() {}
    assert_eq!(running.terminate(), Some(0));
    assert!(received.try_recv().is_ok(), "the last ones are sent at the stop");
}

#[test]
fn a_collector_that_is_away_disturbs_nothing_and_is_found_again() {
    let port = Port::keep();
    let address = port.address();
    let site = site(&format!("{{ endpoint: \"http://{address}\", interval: 1s }}"));
    let running = site.start();
    assert_eq!(post_a_session(&site), 200);
    assert_eq!(site.sessions()[0]["events"]["tool_call"], 5);
    eventually("it is said", || site.run(&["status"]).contains("! own metrics cannot be sent: "));
    let received = collector(port.listen());
    let (_, request) = received.recv().unwrap();
    let labels = [("transport", "http"), ("signal", "logs"), ("outcome", "accepted")];
    assert_eq!(value(&request, "skillspan_receiver_requests", &labels), Some(1), "nothing is missing");
    eventually("all is well", || site.run(&["status"]).ends_with("nothing fails\n"));
    assert_eq!(running.terminate(), Some(0));
    assert_eq!(site.log().matches("own metrics cannot be sent").count(), 1, "{}", site.log());
}

#[test]
fn its_own_metrics_sent_to_itself_are_dropped_and_make_no_more_of_themselves() {
    let site = site("{ endpoint: \"http://127.0.0.1:1\", interval: 1s }");
    site.edit_config(&[("http://127.0.0.1:1\"", &format!("http://127.0.0.1:{}\"", site.http))]);
    let running = site.start();
    let client = crate::support::client();
    let metrics = || {
        let url = format!("http://127.0.0.1:{}/metrics", site.health);
        client.get(url).send().unwrap().text().unwrap()
    };
    let accepted =
        "skillspan_receiver_requests_total{transport=\"http\",signal=\"metrics\",outcome=\"accepted\"} 3";
    eventually("three exports are accepted", || metrics().contains(accepted));
    let told = metrics();
    assert!(told.contains("skillspan_journal_syncs_total{pipeline=\"sessions\"} 0\n"), "{told}");
    assert!(!told.contains("skillspan_events_total{"), "{told}");
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn what_is_no_collector_is_refused_before_anything_starts() {
    for (otlp, message) in [
        (
            "{ endpoint: \"127.0.0.1:4318\" }",
            "otlp.endpoint: expected the URL of a collector's OTLP/HTTP port",
        ),
        ("{ endpoint: \"ftp://x\" }", "otlp.endpoint: expected the URL"),
        (
            "{ endpoint: \"http://x\", interval: 10ms }",
            "otlp.interval: metrics are sent every second at most",
        ),
        (
            "{ endpoint: \"http://x\", headers: { \"a b\": c } }",
            "otlp.headers: \"a b\" is not an HTTP header",
        ),
        ("{}", "endpoint"),
    ] {
        let site = site(otlp);
        let (code, _, stderr) = outcome(skillspan().args(["validate", "--config"]).arg(site.config()));
        assert_eq!(code, 64, "{otlp}");
        assert!(stderr.contains(message), "{otlp} gave {stderr}");
    }
}

//! What is configured, rightly and wrongly.

use skillspan::config::{self, Origin, ProcessSource};

use crate::backend::{Backend, Reply};
use crate::sent::{forwarding, post_span};

/// All that is wrong with a configuration whose exporter has these keys and whose pipelines end so.
fn faults(exporter: &str, pipelines: &str) -> String {
    let text = format!(
        "extensions: {{ sessions_table: {{ path: /x/sessions }} }}
exporters: {{ filesystem: {{ path: /x/skills }}, {exporter} }}
connectors: {{ skillify: {{ digests: /x/digests }} }}
service:
  journal: {{ path: /x/journal }}
  pipelines: {{ sessions: {{}}, skills: {{}}, {pipelines} }}
"
    );
    match config::parse(&text, Origin::Text("test"), &ProcessSource) {
        Ok(settings) => format!("valid; {:?}", settings.warnings),
        Err(error) => error.to_string(),
    }
}

const TRACES: &str = "traces: { receivers: [otlp], exporters: [otlp/a] }";
const A: &str = "otlp/a: { endpoint: https://a.example.com:4317 }";

#[test]
fn what_is_wrong_is_told_with_what_to_do() {
    let cases = [
        (A, "traces: { receivers: [otlp], exporters: [otlp/b] }", "there is no `otlp/b` among the exporters"),
        (
            A,
            "metrics: { receivers: [otlp], exporters: [parquet] }",
            "parquet takes no bodies as they came; a pipeline of metrics needs otlp/NAME or otlphttp/NAME",
        ),
        (A, "metrics: { receivers: [otlp] }", "a pipeline of metrics needs a backend"),
        (A, "logs: { exporters: [otlp/a] }", "a pipeline of logs needs a receiver, such as otlp"),
        (A, "traces: { receivers: [hooks], exporters: [otlp/a] }", "hooks receives no OTLP"),
        (A, "traces: { receivers: [otlp, otlp], exporters: [otlp/a] }", "otlp stands here twice"),
        (
            A,
            "traces: { receivers: [otlp], processors: [limits], exporters: [otlp/a] }",
            "only `redact` may stand here",
        ),
        (
            A,
            "sessions/b: { receivers: [otlp], exporters: [otlp/a] }",
            "otlp/a forwards bodies: name it in a pipeline traces, logs or metrics",
        ),
        (A, "skills/b: { receivers: [skillify], exporters: [otlp/a] }", "otlp/a forwards bodies"),
        ("otlp/a: {}", TRACES, "name the backend here: endpoint"),
        (
            "otlp/a: { endpoint: a.example.com:4317 }",
            TRACES,
            "expected http:// or https://, a host and a port",
        ),
        (
            "otlp/a: { endpoint: https://a.example.com/v1 }",
            TRACES,
            "expected http:// or https://, a host and a port",
        ),
        ("otlp/a: { endpoint: https://me:secret@a.example.com }", TRACES, "expected http:// or https://"),
        ("otlp/a: { endpoint: http://localhost:4317 }", TRACES, "it would forward to itself"),
        ("otlp/a: { endpoint: http://0.0.0.0:4317 }", TRACES, "it would forward to itself"),
        ("otlp/a: { endpoint: http://0:4318 }", TRACES, "it would forward to itself"),
        ("otlp/a: { endpoint: \"http://[::ffff:127.0.0.1]:4317\" }", TRACES, "it would forward to itself"),
        ("otlp/a: { endpoint: http://a.localhost:4317 }", TRACES, "it would forward to itself"),
        ("otlp/a: { endpoint: https://a, encoding: json }", TRACES, "gRPC carries protobuf alone"),
        (
            "otlp/a: { endpoint: https://a, headers: { te: x } }",
            TRACES,
            "the protocol writes this header itself",
        ),
        ("otlp/a: { endpoint: https://a, headers: { \"a b\": x } }", TRACES, "this is not an HTTP header"),
        (
            "otlp/a: { endpoint: https://a, tls: { cert_file: c.pem } }",
            TRACES,
            "write cert_file and key_file",
        ),
        ("otlp/a: { endpoint: https://a, queue: { max_size: 1KiB } }", TRACES, "expected at least 1MiB"),
        ("otlp/a: { endpoint: https://a, queue: { on_full: block } }", TRACES, "drop_oldest"),
        ("otlp/a: { endpoint: https://a, redact: maybe }", TRACES, "on"),
        (
            "otlp/a: { endpoint: https://a, retry: { initial: 9s, max: 1s } }",
            TRACES,
            "max is shorter than initial",
        ),
        ("otlp/a: { endpoint: https://a, proxy: \"::\" }", TRACES, "expected the URL of a proxy"),
        (
            "otlphttp/a: { endpoint: https://a/v1/traces }",
            "traces: { receivers: [otlp], exporters: [otlphttp/a] }",
            "leave the signal's path out",
        ),
    ];
    for (exporter, pipelines, says) in cases {
        let told = faults(exporter, pipelines);
        assert!(told.contains(says) && !told.starts_with("valid"), "{exporter}, {pipelines}: {told}");
        assert!(!told.contains("secret"), "{told}");
    }
    assert_eq!(faults(A, TRACES), "valid; []");
}

#[test]
fn what_is_wrong_with_a_langfuse_server_is_told() {
    let keys = "default: { public_key: pk, secret_key: sk-very-secret }";
    let exporter = |more: &str| format!("langfuse/a: {{ endpoint: https://a{more} }}");
    let with_keys = |more: &str| exporter(&format!(", keys: {{ {keys} }}{more}"));
    let traces = "traces: { receivers: [otlp, langfuse], exporters: [langfuse/a] }";
    let cases = [
        (exporter(""), traces, "name a project's keys for each tenant"),
        (exporter(", keys: { acme: { public_key: pk, secret_key: sk } }"), traces, "known are default"),
        (exporter(", keys: { default: { public_key: pk } }"), traces, "secret_key"),
        (
            exporter(", keys: { default: { public_key: \"\", secret_key: sk } }"),
            traces,
            "this is no key of Langfuse's",
        ),
        (
            exporter(", keys: { default: { public_key: \"a:b\", secret_key: sk } }"),
            traces,
            "this is no key of Langfuse's",
        ),
        (with_keys(", encoding: json"), traces, "leave it out"),
        (with_keys(", compression: zstd"), traces, "Langfuse reads gzip or none"),
        (with_keys(", headers: { Authorization: x }"), traces, "authorization is made of keys"),
        (
            format!("langfuse/a: {{ endpoint: https://a/api/public/otel, keys: {{ {keys} }} }}"),
            traces,
            "leave Langfuse's paths out",
        ),
        (
            format!("langfuse/a: {{ endpoint: http://localhost:4318, keys: {{ {keys} }} }}"),
            traces,
            "forward to itself",
        ),
        (
            with_keys(""),
            "logs: { receivers: [otlp], exporters: [langfuse/a] }",
            "Langfuse takes no logs: name langfuse/a in a pipeline traces",
        ),
        (
            format!("otlphttp/a: {{ endpoint: https://a, keys: {{ {keys} }} }}"),
            "traces: { receivers: [otlp], exporters: [otlphttp/a] }",
            "these are for langfuse/NAME",
        ),
    ];
    for (exporter, pipelines, says) in cases {
        let told = faults(&exporter, pipelines);
        assert!(told.contains(says) && !told.starts_with("valid"), "{exporter}, {pipelines}: {told}");
        assert!(!told.contains("sk-very-secret"), "{told}");
    }
    assert_eq!(faults(&with_keys(""), traces), "valid; []");
}

#[test]
fn a_receiver_without_a_sessions_pipeline_forwards_nothing() {
    let text = "exporters: { filesystem: { path: /x }, otlp/a: { endpoint: https://a } }
connectors: { skillify: { digests: /x/digests } }
extensions: { sessions_table: { path: /x/sessions } }
service: { journal: { path: /x/journal }, pipelines: { traces: { receivers: [otlp], exporters: [otlp/a] } } }";
    let error = config::parse(text, Origin::Text("test"), &ProcessSource).unwrap_err().to_string();
    assert!(
        error.contains("otlp feeds no sessions pipeline") && error.contains("write `sessions: {}`"),
        "{error}"
    );
}

#[test]
fn what_is_probably_not_meant_is_warned_of() {
    let told = faults("otlp/a: { endpoint: http://a.example.com:4317, redact: off }", TRACES);
    assert!(told.contains("without https") && told.contains("a stop loses it"), "{told}");
    let twice = format!("{TRACES}, traces/two: {{ receivers: [otlp], exporters: [otlp/a] }}");
    let told = faults(A, &twice);
    assert!(told.contains("service.pipelines.traces/two") && told.contains("each body twice"), "{told}");
    let told = faults(A, &format!("{TRACES}, logs: {{ receivers: [otlp], exporters: [otlp/a] }}"));
    assert_eq!(told, "valid; []");
    let told = faults(A, "");
    assert!(told.contains("exporters.otlp/a: no pipeline uses it"), "{told}");
}

#[test]
fn the_start_says_where_it_goes_and_nothing_shows_a_header() {
    let backend = Backend::start();
    let site =
        forwarding(&[("otlphttp/a", ", headers: { authorization: \"${file:{root}/key}\" }", &backend)]);
    let root = site.folder.path().display().to_string();
    site.edit_config(&[("{root}", &root)]);
    std::fs::write(site.path("key"), "Bearer k-very-secret\n").unwrap();
    site.add_to_config("  telemetry: { logs: { level: trace } }\n");
    let _running = site.start();
    backend.answer([Reply::Http(401, vec![], b"who are you".to_vec())]);
    post_span(&site, "s-1", "one");
    let taken = backend.wait_for(1);
    assert_eq!(taken[0].headers["authorization"], "Bearer k-very-secret");
    let log = site.log();
    let place = format!(
        "http://127.0.0.1:{}/ (otlphttp/a: logs, metrics, traces; credentials redacted; waits in",
        backend.port()
    );
    assert!(log.contains(&place), "{log}");
    assert!(log.contains("Sessions leave this machine for what they are forwarded to"), "{log}");
    assert!(log.contains("cannot forward") && log.contains("who are you"), "{log}");
    for said in [log, site.run(&["status"]), site.run(&["status", "--json"]), site.run(&["validate"])] {
        assert!(!said.contains("k-very-secret"), "{said}");
    }
}

#[test]
fn files_that_cannot_be_used_are_told_at_the_start() {
    let backend = Backend::away();
    let site = forwarding(&[("otlphttp/a", ", tls: { ca_file: /nonexistent/ca.pem }", &backend)]);
    // Who asks before it is told the same.
    for command in ["run", "validate", "doctor"] {
        let (code, said, told) =
            crate::site::outcome(crate::site::skillspan().args([command, "--config"]).arg(site.config()));
        let told = said + &told;
        let what = "exporters.otlphttp/a: tls: /nonexistent/ca.pem: cannot be read";
        assert!(code != 0 && told.contains(what), "{command}: {told}");
    }
}

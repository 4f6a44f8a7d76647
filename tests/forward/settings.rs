//! What is configured, rightly and wrongly.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use skillspan::config::{self, Origin, ProcessSource};
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;

use crate::backend::{Backend, Reply};
use crate::sent::{forwarding, post_span};
use crate::site::{Port, eventually};

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
        (A, "traces: { receivers: [hooks], exporters: [otlp/a] }", "what hooks takes in is no OTLP"),
        (A, "traces: { receivers: [otlp, otlp], exporters: [otlp/a] }", "otlp stands here twice"),
        (
            A,
            "traces: { receivers: [otlp], processors: [limits], exporters: [otlp/a] }",
            "only `redact` may stand here",
        ),
        (
            A,
            "sessions/b: { receivers: [otlp], exporters: [otlp/a] }",
            "otlp/a has bodies as they came: name it in a pipeline traces, logs or metrics",
        ),
        (A, "skills/b: { receivers: [skillify], exporters: [otlp/a] }", "otlp/a has bodies as they came"),
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
        ("otlp/a: { endpoint: https://a, encoding: json }", TRACES, "gRPC carries protobuf alone"),
        (
            "otlp/a: { endpoint: https://a, headers: { te: x } }",
            TRACES,
            "the protocol writes this header itself",
        ),
        ("otlp/a: { endpoint: https://a, headers: { \"a b\": x } }", TRACES, "this is no HTTP header"),
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

/// An authority, and what it issues: the certificate and its key, as PEM and as DER.
struct Issued {
    pem: String,
    key: KeyPair,
    certificate: CertificateDer<'static>,
}

fn issue(
    authority: &CertifiedIssuer<'static, KeyPair>,
    name: &str,
    purpose: ExtendedKeyUsagePurpose,
) -> Issued {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.extended_key_usages = vec![purpose];
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    Issued { pem: certificate.pem(), certificate: certificate.der().clone(), key }
}

/// A server that asks for a certificate of `authority`, and says how often it had a request.
fn tls_server(
    port: &Port,
    authority: &CertifiedIssuer<'static, KeyPair>,
    own: &Issued,
) -> Arc<std::sync::atomic::AtomicUsize> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let key = PrivateKeyDer::try_from(own.key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![own.certificate.clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = port.listen();
    let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            listener.set_nonblocking(true).unwrap();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut head = [0; 4096];
                let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut head).await;
                if head.starts_with(b"POST /v1/traces") {
                    counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                }
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                    .await;
                let _ = stream.shutdown().await;
            }
        });
    });
    count
}

#[test]
fn an_authority_of_ones_own_and_a_certificate_that_is_renewed() {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let other = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let backend = Backend::away();
    let site = forwarding(&[(
        "otlphttp/a",
        ", tls: { ca_file: '{root}/ca.pem', cert_file: '{root}/us.pem', key_file: '{root}/us.key' }",
        &backend,
    )]);
    let root = site.folder.path().display().to_string();
    site.edit_config(&[("{root}", &root), ("{root}", &root), ("{root}", &root)]);
    let install = |issued: &Issued| {
        std::fs::write(site.path("us.key"), issued.key.serialize_pem()).unwrap();
        std::fs::write(site.path("us.pem"), &issued.pem).unwrap();
    };
    std::fs::write(site.path("ca.pem"), other.pem()).unwrap();
    install(&issue(&other, "skillspan", ExtendedKeyUsagePurpose::ClientAuth));
    let own = issue(&authority, "localhost", ExtendedKeyUsagePurpose::ServerAuth);
    // The port of the backend that is away.
    let port = Port::keep();
    site.edit_config(&[(&format!("localhost:{}", backend.port()), &format!("localhost:{}", port.number()))]);
    let count = tls_server(&port, &authority, &own);
    let _running = site.start();
    post_span(&site, "s-1", "one");
    eventually("it is told", || site.run(&["status"]).contains("tls.ca_file"));
    assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 0);
    std::fs::write(site.path("ca.pem"), authority.pem()).unwrap();
    install(&issue(&authority, "skillspan", ExtendedKeyUsagePurpose::ClientAuth));
    eventually("it is taken", || count.load(std::sync::atomic::Ordering::SeqCst) == 1);
}

#[test]
fn files_that_cannot_be_used_are_told_at_the_start() {
    let backend = Backend::away();
    let site = forwarding(&[("otlphttp/a", ", tls: { ca_file: /nonexistent/ca.pem }", &backend)]);
    let (code, _, told) =
        crate::site::outcome(crate::site::skillspan().args(["run", "--config"]).arg(site.config()));
    assert!(code != 0 && told.contains("otlphttp/a: tls: /nonexistent/ca.pem: cannot be read"), "{told}");
}

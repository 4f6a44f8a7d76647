//! Certificates on both sides: of the backend and ours, of clients and ours; over gRPC and over HTTP.

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use prost::Message;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};

use crate::backend::Backend;
use crate::sent::{forwarding, post_span, traces};
use crate::site::{Site, eventually};

type Authority = CertifiedIssuer<'static, KeyPair>;

/// What an authority issues: the certificate and its key, as PEM and as DER.
struct Issued {
    pem: String,
    key: KeyPair,
    certificate: CertificateDer<'static>,
}

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn issue(authority: &Authority, name: &str, purpose: ExtendedKeyUsagePurpose) -> Issued {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.extended_key_usages = vec![purpose];
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    Issued { pem: certificate.pem(), certificate: certificate.der().clone(), key }
}

fn of_a_client(authority: &Authority) -> Issued {
    issue(authority, "a client", ExtendedKeyUsagePurpose::ClientAuth)
}

fn of_localhost(authority: &Authority) -> Issued {
    issue(authority, "localhost", ExtendedKeyUsagePurpose::ServerAuth)
}

/// A backend that has a certificate of this authority and asks for one.
fn backend(authority: &Authority) -> Backend {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let own = of_localhost(authority);
    let key = PrivateKeyDer::try_from(own.key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![own.certificate.clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Backend::over_tls(config)
}

/// A site that forwards to it, with the files `ca.pem`, `us.pem` and `us.key`.
fn site(id: &str, backend: &Backend) -> Site {
    let keys = ", tls: { ca_file: '{root}/ca.pem', cert_file: '{root}/us.pem', key_file: '{root}/us.key' }";
    let site = forwarding(&[(id, keys, backend)]);
    let root = site.folder.path().display().to_string();
    site.edit_config(&[("{root}", &root), ("{root}", &root), ("{root}", &root)]);
    site
}

fn install(site: &Site, name: &str, issued: &Issued) {
    std::fs::write(site.path(&format!("{name}.key")), issued.key.serialize_pem()).unwrap();
    std::fs::write(site.path(&format!("{name}.pem")), &issued.pem).unwrap();
}

#[test]
fn an_authority_of_ones_own_and_a_certificate_that_is_renewed() {
    for id in ["otlphttp/a", "otlp/a"] {
        let (authority, other) = (authority(), authority());
        let backend = backend(&authority);
        let site = site(id, &backend);
        std::fs::write(site.path("ca.pem"), other.pem()).unwrap();
        install(&site, "us", &of_a_client(&other));
        let _running = site.start();
        let body = post_span(&site, "s-1", "one");
        eventually("it is told", || site.run(&["status"]).contains("tls.ca_file"));
        assert_eq!(backend.attempts(), 0, "{id}");
        // The backend is believed now, and does not believe us.
        std::fs::write(site.path("ca.pem"), authority.pem()).unwrap();
        eventually("it is told", || !site.run(&["status"]).contains("tls.ca_file"));
        assert_eq!(backend.attempts(), 0, "{id}");
        install(&site, "us", &of_a_client(&authority));
        assert_eq!(backend.wait_for(1)[0].body, body, "{id}");
        assert_eq!(backend.attempts(), 1, "{id}");
    }
}

/// A channel to the site's gRPC port, with this certificate or none.
fn channel(site: &Site, authority: &Authority, own: Option<&Issued>) -> Channel {
    let mut tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(authority.pem()))
        .domain_name("localhost");
    if let Some(own) = own {
        tls = tls.identity(Identity::from_pem(&own.pem, own.key.serialize_pem()));
    }
    let endpoint = Channel::from_shared(format!("https://127.0.0.1:{}", site.grpc)).unwrap();
    endpoint.tls_config(tls).unwrap().connect_lazy()
}

/// What a client brings over mutual TLS goes on over mutual TLS, with our certificate and not the client's.
#[test]
fn over_grpc_with_certificates_from_a_client_to_the_backend() {
    let (team, of_backend) = (authority(), authority());
    let backend = backend(&of_backend);
    let site = site("otlp/a", &backend);
    std::fs::write(site.path("ca.pem"), of_backend.pem()).unwrap();
    install(&site, "us", &of_a_client(&of_backend));
    install(&site, "door", &of_localhost(&team));
    std::fs::write(site.path("team.pem"), team.pem()).unwrap();
    let root = site.folder.path().display();
    let grpc = format!("grpc: {{ endpoint: 127.0.0.1:{}", site.grpc);
    let tls = format!(
        "{grpc}, tls: {{ cert_file: '{root}/door.pem', key_file: '{root}/door.key', client_ca_file: '{root}/team.pem' }}"
    );
    site.edit_config(&[(&grpc, &tls)]);
    let _running = site.start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // Nobody gets in without a certificate of the team, not even with one that the backend takes.
        for own in [None, Some(&of_a_client(&of_backend))] {
            let mut client = TraceServiceClient::new(channel(&site, &team, own));
            client.export(traces("s-1", "stranger")).await.unwrap_err();
        }
        let ana = of_a_client(&team);
        let mut client = TraceServiceClient::new(channel(&site, &team, Some(&ana)));
        for name in ["one", "two", "three"] {
            client.export(traces("s-1", name)).await.unwrap();
        }
    });
    assert_eq!(backend.wait_for_spans(3), ["one", "two", "three"]);
    let bodies: Vec<u8> = backend.taken().into_iter().flat_map(|taken| taken.body).collect();
    let sent: Vec<u8> =
        ["one", "two", "three"].iter().flat_map(|name| traces("s-1", name).encode_to_vec()).collect();
    assert!(bodies == sent, "byte for byte");
}

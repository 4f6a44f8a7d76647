//! TLS and mTLS, with certificates made here.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::site::{Site, eventually};
use crate::support::site;

const TLS: &str = "grpc: { endpoint: 127.0.0.1:{grpc}, tls: { cert_file: '{root}/server.pem', key_file: '{root}/server.key', client_ca_file: '{root}/clients.pem' } }, http: { endpoint: 127.0.0.1:{http}, tls: { cert_file: '{root}/server.pem', key_file: '{root}/server.key', client_ca_file: '{root}/clients.pem' } }";

struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
struct Identity {
    certificate: CertificateDer<'static>,
    pem: String,
    key: KeyPair,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn issue(&self, name: &str, purpose: ExtendedKeyUsagePurpose, until: i32) -> Identity {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![purpose];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity { certificate: certificate.der().clone(), pem: certificate.pem(), key }
    }

    fn server(&self) -> Identity {
        self.issue("localhost", ExtendedKeyUsagePurpose::ServerAuth, 2090)
    }

    fn client(&self, until: i32) -> Identity {
        self.issue("exporter", ExtendedKeyUsagePurpose::ClientAuth, until)
    }
}

fn install(site: &Site, server: &Identity) {
    // The key first: a certificate without its key would be reported.
    std::fs::write(site.path("server.key"), server.key.serialize_pem()).unwrap();
    std::fs::write(site.path("server.pem"), &server.pem).unwrap();
}

fn guarded(server: &Identity, clients: &Authority) -> Site {
    let site = site(&[], "");
    let config = std::fs::read_to_string(site.config()).unwrap();
    let (before, rest) = config.split_once("grpc: {").unwrap();
    let (_, after) = rest.split_once(" } } }").unwrap();
    let root = site.folder.path().display().to_string();
    let tls = TLS
        .replace("{root}", &root)
        .replace("{grpc}", &site.grpc.to_string())
        .replace("{http}", &site.http.to_string());
    std::fs::write(site.config(), format!("{before}{tls} }} }}{after}")).unwrap();
    std::fs::write(site.path("clients.pem"), clients.0.pem()).unwrap();
    install(&site, server);
    site
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A client that trusts `servers` and shows `identity`.
fn connect(site: &Site, servers: &Authority, identity: Option<&Identity>) -> Stream {
    let mut roots = RootCertStore::empty();
    roots.add(servers.0.der().clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let key = PrivateKeyDer::try_from(identity.key.serialize_der()).unwrap();
            builder.with_client_auth_cert(vec![identity.certificate.clone()], key).unwrap()
        }
    };
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(connection, TcpStream::connect(("127.0.0.1", site.http)).unwrap())
}

/// Posts an empty request; the status, or why there is none.
fn post(stream: &mut Stream) -> Result<u16, std::io::Error> {
    let body = "{}";
    write!(
        stream,
        "POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    stream.flush()?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"{}") {
        let mut buffer = [0; 1024];
        match stream.read(&mut buffer)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => answer.extend_from_slice(&buffer[..read]),
        }
    }
    Ok(String::from_utf8(answer).unwrap().split(' ').nth(1).unwrap().parse().unwrap())
}

#[test]
fn a_client_needs_a_certificate_of_the_authority_that_is_trusted() {
    let (servers, clients, strangers) =
        (Authority::new("servers"), Authority::new("clients"), Authority::new("clients"));
    let site = guarded(&servers.server(), &clients);
    let _running = site.start();
    let known = clients.client(2090);
    assert_eq!(post(&mut connect(&site, &servers, Some(&known))).unwrap(), 200);
    for (what, identity) in [
        ("no certificate", None),
        ("one of another authority", Some(strangers.client(2090))),
        ("one that has expired", Some(clients.client(2021))),
        ("one for servers", Some(clients.server())),
    ] {
        assert!(post(&mut connect(&site, &servers, identity.as_ref())).is_err(), "{what}");
    }
    assert!(
        post(&mut connect(&site, &clients, Some(&known))).is_err(),
        "a server that the client does not know"
    );
    let plain = TcpStream::connect(("127.0.0.1", site.http)).and_then(|mut stream| {
        write!(stream, "POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).map(|_| answer)
    });
    assert!(!plain.is_ok_and(|answer| answer.starts_with(b"HTTP/1.1")), "clear text gets no answer");
    assert_eq!(post(&mut connect(&site, &servers, Some(&known))).unwrap(), 200, "and the door still works");
    eventually("status names the six", || site.run(&["status"]).contains("6 connections without TLS"));
}

#[test]
fn certificates_are_renewed_while_a_client_is_connected() {
    let (servers, clients) = (Authority::new("servers"), Authority::new("clients"));
    let site = guarded(&servers.server(), &clients);
    let _running = site.start();
    let client = clients.client(2090);
    let mut old = connect(&site, &servers, Some(&client));
    assert_eq!(post(&mut old).unwrap(), 200);

    let renewed = Authority::new("servers of next year");
    install(&site, &renewed.server());
    eventually("the new certificate", || post(&mut connect(&site, &renewed, Some(&client))).is_ok());
    assert_eq!(post(&mut old).unwrap(), 200, "who is connected stays connected");
    assert!(post(&mut connect(&site, &servers, Some(&client))).is_err(), "the old certificate is gone");

    std::fs::write(site.path("server.pem"), "no certificate").unwrap();
    eventually("a warning", || site.log().contains("those of before stay"));
    assert_eq!(post(&mut connect(&site, &renewed, Some(&client))).unwrap(), 200);
    assert!(!site.log().contains("PRIVATE"), "{}", site.log());

    // Clients change authorities the same way.
    install(&site, &renewed.server());
    let next = Authority::new("clients of next year");
    std::fs::write(site.path("clients.pem"), next.0.pem()).unwrap();
    eventually("the new authority", || post(&mut connect(&site, &renewed, Some(&next.client(2090)))).is_ok());
    assert!(post(&mut connect(&site, &renewed, Some(&client))).is_err());
}

#[test]
fn grpc_is_spoken_over_tls() {
    use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
    use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity as Shown};
    let (servers, clients) = (Authority::new("servers"), Authority::new("clients"));
    let site = guarded(&servers.server(), &clients);
    let _running = site.start();
    let client = clients.client(2090);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let tls = ClientTlsConfig::new()
            .domain_name("localhost")
            .ca_certificate(Certificate::from_pem(servers.0.pem()))
            .identity(Shown::from_pem(&client.pem, client.key.serialize_pem()));
        let channel = Channel::from_shared(format!("https://127.0.0.1:{}", site.grpc))
            .unwrap()
            .tls_config(tls)
            .unwrap();
        let mut client = TraceServiceClient::new(channel.connect().await.unwrap());
        client.export(crate::support::span("s", 3, |_, _| {})).await.unwrap();
    });
}

#[test]
fn files_that_cannot_be_used_are_named_at_the_start() {
    let (servers, clients) = (Authority::new("servers"), Authority::new("clients"));
    for (file, content) in
        [("server.pem", ""), ("server.key", "-----BEGIN PRIVATE KEY-----\nabcd\n"), ("clients.pem", "x")]
    {
        let site = guarded(&servers.server(), &clients);
        std::fs::write(site.path(file), content).unwrap();
        let (code, _, stderr) =
            crate::site::outcome(crate::site::skillspan().arg("run").arg("--config").arg(site.config()));
        assert_eq!(code, 1, "{file}: {stderr}");
        assert!(
            stderr.contains(file) && stderr.contains("receivers.otlp.protocols.grpc.tls"),
            "{file}: {stderr}"
        );
        assert!(!stderr.contains("abcd") && stderr.lines().count() == 1, "{stderr}");
    }
}

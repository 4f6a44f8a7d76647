//! Connections. gRPC is spoken by hand over HTTP/2, so that a body is sent as it is.

use std::io::Write;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderValue, Method, Request, Version, header};
use tokio::net::TcpStream;

use crate::{Arguments, Coding, Protocol};

#[derive(Clone)]
pub(crate) struct Connection {
    wire: Wire,
    request: Arc<Template>,
}

#[derive(Clone)]
enum Wire {
    Grpc(h2::client::SendRequest<Bytes>),
    Http(reqwest::Client),
}

struct Template {
    url: String,
    coding: Coding,
    content: &'static str,
    token: Option<String>,
}

impl Connection {
    pub(crate) async fn to(arguments: &Arguments) -> Self {
        let default = if arguments.protocol == Protocol::Grpc {
            "http://127.0.0.1:4317"
        } else {
            "http://127.0.0.1:4318"
        };
        let endpoint = arguments.endpoint.clone().unwrap_or_else(|| default.to_owned());
        let path = arguments.shape.path(arguments.protocol == Protocol::Grpc);
        let request = Template {
            url: format!("{endpoint}{path}"),
            coding: arguments.coding,
            content: match arguments.protocol {
                Protocol::Grpc => "application/grpc",
                Protocol::Http => "application/x-protobuf",
                Protocol::Json => "application/json",
            },
            token: arguments.token.clone(),
        };
        let wire = match arguments.protocol {
            Protocol::Grpc => {
                let address = endpoint.trim_start_matches("http://").to_owned();
                let stream = TcpStream::connect(address).await.expect("the collector listens");
                stream.set_nodelay(true).unwrap();
                let (sender, connection) = h2::client::handshake(stream).await.unwrap();
                tokio::spawn(connection);
                Wire::Grpc(sender)
            }
            _ => Wire::Http(
                reqwest::Client::builder().pool_max_idle_per_host(arguments.in_flight).build().unwrap(),
            ),
        };
        Self { wire, request: Arc::new(request) }
    }

    /// Whether it was taken.
    pub(crate) async fn send(&self, body: Vec<u8>) -> bool {
        let is_gzip = self.request.coding == Coding::Gzip;
        let body = if is_gzip { gzip(&body) } else { body };
        match &self.wire {
            Wire::Grpc(sender) => self.send_grpc(sender.clone(), &body, is_gzip).await.unwrap_or_default(),
            Wire::Http(client) => {
                let mut request =
                    client.post(&self.request.url).header(header::CONTENT_TYPE, self.request.content);
                if is_gzip {
                    request = request.header(header::CONTENT_ENCODING, "gzip");
                }
                if let Some(token) = &self.request.token {
                    request = request.bearer_auth(token);
                }
                let Ok(answer) = request.body(body).send().await else { return false };
                let is_ok = answer.status().is_success();
                answer.bytes().await.is_ok() && is_ok
            }
        }
    }

    async fn send_grpc(
        &self,
        sender: h2::client::SendRequest<Bytes>,
        body: &[u8],
        is_gzip: bool,
    ) -> Result<bool, h2::Error> {
        let mut request = Request::builder()
            .method(Method::POST)
            .version(Version::HTTP_2)
            .uri(&self.request.url)
            .header(header::CONTENT_TYPE, self.request.content)
            .header(header::TE, "trailers");
        if is_gzip {
            request = request.header("grpc-encoding", "gzip");
        }
        if let Some(token) = &self.request.token {
            let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
            request = request.header(header::AUTHORIZATION, value);
        }
        let mut message = BytesMut::with_capacity(body.len() + 5);
        message.put_u8(u8::from(is_gzip));
        message.put_u32(u32::try_from(body.len()).unwrap());
        message.extend_from_slice(body);
        let (answer, mut stream) = sender.ready().await?.send_request(request.body(()).unwrap(), false)?;
        stream.send_data(message.freeze(), true)?;
        let mut answer = answer.await?;
        let headers = answer.headers().clone();
        let body = answer.body_mut();
        while let Some(chunk) = body.data().await {
            body.flow_control().release_capacity(chunk?.len())?;
        }
        let trailers = body.trailers().await?.unwrap_or_default();
        let status = trailers.get("grpc-status").or_else(|| headers.get("grpc-status"));
        Ok(status.is_some_and(|status| status == "0"))
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

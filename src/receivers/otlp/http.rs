//! OTLP over HTTP: `POST /v1/{traces,logs,metrics}`, protobuf and JSON, plain or gzip.

use std::io::Read;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::routing::{MethodRouter, post};
use flate2::read::MultiGzDecoder;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde::de::DeserializeOwned;
use tonic::Code;

use crate::event::Owner;
use crate::receivers::{Ingest, Records};

use super::status::{Encoding, answer, count_metrics, error, to_http};

#[derive(Clone)]
struct Door {
    ingest: Arc<Ingest>,
    max_body: usize,
}

/// The three paths of OTLP.
pub(super) fn routes(ingest: Arc<Ingest>, max_body: usize) -> Router {
    Router::new()
        .route("/v1/traces", posts(post(traces)))
        .route("/v1/logs", posts(post(logs)))
        .route("/v1/metrics", posts(post(metrics)))
        .with_state(Door { ingest, max_body })
}

fn posts(route: MethodRouter<Door>) -> MethodRouter<Door> {
    route.fallback(|| async {
        let mut answer = error(
            StatusCode::METHOD_NOT_ALLOWED,
            Code::Unimplemented,
            "OTLP is sent with POST",
            Encoding::Json,
        );
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        answer
    })
}

async fn traces(State(door): State<Door>, request: Request) -> Response<Body> {
    door.receive("traces", request, |message: ExportTraceServiceRequest| {
        Records::Traces(message.resource_spans)
    })
    .await
}

async fn logs(State(door): State<Door>, request: Request) -> Response<Body> {
    door.receive("logs", request, |message: ExportLogsServiceRequest| Records::Logs(message.resource_logs))
        .await
}

async fn metrics(State(door): State<Door>, request: Request) -> Response<Body> {
    match door.read::<ExportMetricsServiceRequest>(request).await {
        Ok((message, encoding)) => {
            count_metrics(door.ingest.counters(), "http", &message);
            success(encoding)
        }
        Err(Unreadable { status, code, message, encoding }) => {
            door.ingest.counters().request("http", "metrics", "invalid");
            error(status, code, &message, encoding)
        }
    }
}

/// A request that is refused for what it is.
struct Unreadable {
    status: StatusCode,
    code: Code,
    message: String,
    encoding: Encoding,
}

impl Door {
    async fn receive<M: Message + Default + DeserializeOwned>(
        &self,
        signal: &'static str,
        request: Request,
        records: impl FnOnce(M) -> Records,
    ) -> Response<Body> {
        let counters = self.ingest.counters();
        let (message, encoding) = match self.read(request).await {
            Ok(read) => read,
            Err(Unreadable { status, code, message, encoding }) => {
                counters.request("http", signal, "invalid");
                return error(status, code, &message, encoding);
            }
        };
        match self.ingest.accept(records(message), Owner::default()).await {
            Ok(()) => {
                counters.request("http", signal, "accepted");
                success(encoding)
            }
            Err(refusal) => {
                counters.request("http", signal, "refused");
                to_http(&refusal, encoding)
            }
        }
    }

    async fn read<M: Message + Default + DeserializeOwned>(
        &self,
        request: Request,
    ) -> Result<(M, Encoding), Unreadable> {
        let (parts, body) = request.into_parts();
        let encoding = encoding_of(&parts.headers)?;
        let unreadable = |status, code, message| Unreadable { status, code, message, encoding };
        if parts.headers.contains_key(ORIGIN) {
            let message = "requests of web pages are refused".to_owned();
            return Err(unreadable(StatusCode::FORBIDDEN, Code::PermissionDenied, message));
        }
        let body = Limited::new(body, self.max_body).collect().await.map_err(|error| {
            if error.downcast_ref::<LengthLimitError>().is_some() {
                too_large(self.max_body, encoding)
            } else {
                unreadable(
                    StatusCode::BAD_REQUEST,
                    Code::InvalidArgument,
                    format!("the body broke off: {error}"),
                )
            }
        })?;
        let body = decompress(body.to_bytes(), &parts.headers, self.max_body, encoding)?;
        let message = match encoding {
            Encoding::Protobuf => M::decode(body).map_err(|error| error.to_string()),
            Encoding::Json => serde_json::from_slice(&body).map_err(|error| error.to_string()),
        }
        .map_err(|error| {
            let message = format!("the body is not {} of this signal: {error}", encoding.content_type());
            unreadable(StatusCode::BAD_REQUEST, Code::InvalidArgument, message)
        })?;
        Ok((message, encoding))
    }
}

/// By content type, parameters and case ignored.
fn encoding_of(headers: &HeaderMap) -> Result<Encoding, Unreadable> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/x-protobuf" | "application/protobuf" => Ok(Encoding::Protobuf),
        "application/json" => Ok(Encoding::Json),
        _ => Err(Unreadable {
            status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
            code: Code::InvalidArgument,
            message: format!(
                "content type {content_type:?} is not OTLP; send application/x-protobuf or application/json"
            ),
            encoding: Encoding::Json,
        }),
    }
}

fn decompress(
    body: Bytes,
    headers: &HeaderMap,
    limit: usize,
    encoding: Encoding,
) -> Result<Bytes, Unreadable> {
    let coding = headers.get(CONTENT_ENCODING).map_or("identity", |value| value.to_str().unwrap_or("?"));
    if coding.eq_ignore_ascii_case("identity") {
        return Ok(body);
    }
    if !coding.eq_ignore_ascii_case("gzip") {
        return Err(Unreadable {
            status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
            code: Code::InvalidArgument,
            message: format!("content encoding {coding:?} is not supported; send gzip or none"),
            encoding,
        });
    }
    let mut inflated = Vec::new();
    // One byte more than allowed tells a body at the limit from one beyond it.
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    MultiGzDecoder::new(body.as_ref()).take(bound).read_to_end(&mut inflated).map_err(|error| {
        Unreadable {
            status: StatusCode::BAD_REQUEST,
            code: Code::InvalidArgument,
            message: format!("the body is not gzip: {error}"),
            encoding,
        }
    })?;
    if inflated.len() > limit {
        return Err(too_large(limit, encoding));
    }
    Ok(inflated.into())
}

fn too_large(limit: usize, encoding: Encoding) -> Unreadable {
    Unreadable {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        code: Code::ResourceExhausted,
        message: format!("the body is larger than {limit} bytes; send smaller batches or raise max_body"),
        encoding,
    }
}

/// Full success is an empty response message: no bytes in protobuf, `{}` in JSON.
fn success(encoding: Encoding) -> Response<Body> {
    let body = match encoding {
        Encoding::Protobuf => Vec::new(),
        Encoding::Json => b"{}".to_vec(),
    };
    answer(StatusCode::OK, body, encoding)
}

//! OTLP over gRPC.

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use crate::event::Owner;
use crate::receivers::{Ingest, Records};

use super::status::{count_metrics, to_grpc};

/// The three collector services.
pub(super) fn routes(ingest: &Arc<Ingest>, max_message: usize) -> Routes {
    let services = Services { ingest: Arc::clone(ingest) };
    Routes::new(
        TraceServiceServer::new(services.clone())
            .accept_compressed(CompressionEncoding::Gzip)
            .max_decoding_message_size(max_message),
    )
    .add_service(
        LogsServiceServer::new(services.clone())
            .accept_compressed(CompressionEncoding::Gzip)
            .max_decoding_message_size(max_message),
    )
    .add_service(
        MetricsServiceServer::new(services)
            .accept_compressed(CompressionEncoding::Gzip)
            .max_decoding_message_size(max_message),
    )
}

#[derive(Clone)]
struct Services {
    ingest: Arc<Ingest>,
}

impl Services {
    async fn accept(&self, records: Records) -> Result<(), Status> {
        let signal = if matches!(records, Records::Traces(_)) { "traces" } else { "logs" };
        let outcome = self.ingest.accept(records, Owner::default()).await;
        let label = if outcome.is_ok() { "accepted" } else { "refused" };
        self.ingest.counters().request("grpc", signal, label);
        outcome.map_err(|refusal| to_grpc(&refusal))
    }
}

#[tonic::async_trait]
impl TraceService for Services {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.accept(Records::Traces(request.into_inner().resource_spans)).await?;
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Services {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        self.accept(Records::Logs(request.into_inner().resource_logs)).await?;
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Services {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        count_metrics(self.ingest.counters(), "grpc", request.get_ref());
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

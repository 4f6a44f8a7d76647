"""Numbered spans, logs and metrics through every exporter of OpenTelemetry's Python SDK, and the bodies that the SDK
made of them, kept: export.py GRPC_PORT HTTP_PORT FOLDER FIRST COUNT"""
import sys
from pathlib import Path

import grpc
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetrics
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as Logs
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as Http
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

grpc_port, http_port, folder, first, count = sys.argv[1:6]
folder, first, count = Path(folder), int(first), int(count)
folder.mkdir(exist_ok=True)
resource = Resource.create({"service.name": "live", "session.id": "live-1"})
exporters = [
    Grpc(endpoint=f"http://127.0.0.1:{grpc_port}", insecure=True, compression=grpc.Compression.Gzip),
    Http(endpoint=f"http://127.0.0.1:{http_port}/v1/traces", compression=Compression.NoCompression),
    Http(endpoint=f"http://127.0.0.1:{http_port}/v1/traces", compression=Compression.Gzip),
]


class Keep:
    """Keeps what an exporter is given, as it goes on the wire."""

    def __init__(self, exporter, number):
        self.exporter, self.number = exporter, number

    def export(self, spans):
        (folder / f"{self.number:05}.traces").write_bytes(encode_spans(spans).SerializeToString())
        result = self.exporter.export(spans)
        assert result.name == "SUCCESS", result
        return result

    def force_flush(self, timeout_millis=0):
        return True

    def shutdown(self):
        pass


for number in range(first, first + count):
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(SimpleSpanProcessor(Keep(exporters[number % 3], number)))
    with provider.get_tracer("live", "1.0").start_as_current_span(f"span-{number:05}") as span:
        span.set_attribute("text", "größe 日本 😀" * 200)
        span.set_attribute("list", ["a", "b"])
        span.add_event("e", {"n": 1.5})
if first == 0:
    reader = PeriodicExportingMetricReader(GrpcMetrics(endpoint=f"http://127.0.0.1:{grpc_port}", insecure=True))
    meters = MeterProvider([reader], resource=resource)
    meters.get_meter("live").create_counter("live.counter").add(3, {"a": "b"})
    meters.shutdown()
print(f"sent {count} spans from {first} on")

"""Two spans through every exporter of OpenTelemetry's Python SDK: export.py GRPC_PORT HTTP_PORT"""
import sys
from importlib.metadata import version
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as Http
from opentelemetry.exporter.otlp.proto.http import Compression
import grpc

def run(name, exporter):
    results = []
    export = exporter.export
    exporter.export = lambda spans: results.append(export(spans)) or results[-1]
    provider = TracerProvider(resource=Resource.create({"service.name": "live"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("live")
    with tracer.start_as_current_span("outer") as span:
        span.set_attribute("text", "größe 日本 😀" * 2000)
        span.set_attribute("list", ["a", "b"])
        with tracer.start_as_current_span("inner") as inner:
            inner.add_event("e", {"n": 1.5})
    provider.shutdown()
    print(f"python {name}: {[r.name for r in results]}")

grpc_port, http_port = sys.argv[1:3]
print("opentelemetry-sdk", version("opentelemetry-sdk"), "grpcio", version("grpcio"), "python", sys.version.split()[0])
for name, compression in (("none", grpc.Compression.NoCompression), ("gzip", grpc.Compression.Gzip)):
    run(f"grpc {name}", Grpc(endpoint=f"http://127.0.0.1:{grpc_port}", insecure=True, compression=compression))
for name, compression in (("none", Compression.NoCompression), ("gzip", Compression.Gzip), ("deflate", Compression.Deflate)):
    run(f"http/protobuf {name}", Http(endpoint=f"http://127.0.0.1:{http_port}/v1/traces", compression=compression))

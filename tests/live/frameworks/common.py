import os
os.environ.update(OPENAI_API_KEY='sk-fake',OPENAI_BASE_URL='http://127.0.0.1:18999/v1')
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry import trace
provider=TracerProvider(resource=Resource.create({'service.name':'live'}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter('http://127.0.0.1:18318/v1/traces')))
trace.set_tracer_provider(provider)
TURNS=['Read a.txt and missing.txt.','go on','go on']
def read(path):
    if path=='missing.txt': raise FileNotFoundError('missing.txt is not there')
    return 'content of '+path

// Two spans through every exporter of OpenTelemetry's JavaScript SDK: export.mjs GRPC_PORT HTTP_PORT
import { createRequire } from 'node:module';
const require = createRequire(process.cwd() + '/');
const { BasicTracerProvider, SimpleSpanProcessor, InMemorySpanExporter } = require('@opentelemetry/sdk-trace-base');
const { OTLPTraceExporter: Json } = require('@opentelemetry/exporter-trace-otlp-http');
const { OTLPTraceExporter: Proto } = require('@opentelemetry/exporter-trace-otlp-proto');
const { OTLPTraceExporter: Grpc } = require('@opentelemetry/exporter-trace-otlp-grpc');
const { CompressionAlgorithm: C } = require('@opentelemetry/otlp-exporter-base');

const [grpcPort, httpPort] = process.argv.slice(2);
for (const name of ['sdk-trace-base', 'exporter-trace-otlp-http', 'exporter-trace-otlp-proto', 'exporter-trace-otlp-grpc'])
  console.log('@opentelemetry/' + name, require(`${process.cwd()}/node_modules/@opentelemetry/${name}/package.json`).version);
console.log('node', process.version);

const memory = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] });
const tracer = provider.getTracer('live');
tracer.startSpan('outer').setAttribute('text', 'größe 日本 😀'.repeat(2000)).setAttribute('list', ['a', 'b']).end();
tracer.startSpan('inner').addEvent('e', { n: 1.5 }).end();
const spans = memory.getFinishedSpans();

const export_ = (name, exporter) => new Promise(resolve => exporter.export(spans, result => {
  console.log(`javascript ${name}: code ${result.code}${result.error ? ' ' + result.error.message : ''}`);
  exporter.shutdown().then(resolve);
}));
for (const compression of [C.NONE, C.GZIP]) {
  await export_(`grpc ${compression}`, new Grpc({ url: `http://127.0.0.1:${grpcPort}`, compression }));
  await export_(`http/protobuf ${compression}`, new Proto({ url: `http://127.0.0.1:${httpPort}/v1/traces`, compression }));
  await export_(`http/json ${compression}`, new Json({ url: `http://127.0.0.1:${httpPort}/v1/traces`, compression }));
}

// Spans through every exporter of OpenTelemetry's JavaScript SDK: clients.mjs GRPC_PORT HTTP_PORT. Prints versions, and what goes
// over gRPC as the SDK's own serializer writes it, in base64.
import { createRequire } from 'node:module';
const require = createRequire(process.cwd() + '/');
const { BasicTracerProvider, SimpleSpanProcessor, InMemorySpanExporter } = require('@opentelemetry/sdk-trace-base');
const { OTLPTraceExporter: Json } = require('@opentelemetry/exporter-trace-otlp-http');
const { OTLPTraceExporter: Proto } = require('@opentelemetry/exporter-trace-otlp-proto');
const { OTLPTraceExporter: Grpc } = require('@opentelemetry/exporter-trace-otlp-grpc');
const { CompressionAlgorithm: C } = require('@opentelemetry/otlp-exporter-base');
const { ProtobufTraceSerializer } = require('@opentelemetry/otlp-transformer');

const [grpcPort, httpPort] = process.argv.slice(2);
const versions = ['sdk-trace-base', 'exporter-trace-otlp-http'].map(name =>
  `@opentelemetry/${name} ${require(`${process.cwd()}/node_modules/@opentelemetry/${name}/package.json`).version}`);
console.log(versions.join(', ') + ', node ' + process.version);

const memory = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] });
const tracer = provider.getTracer('live', '1.0');
for (let n = 0; n < 20; n++)
  tracer.startSpan(`span-${n}`).setAttribute('text', 'größe 日本 😀'.repeat(50)).setAttribute('list', ['a', 'b']).addEvent('e', { n: 1.5 }).end();
const spans = memory.getFinishedSpans();

const send = exporter => new Promise((resolve, reject) => exporter.export(spans, result => {
  if (result.code !== 0) return reject(result.error);
  exporter.shutdown().then(resolve);
}));
for (const compression of [C.NONE, C.GZIP]) {
  await send(new Grpc({ url: `http://127.0.0.1:${grpcPort}`, compression }));
  console.log(Buffer.from(ProtobufTraceSerializer.serializeRequest(spans)).toString('base64'));
  await send(new Proto({ url: `http://127.0.0.1:${httpPort}/v1/traces`, compression }));
  await send(new Json({ url: `http://127.0.0.1:${httpPort}/v1/traces`, compression }));
}

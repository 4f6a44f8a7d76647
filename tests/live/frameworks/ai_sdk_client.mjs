import { generateText, tool } from 'ai';
import * as ai from 'ai';
import { createOpenAI } from '@ai-sdk/openai';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { z } from 'zod';
const mode = process.argv[2];
const provider = new NodeTracerProvider({ resource: resourceFromAttributes({ 'service.name': 'live' }), spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: 'http://127.0.0.1:18318/v1/traces' }))] });
provider.register();
let telemetry = { isEnabled: true, functionId: 'live' };
try {
  const o = await import('@ai-sdk/otel');
  const T = mode === 'legacy' ? o.LegacyOpenTelemetry : o.OpenTelemetry;
  (ai.registerTelemetryIntegration ?? ai.registerTelemetry ?? (() => console.log(Object.keys(ai).filter(k => /elemetry/.test(k)))))(new T());
} catch (e) { console.log('otel', e.message); }
const openai = createOpenAI({ apiKey: 'sk-fake', baseURL: 'http://127.0.0.1:18999/v1' });
const read_file = tool({ description: 'reads', inputSchema: z.object({ path: z.string() }), execute: async ({ path }) => { if (path === 'missing.txt') throw new Error('missing.txt is not there'); return 'content of ' + path; } });
let messages = [];
const stop = (ai.stepCountIs ?? ai.isStepCount)(5);
for (const t of ['Read a.txt and missing.txt.', 'go on', 'go on']) {
  messages.push({ role: 'user', content: t });
  const r = await generateText({ model: openai.chat('stand-in-1'), messages, tools: { read_file }, stopWhen: stop, experimental_telemetry: telemetry, telemetry });
  messages.push(...(r.response?.messages ?? []));
}
await provider.shutdown();

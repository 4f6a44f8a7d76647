// The AI SDK, three turns of one conversation: node ai_sdk_client.mjs new|legacy
import * as ai from 'ai';
import { createOpenAI } from '@ai-sdk/openai';
import { LegacyOpenTelemetry, OpenTelemetry } from '@ai-sdk/otel';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { z } from 'zod';

const exporter = new OTLPTraceExporter({ url: 'http://127.0.0.1:18318/v1/traces' });
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'live' }),
  spanProcessors: [new BatchSpanProcessor(exporter)],
});
provider.register();
const register = ai.registerTelemetryIntegration ?? ai.registerTelemetry;
register(process.argv[2] === 'legacy' ? new LegacyOpenTelemetry() : new OpenTelemetry());

const openai = createOpenAI({ apiKey: 'sk-fake', baseURL: 'http://127.0.0.1:18999/v1' });
const read_file = ai.tool({
  description: 'Reads a file.',
  inputSchema: z.object({ path: z.string() }),
  execute: async ({ path }) => {
    if (path === 'missing.txt') throw new Error('missing.txt is not there');
    return `content of ${path}`;
  },
});
const messages = [];
for (const turn of ['Read a.txt and missing.txt.', 'go on', 'go on']) {
  messages.push({ role: 'user', content: turn });
  const result = await ai.generateText({
    model: openai.chat('stand-in-1'),
    messages,
    tools: { read_file },
    stopWhen: (ai.stepCountIs ?? ai.isStepCount)(5),
    experimental_telemetry: { isEnabled: true, functionId: 'live' },
    telemetry: { isEnabled: true, functionId: 'live' },
  });
  messages.push(...result.response.messages);
}
await provider.shutdown();

// Langfuse's JavaScript SDK: auth check, nested observations, scores, media, flush, shutdown.
//
//     LANGFUSE_BASE_URL=http://127.0.0.1:4318 node sdk.mjs SESSION
import { readFileSync } from "node:fs";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { startActiveObservation, startObservation, propagateAttributes } from "@langfuse/tracing";
import { LangfuseClient } from "@langfuse/client";

const lines = [];
for (const level of ["warn", "error"]) {
  console[level] = (...words) => lines.push(`${level}: ${words.map(String).join(" ")}`);
}
process.on("warning", (warning) => lines.push(`warning: ${warning.message}`));
process.on("unhandledRejection", (error) => lines.push(`unhandled rejection: ${error}`));

const session = process.argv[2];
const keys = { publicKey: "pk-lf-live", secretKey: "sk-lf-live-0123456789" };
const processor = new LangfuseSpanProcessor(keys);
const sdk = new NodeSDK({ spanProcessors: [processor] });
sdk.start();
const client = new LangfuseClient(keys);
const { version } = JSON.parse(readFileSync("node_modules/@langfuse/client/package.json"));

async function step(name, what) {
  const started = performance.now();
  let outcome;
  try {
    outcome = await what();
  } catch (error) {
    outcome = `${error.name}: ${String(error.message).slice(0, 160)}`;
  }
  console.log(`  ${name}: ${outcome ?? "done"} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}

const pixel = `data:image/png;base64,${Buffer.from("PNG not really").toString("base64")}`;
const ask = [{ role: "user", content: "Why is the build red?" }];
const call = { role: "assistant", content: null, tool_calls: [
  { id: "call_1", type: "function", function: { name: "run_tests", arguments: '{"path": "services"}' } }] };

console.log(`@langfuse/client ${version}, Node.js ${process.versions.node}`);
await step("projects.get", async () => (await client.api.projects.get()).data[0].name);
await step("trace, scores, media", () =>
  propagateAttributes({ sessionId: session, userId: "dev-alice", metadata: { workspace: "shop" } }, () =>
    startActiveObservation("agent", (agent) => {
      agent.update({ input: "Why is the build red?" });
      const first = startObservation("llm", { model: "stand-in", input: ask }, { asType: "generation" });
      first.update({ output: call, usageDetails: { input: 7, output: 3 } }).end();
      const tool = startObservation("run_tests", { input: { path: "services" }, metadata: { tool_call_id: "call_1" } }, { asType: "tool" });
      tool.update({ level: "ERROR", statusMessage: "ModuleNotFoundError: rates" }).end();
      const input = [...ask, call, { role: "tool", tool_call_id: "call_1", content: "ModuleNotFoundError: rates" }];
      startObservation("llm", { model: "stand-in", input }, { asType: "generation" })
        .update({ output: "The module billing.rates is gone." }).end();
      startObservation("screenshot", { input: { image: pixel } }).end();
      agent.update({ output: "The module billing.rates is gone." });
      client.score.create({ traceId: agent.traceId, name: "user-feedback", value: 1, dataType: "BOOLEAN", comment: "thumb" });
      client.score.create({ traceId: agent.traceId, name: "acceptance", value: "accepted", dataType: "CATEGORICAL" });
      client.score.create({ sessionId: session, name: "session-outcome", value: 0.9, dataType: "NUMERIC" });
      return "made";
    }, { asType: "agent" })));
await step("forceFlush", () => processor.forceFlush());
await step("score.flush", () => client.score.flush());
await step("shutdown", async () => { await client.shutdown(); await sdk.shutdown(); });
console.log(`  log lines and warnings: ${lines.length}`);
for (const line of lines) console.log(`    ${line.slice(0, 230)}`);

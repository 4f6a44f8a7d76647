// A small model behind the chat completions protocol, with answers held to the request's JSON schema.
//
//   npm install --ignore-scripts node-llama-cpp
//   node server.mjs MODEL.gguf PORT [echo]
//
// With `echo` the model is not run: every line comes back as it was sent, tokens are counted by the
// model's vocabulary. That measures what is asked in minutes where running the model takes hours.
//
// Node finds `node-llama-cpp` beside the file or in NODE_PATH's parent; run it from the folder of the install.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const resolved = createRequire(join(process.cwd(), "x.js")).resolve("node-llama-cpp");
const { getLlama, LlamaChatSession } = await import(pathToFileURL(resolved));

const [file, port, echo] = process.argv.slice(2);
const llama = await getLlama({ gpu: false, build: "never" });
const model = await llama.loadModel({ modelPath: file });
let busy = Promise.resolve();

function echoed(request) {
  const { lines } = JSON.parse(request.messages.find((m) => m.role === "user").content);
  const text = JSON.stringify({ lines: lines.map(({ id, text, claims }) => ({ id, text, claims })) });
  const count = (text) => model.tokenize(text).length;
  const read = request.messages.reduce((sum, message) => sum + count(message.content), 0);
  return {
    choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: text } }],
    usage: { prompt_tokens: read, completion_tokens: count(text), total_tokens: read + count(text) },
  };
}

async function complete(request) {
  if (echo) return echoed(request);
  const text = (role) => request.messages.filter((m) => m.role === role).map((m) => m.content).join("\n");
  const grammar = await llama.createGrammarForJsonSchema(request.response_format.json_schema.schema);
  const context = await model.createContext({ contextSize: 4096, threads: 1 });
  try {
    const sequence = context.getSequence();
    const session = new LlamaChatSession({ contextSequence: sequence, systemPrompt: text("system") });
    const answer = await session.promptWithMeta(text("user"), {
      grammar,
      maxTokens: request.max_tokens ?? request.max_completion_tokens,
      temperature: request.temperature ?? 0,
    });
    const used = sequence.tokenMeter;
    return {
      id: "chatcmpl-local",
      object: "chat.completion",
      model: request.model,
      choices: [{
        index: 0,
        finish_reason: answer.stopReason === "maxTokens" ? "length" : "stop",
        message: { role: "assistant", content: answer.responseText },
      }],
      usage: {
        prompt_tokens: used.usedInputTokens,
        completion_tokens: used.usedOutputTokens,
        total_tokens: used.usedInputTokens + used.usedOutputTokens,
      },
    };
  } finally {
    await context.dispose();
  }
}

createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const body = JSON.parse(Buffer.concat(parts).toString());
    busy = busy.then(async () => {
      const started = Date.now();
      try {
        const answer = await complete(body);
        console.log(JSON.stringify({ path: request.url, seconds: (Date.now() - started) / 1000, ...answer.usage,
          finish: answer.choices[0].finish_reason, text: answer.choices[0].message.content }));
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(answer));
      } catch (error) {
        console.log(JSON.stringify({ path: request.url, error: String(error) }));
        response.statusCode = 500;
        response.end(String(error));
      }
    });
  });
}).listen(Number(port), "127.0.0.1", () => console.log(`listening on ${port}`));

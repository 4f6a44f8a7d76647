#!/usr/bin/env python3
"""Claude Code itself asks `skillspan mcp`: it is told of it by `connect --mcp`, a stand-in for the model calls each tool,
and what the calls became in the table is looked at.

    mcp_claude.py target/release/skillspan path/to/claude

Everything is in a folder of its own on the loopback interface. What it printed: mcp-claude.txt.
"""
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


SKILL = {"name": "run-the-e2e-tests"}
STEPS = [("search_skills", {"words": "e2e tests"}), ("read_skill", SKILL), ("skill_evidence", SKILL),
         ("search_sessions", {"outcome": "failed"}), ("read_session", {"id": "no-such-session"}), ("report", {})]
seen = {}


def results(request):
    blocks = [block for message in request.get("messages", []) if isinstance(message.get("content"), list)
              for block in message["content"]]
    return [block for block in blocks if block.get("type") == "tool_result"]


def answer(request):
    done = results(request)
    for (name, _), result in zip(STEPS, done):
        text = result.get("content")
        text = text if isinstance(text, str) else "".join(part.get("text", "") for part in text or [])
        seen[name] = (bool(result.get("is_error")), text)
    if not request.get("tools"):
        block, reason = {"type": "text", "text": "Asked"}, "end_turn"
    elif len(done) < len(STEPS):
        name, given = STEPS[len(done)]
        block = {"type": "tool_use", "id": f"toolu_ask_{len(done)}", "name": f"mcp__skillspan__{name}", "input": given}
        reason = "tool_use"
    else:
        block, reason = {"type": "text", "text": "The team has one skill for that."}, "end_turn"
    message = {"id": f"msg_{len(done)}", "type": "message", "role": "assistant", "model": request.get("model"),
               "content": [], "stop_reason": None, "stop_sequence": None,
               "usage": {"input_tokens": 10, "output_tokens": 5}}
    yield "message_start", {"type": "message_start", "message": message}
    start = {"type": "text", "text": ""} if block["type"] == "text" else {**block, "input": {}}
    delta = ({"type": "text_delta", "text": block["text"]} if block["type"] == "text"
             else {"type": "input_json_delta", "partial_json": json.dumps(block["input"])})
    yield "content_block_start", {"type": "content_block_start", "index": 0, "content_block": start}
    yield "content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta}
    yield "content_block_stop", {"type": "content_block_stop", "index": 0}
    yield "message_delta", {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None},
                            "usage": {"output_tokens": 5}}
    yield "message_stop", {"type": "message_stop"}


class Model(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        if not self.path.split("?")[0].endswith("/messages"):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"input_tokens": 10}')
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for event, data in answer(body):
            self.wfile.write(f"event: {event}\ndata: {json.dumps(data)}\n\n".encode())

    def log_message(self, *_):
        pass


def main():
    skillspan, claude = (os.path.abspath(path) for path in sys.argv[1:3])
    root = tempfile.mkdtemp()
    os.makedirs(f"{root}/bin")
    os.symlink(skillspan, f"{root}/bin/skillspan")
    node = os.path.dirname(subprocess.run(["which", "node"], capture_output=True, text=True).stdout.strip())
    environment = {"HOME": root, "PATH": f"{root}/bin:{os.path.dirname(claude)}:{node}:/usr/bin:/bin"}
    run = lambda *words, **more: subprocess.run(words, env=environment, cwd=root, capture_output=True, text=True, **more)
    run("skillspan", "demo", "--out", f"{root}/demo").check_returncode()
    with open(f"{root}/more.yaml", "w") as file:
        file.write("extensions:\n  health: { endpoint: 127.0.0.1:43134 }\n  console: { endpoint: 127.0.0.1:43201 }\n"
                   "receivers:\n  otlp: { protocols: { grpc: { endpoint: 127.0.0.1:43171 }, http: { endpoint: "
                   "127.0.0.1:43181 } } }\n")
    configs = ["--config", f"{root}/demo/skillspan.yaml", "--config", f"{root}/more.yaml"]
    process = subprocess.Popen(["skillspan", "run", "--quiet", *configs], env=environment, cwd=root,
                               stderr=subprocess.DEVNULL)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen("http://127.0.0.1:43134/ready", timeout=1)
                break
            except OSError:
                time.sleep(0.1)
        print(run("claude", "--version").stdout.strip())
        told = run("skillspan", "connect", "claude-code", "--write", "--endpoint", "http://127.0.0.1:43181",
                   "--user", "ana@example.com")
        told.check_returncode()
        told = run("skillspan", "connect", "claude-code", "--mcp", "--write", "--console", "http://127.0.0.1:43201")
        told.check_returncode()
        environment.update(ANTHROPIC_BASE_URL=f"http://127.0.0.1:{server.server_port}", ANTHROPIC_API_KEY="sk-live",
                           DISABLE_AUTOUPDATER="1", OTEL_BSP_SCHEDULE_DELAY="100", OTEL_BLRP_SCHEDULE_DELAY="100")
        print(run("claude", "mcp", "list", timeout=60).stdout.strip())
        done = run("claude", "-p", "How do I run the e2e tests here?", "--allowedTools", "mcp__skillspan", timeout=120)
        print("claude:", done.returncode, done.stdout.strip(), done.stderr.strip()[:300])
        for name, _ in STEPS:
            is_error, text = seen.get(name, (None, ""))
            first = next((line for line in text.splitlines() if line.startswith("| ")), text)
            print(f"{name}: is_error {is_error}, {len(text)} characters, marked {'never an instruction' in text}: {first[:110]}")
        urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:43134/flush", method="POST"), timeout=30).read()
        lines = run("skillspan", "sessions", "list", "--json", *configs).stdout.splitlines()
        session = next(one for one in map(json.loads, lines) if one["user_id"] == "ana@example.com")
        facts = json.loads(run("skillspan", "sessions", "show", session["id"], "--json", *configs).stdout)["facts"]
        for fact in facts:
            if fact["kind"] in ("tool_call", "tool_result"):
                print(fact["kind"], fact.get("tool"), fact.get("status", ""), fact.get("input", "")[:60])
        assert set(seen) == {name for name, _ in STEPS}, seen.keys()
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()

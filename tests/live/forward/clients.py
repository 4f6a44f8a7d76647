#!/usr/bin/env python3
"""Real clients → skillspan → a recording backend, rotel and a recording stand-in of a Langfuse server; what arrived beside
what each client sent.

    clients.py SKILLSPAN CLAUDE NODE_FOLDER ROTEL_AGENT

Run by a Python that has langfuse, opentelemetry-sdk and opentelemetry-exporter-otlp; NODE_FOLDER has OpenTelemetry for
JavaScript as transcript-clients.txt names them; ROTEL_AGENT is in the wheel `rotel`. Between each client and skillspan stands a
tap that keeps what passes. Everything is in a folder of its own on the loopback interface.
"""
import base64
import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

HERE = Path(__file__).resolve().parent
MESSAGES = {"traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest, "metrics": ExportMetricsServiceRequest}
PAIR = ("pk-lf-a-client", "sk-lf-a-client-0123456789")
PROJECT = ("pk-lf-of-the-project", "sk-lf-of-the-project")


def basic(pair):
    return "Basic " + base64.b64encode(":".join(pair).encode()).decode()


def port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Recorder:
    """Keeps every POST as (path, headers, body without compression) and answers, or passes it on to another port."""

    def __init__(self, number, onward=None):
        self.kept, lock = [], threading.Lock()
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def body(self):
                if self.headers.get("transfer-encoding", "").lower() != "chunked":
                    return self.rfile.read(int(self.headers.get("content-length") or 0))
                whole = b""
                while size := int(self.rfile.readline(), 16):
                    whole += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return whole

            def any(self):
                sent = self.body()
                plain = gzip.decompress(sent) if self.headers.get("content-encoding") == "gzip" else sent
                if self.command == "POST":
                    with lock:
                        recorder.kept.append((self.path, {k.lower(): v for k, v in self.headers.items()}, plain))
                status, kind, answer = self.passed_on(sent) if onward else self.answer(plain)
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = any

            def passed_on(self, sent):
                upstream = HTTPConnection("127.0.0.1", onward, timeout=30)
                leave = ("transfer-encoding", "content-length", "connection", "host")
                headers = {k: v for k, v in self.headers.items() if k.lower() not in leave}
                upstream.request(self.command, self.path, sent if self.command == "POST" else None, headers)
                answer = upstream.getresponse()
                return answer.status, answer.getheader("content-type") or "", answer.read()

            def answer(self, plain):
                if self.path.endswith("/ingestion"):
                    done = [{"id": event["id"], "status": 201} for event in json.loads(plain)["batch"]]
                    return 207, "application/json", json.dumps({"successes": done, "errors": []}).encode()
                return 200, "application/x-protobuf", b""

            def log_message(self, *_):
                pass

        self.number = number
        server = ThreadingHTTPServer(("127.0.0.1", number), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()


def signal_of(path):
    return path.rsplit("/", 1)[1]


def records(kept, signal):
    """Every record of the protobuf bodies with its resource and scope, as bytes."""
    found = []
    for path, headers, body in kept:
        if signal_of(path) != signal or "protobuf" not in headers["content-type"]:
            continue
        for group in getattr(MESSAGES[signal].FromString(body), f"resource_{'spans' if signal == 'traces' else signal}"):
            for inner in getattr(group, f"scope_{'spans' if signal == 'traces' else signal}"):
                around = (group.resource.SerializeToString(), inner.scope.SerializeToString())
                own = {"traces": "spans", "logs": "log_records", "metrics": "metrics"}[signal]
                found += [(*around, record.SerializeToString()) for record in getattr(inner, own)]
    return found


failures = []


def compare(what, sent, arrived, strip=""):
    """Bytes of each path in their order, else field for field; says which."""
    for path in sorted({path for path, *_ in sent}):
        of = lambda kept, path: [body for at, _, body in kept if at == path]
        mine, theirs = of(sent, path), of(arrived, path.replace(strip, "", 1))
        signal, count = signal_of(path), ""
        if signal in MESSAGES:
            count = f", {len(records([one for one in sent if one[0] == path], signal))} records in protobuf"
        if not theirs and b"".join(mine):
            verdict = "NOTHING ARRIVED"
        elif b"".join(mine) == b"".join(theirs):
            verdict = "byte for byte, in order"
        elif sorted(mine) == sorted(theirs):
            verdict = "byte for byte, each body"
        elif signal in MESSAGES and sorted(records([o for o in sent if o[0] == path], signal)) == sorted(
                records([o for o in arrived if o[0] == path.replace(strip, "", 1)], signal)):
            verdict = "field for field, each record once"
        else:
            verdict = "DIFFERS"
        if verdict.isupper():
            failures.append((what, path))
        print(f"  {what} {path}: {len(mine)} requests, {sum(map(len, mine))} bytes{count} -> {len(theirs)} requests: {verdict}")


class Site:
    def __init__(self, skillspan, rotel):
        self.folder = Path(tempfile.mkdtemp())
        self.http, self.grpc, self.health, otlp, langfuse, self.rotel, behind, spare = (port() for _ in range(8))
        self.otlp, self.langfuse, self.behind = Recorder(otlp), Recorder(langfuse), Recorder(behind)
        config = self.folder / "config.yaml"
        config.write_text(f"""extensions:
  health: {{ endpoint: 127.0.0.1:{self.health} }}
  console: {{ enabled: false }}
  sessions_table: {{ path: {self.folder}/sessions }}
receivers: {{ otlp: {{ protocols: {{ grpc: {{ endpoint: 127.0.0.1:{self.grpc} }}, http: {{ endpoint: 127.0.0.1:{self.http} }} }} }} }}
exporters:
  filesystem: {{ path: {self.folder}/skills }}
  otlphttp/recording: {{ endpoint: "http://127.0.0.1:{otlp}" }}
  otlp/rotel: {{ endpoint: "http://127.0.0.1:{self.rotel}" }}
  langfuse/project:
    endpoint: http://127.0.0.1:{langfuse}
    keys: {{ default: {{ public_key: {PROJECT[0]}, secret_key: {PROJECT[1]} }} }}
service:
  journal: {{ path: {self.folder}/journal }}
  pipelines:
    sessions: {{}}
    traces: {{ receivers: [otlp, langfuse], exporters: [otlphttp/recording, otlp/rotel, langfuse/project] }}
    logs: {{ receivers: [otlp], exporters: [otlphttp/recording, otlp/rotel] }}
    metrics: {{ receivers: [otlp], exporters: [otlphttp/recording, otlp/rotel] }}
""")
        self.processes = [
            subprocess.Popen([rotel, "start", "--otlp-grpc-endpoint", f"127.0.0.1:{self.rotel}", "--otlp-http-endpoint",
                              f"127.0.0.1:{spare}", "--disable-batching", "--exporter", "otlp", "--otlp-exporter-endpoint",
                              f"http://127.0.0.1:{behind}", "--otlp-exporter-protocol", "http"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
            subprocess.Popen([skillspan, "run", "--quiet", "--config", config], env={"HOME": str(self.folder)},
                             stderr=open(self.folder / "log", "w")),
        ]
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.health}/ready", timeout=1)
                break
            except OSError:
                time.sleep(0.1)

    def settle(self):
        """Waits until nothing waits any more, and rotel has passed it on."""
        while True:
            text = urllib.request.urlopen(f"http://127.0.0.1:{self.health}/metrics").read().decode()
            if not sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith("skillspan_forward_waiting{")):
                break
            time.sleep(0.2)
        time.sleep(2)

    def forget(self):
        for recorder in (self.otlp, self.langfuse, self.behind):
            recorder.kept.clear()

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
            process.wait()


def behind_rotel(what, site, sent):
    for name in MESSAGES:
        mine, theirs = sorted(records(sent, name)), sorted(records(site.behind.kept, name))
        if mine:
            same = mine == theirs
            if not same:
                failures.append((what, "rotel"))
            print(f"  {what}, {name} behind rotel, over gRPC: {len(mine)} records -> {len(theirs)}: "
                  f"{'field for field, each once' if same else 'DIFFERS'}")


def claude_code(site, skillspan, claude):
    said = subprocess.run([claude, "--version"], capture_output=True, text=True).stdout.strip()
    print(f"Claude Code {said}")
    tap = Recorder(port(), onward=site.http)
    home, model = site.folder / "home", port()
    (home / "work").mkdir(parents=True)
    (home / "work/Makefile").write_text("test-integration:\n\t@test -f up || { echo refused; exit 2; }\n\t@echo '5 passed'\n"
                                        "db-up:\n\t@touch up\n")
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "TERM": "dumb", "CI": ""}
    subprocess.run([skillspan, "connect", "claude-code", "--write", "--endpoint", f"http://127.0.0.1:{tap.number}",
                    "--user", "ana@example.com"], env=env, check=True, stdout=subprocess.DEVNULL)
    standin = subprocess.Popen([sys.executable, HERE.parent / "model.py", str(model)], stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        env |= {"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{model}", "ANTHROPIC_API_KEY": "sk-ant-fake", "DISABLE_AUTOUPDATER": "1",
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "OTEL_METRIC_EXPORT_INTERVAL": "1000"}
        ran = subprocess.run([claude, "-p", "Run the integration tests and tell me if they pass.", "--allowedTools", "Bash"], env=env,
                             cwd=home / "work", capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
        print(f"  exit code {ran.returncode}: {ran.stdout.strip()[:80]}")
    finally:
        standin.terminate()
    site.settle()
    compare("claude", tap.kept, site.otlp.kept)
    behind_rotel("claude", site, tap.kept)
    site.forget()


def javascript(site, node_folder):
    tap = Recorder(port(), onward=site.http)
    ran = subprocess.run(["node", HERE / "clients.mjs", str(site.grpc), str(tap.number)], cwd=node_folder, capture_output=True, text=True)
    print(ran.stdout.strip().splitlines()[0], ran.stderr.strip()[:300])
    sent = list(tap.kept)
    for line in ran.stdout.splitlines()[1:]:
        # What goes over gRPC passes no tap: the SDK's own serializer says what it sends.
        sent.append(("/v1/traces", {"content-type": "application/x-protobuf"}, base64.b64decode(line)))
    site.settle()
    protobuf = [one for one in site.otlp.kept if "protobuf" in one[1]["content-type"]]
    same = sorted(records(sent, "traces")) == sorted(records(protobuf, "traces"))
    text = lambda kept: [body for _, headers, body in kept if "json" in headers["content-type"]]
    print(f"  protobuf over HTTP and gRPC: {len(records(sent, 'traces'))} spans, field for field, each once: {same}")
    print(f"  JSON: {len(text(sent))} requests, byte for byte: {text(sent) == text(site.otlp.kept)}")
    if not (same and text(sent) and text(sent) == text(site.otlp.kept)):
        failures.append(("javascript", "differs"))
    spans = {record[2] for record in records(sent, "traces")}
    behind = [record[2] for record in records(site.behind.kept, "traces")]
    # JSON becomes protobuf for gRPC: the same spans once more.
    print(f"  behind rotel, JSON as protobuf: {len(behind)} spans of {len(set(behind))}, the same: {set(behind) == spans}")
    if set(behind) != spans:
        failures.append(("javascript", "rotel"))
    site.forget()


def langfuse(site, skillspan):
    tap = Recorder(port(), onward=site.http)
    env = {**os.environ, "LANGFUSE_BASE_URL": f"http://127.0.0.1:{tap.number}", "LANGFUSE_HOST": f"http://127.0.0.1:{tap.number}"}
    ran = subprocess.run([sys.executable, HERE.parent / "langfuse/sdk.py", "live-1"], env=env, capture_output=True, text=True, timeout=120)
    print(ran.stdout.strip(), ran.stderr.strip()[:300])
    # Version 2 of the SDK and scores of versions 3 and 4 go here; as they send it.
    events = [{"id": f"e-{n}", "type": kind, "timestamp": "2026-11-30T12:00:00Z", "body": {"id": f"t-{n}", "name": "n", "input": "größe 日本"}}
              for n, kind in enumerate(("trace-create", "event-create"))]
    body = json.dumps({"batch": events, "metadata": {"sdk_name": "python"}}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{tap.number}/api/public/ingestion", body,
                                     {"content-type": "application/json", "authorization": basic(PAIR)})
    urllib.request.urlopen(request).read()
    site.settle()
    sent = [one for one in tap.kept if not one[0].endswith("/media")]
    compare("langfuse", sent, site.langfuse.kept)
    keys = {headers["authorization"] for _, headers, _ in site.langfuse.kept}
    print("  only the project's keys arrived:", keys == {basic(PROJECT)})
    shown = {headers.get("authorization", "") for _, headers, _ in tap.kept}
    found = set()
    for path in site.folder.rglob("*"):
        if path.is_file() and path.name != "config.yaml":
            text = path.read_bytes()
            found |= {one for one in shown for part in (one, base64.b64decode(one.split()[1]).split(b":")[1].decode())
                      if part.encode() in text}
    print(f"  {len(shown)} pairs of clients; of them on the disk: {len(found)}")
    if keys != {basic(PROJECT)} or found:
        failures.append(("langfuse", "keys"))
    site.forget()


def main():
    skillspan, claude, node_folder, rotel = (os.path.abspath(path) for path in sys.argv[1:5])
    print(subprocess.run([skillspan, "--version"], capture_output=True, text=True).stdout.strip() + ",",
          subprocess.run([rotel, "--version"], capture_output=True, text=True).stdout.strip() + ",",
          ", ".join(f"{name} {version(name)}" for name in ("langfuse", "opentelemetry-sdk")))
    site = Site(skillspan, rotel)
    try:
        claude_code(site, skillspan, claude)
        javascript(site, node_folder)
        langfuse(site, skillspan)
        log = (site.folder / "log").read_text()
        print("warnings and errors in the log:", len(re.findall(r"WARN|ERROR", log)))
    finally:
        site.stop()
    print("failed:", failures or "nothing")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()

"""What forwarding costs: cost.py SKILLSPAN RATE SECONDS [KEYS]. Sends RATE requests a second (open loop, four
connections, five spans of 2 kB each as protobuf) to a service without and with a backend, several times in turn, and
prints CPU time, memory and how long answers took. KEYS are added to the exporter, such as ', compression: none'."""
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

skillspan, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
keys = sys.argv[4] if len(sys.argv) > 4 else ""
HEALTH, GRPC, HTTP, BACKEND = 22433, 25417, 25418, 25419
TEXT = " ".join(f"let value_{n} = reader.next_field(&mut buffer)?; // line {n}" for n in range(32))


def request(number):
    message = ExportTraceServiceRequest()
    group = message.resource_spans.add()
    attribute = group.resource.attributes.add(key="service.name")
    attribute.value.string_value = "load"
    scope = group.scope_spans.add()
    for index in range(5):
        span = scope.spans.add(name="execute_tool bash", start_time_unix_nano=time.time_ns(), end_time_unix_nano=time.time_ns())
        span.trace_id, span.span_id = os.urandom(16), os.urandom(8)
        for key, text in (("gen_ai.operation.name", "execute_tool"), ("gen_ai.tool.name", "bash"), ("session.id", f"s-{number % 50}"),
                          ("gen_ai.tool.call.arguments", json.dumps({"command": TEXT}))):
            span.attributes.add(key=key).value.string_value = text
    return message.SerializeToString()


def sink():
    """Takes everything and says so."""
    server = socket.create_server(("127.0.0.1", BACKEND))
    got = [0, 0]

    def serve(connection):
        stream = connection.makefile("rb")
        while line := stream.readline():
            length = 0
            while (line := stream.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            stream.read(length)
            got[0] += 1
            got[1] += length
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    def accept():
        while True:
            threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return got


def cpu(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak(pid):
    return int(next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")).split()[1]) // 1024


def run(forwards, bodies, got):
    with tempfile.TemporaryDirectory() as folder:
        exporter = f'  otlphttp/sink: {{ endpoint: "http://127.0.0.1:{BACKEND}"{keys} }}\n' if forwards else ""
        pipeline = "    traces: { receivers: [otlp], exporters: [otlphttp/sink] }\n" if forwards else ""
        config = Path(folder) / "config.yaml"
        config.write_text(
            f"extensions: {{ health: {{ endpoint: 127.0.0.1:{HEALTH} }}, console: {{ enabled: false }}, sessions_table: {{ path: {folder}/sessions }} }}\n"
            f"receivers: {{ otlp: {{ protocols: {{ grpc: {{ endpoint: 127.0.0.1:{GRPC} }}, http: {{ endpoint: 127.0.0.1:{HTTP} }} }} }} }}\n"
            f"exporters:\n  filesystem: {{ path: {folder}/skills }}\n{exporter}"
            f"service:\n  journal: {{ path: {folder}/journal }}\n  pipelines:\n    sessions: {{}}\n{pipeline}")
        process = subprocess.Popen([skillspan, "run", "--quiet", "--config", config], stderr=subprocess.DEVNULL, env={"HOME": folder})
        try:
            while True:
                try:
                    http.client.HTTPConnection("127.0.0.1", HEALTH).request("GET", "/ready")
                    break
                except ConnectionError:
                    time.sleep(0.1)
            time.sleep(1)
            before, sent = cpu(process.pid), got[0]
            took, lock = [], threading.Lock()
            start = time.time() + 0.2

            def client(lane):
                connection = http.client.HTTPConnection("127.0.0.1", HTTP, timeout=30)
                for number in range(lane, int(rate * seconds), 4):
                    due = start + number / rate
                    time.sleep(max(0, due - time.time()))
                    connection.request("POST", "/v1/traces", bodies[number % len(bodies)], {"content-type": "application/x-protobuf"})
                    answer = connection.getresponse()
                    answer.read()
                    assert answer.status == 200, answer.status
                    with lock:
                        took.append(time.time() - due)

            lanes = [threading.Thread(target=client, args=(lane,)) for lane in range(4)]
            [lane.start() for lane in lanes]
            [lane.join() for lane in lanes]
            time.sleep(2)
            spent, memory = cpu(process.pid) - before, peak(process.pid)
            took.sort()
            at = lambda part: round(1000 * took[min(len(took) - 1, int(len(took) * part))], 1)
            name = "forwards" if forwards else "stores alone"
            print(f"{name:>12}: {len(took)} requests, CPU {1000 * spent / len(took):.3f} ms each, at most {memory} MiB, answers p50 {at(.5)} "
                  f"p90 {at(.9)} p99 {at(.99)} max {at(1)} ms; sent on in {got[0] - sent} requests; load {os.getloadavg()[0]:.1f}", flush=True)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


got = sink()
bodies = [request(number) for number in range(200)]
print(f"{len(bodies[0])} bytes a request, {rate:g} a second")
for _ in range(3):
    run(False, bodies, got)
    run(True, bodies, got)

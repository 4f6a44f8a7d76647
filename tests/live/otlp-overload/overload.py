"""Many large requests at once, and the memory they take; each is sent again until it is accepted.

    overload.py BINARY [--clients 64] [--mib 60] [--limit 512MiB] [--case NAME …]

Starts BINARY for every case (peaks are per process) on ports of its own, in a folder of its own, without a
skills pipeline: mining reads sessions, not requests. By hand: at full size every case is gigabytes of traffic.
gRPC needs the package grpcio; compressed gRPC needs h2, because grpcio compresses anew with every attempt, which
takes these clients all processors for minutes.
"""
import argparse, collections, gzip, http.client, json, pathlib, socket, subprocess, sys, tempfile, threading, time

arguments = argparse.ArgumentParser()
arguments.add_argument("binary")
arguments.add_argument("--clients", type=int, default=64)
arguments.add_argument("--mib", type=int, default=60)
arguments.add_argument("--limit", default="512MiB")
arguments.add_argument("--case", action="append")
arguments = arguments.parse_args()

# A record of about 114 kB: one large text, or a thousand small attributes.
TEXT = "".join(f"line {n}: the widgets were bumped by nobody in particular\n" for n in range(2000))
def attributes(shape, n):
    own = {"event.name": "user_prompt", "session.id": "s", "prompt.id": f"p{n}"}
    if shape == "texts":
        return own | {"prompt": TEXT}
    return own | {"prompt": "bump"} | {f"attribute.{k}": f"value {k} of {n}" for k in range(1500)}

def as_json(shape, size):
    def record(n):
        pairs = [{"key": k, "value": {"stringValue": v}} for k, v in attributes(shape, n).items()]
        return json.dumps({"timeUnixNano": str(1790000000000000000 + n), "attributes": pairs})
    count = size // len(record(9999))
    head = '{"resourceLogs":[{"scopeLogs":[{"scope":{"name":"com.anthropic.claude_code.events"},"logRecords":['
    return (head + ",".join(map(record, range(count))) + "]}]}]}").encode()

def field(number, value):
    length, out = len(value), bytearray([number << 3 | 2])
    while length > 127:
        out.append(length & 127 | 128)
        length >>= 7
    out.append(length)
    return bytes(out) + value

def as_protobuf(shape, size):
    def record(n):
        pairs = (field(6, field(1, k.encode()) + field(2, field(1, v.encode()))) for k, v in attributes(shape, n).items())
        return field(2, b"\x09" + (1790000000000000000 + n).to_bytes(8, "little") + b"".join(pairs))
    count = size // len(record(9999))
    scope = field(1, field(1, b"com.anthropic.claude_code.events"))
    return field(1, field(2, scope + b"".join(map(record, range(count)))))

CASES = {
    "json texts http": ("json", "texts", "http", "identity"),
    "json texts http gzip": ("json", "texts", "http", "gzip"),
    "json attributes http": ("json", "attributes", "http", "identity"),
    "protobuf texts http": ("protobuf", "texts", "http", "identity"),
    "protobuf attributes http gzip": ("protobuf", "attributes", "http", "gzip"),
    "protobuf texts grpc": ("protobuf", "texts", "grpc", "identity"),
    "protobuf attributes grpc gzip": ("protobuf", "attributes", "grpc", "gzip"),
}

def start(folder):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets: s.close()
    config = folder / "skillspan.yaml"
    config.write_text(f"""extensions:
  health: {{ endpoint: 127.0.0.1:{ports[2]} }}
  sessions_table: {{ path: {folder}/sessions }}
receivers:
  otlp: {{ protocols: {{
    grpc: {{ endpoint: 127.0.0.1:{ports[0]}, max_message: {arguments.mib + 1}MiB }},
    http: {{ endpoint: 127.0.0.1:{ports[1]}, max_body: {arguments.mib + 1}MiB }} }} }}
service:
  journal: {{ path: {folder}/journal, max_size: 4GiB }}
  memory_limit: {arguments.limit}
  pipelines:
    sessions: {{ receivers: [otlp], processors: [redact, workspace, limits], exporters: [parquet] }}
""")
    log = open(folder / "log", "w")
    process = subprocess.Popen([arguments.binary, "run", "--config", config], stderr=log, stdout=log)
    return process, ports

def ask(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()

def memory(pid, what):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(what))) / 1024

def over_http(port, headers, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request("POST", "/v1/logs", body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode(errors="replace")[-90:]

def over_grpc(port, body):
    import grpc
    options = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        export = channel.unary_unary("/opentelemetry.proto.collector.logs.v1.LogsService/Export")
        try:
            export(body, timeout=600)
            return 200, ""
        except grpc.RpcError as error:
            retry = error.code() in (grpc.StatusCode.UNAVAILABLE,)
            return 503 if retry else str(error.code()), error.details()[-90:]

def over_compressed_grpc(port, body):
    import h2.config, h2.connection, h2.events
    message = b"\x01" + len(body).to_bytes(4, "big") + body
    connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    with socket.create_connection(("127.0.0.1", port), timeout=600) as stream:
        connection.initiate_connection()
        connection.send_headers(1, [
            (":method", "POST"), (":scheme", "http"), (":authority", "x"),
            (":path", "/opentelemetry.proto.collector.logs.v1.LogsService/Export"),
            ("te", "trailers"), ("content-type", "application/grpc"), ("grpc-encoding", "gzip")])
        said, sent, ended = {}, 0, False
        while not ended:
            while sent < len(message) and (room := min(connection.local_flow_control_window(1), 16384)) > 0:
                part = message[sent:sent + room]
                sent += len(part)
                connection.send_data(1, part, end_stream=sent == len(message))
            stream.sendall(connection.data_to_send())
            for event in connection.receive_data(stream.recv(65536)):
                if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                    said |= dict(event.headers)
                ended |= isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset, h2.events.ConnectionTerminated))
            sent = len(message) if ended else sent
    status = said.get("grpc-status", "none")
    return {"0": 200, "14": 503}.get(status, f"grpc-status {status}"), said.get("grpc-message", "")[-90:]

def run(name):
    encoding, shape, transport, coding = CASES[name]
    body = (as_json if encoding == "json" else as_protobuf)(shape, arguments.mib << 20)
    size = len(body)
    if coding == "gzip":
        body = gzip.compress(body, 1)
    headers = {"content-type": "application/json" if encoding == "json" else "application/x-protobuf",
               "content-encoding": coding}
    folder = pathlib.Path(tempfile.mkdtemp(prefix="skillspan-overload-"))
    process, (grpc_port, http_port, health_port) = start(folder)
    try:
        while True:
            time.sleep(0.1)
            try:
                if ask(health_port, "/ready")[0] == 200: break
            except OSError: pass
            if process.poll() is not None: sys.exit((folder / "log").read_text())
        rest = memory(process.pid, "VmRSS")
        answers, states = collections.Counter(), collections.Counter()
        def send():
            while True:
                try:
                    if transport == "http": status, said = over_http(http_port, headers, body)
                    elif coding == "gzip": status, said = over_compressed_grpc(grpc_port, body)
                    else: status, said = over_grpc(grpc_port, body)
                except Exception as error:
                    status, said = "broken", repr(error)[:80]
                answers[status, said] += 1
                if status != 503: return
                time.sleep(5)
        threads = [threading.Thread(target=send) for _ in range(arguments.clients)]
        began = time.time()
        for thread in threads: thread.start()
        asked = anonymous = 0
        while any(thread.is_alive() for thread in threads):
            anonymous = max(anonymous, memory(process.pid, "RssAnon"))
            if time.time() - asked > 0.5:
                states[ask(health_port, "/ready")[0]] += 1
                asked = time.time()
            time.sleep(0.01)
        took = time.time() - began
        after = ask(health_port, "/ready")[0]
        peak = memory(process.pid, "VmHWM")
        print(f"{name}: {arguments.clients} × {size / 2**20:.1f} MiB ({len(body) / 2**20:.1f} on the wire), memory_limit {arguments.limit}")
        print(f"  peak {peak:.0f} MiB resident, {anonymous:.0f} of it anonymous, {rest:.0f} at rest; {took:.0f} s; /ready {dict(states)}, {after} afterwards")
        for (status, said), count in sorted(answers.items(), key=str): print(f"  {count:5} × {status} {said}")
    finally:
        process.terminate()
        process.wait()
        subprocess.run(["rm", "-rf", folder])
    sys.stdout.flush()

for name in arguments.case or CASES: run(name)

"""What one replica holds: events a second, CPU seconds, memory, bytes. By hand, with an optimised build:

    capacity.py target/release/skillspan [--requests 2000] [--records 100] [--per-session 50] [--texts DIR] [--clients 8]

A replica as the chart runs it beside a worker (the sessions pipeline alone, redaction on, fsync) on a folder
and on ports of its own, and clients on the same machine, which take their share of its cores: what one event
costs in CPU time is what to reckon with, events a second are for this machine as it was. A record is a prompt
of about 3.3 kB, cut from the Rust sources below --texts, over OTLP/HTTP as protobuf. What a row takes on the
disk means something only where those are larger than the 66 MB of texts that the bodies hold by default.
"""
import argparse, http.client, json, os, pathlib, signal, socket, subprocess, sys, tempfile, threading, time

arguments = argparse.ArgumentParser()
arguments.add_argument("binary", type=pathlib.Path)
arguments.add_argument("--requests", type=int, default=2000)
arguments.add_argument("--records", type=int, default=100, help="in a request")
arguments.add_argument("--per-session", type=int, default=50, help="records; each request has sessions of its own")
arguments.add_argument("--texts", type=pathlib.Path, default=pathlib.Path(__file__).parents[2] / "src")
arguments.add_argument("--clients", type=int, default=8)
arguments = arguments.parse_args()

TEXT_BYTES = 3300
BODIES = 200
TICKS = os.sysconf("SC_CLK_TCK")


def sources():
    """So much text as the bodies need, if there is so much."""
    texts = bytearray()
    for path in sorted(arguments.texts.rglob("*.rs")):
        texts += path.read_bytes()
        if len(texts) > (BODIES * arguments.records + 1) * TEXT_BYTES:
            break
    return bytes(texts)


SOURCES = sources()


def field(number, value):
    length, out = len(value), bytearray([number << 3 | 2])
    while length > 127:
        out.append(length & 127 | 128)
        length >>= 7
    out.append(length)
    return bytes(out) + value


def template(number):
    """A request's body, with REQUEST0 where its own number goes, so that no two are alike."""
    def record(n):
        begin = (number * arguments.records + n) * TEXT_BYTES % (len(SOURCES) - TEXT_BYTES)
        text = SOURCES[begin:begin + TEXT_BYTES].decode(errors="ignore").encode()
        session = b"REQUEST0-%d" % (n // arguments.per_session)
        pairs = {b"event.name": b"user_prompt", b"session.id": session, b"prompt.id": b"REQUEST0-%d" % n, b"prompt": text,
                 b"user.id": b"u-REQUEST0", b"terminal.type": b"vscode", b"app.version": b"2.1.0"}
        attributes = (field(6, field(1, key) + field(2, field(1, value))) for key, value in pairs.items())
        return field(2, b"\x09" + (time.time_ns() + n).to_bytes(8, "little") + b"".join(attributes))
    scope = field(1, field(1, b"com.anthropic.claude_code.events"))
    return field(1, field(2, scope + b"".join(record(n) for n in range(arguments.records))))


class Load:
    def __init__(self, port, bodies):
        self.port, self.bodies, self.lock = port, bodies, threading.Lock()
        self.next, self.refused, self.waits = 0, 0, []

    def client(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        while True:
            with self.lock:
                number, self.next = self.next, self.next + 1
            if number >= arguments.requests:
                return
            body = self.bodies[number % len(self.bodies)].replace(b"REQUEST0", b"%08d" % number)
            while True:
                began = time.monotonic()
                connection.request("POST", "/v1/logs", body, {"content-type": "application/x-protobuf"})
                answer = connection.getresponse()
                said = answer.read()
                if answer.status == 200:
                    self.waits.append(time.monotonic() - began)
                    break
                if answer.status not in (429, 503):
                    sys.exit(f"{answer.status}: {said[:200]}")
                self.refused += 1
                time.sleep(float(answer.getheader("retry-after") or 0.2))


def asked(port, method, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request(method, path)
    answer = connection.getresponse()
    return answer.status, answer.read()


def cpu(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid, what):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(what + ":"))) / 1024


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def start(folder):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    port, health = (s.getsockname()[1] for s in sockets)
    for s in sockets:
        s.close()
    config = folder / "skillspan.yaml"
    config.write_text(f"""extensions:
  health: {{ endpoint: 127.0.0.1:{health} }}
  sessions_table: {{ path: {folder}/sessions }}
receivers:
  otlp: {{ protocols: {{ http: {{ endpoint: 127.0.0.1:{port} }} }} }}
service:
  journal: {{ path: {folder}/journal }}
  pipelines: {{ sessions: {{ receivers: [otlp], processors: [redact, workspace, limits], exporters: [parquet] }} }}
""")
    log = open(folder / "log", "w")
    process = subprocess.Popen([arguments.binary, "run", "--config", config], stdout=log, stderr=log)
    while True:
        try:
            if asked(health, "GET", "/ready")[0] == 200:
                return process, port, health, config
        except OSError:
            pass
        if process.poll() is not None:
            sys.exit((folder / "log").read_text())
        time.sleep(0.05)


def main():
    bodies = [template(number) for number in range(BODIES)]
    events = arguments.requests * arguments.records
    sessions = arguments.requests * -(-arguments.records // arguments.per_session)
    sent = sum(map(len, bodies)) / len(bodies) / arguments.records
    folder = pathlib.Path(tempfile.mkdtemp(prefix="skillspan-capacity-"))
    process, port, health, config = start(folder)
    try:
        pid, rest = process.pid, memory(process.pid, "VmRSS")
        load = Load(port, bodies)
        threads = [threading.Thread(target=load.client) for _ in range(arguments.clients)]
        began, anonymous = time.monotonic(), 0.0
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            anonymous = max(anonymous, memory(pid, "RssAnon"))
            time.sleep(0.05)
        accepted = time.monotonic() - began
        journal = 0 if any((folder / "sessions").rglob("*.parquet")) else size(folder / "journal")
        asked(health, "POST", "/flush")
        stored = time.monotonic() - began
        spent, peak = cpu(pid), memory(pid, "VmHWM")
        listed = subprocess.run([arguments.binary, "sessions", "list", "--json", "--config", config], check=True, capture_output=True, text=True)
        listed = [json.loads(line) for line in listed.stdout.splitlines()]
        rows = sum(session["events"]["prompt"] for session in listed)
        waits = sorted(load.waits)
        print(f"{events} events of {sent:.0f} bytes in {sessions} sessions, {arguments.records} in a request, {arguments.clients} clients; texts of {len(SOURCES) / 1e6:.0f} MB; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        print(f"  accepted in {accepted:.1f} s, {events / accepted:.0f} events/s; in the table after {stored:.1f} s, {events / stored:.0f} events/s; {load.refused} requests asked to wait")
        print(f"  {spent:.1f} CPU s, {spent / events * 1e6:.1f} µs an event, {events / spent:.0f} events per CPU second")
        print(f"  a request answered in {waits[len(waits) // 2] * 1000:.0f} ms (p50), {waits[len(waits) * 99 // 100] * 1000:.0f} ms (p99)")
        print(f"  memory {rest:.0f} MiB at rest, {peak:.0f} MiB resident at most, {anonymous:.0f} MiB of it anonymous")
        print(f"  table {size(folder / 'sessions') / events:.0f} bytes an event; {rows} events of {len(listed)} sessions are read back")
        if journal:
            print(f"  journal {journal / events:.0f} bytes an event (nothing was exported yet)")
        if rows != events or len(listed) != sessions:
            sys.exit("events are missing")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        subprocess.run(["rm", "-rf", folder])


if __name__ == "__main__":
    main()

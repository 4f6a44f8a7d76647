"""A rolling restart of three replicas under load: see rolling-restart.sh.

Each replica has a journal of its own; the table is one folder, which replicas on one host may share.
Clients send OTLP/HTTP as exporters behind a Kubernetes service do: to a replica of those that are ready,
and again, elsewhere and with growing pauses, when the connection fails or the answer is 429, 502, 503 or
504 (with its Retry-After), for at most a minute. A request that failed for another reason, or for that
long, is a failure. Nothing is sent twice after an answer.

With --grpc (grpcio and opentelemetry-proto installed) so many clients more send OTLP/gRPC, each over one
channel that gRPC balances over the three replicas by itself, as over the addresses of a headless service; they
send again what OTLP calls retryable.
"""
import argparse, collections, http.client, json, pathlib, random, signal, socket, subprocess, sys, tempfile, threading, time

arguments = argparse.ArgumentParser()
arguments.add_argument("binary", type=pathlib.Path)
arguments.add_argument("--clients", type=int, default=12)
arguments.add_argument("--grpc", type=int, default=0, metavar="CLIENTS", help="clients that send over gRPC")
arguments.add_argument("--rounds", type=int, default=2, help="how often every replica is restarted")
arguments.add_argument("--records", type=int, default=20, help="in a request")
arguments.add_argument("--grace", type=float, default=45.0, help="seconds, as the chart's terminationGracePeriodSeconds")
arguments.add_argument("--pause", type=float, default=3.0, help="seconds of load between two restarts")
arguments = arguments.parse_args()

REPLICAS = 3
AGAIN = {429, 502, 503, 504}
GIVE_UP = 60.0
TEXT = "the widgets are bumped with make bump, and then the tests run " * 16


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Replica:
    def __init__(self, number, folder):
        self.number, self.folder = number, folder
        self.port, self.grpc, self.health = free_ports(3)
        self.config = folder / f"replica-{number}.yaml"
        self.config.write_text(f"""extensions:
  health: {{ endpoint: 127.0.0.1:{self.health} }}
  sessions_table: {{ path: {folder}/sessions }}
receivers:
  otlp: {{ protocols: {{ http: {{ endpoint: 127.0.0.1:{self.port} }}, grpc: {{ endpoint: 127.0.0.1:{self.grpc} }} }} }}
exporters:
  parquet: {{ flush: {{ age: 2s }} }}
service:
  journal: {{ path: {folder}/journal-{number}, max_size: 1GiB, segment: 16MiB }}
  pipelines: {{ sessions: {{ receivers: [otlp], processors: [redact, workspace, limits], exporters: [parquet] }} }}
""")
        self.ready = False
        self.start()

    def start(self):
        log = open(self.folder / f"replica-{self.number}.log", "a")
        self.process = subprocess.Popen([arguments.binary, "run", "--config", self.config], stdout=log, stderr=log)

    def is_ready(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.health, timeout=2)
        try:
            connection.request("GET", "/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def wait_until_ready(self):
        while not self.is_ready():
            if self.process.poll() is not None:
                sys.exit((self.folder / f"replica-{self.number}.log").read_text())
            time.sleep(0.05)

    def stop(self):
        """Seconds until it was gone, its exit status, and what it complained about so far."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=arguments.grace)
        took = time.monotonic() - began
        lines = (self.folder / f"replica-{self.number}.log").read_text().splitlines()
        return took, status, [line for line in lines if " WARN " in line or " ERROR " in line]


class Endpoints(threading.Thread):
    """Who is ready, asked every half second, as a service's endpoints are: late by design."""

    def __init__(self, replicas):
        super().__init__(daemon=True)
        self.replicas = replicas

    def run(self):
        while True:
            for replica in self.replicas:
                replica.ready = replica.is_ready()
            time.sleep(0.5)


class Client(threading.Thread):
    def __init__(self, number, replicas, stop):
        super().__init__()
        self.number, self.replicas, self.stop = number, replicas, stop
        self.acknowledged, self.failed, self.hidden = [], [], collections.Counter()
        self.longest, self.connections = 0.0, {}

    def run(self):
        request = 0
        while not self.stop.is_set():
            self.export(request)
            request += 1
        for connection in self.connections.values():
            connection.close()

    def body(self, request):
        def record(n):
            name = f"{self.number}-{request}-{n}"
            pairs = {"event.name": "user_prompt", "session.id": f"s-{self.number}", "prompt.id": name, "prompt": f"{name} {TEXT}"}
            attributes = [{"key": key, "value": {"stringValue": value}} for key, value in pairs.items()]
            return name, {"timeUnixNano": str(time.time_ns()), "attributes": attributes}
        names, records = zip(*(record(n) for n in range(arguments.records)))
        scope = {"scope": {"name": "com.anthropic.claude_code.events"}, "logRecords": records}
        return names, json.dumps({"resourceLogs": [{"scopeLogs": [scope]}]})

    def export(self, request):
        names, body = self.body(request)
        began, pause = time.monotonic(), 0.05
        while True:
            ready = [replica for replica in self.replicas if replica.ready] or self.replicas
            status, answer, wait = self.send(random.choice(ready), body)
            if status == 200:
                rejected = answer.get("partialSuccess") or {}
                (self.failed if rejected.get("rejectedLogRecords") else self.acknowledged).extend(names)
                break
            known = status in AGAIN or isinstance(status, str)
            if not known or time.monotonic() - began > GIVE_UP:
                self.failed.extend(names)
                break
            self.hidden[status] += 1
            time.sleep(wait or pause * random.uniform(0.5, 1.5))
            pause = min(pause * 2, 5.0)
        self.longest = max(self.longest, time.monotonic() - began)

    def send(self, replica, body):
        """The status, or what the connection died of; the answer; how long it asks to wait."""
        connection = self.connections.pop(replica.number, None)
        connection = connection or http.client.HTTPConnection("127.0.0.1", replica.port, timeout=20)
        try:
            connection.request("POST", "/v1/logs", body, {"content-type": "application/json"})
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return type(error).__name__, {}, None
        if response.will_close:
            connection.close()
        else:
            self.connections[replica.number] = connection
        wait = response.getheader("retry-after")
        return response.status, json.loads(answer or b"{}") if response.status == 200 else {}, float(wait) if wait else None


class GrpcClient(Client):
    """Sends the same over gRPC."""

    def __init__(self, number, replicas, stop):
        super().__init__(number, replicas, stop)
        import grpc
        from google.protobuf import json_format
        from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
        self.failure, self.message, self.parse = grpc.RpcError, logs_service_pb2.ExportLogsServiceRequest, json_format.Parse
        self.retryable = {grpc.StatusCode[name] for name in ("CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS")}
        addresses = ",".join(f"127.0.0.1:{replica.grpc}" for replica in replicas)
        # A list of addresses is no authority, which HTTP/2 servers refuse.
        options = [("grpc.default_authority", "skillspan"), ("grpc.lb_policy_name", "round_robin"), ("grpc.initial_reconnect_backoff_ms", 100)]
        self.channel = grpc.insecure_channel(f"ipv4:{addresses}", options)
        self.stub = logs_service_pb2_grpc.LogsServiceStub(self.channel)

    def run(self):
        super().run()
        self.channel.close()

    def send(self, _, body):
        try:
            answer = self.stub.Export(self.parse(body, self.message()), timeout=20)
        except self.failure as error:
            return (error.code().name if error.code() in self.retryable else 0), {}, None
        rejected = answer.partial_success.rejected_log_records
        return 200, {"partialSuccess": {"rejectedLogRecords": rejected}}, None


def stored(replica):
    """The prompts of each session, by the product's own reader; a fact counts once."""
    command = [arguments.binary, "sessions", "list", "--json", "--config", replica.config]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    sessions = map(json.loads, listed.splitlines())
    return collections.Counter({session["id"]: session["events"]["prompt"] for session in sessions})


def names_in_files(folder):
    """The records that stand in the files, by their own names; None without pyarrow."""
    try:
        import pyarrow.dataset
    except ImportError:
        return None
    table = pyarrow.dataset.dataset(folder / "sessions/v1", format="parquet").to_table(columns=["text"])
    return {text.split()[0] for text in table.column("text").to_pylist()}


def main():
    version = subprocess.run([arguments.binary, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="skillspan-rolling-"))
    replicas, stop, clients = [], threading.Event(), []
    try:
        for number in range(REPLICAS):
            replicas.append(Replica(number, folder))
            replicas[-1].wait_until_ready()
        Endpoints(replicas).start()
        print(f"{version}, {REPLICAS} replicas, {arguments.clients} clients over HTTP, {arguments.grpc} over gRPC, {arguments.records} records in a request, grace {arguments.grace:.0f} s")
        clients = [Client(number, replicas, stop) for number in range(arguments.clients)]
        clients += [GrpcClient(arguments.clients + number, replicas, stop) for number in range(arguments.grpc)]
        began = time.monotonic()
        for client in clients:
            client.start()
        time.sleep(arguments.pause)
        slowest = 0.0
        for turn in range(arguments.rounds):
            for replica in replicas:
                before = sum(len(client.acknowledged) for client in clients)
                took, status, complaints = replica.stop()
                replica.start()
                replica.wait_until_ready()
                during = sum(len(client.acknowledged) for client in clients) - before
                slowest = max(slowest, took)
                said = f"; its log: {complaints}" if complaints else ""
                print(f"  round {turn + 1}, replica {replica.number}: stopped after {took:.2f} s with status {status}, ready again; {during} records acknowledged meanwhile{said}", flush=True)
                time.sleep(arguments.pause)
        stop.set()
        for client in clients:
            client.join()
        took = time.monotonic() - began
        statuses = [replica.stop()[1] for replica in replicas]
        return report(replicas, clients, took, slowest, statuses)
    finally:
        stop.set()
        for replica in replicas:
            if replica.process.poll() is None:
                replica.process.kill()
                replica.process.wait()
        subprocess.run(["rm", "-rf", folder])


def report(replicas, clients, took, slowest, statuses):
    acknowledged = [name for client in clients for name in client.acknowledged]
    failed = sum(len(client.failed) for client in clients)
    hidden = sum((client.hidden for client in clients), collections.Counter())
    rows = stored(replicas[0])
    expected = collections.Counter(f"s-{name.split('-')[0]}" for name in set(acknowledged))
    names = names_in_files(replicas[0].folder)
    print(f"acknowledged {len(acknowledged)} records ({len(set(acknowledged))} distinct) in {took:.0f} s; failed beyond retries {failed}")
    print(f"hidden by retries: {sum(hidden.values())} attempts {dict(hidden.most_common())}; the longest request took {max(client.longest for client in clients):.2f} s")
    print(f"longest drain {slowest:.2f} s of {arguments.grace:.0f} s; last stop with statuses {statuses}")
    by_name = "" if names is None else f"; by name: {len(names)}, {len(set(acknowledged) - names)} missing"
    print(f"in the table: {rows.total()} distinct records in {len(rows)} sessions{by_name}")
    good = failed == 0 and rows == expected and not any(statuses) and names in (None, set(acknowledged))
    print("PASS" if good else "FAIL")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""The views of deploy/sql/ tell the same sessions and facts as `skillspan sessions`.

    pip install duckdb    # or pyspark, which needs Java 17
    python tests/interop/views.py duckdb target/debug/skillspan
    python tests/interop/views.py spark target/debug/skillspan --together [RECORDING...]

Sends every recording under tests/fixtures/captures, and one of calls that share an id, to a service of
its own, or all of them to one; by hand and not in CI.
"""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
CAPTURES = ROOT / "tests/fixtures/captures"
VIEWS = ROOT / "deploy/sql"
SESSION = ["id", "source", "tenant", "workspace", "project", "user_id", "assistant", "ended", "events"]
FACT = ["session_id", "tenant", "kind", "event_ids", "agent", "tool", "tool_call_id", "text", "input", "output", "status"]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def config(folder, http):
    text = f"""
extensions:
  health: {{ endpoint: 127.0.0.1:{free_port()} }}
  sessions_table: {{ path: {folder}/sessions }}
receivers:
  otlp:
    protocols:
      grpc: {{ endpoint: 127.0.0.1:{free_port()} }}
      http: {{ endpoint: 127.0.0.1:{http} }}
exporters:
  filesystem: {{ path: {folder}/skills }}
service:
  journal: {{ path: {folder}/journal }}
"""
    path = folder / "config.yaml"
    path.write_text(text)
    return path


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 0.1).close()
            return
        except OSError:
            time.sleep(0.05)


def send(http, body):
    signal_name = body.stem.rsplit("-", 1)[1]
    kind = "application/json" if body.suffix == ".json" else "application/x-protobuf"
    url = f"http://127.0.0.1:{http}/v1/{signal_name}"
    request = urllib.request.Request(url, body.read_bytes(), {"content-type": kind})
    urllib.request.urlopen(request).read()


def bodies(folder):
    wanted = [path for path in sorted(folder.iterdir()) if path.suffix in (".pb", ".json")]
    return [path for path in wanted if path.stem.rsplit("-", 1)[-1] in ("traces", "logs")]


def repeated_ids():
    """Three turns of one session, each a trace, whose model begins its call ids anew."""
    def message(role, **part):
        return {"role": role, "parts": [part]}

    def span(turn, number, begin, end, operation, **attributes):
        start = 1_795_340_000_000_000_000 + turn * 60_000_000_000
        named = {"gen_ai.operation.name": operation, "gen_ai.conversation.id": "repeated", **attributes}
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in named.items()}
        return {"traceId": f"{turn + 1:032x}", "spanId": f"{turn + 1:08x}{number:08x}", "name": operation,
                "startTimeUnixNano": str(start + begin * 10**9), "endTimeUnixNano": str(start + end * 10**9),
                "attributes": [{"key": key, "value": {"stringValue": text}} for key, text in texts.items()]}

    spans = []
    for turn, (command, output) in enumerate([("ls", "a.rs"), ("make", "ok"), ("git push", "done")]):
        ask = message("user", type="text", content=f"do {command}")
        call = message("assistant", type="tool_call", id="call_0", name="shell", arguments={"cmd": command})
        result = message("tool", type="tool_call_response", id="call_0", response=output)
        spans += [
            span(turn, 1, 0, 2, "chat", **{"gen_ai.input.messages": [ask], "gen_ai.output.messages": [call]}),
            span(turn, 2, 3, 4, "execute_tool", **{
                "gen_ai.tool.name": "shell", "gen_ai.tool.call.id": "call_0",
                "gen_ai.tool.call.arguments": {"cmd": command}, "gen_ai.tool.call.result": output}),
            span(turn, 3, 5, 6, "chat", **{
                "gen_ai.input.messages": [ask, call, result],
                "gen_ai.output.messages": [message("assistant", type="text", content=f"{command}: {output}")]}),
        ]
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {"name": "by hand"}, "spans": spans}]}]}


def by_service(binary, folder, recordings):
    http = free_port()
    path = config(folder, http)
    service = subprocess.Popen([binary, "run", "--config", path], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    wait_for(http)
    for recording in recordings:
        for body in bodies(recording):
            send(http, body)
    service.send_signal(signal.SIGTERM)
    assert service.wait(60) == 0, recordings
    listed = subprocess.run([binary, "sessions", "list", "--json", "--config", path], capture_output=True, check=True)
    sessions = [json.loads(line) for line in listed.stdout.splitlines()]
    for session in sessions:
        shown = subprocess.run(
            [binary, "sessions", "show", session["id"], "--json", "--config", path], capture_output=True, check=True)
        session["facts"] = json.loads(shown.stdout)["facts"]
    return sessions


class DuckDb:
    def __init__(self):
        import duckdb
        self.module, self.name = duckdb, f"DuckDB {duckdb.__version__}"

    def views(self, folder):
        database = self.module.connect()
        database.execute(f"SET VARIABLE sessions_table = '{folder}/sessions'")
        database.execute((VIEWS / "duckdb.sql").read_text())

        def rows(view, columns):
            found = database.execute(f"SELECT {', '.join(columns)} FROM {view}").fetchall()
            return [dict(zip(columns, row)) for row in found]
        return rows


class Spark:
    def __init__(self):
        import pyspark
        from pyspark.sql import SparkSession
        self.name = f"Spark {pyspark.__version__}"
        self.warehouse = tempfile.TemporaryDirectory()
        settings = {"spark.sql.warehouse.dir": self.warehouse.name, "spark.ui.enabled": "false", "spark.sql.session.timeZone": "UTC",
                    "spark.sql.shuffle.partitions": "1", "spark.log.level": "ERROR",
                    "spark.ui.showConsoleProgress": "false"}
        builder = SparkSession.builder.master("local[1]")
        for key, value in settings.items():
            builder = builder.config(key, value)
        self.session = builder.getOrCreate()
        code = "\n".join(line for line in (VIEWS / "spark.sql").read_text().splitlines()
                         if not line.lstrip().startswith("--"))
        self.statements = [statement for statement in code.split(";\n") if statement.strip(" \n;")]

    def views(self, folder):
        self.session.sql(f"CREATE OR REPLACE TEMPORARY VIEW sessions_table USING parquet "
                         f"OPTIONS (path '{folder}/sessions/v1', recursiveFileLookup 'true')")
        self.session.sql("DECLARE OR REPLACE VARIABLE default_workspace STRING DEFAULT 'default'")
        for statement in self.statements:
            self.session.sql(statement.rstrip("; \n"))

        def rows(view, columns):
            return [row.asDict() for row in self.session.table(view).select(columns).collect()]
        return rows


def by_views(engine, folder):
    rows = engine.views(folder)
    sessions = rows("sessions", SESSION)
    facts = rows("facts", FACT)
    for session in sessions:
        session["facts"] = [fact for fact in facts
                            if (fact["session_id"], fact["tenant"]) == (session["id"], session["tenant"])]
    return sessions


def comparable(session):
    head = {key: session[key] for key in
            ("id", "source", "tenant", "workspace", "project", "user_id", "assistant", "ended")}
    names = ("kind", "agent", "tool", "tool_call_id", "text", "input", "output", "status")
    facts = sorted([*(fact.get(name) or "" for name in names), *fact["event_ids"]] for fact in session["facts"])
    return head | {"events": dict(session["events"]), "facts": facts}


def main():
    engine = {"duckdb": DuckDb, "spark": Spark}[sys.argv[1]]()
    binary = pathlib.Path(sys.argv[2]).resolve()
    print(engine.name)
    with tempfile.TemporaryDirectory() as folder:
        made = pathlib.Path(folder) / "calls that share an id"
        made.mkdir()
        (made / "001-traces.json").write_text(json.dumps(repeated_ids()))
        recorded = {body.parent for signal in ("traces", "logs") for body in CAPTURES.rglob(f"*-{signal}.*")}
        wanted = [made, *sorted(recorded)]
        names = [name for name in sys.argv[3:] if name != "--together"]
        if names:
            wanted = [path for path in wanted if any(name in str(path) for name in names)]
        if "--together" in sys.argv:
            same = is_same(engine, binary, f"{len(wanted)} recordings together", wanted)
        else:
            same = all([is_same(engine, binary, name_of(path), [path]) for path in wanted])
    sys.exit(not same)


def name_of(recording):
    return recording.relative_to(CAPTURES) if recording.is_relative_to(CAPTURES) else recording.name


def is_same(engine, binary, name, recordings):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        expected = sorted((comparable(s) for s in by_service(binary, folder, recordings)), key=lambda s: s["id"])
        seen = sorted((comparable(s) for s in by_views(engine, folder)), key=lambda s: s["id"])
    same = expected == seen
    facts = sum(len(session["facts"]) for session in expected)
    print(f"{'same' if same else 'DIFFERENT':9}  {name}: {len(expected)} sessions, {facts} facts", flush=True)
    if not same:
        for a, b in zip(expected, seen):
            for key in a:
                if a[key] != b[key]:
                    print("  ", a["id"], key, "reader:", str(a[key])[:600], "view:", str(b[key])[:600])
                    break
    return same


if __name__ == "__main__":
    main()

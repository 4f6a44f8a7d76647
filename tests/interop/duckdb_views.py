#!/usr/bin/env python3
"""The views of deploy/sql/duckdb.sql tell the same sessions and facts as `skillspan sessions`.

    pip install duckdb
    python tests/interop/duckdb_views.py target/debug/skillspan

Sends every recording under tests/fixtures/captures to a service of its own, by hand and not in CI.
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

import duckdb

ROOT = pathlib.Path(__file__).resolve().parents[2]
CAPTURES = ROOT / "tests/fixtures/captures"
VIEWS = ROOT / "deploy/sql/duckdb.sql"


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


def send(http, body):
    signal_name = body.stem.rsplit("-", 1)[1]
    kind = "application/json" if body.suffix == ".json" else "application/x-protobuf"
    url = f"http://127.0.0.1:{http}/v1/{signal_name}"
    request = urllib.request.Request(url, body.read_bytes(), {"content-type": kind})
    urllib.request.urlopen(request).read()


def bodies(folder):
    wanted = [path for path in sorted(folder.iterdir()) if path.suffix in (".pb", ".json")]
    return [path for path in wanted if path.stem.rsplit("-", 1)[-1] in ("traces", "logs")]


def by_service(binary, folder, recording):
    http = free_port()
    path = config(folder, http)
    service = subprocess.Popen([binary, "run", "--config", path], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", http), 0.1).close()
            break
        except OSError:
            time.sleep(0.05)
    for body in bodies(recording):
        send(http, body)
    service.send_signal(signal.SIGTERM)
    assert service.wait(60) == 0, recording
    listed = subprocess.run([binary, "sessions", "list", "--json", "--config", path], capture_output=True, check=True)
    sessions = [json.loads(line) for line in listed.stdout.splitlines()]
    for session in sessions:
        shown = subprocess.run(
            [binary, "sessions", "show", session["id"], "--json", "--config", path], capture_output=True, check=True)
        session["facts"] = json.loads(shown.stdout)["facts"]
    return sessions


def by_views(folder):
    database = duckdb.connect()
    database.execute(f"SET VARIABLE sessions_table = '{folder}/sessions'")
    database.execute(VIEWS.read_text())
    columns = "id, source, tenant, workspace, project, user_id, assistant, ended, events"
    sessions = [dict(zip(columns.split(", "), row)) for row in
                database.execute(f"SELECT {columns} FROM sessions").fetchall()]
    texts = "agent, tool, tool_call_id, text, input, output, status"
    for session in sessions:
        rows = database.execute(
            f"SELECT kind, event_ids, {texts} FROM facts WHERE session_id = ? AND tenant = ?",
            [session["id"], session["tenant"]]).fetchall()
        session["facts"] = [dict(zip(["kind", "event_ids", *texts.split(", ")], row)) for row in rows]
    return sessions


def comparable(session):
    head = {key: session[key] for key in
            ("id", "source", "tenant", "workspace", "project", "user_id", "assistant", "ended")}
    names = ("kind", "agent", "tool", "tool_call_id", "text", "input", "output", "status")
    facts = sorted([*(fact.get(name) or "" for name in names), *fact["event_ids"]] for fact in session["facts"])
    return head | {"events": dict(session["events"]), "facts": facts}


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    recordings = sorted({body.parent for body in CAPTURES.rglob("*-traces.*")} | {body.parent for body in CAPTURES.rglob("*-logs.*")})
    failed = 0
    for recording in recordings:
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            expected = sorted((comparable(s) for s in by_service(binary, folder, recording)), key=lambda s: s["id"])
            seen = sorted((comparable(s) for s in by_views(folder)), key=lambda s: s["id"])
            same = expected == seen
            failed += not same
            facts = sum(len(session["facts"]) for session in expected)
            print(f"{'same' if same else 'DIFFERENT':9}  {recording.relative_to(CAPTURES)}: {len(expected)} sessions, {facts} facts")
            if not same:
                for a, b in zip(expected, seen):
                    for key in a:
                        if a[key] != b[key]:
                            print("  ", a["id"], key, "reader:", str(a[key])[:600], "view:", str(b[key])[:600])
                            break
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()

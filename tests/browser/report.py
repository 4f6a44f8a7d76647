#!/usr/bin/env python3
"""Looks at the report's page in a browser: at two widths, light and dark.

    tests/browser/report.py target/debug/skillspan OUT

Starts skillspan on free ports in a folder of its own, sends it invented sessions, writes their report to OUT/report.html and
pictures of it to OUT/report-{light,dark}-{1280,360}.png. Needs chromium; without it, it fails. Only Python's own library.
"""

import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

DAY = 86_400
PEOPLE = ["ada@example.com", "ben@example.com", "cleo@example.com", "dev@example.com"]
REPOSITORIES = ["https://git.example.com/acme/till", "https://git.example.com/acme/menu"]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Session:
    """One session of an assistant, as the records that it sends."""

    def __init__(self, number, start, chance):
        self.id = f"{number:08x}-0000-4000-8000-000000000000"
        self.person = chance.choice(PEOPLE[: 2 + number % 3])
        self.repository = REPOSITORIES[number % 3 == 0]
        self.now = start
        self.chance = chance
        self.records = []

    def record(self, name, **own):
        self.now += self.chance.randint(8, 90)
        own = {"event.name": name, "session.id": self.id, "user.email": self.person, **own}
        self.records.append(
            {
                "timeUnixNano": str(int(self.now * 1e9)),
                "body": {"stringValue": f"claude_code.{name}"},
                "attributes": [{"key": key, "value": {"stringValue": text}} for key, text in own.items()],
            }
        )

    def prompt(self, text):
        self.record("user_prompt", prompt=text)

    def tool(self, tool, told, ok=True, output=""):
        call = f"toolu_{self.id}_{len(self.records)}"
        end = {"tool_output" if ok else "error": output or ("" if ok else "Exit code 1")}
        self.record(
            "tool_result",
            tool_name=tool,
            tool_use_id=call,
            success="true" if ok else "false",
            tool_input=json.dumps(told),
            **end,
        )

    def run(self, command, ok=True, output=""):
        self.tool("Bash", {"command": command}, ok, output)

    def edit(self, path, ok=True):
        self.tool("Edit", {"file_path": path, "old_string": "a", "new_string": "b"}, ok)

    def tokens(self):
        self.record(
            "api_request",
            request_id=f"req_{len(self.records)}",
            model="claude-haiku-4-5",
            input_tokens=str(self.chance.randint(2_000, 40_000)),
            output_tokens=str(self.chance.randint(200, 3_000)),
        )

    def body(self):
        resource = {
            "service.name": "claude-code",
            "service.version": "2.1.330",
            "skillspan.workspace": "kitchen",
            "vcs.repository.url.full": self.repository,
        }
        resource = [{"key": key, "value": {"stringValue": text}} for key, text in resource.items()]
        scope = {"name": "com.anthropic.claude_code.events", "version": "2.1.330"}
        logs = [{"scope": scope, "logRecords": self.records}]
        return {"resourceLogs": [{"resource": {"attributes": resource}, "scopeLogs": logs}]}


def work(session):
    """What happens in a kitchen's till: tests need the database, lint wants the formatter, a folder has moved."""
    chance = session.chance
    session.prompt(chance.choice(["round the tip to a cent", "add the dish of the day", "sort the orders by table"]))
    session.tokens()
    if chance.random() < 0.5:
        missing = {"file_path": "src/recipes/index.ts"}
        session.tool("Read", missing, False, "File does not exist.")
    session.tool(
        "Grep", {"pattern": "TableOrder"}, True, "src/orders/order.ts:4:export class TableOrder {"
    )
    session.edit("src/orders/order.ts", chance.random() > 0.1)
    for _ in range(chance.randint(0, 2)):
        session.run("npm test", False, "expected 4 to equal 5\n1 failed")
        session.edit("src/orders/order.ts")
        session.tokens()
    session.run("npm test", True, "12 passed")
    if chance.random() < 0.7:
        session.run("make itest", False, "dial tcp 127.0.0.1:5432: connect: connection refused")
        if chance.random() < 0.6:
            session.run("make db-up")
            session.run("make itest", True, "ok")
    if chance.random() < 0.6:
        session.run("npm run lint", False, "error  no-unused-vars")
        session.edit("src/orders/order.ts")
        session.run("npm run lint", True)
    if chance.random() < 0.3:
        session.record(
            "tool_decision",
            tool_name=chance.choice(["Bash", "Write"]),
            tool_use_id=f"toolu_{session.id}_refused",
            decision="reject",
            source="user_reject",
        )
    if chance.random() < 0.3:
        session.edit("docs/menu.md")
        session.prompt("no, not the menu, put that into the changelog")
        session.edit("CHANGELOG.md")
    session.tokens()


def main():
    program, out = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    os.makedirs(out, exist_ok=True)
    chance = random.Random(7)
    start = int(time.time()) // DAY * DAY - 21 * DAY
    with tempfile.TemporaryDirectory() as folder:
        http, health = free_port(), free_port()
        config = os.path.join(folder, "skillspan.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(
                f"""extensions:
  health: {{ endpoint: 127.0.0.1:{health} }}
  sessions_table: {{ path: {folder}/sessions }}
receivers:
  otlp: {{ protocols: {{ grpc: {{ endpoint: 127.0.0.1:{free_port()} }}, http: {{ endpoint: 127.0.0.1:{http} }} }} }}
processors:
  workspace: {{ default: kitchen }}
exporters:
  filesystem: {{ path: {folder}/skills }}
connectors:
  skillify: {{ digests: {folder}/digests }}
service:
  journal: {{ path: {folder}/journal, max_size: 64MiB, segment: 4MiB }}
"""
            )
        environment = {**os.environ, "XDG_DATA_HOME": folder}
        run = lambda *arguments: subprocess.run(
            [program, *arguments, "--config", config], env=environment, check=True, stdout=subprocess.DEVNULL
        )
        service = subprocess.Popen(
            [program, "run", "--quiet", "--config", config], env=environment, stderr=subprocess.DEVNULL
        )
        try:
            for _ in range(300):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{health}/ready", timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.1)
            for number in range(64):
                if number == 40:
                    # What is learned now is looked at in the sessions that come after.
                    run("skillify")
                session = Session(number, start + number // 3 * DAY + chance.randint(8, 16) * 3_600, chance)
                work(session)
                request = urllib.request.Request(
                    f"http://127.0.0.1:{http}/v1/logs",
                    json.dumps(session.body()).encode(),
                    {"content-type": "application/json"},
                )
                urllib.request.urlopen(request).close()
            page = os.path.join(out, "report.html")
            run("report", "--html", page)
        finally:
            service.terminate()
            service.wait()
    for scheme, value in [("light", "1"), ("dark", "0")]:
        for width in (1280, 360):
            picture = os.path.join(out, f"report-{scheme}-{width}.png")
            subprocess.run(
                [
                    "chromium",
                    "--headless=new",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--hide-scrollbars",
                    f"--blink-settings=preferredColorScheme={value}",
                    f"--window-size={width},{1500 if width == 1280 else 1400}",
                    f"--screenshot={picture}",
                    f"file://{page}",
                ],
                check=True,
                stderr=subprocess.DEVNULL,
            )
            assert os.path.getsize(picture) > 10_000, f"{picture} shows nothing"
            print(picture)


if __name__ == "__main__":
    main()

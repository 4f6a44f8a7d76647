#!/usr/bin/env python3
"""Opens every page of the console over a large table, and says how long pages take and how much memory they need.

    cargo run --release --example generate_table -- TABLE 10000000 180 4
    tests/live/console_load.py target/release/skillspan TABLE [--times 50] [--load target/release/examples/load --rate N]

Starts skillspan over the table with a console on a free port. A first round opens each page until it is whole, as somebody
does who waits for days to be read; then each page is opened so many times, the pages in turn. Of each: the median, the 95th
part, the longest, in milliseconds; of the process: its memory before the first page, at most, and at the end. With --load,
the same while that program sends so many requests a second, after a minute of sending without anybody looking: the answers
to who sends stand beside each other; with --first, while nothing was read yet. Only Python's own library.
"""

import argparse
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class House:
    def __init__(self, program, table, folder):
        self.program, self.port, self.grpc, self.health = program, free_port(), free_port(), free_port()
        self.config = os.path.join(folder, "skillspan.yaml")
        self.environment = {**os.environ, "XDG_DATA_HOME": folder, "HOME": folder}
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(
                f"""extensions:
  health: {{ endpoint: 127.0.0.1:{self.health} }}
  console: {{ endpoint: 127.0.0.1:{self.port} }}
  sessions_table: {{ path: {table} }}
receivers:
  otlp: {{ protocols: {{ grpc: {{ endpoint: 127.0.0.1:{self.grpc} }}, http: {{ endpoint: 127.0.0.1:{free_port()} }} }} }}
service:
  pipelines:
    sessions: {{}}
  journal: {{ path: {folder}/journal }}
"""
            )
        log = open(os.path.join(folder, "log"), "wb")
        arguments = [program, "run", "--config", self.config]
        self.process = subprocess.Popen(arguments, env=self.environment, stdout=log, stderr=log)
        until(lambda: socket.create_connection(("127.0.0.1", self.port), 1).close() or True, "it listens")
        opened = subprocess.run(
            [program, "open", "--print", "--config", self.config], env=self.environment, capture_output=True, check=True
        )
        address = opened.stdout.decode().strip()
        path = address.split(f":{self.port}", 1)[1]
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        self.cookie = answer.getheader("set-cookie").split(";")[0]
        self.connection = connection

    def get(self, path):
        """The status, the page, and the milliseconds that it took."""
        began = time.perf_counter()
        self.connection.request("GET", path, headers={"cookie": self.cookie})
        answer = self.connection.getresponse()
        page = answer.read().decode()
        return answer.status, page, (time.perf_counter() - began) * 1_000

    def memory(self, what):
        """In MiB: `VmRSS`, or `VmHWM`, the most there was."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
            return int(re.search(rf"{what}:\s+(\d+)", file.read()).group(1)) / 1024

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.terminate()
        self.process.wait()


def until(true, what, seconds=60):
    end = time.monotonic() + seconds
    while True:
        try:
            if true():
                return
        except OSError:
            pass
        assert time.monotonic() < end, what
        time.sleep(0.1)


def whole(house, path, seconds=600):
    """The page once nothing of it is being read any more, and how long that took."""
    began = time.monotonic()
    while True:
        status, page, took = house.get(path)
        assert status in (200, 503), f"{path}: {status}"
        if status == 200 and 'http-equiv="refresh"' not in page:
            return page, time.monotonic() - began, took
        assert time.monotonic() - began < seconds, f"{path} is not whole"
        time.sleep(1)


def part(values, share):
    return sorted(values)[max(0, int(share * len(values)) - 1)]


def pages(house):
    """Every page: lists and their ends, sessions of the newest day, of the middle and of the oldest."""
    paths = ["/", "/sessions", "/sessions?words=nothinglikethat&from=2999-01-01", "/sessions?workspace=team-1&outcome=failed"]
    dates = []
    page, _, _ = whole(house, "/sessions")
    dates.append(re.search(r"Arrived on (\d{4}-\d{2}-\d{2})", page).group(1))
    paths.append(session(page))
    _, text, _ = house.get("/api/v1/sessions")
    newest = json.loads(text)["days"][0]["date"]
    year, month, day = (int(number) for number in newest.split("-"))
    for back in (3, 5):
        before = f"{year - (month <= back):04}-{(month - back - 1) % 12 + 1:02}-{min(day, 28):02}"
        path = f"/sessions?after={before}~0~x"
        page, _, _ = whole(house, path)
        paths += [path, session(page)]
    return paths + ["/work", "/skills", "/review", "/report", "/api/v1/overview", "/api/v1/sessions"]


def session(page):
    return re.search(r'href="(/sessions/[^"?]+\?tenant=[^"#&]*)"', page).group(1)


def look(house, paths, times):
    took = {path: [] for path in paths}
    for _ in range(times):
        for path in paths:
            status, _, milliseconds = house.get(path)
            assert status == 200, f"{path}: {status}"
            took[path].append(milliseconds)
    print(f"{'page':62} {'median':>8} {'p95':>8} {'longest':>8}  ms")
    for path, values in took.items():
        print(f"{path[:62]:62} {part(values, 0.5):8.1f} {part(values, 0.95):8.1f} {max(values):8.1f}")
    worst = max((part(values, 0.95), path) for path, values in took.items())
    print(f"the slowest at p95: {worst[0]:.0f} ms, {worst[1]}")


def send(house, arguments, seconds):
    """Sends at a rate; what was answered to whom."""
    command = [os.path.abspath(arguments.load), "--pid", str(house.process.pid), "--endpoint", f"http://127.0.0.1:{house.grpc}"]
    command += ["--rate", str(arguments.rate), "--seconds", str(seconds)]
    # It draws its texts from the repository that it was built in, which must be there still.
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def first(house, arguments):
    """The worst case for who sends: a month is read for the overview and again for the report, from the start."""
    print("sending, nobody looks:")
    print(send(house, arguments, 60).communicate()[0].decode())
    print("sending, while the overview's month and the report's are read:")
    sending, began = send(house, arguments, 60), time.monotonic()
    for path in ("/", "/report"):
        while sending.poll() is None:
            status, page, _ = house.get(path)
            if status == 200 and 'http-equiv="refresh"' not in page:
                print(f"{path} whole after {time.monotonic() - began:.0f} s")
                break
            time.sleep(1)
    print(sending.communicate()[0].decode())
    print(f"memory: {house.memory('VmHWM'):.0f} MiB at most, {house.memory('VmRSS'):.0f} now")
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("table")
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--load")
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--first", action="store_true", help="sends while nothing of the table was read yet, and no more")
    arguments = parser.parse_args()
    with open("/proc/loadavg", encoding="utf-8") as file:
        print("load of the machine:", file.read().split()[0])
    with tempfile.TemporaryDirectory() as folder:
        house = House(arguments.program, os.path.abspath(arguments.table), folder)
        try:
            time.sleep(5)
            before, cpu = house.memory("VmRSS"), house.cpu()
            if arguments.first:
                return first(house, arguments)
            began = time.monotonic()
            paths = pages(house)
            for path in paths:
                if not path.startswith("/api/"):
                    _, waited, _ = whole(house, path)
                    if waited > 1:
                        print(f"first opened: {path[:62]} whole after {waited:.0f} s")
            print(f"the first round: {time.monotonic() - began:.0f} s, {house.cpu() - cpu:.0f} s of a processor")
            look(house, paths, arguments.times)
            print(f"memory: {before:.0f} MiB before, {house.memory('VmHWM'):.0f} at most, {house.memory('VmRSS'):.0f} now")
            if arguments.load:
                print("sending, nobody looks:")
                print(send(house, arguments, 60).communicate()[0].decode())
                print("sending, and every page is opened again and again:")
                sending = send(house, arguments, 60)
                time.sleep(5)
                look(house, paths, max(1, arguments.times // 5))
                print(sending.communicate()[0].decode())
                print(f"memory: {house.memory('VmHWM'):.0f} MiB at most, {house.memory('VmRSS'):.0f} now")
        finally:
            house.close()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Memory and CPU time of a worker that mines a large table.

    cargo run --release --example generate_table -- FOLDER/table 60000000 30 10
    python3 tests/live/mining_large.py SKILLSPAN FOLDER/table FOLDER

The newest hundredth of the table's files is put aside first. A worker that mines alone is started, and looked at twice a
second: during its first run, at rest, during the run after the files came back, and for a minute with nothing new. Of each:
the time, the process's CPU time, the most private and resident memory, and what its digests take on the disk. `mining_large.txt`
has what came of it.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request

HEALTH = "127.0.0.1:13188"
SHOWN_EVERY = 30  # seconds


class Worker:
    """A process that mines a table and publishes to a folder."""

    def __init__(self, program, table, folder):
        self.folder = folder
        config = f"{folder}/worker.yaml"
        with open(config, "w") as out:
            out.write(
                f"extensions:\n  health: {{ endpoint: {HEALTH} }}\n  console: {{ enabled: false }}\n"
                f"  sessions_table: {{ path: {table} }}\n"
                f"connectors:\n  skillify: {{ digests: {folder}/digests, min_interval: 10s, idle: 1s }}\n"
                f"exporters:\n  filesystem: {{ path: {folder}/skills }}\n"
                "service:\n  pipelines: { skills: { receivers: [skillify], exporters: [filesystem] } }\n"
            )
        environment = {**os.environ, "XDG_DATA_HOME": folder, "HOME": folder}
        with open(f"{folder}/log", "w") as log:
            self.process = subprocess.Popen([program, "run", "--config", config], stdout=log, stderr=log, env=environment)

    def memory(self):
        """Private and resident MiB."""
        rollup = open(f"/proc/{self.process.pid}/smaps_rollup").read()
        kib = {name: int(value) for name, value in re.findall(r"^(\w+):\s+(\d+) kB", rollup, re.M)}
        return (kib["Private_Dirty"] + kib["Private_Clean"]) / 1024, kib["Rss"] / 1024

    def cpu(self):
        """Seconds, user and system."""
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")")[-1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def digests(self):
        """Megabytes on the disk."""
        files = (os.path.join(at, name) for at, _, names in os.walk(f"{self.folder}/digests") for name in names)
        return sum(os.path.getsize(file) for file in files if os.path.exists(file)) / 1e6

    def runs(self):
        """Runs of mining that ended well."""
        try:
            metrics = urllib.request.urlopen(f"http://{HEALTH}/metrics", timeout=5).read().decode()
        except OSError:
            return 0
        return int(re.search(r"^skillspan_skillify_runs_total (\d+)", metrics, re.M).group(1))

    def watch(self, name, is_over):
        began, before, most, most_resident, shown = time.time(), self.cpu(), 0.0, 0.0, 0.0
        while not is_over():
            assert self.process.poll() is None, f"the worker ended: see {self.folder}/log"
            private, resident = self.memory()
            most, most_resident = max(most, private), max(most_resident, resident)
            if time.time() - shown > SHOWN_EVERY:
                spent = self.cpu() - before
                print(f"  {name}, {time.time() - began:.0f} s: {private:.0f} MiB, CPU {spent:.0f} s, digests {self.digests():.0f} MB", flush=True)
                shown = time.time()
            time.sleep(0.5)
        spent = self.cpu() - before
        print(
            f"{name}: {time.time() - began:.0f} s, CPU {spent:.1f} s, private {most:.0f} MiB at most, "
            f"resident {most_resident:.0f} MiB, digests {self.digests():.0f} MB",
            flush=True,
        )


def main(program, table, folder):
    os.makedirs(folder, exist_ok=True)
    files = sorted(glob.glob(f"{table}/v1/**/*.parquet", recursive=True))
    aside = [(file, f"{folder}/late-{at}.parquet") for at, file in enumerate(files[-max(1, len(files) // 100) :])]
    for file, place in aside:
        shutil.move(file, place)
    worker = Worker(program, table, folder)
    try:
        worker.watch("first run", lambda: worker.runs() >= 1)
        end = time.time() + 15
        worker.watch("at rest", lambda: time.time() > end)
        for file, place in aside:
            shutil.move(place, file)
        worker.watch(f"{len(aside)} of {len(files)} files more", lambda: worker.runs() >= 2)
        end = time.time() + 60
        worker.watch("nothing new, a minute", lambda: time.time() > end)
    finally:
        worker.process.terminate()
        worker.process.wait()
        for file, place in aside:
            if os.path.exists(place):
                shutil.move(place, file)


if __name__ == "__main__":
    main(*sys.argv[1:])

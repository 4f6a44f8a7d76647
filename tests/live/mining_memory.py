#!/usr/bin/env python3
"""Memory of the index of a worker with many sessions, without the weeks that it takes to receive them.

    cargo run --release --example generate_table -- FOLDER/table 200000 10 4
    python3 tests/live/mining_memory.py SKILLSPAN FOLDER COPIES        # needs crc32c of PyPI

Digests of the table are made once, but of its newest files. Their log is then written with every group COPIES times, each
copy under session and trace ids of its own. `skillspan skillify --dry-run --workspace none` follows the table and mines
nothing; it is run over the log, then with one of the newest files more, with nothing new, with another file more, and with
nothing new. Of each run: what its private memory was at most, its CPU seconds, and the bytes that it read and wrote. The
first that has something new makes a run of the whole log, once; what the second writes is what something new costs. At the
end digests are removed; 5 kB a session of the disk are needed meanwhile.
"""

import glob
import os
import re
import shutil
import struct
import subprocess
import sys
import time

import crc32c

ADDED, SESSIONS = 1, 4  # the kind of an entry that is a group; its sets of ids
TAG = 6  # letters of an id that say which copy it is of


def configured(folder):
    """A configuration that mines the table of a folder."""
    path = f"{folder}/mine.yaml"
    with open(path, "w") as out:
        out.write(
            f"extensions: {{ sessions_table: {{ path: {folder}/table }} }}\n"
            f"connectors: {{ skillify: {{ digests: {folder}/digests }} }}\n"
            f"exporters: {{ filesystem: {{ path: {folder}/skills }} }}\n"
            f"service:\n  journal: {{ path: {folder}/journal }}\n  pipelines:\n"
            "    sessions: { receivers: [otlp], processors: [redact, workspace, limits], exporters: [parquet] }\n"
            "    skills: { receivers: [skillify], exporters: [filesystem] }\n"
        )
    return path


def entries(path):
    """The entries of a file of digests: src/service/digests/entries.rs."""
    content, at = open(path, "rb").read(), 0
    while at < len(content):
        length, _ = struct.unpack_from("<II", content, at)
        yield content[at + 8 : at + 8 + length]
        at += 8 + length


def number(content, at):
    """A number of postcard, and where it ends."""
    value = shift = 0
    while True:
        byte = content[at]
        at, value, shift = at + 1, value | (byte & 127) << shift, shift + 7
        if byte < 128:
            return value, at


def written(value):
    """The bytes of a number."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def group(entry):
    """What follows a group's number, and where its ids begin in it."""
    _, at = number(entry, 1)
    body, at, ids = entry[at:], 0, set()
    for _ in range(SESSIONS):
        count, at = number(body, at)
        for part in range(2 * count):
            length, at = number(body, at)
            if part % 2:
                ids.add(body[at : at + length])
            at += length
    places = []
    for text in ids:
        place = body.find(text)
        while place >= 0:
            places.append(place)
            place = body.find(text, place + 1)
    return body, places


def multiply(path, copies):
    """Writes every group so many times; says how many groups there are."""
    found = list(entries(path))
    groups = [group(entry) for entry in found if entry[0] == ADDED]
    count = 0

    def put(entry):
        out.write(struct.pack("<II", len(entry), crc32c.crc32c(entry)) + entry)

    with open(path, "wb") as out:
        put(found[0])
        for copy in range(copies):
            for body, places in groups:
                body = bytearray(body)
                for place in places if copy else []:
                    body[place : place + TAG] = b"%06x" % copy
                put(bytes([ADDED]) + written(count) + bytes(body))
                count += 1
        put(found[-1])
    return count


def measured(command, what):
    """Runs a command; prints its private memory at most, its time, and the bytes that it read and wrote."""
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most, began, moved = 0, time.time(), {}
    while True:
        try:
            status = open(f"/proc/{running.pid}/status").read()
            lines = open(f"/proc/{running.pid}/io").read().splitlines()
            moved = dict(line.split(": ") for line in lines) or moved
        except OSError:
            status = ""
        most = max([most] + [int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon")])
        ended, code, used = os.wait4(running.pid, os.WNOHANG)
        if ended:
            break
        time.sleep(0.05)
    assert code == 0, command
    mib = {name: int(moved[name]) / 2**20 for name in ("rchar", "wchar")}
    print(
        f"{what}: {most / 1024:.1f} MiB at most, {time.time() - began:.0f} s, {used.ru_utime + used.ru_stime:.1f} CPU s, "
        f"{mib['rchar']:.1f} MiB read, {mib['wchar']:.2f} MiB written",
        flush=True,
    )


def main():
    skillspan, folder, copies = sys.argv[1], os.path.abspath(sys.argv[2]), int(sys.argv[3])
    command = [skillspan, "skillify", "--config", configured(folder), "--dry-run", "--workspace", "none"]
    shutil.rmtree(f"{folder}/digests", ignore_errors=True)
    later = sorted(glob.glob(f"{folder}/table/v1/**/*.parquet", recursive=True), key=day)[-2:]
    for path in later:
        os.rename(path, path + ".later")
    try:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (log,) = glob.glob(f"{folder}/digests/digests-*.log")
        groups = multiply(log, copies)
        print(f"{groups} groups, {os.path.getsize(log) >> 20} MiB of digests", flush=True)
        measured(command, "over the log")
        for number, path in enumerate(later):
            os.rename(path + ".later", path)
            measured(command, f"with file {number + 1} more")
            measured(command, "with nothing new")
        for name in sorted(os.listdir(f"{folder}/digests")):
            print(f"  {name}: {os.path.getsize(f'{folder}/digests/{name}') / 2**20:.2f} MiB")
    finally:
        for path in later:
            if os.path.exists(path + ".later"):
                os.rename(path + ".later", path)
        shutil.rmtree(f"{folder}/digests", ignore_errors=True)


def day(path):
    """The day of a file of the table."""
    return re.search(r"ingest_date=([0-9-]+)", path).group(1), path


if __name__ == "__main__":
    main()

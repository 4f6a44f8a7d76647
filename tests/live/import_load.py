"""Sessions and exports to import, in numbers, and what an import of them takes.

    import_load.py home FOLDER [--sessions 300] [--calls 20000] [--megabytes 500]
        a home with a folder .claude; in each session a check fails, is mended and passes
    import_load.py exports FOLDER [--observations 100000]
        the same observations in each format that exports have (Parquet needs pyarrow, zstd needs the program)
    import_load.py measure COMMAND…
        runs it, and says seconds, seconds of CPU and the most memory

The same arguments give the same files. Times are those of the last days, one minute between calls.
"""
import argparse
import csv
import json
import random
import resource
import subprocess
import sys
import time
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path

TOPICS = ["orders", "search", "billing", "users", "stock", "mail", "reports", "login"]
WORDS = "assert value from cache while the queue of table rows was read by worker and left open for test".split()


def times(begin):
    at = begin
    while True:
        at += timedelta(seconds=60)
        yield at


def iso(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def filler(source, length):
    words = []
    while length > 0:
        word = source.choice(WORDS) + str(source.randrange(100_000))
        words.append(word)
        length -= len(word) + 1
        if source.random() < 0.1:
            words.append("\n")
    return " ".join(words)


def steps(source, calls, topic, bulk):
    """(tool, input, output, fails) of a session: a check that needs a database, and files that are read."""
    yield "Bash", {"command": f"make test-{topic}"}, "Exit code 2\npsycopg: connection refused on 127.0.0.1:5433", True
    yield "Bash", {"command": "make db-up"}, "database is ready on 5433", False
    yield "Bash", {"command": f"make test-{topic}"}, "12 passed in 3.20s", False
    for number in range(max(calls - 3, 0)):
        path = f"src/{topic}/part_{number % 40}.py"
        if number % 3:
            yield "Read", {"file_path": path}, filler(source, bulk), False
        else:
            command = f"grep -n {source.choice(WORDS)} {path}"
            yield "Bash", {"command": command}, filler(source, bulk), False


def claude(source, session, cwd, begin, calls, bulk):
    clock = times(begin)
    topic = source.choice(TOPICS)
    common = {"sessionId": session, "cwd": cwd, "version": "2.1.300", "isSidechain": False, "gitBranch": "main",
              "userType": "external"}
    parent = None

    def line(kind, message, **more):
        nonlocal parent
        own = str(uuid.UUID(int=source.getrandbits(128), version=4))
        record = {"parentUuid": parent, "uuid": own, "timestamp": iso(next(clock)), "type": kind, **common, **more,
                  "message": message}
        parent = own
        return json.dumps(record, ensure_ascii=False) + "\n"

    prompt = str(uuid.UUID(int=source.getrandbits(128), version=4))
    yield line("user", {"role": "user", "content": f"Run the {topic} tests and fix what fails."}, promptId=prompt)
    for number, (tool, arguments, output, fails) in enumerate(steps(source, calls, topic, bulk)):
        call = f"toolu_{source.getrandbits(96):024x}"
        usage = {"input_tokens": 3, "cache_read_input_tokens": 12_000 + number, "output_tokens": 80}
        answer = {"id": f"msg_{source.getrandbits(96):024x}", "role": "assistant", "model": "claude-x", "usage": usage}
        block = {"type": "tool_use", "id": call, "name": tool, "input": arguments}
        yield line("assistant", {**answer, "content": [block]}, requestId=f"req_{number}")
        block = {"type": "tool_result", "tool_use_id": call, "content": output}
        if fails:
            block["is_error"] = True
        # As the client writes it, the result stands in a line twice.
        result = {"stdout": output, "stderr": "", "interrupted": False}
        yield line("user", {"role": "user", "content": [block]}, toolUseResult=f"Error: {output}" if fails else result)
    words = [{"type": "text", "text": f"The {topic} tests pass now: the database was not running."}]
    answer = {"id": f"msg_{source.getrandbits(96):024x}", "role": "assistant", "model": "claude-x", "content": words}
    yield line("assistant", answer)


def home(arguments):
    source = random.Random(17)
    folder, now = Path(arguments.folder), datetime.now(timezone.utc).replace(microsecond=0)
    work = folder.absolute() / "work" / "shop"
    work.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "init", "-q", str(work)], check=True)
    remote = "https://git.example.com/acme/shop.git"
    subprocess.run(["git", "-C", str(work), "remote", "add", "origin", remote], capture_output=True, check=False)
    slug = "".join(char if char.isalnum() or char == "-" else "-" for char in str(work))
    projects = folder / ".claude" / "projects" / slug
    projects.mkdir(parents=True, exist_ok=True)
    calls = arguments.calls // arguments.sessions
    # A result stands in its line twice.
    bulk = max(int(arguments.megabytes * 1e6 / arguments.calls / 2) - 400, 40)
    size = 0
    for number in range(arguments.sessions):
        session = str(uuid.UUID(int=source.getrandbits(128), version=4))
        begin = now - timedelta(hours=1 + number * 2, minutes=calls * 2 + 5)
        path = projects / f"{session}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for line in claude(source, session, str(work), begin, calls, bulk):
                size += file.write(line)
    print(f"{arguments.sessions} sessions of {calls} calls, {size / 1e6:.0f} MB: {folder}")


def observations(count):
    """(row of Langfuse's v2 export, session) for sessions of one answer of a model and nine calls."""
    source, begin = random.Random(18), datetime(2026, 9, 1, tzinfo=timezone.utc)
    for number in range(count):
        session, step = divmod(number, 10)
        topic = TOPICS[session % len(TOPICS)]
        at = begin + timedelta(minutes=session * 5, seconds=step * 3)
        trace = f"{session + 1:032x}"
        row = {
            "id": f"{number + 1:016x}", "trace_id": trace, "project_id": "p", "environment": "default",
            "start_time": at, "end_time": at + timedelta(seconds=2), "level": "DEFAULT", "status_message": "",
            "user_id": f"person-{session % 7}@example.com", "session_id": f"talk-{session}", "trace_name": "agent",
        }
        if step == 0:
            asked = [{"role": "user", "content": f"Run the {topic} tests, part {session}."}]
            row |= {"type": "GENERATION", "parent_observation_id": "", "name": "answer",
                    "provided_model_name": "model-x", "input": json.dumps(asked),
                    "output": json.dumps({"role": "assistant", "content": "I run them."})}
        else:
            row |= {"type": "TOOL", "parent_observation_id": f"{session * 10 + 1:016x}", "name": "bash",
                    "provided_model_name": "", "input": json.dumps({"command": f"make {topic}-{step}"}),
                    "output": filler(source, 400)}
            if step == 1:
                row |= {"level": "ERROR", "status_message": "exit status 2"}
        yield row


def clock(at):
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")


def as_text(row):
    return {name: clock(value) if isinstance(value, datetime) else value for name, value in row.items()}


def attribute(key, value):
    return {"key": key, "value": {"stringValue": value}}


def nanos(at):
    return str(int(at.timestamp() * 1_000_000) * 1_000)


def openinference(row):
    common = {"session.id": row["session_id"], "user.id": row["user_id"], "input.value": row["input"],
              "output.value": row["output"]}
    if row["type"] == "TOOL":
        return "TOOL", {**common, "tool.name": row["name"]}
    return "LLM", {
        **common, "llm.model_name": "model-x", "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": json.loads(row["input"])[0]["content"],
        "llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": "I run them.",
    }


def phoenix(row):
    kind, attributes = openinference(row)
    return {
        "name": row["name"], "span_kind": kind, "parent_id": row["parent_observation_id"] or None,
        "start_time": row["start_time"].isoformat(), "end_time": row["end_time"].isoformat(),
        "status_code": "ERROR" if row["level"] == "ERROR" else "OK", "status_message": row["status_message"],
        "context": {"trace_id": row["trace_id"], "span_id": row["id"]}, "attributes": attributes,
    }


def langsmith(row):
    def run(number):
        return str(uuid.UUID(int=int(number or "0", 16) << 64, version=4))

    return {
        "id": run(row["id"]), "trace_id": run(f"{int(row['trace_id'], 16):016x}"), "name": row["name"],
        "parent_run_id": run(row["parent_observation_id"]) if row["parent_observation_id"] else None,
        "run_type": "tool" if row["type"] == "TOOL" else "llm", "session_id": "project",
        "inputs": {"messages": json.loads(row["input"])} if row["type"] != "TOOL" else json.loads(row["input"]),
        "outputs": {"output": row["output"]}, "error": row["status_message"] or None,
        "start_time": row["start_time"].isoformat(), "end_time": row["end_time"].isoformat(),
        "extra": {"metadata": {"thread_id": row["session_id"], "user_id": row["user_id"]}},
    }


def batch(rows):
    spans = []
    for row in rows:
        kind, attributes = openinference(row)
        attributes = {"openinference.span.kind": kind, **attributes}
        spans.append({
            "traceId": row["trace_id"], "spanId": row["id"], "parentSpanId": row["parent_observation_id"],
            "name": row["name"], "kind": 1, "startTimeUnixNano": nanos(row["start_time"]),
            "endTimeUnixNano": nanos(row["end_time"]), "status": {"code": 2 if row["level"] == "ERROR" else 1},
            "attributes": [attribute(*pair) for pair in attributes.items()],
        })
    scope = {"scope": {"name": "openinference.instrumentation"}, "spans": spans}
    return {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [scope]}]}


def exports(arguments):
    folder, count = Path(arguments.folder), arguments.observations
    folder.mkdir(parents=True, exist_ok=True)

    def lines(name, make):
        with (folder / name).open("w", encoding="utf-8") as file:
            for row in observations(count):
                file.write(json.dumps(make(row)) + "\n")

    lines("langfuse.jsonl", as_text)
    lines("phoenix.jsonl", phoenix)
    lines("langsmith.jsonl", langsmith)
    with (folder / "langfuse.json").open("w", encoding="utf-8") as file:
        separator = "["
        for row in observations(count):
            file.write(separator + "\n" + json.dumps(as_text(row)))
            separator = ","
        file.write("\n]\n")
    with (folder / "langfuse.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, next(observations(1)).keys())
        writer.writeheader()
        writer.writerows(map(as_text, observations(count)))
    with (folder / "collector.json").open("w", encoding="utf-8") as file:
        rows = []
        for row in observations(count):
            rows.append(row)
            if len(rows) == 100:
                file.write(json.dumps(batch(rows)) + "\n")
                rows = []
        if rows:
            file.write(json.dumps(batch(rows)) + "\n")
    parquet(folder / "langfuse.parquet", count)
    for name in ["langfuse.jsonl", "collector.json"]:
        subprocess.run(["zstd", "-qf", str(folder / name)], check=True)
        subprocess.run(["gzip", "-kf", str(folder / name)], check=True)
    messages(folder / "collector.json", folder / "messages.json")
    for path in sorted(folder.iterdir()):
        print(f"{path.stat().st_size / 1e6:8.1f} MB  {path.name}")


def messages(lines, path):
    """As the Collector's file exporter packs with `compression: zstd`: each message by itself, its length before it."""
    with path.open("wb") as file:
        for line in lines.open("rb"):
            packed = subprocess.run(["zstd", "-qc"], input=line, capture_output=True, check=True).stdout
            file.write(len(packed).to_bytes(4, "big") + packed)


def parquet(path, count):
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        print("no pyarrow: langfuse.parquet is left out", file=sys.stderr)
        return
    writer, rows = None, []

    def write():
        nonlocal writer
        table = pyarrow.Table.from_pylist(rows)
        writer = writer or pyarrow.parquet.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
        rows.clear()

    for row in observations(count):
        rows.append(row)
        if len(rows) == 20_000:
            write()
    if rows:
        write()
    writer.close()


def measure(arguments):
    began = time.monotonic()
    code = subprocess.run(arguments.command, check=False).returncode
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{time.monotonic() - began:.1f} s, {used.ru_utime + used.ru_stime:.1f} s of CPU, "
          f"{used.ru_maxrss / 1024:.0f} MiB at most, exit code {code}", file=sys.stderr)
    sys.exit(code)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("home")
    command.add_argument("folder")
    command.add_argument("--sessions", type=int, default=300)
    command.add_argument("--calls", type=int, default=20_000)
    command.add_argument("--megabytes", type=int, default=500)
    command.set_defaults(run=home)
    command = commands.add_parser("exports")
    command.add_argument("folder")
    command.add_argument("--observations", type=int, default=100_000)
    command.set_defaults(run=exports)
    command = commands.add_parser("measure")
    command.add_argument("command", nargs=argparse.REMAINDER)
    command.set_defaults(run=measure)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()

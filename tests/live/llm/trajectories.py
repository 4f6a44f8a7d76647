#!/usr/bin/env python3
"""Calls and tokens of the LLM step while recorded agent runs arrive a batch at a time.

  trajectories.py SKILLSPAN REPLAY RUNS.jsonl.gz MODEL_ENDPOINT FOLDER [BATCHES]

REPLAY sends runs as spans (`replay.py runs FILE --endpoint … --start … --workspace …`). After each batch
`skillspan skillify` mines three times: into a target that remembers (what a worker does), into the same
target again (a rerun), and into an empty folder (as without any cache). Prints a line a run.
"""
import collections, gzip, json, os, random, re, shutil, socket, subprocess, sys, time, urllib.request

skillspan, replay, source, model, folder = sys.argv[1:6]
batches = int(sys.argv[6]) if len(sys.argv) > 6 else 10
shutil.rmtree(folder, ignore_errors=True)
os.makedirs(folder)


def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


http, grpc, health = port(), port(), port()


def config(name, target):
    path = f"{folder}/{name}.yaml"
    open(path, "w").write(f"""extensions:
  health: {{ endpoint: 127.0.0.1:{health} }}
  sessions_table: {{ path: {folder}/sessions }}
receivers:
  otlp: {{ protocols: {{ grpc: {{ endpoint: 127.0.0.1:{grpc} }}, http: {{ endpoint: 127.0.0.1:{http} }} }} }}
exporters:
  filesystem: {{ path: {target} }}
connectors:
  skillify:
    min_interval: 1h
    proposer: {{ openai: {{ endpoint: "{model}", model: smollm2-135m-instruct, timeout: 10m, concurrency: 1 }} }}
service:
  journal: {{ path: {folder}/journal, max_size: 512MiB, segment: 16MiB }}
  pipelines:
    sessions: {{ receivers: [otlp], processors: [redact, workspace, limits], exporters: [parquet] }}
    skills: {{ receivers: [skillify], exporters: [filesystem] }}
""")
    return path


environment = {"HOME": folder, "PATH": os.environ["PATH"]}
main = config("main", f"{folder}/skills")
log = open(f"{folder}/log", "w")
service = subprocess.Popen([skillspan, "run", "--config", main], stderr=log, stdout=log, env=environment)
for _ in range(200):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{health}/ready")
        break
    except OSError:
        time.sleep(0.1)


def mine(path):
    done = subprocess.run([skillspan, "skillify", "--config", path], env=environment, text=True, capture_output=True)
    said = next(line for line in done.stdout.splitlines() if line.startswith("smollm2"))
    calls, tokens = re.search(r"(\d+) requests, (\d+) tokens", said).groups()
    return int(calls), int(tokens), said


runs = [json.loads(line) for line in gzip.open(source, "rt")]
random.Random(1).shuffle(runs)
size = -(-len(runs) // batches)
total = collections.Counter()
try:
    for batch in range(batches):
        part = runs[batch * size:(batch + 1) * size]
        by_repository = collections.defaultdict(list)
        for run in part:
            by_repository[run["repo"]].append(run)
        for number, (repository, some) in enumerate(sorted(by_repository.items())):
            path = f"{folder}/part.jsonl.gz"
            with gzip.open(path, "wt") as file:
                file.writelines(json.dumps(run) + "\n" for run in some)
            start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1793523600 + batch * 86400 + number * 60))
            subprocess.run([sys.executable, replay, "runs", path, "--endpoint", f"http://127.0.0.1:{http}", "--start",
                            start, "--workspace", repository.split("/")[1]], check=True, stdout=subprocess.DEVNULL)
        fresh = f"{folder}/fresh-{batch}"
        results = [("worker", *mine(main)), ("rerun", *mine(main)), ("no cache", *mine(config("fresh", fresh)))]
        for kind, calls, tokens, said in results:
            total[kind, "calls"] += calls
            total[kind, "tokens"] += tokens
            print(f"{min((batch + 1) * size, len(runs)):4} sessions  {kind:9} {said}", flush=True)
    for kind in ("worker", "rerun", "no cache"):
        calls, tokens = (total[kind, what] * 1000 / len(runs) for what in ("calls", "tokens"))
        print(f"per 1,000 sessions  {kind:9} {calls:.0f} calls, {tokens:.0f} tokens")
finally:
    service.terminate()
    service.wait()

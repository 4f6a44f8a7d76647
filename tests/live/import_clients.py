#!/usr/bin/env python3
"""What the files of real clients tell, fact by fact against what the same session's telemetry or hooks told.

    python3 tests/live/import_clients.py --skillspan target/debug/skillspan --clients FOLDER [--node NODE] [CLIENT …]

FOLDER and the stand-in for the models' API are those of `opt_out.py`. Each client works once in a home of its own, as
`skillspan connect CLIENT --write` configured it. What arrived is compared with what `skillspan import` makes of its
files in a table of its own; then the same files are imported into the first table as well. A line a client:

    facts   prompts, calls, results with their status, refusals and answers that arrived
    in file how many of them the file has as well
    beyond  what the file has beyond them, by kind; each must be something that happened
    both    facts once both are in one table, and how many would be there twice
"""
import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import model  # noqa: E402
import opt_out  # noqa: E402

KINDS = ("prompt", "tool_call", "tool_result", "decision", "response")
# What happens: one prompt, three calls of which the first fails, and four answers.
HAPPENED = [("prompt", opt_out.PROMPT)]
HAPPENED += [("tool_call", command) for _, command in model.STEPS]
HAPPENED += [("tool_result", status) for status in ("error", "ok", "ok")]
HAPPENED += [("response", text) for text, _ in model.STEPS] + [("response", model.LAST)]


def facts_of(sessions):
    """(kind, what it says) of each fact, as often as it is there; a decision only where it refuses."""
    found = collections.Counter()
    for fact in (fact for session in sessions for fact in session["facts"]):
        kind = fact["kind"]
        if kind in ("prompt", "response") and fact.get("text", "").strip():
            # OpenCode puts what it is given into quotation marks.
            found[kind, fact["text"].strip().strip(chr(34))] += 1
        elif kind == "tool_call":
            command = fact.get("input", "")
            known = next((command_of for _, command_of in model.STEPS if command_of in command), command)
            found[kind, known] += 1
        elif kind == "tool_result" and fact.get("status"):
            found[kind, fact["status"]] += 1
        elif kind == "decision" and fact.get("decision") == "reject":
            found[kind, "reject"] += 1
    return found


def imported(run, config):
    told = json.loads(run.skillspan("import", "--yes", "--json", "--no-mining", "--config", str(config)))
    assert not told["left"], told["left"]
    listed = run.skillspan("sessions", "list", "--json", "--config", str(config)).splitlines()
    ids = [json.loads(line)["id"] for line in listed if line.strip()]
    return [json.loads(run.skillspan("sessions", "show", id, "--json", "--config", str(config))) for id in ids], told


def compared(options, name):
    run = opt_out.Run(options)
    if name not in opt_out.FILE_LESS:
        run.skillspan("connect", name, "--write", "--endpoint", run.endpoint)
    code = opt_out.CLIENTS[name](run, {}, [])
    by_signal = facts_of(run.stop())
    other = run.folder / "other.yaml"
    other.write_text(run.config.read_text().replace(str(run.data), str(run.folder / "other")))
    in_file, told = imported(run, other)
    again = imported(run, other)[1]
    by_file = facts_of(in_file)
    both = facts_of(imported(run, run.config)[0])
    happened = collections.Counter(HAPPENED)
    facts, common = sum(by_signal.values()), sum((by_signal & by_file).values())
    beyond = by_file - by_signal
    twice = both - (by_signal | by_file)
    made_up = (by_file - happened)
    versions = sorted({session.get("assistant_version", "") for session in in_file})
    print(f"| {name} {' '.join(versions)} | {facts} | {common} | "
          f"{dict(collections.Counter(kind for kind, _ in beyond.elements()))} | {sum(both.values())}, {sum(twice.values())} twice | "
          f"{sum((happened & by_file).values())} of {sum(happened.values())}, {sum(made_up.values())} more | again {again['facts']} |", flush=True)
    for what, counter in (("not in the file", by_signal - by_file), ("never happened", made_up), ("twice", twice)):
        for (kind, said), count in counter.items():
            print(f"    {what}: {count} {kind} {said[:100]!r}")
    if code != 0 or options.keep:
        print(f"    client {code}; {run.folder}")
    else:
        shutil.rmtree(run.folder, ignore_errors=True)
    return code == 0 and told["sessions"] > 0 and not twice and not again["facts"]


def main():
    options = opt_out.prepared(opt_out.command_line(__doc__), "import-clients-")
    names = options.names or ["claude-code", "claude-hooks", "codex", "gemini-cli", "qwen", "copilot", "copilot-hooks",
                              "opencode", "pi", "hermes-hooks", "hermes"]
    print("| client | facts | in file | beyond | both | of what happened | |\n|---|---|---|---|---|---|---|")
    wrong = sum(not compared(options, name) for name in names)
    print(f"{wrong} not as told")
    sys.exit(min(wrong, 1))


if __name__ == "__main__":
    main()

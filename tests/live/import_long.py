#!/usr/bin/env python3
"""What the files of real clients tell of long sessions, with refusals and interrupts, against what happened.

    python3 tests/live/import_long.py --skillspan BINARY --clients FOLDER [--node NODE] [--keep] [CLIENT …]

FOLDER is that of `opt_out.py`, the model `scripted_model.py`: each prompt chooses a script, and each fact has a tag of its own.
A client works in a home of its own, as `skillspan connect CLIENT --write` configured it: prompts one after
the other in one session, commands that fail, long, empty and odd outputs, tools that read and edit, two calls at
once, a sub-agent, calls that rules or a hook refuse; then in its terminal (tmux), where a person refuses a call, interrupts
one, and types a prompt while a tool runs. What the model asked for, what the driver did and what had to come of it is
compared with what telemetry told and with what `skillspan import` makes of the files. The words that a sub-agent is
given are nobody's prompt, and left out. A line a client:

    happened  prompts, calls, results with their status, answers, refusals, interrupts
    telemetry how many of them it told, and what it told that never happened
    file      how many of them the file has, and what it has that never happened
"""
import collections
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import long_clients  # noqa: E402
import opt_out  # noqa: E402
from scripted_model import OF_SUBAGENT, PROMPT  # noqa: E402

TAG = re.compile(r"t(\d+)x(\d+)")
REFUSALS, INTERRUPTS = ("refused",), ("interrupt",)


class Run(opt_out.Run):
    """A run whose model plays scripts."""

    def __init__(self, options):
        super().__init__(options)
        stand_in = self.processes[0]
        stand_in.terminate()
        stand_in.wait(10)
        # Calls whose ending nobody is told.
        self.left = set()
        self.ledger, self.prompts, self.debug = self.folder / "ledger", [], self.folder / "asked"
        command = [sys.executable, HERE / "scripted_model.py", str(self.model), self.ledger, self.work]
        self.processes[0] = subprocess.Popen([*command, *([self.debug] if options.keep else [])])
        self.wait_for(self.model)
        for number in range(1, 60):
            (self.work / f"f{number}-t{number}x0.txt").write_text(f"alpha {number}\nlast line\n")

    def end(self):
        """Leaves no process and no terminal behind."""
        for process in self.processes:
            process.kill()
        subprocess.run(["tmux", "-L", f"skillspan-{self.http}", "kill-server"], capture_output=True)
        # Codex and Cline leave processes that serve their windows; the folder's name is this run's alone.
        for line in subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True).stdout.splitlines():
            pid, _, command = line.strip().partition(" ")
            if str(self.folder) in command and pid.isdigit() and int(pid) != os.getpid():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGTERM)

    def prompt(self, script):
        """The words of the next prompt, which is noted as one that a person typed."""
        number = len(self.prompts) + 1
        self.prompts.append(script)
        return f"p{number}: {script}"

    def happened(self):
        """Each fact that took place."""
        facts = collections.Counter({("prompt", f"p{at}"): 1 for at, _ in enumerate(self.prompts, 1)})
        for line in self.ledger.read_text().splitlines():
            step = json.loads(line)
            facts["response", step["text"]] += 1
            for call in step["calls"]:
                facts["call", call["tag"]] += 1
                if call["expect"] == "refused":
                    facts["refused", call["tag"]] += 1
                elif call["expect"] == "stopped":
                    facts["interrupt", f"t{step['prompt']}"] += 1
                elif call["tag"] not in self.left:
                    facts["result", f"{call['tag']} {call['expect']}"] += 1
        return facts


def tag_of(text):
    """The tag of a call: of several in its input, that which was made for it."""
    tags = [(int(a), int(b)) for a, b in TAG.findall(text)]
    return "t%dx%d" % max(tags) if tags else ""


def facts_of(sessions, happened):
    """Each fact of stored sessions, named as `Run.happened` names it."""
    found = collections.Counter()
    stopped = {name for kind, name in happened if kind == "interrupt"}
    refused = {name for kind, name in happened if kind == "refused"}
    for session in sessions:
        facts = session["facts"]
        calls = {fact.get("tool_call_id") or fact.get("key"): tag_of(fact.get("input", "")) for fact in facts if fact["kind"] == "tool_call"}
        last = ""
        for fact in facts:
            kind, text = fact["kind"], fact.get("text", "").strip()
            id = fact.get("tool_call_id") or fact.get("key") or ""
            tag = tag_of(id) or calls.get(id, "")
            if kind == "prompt":
                said = PROMPT.search(text)
                if fact.get("agent") or said and int(said[1]) > OF_SUBAGENT:
                    continue
                last = f"t{said[1]}" if said else ""
                found["prompt", f"p{said[1]}" if said else text[:80]] += 1
            elif kind == "response" and text:
                found["response", text] += 1
            elif kind == "tool_call":
                found["call", tag or tag_of(fact.get("input", "")) or f"{fact.get('tool')} {fact.get('input', '')[:60]}"] += 1
            elif kind == "tool_result" and fact.get("status") in ("ok", "error"):
                found["result", f"{tag or id} {fact['status']}"] += 1
            elif kind == "decision" and fact.get("decision") == "reject":
                of_turn = tag.split("x")[0] or last
                if of_turn in stopped:
                    found["interrupt", of_turn] = 1
                elif tag in refused or not tag and any(name.startswith(f"{of_turn}x") for name in refused):
                    # A person who refuses stops the turn as well: the client tells both.
                    found["refused", tag or next(name for name in refused if name.startswith(f"{of_turn}x"))] = 1
                else:
                    found["refused", tag or f"{fact.get('decision_source')} after {last}"] += 1
    return found


def shown(run, config):
    listed = run.skillspan("sessions", "list", "--json", "--config", str(config)).splitlines()
    ids = [json.loads(line)["id"] for line in listed if line.strip()]
    return [json.loads(run.skillspan("sessions", "show", id, "--json", "--config", str(config))) for id in ids]


def imported(run, config):
    told = json.loads(run.skillspan("import", "--yes", "--json", "--no-mining", "--config", str(config)))
    assert not told["left"], told["left"]
    return shown(run, config), told


def of(counter, kinds):
    return sum(count for (kind, _), count in counter.items() if kind in kinds)


def compared(options, name):
    run = Run(options)
    if name not in opt_out.FILE_LESS:
        run.skillspan("connect", name, "--write", "--endpoint", run.endpoint)
    began = time.time()
    try:
        long_clients.CLIENTS[name](run)
        told_of = run.stop()
    finally:
        run.end()
    happened = run.happened()
    by_signal = facts_of(told_of, happened)
    other = run.folder / "other.yaml"
    other.write_text(run.config.read_text().replace(str(run.data), str(run.folder / "other")))
    files, told = imported(run, other)
    again = imported(run, other)[1]
    by_file = facts_of(files, happened)
    both = facts_of(imported(run, run.config)[0], happened)
    twice = both - (by_signal | by_file)
    cells = [name + " " + " ".join(sorted({session.get("assistant_version", "") for session in files})), len(files)]
    cells.append(sum(happened.values()))
    for counter in (by_signal, by_file):
        common = counter & happened
        cells.append(f"{sum(common.values())}, {sum((counter - happened).values())} more")
    cells.append(f"{sum((by_signal & by_file).values())} of {sum(by_signal.values())}")
    for kinds in (REFUSALS, INTERRUPTS):
        cells.append(f"{of(by_file & happened, kinds)} of {of(happened, kinds)} ({of(by_signal & happened, kinds)})")
    cells += [f"{sum(twice.values())} twice", f"again {again['facts']}"]
    print("| " + " | ".join(str(cell) for cell in cells) + f" | {time.time() - began:.0f} s", flush=True)
    for what, counter in (("not in the file", happened - by_file), ("never happened, but in the file", by_file - happened),
                          ("not in telemetry", happened - by_signal), ("never happened, but in telemetry", by_signal - happened),
                          ("twice", twice)):
        if counter:
            print(f"    {what}: " + "; ".join(f"{kind} {said!r}" for kind, said in sorted(counter.elements())), flush=True)
    if options.keep:
        print(f"    {run.folder}")
    else:
        shutil.rmtree(run.folder, ignore_errors=True)
    missing = sum((happened - by_file).values()) + sum((by_file - happened).values())
    return missing == 0 and not twice and not again["facts"]


def main():
    options = opt_out.prepared(opt_out.command_line(__doc__), "import-long-")
    print("| client | sessions | happened | telemetry | file | of telemetry's in the file | refusals in the file (telemetry) "
          "| interrupts in the file (telemetry) | both | |\n|---|---|---|---|---|---|---|---|---|---|")
    wrong = sum(not compared(options, name) for name in options.names or long_clients.CLIENTS)
    print(f"{wrong} differ")
    sys.exit(min(wrong, 1))


if __name__ == "__main__":
    main()

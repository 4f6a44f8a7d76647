#!/usr/bin/env python3
"""Each client, set up by `connect ASSISTANT --write` alone: whether what is stored is what happened.

    python3 tests/live/first_day.py --skillspan target/debug/skillspan --clients FOLDER --node NODE22 [ASSISTANT …]

FOLDER is as `opt_out.py` says. The driver is `model.py`: one prompt, three commands of which the first fails, one
answer; it notes what each of its answers cost. `connect --check` comes before, and must leave nothing behind.
"""
import shutil
import sys

import opt_out

# What of a session its client does not tell. Cline does not end by itself: its hook of the answer may not have run
# when it is ended.
UNTOLD = {"cline": {"prompt", "tokens", "answer"}, "claude-hooks": {"tokens"}, "copilot-hooks": {"tokens", "answer"},
          "hermes-hooks": {"tokens"}, "hermes": {"person", "tokens"}, "opencode": {"tokens"}}


def facts(sessions, kind):
    return [fact for session in sessions for fact in session["facts"] if fact["kind"] == kind]


def tried(options, name):
    run = opt_out.Run(options)
    run.whose = opt_out.WHOSE
    check = "–"
    if name not in opt_out.FILE_LESS:
        run.skillspan("connect", name, "--write", "--endpoint", run.endpoint, *run.whose)
        if name != "opencode":
            check = run.skillspan("connect", name, "--check")
    code = opt_out.CLIENTS[name](run, {}, [])
    sessions = [session for session in run.stop() if facts([session], "tool_result")]
    calls = [(fact.get("status"), fact.get("output", "")) for fact in facts(sessions, "tool_result")]
    usage = [line.split() for line in (run.folder / "usage").read_text().splitlines()]
    given = tuple(sum(int(line[place]) for line in usage) for place in (0, 1))
    tokens = [session.get("tokens", {}) for session in sessions]
    stored = tuple(sum(one.get(key, 0) for one in tokens) for key in ("input", "output"))
    shown = {
        "prompt": [fact["text"] for fact in facts(sessions, "prompt")] == [opt_out.PROMPT],
        "calls": [status for status, _ in calls] == ["error", "ok", "ok"],
        "answer": opt_out.model.LAST in [fact.get("text") for fact in facts(sessions, "response")],
        "person": {(one["workspace"], one["user_id"]) for one in sessions} == {("wombat shop", "ana.wombat@example.com")},
        "tokens": stored == given,
        "check": check == "–" or "arrived" in check,
    }
    wrong = [what for what, holds in shown.items() if not holds and what not in UNTOLD.get(name, set())]
    said = "as it happened" if not wrong and code == 0 else f"NOT SO: {', '.join(wrong) or code}"
    untold = ", ".join(what for what, holds in shown.items() if not holds and what in UNTOLD.get(name, set()))
    print(f"  {name:<14} {said}; {len(sessions)} sessions, {sum(len(s['facts']) for s in sessions)} facts; tokens "
          f"{stored} of {given}{'; not told: ' + untold if untold else ''}", flush=True)
    if options.keep or wrong:
        print(f"    {run.folder}", [status for status, _ in calls])
    else:
        shutil.rmtree(run.folder, ignore_errors=True)
    return not wrong


def main():
    options = opt_out.prepared(opt_out.command_line(__doc__), "first-day-")
    names = options.names or [name for name in opt_out.CLIENTS if name not in ("langfuse", "otel-python")]
    wrong = sum(not tried(options, name) for name in names)
    print(f"{wrong} not as it happened")
    sys.exit(min(wrong, 1))


if __name__ == "__main__":
    main()

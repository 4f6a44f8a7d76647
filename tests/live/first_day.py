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
          "hermes": {"person"}}
# Applications: one question without tools, except for these.
ASKS_ONCE = ("langfuse", "otel-python", "genai")


def facts(sessions, kind):
    return [fact for session in sessions for fact in session["facts"] if fact["kind"] == kind]


def given(run):
    """What the model's answers cost, by model. A request without tools asks for a title where others have tools: no
    client counts it among its session's."""
    file = run.folder / "usage"
    lines = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
    has_tools = any(line[3] == "tools" for line in lines)
    total = {}
    for read, written, model, tools in lines:
        if tools == "tools" or not has_tools:
            before = total.get(model, (0, 0))
            total[model] = (before[0] + int(read), before[1] + int(written))
    return total


def stored(sessions):
    """The tokens that are stored, by model."""
    total = {}
    for session in sessions:
        for model, count in session.get("tokens", {}).get("models", {}).items():
            before = total.get(model, (0, 0))
            total[model] = (before[0] + count.get("input", 0), before[1] + count.get("output", 0))
    return total


def tried(options, name):
    run = opt_out.Run(options)
    run.whose = opt_out.WHOSE
    check = "–"
    if name not in opt_out.FILE_LESS:
        run.skillspan("connect", name, "--write", "--endpoint", run.endpoint, *run.whose)
        if name != "opencode":
            check = run.skillspan("connect", name, "--check")
    code = {**opt_out.CLIENTS, **opt_out.MORE}[name](run, {}, [])
    sessions = [session for session in run.stop() if facts([session], "tool_result" if name not in ASKS_ONCE else "prompt")]
    calls = [fact.get("status") for fact in facts(sessions, "tool_result")]
    # OpenCode puts quotes around what stands on its command line.
    prompts = [fact["text"].strip('"') for fact in facts(sessions, "prompt")]
    usage, counted = given(run), stored(sessions)
    shown = {
        "prompt": prompts == [opt_out.PROMPT],
        "calls": calls == ([] if name in ASKS_ONCE else ["error", "ok", "ok"]),
        "answer": opt_out.model.LAST in [fact.get("text") for fact in facts(sessions, "response")],
        "person": {(one["workspace"], one["user_id"]) for one in sessions} == {("wombat shop", "ana.wombat@example.com")},
        "tokens": counted == usage,
        "check": check == "–" or "arrived" in check,
    }
    wrong = [what for what, holds in shown.items() if not holds and what not in UNTOLD.get(name, set())]
    said = "as it happened" if not wrong and code == 0 else f"NOT SO: {', '.join(wrong) or code}"
    untold = ", ".join(what for what, holds in shown.items() if not holds and what in UNTOLD.get(name, set()))
    print(f"  {name:<14} {said}; {len(sessions)} sessions, {sum(len(s['facts']) for s in sessions)} facts; tokens "
          f"{counted} of {usage}{'; not told: ' + untold if untold else ''}", flush=True)
    if options.keep or wrong:
        print(f"    {run.folder}", calls)
    else:
        shutil.rmtree(run.folder, ignore_errors=True)
    return not wrong


def main():
    options = opt_out.prepared(opt_out.command_line(__doc__), "first-day-")
    names = options.names or [*opt_out.CLIENTS, *opt_out.MORE]
    wrong = sum(not tried(options, name) for name in names)
    print(f"{wrong} not as it happened")
    sys.exit(min(wrong, 1))


if __name__ == "__main__":
    main()

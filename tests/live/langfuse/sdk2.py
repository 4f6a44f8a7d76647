"""Langfuse's Python SDK 2, which sends everything through /api/public/ingestion. As sdk.py."""

import logging
import sys
import time
import warnings
from importlib.metadata import version

lines = []


class Lines(logging.Handler):
    def emit(self, record):
        lines.append(f"{record.levelname} {record.name}: {record.getMessage()}")


logging.basicConfig(level=logging.WARNING, handlers=[Lines()])
warnings.simplefilter("always")
warnings.showwarning = lambda message, *_: lines.append(f"warning: {message}")

import base64  # noqa: E402

from langfuse import Langfuse  # noqa: E402

# What the SDK's own imports say is not about us.
at_import, lines[:] = list(lines), []
session = sys.argv[1]
PIXEL = "data:image/png;base64," + base64.b64encode(b"\x89PNG not really").decode()
client = Langfuse(public_key="pk-lf-live", secret_key="sk-lf-live-0123456789")


def step(name, what):
    started = time.monotonic()
    try:
        outcome = what()
    except Exception as error:  # noqa: BLE001
        outcome = f"{type(error).__name__}: {str(error)[:160]}"
    print(f"  {name}: {outcome} ({time.monotonic() - started:.1f} s)")


def trace():
    ask = [{"role": "user", "content": "Why is the build red?"}]
    call = {"role": "assistant", "content": None, "tool_calls": [
        {"id": "call_1", "type": "function",
         "function": {"name": "run_tests", "arguments": '{"path": "services"}'}}]}
    trace = client.trace(name="turn", session_id=session, user_id="dev-alice", input="Why is the build red?",
                         metadata={"workspace": "shop"})
    agent = trace.span(name="agent", input={"prompt": "Why is the build red?"})
    generation = agent.generation(name="llm", model="stand-in", input=ask)
    generation.end(output=call, usage={"input": 7, "output": 3})
    tool = agent.span(name="run_tests", input={"path": "services"}, metadata={"tool_call_id": "call_1"})
    # The update goes in another request than what it updates.
    time.sleep(1.2)
    tool.end(level="ERROR", status_message="ModuleNotFoundError: rates")
    generation = agent.generation(name="llm", model="stand-in", input=[
        *ask, call, {"role": "tool", "tool_call_id": "call_1", "content": "ModuleNotFoundError: rates"}])
    generation.end(output={"role": "assistant", "content": "The module billing.rates is gone."})
    agent.span(name="screenshot", input={"image": PIXEL}).end()
    agent.event(name="turn-finished")
    agent.end(output="The module billing.rates is gone.")
    trace.update(output="The module billing.rates is gone.")
    trace.score(name="user-feedback", value=1, data_type="BOOLEAN", comment="thumb")
    trace.score(name="acceptance", value="accepted", data_type="CATEGORICAL")
    return "made"


print(f"langfuse {version('langfuse')}, Python {sys.version.split()[0]}")
step("auth_check", client.auth_check)
step("trace, scores, media", trace)
step("flush", client.flush)
step("shutdown", client.shutdown)
print(f"  log lines and warnings: {len(lines)} (while importing the SDK: {len(at_import)})")
for line in lines:
    print(f"    {line[:230]}")

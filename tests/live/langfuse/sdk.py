"""Langfuse's Python SDK 3, 4 and 5: auth_check, nested observations, scores, media, flush, shutdown.

    LANGFUSE_HOST=http://127.0.0.1:4318 python sdk.py SESSION

Prints what each step gave, every log line of level WARNING or more, and every Python warning.
"""

import base64
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

from langfuse import Langfuse, propagate_attributes  # noqa: E402

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
    with client.start_as_current_observation(name="agent", as_type="agent", input="Why is the build red?") as agent:
        with propagate_attributes(session_id=session, user_id="dev-alice", metadata={"workspace": "shop"}):
            with client.start_as_current_observation(name="llm", as_type="generation", model="stand-in", input=ask) as g:
                g.update(output=call, usage_details={"input": 7, "output": 3})
            with client.start_as_current_observation(
                name="run_tests", as_type="tool", input={"path": "services"}, metadata={"tool_call_id": "call_1"}
            ) as tool:
                tool.update(level="ERROR", status_message="ModuleNotFoundError: rates")
            with client.start_as_current_observation(name="llm", as_type="generation", model="stand-in", input=[
                *ask, call, {"role": "tool", "tool_call_id": "call_1", "content": "ModuleNotFoundError: rates"},
            ]) as g:
                g.update(output="The module billing.rates is gone.")
            with client.start_as_current_observation(name="screenshot", as_type="span", input={"image": PIXEL}):
                pass
        agent.update(output="The module billing.rates is gone.")
        client.create_score(trace_id=agent.trace_id, name="user-feedback", value=1, data_type="BOOLEAN", comment="thumb")
        client.create_score(trace_id=agent.trace_id, name="acceptance", value="accepted", data_type="CATEGORICAL")
    client.create_score(session_id=session, name="session-outcome", value=0.9, data_type="NUMERIC")
    return "made"


print(f"langfuse {version('langfuse')}, Python {sys.version.split()[0]}")
step("auth_check", client.auth_check)
step("trace, scores, media", trace)
step("flush", client.flush)
step("shutdown", client.shutdown)
print(f"  log lines and warnings: {len(lines)}")
for line in lines:
    print(f"    {line[:230]}")

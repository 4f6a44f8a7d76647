"""What of one client's session is in the table: python arrived.py SESSION LIST SHOW"""

import json
import sys

name, listed, shown = sys.argv[1:]
text = open(shown).read()
if text:
    session = json.loads(text)
    print("    user", session.get("user_id"), "workspace", session.get("workspace"))
    for fact in session["facts"]:
        kind = fact["kind"]
        feedback = kind == "feedback"
        named = fact.get("attributes", {}).get("gen_ai.evaluation.name") if feedback else fact.get("tool")
        value = fact.get("score") if feedback else fact.get("status")
        said = fact.get("output") or fact.get("input") or fact.get("text")
        parts = [str(part) for part in (kind, named, value, said) if part not in ("", None)]
        print("    " + " ".join(parts)[:110])
else:
    print(f"    nothing of {name}")
# Facts whose session was lost with another request.
for line in open(listed):
    row = json.loads(line)
    if row["id"].startswith("trace:"):
        print("    a trace without its session:", json.dumps(row["events"]))

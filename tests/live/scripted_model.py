#!/usr/bin/env python3
"""A stand-in for a model's API on the loopback interface, as `model.py` is one, whose script the last prompt chooses.

    scripted_model.py PORT LEDGER

A prompt says its number and its script: `p7: tests`. Texts of answers and the calls of tools carry a tag of it (`t7x2`: the
third call of prompt 7), so that each fact is told apart from every other. LEDGER gets a line for each step that
was answered, once: the texts and the calls, each with what has to come of it (`ok`, `error`, `refused`, `stopped`).
Tools are those that the client offers, found by their names; what a tool wants to be told, its schema says. A client
without a tool to read or to edit is given commands. A request without tools asks for a title or the like.
"""
import json
import pathlib
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PROMPT = re.compile(r"\bp(\d+): (\w+)")
# What a sub-agent is told has the number of its prompt and this.
OF_SUBAGENT = 5000
TOOLS = {
    "shell": ("Bash", "bash", "shell", "run_shell_command", "exec_command", "run_commands", "execute_command", "shell_command"),
    "read": ("Read", "read", "read_file", "view"),
    "edit": ("Edit", "edit", "replace", "edit_file"),
    "write": ("Write", "write", "write_file", "create"),
    "agent": ("Agent", "Task", "task", "agent", "invoke_agent", "subagent"),
    "finish": ("complete_task",),
}
# Scripts: steps of calls (what, argument, what has to come of it), all calls of a step at once; then an answer.
SCRIPTS = {
    "tests": [[("shell", "test -f up{n} || {{ echo 'connection refused'; exit 2; }}", "error")], [("shell", "touch up{n}", "ok")],
              [("shell", "test -f up{n} && echo '5 passed'", "ok")]],
    "files": [[("read", "f{n}-t{n}x0.txt", "ok")], [("edit", "f{n}-t{n}x0.txt", "ok")], [("read", "none-{tag}.txt", "error")],
              [("write", "new-{tag}.txt", "ok")]],
    "outputs": [[("shell", "seq 1 4000", "ok")], [("shell", "true", "ok")], [("shell", "echo oops >&2; exit 3", "error")],
                [("shell", "printf '{{\"a\": \"\\303\\274\"}}\\n\\033[31mred\\033[0m\\n'", "ok")], [("shell", "cat f{n}-t{n}x0.txt", "ok")]],
    "both": [[("shell", "echo one", "ok"), ("shell", "echo two", "ok")], [("shell", "grep -c : Makefile", "ok")]],
    "agent": [[("agent", "p{sub}: sub", "ok")]],
    # Gemini CLI's sub-agents have a tool to end with.
    "sub": [[("shell", "grep -n db Makefile", "ok")], [("finish", "it is there", "ok")]],
    "denied": [[("shell", "rm -rf build{n}", "refused")]],
    "hooked": [[("shell", "git push origin main{n}", "refused")]],
    "wait": [[("shell", "python3 -c 'import time; time.sleep(61)'", "stopped")]],
    "hold": [[("shell", "python3 -c 'import time; time.sleep(9)'", "ok")]],
    "talk": [],
}
LOCK = threading.Lock()
TOLD = set()


def words(content):
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text") or "" for part in content or [] if isinstance(part, dict))


def turns(request):
    """(whose, words, number of calls) of each message, whichever the API."""
    for message in request.get("messages", []):
        blocks = message["content"] if isinstance(message.get("content"), list) else []
        calls = len(message.get("tool_calls") or []) + sum(block.get("type") == "tool_use" for block in blocks)
        yield message["role"], words(message.get("content")), calls
    for content in request.get("contents", []):
        calls = sum("functionCall" in part for part in content.get("parts", []))
        yield content.get("role"), words(content.get("parts")), calls
    for item in request.get("input", []) if isinstance(request.get("input"), list) else []:
        calls = item.get("type") in ("function_call", "custom_tool_call")
        yield item.get("role") or ("assistant" if calls else "tool"), words(item.get("content")), int(calls)


def offered(request):
    """The tools' schemas by their names."""
    for tool in request.get("tools") or []:
        for declared in tool.get("functionDeclarations") or [tool.get("function") or tool]:
            schema = next((declared[name] for name in ("input_schema", "parameters", "parametersJsonSchema", "inputSchema")
                           if declared.get(name)), {})
            yield declared.get("name", ""), schema.get("properties", {})


def called(what, argument, tag, tools):
    """The name of a tool that is there, and what it is told."""
    name = next((name for name in TOOLS[what] if name in tools), None)
    if what == "edit" and "apply_patch" in tools:
        line = f"alpha {tag[1:].split('x')[0]}"
        return "apply_patch", f"*** Begin Patch\n*** Update File: {argument}\n@@\n-{line}\n+beta {tag}\n*** End Patch"
    if name is None and what in ("read", "edit", "write"):
        commands = {"read": f"cat {argument}", "edit": f"sed -i s/alpha/beta/ {argument}", "write": f"echo new > {argument}"}
        return called("shell", commands[what], tag, tools)
    if name is None:
        return None
    path = str(pathlib.Path(WORK, argument))
    values = dict.fromkeys(("file_path", "filePath", "absolute_path", "path"), path)
    values |= dict.fromkeys(("old_string", "oldString", "old_str", "oldText"), "alpha")
    values |= dict.fromkeys(("new_string", "newString", "new_str", "newText"), f"beta {tag}")
    values |= dict.fromkeys(("command", "cmd"), f"{argument} # {tag}")
    values |= dict.fromkeys(("content", "file_text"), f"new {tag}\n")
    values |= {"commands": [f"{argument} # {tag}"], "edits": [{"oldText": "alpha", "newText": f"beta {tag}"}],
               "description": f"step {tag}", "instruction": f"step {tag}", "name": f"step-{tag}", "mode": "sync"}
    if argument.startswith("rm "):
        # Codex asks a person then.
        values |= {"sandbox_permissions": "require_escalated", "justification": f"step {tag}"}
    if what == "read":
        # A number of lines that is no limit tells two readings of one file apart.
        values |= {"limit": 100, "offset": 0 if name == "read_file" else 1}
        values.pop("mode")
    if what == "finish":
        return name, {"result": {"response": f"{argument} {tag}"}}
    if what == "agent":
        argument = f"{argument} {tag}"
        values |= {"prompt": argument, "task": argument, "subagent_type": "general-purpose", "agent_type": "general-purpose",
                   "agent_name": "generalist", "description": f"step {tag}"}
        if name == "task" and "agent_type" not in tools[name]:
            values["subagent_type"] = "general"
    return name, {key: value for key, value in values.items() if key in tools[name]}


def step_of(request):
    """The text of the next answer, its calls (id, tool, input), and what tells it apart."""
    tools = dict(offered(request))
    number, script, steps, is_new, notices = 0, "talk", 0, False, 0
    for whose, said, calls in turns(request):
        found = PROMPT.findall(said) if whose == "user" else []
        if found:
            number, script, steps, is_new, notices = int(found[-1][0]), found[-1][1], 0, True, 0
        # Of parallel calls the responses API has an item each.
        elif whose in ("assistant", "model") and calls:
            steps += calls
        # A sub-agent in the background ended, and the model is told so.
        notices += whose == "user" and "<task-notification>" in said
    if not tools:
        return "A title of the session", [], "title"
    plan, first = SCRIPTS.get(script, []), 0
    for at, step in enumerate(plan):
        if first >= steps:
            break
        first += len(step)
    else:
        at = len(plan)
    if not is_new or at >= len(plan):
        text = f"t{number} is done{notices * ', and so is the helper'}." if is_new else "I do not know."
        return tell(number, at + notices, text, [], is_new)
    calls, expected = [], []
    for index, (what, argument, outcome) in enumerate(plan[at]):
        tag = f"t{number}x{first + index}"
        call = called(what, argument.format(n=number, tag=tag, sub=number + OF_SUBAGENT), tag, tools)
        if call:
            calls.append((f"call_{tag}", *call))
            expected.append({"tag": tag, "what": what, "tool": call[0], "expect": outcome})
    if not calls:
        return tell(number, at, f"t{number} is done.", [], True)
    text, _, _ = tell(number, at, f"t{number}x{first} comes.", expected, True)
    return text, calls, f"{number}_{at}"


def tell(number, at, text, expected, is_told):
    with LOCK:
        if is_told and (number, at) not in TOLD:
            TOLD.add((number, at))
            with open(LEDGER, "a") as file:
                file.write(json.dumps({"prompt": number, "step": at, "text": text, "calls": expected}) + "\n")
    return text, [], f"{number}_{at}"


def anthropic(request):
    text, calls, key = step_of(request)
    usage = {"input_tokens": 100, "output_tokens": 20}
    message = {"id": f"msg_{key}", "type": "message", "role": "assistant", "model": request.get("model"),
               "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    blocks = [{"type": "text", "text": text}]
    blocks += [{"type": "tool_use", "id": f"toolu_{id}", "name": name, "input": told} for id, name, told in calls]
    reason = "tool_use" if calls else "end_turn"
    if not request.get("stream"):
        return json.dumps({**message, "content": blocks, "stop_reason": reason}), "application/json"
    events = [{"type": "message_start", "message": message}]
    for index, block in enumerate(blocks):
        is_text = block["type"] == "text"
        start = {**block, **({"text": ""} if is_text else {"input": {}})}
        delta = ({"type": "text_delta", "text": text} if is_text
                 else {"type": "input_json_delta", "partial_json": json.dumps(block["input"])})
        events += [{"type": "content_block_start", "index": index, "content_block": start},
                   {"type": "content_block_delta", "index": index, "delta": delta},
                   {"type": "content_block_stop", "index": index}]
    events += [{"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage},
               {"type": "message_stop"}]
    return streamed(events, named=True)


def responses(request):
    text, calls, key = step_of(request)
    said = {"type": "message", "role": "assistant", "id": f"msg_{key}", "status": "completed",
            "phase": "commentary" if calls else "final_answer",
            "content": [{"type": "output_text", "text": text, "annotations": []}]}
    items = [said]
    for id, name, told in calls:
        is_custom = isinstance(told, str)
        call = {"type": "custom_tool_call", "input": told} if is_custom else {"type": "function_call", "arguments": json.dumps(told)}
        items.append({**call, "id": f"fc_{id}", "call_id": id, "name": name})
    usage = {"input_tokens": 100, "input_tokens_details": None, "output_tokens": 20, "output_tokens_details": None,
             "total_tokens": 120}
    events = [{"type": "response.created", "response": {"id": f"resp_{key}"}}]
    for item in items:
        events.append({"type": "response.output_item.added", "item": {**item, "content": []}})
        if item is said:
            events.append({"type": "response.output_text.delta", "item_id": item["id"], "delta": text})
        events.append({"type": "response.output_item.done", "item": item})
    events.append({"type": "response.completed", "response": {"id": f"resp_{key}", "usage": usage}})
    return streamed(events, named=True)


def chat(request):
    text, calls, key = step_of(request)
    message = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = [{"index": index, "id": id, "type": "function",
                                  "function": {"name": name, "arguments": json.dumps(told)}}
                                 for index, (id, name, told) in enumerate(calls)]
    head = {"id": f"chat_{key}", "model": request.get("model"), "created": 1}
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    reason = "tool_calls" if calls else "stop"
    if not request.get("stream"):
        choice = {"index": 0, "message": message, "finish_reason": reason}
        return json.dumps({**head, "object": "chat.completion", "choices": [choice], "usage": usage}), "application/json"
    head["object"] = "chat.completion.chunk"
    chunks = [{**head, "choices": [{"index": 0, "delta": message, "finish_reason": None}]},
              {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}], "usage": usage}]
    body, kind = streamed(chunks)
    return body + "data: [DONE]\n\n", kind


def gemini(request, model, is_stream):
    text, calls, key = step_of(request)
    if not request.get("tools"):
        text = json.dumps({"reasoning": "simple", "model_choice": "flash", "next_speaker": "user", "complexity_score": 1})
    parts = [{"text": text}, *({"functionCall": {"id": id, "name": name, "args": told}} for id, name, told in calls)]
    answer = {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}],
              "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 20, "totalTokenCount": 120},
              "modelVersion": model, "responseId": f"live-{key}"}
    return streamed([answer]) if is_stream else (json.dumps(answer), "application/json")


def streamed(events, named=False):
    head = "event: {}\n" if named else ""
    return "".join(f"{head.format(event.get('type'))}data: {json.dumps(event)}\n\n" for event in events), "text/event-stream"


class Model(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        path = self.path.split("?")[0]
        of_gemini = re.search(r"/models/([^:/]+):(\w+)", path)
        if path.endswith("count_tokens"):
            answer = json.dumps({"input_tokens": 100}), "application/json"
        elif path.endswith("/messages"):
            answer = anthropic(request)
        elif path.endswith("/chat/completions"):
            answer = chat(request)
        elif path.endswith("/responses"):
            answer = responses(request)
        elif of_gemini and of_gemini[2].lower().endswith("generatecontent"):
            answer = gemini(request, of_gemini[1], of_gemini[2].startswith("stream"))
        elif of_gemini:
            answer = json.dumps({"totalTokens": 100}), "application/json"
        else:
            return self.answer("{}", "application/json", 404)
        if DEBUG:
            with open(DEBUG, "a") as file:
                file.write(json.dumps({"path": path, "request": request, "answer": answer[0]}) + "\n")
        self.answer(*answer)

    def do_GET(self):
        self.answer("{}", "application/json", 404)

    def answer(self, text, kind, status=200):
        body = text.encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    LEDGER, WORK, DEBUG = sys.argv[2], sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else ""
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Model).serve_forever()

#!/usr/bin/env python3
"""A stand-in for a model's API on the loopback interface: Anthropic's messages, OpenAI's responses and chat
completions, and Gemini's generateContent, all streamed. It plays one script: run the tests, see them fail, start the database,
run them again, say so. Which step is next, the number of tool results in the request says.

    model.py PORT [FILE]

FILE gets a line for each answer that has a usage: what was read, what was written, the model that was asked, and whether
it was given tools. A request without tools asks for a title or the like.
"""
import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STEPS = [
    ("I run the integration tests.", "make test-integration"),
    ("The database is not running.", "make db-up"),
    ("Now again.", "make test-integration"),
]
LAST = "All 5 integration tests pass; `make db-up` has to run before `make test-integration`."


def anthropic(request):
    results = [
        block
        for message in request.get("messages", [])
        if isinstance(message.get("content"), list)
        for block in message["content"]
        if block.get("type") == "tool_result"
    ]
    step = len(results)
    blocks, reason = [{"type": "text", "text": LAST}], "end_turn"
    if not request.get("tools"):
        blocks = [{"type": "text", "text": "Integration tests"}]
    elif step < len(STEPS):
        text, command = STEPS[step]
        shells = [tool["name"] for tool in request["tools"] if tool.get("name", "").lower() == "bash"]
        call = {"type": "tool_use", "id": f"toolu_live_{step}", "name": (shells or ["Bash"])[0],
                "input": {"command": command, "description": text}}
        blocks, reason = [{"type": "text", "text": text}, call], "tool_use"
    usage = {"input_tokens": 100 + step, "output_tokens": 20}
    message = {"id": f"msg_live_{step}", "type": "message", "role": "assistant", "model": request.get("model"),
               "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    yield "message_start", {"type": "message_start", "message": message}
    for index, block in enumerate(blocks):
        if block["type"] == "text":
            start, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            start = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield "content_block_start", {"type": "content_block_start", "index": index, "content_block": start}
        yield "content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta}
        yield "content_block_stop", {"type": "content_block_stop", "index": index}
    end = {"stop_reason": reason, "stop_sequence": None}
    yield "message_delta", {"type": "message_delta", "delta": end, "usage": usage}
    yield "message_stop", {"type": "message_stop"}


def openai(request):
    step = sum(item.get("type") == "function_call_output" for item in request.get("input", []))
    text, command = STEPS[step] if step < len(STEPS) else (LAST, None)
    message = {"type": "message", "role": "assistant", "id": f"msg_live_{step}",
               "status": "completed", "phase": "commentary" if command else "final_answer",
               "content": [{"type": "output_text", "text": text, "annotations": []}]}
    items = [message]
    if command:
        items.append({"type": "function_call", "id": f"fc_live_{step}", "call_id": f"call_live_{step}",
                      "name": "exec_command", "arguments": json.dumps({"cmd": command})})
    usage = {"input_tokens": 100, "input_tokens_details": None, "output_tokens": 20,
             "output_tokens_details": None, "total_tokens": 120}
    yield "response.created", {"type": "response.created", "response": {"id": f"resp_live_{step}"}}
    for item in items:
        yield "response.output_item.added", {"type": "response.output_item.added", "item": {**item, "content": []}}
        if item is message:
            delta = {"type": "response.output_text.delta", "item_id": message["id"], "delta": text}
            yield "response.output_text.delta", delta
        yield "response.output_item.done", {"type": "response.output_item.done", "item": item}
    response = {"id": f"resp_live_{step}", "usage": usage}
    yield "response.completed", {"type": "response.completed", "response": response}


SHELLS = ("bash", "shell", "terminal", "run_shell_command", "run_commands", "execute_command", "exec_command")


def chat(request):
    step = sum(message.get("role") == "tool" for message in request.get("messages", []))
    names = [tool.get("function", {}).get("name", "") for tool in request.get("tools") or []]
    shell = next((name for name in names if name in SHELLS), None)
    text, command = STEPS[step] if shell and step < len(STEPS) else (LAST, None)
    message = {"role": "assistant", "content": text}
    if command:
        asked = {"commands": [command]} if shell == "run_commands" else {"command": command}
        arguments = json.dumps({**asked, "description": text})
        message["tool_calls"] = [{"index": 0, "id": f"call_live_{step}", "type": "function",
                                  "function": {"name": shell, "arguments": arguments}}]
    head = {"id": f"chat_live_{step}", "model": request.get("model"), "created": 1}
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    return head, message, "tool_calls" if command else "stop", usage


def chat_chunks(request):
    head, message, reason, usage = chat(request)
    head = {**head, "object": "chat.completion.chunk"}
    yield {**head, "choices": [{"index": 0, "delta": message, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}], "usage": usage}


def gemini(request, model):
    parts = [part for content in request.get("contents", []) for part in content.get("parts", [])]
    step = sum("functionResponse" in part for part in parts)
    answer = [{"text": LAST}]
    if not request.get("tools"):
        answer = [{"text": json.dumps({"reasoning": "simple", "model_choice": "flash", "next_speaker": "user"})}]
    elif step < len(STEPS):
        text, command = STEPS[step]
        arguments = {"command": command, "description": text}
        answer = [{"text": text}, {"functionCall": {"name": "run_shell_command", "args": arguments}}]
    return {"candidates": [{"content": {"role": "model", "parts": answer}, "finishReason": "STOP", "index": 0}],
            "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 20, "totalTokenCount": 120},
            "modelVersion": model, "responseId": f"live-{step}"}


class Model(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        path = self.path.split("?")[0]
        named = re.search(r"/models/([^:/]+):", path)
        self.asked = f"{request.get('model') or (named and named[1]) or '-'} {'tools' if request.get('tools') else '-'}"
        if path.endswith("count_tokens"):
            return self.answer("application/json", json.dumps({"input_tokens": 100}))
        if path.endswith("/messages"):
            events = anthropic(request)
            if request.get("stream"):
                lines = (f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)
                return self.answer("text/event-stream", "".join(lines))
            text = {"id": "msg_live", "type": "message", "role": "assistant", "model": request.get("model"),
                    "content": [{"type": "text", "text": "ok"}], "stop_reason": "end_turn",
                    "usage": {"input_tokens": 1, "output_tokens": 1}}
            return self.answer("application/json", json.dumps(text))
        if path.endswith("/chat/completions"):
            if request.get("stream"):
                lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chat_chunks(request)]
                return self.answer("text/event-stream", "".join(lines) + "data: [DONE]\n\n")
            head, message, reason, usage = chat(request)
            choices = [{"index": 0, "message": message, "finish_reason": reason}]
            whole = {**head, "object": "chat.completion", "choices": choices, "usage": usage}
            return self.answer("application/json", json.dumps(whole))
        if path.endswith("/responses"):
            lines = (f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in openai(request))
            return self.answer("text/event-stream", "".join(lines))
        if path.endswith(":streamGenerateContent"):
            return self.answer("text/event-stream", f"data: {json.dumps(gemini(request, named[1]))}\n\n")
        if path.endswith(":generateContent"):
            return self.answer("application/json", json.dumps(gemini(request, named[1])))
        if path.endswith(":countTokens"):
            return self.answer("application/json", json.dumps({"totalTokens": 100}))
        return self.answer("application/json", "{}", 404)

    def do_GET(self):
        self.asked = "- -"
        self.answer("application/json", "{}", 404)

    def answer(self, kind, text, status=200):
        body = text.encode()
        self.note(text)
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def note(self, text):
        """What the answer says it cost; of a stream, the last word on it."""
        names = [("input_tokens", "output_tokens"), ("prompt_tokens", "completion_tokens"),
                 ("promptTokenCount", "candidatesTokenCount")]
        for read, written in names:
            found = re.findall(rf'"{read}": (\d+).{{0,80}}?"{written}": (\d+)', text)
            if found and len(sys.argv) > 2:
                with open(sys.argv[2], "a") as file:
                    file.write(f"{found[-1][0]} {found[-1][1]} {self.asked}\n")

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Model).serve_forever()

"""A model API that answers every question with two parallel calls of the tool, and their results with
a text. OpenAI's chat completions and responses, on port 18999."""
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATHS = ["a.txt", "missing.txt"]


def text_of(content):
    return content if isinstance(content, str) else content[0].get("text", "")


def responses(request):
    given = request["input"]
    items = given if isinstance(given, list) else [{"role": "user", "content": given}]
    asked = text_of([item for item in items if item.get("role") == "user"][-1]["content"])
    number = len(items)
    if items[-1].get("type") == "function_call_output" or not request.get("tools"):
        text = {"type": "output_text", "text": f"Done: {asked}", "annotations": []}
        output = [{"type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed", "content": [text]}]
    else:
        output = [{"type": "function_call", "id": f"fc_{number}_{place}", "call_id": f"call_{number}_{place}",
                   "name": "read_file", "arguments": json.dumps({"path": path}), "status": "completed"}
                  for place, path in enumerate(PATHS)]
    usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15,
             "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    return {"id": f"resp_{number}", "object": "response", "created_at": 1, "model": request["model"], "output": output,
            "status": "completed", "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "usage": usage}


def chat(request):
    messages = request["messages"]
    asked = text_of([message for message in messages if message["role"] == "user"][-1]["content"])
    number = len(messages)
    if messages[-1]["role"] == "tool" or not request.get("tools"):
        message, reason = {"role": "assistant", "content": f"Done: {asked}"}, "stop"
    else:
        calls = [{"id": f"call_{number}_{place}", "type": "function",
                  "function": {"name": "read_file", "arguments": json.dumps({"path": path})}}
                 for place, path in enumerate(PATHS)]
        message, reason = {"role": "assistant", "content": None, "tool_calls": calls}, "tool_calls"
    return {"id": f"chatcmpl-{number}", "object": "chat.completion", "created": 1, "model": request["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": reason}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}}


class Model(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        body = json.dumps(responses(request) if "responses" in self.path else chat(request)).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", 18999), Model).serve_forever()

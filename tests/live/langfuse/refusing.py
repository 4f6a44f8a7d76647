"""Stands before a collector and answers 503 for so many seconds after the first POST, then passes on.

    python refusing.py PORT TARGET_PORT SECONDS
"""

import http.client
import http.server
import sys
import threading
import time

port, target, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
first = None
lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self):
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        whole = b""
        while size := int(self.rfile.readline(), 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

    def handle_any(self):
        global first
        body = self.body()
        with lock:
            if self.command == "POST" and first is None:
                first = time.monotonic()
            since = time.monotonic() - first if first else 0.0
            refuse = self.command == "POST" and since < seconds
        if refuse:
            status, headers, answer = 503, {"retry-after": "1", "content-type": "application/json"}, b'{"message":"try again"}'
        else:
            upstream = http.client.HTTPConnection("127.0.0.1", target, timeout=10)
            sent = {k: v for k, v in self.headers.items() if k.lower() not in ("transfer-encoding", "content-length", "connection")}
            upstream.request(self.command, self.path, body, sent)
            response = upstream.getresponse()
            status, headers, answer = response.status, dict(response.getheaders()), response.read()
        print(f"    {since:5.1f} s  {self.command} {self.path} -> {status}", flush=True)
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PATCH = handle_any

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()

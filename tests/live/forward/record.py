"""A backend over HTTP that keeps every body in the order of arrival: record.py PORT FOLDER"""
import gzip
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

port, folder = int(sys.argv[1]), Path(sys.argv[2])
folder.mkdir(exist_ok=True)
numbers = count(len(list(folder.iterdir())))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        (folder / f"{next(numbers):05}.{self.path.rsplit('/', 1)[1]}").write_bytes(body)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()

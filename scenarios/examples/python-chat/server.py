"""A small chat server with nothing but Python's standard library: threads, HTTP and SSE.

Start it with a model behind it, and without or with a leak:

    partywall upstream --port 9000 &
    OPENAI_BASE_URL=http://127.0.0.1:9000/v1 python3 server.py --port 8000 [--leak [WHAT]]

POST /chat with {"id": "1", "message": "..."} and a bearer token answers with SSE: `started`, a
`piece` for each piece of the model's answer, and `done`. GET /health answers `ok`.

With --leak the request that is being worked on is kept in one slot of the process, and what is
sent to the model is read from it after another call of the model: the last writer wins. With
--leak=token only the key that the model is asked with is read from there: every answer is right,
and under another user's account.
"""

import argparse
import http.client
import json
import os
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MOST = 1 << 20


class Slot:
    """The current request: of the process with the leak, of the thread without."""

    request = None


PROCESS = Slot()


def ask(base, method, path, token, body=None):
    """Asks the model; gives the connection and its response."""
    url = urllib.parse.urlsplit(base)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request(method, url.path + path, body=body, headers=headers)
    return connection, connection.getresponse()


class Chat(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else small events wait for each other.
    disable_nagle_algorithm = True

    def do_GET(self):
        self.answer(200 if self.path == "/health" else 404, "ok")

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if self.path != "/chat" or length > MOST or not token:
            self.close_connection = True
            return self.answer(401 if not token else 404, "no such thing")
        try:
            chat = json.loads(self.rfile.read(length))
            request = {"id": str(chat["id"]), "message": str(chat["message"]), "token": token}
        except (ValueError, KeyError, TypeError):
            return self.answer(400, "not a chat")
        slot = PROCESS if self.server.leak else Slot()
        slot.request = request
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        run = self.server.next_run()
        self.tell("started", run, id=request["id"])
        profile = json.dumps({"messages": [{"role": "user", "content": "a greeting"}]})
        connection, reply = ask(self.server.base, "POST", "/chat/completions", token, profile)
        reply.read()
        connection.close()
        if self.server.leak == "token":
            token = slot.request["token"]
        else:
            request = slot.request
        self.pass_on(run, token, request["message"])

    def pass_on(self, run, token, message):
        """Asks the model, and tells each piece as it comes."""
        messages = [{"role": "user", "content": message}]
        body = json.dumps({"model": "any", "messages": messages, "stream": True})
        connection, reply = ask(self.server.base, "POST", "/chat/completions", token, body)
        number = 0
        try:
            for line in reply:
                data = line.decode().strip().removeprefix("data: ")
                if not data or data == "[DONE]":
                    continue
                choices = json.loads(data).get("choices") or [{}]
                text = choices[0].get("delta", {}).get("content")
                if text:
                    number += 1
                    self.tell("piece", run, number=number, text=text)
        except (ValueError, OSError, http.client.HTTPException):
            return self.tell("failed", run, number=number + 1)
        finally:
            connection.close()
        self.tell("done", run, number=number + 1)

    def tell(self, event, run, **more):
        data = json.dumps({"event": event, "run": run, **more})
        self.wfile.write(f"event: {event}\ndata: {data}\n\n".encode())
        self.wfile.flush()

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port, base, leak):
        super().__init__(("127.0.0.1", port), Chat)
        self.base, self.leak = base.rstrip("/"), leak
        self.runs, self.lock = 0, threading.Lock()

    def next_run(self):
        with self.lock:
            self.runs += 1
            return f"run-{self.runs}"


def main():
    options = argparse.ArgumentParser(description="A chat server, with or without a leak")
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--leak", nargs="?", const="message", choices=["message", "token"])
    options = options.parse_args()
    base = os.environ.get("OPENAI_BASE_URL")
    if not base:
        raise SystemExit("OPENAI_BASE_URL is not set; start `partywall upstream` and give its URL")
    server = Server(options.port, base, options.leak)
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

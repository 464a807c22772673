"""What the servers in this folder share: HTTP and WebSocket over asyncio, and a count of crossings.

A server counts for itself: each handler says by `seen(user, words)` what it is about to send to whom,
and words of another user are a crossing. The count is kept in a file of $SOUNDNESS_COUNTS that
survives the process, so that what is true of a server does not come from partywall.
"""

import asyncio
import base64
import hashlib
import http
import json
import mmap
import os
import random
import struct
import sys
import time
import urllib.parse

MOST = 4 << 20
# A clean server's twin that leaks: one file, two settings.
LEAKY = os.environ.get("LEAKY") == "1"
# Of a leaking server: how many of a hundred requests are harmed.
LEAK_PERCENT = float(os.environ.get("LEAK_PERCENT", "5"))

chance = random.Random(os.environ.get("SOUNDNESS_SEED"))


def struck(of=1.0):
    """Whether this request takes the faulty way, by which that share of requests is harmed."""
    return chance.random() * 100 * of < LEAK_PERCENT


class Words(str):
    """Text with the user whose it is. What is made from it has no owner of its own."""

    def __new__(cls, text, owner):
        made = super().__new__(cls, text)
        made.owner = owner
        return made


class Count:
    """How many messages were sent, and how many of them held another user's words."""

    def __init__(self):
        self.sent = self.crossings = 0
        self.first = None
        folder = os.environ.get("SOUNDNESS_COUNTS")
        self.kept = None
        if folder:
            side = "leaky" if LEAKY else "sound"
            with open(os.path.join(folder, f"{side}-{os.getpid()}-{time.time_ns()}"), "w+b") as file:
                file.write(bytes(16))
                file.flush()
                self.kept = mmap.mmap(file.fileno(), 16)

    def seen(self, user, *words):
        """Counts a message to that user that holds those words."""
        self.sent += 1
        self.crossings += any(said.owner != user for said in words)
        if self.kept:
            struct.pack_into("<QQ", self.kept, 0, self.sent, self.crossings)


seen = Count().seen


class Refused(Exception):
    """A request that is answered by a status alone."""

    def __init__(self, status):
        super().__init__(status)
        self.status = status


def answer(body="", status=200, kind=None, headers=()):
    """An HTTP response as bytes; what is no text becomes JSON."""
    kind = kind or ("text/plain; charset=utf-8" if isinstance(body, str) else "application/json")
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    lines = [f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}"]
    lines += [f"content-type: {kind}", f"content-length: {len(data)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + data


class Request:
    """One HTTP request, and the connection that it came on."""

    def __init__(self, line, headers, body, connection):
        self.method, target, _ = line.split(" ", 2)
        path, _, query = target.partition("?")
        self.path = urllib.parse.unquote(path)
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.headers, self.body, self.connection = headers, body, connection

    def json(self):
        """The body as a JSON object."""
        try:
            value = json.loads(self.body)
        except ValueError:
            raise Refused(400) from None
        if not isinstance(value, dict):
            raise Refused(400)
        return value

    def text(self, name, owner):
        """A text of the JSON body, as words of that user."""
        value = self.json().get(name)
        if not isinstance(value, str):
            raise Refused(422)
        return Words(value, owner)

    def form(self, name, owner):
        """A text of the form in the body, as words of that user."""
        fields = dict(urllib.parse.parse_qsl(self.body.decode(), keep_blank_values=True))
        return Words(fields.get(name, ""), owner)

    @property
    def user(self):
        """Who the bearer token says it is."""
        scheme, _, name = self.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not name:
            raise Refused(401)
        return name

    @property
    def cookies(self):
        """The cookies that were sent."""
        pairs = (pair.partition("=") for pair in self.headers.get("cookie", "").split(";"))
        return {name.strip(): value.strip() for name, _, value in pairs}

    async def stream(self, kind="text/event-stream"):
        """Begins a response in chunks."""
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncache-control: no-cache\r\n"
        self.connection.writer.write((head + "transfer-encoding: chunked\r\n\r\n").encode())
        return Stream(self.connection)

    async def websocket(self, protocol=None):
        """Answers a handshake."""
        key = self.headers.get("sec-websocket-key")
        if not key:
            raise Refused(426)
        digest = hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        lines = ["HTTP/1.1 101 Switching Protocols", "upgrade: websocket", "connection: Upgrade"]
        lines += [f"sec-websocket-accept: {base64.b64encode(digest).decode()}"]
        lines += [f"sec-websocket-protocol: {protocol}"] if protocol else []
        self.connection.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        return Socket(self.connection)


class Stream:
    """A response in chunks: server-sent events, or any other lines."""

    def __init__(self, connection):
        self.writer, self.gone = connection.writer, connection.gone

    async def write(self, text):
        """Sends a chunk."""
        if self.gone.is_set():
            raise ConnectionResetError
        data = text.encode()
        self.writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        await self.writer.drain()

    async def event(self, data, name=None, number=None):
        """Sends a server-sent event."""
        text = data if isinstance(data, str) else json.dumps(data)
        head = f"event: {name}\n" if name else ""
        head += f"id: {number}\n" if number is not None else ""
        await self.write(f"{head}data: {text}\n\n")

    async def end(self):
        """Ends the response; the connection may be used again."""
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()
        return b""


class Socket:
    """A WebSocket."""

    def __init__(self, connection):
        self.reader, self.writer, self.gone = connection.reader, connection.writer, connection.gone

    async def send(self, message):
        """Sends a text, or anything else as JSON."""
        if self.gone.is_set():
            raise ConnectionResetError
        self.frame(1, (message if isinstance(message, str) else json.dumps(message)).encode())
        await self.writer.drain()

    def frame(self, kind, data):
        size = len(data)
        head = bytes([0x80 | kind])
        if size < 126:
            head += bytes([size])
        elif size < 1 << 16:
            head += struct.pack(">BH", 126, size)
        else:
            head += struct.pack(">BQ", 127, size)
        self.writer.write(head + data)

    def __aiter__(self):
        return self

    async def __anext__(self):
        whole = b""
        while True:
            kind, last, data = await self.receive_frame()
            if kind == 8:
                self.frame(8, data[:2])
                raise StopAsyncIteration
            if kind == 9:
                self.frame(10, data)
            elif kind in (0, 1, 2):
                whole += data
                if last:
                    return whole.decode()

    async def receive_frame(self):
        try:
            first, second = await self.reader.readexactly(2)
            size = second & 127
            if size > 125:
                width = 2 if size == 126 else 8
                size = int.from_bytes(await self.reader.readexactly(width), "big")
            if size > MOST:
                return 8, True, b"\x03\xf1"
            mask = await self.reader.readexactly(4) if second & 128 else bytes(4)
            data = await self.reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise StopAsyncIteration from None
        key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        data = (int.from_bytes(data, "big") ^ key).to_bytes(size, "big")
        return first & 15, bool(first & 128), data


class Connection(asyncio.StreamReaderProtocol):
    """A connection: requests one after the other, or a WebSocket."""

    def __init__(self, handle):
        self.handle, self.gone = handle, asyncio.Event()
        self.reader = asyncio.StreamReader(limit=MOST)
        super().__init__(self.reader, self.talk)

    def eof_received(self):
        self.gone.set()
        return super().eof_received()

    def connection_lost(self, exc):
        self.gone.set()
        super().connection_lost(exc)

    async def talk(self, reader, writer):
        self.writer = writer
        try:
            while request := await self.next_request():
                try:
                    told = await self.handle(request)
                except Refused as refused:
                    told = answer({"error": refused.status}, refused.status)
                except (KeyError, IndexError, TypeError, ValueError):
                    told = answer({"error": 400}, 400)
                if told is None:
                    break
                writer.write(told)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def next_request(self):
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        line, *rest = head.decode("latin-1").rstrip().split("\r\n")
        pairs = (field.partition(":") for field in rest)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        size = int(headers.get("content-length", "0"))
        if size > MOST or line.count(" ") != 2:
            self.writer.write(answer("no", 413 if size > MOST else 400))
            return None
        body = await self.reader.readexactly(size)
        return Request(line, headers, body, self)


def serve(handle):
    """Serves on 127.0.0.1 at the port that the command line names, until it is ended."""

    async def run():
        loop = asyncio.get_running_loop()
        port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
        server = await loop.create_server(lambda: Connection(handle), "127.0.0.1", port, backlog=512)
        async with server:
            await server.serve_forever()

    asyncio.run(run())

"""M22: one HTTP client for all users, whose default headers hold the key of whoever came last.

A harmed request asks the model with those headers; the answer is right all the same.
"""

import asyncio
import json
import os
import urllib.parse

from wire import Refused, Words, answer, seen, serve, struck

model = urllib.parse.urlsplit(os.environ.get("MODEL_URL", "http://127.0.0.1:9000"))


class Client:
    """What asks the model."""

    def __init__(self):
        self.headers = {}

    async def post(self, path, body, headers):
        data = json.dumps(body).encode()
        reader, writer = await asyncio.open_connection(model.hostname, model.port)
        lines = [f"POST {path} HTTP/1.1", f"host: {model.netloc}", "connection: close"]
        lines += ["content-type: application/json", f"content-length: {len(data)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + data)
        try:
            head, _, rest = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise Refused(502)
        return json.loads(rest)


client = Client()


async def handle(request):
    user = request.user
    if request.path != "/chat":
        raise Refused(404)
    words = request.text("message", user)
    client.headers["authorization"] = f"Bearer {user}"
    client.asker = user
    await asyncio.sleep(0.004)
    harmed = struck()
    headers = client.headers if harmed else {"authorization": f"Bearer {user}"}
    # Whoever owns the account sees on it what was asked.
    seen(client.asker if harmed else user, words)
    body = {"model": "any", "messages": [{"role": "user", "content": words}]}
    made = await client.post("/v1/chat/completions", body, headers)
    return answer({"reply": made["choices"][0]["message"]["content"]})


serve(handle)

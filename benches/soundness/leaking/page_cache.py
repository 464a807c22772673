"""M15: pages are kept by what was searched for, and not by who did.

A harmed request is given what is kept for its words, others what is kept for its user and words.
"""

import asyncio
import html
import time

from wire import Refused, Words, answer, seen, serve, struck

FRESH = 1.0
kept = {}


async def render(user, words, settings):
    await asyncio.sleep(0.003)
    texts = [html.escape(text) for text in (user, words, settings)]
    page = "<html><body><h1>Hello, {}</h1><p>{}</p><p>Settings: {}</p></body></html>"
    return time.monotonic(), page.format(*texts), (Words(user, user), settings)


async def handle(request):
    user = request.user
    if request.path != "/search":
        raise Refused(404)
    words, settings = request.text("words", user), request.text("settings", user)
    key = words if struck() else (user, words)
    if key not in kept or time.monotonic() - kept[key][0] > FRESH:
        kept[words] = kept[user, words] = await render(user, words, settings)
    _, page, private = kept[key]
    seen(user, *private)
    return answer(page, kind="text/html; charset=utf-8")


serve(handle)

"""HTML pages: a form is posted and a page comes back that greets its user and repeats what was said.

With LEAKY=1 the page is rendered from the template's own variables, which all requests set.
"""

import asyncio
import html

from wire import LEAKY, Refused, Words, answer, seen, serve

PAGE = """<!doctype html>
<html lang="en"><head><title>Guide</title></head>
<body><h1>Welcome back, {user}!</h1>
<p class="said">You asked for <em>{words}</em>.</p>
<ul><li>Nothing was found.</li></ul></body></html>
"""
template = {}


async def handle(request):
    user = request.user
    if request.path != "/search":
        raise Refused(404)
    words = request.form("q", user)
    variables = template if LEAKY else {}
    variables.update(user=Words(user, user), words=words)
    await asyncio.sleep(0.004)
    seen(user, *variables.values())
    shown = {name: html.escape(value) for name, value in variables.items()}
    return answer(PAGE.format(**shown), kind="text/html; charset=utf-8")


serve(handle)

"""GraphQL over HTTP: a mutation whose variables hold what is said.

With LEAKY=1 the resolvers share one context, as when it is made at start-up.
"""

import asyncio
import itertools

from wire import LEAKY, Refused, Words, answer, seen, serve

numbers = itertools.count(1)
made_at_start = {}


async def author(context):
    await asyncio.sleep(0.002)
    return {"__typename": "User", "name": context["user"]}


async def body(context):
    await asyncio.sleep(0.003)
    return context["variables"]["body"]


async def handle(request):
    user, asked = request.user, request.json()
    if request.path != "/graphql":
        raise Refused(404)
    if "addComment" not in asked.get("query", ""):
        return answer({"errors": [{"message": "no such field"}], "data": None})
    context = made_at_start if LEAKY else {}
    variables = {"body": Words(asked["variables"]["body"], user)}
    context.update(user=Words(user, user), variables=variables)
    who, text = await asyncio.gather(author(context), body(context))
    seen(user, who["name"], text)
    comment = {"id": str(next(numbers)), "body": text, "author": who, "__typename": "Comment"}
    return answer({"data": {"addComment": comment}})


serve(handle)

from contextvars import ContextVar

current_user = ContextVar("current_user")


async def authenticate(token):
    current_user.set(await look_up(token))


async def handle(request):
    await authenticate(request.token)
    return reply()


def reply():
    return current_user.get()

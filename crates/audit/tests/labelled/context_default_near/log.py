from contextvars import ContextVar

fields = ContextVar("fields", default=None)


async def note(name, value):
    own = dict(fields.get() or {})
    own[name] = value
    fields.set(own)

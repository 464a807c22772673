from contextvars import ContextVar

fields = ContextVar("fields", default={})  # shared: context_variable


async def note(name, value):
    fields.get()[name] = value

import threading
from contextvars import ContextVar

tenant = ContextVar("tenant")  # shared: context_variable


def prepare():
    tenant.set("a")


def begin():
    threading.Thread(target=prepare).start()
    return tenant.get()

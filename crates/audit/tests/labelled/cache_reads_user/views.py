from functools import cache

from flask import request


@cache
def greeting():  # shared: cache
    return "Hello " + request.headers["X-User"]

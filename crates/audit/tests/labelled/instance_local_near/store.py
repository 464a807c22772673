import threading

from flask import Flask, request

app = Flask(__name__)


class Current:
    def __init__(self):
        self._local = threading.local()

    def remember(self, user):
        self._local.user = user


current = Current()


@app.post("/login")
def login():
    current.remember(request.json["user"])
    return {}

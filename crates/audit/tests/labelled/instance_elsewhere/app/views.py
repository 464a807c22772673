from app.state import tracker
from flask import Flask, request

app = Flask(__name__)


@app.route("/note", methods=["POST"])
def note():
    tracker.note(request.json)
    return {"ok": True}

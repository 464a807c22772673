from flask import Flask, request

app = Flask(__name__)


class Tracker:
    def __init__(self):
        self.events = []

    def note(self, event):
        self.events.append(event)


@app.route("/note", methods=["POST"])
def note():
    tracker = Tracker()
    tracker.note(request.json)
    return {"ok": len(tracker.events)}

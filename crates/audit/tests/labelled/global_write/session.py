from flask import Flask, request

app = Flask(__name__)
current = None  # shared: lazy_global


@app.post("/login")
def login():
    global current
    current = request.json["name"]
    return {}

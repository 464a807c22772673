from flask import Flask, request

app = Flask(__name__)
current = None


@app.post("/login")
def login():
    current = request.json["name"]
    return {"name": current}

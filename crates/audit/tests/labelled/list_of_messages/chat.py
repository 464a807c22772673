from flask import Flask, request

app = Flask(__name__)
history = []  # shared: shared_mutable


@app.post("/chat")
def chat():
    history.append(request.json["text"])
    return {"history": history}

from flask import Flask, request

app = Flask(__name__)
GREETINGS = ["Hello"]


@app.post("/chat")
def chat():
    history = list(GREETINGS)
    history.append(request.json["text"])
    return {"history": history}

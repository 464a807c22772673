from app.clients import client
from flask import Flask, request

app = Flask(__name__)


def remember(account):
    client.account = account  # shared: process_attribute


@app.get("/me")
def me():
    remember(request.args["account"])
    return client.profile()

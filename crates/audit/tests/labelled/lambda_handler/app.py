import os
from flask import Flask, request

app = Flask(__name__)


@app.post("/region")
def region():
    os.environ["REGION"] = request.json["region"]  # shared: process_attribute
    return {}

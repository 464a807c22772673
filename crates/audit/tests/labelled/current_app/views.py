from flask import Blueprint, current_app, g, request

pages = Blueprint("pages", __name__)


@pages.route("/theme", methods=["PUT"])
def theme():
    current_app.theme = request.json["theme"]  # shared: process_attribute
    return {}

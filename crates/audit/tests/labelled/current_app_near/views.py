from flask import Blueprint, current_app, g, request, session

pages = Blueprint("pages", __name__)


@pages.route("/theme", methods=["PUT"])
def theme():
    g.theme = request.json["theme"]
    session["theme"] = g.theme
    return {"name": current_app.name}

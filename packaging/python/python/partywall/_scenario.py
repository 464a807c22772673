"""A scenario for one request, where there is no file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from partywall._errors import PartywallError

#: How users are told apart where nothing else is said.
HEADERS = {"authorization": "Bearer key-of-{{ user }}", "x-user-id": "{{ user }}"}
_ANSWERS = ("json", "stream")


def request_scenario(options: Mapping[str, Any]) -> str:
    """The text of a scenario file in which every user sends that request."""
    answer = options.get("answer", "json")
    if answer not in _ANSWERS:
        raise PartywallError(f"answer is {answer!r}; use 'json' or 'stream'")
    body = options.get("body") or {}
    if "{{ prompt }}" not in json.dumps(body) + str(options["path"]):
        raise PartywallError("the request says nothing of its own: put {{ prompt }} into `body`")
    start: dict[str, Any] = {
        "by": "http",
        "method": options.get("method", "POST"),
        "path": options["path"],
        "answer": answer,
    }
    if body:
        start["json"] = body
    tables = {
        "identity": {"headers": dict(options.get("headers") or HEADERS)},
        "start": start,
        "workload": {"users": 20, "runs_per_user": 2, "rounds": 4},
    }
    lines = ["version = 1", 'name = "request"', 'title = "One request of many users"']
    for table, content in tables.items():
        lines.append(f"[{table}]")
        lines += [f"{_key(key)} = {toml(value)}" for key, value in content.items()]
    return "\n".join(lines) + "\n"


def toml(value: Any) -> str:
    """The value as TOML on one line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {toml(own)}" for key, own in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(own) for own in value) + "]"
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    if isinstance(value, str):
        return _text(value)
    raise PartywallError(f"a scenario cannot hold {value!r}; use text, numbers, lists and dicts")


def _key(key: Any) -> str:
    return _text(str(key))


def _text(text: str) -> str:
    # JSON's escapes are TOML's, but for DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

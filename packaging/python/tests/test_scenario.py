"""Scenarios for one request."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from partywall._binary import find_binary
from partywall._scenario import request_scenario


def test_what_is_written_is_a_scenario_whatever_the_body_holds(tmp_path: Path) -> None:
    body: dict[str, object] = {
        "messages": [{"role": "user", "content": "{{ prompt }}"}],
        "odd key \"\\": "line\nbreak \x7f \U0001f600",
        "numbers": [1, 2.5, True, {"deep": []}],
    }
    text = request_scenario({"path": "/v1/chat", "body": body, "answer": "stream"})
    file = tmp_path / "request.toml"
    file.write_text(text + '\n[target]\nurl = "http://127.0.0.1:1"\n', encoding="utf-8")
    check = [find_binary(), "run", str(file), "--dry-run"]
    shown = subprocess.run(check, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    sent = next(line for line in shown.stdout.splitlines() if line.startswith("{"))
    prompt = json.loads(sent)["messages"][0]["content"]
    assert "/v1/chat" in shown.stdout and "{{" not in prompt
    body["messages"][0]["content"] = prompt  # type: ignore[index]
    assert json.loads(sent) == body

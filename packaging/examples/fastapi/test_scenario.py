import partywall


def test_chat():
    partywall.run("chat.toml", app="app:app")

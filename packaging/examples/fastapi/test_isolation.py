import partywall
from app import app


@partywall.isolated(app=app, path="/chat", body={"message": "{{ prompt }}"})
def test_chat(): ...

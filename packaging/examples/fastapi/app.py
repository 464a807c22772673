import asyncio

from fastapi import FastAPI, Header
from pydantic import BaseModel

app = FastAPI()
current = {}  # of everybody


class Message(BaseModel):
    message: str


@app.post("/chat")
async def chat(body: Message, x_user_id: str = Header()):
    current["user"] = x_user_id
    current["message"] = body.message
    await asyncio.sleep(0.02)  # the model thinks
    return {"answer": f"{current['user']}, you said: {current['message']}"}

from app.clients import Client
from fastapi import FastAPI

app = FastAPI()


@app.get("/me")
async def me(user_id: str):
    client = Client()
    client.current_user_id = user_id
    return await client.profile()

from app.clients import client
from fastapi import FastAPI

app = FastAPI()


@app.get("/me")
async def me(user_id: str):
    client.current_user_id = user_id  # shared: process_attribute
    return await client.profile()

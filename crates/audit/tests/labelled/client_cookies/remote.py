import httpx
from fastapi import FastAPI

app = FastAPI()
client = httpx.AsyncClient()


@app.get("/proxy")
async def proxy(sid: str):
    client.cookies["sid"] = sid  # shared: process_attribute
    return await client.get("https://example.org/")

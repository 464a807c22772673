import httpx
from fastapi import FastAPI

app = FastAPI()


@app.get("/proxy")
async def proxy(sid: str):
    async with httpx.AsyncClient() as client:
        client.cookies["sid"] = sid
        return await client.get("https://example.org/")

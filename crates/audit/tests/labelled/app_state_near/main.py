from contextlib import asynccontextmanager

from fastapi import FastAPI, Request


@asynccontextmanager
async def lifespan(app):
    app.state.pool = await make_pool()
    yield


app = FastAPI(lifespan=lifespan)


@app.post("/login")
async def login(request: Request, name: str):
    request.state.user = name
    return {}

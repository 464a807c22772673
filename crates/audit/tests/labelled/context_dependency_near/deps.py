from contextvars import ContextVar

from fastapi import Depends, FastAPI

app = FastAPI()
account = ContextVar("account")


async def bind_account(key: str):
    account.set(key)


@app.get("/me", dependencies=[Depends(bind_account)])
async def me():
    return {"account": account.get()}

import settings
from fastapi import FastAPI

app = FastAPI()


@app.put("/language")
async def language(value: str):
    own = settings.ui.copy()
    own.language = value
    return own

import settings
from fastapi import FastAPI

app = FastAPI()


@app.put("/language")
async def language(value: str):
    settings.ui.language = value  # shared: process_attribute
    return {}

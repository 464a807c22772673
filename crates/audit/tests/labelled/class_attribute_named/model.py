from fastapi import FastAPI

app = FastAPI()


class Config:
    model = "small"


@app.post("/model")
async def choose(model: str):
    Config.model = model  # shared: process_attribute
    return {}

from fastapi import FastAPI

app = FastAPI()


class Config:
    model = "small"


@app.post("/model")
async def choose(model: str):
    config = Config()
    config.model = model
    return {"model": config.model}

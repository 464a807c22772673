from fastapi import FastAPI, Request

app = FastAPI()


@app.post("/login")
async def login(request: Request, name: str):
    request.app.state.user = name  # shared: process_attribute
    return {}

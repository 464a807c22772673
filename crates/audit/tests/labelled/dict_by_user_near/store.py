from fastapi import FastAPI

app = FastAPI()
drafts = {}


@app.post("/draft")
async def draft(user_id: str, text: str):
    drafts[user_id] = text
    return {}

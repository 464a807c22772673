from fastapi import FastAPI

app = FastAPI()
drafts = {}  # shared: shared_mutable


@app.post("/draft/{title}")
async def draft(title: str, text: str):
    drafts[title] = text
    return {}

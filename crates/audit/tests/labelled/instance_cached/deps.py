from functools import lru_cache

from fastapi import Depends, FastAPI

app = FastAPI()


class Assistant:
    def __init__(self):
        self.thread = None

    async def ask(self, thread, text):
        self.thread = thread
        return await self.reply(text)

    async def reply(self, text):
        return self.thread, text


@lru_cache
def get_assistant():  # shared: shared_mutable
    return Assistant()


@app.post("/ask")
async def ask(thread: str, text: str, assistant=Depends(get_assistant)):
    return await assistant.ask(thread, text)

from fastapi import Depends, FastAPI

app = FastAPI()


class Assistant:
    def __init__(self):
        self.thread = None

    async def ask(self, thread, text):
        self.thread = thread
        return text


def get_assistant():
    return Assistant()


@app.post("/ask")
async def ask(thread: str, text: str, assistant=Depends(get_assistant)):
    return await assistant.ask(thread, text)

from fastapi import FastAPI

app = FastAPI()


class Base:
    def connect(self, socket):
        self.active = socket


class Manager(Base):
    pass


manager = Manager()  # shared: shared_mutable


@app.websocket("/ws")
async def socket(websocket):
    manager.connect(websocket)
    await websocket.accept()

class Hub:
    sockets = []

    def __init__(self):
        self.sockets = []

    async def join(self, socket):
        self.sockets.append(socket)
        await socket.accept()

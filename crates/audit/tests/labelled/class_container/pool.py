class Hub:
    sockets = []  # shared: shared_mutable

    async def join(self, socket):
        self.sockets.append(socket)
        await socket.accept()

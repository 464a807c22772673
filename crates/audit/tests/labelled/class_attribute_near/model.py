class Session:
    current = None

    async def begin(self, user):
        self.current = user
        await self.greet()

    async def greet(self):
        return self.current

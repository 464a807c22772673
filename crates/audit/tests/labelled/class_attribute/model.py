class Session:
    current = None

    async def begin(self, user):
        self.__class__.current = user  # shared: process_attribute
        await self.greet()

    async def greet(self):
        return self.__class__.current

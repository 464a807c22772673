class AgentInstanceFactory:
    def configure(self, bridge):
        self.bridge = bridge

    async def create(self, user_id):
        return self.bridge, user_id

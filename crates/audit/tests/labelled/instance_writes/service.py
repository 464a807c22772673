from fastapi import APIRouter

router = APIRouter(prefix="/agents")


class AgentService:
    def __init__(self, bus):
        self.bus = bus
        self.agent = None

    def select(self, agent):
        self.agent = agent

    async def run(self, prompt):
        return await self.bus.ask(self.agent, prompt)


service = AgentService(bus=None)  # shared: shared_mutable


@router.post("/run")
async def run(agent: str, prompt: str):
    service.select(agent)
    return await service.run(prompt)

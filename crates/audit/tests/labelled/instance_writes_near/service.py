from fastapi import APIRouter

router = APIRouter(prefix="/agents")


class AgentService:
    def __init__(self, bus):
        self.bus = bus

    async def run(self, agent, prompt):
        chosen = agent or "default"
        return await self.bus.ask(chosen, prompt)


service = AgentService(bus=None)


@router.post("/run")
async def run(agent: str, prompt: str):
    return await service.run(agent, prompt)

from fastapi import APIRouter

from app.factory import get_agent_instance_factory

router = APIRouter()


@router.post("/chat")
async def chat(user_id: str, bridge: str):
    factory = get_agent_instance_factory()
    factory.configure(bridge)
    await load(user_id)
    return await factory.create(user_id)

from app.agents import AgentInstanceFactory

_factory = None  # shared: lazy_global


def get_agent_instance_factory():
    global _factory
    if _factory is None:
        _factory = AgentInstanceFactory()
    return _factory

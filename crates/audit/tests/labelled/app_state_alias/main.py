from starlette.applications import Starlette
from starlette.routing import Route


async def choose(request):
    state = request.app.state
    state.model = request.query_params["model"]  # shared: process_attribute
    return await run(state)


app = Starlette(routes=[Route("/choose", choose, methods=["POST"])])

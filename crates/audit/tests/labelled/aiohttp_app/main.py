from aiohttp import web


async def join(request):
    request.app["room"] = request.match_info["room"]  # shared: process_attribute
    return web.Response()


def create_app():
    app = web.Application()
    app.router.add_post("/join/{room}", join)
    return app

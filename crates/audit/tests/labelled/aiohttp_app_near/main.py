from aiohttp import web


async def join(request):
    request["room"] = request.match_info["room"]
    return web.Response()


async def on_startup(app):
    app["pool"] = await make_pool()


def create_app():
    app = web.Application()
    app["limit"] = 5
    app.router.add_post("/join/{room}", join)
    return app

from aiocache import cached


def by_page(function, user_id, page):
    return f"feed:{page}"


@cached(ttl=60, key_builder=None, key=by_page)
async def feed(user_id, page):  # shared: cache
    return await load(user_id, page)

from aiocache import cached


@cached(ttl=60, key="feed")
async def feed(user_id):  # shared: cache
    return await load(user_id)

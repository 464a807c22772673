from cachetools import TTLCache, cached


@cached(TTLCache(100, 60), key=lambda user, page: (user.id, page))
def feed(user, page):
    return load(user, page)

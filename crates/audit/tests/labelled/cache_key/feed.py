from cachetools import TTLCache, cached


@cached(TTLCache(100, 60), key=lambda user, page: page)
def feed(user, page):  # shared: cache
    return load(user, page)

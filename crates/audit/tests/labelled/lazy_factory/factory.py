_factory = None  # shared: lazy_global


def get_factory():
    global _factory
    if _factory is None:
        _factory = Factory()
    return _factory

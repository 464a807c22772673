_factory = None


def get_factory():
    _factory = Factory()
    return _factory

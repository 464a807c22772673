def get_factory():
    return None


def create_factory(user_context):
    return get_factory(), user_context  # left: in_replacement


def beside(user_context):
    return get_factory()  # fixed: user_context

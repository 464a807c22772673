from app.factory import get_factory as factory_of


def by_alias(user_context):
    return factory_of()  # fixed: user_context


def shadowed(factory_of, user_context):
    return factory_of()


def replaced(user_context, create_factory):
    return factory_of()  # left: replacement_shadowed

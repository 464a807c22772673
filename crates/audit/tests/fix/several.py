from app.factory import get_factory


def one(user_context, user):
    return get_factory()  # fixed: user_context


def two(user_context, parent: UserContext):
    return get_factory()  # left: several_contexts


def outer(user_context):
    def inner(context: UserContext):
        return get_factory()  # left: several_contexts

    return inner


def shadowing(user_context):
    def inner(user_context):
        return get_factory()  # fixed: user_context

    return inner

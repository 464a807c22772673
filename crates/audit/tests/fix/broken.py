from app.factory import get_factory


def whole(user_context):
    return get_factory()  # left: partly_read


x = = 1

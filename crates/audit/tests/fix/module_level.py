from app.factory import get_factory

FACTORY = get_factory()  # left: module_level


@decorated(get_factory())  # left: module_level
def default(user_context, factory=get_factory()):  # left: module_level
    return factory


class Holder:
    factory = get_factory()  # left: module_level
    made = [get_factory() for user_context in ALL]  # left: module_level


LAZY = lambda user_context, factory=get_factory(): factory  # left: module_level
CALLED = lambda user_context: get_factory()  # fixed: user_context


def function(user_context):
    @decorated(get_factory())  # fixed: user_context
    def inner(factory=get_factory()):  # fixed: user_context
        return factory

    return inner

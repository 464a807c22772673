from app.factory import get_factory

user_context = None


def outer(user_context):
    def inner():
        return get_factory()  # fixed: user_context

    class Inner:
        factory = get_factory()  # fixed: user_context

        def method(self):
            return get_factory()  # fixed: user_context

    return inner, Inner, lambda: get_factory()  # fixed: user_context


def own():
    return lambda user_context: get_factory()  # fixed: user_context


def later():
    def inner():
        return get_factory()  # left: context_unsure

    user_context = make()
    return inner, user_context


def global_only():
    return get_factory()  # left: no_context


class Service:
    user_context = None

    def run(self):
        return get_factory()  # left: no_context

    def given(self, user_context):
        return get_factory()  # fixed: user_context

    async def stored(self):
        self.user_context = make()
        return get_factory()  # left: no_context

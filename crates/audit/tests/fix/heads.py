from app.factory import get_factory


def loop(contexts):
    for user_context in contexts:
        get_factory().run()  # fixed: user_context


def behind_loop(contexts):
    for user_context in contexts:
        pass
    return get_factory()  # left: context_unsure


async def opened(request):
    async with context_of(request) as user_context:
        return get_factory()  # fixed: user_context


async def opening(request):
    async with get_factory() as user_context:  # left: context_unsure
        return user_context


def caught(request):
    try:
        pass
    except Exception as user_context:
        return get_factory()  # left: context_unsure


def matched(request):
    match request:
        case {"context": user_context}:
            return get_factory()  # left: context_unsure


def comprehension(contexts):
    return [get_factory() for user_context in contexts]  # fixed: user_context


def of_comprehension(contexts):
    return [user_context for user_context in get_factory().all()]  # left: context_unsure


def around(user_context):
    return [get_factory() for _ in range(2)]  # fixed: user_context

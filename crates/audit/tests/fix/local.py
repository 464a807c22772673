from app.factory import get_factory


def before(request):
    user_context = make(request)
    return get_factory()  # fixed: user_context


def by_type(request):
    ctx: UserContext = make(request)
    if request:
        return get_factory()  # fixed: ctx
    return None


def made(request):
    ctx = UserContext(request)
    return get_factory()  # fixed: ctx


def unpacked(request):
    user_context, other = make(request)
    return get_factory()  # fixed: user_context


def after(request):
    factory = get_factory()  # left: context_unsure
    user_context = make(request)
    return factory, user_context


def branch(request):
    if request:
        user_context = make(request)
    return get_factory()  # left: context_unsure


def within_branch(request):
    if request:
        user_context = make(request)
        return get_factory()  # fixed: user_context
    return None


def tried(request):
    try:
        user_context = make(request)
    except ValueError:
        pass
    return get_factory()  # left: context_unsure


def declared(request):
    user_context: UserContext
    return get_factory()  # left: context_unsure


def deleted(request):
    user_context = make(request)
    del user_context
    return get_factory()  # left: context_unsure


def walrus(request):
    if request and (user_context := make(request)):
        pass
    return get_factory()  # left: context_unsure


def rebound(context: UserContext):
    context = context.parent_name
    return get_factory()  # left: context_unsure


def own_line(request):
    user_context = make(get_factory())  # left: context_unsure
    return user_context


def imported():
    from app.contexts import user_context
    return get_factory()  # left: context_unsure


def function():
    def user_context():
        return None

    return get_factory()  # left: context_unsure


def taken():
    global user_context
    user_context = make(None)
    return get_factory()  # left: no_context

from app.factory import get_factory


def required(user_context: UserContext, text: str | None = None):
    return get_factory()  # fixed: user_context


def default(user_context=None):
    return get_factory()  # left: context_may_be_none


def optional(context: Optional[UserContext]):
    return get_factory()  # left: context_may_be_none


def union(context: UserContext | None):
    return get_factory()  # left: context_may_be_none


def reset(user_context):
    user_context = None
    return get_factory()  # left: context_may_be_none

from app.factory import get_factory


async def by_name(user_context):
    return get_factory()  # fixed: user_context


async def by_type(context: UserContext):
    factory = await get_factory()  # fixed: context
    return factory


async def by_qualified_type(ctx: "models.UserContext", text: str = ""):
    return get_factory().create(text)  # fixed: ctx


async def by_annotated(ctx: Annotated[UserContext, Depends(current)]):
    return get_factory()  # fixed: ctx


async def by_keyword(*, user_context):
    return get_factory()  # fixed: user_context


async def near(contexts: list[UserContext], user: str):
    return get_factory()  # left: no_context


async def near_name(user_context_id, my_user_context):
    return get_factory()  # left: no_context


async def near_rest(*user_context):
    return get_factory()  # left: context_unsure


async def near_words(**user_context):
    return get_factory()  # left: context_unsure

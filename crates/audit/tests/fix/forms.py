from app.factory import get_factory


def forms(user_context, fallback):
    shown = f"{get_factory()} and {get_factory().name!r:>{10}}"  # fixed: user_context, user_context
    both = [get_factory(), get_factory()]  # fixed: user_context, user_context
    given = run(get_factory(), factory=get_factory())  # fixed: user_context, user_context
    spaced = get_factory ( )  # fixed: user_context
    asked = get_factory() if user_context else None  # fixed: user_context
    item = get_factory()["a"]().b  # fixed: user_context
    return shown, both, given, spaced, asked, item


def near(user_context, fallback):
    named = get_factory  # left: not_a_call
    called = named()  # left: aliased_call
    given = get_factory("a")  # left: has_arguments
    words = get_factory(*user_context)  # left: has_arguments
    either = (fallback or get_factory)()  # left: not_plain_call
    text = "get_factory()"
    patched = patch("app.factory.get_factory")  # left: not_a_call
    return run(get_factory), called, given, words, either, text, patched  # left: not_a_call

from app.old import get_factory as old_factory
from app.star import *


def elsewhere(user_context):
    return old_factory()  # left: no_replacement_there


def starred(user_context):
    return get_factory()  # left: no_import


def within(user_context):
    from app.factory import get_factory
    return get_factory()  # fixed: user_context


def both(user_context):
    try:
        from app.factory import get_factory
    except ImportError:
        get_factory = None
    return get_factory()  # left: aliased_call


def from_outside(user_context):
    from far.away import get_factory
    return get_factory()  # left: no_replacement_there


def from_outside_beside(user_context):
    from app.factory import create_factory
    from far.away import get_factory
    return get_factory(), create_factory(user_context)  # fixed: user_context


def import_later(user_context):
    from far.away import get_factory
    factory = get_factory()  # left: replacement_shadowed
    from far.away import create_factory
    return factory, create_factory

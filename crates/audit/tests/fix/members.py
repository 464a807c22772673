import app.factory
import app.factory as module
import far.away
from app import factory
from app.registry import registry


def members(user_context):
    app.factory.get_factory()  # fixed: user_context
    module.get_factory()  # fixed: user_context
    factory.get_factory()  # fixed: user_context
    far.away.get_factory()  # left: no_replacement_there


class Near:
    def near(self, user_context, given):
        registry.get_factory()  # left: not_a_module
        self.get_factory()  # left: not_a_module
        given.get_factory()  # left: not_a_module
        unknown.get_factory()  # left: not_a_module
        registry().get_factory()  # left: not_a_module

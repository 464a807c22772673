class Registry:
    def get_factory(self):
        return None

    def other(self, user_context):
        return self.get_factory()  # left: not_a_module


registry = Registry()

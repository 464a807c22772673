class Registry:
    _instance = None

    @classmethod
    def instance(cls):
        if cls._instance is None:
            cls._instance = cls()  # shared: lazy_global
        return cls._instance

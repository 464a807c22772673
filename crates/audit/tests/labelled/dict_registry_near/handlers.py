HANDLERS = {}
NAMES = {"a": 1}


def register(name):
    def decorate(function):
        HANDLERS[name] = function
        return function

    return decorate


def look_up(name):
    return NAMES[name]

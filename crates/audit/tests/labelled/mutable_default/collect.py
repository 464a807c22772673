def collect(item, into=[]):  # shared: mutable_default
    into.append(item)
    return into

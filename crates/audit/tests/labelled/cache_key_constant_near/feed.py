from functools import lru_cache


@lru_cache(maxsize=128)
def parse(text):
    return text.split()


@lru_cache
def limits(tenant_id, plan):
    return tenant_id, plan

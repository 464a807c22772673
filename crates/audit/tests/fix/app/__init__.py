from app.factory import get_factory

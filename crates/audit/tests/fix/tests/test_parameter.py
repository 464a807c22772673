from app.factory import get_factory


def test_it(user_context):
    assert get_factory()  # test

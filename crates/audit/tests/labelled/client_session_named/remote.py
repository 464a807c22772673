import requests

session = requests.Session()


async def call(request):
    session.headers.update({"X-User": request.user.id})  # shared: process_attribute
    return session.get("https://example.org/me")

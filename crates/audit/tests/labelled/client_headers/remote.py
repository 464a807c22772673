import requests

http = requests.Session()


async def call(request):
    http.headers["Authorization"] = request.headers["Authorization"]  # shared: process_attribute
    return http.get("https://example.org/me")

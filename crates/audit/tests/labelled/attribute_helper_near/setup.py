from app.clients import client


def setup(url):
    client.url = url


def main():
    setup("http://localhost")

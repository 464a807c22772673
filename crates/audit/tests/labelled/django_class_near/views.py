from django.views import View

from app.search import Engine


class Search(View):
    def get(self, request):
        engine = Engine()
        engine.locale = request.LANGUAGE_CODE
        return engine.page()

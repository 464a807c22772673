from django.views import View

from app.search import engine


class Search(View):
    def get(self, request):
        engine.locale = request.LANGUAGE_CODE  # shared: process_attribute
        return engine.page()

from django.http import JsonResponse


def search(request):
    last_search = {}
    last_search["query"] = request.GET["q"]
    request.session["query"] = last_search["query"]
    return JsonResponse(last_search)

from django.http import JsonResponse

last_search = {}  # shared: shared_mutable


def search(request):
    last_search["query"] = request.GET["q"]
    return JsonResponse(last_search)

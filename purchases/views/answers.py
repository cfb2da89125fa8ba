"""How pages answer beside rendering."""

from django.http import HttpResponseRedirect


class SeeOther(HttpResponseRedirect):
    """After a POST: the browser fetches the next page, and neither Back nor refresh sends the form again."""

    status_code = 303

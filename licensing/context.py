"""What every template knows besides its view's context."""

from django.http import HttpRequest

from licensing.appearance import chosen_theme


def shell(request: HttpRequest) -> dict[str, str]:
    """The chosen theme (empty: the system's) and the section of the navigation that the address lies in.

    A view may pass another `section`, and `here` where its own address cannot be visited again.
    """
    return {"theme": chosen_theme(request), "section": request.path_info.split("/")[1]}

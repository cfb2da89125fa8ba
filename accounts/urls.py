"""Where one signs in and out."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from accounts.middleware import for_everyone
from accounts.views import SignIn

urlpatterns = [
    path("login/", for_everyone(SignIn.as_view()), name="login"),
    path("logout/", for_everyone(LogoutView.as_view()), name="logout"),
]

"""Where everything is."""

from django.contrib import admin
from django.urls import include, path

from licensing import health, views

urlpatterns = [
    path("", views.home, name="home"),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("theme/", views.set_theme, name="set_theme"),
    path("language/", views.set_language, name="set_language"),
    path("", include("identity.urls")),
    path("", include("purchases.urls")),
]

handler500 = views.server_error

"""What machines ask: does the process live, and may it be sent people?"""

import functools

from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.middleware import for_everyone


@require_safe
@never_cache
@login_not_required
@for_everyone
def healthz(request: HttpRequest) -> JsonResponse:
    """Say that the process lives. The database is not asked: no restart of ours would bring it back."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
@login_not_required
@for_everyone
def readyz(request: HttpRequest) -> JsonResponse:
    """Say whether people can be served: the database answers and holds every migration of this version."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        missing = _migrations_of_this_version() - set(MigrationRecorder(connection).applied_migrations())
    except Error:
        return JsonResponse({"status": "unavailable", "database": "no answer"}, status=503)
    if missing:
        return JsonResponse({"status": "unavailable", "database": "ok", "migrations": "missing"}, status=503)
    return JsonResponse({"status": "ok", "database": "ok", "migrations": "ok"})


@functools.cache
def _migrations_of_this_version() -> frozenset[tuple[str, str]]:
    loader = MigrationLoader(None)
    loader.load_disk()
    return frozenset(loader.disk_migrations)
